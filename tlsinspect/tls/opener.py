"""Opens the encrypted records of one connection with the secrets that a key log has for it."""

from __future__ import annotations

from collections.abc import Iterable

from tlsinspect.model.frame import Side
from tlsinspect.model.message import ClientHello, ServerHello
from tlsinspect.tls import keylog
from tlsinspect.tls.extensions import EARLY_DATA, ENCRYPT_THEN_MAC
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
LABELS = (keylog.MASTER_SECRET, keylog.CLIENT_EARLY, *HANDSHAKE.values(), *APPLICATION.values())
SUITES_OF_EARLY_DATA = (0x1301, 0x1302, 0x1303, 0x1304, 0x1305)
MOST_LOST = 64  # records that may be lost together and the next one still be opened
MOST_TRIES = 8  # records after a loss on which that is tried
MOST_SEARCHED = 32  # records of one side on which that was tried in vain; then no loss is bridged any more
MOST_CANDIDATES = 96  # of one side; a client with 0-RTT data has one for each suite and secret
MOST_CLOSED = 256  # records of one side in a row that no candidate opens; then there is none any more


class Opener:
    """The keys of both directions.

    Owns the candidates of each direction: several secrets may stand in the log for one client random, and the one
    that opens the first record stays.  After a loss it also owns the count of tries to find the number of the next
    record.  *opened* and *failed* count records by their senders, for the
    defect of a wrong key log.
    """

    __slots__ = (
        "_candidates",
        "_closed",
        "_hello",
        "_missed",
        "_random",
        "_searched",
        "_secrets",
        "_server_hello",
        "_tries",
        "failed",
        "finished_sides",
        "opened",
    )

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._random = b""
        self._missed: set[str] = set()  # labels of the secrets that were not in the log when they were needed
        self._hello: ClientHello | None = None
        self._server_hello: ServerHello | None = None
        self._candidates: dict[Side, list[RecordProtection]] = {Side.CLIENT: [], Side.SERVER: []}
        self._tries: dict[Side, int] = {}  # left after a loss
        self._closed = dict.fromkeys(Side, 0)  # records in a row that nothing opened
        self._searched = dict.fromkeys(Side, 0)  # records on which a search failed
        self.finished_sides: set[Side] = set()  # whose keys are those for application data, in TLS 1.3
        self.opened = dict.fromkeys(Side, 0)
        self.failed = dict.fromkeys(Side, 0)

    @property
    def labels(self) -> frozenset[str]:
        """The labels of the secrets that are in the log for this connection, but for those that open nothing."""
        open_nothing = {
            label for side in Side if self._opens_nothing(side) for label in (HANDSHAKE[side], APPLICATION[side])
        }
        return frozenset(label for label in LABELS if self._secrets.find(self._random, label)) - open_nothing

    def _opens_nothing(self, side: Side) -> bool:
        return self.failed[side] > 0 and not self.opened[side]

    @property
    def wrong(self) -> bool:
        """Whether there are secrets for this connection, and none opened a record."""
        return any(self.failed.values()) and not any(self.opened.values())

    @property
    def late(self) -> bool:
        """Whether the log has a secret now that it did not have when it was needed."""
        return any(self._secrets.find(self._random, label) for label in self._missed)

    def _find(self, label: str) -> tuple[bytes, ...]:
        found = self._secrets.find(self._random, label)
        if not found:
            self._missed.add(label)
        return found

    def client_hello(self, hello: ClientHello) -> None:
        """Looks for 0-RTT keys; a second hello keeps the random of the first (RFC 8446 section 4.1.2)."""
        second = self._random == hello.random
        self._hello = hello
        self._random = hello.random
        secrets = self._find(keylog.CLIENT_EARLY)
        if secrets and not second:
            suites = [suite for suite in SUITES_OF_EARLY_DATA if suite in hello.cipher_suites]
            self._candidates[Side.CLIENT] = protections(suites, secrets)

    def server_hello(self, hello: ServerHello) -> None:
        """Takes up the handshake keys of TLS 1.3; 0-RTT keys go on until they no longer open anything."""
        self._server_hello = hello
        if is_tls13(hello.version):
            for side in Side:
                secrets = self._find(HANDSHAKE[side])
                found = protections((hello.cipher_suite,), secrets, draft=draft_of(hello.version))
                self._candidates[side] = [*self._candidates[side], *found][-MOST_CANDIDATES:]

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
            for secret in self._find(keylog.MASTER_SECRET)
        )
        self._candidates[side] = [protection for protection in found if protection is not None]

    def finished(self, side: Side) -> None:
        """Takes up the application keys of TLS 1.3 after a Finished; post-handshake authentication has another."""
        hello = self._server_hello
        if hello is not None and is_tls13(hello.version) and side not in self.finished_sides:
            self._candidates[side] = self._application_keys(side)
            self.finished_sides.add(side)

    def _application_keys(self, side: Side) -> list[RecordProtection]:
        hello = self._server_hello
        if hello is None or not is_tls13(hello.version):
            return []
        secrets = self._find(APPLICATION[side])
        return protections((hello.cipher_suite,), secrets, draft=draft_of(hello.version))

    def key_update(self, side: Side) -> None:
        """Takes up the next generation of keys.  RFC 8446 section 7.2."""
        self._candidates[side] = next_generation(self._candidates[side])

    def lost(self, side: Side) -> None:
        """Some records of a direction are not in the capture: how many, and whether the keys changed, has to be tried.

        Not with the keys of TLS 1.0 and before in CBC mode, nor with RC4: they need every octet before.
        """
        if self._searched[side] < MOST_SEARCHED:
            self._tries[side] = MOST_TRIES

    def skip(self, side: Side) -> None:
        """One record of a direction is not in the capture to its end."""
        for protection in self._candidates[side]:
            protection.sequence += 1
        self.lost(side)  # it may have held the message that changes the keys

    def open(self, side: Side, record: Record) -> Opened | None:
        """The record in clear; None when no secret opens it."""
        candidates = self._candidates[side]
        for protection in candidates:
            opened = protection.open(record.type, record.version, record.fragment)
            if opened is not None:
                if len(candidates) > 1:
                    self._candidates[side] = [protection, *later(candidates, protection)]
                self._tries.pop(side, None)
                self._closed[side] = 0
                self.opened[side] += 1
                return opened
        self._closed[side] += 1
        if self._closed[side] > MOST_CLOSED:
            self._candidates[side] = []
        if side in self._tries:
            return self._search(side, record)
        if candidates and not self._may_be_early(side):
            self.failed[side] += 1
        return None

    def _may_be_early(self, side: Side) -> bool:
        """Whether a record may be 0-RTT data, for which the log need not have a secret."""
        return side is Side.CLIENT and self._hello is not None and self._hello.has(EARLY_DATA) is True

    def _search(self, side: Side, record: Record) -> Opened | None:
        """Opens the first record after a loss: with a later number, or with the keys that come next."""
        candidates = self._candidates[side]
        after = next_generation(candidates) if side in self.finished_sides else self._application_keys(side)
        for protection in (*candidates, *after):
            start = protection.sequence
            for number in range(start, start + MOST_LOST):
                protection.sequence = number
                opened = protection.open(record.type, record.version, record.fragment)
                if opened is not None:
                    self._found(side, protection, candidates)
                    return opened
            protection.sequence = start
        self._searched[side] += 1
        self._tries[side] -= 1
        if not self._tries[side]:
            del self._tries[side]
            self._candidates[side] = []
        for protection in candidates:
            protection.sequence += 1
        return None

    def _found(self, side: Side, protection: RecordProtection, candidates: list[RecordProtection]) -> None:
        """Goes on with the keys that opened the first record after a loss."""
        del self._tries[side]
        self.opened[side] += 1
        if protection in candidates:
            self._candidates[side] = [protection, *later(candidates, protection)]
        else:
            self._candidates[side] = [protection]
            self.finished_sides.add(side)


def protections(suites: Iterable[int], secrets: Iterable[bytes], *, draft: int = 0) -> list[RecordProtection]:
    """Record protection of TLS 1.3 for each pair that fits."""
    found = (tls13_protection(suite, secret, draft=draft) for suite in suites for secret in secrets)
    return [protection for protection in found if protection is not None]


def next_generation(candidates: Iterable[RecordProtection]) -> list[RecordProtection]:
    """The keys after a KeyUpdate."""
    return [each.updated() for each in candidates if isinstance(each, Tls13Protection)]


def later(candidates: list[RecordProtection], chosen: RecordProtection) -> list[RecordProtection]:
    """The candidates behind the chosen one: handshake keys follow 0-RTT keys."""
    return candidates[candidates.index(chosen) + 1 :]
