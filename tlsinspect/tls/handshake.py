"""Handshake messages from the records of one direction.  RFC 8446 section 4."""

from __future__ import annotations

from typing import NamedTuple

HEADER = 4  # octets: type, length
LARGEST = 1 << 18  # octets of one message; the largest certificate chains seen are near 100 KiB


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
        if self._pending:
            self._pending += fragment
            self._frames += [frame for frame in frames if frame > self._frames[-1]]
            if len(self._pending) < self._need:
                return []
            data = bytes(self._pending)
            frames = tuple(self._frames)
        messages = []
        at, end = 0, len(data)
        while end - at >= HEADER:
            size = int.from_bytes(data[at + 1 : at + HEADER], "big")
            if size > LARGEST:  # no message is so long: this is not the start of one
                messages.append(RawMessage(data[at], data[at + HEADER :], size, frames, time_ns))
                at = end
                break
            if end - at < HEADER + size:
                break
            start = at + HEADER
            at = start + size
            messages.append(RawMessage(data[start - HEADER], data[start:at], size, frames, time_ns))
        rest = data[at:] if at else data
        self._pending = bytearray(rest)
        self._need = HEADER + (int.from_bytes(rest[1:HEADER], "big") if len(rest) >= HEADER else 0)
        self._frames = list(frames)
        return messages

    def cut(self, time_ns: int) -> list[RawMessage]:
        """The message under way, as far as it was captured: what follows it is lost."""
        pending, self._pending = bytes(self._pending), bytearray()
        if len(pending) < HEADER:
            return []
        size = int.from_bytes(pending[1:HEADER], "big")
        return [RawMessage(pending[0], pending[HEADER:], size, tuple(self._frames), time_ns)]
