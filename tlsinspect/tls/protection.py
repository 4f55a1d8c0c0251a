"""Opening of protected records: one object for one direction and one generation of keys.

RFC 8446 section 5.2, RFC 5246 section 6.2.3 and the documents named below.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from tlsinspect import registry
from tlsinspect.model.frame import Side
from tlsinspect.tls.ciphers import (
    AEADS,
    BLOCK_CIPHERS,
    HASHES,
    STREAM_KEY_OCTETS,
    AeadCipher,
    BlockCipher,
    Mac,
    block_cipher_works,
    decrypted,
    digest_octets,
    rc4,
    record_header,
    stream_cipher_works,
)
from tlsinspect.tls.key_schedule import NONCE_OCTETS, SSL_3_0, TLS_1_2, key_block, next_traffic_secret, traffic_key
from tlsinspect.tls.record import APPLICATION_DATA

TLS_1_1 = 0x0302
LAST_DRAFT_WITHOUT_ADDITIONAL_DATA = 24  # of TLS 1.3; draft 25 authenticates the record header
EXPLICIT_NONCE_OCTETS = 8  # RFC 5288 section 3, RFC 6655 section 3


class Opened(NamedTuple):
    """A record in clear."""

    content_type: int  # the inner one in TLS 1.3
    octets: bytes


class RecordProtection(Protocol):
    """What opens the records of one direction, in order.

    It owns its sequence number, which advances only when a record opened; so another secret, or the same one on
    the next record, can be tried after a failure.  In DTLS the number stands in the record, and is set before.
    """

    sequence: int

    def open(self, content_type: int, version: int, fragment: bytes) -> Opened | None:
        """The record in clear; None when these keys do not open it.  *version* is that of the record header."""
        ...


class Tls13Protection:
    """Records of TLS 1.3 under one traffic secret.  RFC 8446 sections 5.2 and 5.3.

    It owns the sequence number and the secret, until the next generation of keys takes over.
    """

    def __init__(self, cipher: AeadCipher, secret: bytes, *, hash_name: str, draft: int) -> None:
        self._cipher = cipher
        self._secret = secret
        self._hash_name = hash_name
        self._draft = draft
        key, self._iv = traffic_key(secret, key_octets=cipher.key_octets, hash_name=hash_name, draft=draft)
        self._aead = cipher.load(key)
        self.sequence = 0

    def open(self, content_type: int, version: int, fragment: bytes) -> Opened | None:
        """The record in clear, with its inner content type; None when this secret does not open it."""
        if content_type != APPLICATION_DATA:
            return None
        header = record_header(content_type, version, len(fragment))
        additional_data = b"" if 0 < self._draft <= LAST_DRAFT_WITHOUT_ADDITIONAL_DATA else header
        inner = decrypted(self._aead, _nonce(self._iv, self.sequence), fragment, additional_data)
        if inner is None:
            return None
        content = inner.rstrip(b"\0")  # "the sender pads with zero-valued octets" after the type
        if not content:
            return None
        self.sequence += 1
        return Opened(content[-1], content[:-1])

    def updated(self) -> Tls13Protection:
        """The protection after a KeyUpdate of the sender.  RFC 8446 section 7.2."""
        secret = next_traffic_secret(self._secret, hash_name=self._hash_name, draft=self._draft)
        return Tls13Protection(self._cipher, secret, hash_name=self._hash_name, draft=self._draft)


def tls13_protection(cipher_suite: int, secret: bytes, *, draft: int = 0) -> Tls13Protection | None:
    """The protection under a traffic secret; None when the suite is not supported.

    *draft* is the number of the draft that was negotiated (0x7f00 | draft), 0 for TLS 1.3 itself.
    """
    suite = registry.cipher_suite(cipher_suite)
    cipher = AEADS.get(suite.encryption)
    if cipher is None or not suite.tls13 or suite.mac_or_hash not in HASHES:
        return None
    return Tls13Protection(cipher, secret, hash_name=HASHES[suite.mac_or_hash], draft=draft)


class AeadProtection:
    """Records of TLS 1.2 under an AEAD.  RFC 5246 section 6.2.3.3, RFC 5288, RFC 6655, RFC 7905.

    It owns the sequence number, until the next ChangeCipherSpec.
    """

    def __init__(self, cipher: AeadCipher, key: bytes, iv: bytes) -> None:
        self._cipher = cipher
        self._aead = cipher.load(key)
        self._iv = iv
        self.sequence = 0

    def open(self, content_type: int, version: int, fragment: bytes) -> Opened | None:
        """The record in clear; None when this key does not open it."""
        if self._cipher.explicit_nonce:
            nonce, sealed = self._iv + fragment[:EXPLICIT_NONCE_OCTETS], fragment[EXPLICIT_NONCE_OCTETS:]
        else:
            nonce, sealed = _nonce(self._iv, self.sequence), fragment
        size = len(sealed) - self._cipher.tag_octets
        if size < 0:
            return None
        additional_data = self.sequence.to_bytes(8, "big") + record_header(content_type, version, size)
        octets = decrypted(self._aead, nonce, sealed, additional_data)
        if octets is None:
            return None
        self.sequence += 1
        return Opened(content_type, octets)


def _nonce(iv: bytes, sequence: int) -> bytes:
    return (int.from_bytes(iv, "big") ^ sequence).to_bytes(NONCE_OCTETS, "big")


class BlockProtection:
    """Records of SSL 3.0 to TLS 1.2 in CBC mode.  RFC 5246 section 6.2.3.2, RFC 7366 section 3.

    It owns the sequence number and, before TLS 1.1, the last block that is the next IV, until the next
    ChangeCipherSpec.
    """

    def __init__(self, cipher: BlockCipher, key: bytes, mac: Mac, *, iv: bytes | None, encrypt_then_mac: bool) -> None:
        self._cipher = cipher
        self._key = key
        self._mac = mac
        self._iv = iv  # None when each record brings its own
        self._encrypt_then_mac = encrypt_then_mac
        self.sequence = 0

    def open(self, content_type: int, version: int, fragment: bytes) -> Opened | None:
        """The record in clear; None when these keys do not open it."""
        sealed = self._without_mac(content_type, version, fragment) if self._encrypt_then_mac else fragment
        if sealed is None:
            return None
        block = self._cipher.block_octets
        iv, ciphertext = (sealed[:block], sealed[block:]) if self._iv is None else (self._iv, sealed)
        if not ciphertext or len(ciphertext) % block:
            return None
        octets = self._without_padding(self._cipher.decrypt(self._key, iv, ciphertext))
        if octets is not None and not self._encrypt_then_mac:
            octets = self._without_mac(content_type, version, octets)
        if octets is None:
            return None
        self.sequence += 1
        if self._iv is not None:
            self._iv = ciphertext[-block:]
        return Opened(content_type, octets)

    def _without_padding(self, octets: bytes) -> bytes | None:
        padding = octets[-1] + 1
        if padding > len(octets):
            return None
        if self._mac.ssl3:  # the padding is arbitrary and shorter than a block.  RFC 6101 section 5.2.3.2
            return octets[:-padding] if padding <= self._cipher.block_octets else None
        return octets[:-padding] if octets[-padding:] == octets[-1:] * padding else None

    def _without_mac(self, content_type: int, version: int, octets: bytes) -> bytes | None:
        content, mac = octets[: -self._mac.octets], octets[-self._mac.octets :]
        fits = self._mac.fits(mac, content, sequence=self.sequence, content_type=content_type, version=version)
        return content if fits else None


class StreamProtection:
    """Records of SSL 3.0 to TLS 1.2 under RC4, or without encryption.  RFC 5246 section 6.2.3.1.

    It owns the sequence number and the place in the key stream, until the next ChangeCipherSpec.
    """

    def __init__(self, key: bytes, mac: Mac) -> None:
        self._key = key  # empty for NULL
        self._mac = mac
        self.sequence = 0
        self._opened_octets = 0
        self._stream = rc4(key) if key else None

    def open(self, content_type: int, version: int, fragment: bytes) -> Opened | None:
        """The record in clear; None when these keys do not open it."""
        octets = self._stream(fragment) if self._stream else fragment
        content, mac = octets[: -self._mac.octets], octets[-self._mac.octets :]
        if not self._mac.fits(mac, content, sequence=self.sequence, content_type=content_type, version=version):
            if self._stream:
                self._stream = rc4(self._key)
                self._stream(bytes(self._opened_octets))
            return None
        self.sequence += 1
        self._opened_octets += len(fragment)
        return Opened(content_type, content)


def tls12_protection(
    version: int,
    cipher_suite: int,
    master_secret: bytes,
    client_random: bytes,
    server_random: bytes,
    side: Side,
    *,
    encrypt_then_mac: bool,
) -> RecordProtection | None:
    """The protection of what *side* sends after its ChangeCipherSpec, in SSL 3.0 to TLS 1.2.

    None when the suite is not supported, here or by the cryptography package as it is installed.
    RFC 5246 section 6.3.
    """
    suite = registry.cipher_suite(cipher_suite)
    old_chacha20 = registry.CIPHER_SUITES.name(cipher_suite).startswith("OLD_")  # another nonce than RFC 7905
    if not SSL_3_0 <= version <= TLS_1_2 or suite.tls13 or suite.export or old_chacha20:
        return None
    aead = AEADS.get(suite.encryption) if version == TLS_1_2 else None
    block = BLOCK_CIPHERS.get(suite.encryption)
    if aead:
        mac_octets, key_octets, iv_octets = 0, aead.key_octets, 4 if aead.explicit_nonce else NONCE_OCTETS
    elif block and suite.mac_or_hash in HASHES and block_cipher_works(block):
        mac_octets, key_octets = digest_octets(suite.mac_or_hash), block.key_octets
        iv_octets = block.block_octets if version < TLS_1_1 else 0
    elif (
        suite.encryption in STREAM_KEY_OCTETS and suite.mac_or_hash in HASHES and stream_cipher_works(suite.encryption)
    ):
        mac_octets, key_octets, iv_octets = digest_octets(suite.mac_or_hash), STREAM_KEY_OCTETS[suite.encryption], 0
    else:
        return None
    octets = key_block(
        master_secret,
        2 * (mac_octets + key_octets + iv_octets),
        client_random=client_random,
        server_random=server_random,
        version=version,
        hash_name="sha384" if suite.mac_or_hash == "SHA384" else "sha256",
    )
    mac_key, key, iv = _keys_of(side, octets, (mac_octets, key_octets, iv_octets))
    if aead:
        return AeadProtection(aead, key, iv)
    mac = Mac(mac_key, HASHES[suite.mac_or_hash], version == SSL_3_0)
    if block:
        return BlockProtection(block, key, mac, iv=iv or None, encrypt_then_mac=encrypt_then_mac)
    return StreamProtection(key, mac)


def _keys_of(side: Side, octets: bytes, sizes: tuple[int, ...]) -> list[bytes]:
    # The key block holds the client's and the server's key of each kind, one after the other.
    keys = []
    at = 0
    for size in sizes:
        start = at if side is Side.CLIENT else at + size
        keys.append(octets[start : start + size])
        at += 2 * size
    return keys
