"""From datagrams to handshakes of DTLS and QUIC: the table of UDP conversations, told by content, never by port."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tlsinspect.conversation import Limits, is_client_port
from tlsinspect.model.frame import Side
from tlsinspect.net.transport import Datagram, reverse
from tlsinspect.tls.keylog import Secrets

if TYPE_CHECKING:  # for types alone: each is imported with the first datagram that may be its
    from tlsinspect import dtls, quic

    DatagramConnection = dtls.Connection | quic.Connection

NEVER = 1 << 63
NOTHING: tuple[Exchange, ...] = ()


class Protocol(NamedTuple):
    """How a protocol is told by the payload of a datagram."""

    begins: Callable[[bytes, int], bool]  # by the payload as captured, and its octets on the wire
    first_side: Callable[[bytes], Side | None]  # who sends a datagram that begins a handshake
    identity_of: Callable[[bytes], bytes]  # the same for all first datagrams of one handshake
    connection: Callable[..., DatagramConnection]


def dtls_protocol() -> Protocol:
    """DTLS, whose package is imported with the first datagram that may be its."""
    from tlsinspect import dtls

    return Protocol(dtls.begins_handshake, dtls.first_side, dtls.identity_of, dtls.Connection)


def quic_protocol() -> Protocol:
    """QUIC, whose package is imported with the first datagram that may be its."""
    from tlsinspect import quic

    return Protocol(quic.begins_connection, quic.first_side, quic.identity_of, quic.Connection)


# By the octets that may begin the first datagram.
PROTOCOLS: tuple[tuple[bytes, Callable[[], Protocol]], ...] = (
    (b"\x16", dtls_protocol),
    (bytes(range(0xC0, 0x100)), quic_protocol),
)
FIRST_OCTETS = frozenset(octet for first_octets, _ in PROTOCOLS for octet in first_octets)


class Exchange:
    """One handshake over UDP while it is looked at.

    Owns the connection; freed when the handshake is emitted.
    """

    __slots__ = (
        "client",
        "closed_ns",
        "completed_ns",
        "connection",
        "first_frame",
        "last_frame",
        "last_ns",
        "octets",
        "part",
        "peers",
        "protocol",
        "scheduled_ns",
        "started_ns",
    )

    def __init__(self, peers: Peers, protocol: Protocol, client: int, secrets: Secrets | None) -> None:
        self.peers = peers
        self.protocol = protocol
        self.part = peers.parts
        self.client = client  # the direction in which the client sends; 0 is that of the first datagram
        self.connection = protocol.connection(secrets=secrets)
        self.started_ns = self.last_ns = 0
        self.first_frame = self.last_frame = 0
        self.octets = [0, 0]  # of each direction, after the handshake was complete
        self.closed_ns: int | None = None
        self.completed_ns: int | None = None
        self.scheduled_ns = 0  # when it is looked at next; kept by the table

    @property
    def number(self) -> int:
        """The udp.stream of Wireshark."""
        return self.peers.number

    @property
    def key(self) -> bytes:
        """The key of direction 0."""
        return self.peers.key

    def feed(self, index: int, datagram: Datagram, frame: int, time_ns: int) -> None:
        """Takes one datagram of one direction."""
        if not self.first_frame:
            self.started_ns, self.first_frame = time_ns, frame
        self.last_ns, self.last_frame = time_ns, frame
        connection = self.connection
        side = Side.CLIENT if index == self.client else Side.SERVER
        connection.feed(side, datagram.payload, octets=datagram.payload_octets, frame=frame, time_ns=time_ns)
        if self.completed_ns is not None:
            self.octets[index] += datagram.payload_octets
        elif connection.complete:
            self.completed_ns = time_ns
        if self.closed_ns is None and connection.fatal:
            self.closed_ns = time_ns

    def done_at(self, limits: Limits) -> int:
        """The time after which it is over; nothing after it is looked at."""
        due = self.last_ns + limits.idle_ns
        if self.closed_ns is not None:
            due = min(due, self.closed_ns + limits.linger_ns)
        if self.completed_ns is not None:
            due = min(due, self.completed_ns + limits.settle_ns)
        return due

    def shift(self, by_ns: int) -> None:
        """Moves the times that decide when it is over."""
        self.last_ns += by_ns
        if self.closed_ns is not None:
            self.closed_ns += by_ns
        if self.completed_ns is not None:
            self.completed_ns += by_ns


class Peers:
    """What is remembered of a UDP conversation, whatever is spoken on it.

    Owned by the table; freed when it is the oldest of too many.
    """

    __slots__ = ("exchange", "identities", "key", "number", "parts")

    def __init__(self, number: int, key: bytes) -> None:
        self.number = number
        self.key = key  # of direction 0, that of the first datagram
        self.parts = 0  # handshakes so far
        self.exchange: Exchange | None = None  # the handshake under way
        self.identities: frozenset[bytes] = frozenset()  # of the handshake that is over


class Datagrams:
    """All UDP conversations.

    Owns them, at most Limits.most_flows.  They are numbered as Wireshark numbers udp.stream: by their first datagram.
    """

    def __init__(self, *, limits: Limits, secrets: Secrets | None = None) -> None:
        self._limits = limits
        self._secrets = secrets
        self._table: dict[bytes, Peers] = {}
        self._order: deque[Peers] = deque()  # the oldest first; to find it in the table takes long after deletions
        self._due: list[tuple[int, int, int]] = []  # when to look at which; what is over by then is freed before
        self._under_way: dict[tuple[int, int], Exchange] = {}  # by number and part, the oldest first
        self._count = 0
        self.evicted = 0  # handshakes given up because there were too many conversations
        self.next_due_ns = NEVER

    def feed(self, datagram: Datagram, frame: int, time_ns: int) -> Sequence[Exchange]:
        """Takes one datagram; returns the handshakes that it showed to be over."""
        payload = datagram.payload
        peers = self._table.get(datagram.key)
        over: Sequence[Exchange] = NOTHING
        if peers is None:
            peers, over = self._open(datagram.key)
        exchange = peers.exchange
        if exchange is None:
            if not payload or payload[0] not in FIRST_OCTETS:
                return over
            index = 0 if datagram.key == peers.key else 1
        else:
            index = 0 if datagram.key == peers.key else 1
            if payload and index == exchange.client and payload[0] in FIRST_OCTETS and begins_anew(exchange, datagram):
                self._finish(exchange)
                over = (*over, exchange)
                exchange = None
        if exchange is None:
            exchange = self._begin(peers, index, datagram)
            if exchange is None:
                return over
        exchange.feed(index, datagram, frame, time_ns)
        if max(exchange.octets) > self._limits.settle_octets:
            self._finish(exchange)
            return (*over, exchange)
        due = exchange.done_at(self._limits)
        if not exchange.scheduled_ns or due < exchange.scheduled_ns:
            self._schedule(exchange, due)
        return over

    def mention(self, key: bytes) -> Sequence[Exchange]:
        """Counts a conversation of which only a tunnel or an ICMP error speaks."""
        return NOTHING if key in self._table else self._open(key)[1]

    def number_of(self, key: bytes) -> int:
        """The number of a conversation that is in the table."""
        return self._table[key].number

    def expire(self, now_ns: int) -> Iterator[Exchange]:
        """The handshakes that are over at a time: closed, settled, or silent for too long."""
        while self._due and self._due[0][0] < now_ns:
            due, number, part = heapq.heappop(self._due)
            exchange = self._under_way.get((number, part))
            if exchange is None or due != exchange.scheduled_ns:
                continue  # over, or looked at again earlier
            again = exchange.done_at(self._limits)
            if again < now_ns:
                self._finish(exchange)
                yield exchange
            else:
                self._schedule(exchange, again)
        self.next_due_ns = self._due[0][0] if self._due else NEVER

    def shift(self, by_ns: int) -> None:
        """Moves the times of all that is under way, after a jump of the capture's clock."""
        for exchange in self._under_way.values():
            exchange.shift(by_ns)
            self._schedule(exchange, exchange.done_at(self._limits))

    def finish(self) -> Iterator[Exchange]:
        """All that are still under way, by their numbers."""
        rest = sorted(self._under_way.values(), key=lambda each: each.number)
        self._table.clear()
        self._order.clear()
        self._due.clear()
        self._under_way.clear()
        yield from rest

    def _open(self, key: bytes) -> tuple[Peers, Sequence[Exchange]]:
        peers = Peers(self._count, key)
        self._count += 1
        self._table[key] = self._table[reverse(key)] = peers
        self._order.append(peers)
        if len(self._order) <= self._limits.most_flows:
            return peers, NOTHING
        oldest = self._order.popleft()
        for each in (oldest.key, reverse(oldest.key)):
            self._table.pop(each, None)
        if oldest.exchange is None:
            return peers, NOTHING
        self.evicted += 1
        del self._under_way[oldest.number, oldest.exchange.part]
        return peers, (oldest.exchange,)

    def _begin(self, peers: Peers, index: int, datagram: Datagram) -> Exchange | None:
        """The handshake that a datagram begins; None when it begins none, or belongs to the one that is over."""
        payload = datagram.payload
        protocol = next((load() for first_octets, load in PROTOCOLS if payload[0] in first_octets), None)
        if protocol is None or not protocol.begins(payload, datagram.payload_octets):
            return None
        side = protocol.first_side(payload)
        if peers.parts and (side is not Side.CLIENT or protocol.identity_of(payload) in peers.identities):
            return None
        if side is None:
            side = Side.CLIENT if is_client_port(peers.key, index) else Side.SERVER
        peers.parts += 1
        peers.exchange = Exchange(peers, protocol, index if side is Side.CLIENT else 1 - index, self._secrets)
        self._under_way[peers.number, peers.parts] = peers.exchange
        return peers.exchange

    def _schedule(self, exchange: Exchange, due_ns: int) -> None:
        exchange.scheduled_ns = due_ns
        heapq.heappush(self._due, (due_ns, exchange.number, exchange.part))
        self.next_due_ns = self._due[0][0]

    def _finish(self, exchange: Exchange) -> None:
        del self._under_way[exchange.number, exchange.part]
        exchange.peers.exchange = None
        exchange.peers.identities = exchange.connection.identities


def begins_anew(exchange: Exchange, datagram: Datagram) -> bool:
    """Whether a datagram of the client begins another handshake on the conversation."""
    begins = exchange.protocol.begins(datagram.payload, datagram.payload_octets)
    return begins and exchange.connection.begins_anew(datagram.payload)
