"""From segments to conversations: the table of flows, the numbers of the streams, and when each is over."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from tlsinspect.conversation import ACK, SYN, Conversation, Limits
from tlsinspect.net.transport import Segment, reverse
from tlsinspect.tls.keylog import Secrets


class Done:
    """What is remembered of a conversation that is over: enough to pass its late segments by.

    Owned by the table; freed when it is the oldest of too many.
    """

    __slots__ = ("bases",)

    def __init__(self, conversation: Conversation) -> None:
        self.bases = bases_of(conversation)


class Flows:
    """All TCP conversations under way.

    Owns them, and a marker for each that is over, at most Limits.most_flows together.  Conversations are numbered as
    Wireshark numbers tcp.stream: by their first packet; a SYN with another sequence number begins a new one.
    """

    def __init__(self, *, limits: Limits, secrets: Secrets | None = None) -> None:
        self._limits = limits
        self._secrets = secrets
        self._table: dict[bytes, tuple[Conversation | Done, int]] = {}
        self._due: list[tuple[int, int, Conversation]] = []
        self._count = 0
        self.current: Conversation | None = None  # that of the last segment; None when it is over
        self.under_way: dict[int, Conversation] = {}  # by number, the oldest first
        self.evicted = 0  # conversations given up because there were too many
        self.next_due_ns = 1 << 63

    def feed(self, segment: Segment, frame: int, time_ns: int) -> Conversation | None:
        """Takes one segment; returns the conversation that it showed to be over, if any."""
        entry = self._table.get(segment.key)
        over = None
        if entry is not None:
            conversation, index = entry
            if type(conversation) is Done and segment.flags & (SYN | ACK) != SYN:
                # The rest of a bulk transfer: nearly all segments of a large capture end here.
                self.current = None
                return None
            if segment.flags & (SYN | ACK) == SYN and self._begins_anew(conversation, index, segment.seq):
                over = conversation if isinstance(conversation, Conversation) else None
                self._forget(segment.key)
                entry = None
            elif isinstance(conversation, Done):
                self.current = None
                return None
        if entry is None:
            conversation, index = self._open(segment.key, frame, time_ns), 0
        assert isinstance(conversation, Conversation)
        self.current = conversation
        conversation.feed(index, segment, frame, time_ns)
        if conversation.tunnel:
            # Wireshark's SOCKS dissector opens a stream of its own for what passes through the proxy.
            conversation.tunnel = False
            self._count += 1
        if conversation.closed_ns is not None or conversation.completed_ns is not None:
            if conversation.settled(self._limits):
                self._finish(conversation)
                return conversation  # never at once with a conversation that ended before
            due = conversation.done_at(self._limits)
            if due < conversation.scheduled_ns:
                self._schedule(conversation, due)
        return over

    def mention(self, key: bytes, frame: int, time_ns: int) -> None:
        """Counts a stream of which so far only an ICMP error speaks."""
        if key not in self._table:
            self._open(key, frame, time_ns)

    def expire(self, now_ns: int) -> Iterator[Conversation]:
        """The conversations that are over at a time: closed, settled, or silent for too long."""
        while self._due and self._due[0][0] < now_ns:
            due, _, conversation = heapq.heappop(self._due)
            if due != conversation.scheduled_ns:
                continue  # looked at again earlier
            again = conversation.done_at(self._limits)
            if again < now_ns:
                self._finish(conversation)
                yield conversation
            else:
                self._schedule(conversation, again)
        self.next_due_ns = self._due[0][0] if self._due else 1 << 63
        while self._count_excess() > 0:
            yield from self._evict()

    def shift(self, by_ns: int) -> None:
        """Moves the times of all that is under way, after a jump of the capture's clock."""
        for conversation in self.under_way.values():
            conversation.shift(by_ns)
            self._schedule(conversation, conversation.done_at(self._limits))

    def finish(self) -> Iterator[Conversation]:
        """All that are still under way, by their numbers."""
        rest = list(self.under_way.values())
        self._table.clear()
        self._due.clear()
        self.under_way.clear()
        yield from rest

    def _open(self, key: bytes, frame: int, time_ns: int) -> Conversation:
        conversation = Conversation(self._count, key, frame, time_ns, self._limits, self._secrets)
        self._count += 1
        self.under_way[conversation.number] = conversation
        self._table[key] = (conversation, 0)
        self._table[reverse(key)] = (conversation, 1)
        self._schedule(conversation, conversation.done_at(self._limits))
        return conversation

    def _schedule(self, conversation: Conversation, due_ns: int) -> None:
        conversation.scheduled_ns = due_ns
        heapq.heappush(self._due, (due_ns, conversation.number, conversation))
        self.next_due_ns = self._due[0][0]

    def _begins_anew(self, conversation: Conversation | Done, index: int, seq: int) -> bool:
        bases = conversation.bases if isinstance(conversation, Done) else bases_of(conversation)
        return bases[index] is not None and bases[index] != seq

    def _finish(self, conversation: Conversation) -> None:
        done = Done(conversation)
        conversation.scheduled_ns = -1
        del self.under_way[conversation.number]
        for index, key in enumerate((conversation.key, reverse(conversation.key))):
            # The oldest stand first in the table, counted from when they were done.
            self._table.pop(key, None)
            self._table[key] = (done, index)

    def _forget(self, key: bytes) -> None:
        entry = self._table.pop(key)
        self._table.pop(reverse(key), None)
        if isinstance(entry[0], Conversation):
            entry[0].scheduled_ns = -1
            del self.under_way[entry[0].number]

    def _count_excess(self) -> int:
        return len(self._table) // 2 - self._limits.most_flows

    def _evict(self) -> Iterator[Conversation]:
        """Gives up the oldest of too many."""
        key = next(iter(self._table))
        conversation = self._table[key][0]
        self._forget(key)
        if isinstance(conversation, Conversation):
            self.evicted += 1
            yield conversation


def bases_of(conversation: Conversation) -> tuple[int | None, ...]:
    """The sequence number of each direction's SYN."""
    return tuple(direction.base for direction in conversation.directions)
