"""Handshake messages from the CRYPTO frames of one side and one level of encryption.  RFC 9000 section 19.6."""

from __future__ import annotations

from tlsinspect.net.reassembly import Stream
from tlsinspect.tls.handshake import HEADER, LARGEST, RawMessage

MOST_PIECES = 512  # kept of a message that is not whole


class CryptoStream:
    """Puts CRYPTO frames in order, and cuts them into messages.

    Owns the frames held out of order and the message under way; each is freed when it is whole.
    """

    __slots__ = ("_octets", "_pieces", "_stream", "_taken")

    def __init__(self) -> None:
        self._stream = Stream(most_octets=LARGEST)
        self._stream.start(0)
        self._octets = bytearray()  # in order, from _taken on
        self._taken = 0  # octets of the stream that were cut into messages
        self._pieces: list[tuple[int, int]] = []  # where in the stream the octets of a frame end, and the frame

    def feed(self, offset: int, octets: bytes, frame: int, time_ns: int) -> list[RawMessage]:
        """The messages that these octets complete."""
        if offset > self._taken + LARGEST:
            return []
        end = self._taken + len(self._octets)
        for chunk in self._stream.feed(offset, octets, len(octets), frame, time_ns):
            if chunk.gap:
                return []
            self._octets += chunk.octets
            end += len(chunk.octets)
            if len(self._pieces) < MOST_PIECES:
                self._pieces.append((end, chunk.frame))
        messages = []
        while len(self._octets) >= HEADER:
            size = HEADER + int.from_bytes(self._octets[1:HEADER], "big")
            if len(self._octets) < size:
                break
            messages.append(self._take(size, size - HEADER, time_ns))
        return messages

    def finish(self, time_ns: int) -> list[RawMessage]:
        """The message under way, as far as its octets have come without a gap."""
        if len(self._octets) < HEADER:
            return []
        size = int.from_bytes(self._octets[1:HEADER], "big")
        return [self._take(len(self._octets), size, time_ns)]

    def _take(self, count: int, size: int, time_ns: int) -> RawMessage:
        message_type, body = self._octets[0], bytes(self._octets[HEADER:count])
        end = self._taken + count
        frames, starts = set(), self._taken
        for piece_end, frame in self._pieces:
            if starts < end:
                frames.add(frame)
            starts = piece_end
        self._pieces = [piece for piece in self._pieces if piece[0] > end]
        del self._octets[:count]
        self._taken = end
        return RawMessage(message_type, body, size, tuple(sorted(frames)), time_ns)
