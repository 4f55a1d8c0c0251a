"""Opens the encrypted records of one connection with the secrets that a key log has for it."""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.dtls.record import LONG_SEQUENCE, TLS12_CID, Record
from tlsinspect.model.frame import Side
from tlsinspect.model.message import ClientHello, ServerHello
from tlsinspect.tls import keylog
from tlsinspect.tls.ciphers import AEADS, HASHES, AeadCipher, decrypted, number_mask
from tlsinspect.tls.extensions import ENCRYPT_THEN_MAC
from tlsinspect.tls.key_schedule import NONCE_OCTETS, hkdf_expand_label
from tlsinspect.tls.keylog import Secrets
from tlsinspect.tls.protection import Opened, RecordProtection, tls12_protection
from tlsinspect.tls.versions import is_tls13

# RFC 9147 section 6.1: the epochs of DTLS 1.3 before the first KeyUpdate.
LABELS: dict[tuple[int, Side], str] = {
    (1, Side.CLIENT): keylog.CLIENT_EARLY,
    (2, Side.CLIENT): keylog.CLIENT_HANDSHAKE,
    (2, Side.SERVER): keylog.SERVER_HANDSHAKE,
    (3, Side.CLIENT): keylog.CLIENT_TRAFFIC,
    (3, Side.SERVER): keylog.SERVER_TRAFFIC,
}
SAMPLE = 16  # octets of the fragment that make the mask of the record number


class Dtls13Protection:
    """Records of one epoch of DTLS 1.3 from one side.  RFC 9147 section 4.

    It owns the number of the next record, as long as the connection is followed.
    """

    def __init__(self, cipher: AeadCipher, encryption: str, secret: bytes, *, hash_name: str) -> None:
        key = hkdf_expand_label(secret, b"key", b"", cipher.key_octets, hash_name=hash_name, dtls=True)
        self._iv = hkdf_expand_label(secret, b"iv", b"", NONCE_OCTETS, hash_name=hash_name, dtls=True)
        self._sn_key = hkdf_expand_label(secret, b"sn", b"", cipher.key_octets, hash_name=hash_name, dtls=True)
        self._aead = cipher.load(key)
        self._encryption = encryption
        self._next = 0

    def open(self, record: Record) -> Opened | None:
        """The record in clear, with its inner content type; None when this secret does not open it."""
        if len(record.fragment) < SAMPLE:
            return None
        bits = 16 if record.header[0] & LONG_SEQUENCE else 8
        mask = number_mask(self._encryption, self._sn_key, record.fragment[:SAMPLE])
        low = record.sequence ^ int.from_bytes(mask[: bits // 8], "big")
        sequence = nearest(self._next, low, bits)
        nonce = (int.from_bytes(self._iv, "big") ^ sequence).to_bytes(NONCE_OCTETS, "big")
        at = len(record.header) - (2 if record.header[0] & 0x04 else 0) - bits // 8
        header = record.header[:at] + low.to_bytes(bits // 8, "big") + record.header[at + bits // 8 :]
        inner = decrypted(self._aead, nonce, record.fragment, header)
        content = inner.rstrip(b"\0") if inner is not None else b""
        if not content:
            return None
        self._next = max(self._next, sequence + 1)
        return Opened(content[-1], content[:-1])


def nearest(expected: int, low: int, bits: int) -> int:
    """The number nearest to *expected* whose low bits are *low*.  RFC 9147 section 4.2.2."""
    span = 1 << bits
    number = expected - expected % span + low
    candidates = [each for each in (number - span, number, number + span) if each >= 0]
    return min(candidates, key=lambda each: abs(each - expected))


class Opener:
    """The keys of both sides.

    Owns the candidates of each epoch and side; the one that opens a record is asked first for the next.  *opened* and
    *failed* count records, for the defect of a wrong key log.
    """

    __slots__ = ("_hello", "_server_hello", "_tls12", "_tls13", "failed", "opened", "secrets")

    def __init__(self, secrets: Secrets) -> None:
        self.secrets = secrets
        self._hello: ClientHello | None = None
        self._server_hello: ServerHello | None = None
        self._tls12: dict[tuple[int, Side], list[RecordProtection]] = {}
        self._tls13: dict[tuple[int, Side], list[Dtls13Protection]] = {}
        self.opened = 0
        self.failed = 0

    @property
    def labels(self) -> frozenset[str]:
        """The labels of the secrets for this connection; none when they open nothing."""
        if self._hello is None or (self.failed and not self.opened):
            return frozenset()
        labels = (keylog.MASTER_SECRET, *LABELS.values())
        return frozenset(label for label in labels if self.secrets.find(self._hello.random, label))

    def client_hello(self, hello: ClientHello) -> None:
        """Takes note of the client's random, by which the key log names its secrets."""
        self._hello = hello

    def server_hello(self, hello: ServerHello) -> None:
        """Takes note of what was negotiated."""
        self._server_hello = hello

    def open(self, side: Side, record: Record, version: int) -> Opened | None:
        """The record in clear; None when no secret opens it.  *version* is the one of TLS that it is based on."""
        if self._hello is None or self._server_hello is None or record.type == TLS12_CID:
            return None
        found = self._open13(side, record) if record.unified else self._open12(side, record, version)
        if found is not None:
            self.opened += 1
        return found

    def _open12(self, side: Side, record: Record, version: int) -> Opened | None:
        assert self._hello is not None
        hello = self._server_hello
        assert hello is not None
        key = (record.epoch, side)
        if not self._tls12.get(key):  # the secrets may come into the log after the records
            made = (
                tls12_protection(
                    version,
                    hello.cipher_suite,
                    secret,
                    self._hello.random,
                    hello.random,
                    side,
                    encrypt_then_mac=hello.has(ENCRYPT_THEN_MAC) is True,
                )
                for secret in self.secrets.find(self._hello.random, keylog.MASTER_SECRET)
            )
            self._tls12[key] = [each for each in made if each is not None]
        for protection in self._tls12[key]:
            protection.sequence = record.epoch << 48 | record.sequence
            opened = protection.open(record.type, record.version, record.fragment)
            if opened is not None:
                return opened
        self.failed += bool(self._tls12[key])
        return None

    def _open13(self, side: Side, record: Record) -> Opened | None:
        assert self._hello is not None
        assert self._server_hello is not None
        key = (record.epoch, side)
        if not self._tls13.get(key) and key in LABELS and is_tls13(self._server_hello.version):
            suite = registry.cipher_suite(self._server_hello.cipher_suite)
            cipher = AEADS.get(suite.encryption)
            self._tls13[key] = [
                Dtls13Protection(cipher, suite.encryption, secret, hash_name=HASHES[suite.mac_or_hash])
                for secret in self.secrets.find(self._hello.random, LABELS[key])
                if cipher is not None and suite.tls13 and suite.mac_or_hash in HASHES
            ]
        candidates = self._tls13.get(key, [])
        for protection in candidates:
            opened = protection.open(record)
            if opened is not None:
                return opened
        self.failed += bool(candidates)
        return None
