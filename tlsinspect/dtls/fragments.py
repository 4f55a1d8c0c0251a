"""Handshake messages from the fragments that one side sends.  RFC 6347 section 4.2.3."""

from __future__ import annotations

from typing import NamedTuple

from tlsinspect.dtls.record import HANDSHAKE_HEADER
from tlsinspect.net.reassembly import Stream
from tlsinspect.tls import messages
from tlsinspect.tls.handshake import LARGEST, RawMessage

HELLOS = frozenset((messages.CLIENT_HELLO, messages.SERVER_HELLO, messages.HELLO_VERIFY_REQUEST))  # begin a flight
MOST_PENDING = 64  # messages under way or held back; the longest flight has about ten
MOST_OCTETS = 1 << 20  # of all of them together
MOST_MESSAGES = 256  # returned of one side; the rest of a connection that goes on for so long is not looked at


class Fragment(NamedTuple):
    """One fragment of a message."""

    type: int
    length: int  # octets of the whole message
    message_seq: int
    offset: int  # octets
    octets: bytes  # as captured


class Whole(NamedTuple):
    """One message, and whether it came encrypted."""

    raw: RawMessage
    encrypted: bool


class Pending:
    """One message under way.  Owned by the reader, freed when it is whole."""

    __slots__ = ("_frames", "_octets", "_stream", "encrypted", "length", "type")

    def __init__(self, fragment: Fragment, *, encrypted: bool) -> None:
        self.type = fragment.type
        self.length = fragment.length
        self.encrypted = encrypted
        self._stream = Stream(most_octets=LARGEST)
        self._stream.start(0)
        self._octets = bytearray()
        self._frames: set[int] = set()

    def feed(self, fragment: Fragment, frame: int, time_ns: int) -> bool:
        """Takes one fragment; whether the message is whole now."""
        octets = fragment.octets
        for chunk in self._stream.feed(fragment.offset, octets, len(octets), frame, time_ns):
            self._octets += chunk.octets
            self._frames.add(chunk.frame)
        self._frames = self._frames or {frame}
        return len(self._octets) >= self.length

    def message(self, time_ns: int) -> RawMessage:
        """The message, as far as its octets have come without a gap."""
        return RawMessage(
            self.type, bytes(self._octets[: self.length]), self.length, tuple(sorted(self._frames)), time_ns
        )


class FragmentReader:
    """Puts the messages of one side together, and in order; what comes again is passed over.

    Owns the messages under way, and those that wait for one before them; each is freed when it is returned.
    """

    __slots__ = ("_done", "_hello", "_next", "_pending", "_waiting")

    def __init__(self) -> None:
        self._next = 0  # message_seq
        self._done: dict[int, int] = {}  # message_seq -> type of what was returned
        self._hello = b""  # the last ClientHello
        self._pending: dict[int, Pending] = {}
        self._waiting: dict[int, Whole] = {}

    def feed(self, fragment: Fragment, frame: int, time_ns: int, *, encrypted: bool = False) -> list[Whole]:
        """The messages that the fragment completes, in order."""
        seq = fragment.message_seq
        if self._repeated(fragment) or len(self._done) >= MOST_MESSAGES:
            return []
        pending = self._pending.get(seq)
        if pending is None or (pending.type, pending.length) != (fragment.type, fragment.length):
            if len(self._pending) + len(self._waiting) >= MOST_PENDING or self._octets + fragment.length > MOST_OCTETS:
                return []
            pending = self._pending[seq] = Pending(fragment, encrypted=encrypted)
        if not pending.feed(fragment, frame, time_ns):
            return []
        del self._pending[seq]
        whole = Whole(pending.message(time_ns), pending.encrypted)
        if whole.raw.type in HELLOS:
            self._next = seq  # what stood before it is of another flight, or not in the capture
        self._waiting[seq] = whole
        return self._in_order()

    def finish(self, time_ns: int) -> list[Whole]:
        """What waits, and of the messages under way what has come, by message_seq."""
        rest = dict(self._waiting)
        for seq, pending in self._pending.items():
            rest[seq] = Whole(pending.message(time_ns), pending.encrypted)
        self._waiting, self._pending = {}, {}
        return [whole for _, whole in sorted(rest.items())]

    @property
    def _octets(self) -> int:
        """The lengths of the messages that are held, together."""
        waiting = sum(len(whole.raw.body) for whole in self._waiting.values())
        return waiting + sum(pending.length for pending in self._pending.values())

    def _repeated(self, fragment: Fragment) -> bool:
        seq = fragment.message_seq
        if seq in self._waiting:
            return True
        if self._done.get(seq) != fragment.type:
            # Some servers number the ServerHello like the HelloVerifyRequest before it.
            return seq < self._next and fragment.type not in HELLOS
        if fragment.type != messages.CLIENT_HELLO or fragment.offset or len(fragment.octets) < fragment.length:
            return True
        return fragment.octets == self._hello  # another one with the same number has the cookie

    def _in_order(self) -> list[Whole]:
        found = []
        while self._next in self._waiting:
            whole = self._waiting.pop(self._next)
            self._done[self._next] = whole.raw.type
            if whole.raw.type == messages.CLIENT_HELLO:
                self._hello = whole.raw.body
            found.append(whole)
            self._next += 1
        return found


def decode_fragments(octets: bytes) -> tuple[list[Fragment], str]:
    """The fragments in one record, and what is wrong with the octets after them, if anything."""
    fragments: list[Fragment] = []
    at = 0
    while at < len(octets):
        header = octets[at : at + HANDSHAKE_HEADER]
        if len(header) < HANDSHAKE_HEADER:
            return fragments, f"a fragment header needs {HANDSHAKE_HEADER} octets, {len(header)} remain"
        length, offset, size = (int.from_bytes(header[start : start + 3], "big") for start in (1, 6, 9))
        if offset + size > length or length > LARGEST:
            return fragments, f"fragment of {size} octets at {offset} in a message of {length}"
        start = at + HANDSHAKE_HEADER
        seq = int.from_bytes(header[4:6], "big")
        fragments.append(Fragment(header[0], length, seq, offset, octets[start : start + size]))
        at = start + size
    return fragments, ""
