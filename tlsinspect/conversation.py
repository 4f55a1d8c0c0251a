"""One TCP connection while its handshake is looked at, and what is spoken on it: told by content, never by port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import HttpExchange, Mark, Preamble
from tlsinspect.net.reassembly import Chunk, Stream
from tlsinspect.net.transport import Segment
from tlsinspect.preamble.start import looks_like_tls
from tlsinspect.tls import connection as tls
from tlsinspect.tls.connection import Connection
from tlsinspect.tls.keylog import Secrets
from tlsinspect.tls.opened_data import OpenedData

if TYPE_CHECKING:  # for types alone: few captures have such a dialogue, or keys that open HTTP
    from tlsinspect.http.reader import HttpReader
    from tlsinspect.preamble.reader import PreambleReader

FIN, SYN, RST, ACK = 1, 2, 4, 16
MOST_RESETS = 4
MOST_SEGMENT_SIZES = 8
MOST_PLAIN = 256  # octets kept of each side of a conversation that is not TLS
SEQUENCE_NUMBERS = 1 << 32


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is held, and the times after which a conversation is given up or done."""

    idle_ns: int = 60_000_000_000  # without a packet: the handshake has stalled
    settle_ns: int = 2_000_000_000  # watched after completion, for late alerts and resets
    linger_ns: int = 200_000_000  # watched after the connection was closed or reset
    settle_octets: int = 1 << 18  # application data of one side after which nothing more is read
    http: bool = True  # whether HTTP is read where keys open it
    follow_ns: int = 60_000_000_000  # without a packet, of a completed connection whose HTTP is read
    follow_octets: int = 1 << 22  # application data of one side after which no more HTTP is read
    most_flows: int = 40_000  # conversations remembered, finished ones included
    most_octets: int = 1 << 20  # held out of order per direction


class Direction:
    """One direction of a conversation.  Owned by it, freed with it."""

    __slots__ = (
        "acknowledged",
        "base",
        "conversation",
        "fin",
        "gaps",
        "index",
        "plain",
        "plain_frames",
        "reach",
        "sizes",
        "stream",
        "syns",
        "tls",
        "ttl",
    )

    def __init__(self, conversation: Conversation, index: int, most_octets: int) -> None:
        self.conversation = conversation  # while it is under way
        self.index = index  # 0 is that of the first packet seen
        self.stream = Stream(most_octets=most_octets)
        self.tls: tls.Direction | None = None  # that of the TLS connection, once it has begun
        self.base: int | None = None  # sequence number of the SYN, or one before that of the first segment
        self.syns = 0
        self.ttl = 0
        self.reach: int | None = None  # highest sequence number that the sender is known to have come to
        self.acknowledged: int | None = None  # highest acknowledgement number sent to the peer
        self.sizes: dict[int, int] = {}  # payload octets of the first segments, by sequence number
        self.plain = b""  # first octets, until TLS begins
        self.plain_frames: list[int] = []
        self.fin = False
        self.gaps: list[Chunk] = []  # octets missing before it was known what is spoken


class Conversation:
    """One TCP connection while its handshake is looked at.

    Owns both directions, the dialogue before TLS and the TLS connection; freed when the handshake is emitted.
    Direction 0 is that of the first packet seen.
    """

    __slots__ = (
        "_http",
        "_reader",
        "client",
        "closed_ns",
        "completed_ns",
        "connection",
        "directions",
        "fins",
        "first_frame",
        "key",
        "last_frame",
        "last_ns",
        "number",
        "preamble",
        "reads_http",
        "refused",
        "resets",
        "scheduled_ns",
        "secrets",
        "spoken",
        "started_ns",
        "syn",
        "syn_ack",
        "tunnel",
    )

    def __init__(self, number: int, key: bytes, frame: int, time_ns: int, limits: Limits, secrets: Secrets | None):
        self.number = number
        self.key = key  # of direction 0
        self.directions = (Direction(self, 0, limits.most_octets), Direction(self, 1, limits.most_octets))
        self.client: int | None = None  # the direction in which the client sends
        self.secrets = secrets
        self.connection: Connection | None = None
        self.preamble: Preamble | None = None
        self.refused = False  # TLS was asked for in a dialogue, and refused
        self.tunnel: bool | None = None  # octets have begun to pass through a SOCKS proxy; False once that was noted
        self.spoken = False  # something else than TLS is spoken, for good
        self.started_ns = self.last_ns = time_ns
        self.first_frame = self.last_frame = frame
        self.syn: Mark | None = None
        self.syn_ack: Mark | None = None
        self.fins: list[tuple[int, int, int, int]] = []  # direction, frame, time, TTL
        self.resets: list[tuple[int, int, int, int]] = []
        self.closed_ns: int | None = None
        self.completed_ns: int | None = None
        self.scheduled_ns = 0  # when it is looked at next; kept by the table of flows
        self._reader: PreambleReader | None = None
        self.reads_http = limits.http
        self._http: HttpReader | None = None  # made when the first octets were opened

    # -- segments

    def feed(self, direction: Direction, segment: Segment, frame: int, time_ns: int) -> None:
        """Takes one segment of one direction."""
        _, seq, ack, flags, ttl, payload, payload_octets = segment
        self.last_ns = time_ns
        self.last_frame = frame
        if direction.base is None:
            direction.ttl = ttl
            direction.base = seq if flags & SYN else (seq - 1) % SEQUENCE_NUMBERS
        self._reach(direction, segment)
        if flags & SYN:
            self._syn(direction, segment, frame, time_ns)
        if flags & ACK:
            highest = direction.acknowledged
            if highest is None or 0 < (ack - highest) % SEQUENCE_NUMBERS < 1 << 31:
                direction.acknowledged = ack
        if payload_octets and not flags & RST:
            if len(direction.sizes) < MOST_SEGMENT_SIZES:
                direction.sizes.setdefault(seq, payload_octets)
            if not self.spoken:
                start = seq + 1 if flags & SYN else seq
                for chunk in direction.stream.feed(start, payload, payload_octets, frame, time_ns):
                    self._chunk(direction.index, chunk)
        if flags & (FIN | RST):
            self._close(direction, segment, frame, time_ns)

    def feed_in_order(
        self, direction: Direction, to: tls.Direction, seq: int, payload: bytes, frame: int, time_ns: int
    ) -> None:
        """The octets of a segment that comes next in its direction, where TLS is spoken: what nearly all are.

        What `feed` would come to by way of the stream.  The number that was acknowledged is noted by the caller.
        """
        self.last_ns = time_ns
        self.last_frame = frame
        size = len(payload)
        stream = direction.stream
        stream.octets += size
        stream.next_seq = end = (seq + size) & 0xFFFFFFFF
        if direction.reach == seq:
            direction.reach = end
        sizes = direction.sizes
        if len(sizes) < MOST_SEGMENT_SIZES and seq not in sizes:
            sizes[seq] = size
        connection = self.connection
        assert connection is not None
        connection.read(to, payload, frame, time_ns)
        if connection.data is not None and connection.data.items:
            self._read_http(connection)
        if self.completed_ns is None and connection.client.finished and connection.server.finished:
            self.completed_ns = time_ns

    def _reach(self, direction: Direction, segment: Segment) -> None:
        """Notes how far the sender has come: pure acknowledgements, FIN and RST tell it as well."""
        if segment.flags & (RST | ACK) == RST | ACK and not segment.seq:
            return  # the answer to a SYN on a closed port has no sequence number of its own
        end = segment.seq + segment.payload_octets + (segment.flags & SYN != 0)
        if direction.reach is None or 0 < (end - direction.reach) % SEQUENCE_NUMBERS < 1 << 31:
            direction.reach = end % SEQUENCE_NUMBERS

    def _syn(self, direction: Direction, segment: Segment, frame: int, time_ns: int) -> None:
        index = direction.index
        direction.syns += 1
        direction.stream.start(segment.seq + 1)
        if segment.flags & ACK:
            self.client = 1 - index if self.client is None else self.client
            self.syn_ack = self.syn_ack or Mark(Side.SERVER, frame, time_ns, segment.ttl)
        else:
            self.client = index if self.client is None else self.client
            self.syn = self.syn or Mark(Side.CLIENT, frame, time_ns, segment.ttl)

    def _close(self, direction: Direction, segment: Segment, frame: int, time_ns: int) -> None:
        mark = (direction.index, frame, time_ns, segment.ttl)
        if segment.flags & RST:
            if len(self.resets) < MOST_RESETS:
                self.resets.append(mark)
        elif not direction.fin:
            direction.fin = True
            self.fins.append(mark)
        if self.closed_ns is None and (self.resets or len(self.fins) == 2):
            self.closed_ns = time_ns

    # -- octets

    def _chunk(self, index: int, chunk: Chunk) -> None:
        if self.connection is not None:
            self._tls(index, chunk)
        elif chunk.gap:
            self._gap_before_tls(index, chunk)
        else:
            self._undecided(index, chunk)

    def _gap_before_tls(self, index: int, chunk: Chunk) -> None:
        """Octets are missing before it is known what is spoken: TLS may still begin behind them."""
        direction = self.directions[index]
        direction.plain = b""
        direction.plain_frames = []
        direction.gaps.append(chunk)

    def _undecided(self, index: int, chunk: Chunk) -> None:
        direction = self.directions[index]
        if self._reader is None:
            octets = direction.plain + chunk.octets
            tls = looks_like_tls(octets)
            if tls:
                self._begin(index, octets, chunk, frames=(*direction.plain_frames, chunk.frame))
                return
            if direction.gaps:  # somewhere in a record, perhaps
                return
            if tls is None:  # too short to tell
                direction.plain = octets
                direction.plain_frames.append(chunk.frame)
                return
            from tlsinspect.preamble.reader import PreambleReader

            chunk = chunk._replace(octets=octets)
            self._reader = PreambleReader()
        self._dialogue(index, chunk)

    def _dialogue(self, index: int, chunk: Chunk) -> None:
        direction = self.directions[index]
        if len(direction.plain) < MOST_PLAIN:
            direction.plain = (direction.plain + chunk.octets)[:MOST_PLAIN]
            direction.plain_frames.append(chunk.frame)
        if self.client is None:
            self.client = index  # without a SYN the first to speak is taken for the client
        from tlsinspect.preamble.reader import State

        assert self._reader is not None
        before = self.preamble
        if before is not None and before.accepted and before.protocol.startswith("socks") and self.tunnel is None:
            self.tunnel = True
        verdict = self._reader.feed(self.side(index), chunk.octets, chunk.frame, chunk.time_ns)
        self.preamble = verdict.preamble
        self.refused = verdict.state is State.REFUSED
        if verdict.state in (State.UNDECIDED, State.REFUSED):  # a client may ask again
            return
        if verdict.state is State.TLS:
            self._begin_after_dialogue(verdict.client, verdict.server, chunk)
        else:
            self.spoken = True

    def _begin_after_dialogue(self, client: bytes, server: bytes, chunk: Chunk) -> None:
        self._connect()
        assert self.connection is not None
        for octets, side in ((client, Side.CLIENT), (server, Side.SERVER)):
            if octets:
                self.connection.feed(side, Chunk(octets, 0, chunk.frame, chunk.time_ns))

    def _begin(self, index: int, octets: bytes, chunk: Chunk, frames: tuple[int, ...]) -> None:
        """TLS begins: whoever sends a ClientHello is the client, whoever opened the connection."""
        kind = first_message(octets)
        if kind is Side.CLIENT or (kind is None and self.client is None and is_client_port(self.key, index)):
            self.client = index
        elif self.client is None or kind is Side.SERVER:
            self.client = 1 - index
        self._connect()
        assert self.connection is not None
        direction = self.directions[index]
        if len(frames) > 1:  # octets that came before in other frames
            self.connection.feed(self.side(index), Chunk(direction.plain, 0, frames[0], chunk.time_ns))
            octets = octets[len(direction.plain) :]
        direction.plain = b""
        self._tls(index, chunk._replace(octets=octets))
        other = self.directions[1 - index]
        if other.plain:  # a few octets of the other side that were too short to tell
            early = Chunk(other.plain, 0, other.plain_frames[0], chunk.time_ns)
            other.plain = b""
            self._tls(1 - index, early)

    def _connect(self) -> None:
        """From here on TLS is read.  Who the client is does not change any more."""
        self.connection = connection = Connection(secrets=self.secrets)
        if self.reads_http and connection.may_open:
            connection.data = OpenedData()
        for direction in self.directions:
            direction.tls = connection.client if self.side(direction.index) is Side.CLIENT else connection.server

    def _tls(self, index: int, chunk: Chunk) -> None:
        connection = self.connection
        assert connection is not None
        connection.feed(self.side(index), chunk)
        if connection.data is not None and connection.data.items:
            self._read_http(connection)
        if self.completed_ns is None and connection.complete:
            self.completed_ns = chunk.time_ns

    def _read_http(self, connection: Connection) -> None:
        """Takes what was opened since."""
        from tlsinspect.http.reader import HttpReader

        assert connection.data is not None
        if self._http is None:
            self._http = HttpReader()
        for side, octets, frame in connection.data.take():
            if octets:
                self._http.feed(side, octets, frame)
            else:
                self._http.lost(side)
        if self._http.done:
            connection.data = None

    @property
    def http(self) -> tuple[HttpExchange, ...] | Missing:
        """The HTTP exchanges; HIDDEN when no application data was opened, or none was asked for."""
        if self._http is None or not self._http.fed:
            return Missing.HIDDEN
        exchanges = self._http.exchanges()
        return Missing.LOST if self._http.lossy and not exchanges else exchanges

    def side(self, index: int) -> Side:
        """Who sends in a direction."""
        return Side.CLIENT if index == self.client else Side.SERVER

    # -- the end

    def finish(self) -> None:
        """Delivers what is held, gaps marked."""
        if self.spoken:
            return
        for index in (0, 1) if self.client != 1 else (1, 0):
            for chunk in self.directions[index].stream.finish():
                self._chunk(index, chunk)
        if self.connection is not None:
            if self.connection.finish(self.last_ns):
                self._http = None
            if self.connection.data is not None:
                self._read_http(self.connection)

    def done_at(self, limits: Limits) -> int:
        """The time after which the conversation is over; nothing after it is looked at."""
        due = self.last_ns + limits.idle_ns
        if self.closed_ns is not None:
            due = min(due, self.closed_ns + limits.linger_ns)
        if self.completed_ns is not None:
            settled_ns = (
                self.last_ns + limits.follow_ns if self._follows_http() else self.completed_ns + limits.settle_ns
            )
            due = min(due, settled_ns)
        return due

    def _follows_http(self) -> bool:
        """Whether more HTTP may come: requests for other hosts may share a connection."""
        connection = self.connection
        return connection is not None and connection.data is not None and connection.opens

    def shift(self, by_ns: int) -> None:
        """Moves the times that decide when the conversation is over."""
        self.last_ns += by_ns
        if self.closed_ns is not None:
            self.closed_ns += by_ns
        if self.completed_ns is not None:
            self.completed_ns += by_ns

    def settled(self, limits: Limits) -> bool:
        """Whether so much application data has passed that nothing more can come of the handshake."""
        connection = self.connection
        if connection is None or self.completed_ns is None:
            return False
        octets = max(connection.client.data_octets, connection.server.data_octets)
        if octets <= limits.settle_octets and octets <= limits.follow_octets:
            return False
        return octets > (limits.follow_octets if self._follows_http() else limits.settle_octets)


def first_message(octets: bytes) -> Side | None:
    """Who sends a stream that begins so: the client a ClientHello, the server a ServerHello; None for neither."""
    if octets[0] & 0x80:
        return Side.CLIENT  # SSL 2.0 framing
    if octets[0] == 22 and len(octets) > 5:
        return {1: Side.CLIENT, 2: Side.SERVER, 12: Side.SERVER, 14: Side.SERVER, 16: Side.CLIENT}.get(octets[5])
    return None


def is_client_port(key: bytes, index: int) -> bool:
    """Whether the sender in a direction has the higher port, as clients nearly always have."""
    source = int.from_bytes(key[-4:-2], "big")
    destination = int.from_bytes(key[-2:], "big")
    return (source > destination) == (index == 0)
