"""Opens the encrypted records of one connection with the secrets that a key log has for it."""

from __future__ import annotations

from collections.abc import Iterable

from tlsinspect.model.frame import Side
from tlsinspect.model.message import ClientHello, ServerHello
from tlsinspect.tls import keylog
from tlsinspect.tls.extensions import ENCRYPT_THEN_MAC
from tlsinspect.tls.keylog import Secrets
from tlsinspect.tls.protection import (
    Opened,
    RecordProtection,
    Tls13Protection,
    tls12_protection,
    tls13_protection,
)
from tlsinspect.tls.record import Record
from tlsinspect.tls.versions import draft_of, is_tls13

HANDSHAKE = {Side.CLIENT: keylog.CLIENT_HANDSHAKE, Side.SERVER: keylog.SERVER_HANDSHAKE}
APPLICATION = {Side.CLIENT: keylog.CLIENT_TRAFFIC, Side.SERVER: keylog.SERVER_TRAFFIC}
SUITES_OF_EARLY_DATA = (0x1301, 0x1302, 0x1303, 0x1304, 0x1305)


class Opener:
    """The keys of both directions.

    Owns the candidates of each direction: several secrets may stand in the log for one client random, and the one
    that opens the first record stays.  *opened* and *failed* count records, for the defect of a wrong key log.
    """

    __slots__ = ("_candidates", "_hello", "_random", "_secrets", "_server_hello", "failed", "opened")

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._random = b""
        self._hello: ClientHello | None = None
        self._server_hello: ServerHello | None = None
        self._candidates: dict[Side, list[RecordProtection]] = {Side.CLIENT: [], Side.SERVER: []}
        self.opened = 0
        self.failed = 0

    @property
    def known(self) -> bool:
        """Whether the log has a secret for this connection."""
        labels = (keylog.MASTER_SECRET, keylog.CLIENT_EARLY, *HANDSHAKE.values(), *APPLICATION.values())
        return any(self._secrets.find(self._random, label) for label in labels)

    def client_hello(self, hello: ClientHello) -> None:
        """Looks for 0-RTT keys; a second hello keeps the random of the first (RFC 8446 section 4.1.2)."""
        self._hello = hello
        self._random = hello.random
        secrets = self._secrets.find(self._random, keylog.CLIENT_EARLY)
        if secrets:
            suites = [suite for suite in SUITES_OF_EARLY_DATA if suite in hello.cipher_suites]
            self._candidates[Side.CLIENT] = protections(suites, secrets)

    def server_hello(self, hello: ServerHello) -> None:
        """Takes up the handshake keys of TLS 1.3; 0-RTT keys go on until they no longer open anything."""
        self._server_hello = hello
        if is_tls13(hello.version):
            for side in Side:
                secrets = self._secrets.find(self._random, HANDSHAKE[side])
                self._candidates[side] += protections((hello.cipher_suite,), secrets, draft=draft_of(hello.version))

    def change_cipher_spec(self, side: Side) -> None:
        """Takes up the keys of TLS 1.2 and before, for the records after it."""
        hello = self._server_hello
        if hello is None or self._hello is None:
            return
        found = (
            tls12_protection(
                hello.version,
                hello.cipher_suite,
                secret,
                self._hello.random,
                hello.random,
                side,
                encrypt_then_mac=hello.has(ENCRYPT_THEN_MAC) is True,
            )
            for secret in self._secrets.find(self._random, keylog.MASTER_SECRET)
        )
        self._candidates[side] = [protection for protection in found if protection is not None]

    def finished(self, side: Side) -> None:
        """Takes up the application keys of TLS 1.3 after a Finished."""
        hello = self._server_hello
        if hello is not None and is_tls13(hello.version):
            secrets = self._secrets.find(self._random, APPLICATION[side])
            self._candidates[side] = protections((hello.cipher_suite,), secrets, draft=draft_of(hello.version))

    def key_update(self, side: Side) -> None:
        """Takes up the next generation of keys.  RFC 8446 section 7.2."""
        self._candidates[side] = [
            each.updated() for each in self._candidates[side] if isinstance(each, Tls13Protection)
        ]

    def lost(self, side: Side) -> None:
        """Gives a direction up: the number of the next record is not known."""
        self._candidates[side] = []

    def open(self, side: Side, record: Record) -> Opened | None:
        """The record in clear; None when no secret opens it."""
        candidates = self._candidates[side]
        for protection in candidates:
            opened = protection.open(record.type, record.version, record.fragment)
            if opened is not None:
                if len(candidates) > 1:
                    self._candidates[side] = [protection, *later(candidates, protection)]
                self.opened += 1
                return opened
        if candidates:
            self.failed += 1
        return None


def protections(suites: Iterable[int], secrets: Iterable[bytes], *, draft: int = 0) -> list[RecordProtection]:
    """Record protection of TLS 1.3 for each pair that fits."""
    found = (tls13_protection(suite, secret, draft=draft) for suite in suites for secret in secrets)
    return [protection for protection in found if protection is not None]


def later(candidates: list[RecordProtection], chosen: RecordProtection) -> list[RecordProtection]:
    """The candidates behind the chosen one: handshake keys follow 0-RTT keys."""
    return candidates[candidates.index(chosen) + 1 :]
