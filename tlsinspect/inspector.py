"""The core for files, live capture and tests: frames in, handshakes out.

No I/O and no clock: time is the time of the frames.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import NamedTuple, Protocol, runtime_checkable

from tlsinspect.conclusion import conclude, conclude_exchange, conclude_sound
from tlsinspect.conversation import ACK, FIN, RST, SYN, Conversation, Limits
from tlsinspect.datagrams import Datagrams, Exchange
from tlsinspect.flows import Done, Flows
from tlsinspect.gathering import PACKET_OCTETS, Gathered
from tlsinspect.model.frame import BATCH_HEADER_OCTETS as HEADER
from tlsinspect.model.frame import Batch, Frame
from tlsinspect.model.handshake import Handshake
from tlsinspect.net.packet import (
    PLAIN_IPV4,
    PLAIN_IPV6,
    TCP_OCTETS,
    Datagram,
    PacketDecoder,
    Quoted,
    Segment,
    ipv6_tcp,
)
from tlsinspect.tls.keylog import Secrets

__all__ = ["Inspector", "Limits", "inspect"]

FAULT_NS = 30 * 24 * 3600 * 1_000_000_000  # between two frames: some captures have frames of another decade in them
TCP, UDP = 6, 17
MOMENT = (1 << 14) - 1  # frames, less one, after which it is told how far the inspector has come
ETHERNET = 1  # LINKTYPE_
LEAST_OCTETS_IPV4 = 54  # of a frame with Ethernet, IP and TCP
NEVER = 1 << 63

# By the order of octets in the header of a frame of a batch: reads it with what tells whether the frame has TCP behind
# plain headers, and whose; and the flags and offset of an IPv4 datagram that must not be fragmented.
HEADERS = {
    "<": (struct.Struct("<III16x3s5xHxB2x12s9xB").unpack_from, 0x0040),
    ">": (struct.Struct(">III16x3s5xHxB2x12s9xB").unpack_from, 0x4000),
}
ipv4_rest = struct.Struct(">16xH4xB15xIIB").unpack_from  # of TCP: what it takes to read it
NOTHING: tuple[Handshake, ...] = ()


@runtime_checkable
class Batched(Protocol):
    """A capture that can give frames that are in memory together as one."""

    def in_batches(self) -> Iterator[Frame | Batch]:
        """All its frames, in order."""
        ...


class Share(NamedTuple):
    """Which connections of a capture one of several inspectors follows, each of which is fed with all frames.

    Numbers of tcp.stream are then those among the connections of the share.  All of UDP is in share 0, as a frame with
    a tunnel counts several conversations.
    """

    number: int  # from 0
    of: int
    opened: list[int]  # the first frame of each TCP connection of the share, appended; to be emptied by who reads it

    def has(self, packet: Segment | Datagram | Quoted) -> bool:
        """Whether a packet belongs to the share; so does what goes the other way."""
        if type(packet) is Datagram or (type(packet) is Quoted and packet.protocol == UDP):
            return self.number == 0
        return self.has_key(packet.key)

    def has_key(self, key: bytes) -> bool:
        """Whether a TCP connection belongs to the share."""
        return (sum(key) * 0x9E3779B1 >> 20 & 0xFFF) % self.of == self.number


class Inspector:
    """Follows the connections of one capture.

    Owns the fragments and conversations under way; each is freed when its handshake is returned.  *plain* returns
    connections on which nobody spoke TLS, too; *http* reads the heads of HTTP where secrets open it; *share* leaves
    the connections of other shares out.  *gather* reads connections when they are over, which takes less time and comes
    to the same; until then *conversation* and *under_way* do not have them.
    """

    def __init__(
        self,
        name: str = "",
        *,
        limits: Limits | None = None,
        secrets: Secrets | None = None,
        plain: bool = False,
        http: bool = True,
        share: Share | None = None,
        gather: bool = False,
    ) -> None:
        limits = replace(limits or Limits(), http=http)
        self._limits = limits
        self._secrets = secrets
        self._name = name
        self._plain = plain
        self._packets = PacketDecoder()
        self._passed = self._packets.passed
        self._decode = self._packets.decode  # looked up here, as every frame needs it
        self._flows = Flows(
            limits=limits, secrets=secrets, opened=None if share is None else share.opened, gather=gather
        )
        self._datagrams = Datagrams(limits=limits, secrets=secrets)
        self._due_ns = self._datagrams.next_due_ns  # kept here, as every frame asks for it
        self._now_ns = 0
        self._share = share
        self.frames = 0  # frames taken so far
        self.finished = False  # the capture has ended
        self.packet: Segment | Datagram | None = None  # what the last frame carried

    def feed(self, frame: Frame) -> Sequence[Handshake]:
        """Takes one frame; the handshakes that are known for good now, by it or by its time."""
        self.frames += 1
        number, time_ns, _, _, _ = frame
        if time_ns - self._now_ns > FAULT_NS and self._now_ns:
            self._flows.shift(time_ns - self._now_ns)  # no pause, but a fault of the capture's clock
            self._datagrams.shift(time_ns - self._now_ns)
            self._due_ns = self._datagrams.next_due_ns
        self._now_ns = time_ns
        handshakes: Sequence[Handshake] = NOTHING
        if time_ns > self._flows.next_due_ns or time_ns > self._due_ns:
            handshakes = self.expire(time_ns)
        packet = self._decode(frame)
        if self._share is not None and packet is not None and not self._share.has(packet):
            packet = None
        if self._passed:
            handshakes = (*handshakes, *self._mention(self._passed))
            self._passed.clear()
        if type(packet) is Segment:  # nearly always
            self.packet = packet
            over = self._flows.feed(packet, number, time_ns)
            return handshakes if over is None else in_order((*handshakes, *self._conclude(over)))
        self.packet = None
        if isinstance(packet, Datagram):
            self.packet = packet
            ended = self._datagrams.feed(packet, number, time_ns)
            if ended:
                handshakes = (*handshakes, *map(self._conclude_exchange, ended))
            self._due_ns = self._datagrams.next_due_ns
        elif isinstance(packet, Quoted) and packet.protocol == TCP:
            self._flows.mention(packet.key, number, time_ns)
        elif isinstance(packet, Quoted) and packet.protocol == UDP:
            handshakes = (*handshakes, *self._mention((packet.key,)))
        return handshakes

    def feed_batch(self, batch: Batch) -> Iterator[Sequence[Handshake]]:
        """Takes many frames; what `feed` returns for each of them where that is anything.

        One loop, as it runs for every frame of a file: TCP segments behind plain headers go to their connections from
        where they are, and those of connections that are over nowhere.  For all other frames one is made and fed.
        """
        octets, first, link_type, starts, byte_order, major_ns, minor_ns, offset_ns = batch
        headers, unfragmented = HEADERS[byte_order]
        flows, state, share, new = self._flows, self._flows.state, self._share, tuple.__new__
        shortest = LEAST_OCTETS_IPV4 if link_type == ETHERNET else NEVER
        before, now_ns = self.frames - first, self._now_ns
        until_ns = min(flows.next_due_ns, self._due_ns)  # until then no conversation is over by its time alone
        this_major, this_ns = -1, 0
        for number, start in enumerate(starts, first):
            try:
                major, minor, captured, plain, offset, protocol, key, flags = headers(octets, start - HEADER)
            except struct.error:  # the last frame in memory, and a short one
                major, minor, captured = struct.unpack_from(byte_order + "III", octets, start - HEADER)
                plain = b""
            if major != this_major:
                this_major, this_ns = major, major * major_ns + offset_ns
            time_ns = this_ns + minor * minor_ns
            if plain == PLAIN_IPV6 and captured >= shortest + 20:
                length, protocol, ttl, key, seq, ack, words, flags = ipv6_tcp(octets, start)
                offset = 0
            elif plain != PLAIN_IPV4:
                protocol = 0
            if (
                protocol == TCP
                and (offset == unfragmented or not offset)
                and captured >= shortest
                and time_ns <= until_ns
                and time_ns - now_ns <= FAULT_NS
            ):
                if share is not None and not share.has_key(key):
                    now_ns = time_ns
                    continue
                kept = state(key)
                if type(kept) is Done and flags & (SYN | ACK) != SYN:
                    now_ns = time_ns
                    continue  # the rest of a bulk transfer: nearly all segments of a large capture end here
                if plain == PLAIN_IPV4:
                    length, ttl, seq, ack, words = ipv4_rest(octets, start)
                    at, end = 34 + TCP_OCTETS[words], 14 + length
                else:
                    at, end = 54 + TCP_OCTETS[words], 54 + length
                if at <= end and at <= captured:
                    now_ns = time_ns
                    payload = octets[start + at : start + (end if end < captured else captured)]
                    size = end - at
                    if (
                        type(kept) is Gathered
                        and not flags & (SYN | FIN | RST)
                        and kept.spoken
                        and kept.room >= 0
                        and flows.room >= 0
                        and time_ns >= kept.last_ns
                    ):  # as Flows.feed does
                        kept.keep((key, seq, ack, flags, ttl, payload, size, number, time_ns))
                        kept.last_ns = time_ns
                        kept.room -= size + PACKET_OCTETS
                        flows.room -= size + PACKET_OCTETS
                        continue
                    over = flows.feed(new(Segment, (key, seq, ack, flags, ttl, payload, size)), number, time_ns)
                    if over is not None:
                        self.frames, self._now_ns = before + number + 1, now_ns
                        yield in_order(self._conclude(over))
                    until_ns = min(flows.next_due_ns, self._due_ns)
                    continue
            self.frames, self._now_ns = before + number, now_ns
            now_ns = time_ns
            (wire,) = struct.unpack_from(byte_order + "I", octets, start - 4)
            handshakes = self.feed(Frame(number, time_ns, link_type, octets[start : start + captured], wire))
            if handshakes:
                yield handshakes
            until_ns = min(flows.next_due_ns, self._due_ns)
        self.frames, self._now_ns = before + first + len(starts), now_ns
        self.packet = None

    @property
    def conversation(self) -> Conversation | None:
        """The TCP connection of the last frame; None when it was over before, or the frame had none."""
        return self._flows.current if isinstance(self.packet, Segment) else None

    @property
    def under_way(self) -> Mapping[int, Conversation]:
        """The conversations under way by their numbers, those that are not TLS among them; to look at only."""
        return self._flows.under_way

    @property
    def unknown_links(self) -> Set[int]:
        """The link types (LINKTYPE_ values) of the frames that nothing was read of."""
        return self._packets.unknown_links

    @property
    def evicted(self) -> int:
        """How many conversations were given up because there were too many."""
        return self._flows.evicted + self._datagrams.evicted

    def expire(self, now_ns: int) -> Sequence[Handshake]:
        """The handshakes that are over at a time: of closed, settled and silent connections."""
        handshakes = [each for over in self._flows.expire(now_ns) for each in self._conclude(over)]
        handshakes += map(self._conclude_exchange, self._datagrams.expire(now_ns))
        self._due_ns = self._datagrams.next_due_ns
        return in_order(handshakes)

    def finish(self) -> Sequence[Handshake]:
        """All that are still under way at the end of the capture."""
        self.finished = True
        handshakes = [each for over in self._flows.finish() for each in self._conclude(over, final=True)]
        handshakes += (self._conclude_exchange(over, final=True) for over in self._datagrams.finish())
        return in_order(handshakes)

    def _mention(self, keys: Iterable[bytes]) -> list[Handshake]:
        """Counts the UDP conversations of tunnels and ICMP errors."""
        if self._share is not None and self._share.number:
            return []
        return [self._conclude_exchange(over) for key in keys for over in self._datagrams.mention(key)]

    def _conclude_exchange(self, exchange: Exchange, *, final: bool = False) -> Handshake:
        return conclude_exchange(exchange, name=self._name, now_ns=self._now_ns, final=final)

    def gather_no_more(self) -> None:
        """Reads connections as they come from here on, also those that wait: secrets may open them."""
        self._flows.gather_no_more()

    def _conclude(self, conversation: Conversation | Gathered, *, final: bool = False) -> Sequence[Handshake]:
        if type(conversation) is Gathered:
            handshake = conclude_sound(conversation, name=self._name)
            if handshake is not None:
                return (handshake,)
            conversation = conversation.conversation(self._limits, self._secrets)
        assert isinstance(conversation, Conversation)
        return conclude(conversation, name=self._name, now_ns=self._now_ns, final=final, plain=self._plain)


def in_order(handshakes: Sequence[Handshake]) -> Sequence[Handshake]:
    """Handshakes that are known at the same time, by their first frames."""
    return sorted(handshakes, key=place) if len(handshakes) > 1 else handshakes


def place(handshake: Handshake) -> tuple[int, str, int]:
    """Where a handshake stands among those that are known at the same time."""
    return handshake.first_frame, handshake.transport, handshake.part


def inspect(
    frames: Iterable[Frame],
    *,
    name: str | None = None,
    limits: Limits | None = None,
    secrets: Secrets | None = None,
    plain: bool = False,
    http: bool = True,
) -> Iterator[Handshake]:
    """The handshakes of a capture, each as soon as it is known.

    *name* is what Handshake.capture says; without it the capture's own.  *http*: the heads of HTTP are read, too, where
    secrets open it.
    """
    label = name if name is not None else str(getattr(frames, "name", ""))
    secrets = Secrets() if secrets is None else secrets
    inspector = Inspector(label, limits=limits, secrets=secrets, plain=plain, http=http, gather=True)
    for handshakes in follow(frames, inspector, secrets):
        yield from handshakes


def follow(frames: Iterable[Frame], inspector: Inspector, secrets: Secrets) -> Iterator[Sequence[Handshake]]:
    """The handshakes that become known together, by one frame or at the end of the capture.

    Secrets that are embedded in the capture are added.  Now and then there are no handshakes, so that the caller can
    see how far the inspector has come.
    """
    embedded: list[bytes] = getattr(frames, "key_logs", [])
    taken = 0
    feed = inspector.feed
    for frame in frames.in_batches() if isinstance(frames, Batched) else frames:
        if len(embedded) > taken:
            inspector.gather_no_more()
            for text in embedded[taken:]:
                secrets.add(text)
            taken = len(embedded)
            secrets.growing = True  # more blocks may follow the records that they open
        if isinstance(frame, Batch):
            before = inspector.frames
            yield from inspector.feed_batch(frame)
            if before ^ inspector.frames > MOMENT:
                yield NOTHING
            continue
        handshakes = feed(frame)
        if handshakes or not frame[0] & MOMENT:  # of few frames; a `yield` of nothing costs 60 ns
            yield handshakes
    if len(embedded) > taken:  # behind the last frame
        inspector.gather_no_more()
    for text in embedded[taken:]:
        secrets.add(text)
    yield inspector.finish()
