"""One direction of a TCP stream: segments in any order -> octets in order, and the gaps between them."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

SEQUENCE_NUMBERS = 1 << 32
SENSIBLE_DISTANCE = 1 << 30  # the largest window there is (RFC 7323 section 2.3)
MOST_HOLES = 4096  # keeps the list of runs short; a receiver reports three or four of them (RFC 2018 section 3)


class Chunk(NamedTuple):
    """The next octets of a stream, or how many of them are not in the capture."""

    octets: bytes  # b"" when this is a gap
    gap: int  # octets of the stream that are not in the capture, 0 when octets are there
    frame: int  # that carried the octets, or after which the gap was taken for one
    time_ns: int


class Piece(NamedTuple):
    """Part of a segment held until what precedes it has come."""

    start: int  # octets from the first one of the stream
    end: int  # start plus the octets on the wire
    octets: bytes  # captured octets; fewer than end - start when the snap length cut the segment
    frame: int
    time_ns: int


Run = deque[Piece]  # pieces without a hole between them

_new = tuple.__new__


class Stream:
    """One direction of a TCP stream (RFC 9293 section 3.4).

    What came first wins: octets that come again are dropped, whatever they are. A hole becomes a gap when more than
    *most_octets* are held behind it, when there are more than MOST_HOLES of them, and at the end; never because of an
    acknowledgement, as captures show those before the data that they acknowledge.

    Owns the segments held out of order; each is freed when the octets before it have come or are given up.
    """

    __slots__ = ("_most_octets", "_runs", "_starts", "held_octets", "next_seq", "octets", "retransmissions")

    def __init__(self, *, most_octets: int = 1 << 20) -> None:
        self.octets = 0  # in-order payload octets delivered or marked as a gap so far
        self.retransmissions = 0  # segments all or part of whose octets had passed or been held before
        self.next_seq: int | None = None  # sequence number of the next octet in order, None before the first
        self.held_octets = 0  # out of order, counted on the wire; 0 when nothing is held
        self._most_octets = most_octets
        self._starts: list[int] = []  # of the runs, ascending; positions, which do not wrap
        self._runs: list[Run] = []  # beside _starts

    def start(self, seq: int) -> None:
        """Makes *seq* the sequence number of the first payload octet, unless octets were fed before."""
        if self.next_seq is None:
            self.next_seq = seq % SEQUENCE_NUMBERS

    def feed(self, seq: int, payload: bytes, payload_octets: int, frame: int, time_ns: int) -> Sequence[Chunk]:
        """What can be delivered now that this segment is there.  Without start(), the first segment starts the stream.

        *payload_octets* counts the octets on the wire, *payload* holds those that were captured. A segment 2**30
        octets or more from the next one in order is ignored: no window reaches there.
        """
        if seq == self.next_seq and not self._runs and payload_octets == len(payload):
            if not payload_octets:
                return ()
            self.octets += payload_octets
            self.next_seq = (seq + payload_octets) & 0xFFFFFFFF
            return (_new(Chunk, (payload, 0, frame, time_ns)),)
        if payload_octets <= 0:
            return ()
        if self.next_seq is None:
            self.next_seq = seq % SEQUENCE_NUMBERS
        ahead = (seq - self.next_seq) % SEQUENCE_NUMBERS
        if ahead >= SEQUENCE_NUMBERS // 2:
            ahead -= SEQUENCE_NUMBERS
        if abs(ahead) >= SENSIBLE_DISTANCE or (ahead == -1 and payload_octets == 1):  # the latter keeps alive
            return ()
        start = self.octets + ahead
        self._hold(Piece(start, start + payload_octets, payload[:payload_octets], frame, time_ns))
        return self._deliver(frame, time_ns)

    def finish(self) -> Sequence[Chunk]:
        """All that is still held, with a gap before each piece."""
        chunks: list[Chunk] = []
        while self._runs:
            self._pass_first_run(chunks, self._runs[0][0].frame, self._runs[0][0].time_ns)
        return chunks

    def _hold(self, piece: Piece) -> None:
        """Adds what is new of *piece*: what neither has passed nor is held already."""
        starts, runs = self._starts, self._runs
        at = max(piece.start, self.octets)
        index = bisect_right(starts, at) - 1  # of the run that begins at or before it
        repeated = at > piece.start
        while at < piece.end:
            if index >= 0 and runs[index][-1].end > at:
                at = runs[index][-1].end
                repeated = True
                continue
            following = starts[index + 1] if index + 1 < len(starts) else piece.end
            end = min(piece.end, following)
            if end > at:
                index = self._insert(_part(piece, at, end), index)
            else:
                index += 1
            at = max(at, end)
        self.retransmissions += repeated

    def _insert(self, piece: Piece, index: int) -> int:
        """Adds a piece that overlaps nothing, after the run *index*; the index of the run that it is in then."""
        starts, runs = self._starts, self._runs
        self.held_octets += piece.end - piece.start
        if index >= 0 and runs[index][-1].end == piece.start:
            runs[index].append(piece)
        else:
            index += 1
            if index < len(starts) and starts[index] == piece.end:
                runs[index].appendleft(piece)
                starts[index] = piece.start
                return index
            starts.insert(index, piece.start)
            runs.insert(index, deque((piece,)))
        if index + 1 < len(starts) and starts[index + 1] == piece.end:
            # The shorter run is moved, so that no order of arrival moves a piece more than a few times.
            left, right = runs[index], runs[index + 1]
            if len(left) >= len(right):
                left.extend(right)
            else:
                right.extendleft(reversed(left))
                runs[index] = right
            del starts[index + 1], runs[index + 1]
        return index

    def _deliver(self, frame: int, time_ns: int) -> Sequence[Chunk]:
        chunks: list[Chunk] = []
        while self._runs and (
            self._starts[0] == self.octets or self.held_octets > self._most_octets or len(self._runs) > MOST_HOLES
        ):
            self._pass_first_run(chunks, frame, time_ns)
        return chunks

    def _pass_first_run(self, chunks: list[Chunk], frame: int, time_ns: int) -> None:
        """Moves the first run to *chunks*, after a gap when a hole precedes it."""
        start, run = self._starts.pop(0), self._runs.pop(0)
        if start > self.octets:
            chunks.append(Chunk(b"", start - self.octets, frame, time_ns))
        for piece in run:
            octets = piece.octets
            if octets:
                chunks.append(Chunk(octets, 0, piece.frame, piece.time_ns))
            if missing := piece.end - piece.start - len(octets):
                chunks.append(Chunk(b"", missing, piece.frame, piece.time_ns))
        end = run[-1].end
        self.held_octets -= end - start
        self.next_seq = ((self.next_seq or 0) + end - self.octets) % SEQUENCE_NUMBERS
        self.octets = end


def _part(piece: Piece, start: int, end: int) -> Piece:
    """The octets of *piece* from *start* to *end*."""
    if start == piece.start and end == piece.end:
        return piece
    return piece._replace(start=start, end=end, octets=piece.octets[start - piece.start : end - piece.start])
