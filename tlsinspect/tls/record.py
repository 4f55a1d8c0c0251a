"""Records from the octets of one direction.  RFC 8446 section 5.1."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

from tlsinspect.net.reassembly import Chunk

HEADER = 5  # octets: type, legacy_record_version, length
LARGEST = 2**14 + 2048  # RFC 5246 section 6.2.3, the loosest limit of any version
# ContentType
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT = 20, 21, 22, 23, 24
CONTENT_TYPES = frozenset((CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT))
SSLV2_HELLO = -1  # stands for the type of a ClientHello in an SSL 2.0 record
MOST_PLAIN = 256  # octets kept of what is no TLS

_header = Struct(">BBBH").unpack_from
_new = tuple.__new__  # a third of the time of Record(...), which goes through a function written in Python


class Record(NamedTuple):
    """One record, whole or as far as it was captured."""

    type: int
    version: int
    fragment: bytes  # captured octets of the fragment
    octets: int  # length as the header says it; larger than len(fragment) when part is not in the capture
    frames: tuple[int, ...]
    time_ns: int


class Lost(NamedTuple):
    """Octets that are not in the capture, and that are not the rest of a known record."""

    octets: int
    frame: int
    time_ns: int


class Plain(NamedTuple):
    """The first octets of something that is no TLS record.  Nothing of this direction is read after it."""

    octets: bytes
    frame: int
    time_ns: int


class RecordReader:
    """Cuts one direction into records.

    Owns the unfinished record (at most one, LARGEST octets), freed when it is whole.  After lost octets it finds its
    place again where the length of the record that they belong to says so, else at the next segment that begins with
    a record header.
    """

    __slots__ = ("_frames", "_lost", "_missing", "_need", "_pending", "_started", "ended")

    def __init__(self) -> None:
        self._pending = bytearray()
        self._need = 0  # octets that the pending ones have to be before anything can be said
        self._missing = 0  # octets at the end of the pending record that are not in the capture
        self._frames: list[int] = []  # of the pending octets
        self._lost = False  # the next octets may be anywhere in a record
        self._started = False
        self.ended = False  # what came is no TLS

    def feed(self, chunk: Chunk) -> Sequence[Record | Lost | Plain]:
        """What the chunk completes, in order."""
        if not chunk.gap:
            return self.read(chunk.octets, chunk.frame, chunk.time_ns)
        return () if self.ended else self._skip(chunk)

    def read(self, octets: bytes, frame: int, time_ns: int) -> Sequence[Record | Lost | Plain]:
        """The same for the next octets, without a chunk around them."""
        if self.ended:
            return ()
        frames: tuple[int, ...] = (frame,)
        if self._pending:
            if self._missing:  # captured octets follow a gap inside the record
                return self._behind_gap(octets, frame, time_ns)
            if self._frames[-1] != frame:
                self._frames.append(frame)
            self._pending += octets
            if len(self._pending) < self._need:
                return ()
            octets = bytes(self._pending)
            frames = tuple(self._frames)
            self._pending = bytearray()
        elif self._lost:
            if not is_header(octets):
                return ()
            self._lost = False
        return self._cut(octets, frames, frame, time_ns)

    def finish(self) -> Sequence[Record | Lost | Plain]:
        """The record that never became whole, as far as it was captured."""
        if len(self._pending) < HEADER or self.ended:
            return ()
        pending, self._pending = bytes(self._pending), bytearray()
        frames = tuple(self._frames)
        if pending[0] & 0x80:
            octets = (pending[0] & 0x7F) << 8 | pending[1]
            return [Record(SSLV2_HELLO, SSLV2_HELLO, pending[2:], octets, frames, 0)]
        octets = int.from_bytes(pending[3:HEADER], "big")
        version = int.from_bytes(pending[1:3], "big")
        return [Record(pending[0], version, pending[HEADER:], octets, frames, 0)]

    def _cut(self, data: bytes, frames: tuple[int, ...], frame: int, time_ns: int) -> list[Record | Lost | Plain]:
        """The records that are whole; what remains is pending.  *frames* carried the first of them, *frame* the rest.

        One function: this loop runs for every record.
        """
        records: list[Record | Lost | Plain] = []
        at, end = 0, len(data)
        if not self._started and end >= HEADER:
            self._started = True
            if is_sslv2_hello(data):
                size = (data[0] & 0x7F) << 8 | data[1]
                if end < 2 + size:
                    self._started = False
                    self._keep(data, frames, 2 + size)
                    return records
                records.append(Record(SSLV2_HELLO, SSLV2_HELLO, data[2 : 2 + size], size, frames, time_ns))
                at, frames = 2 + size, (frame,)
        while at + HEADER <= end:
            content_type, major, minor, size = _header(data, at)
            if content_type not in CONTENT_TYPES or major != 3 or size > LARGEST:
                self.ended = True
                records.append(Plain(data[at : at + MOST_PLAIN], frame, time_ns))
                return records
            start = at + HEADER
            after = start + size
            if after > end:
                self._keep(data[at:] if at else data, frames, HEADER + size)
                return records
            records.append(_new(Record, (content_type, 0x300 | minor, data[start:after], size, frames, time_ns)))
            at = after
            if frames[-1] != frame or len(frames) > 1:
                frames = (frame,)
        if at < end:
            rest = data[at:]
            self._keep(rest, frames, HEADER)
            if not may_begin_record(rest):
                self.ended = True
                records.append(Plain(rest, frame, time_ns))
        return records

    def _keep(self, octets: bytes, frames: tuple[int, ...], need: int) -> None:
        """Holds an unfinished record until *need* octets of it are there."""
        self._pending = bytearray(octets)
        self._frames = list(frames)
        self._need = need

    def _skip(self, chunk: Chunk) -> list[Record | Lost | Plain]:
        """Goes on over octets that are not in the capture."""
        pending = self._pending
        if len(pending) < HEADER or self._missing or pending[0] & 0x80:
            if self._missing and len(pending) >= HEADER:
                return self._fill(chunk)
            self._pending = bytearray()
            self._lost = True
            return [Lost(chunk.gap, chunk.frame, chunk.time_ns)]
        return self._fill(chunk)

    def _fill(self, chunk: Chunk) -> list[Record | Lost | Plain]:
        """Counts lost octets towards the pending record."""
        pending = self._pending
        octets = int.from_bytes(pending[3:HEADER], "big")
        room = octets - (len(pending) - HEADER) - self._missing
        if chunk.gap < room:
            self._missing += chunk.gap
            return []
        return self._emit_cut(chunk.frame, chunk.time_ns, chunk.gap - room)

    def _behind_gap(self, octets: bytes, frame: int, time_ns: int) -> list[Record | Lost | Plain]:
        """Octets of a record whose middle is missing cannot be used, but for finding the record's end."""
        size = int.from_bytes(self._pending[3:HEADER], "big")
        room = size - (len(self._pending) - HEADER) - self._missing
        if len(octets) < room:
            self._missing += len(octets)
            return []
        rest = octets[room:]
        records = self._emit_cut(frame, time_ns, 0)
        if rest:
            records += self._cut(rest, (frame,), frame, time_ns)
        return records

    def _emit_cut(self, frame: int, time_ns: int, beyond: int) -> list[Record | Lost | Plain]:
        """The pending record as far as it was captured, and what is lost beyond its end."""
        pending, frames = bytes(self._pending), tuple(self._frames)
        self._pending, self._missing = bytearray(), 0
        octets = int.from_bytes(pending[3:HEADER], "big")
        version = int.from_bytes(pending[1:3], "big")
        records: list[Record | Lost | Plain] = [Record(pending[0], version, pending[HEADER:], octets, frames, time_ns)]
        if beyond:
            self._lost = True
            records.append(Lost(beyond, frame, time_ns))
        return records


def is_header(octets: bytes) -> bool:
    """Whether octets begin with a record header that makes sense."""
    return (
        len(octets) >= HEADER
        and octets[0] in CONTENT_TYPES
        and octets[1] == 3
        and octets[2] <= 4
        and octets[3] << 8 | octets[4] <= LARGEST
    )


def may_begin_record(octets: bytes) -> bool:
    """Whether fewer octets than a header may begin one."""
    return bool(octets[0] in CONTENT_TYPES and octets[1:2] in (b"", b"\x03")) or bool(octets[0] & 0x80)


def is_sslv2_hello(octets: bytes) -> bool:
    """Whether octets begin with a ClientHello in an SSL 2.0 record.  RFC 5246 appendix E.2."""
    return len(octets) >= HEADER and octets[0] & 0x80 != 0 and octets[2] == 1 and octets[3] in (0, 2, 3)
