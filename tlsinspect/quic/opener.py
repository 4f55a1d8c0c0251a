"""Opens the packets of one connection: Initial packets by their connection ID, the others with a key log."""

from __future__ import annotations

from tlsinspect.model.frame import Side
from tlsinspect.model.message import ClientHello, ServerHello
from tlsinspect.quic.packet import Packet
from tlsinspect.quic.protection import Protection, initial_protections, protection
from tlsinspect.quic.versions import Kind, Version, version_of
from tlsinspect.tls import keylog
from tlsinspect.tls.keylog import Secrets

MOST_KEYS = 6  # of Initial packets: each Retry and each new version makes another set

LABELS: dict[tuple[Kind, Side], str] = {
    (Kind.ZERO_RTT, Side.CLIENT): keylog.CLIENT_EARLY,
    (Kind.HANDSHAKE, Side.CLIENT): keylog.CLIENT_HANDSHAKE,
    (Kind.HANDSHAKE, Side.SERVER): keylog.SERVER_HANDSHAKE,
    (Kind.ONE_RTT, Side.CLIENT): keylog.CLIENT_TRAFFIC,
    (Kind.ONE_RTT, Side.SERVER): keylog.SERVER_TRAFFIC,
}


class InitialKeys:
    """The keys of Initial packets.

    Owns a set for each first Destination Connection ID and version that opened a packet, at most MOST_KEYS, as long as
    the connection is followed.  RFC 9001 section 5.2: they change with a Retry.
    """

    __slots__ = ("_sets", "destinations", "versions")

    def __init__(self) -> None:
        self._sets: dict[tuple[int, bytes], dict[Side, Protection]] = {}
        self.destinations: list[bytes] = []  # of the client's first packets
        self.versions: list[int] = []  # of the packets, the last one last

    @property
    def count(self) -> int:
        """How many sets there are."""
        return len(self._sets)

    def open(self, side: Side, packet: Packet) -> bytes | None:
        """The payload in clear; None when no key opens it."""
        if packet.version not in self.versions and len(self.versions) < MOST_KEYS:
            self.versions.append(packet.version)
        for (version, _), keys in self._sets.items():
            if version == packet.version:
                opened = keys[side].open(packet)
                if opened is not None:
                    return opened.payload
        if packet.cut and side is Side.CLIENT and len(self.destinations) < MOST_KEYS:
            self.destinations.append(packet.destination)  # cannot be opened, but the answers can
        # A server may answer with another version, under the client's first connection ID (RFC 9369 section 4.1).
        for destination in (packet.destination,) if side is Side.CLIENT else tuple(self.destinations):
            if (packet.version, destination) not in self._sets and self.count < MOST_KEYS:
                payload = self._try(side, packet, destination)
                if payload is not None:
                    return payload
        return None

    def _try(self, side: Side, packet: Packet, destination: bytes) -> bytes | None:
        version = version_of(packet.version)
        if version is None:
            return None
        keys = initial_protections(version, destination)
        opened = keys[side].open(packet)
        if opened is None:
            return None
        self._sets[packet.version, destination] = keys
        if destination not in self.destinations:
            self.destinations.append(destination)
        return opened.payload


class Opener:
    """The keys that a key log has.

    Owns the candidates of each level and side.  *opened* and *failed* count packets, for the defect of a wrong key
    log.
    """

    __slots__ = ("_keys", "_random", "_secrets", "_suite", "_version", "failed", "opened")

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._random = b""
        self._suite = 0
        self._version: Version | None = None
        self._keys: dict[tuple[Kind, Side], list[Protection]] = {}
        self.opened = 0
        self.failed = 0

    def client_hello(self, hello: ClientHello) -> None:
        """Takes note of the client's random, by which the key log names its secrets."""
        self._random = hello.random

    def server_hello(self, hello: ServerHello, version: Version) -> None:
        """Takes note of the suite and of the version of QUIC that the server answered with."""
        self._suite = hello.cipher_suite
        self._version = version

    @property
    def labels(self) -> frozenset[str]:
        """The labels of the secrets for this connection; none when they open nothing."""
        if self.failed and not self.opened:
            return frozenset()
        return frozenset(label for label in LABELS.values() if self._secrets.find(self._random, label))

    @property
    def ready(self) -> bool:
        """Whether all is known that the keys need."""
        return self._version is not None

    def open(self, side: Side, packet: Packet) -> bytes | None:
        """The payload in clear; None when no secret opens it."""
        key = (packet.kind, side)
        version = self._version
        if version is None or key not in LABELS:
            return None
        if not self._keys.get(key):  # the secrets may come into the log after the packets
            made = (
                protection(self._suite, secret, version) for secret in self._secrets.find(self._random, LABELS[key])
            )
            self._keys[key] = [each for each in made if each is not None]
        for candidate in self._keys[key]:
            opened = candidate.open(packet)
            if opened is not None:
                self.opened += 1
                return opened.payload
        self.failed += bool(self._keys[key])
        return None
