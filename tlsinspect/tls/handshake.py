"""Handshake messages from the records of one direction.  RFC 8446 section 4."""

from __future__ import annotations

from typing import NamedTuple

HEADER = 4  # octets: type, length
LARGEST = 1 << 18  # octets of one message; the largest certificate chains seen are near 100 KiB

_new = tuple.__new__  # a third of the time of RawMessage(...), which goes through a function written in Python


class RawMessage(NamedTuple):
    """One message, not yet decoded."""

    type: int
    body: bytes  # captured octets
    octets: int  # length as the header says it; larger than len(body) when part is not in the capture
    frames: tuple[int, ...]
    time_ns: int


class MessageReader:
    """Cuts the handshake fragments of one direction into messages.

    Owns the unfinished message, freed when it is whole.
    """

    __slots__ = ("_frames", "_need", "_pending")

    def __init__(self) -> None:
        self._pending = bytearray()
        self._need = 0  # octets that the pending ones have to be before the message is whole
        self._frames: list[int] = []

    @property
    def empty(self) -> bool:
        """Whether no message is under way."""
        return not self._pending

    def feed(self, fragment: bytes, frames: tuple[int, ...], time_ns: int) -> list[RawMessage]:
        """The messages that the fragment completes, in order."""
        data = fragment
        end = len(data)
        if self._pending:
            self._pending += fragment
            self._frames += [frame for frame in frames if frame > self._frames[-1]]
            if len(self._pending) < self._need:
                return []
            data = bytes(self._pending)
            end = len(data)
            frames = tuple(self._frames)
            self._pending = bytearray()
        messages = []
        at = 0
        while at + HEADER <= end:
            size = data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]
            if size > LARGEST:  # no message is so long: this is not the start of one
                messages.append(RawMessage(data[at], data[at + HEADER :], size, frames, time_ns))
                at = end
                break
            start = at + HEADER
            after = start + size
            if after > end:
                break
            messages.append(_new(RawMessage, (data[at], data[start:after], size, frames, time_ns)))
            at = after
        if at < end:
            self._pending = bytearray(data[at:])
            self._need = HEADER + (size if at + HEADER <= end else 0)
            self._frames = list(frames)
        return messages

    def cut(self, time_ns: int) -> list[RawMessage]:
        """The message under way, as far as it was captured: what follows it is lost."""
        if not self._pending:
            return []
        pending, self._pending = bytes(self._pending), bytearray()
        if len(pending) < HEADER:
            return []
        size = int.from_bytes(pending[1:HEADER], "big")
        return [RawMessage(pending[0], pending[HEADER:], size, tuple(self._frames), time_ns)]
