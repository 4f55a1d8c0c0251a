"""TCP connections whose segments wait until the connection is over, to be read together.

To read a connection at once takes a part of the time of reading it segment by segment, and comes to the same.
"""

from __future__ import annotations

from typing import NamedTuple

from tlsinspect.conversation import ACK, FIN, MOST_SEGMENT_SIZES, RST, SEQUENCE_NUMBERS, SYN, Conversation, Limits
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Mark, Transport
from tlsinspect.net.transport import Segment
from tlsinspect.tls.keylog import Secrets
from tlsinspect.tls.whole import Payload

MOST_OCTETS = 1 << 15  # of one connection that wait; with more it is read segment by segment
PACKET_OCTETS = 128  # that a packet counts beside its payload
NEVER = 1 << 63
HALF = SEQUENCE_NUMBERS // 2


# The fields of its segment, its frame and its time.
Packet = tuple[bytes, int, int, int, int, bytes, int, int, int]


class Gathered:
    """One TCP connection of which nothing was read yet.

    Owns its segments; freed when they are read.  Direction 0 is that of the first packet seen, a SYN.
    """

    __slots__ = (
        "closed_ns",
        "fins",
        "keep",
        "key",
        "last_ns",
        "number",
        "packets",
        "room",
        "scheduled_ns",
        "spoken",
    )

    def __init__(self, number: int, segment: Segment, frame: int, time_ns: int) -> None:
        self.number = number
        self.key = segment.key
        self.packets: list[Packet] = [(*segment, frame, time_ns)]
        self.keep = self.packets.append  # looked up here, as every packet needs it
        self.room = MOST_OCTETS - PACKET_OCTETS  # octets that may come yet
        self.spoken = False  # TLS was: the first octets of payload look like it
        self.last_ns = time_ns
        self.fins = 0  # of whom: 1 for direction 0, 2 for the other
        self.closed_ns = NEVER  # by both FINs, or the first RST
        self.scheduled_ns = 0  # when it is looked at next; kept by the table of flows

    @property
    def last_frame(self) -> int:
        """The frame of the last packet so far."""
        return self.packets[-1][7]

    def add_end(self, segment: Segment, time_ns: int) -> None:
        """Notes a FIN or RST."""
        if segment.flags & RST:
            self.closed_ns = min(self.closed_ns, time_ns)
        else:
            self.fins |= 1 if segment.key == self.key else 2
            if self.fins == 3:
                self.closed_ns = min(self.closed_ns, time_ns)

    def due_at(self, limits: Limits) -> int:
        """When it is looked at next: when it is over by its own end, or has to be read to tell."""
        return min(self.closed_ns + limits.linger_ns, self.packets[0][8] + limits.settle_ns)

    def conversation(self, limits: Limits, secrets: Secrets | None) -> Conversation:
        """The same, read segment by segment."""
        *_, first_frame, first_ns = self.packets[0]
        conversation = Conversation(self.number, self.key, first_frame, first_ns, limits, secrets)
        one, other = conversation.directions
        for *segment, frame, time_ns in self.packets:
            fields = Segment._make(segment)
            conversation.feed(one if fields.key == self.key else other, fields, frame, time_ns)
        return conversation


class Sound(NamedTuple):
    """A connection that was opened and closed, of whose octets none is missing and none came twice."""

    transport: Transport
    payloads: list[Payload]


def sound(gathered: Gathered) -> Sound | None:
    """What TCP did; None for a connection in which anything is out of the ordinary."""
    packets = gathered.packets
    if len(packets) < 3:
        return None
    _, isn, _, first_flags, client_ttl, _, client_data, first_frame, first_ns = packets[0]
    key, peer_isn, syn_acknowledged, peer_flags, server_ttl, _, server_data, peer_frame, peer_ns = packets[1]
    if first_flags != SYN or peer_flags != SYN | ACK or client_data or server_data or key == gathered.key:
        return None
    key = gathered.key
    base = (isn, peer_isn)
    following = [(isn + 1) & 0xFFFFFFFF, (peer_isn + 1) & 0xFFFFFFFF]
    acknowledged: list[int | None] = [None, syn_acknowledged]  # what each side has acknowledged
    payloads: list[Payload] = []
    sizes: list[int] = []
    fins: list[Mark] = []
    finished = [False, False]
    last_ns = peer_ns
    for source, seq, ack, flags, ttl, payload, octets, frame, time_ns in packets[2:]:
        server = source != key
        if flags & (SYN | RST | ACK) != ACK or seq != following[server] or octets != len(payload):
            return None
        if ack != acknowledged[server]:
            before = acknowledged[server]
            if before is None or 0 < (ack - before) & 0xFFFFFFFF < HALF:
                acknowledged[server] = ack
        if octets:
            payloads.append((server, payload, frame, time_ns))
            following[server] = seq = (seq + octets) & 0xFFFFFFFF
            if not server and len(sizes) < MOST_SEGMENT_SIZES:
                sizes.append(octets)
            if finished[server]:
                return None
        if flags & FIN:
            if finished[server]:
                return None
            finished[server] = True
            fins.append(Mark(SIDES[server], frame, time_ns, ttl))
            following[server] = (seq + 1) & 0xFFFFFFFF
        last_ns = time_ns
    seen = [(following[side] - base[side] - 1 - finished[side]) & 0xFFFFFFFF for side in (0, 1)]
    told = [(peer or 0) - base[side] - 1 & 0xFFFFFFFF for side, peer in ((0, acknowledged[1]), (1, acknowledged[0]))]
    for side in (0, 1):
        if len(fins) < 2 or told[side] > seen[side] + 1:
            return None
    return Sound(
        Transport(
            syn=Mark(Side.CLIENT, first_frame, first_ns, client_ttl),
            syn_ack=Mark(Side.SERVER, peer_frame, peer_ns, server_ttl),
            syn_count=1,
            fins=tuple(fins),
            client_octets=seen[0],
            server_octets=seen[1],
            client_acknowledged=told[0],
            server_acknowledged=told[1],
            client_segments=tuple(sizes),
            client_ttl=client_ttl,
            server_ttl=server_ttl,
            last_ns=last_ns,
        ),
        payloads,
    )


SIDES = (Side.CLIENT, Side.SERVER)
