"""From segments to conversations: the table of flows, the numbers of the streams, and when each is over."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator

from tlsinspect.conversation import ACK, FIN, RST, SYN, Conversation, Direction, Limits
from tlsinspect.gathering import MOST_OCTETS, PACKET_OCTETS, Gathered
from tlsinspect.net.transport import Segment, reverse
from tlsinspect.preamble.start import looks_like_tls
from tlsinspect.tls.keylog import Secrets

NEVER = 1 << 63
CONTROL = FIN | SYN | RST | ACK
LARGEST_SEGMENT = 1 << 16  # octets of payload; with segmentation offload captures have such
MOST_GATHERED = 1 << 25  # octets of all connections that wait together


class Done:
    """What is remembered of a conversation that is over: enough to pass its late segments by.

    Owned by the table; freed when it is the oldest of too many.
    """

    __slots__ = ("base", "base_of_reverse", "key")

    def __init__(self, key: bytes, base: int | None, base_of_reverse: int | None) -> None:
        self.key = key
        self.base = base
        self.base_of_reverse = base_of_reverse


class Flows:
    """All TCP conversations under way.

    Owns them, and a marker for each that is over, at most Limits.most_flows together.  Conversations are numbered as
    Wireshark numbers tcp.stream: by their first packet; a SYN with another sequence number begins a new one.  With
    *gather* those that begin with a SYN and with TLS wait until they are over, to be read at once.
    """

    def __init__(
        self, *, limits: Limits, secrets: Secrets | None = None, opened: list[int] | None = None, gather: bool = False
    ) -> None:
        self._limits = limits
        self._secrets = secrets
        self._table: dict[bytes, Direction | Done | Gathered] = {}
        self.state = self._table.get  # what there is for a key; kept here, as every segment asks for it
        self._gather = gather and can_gather(limits) and not (secrets or (secrets is not None and secrets.growing))
        self._gathered: dict[int, Gathered] = {}  # by number
        self.room = MOST_GATHERED  # octets of theirs that may come yet
        # The oldest first, counted from when they were opened or done; with some that are no longer in the table, as
        # to take one out of the middle, or to find the first of a dictionary after deletions, takes long.
        self._order: deque[tuple[bytes, int] | Done] = deque()  # conversations under way by their keys and numbers
        self._due: list[tuple[int, int]] = []  # when to look at which; what is over by then is freed before
        self._count = 0
        self._opened = opened  # takes the first frame of each conversation
        self.current: Conversation | None = None  # that of the last segment; None when it is over
        self.under_way: dict[int, Conversation] = {}  # by number, the oldest first
        self.evicted = 0  # conversations given up because there were too many
        self.next_due_ns = NEVER

    def feed(self, segment: Segment, frame: int, time_ns: int) -> Conversation | None:
        """Takes one segment; returns the conversation that it showed to be over, if any."""
        key, seq, ack, flags, ttl, payload, payload_octets = segment
        direction = self._table.get(key)
        if type(direction) is Gathered:
            if time_ns < direction.last_ns or flags & (SYN | ACK) == SYN or direction.room < 0 or self.room < 0:
                self._read(direction)
                return self._feed(segment, frame, time_ns)
            direction.keep((key, seq, ack, flags, ttl, payload, payload_octets, frame, time_ns))
            direction.last_ns = time_ns
            direction.room -= payload_octets + PACKET_OCTETS
            self.room -= payload_octets + PACKET_OCTETS
            if payload_octets and not direction.spoken:
                if not looks_like_tls(payload):
                    self._read(direction)
                    return None
                direction.spoken = True
            if flags & (FIN | RST):
                direction.add_end(segment, time_ns)
                due = direction.due_at(self._limits)
                if due < direction.scheduled_ns:
                    self._schedule(direction, due)
            return None
        if type(direction) is Direction:
            # A segment that comes next in its direction: nearly every one of a conversation under way, so without a
            # call for what it does not change.  Whatever does not fit goes the general way, with the same result.
            conversation = direction.conversation
            stream = direction.stream
            if flags & CONTROL == ACK and seq == stream.next_seq and time_ns >= conversation.last_ns:
                to = direction.tls
                if not payload_octets:
                    conversation.last_ns = time_ns
                    conversation.last_frame = frame
                elif to is not None and not stream.held_octets and payload_octets == len(payload):
                    conversation.feed_in_order(direction, to, seq, payload, frame, time_ns)
                else:
                    return self._feed(segment, frame, time_ns)
                self.current = conversation
                acknowledged = direction.acknowledged
                if ack != acknowledged and (acknowledged is None or 0 < (ack - acknowledged) & 0xFFFFFFFF < 1 << 31):
                    direction.acknowledged = ack
                if payload_octets and conversation.completed_ns is not None:
                    return self._look_at(conversation)
                return None
        elif direction is not None and flags & (SYN | ACK) != SYN:
            # The rest of a bulk transfer.
            self.current = None
            return None
        return self._feed(segment, frame, time_ns)

    def _feed(self, segment: Segment, frame: int, time_ns: int) -> Conversation | None:
        """The same for a segment of any kind."""
        key = segment.key
        found = self._table.get(key)
        over = None
        assert not isinstance(found, Gathered)  # it was read before this is called
        if found is not None and segment.flags & (SYN | ACK) == SYN and begins_anew(found, segment):
            over = found.conversation if isinstance(found, Direction) else None
            self._forget(found)
            found = None
        if isinstance(found, Done):
            self.current = None
            return None
        if found is None and self._gather and can_begin(segment):
            self._open_gathered(segment, frame, time_ns)
            return over
        direction = self._open(key, frame, time_ns) if found is None else found
        self.current = conversation = direction.conversation
        conversation.feed(direction, segment, frame, time_ns)
        if conversation.tunnel:
            # Wireshark's SOCKS dissector opens a stream of its own for what passes through the proxy.
            conversation.tunnel = False
            self._number_next(frame)
        if conversation.closed_ns is not None or conversation.completed_ns is not None:
            return self._look_at(conversation) or over  # a conversation is never over at once with the one before
        return over

    def _look_at(self, conversation: Conversation) -> Conversation | None:
        """The conversation when it is over by now; else it is looked at when it may be."""
        if conversation.settled(self._limits):
            self._finish(conversation)
            return conversation
        due = conversation.done_at(self._limits)
        if due < conversation.scheduled_ns:
            self._schedule(conversation, due)
        return None

    def mention(self, key: bytes, frame: int, time_ns: int) -> None:
        """Counts a stream of which so far only an ICMP error speaks."""
        if key not in self._table:
            self._open(key, frame, time_ns)

    def expire(self, now_ns: int) -> Iterator[Conversation | Gathered]:
        """The conversations that are over at a time: closed, settled, or silent for too long."""
        while self._due and self._due[0][0] < now_ns:
            due, number = heapq.heappop(self._due)
            gathered = self._gathered.get(number)
            if gathered is not None:
                if due != gathered.scheduled_ns:
                    continue
                if gathered.spoken and due == gathered.closed_ns + self._limits.linger_ns:
                    self._finish_gathered(gathered)
                    yield gathered
                else:
                    self._read(gathered)  # what it comes to tells when it is over
                continue
            conversation = self.under_way.get(number)
            if conversation is None or due != conversation.scheduled_ns:
                continue  # over, or looked at again earlier
            again = conversation.done_at(self._limits)
            if again < now_ns:
                self._finish(conversation)
                yield conversation
            else:
                self._schedule(conversation, again)
        self.next_due_ns = self._due[0][0] if self._due else NEVER
        while len(self._table) // 2 > self._limits.most_flows:
            yield from self._evict()

    def shift(self, by_ns: int) -> None:
        """Moves the times of all that is under way, after a jump of the capture's clock."""
        self._read_gathered()
        for conversation in self.under_way.values():
            conversation.shift(by_ns)
            self._schedule(conversation, conversation.done_at(self._limits))

    def finish(self) -> Iterator[Conversation | Gathered]:
        """All that are still under way or wait, by their numbers."""
        under_way: dict[int, Conversation | Gathered] = {**self.under_way, **self._gathered}
        for gathered in list(self._gathered.values()):
            self._release(gathered)
        rest = [under_way[number] for number in sorted(under_way)]
        self._table.clear()
        self._order.clear()
        self._due.clear()
        self.under_way.clear()
        yield from rest

    def _open(self, key: bytes, frame: int, time_ns: int) -> Direction:
        """Opens a conversation; its direction 0, whose key is given."""
        conversation = Conversation(self._count, key, frame, time_ns, self._limits, self._secrets)
        self._number_next(frame)
        self.under_way[conversation.number] = conversation
        self._table[key], self._table[reverse(key)] = conversation.directions
        self._line_up((key, conversation.number))
        self._schedule(conversation, conversation.done_at(self._limits))
        return conversation.directions[0]

    def gather_no_more(self) -> None:
        """Reads connections segment by segment from here on, also those that wait."""
        self._gather = False
        self._read_gathered()

    def _read_gathered(self) -> None:
        for gathered in list(self._gathered.values()):
            self._read(gathered)

    def _open_gathered(self, segment: Segment, frame: int, time_ns: int) -> None:
        """Opens a conversation with a SYN; what follows waits."""
        key = segment.key
        gathered = Gathered(self._count, segment, frame, time_ns)
        self.room -= MOST_OCTETS - gathered.room
        self._number_next(frame)
        self._gathered[gathered.number] = self._table[key] = self._table[reverse(key)] = gathered
        self._line_up((key, gathered.number))
        self._schedule(gathered, gathered.due_at(self._limits))
        self.current = None

    def _read(self, gathered: Gathered) -> None:
        """Reads what has waited, segment by segment; from here on it is a conversation like others."""
        self._release(gathered)
        conversation = gathered.conversation(self._limits, self._secrets)
        self.under_way[gathered.number] = conversation
        self._table[gathered.key], self._table[reverse(gathered.key)] = conversation.directions
        self._schedule(conversation, conversation.done_at(self._limits))

    def _release(self, gathered: Gathered) -> None:
        """It waits no more."""
        del self._gathered[gathered.number]
        self.room += MOST_OCTETS - gathered.room

    def _finish_gathered(self, gathered: Gathered) -> None:
        """It is over, and still not read."""
        self._release(gathered)
        key = gathered.key
        base = None
        for source, seq, _, flags, *_ in gathered.packets:
            if source != key:
                base = seq if flags & SYN else (seq - 1) & 0xFFFFFFFF
                break
        self._be_done(Done(key, gathered.packets[0][1], base))

    def _be_done(self, done: Done) -> None:
        self._table[done.key] = self._table[reverse(done.key)] = done
        self._line_up(done)

    def _number_next(self, frame: int) -> None:
        """Counts a conversation that begins with a frame."""
        self._count += 1
        if self._opened is not None:
            self._opened.append(frame)

    def _line_up(self, newest: tuple[bytes, int] | Done) -> None:
        """Puts what is new in the table, or done since, behind all others."""
        order = self._order
        order.append(newest)
        if len(order) > 2 * self._limits.most_flows + 64:  # half are in the table no more
            self._order = deque(filter(self._is_known, order))

    def _is_known(self, one: tuple[bytes, int] | Done) -> bool:
        """Whether the table still has it, as it was when it was lined up."""
        if isinstance(one, Done):
            return self._table.get(one.key) is one
        found = self._table.get(one[0])
        if isinstance(found, Gathered):
            return found.number == one[1]
        return isinstance(found, Direction) and found.conversation.number == one[1]

    def _schedule(self, conversation: Conversation | Gathered, due_ns: int) -> None:
        conversation.scheduled_ns = due_ns
        heapq.heappush(self._due, (due_ns, conversation.number))
        crowded = len(self._table) // 2 > self._limits.most_flows
        self.next_due_ns = -NEVER if crowded else self._due[0][0]

    def _finish(self, conversation: Conversation) -> None:
        one, other = conversation.directions
        self._close(conversation)
        self._be_done(Done(conversation.key, one.base, other.base))

    def _close(self, conversation: Conversation) -> None:
        """It is under way no more.  Without the way back from its directions it is freed as soon as nobody needs it."""
        del self.under_way[conversation.number]
        for direction in conversation.directions:
            del direction.conversation

    def _forget(self, found: Direction | Done) -> None:
        """Takes a conversation out of the table."""
        key = found.key if isinstance(found, Done) else found.conversation.key
        if isinstance(found, Direction):
            self._close(found.conversation)
        del self._table[key]
        self._table.pop(reverse(key), None)  # a connection of a port with itself has one key for both directions

    def _evict(self) -> Iterator[Conversation]:
        """Gives up the oldest of too many."""
        oldest = self._order.popleft()
        if not self._is_known(oldest):
            return
        if isinstance(oldest, Done):
            self._forget(oldest)
        else:
            if oldest[1] in self._gathered:
                self._read(self._gathered[oldest[1]])
            conversation = self.under_way[oldest[1]]
            self._forget(conversation.directions[0])
            self.evicted += 1
            yield conversation


def can_gather(limits: Limits) -> bool:
    """Whether no connection that waits could be over sooner, had it been read segment by segment."""
    in_turn = limits.linger_ns <= limits.settle_ns <= limits.idle_ns
    return in_turn and min(limits.settle_octets, limits.follow_octets) >= MOST_OCTETS + LARGEST_SEGMENT


def can_begin(segment: Segment) -> bool:
    """Whether a conversation that begins with this segment can wait."""
    return segment.flags == SYN and not segment.payload_octets and segment.key != reverse(segment.key)


def begins_anew(found: Direction | Done, segment: Segment) -> bool:
    """Whether a SYN has another sequence number than that of the conversation in its direction."""
    base = found.base_of_reverse if isinstance(found, Done) and segment.key != found.key else found.base
    return base is not None and base != segment.seq
