"""The reader of what precedes TLS on one connection."""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Preamble
from tlsinspect.preamble.binary import HEAD_OCTETS, NOT_THIS
from tlsinspect.preamble.dialogues import DIALOGUES, Details, Dialogue
from tlsinspect.preamble.start import looks_like_tls

MOST_OCTETS = 64 * 1024  # of each side, before it is sure that TLS will not begin
MOST_UNIT_OCTETS = 16 * 1024
MOST_STAGES = 8  # tunnels inside tunnels
MOST_FRAMES = 64  # kept of one dialogue; who asks for STARTTLS a thousand times is told by the first
# Octets of both sides that are looked at for a ClientHello when no dialogue is known: other protocols have a
# STARTTLS too.
MOST_UNKNOWN_OCTETS = 2048

_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a]")


class State(enum.Enum):
    """What is known about TLS on the connection."""

    UNDECIDED = "undecided"  # more octets are needed
    TLS = "tls"  # TLS begins; final
    REFUSED = "refused"  # the server said no; more octets may bring another request, or TLS all the same
    NOT = "not"  # neither TLS nor a known dialogue; final


class Verdict(NamedTuple):
    """What the octets so far say."""

    state: State
    preamble: Preamble | None = None  # accepted is None while the answer is due, or was not captured
    client: bytes = b""  # octets already fed that belong to TLS, when the state is TLS
    server: bytes = b""
    time_ns: int = 0  # of the frame that decided


class PreambleReader:
    """Both directions of one connection, until TLS begins or it is sure that it will not.

    It owns the octets of the current stage (a stage ends where a tunnel begins) and the dialogues that are still
    possible; all are freed with the final verdict.
    """

    def __init__(self) -> None:
        self._buffers = {Side.CLIENT: bytearray(), Side.SERVER: bytearray()}
        self._total = {Side.CLIENT: 0, Side.SERVER: 0}
        self._maybe: dict[Side, int | None] = {Side.CLIENT: None, Side.SERVER: None}  # where TLS may begin
        self._candidates: list[_Candidate] = []
        self._is_open = False  # the candidates of the stage are there; nobody needs them where TLS begins at once
        self._before: Details = ()  # what the stages before said
        self._frames: tuple[int, ...] = ()  # of the stages before
        self._stages = 1
        self._verdict = Verdict(State.UNDECIDED)
        self._is_final = False

    def feed(self, side: Side, octets: bytes, frame: int, time_ns: int) -> Verdict:
        """The verdict after the next octets of one side; the sides are fed in the order of the capture."""
        if self._is_final or not octets:
            return self._verdict
        self._total[side] += len(octets)
        verdict = self._read(side, octets, frame)._replace(time_ns=time_ns)
        if verdict.state is not State.TLS and self._is_hopeless():
            self._is_final = True
            verdict = verdict if verdict.state is State.REFUSED else verdict._replace(state=State.NOT)
        if verdict.state is State.TLS or self._is_final:
            self._is_final = True
            self._candidates.clear()
            for buffer in self._buffers.values():
                buffer.clear()
        self._verdict = verdict
        return verdict

    def _read(self, side: Side, octets: bytes, frame: int) -> Verdict:
        buffer = self._buffers[side]
        begin = len(buffer)
        buffer += octets
        at = self._start_of_tls(side, begin)
        if at is not None:
            # The content says more than the dialogue: the answer may be missing in the capture.
            return self._tls(self._preamble(), side, at)
        if not self._is_open:
            self._is_open = True
            self._candidates = [_Candidate(dialogue) for dialogue in DIALOGUES]
        if _BINARY.search(octets):
            self._candidates = [each for each in self._candidates if not each.is_text() or each.requested]
        for candidate in self._candidates:
            answer = candidate.advance(side, buffer, frame)
            if answer is _Answer.ACCEPTED:
                return self._accept(candidate, frame)
            if answer is _Answer.REFUSED:
                return Verdict(State.REFUSED, self._preamble_of(candidate, accepted=False))
        self._candidates = [each for each in self._candidates if not each.dead]
        asked = any(each.requested for each in self._candidates)
        refused = self._verdict.state is State.REFUSED and not asked
        return Verdict(State.REFUSED if refused else State.UNDECIDED, self._preamble())

    def _start_of_tls(self, side: Side, begin: int) -> int | None:
        """Where TLS begins in the buffer: at the first octet of a segment, or nowhere yet."""
        buffer = self._buffers[side]
        maybe = self._maybe[side]
        for at in (begin,) if maybe is None else (maybe, begin):
            answer = looks_like_tls(bytes(buffer[at : at + 16]))
            self._maybe[side] = at if answer is None else None
            if answer:
                return at
            if answer is None:
                return None
        return None

    def _accept(self, candidate: _Candidate, frame: int) -> Verdict:
        preamble = self._preamble_of(candidate, accepted=True)
        rests = {side: bytes(buffer[candidate.at[side] :]) for side, buffer in self._buffers.items()}
        if not candidate.dialogue.tunnel:
            return Verdict(State.TLS, preamble, rests[Side.CLIENT], rests[Side.SERVER])
        self._stages += 1
        self._before = (*self._before, ("via", preamble.protocol), *candidate.details)
        self._frames = preamble.frames
        self._buffers = {Side.CLIENT: bytearray(), Side.SERVER: bytearray()}
        self._maybe = {Side.CLIENT: None, Side.SERVER: None}
        self._candidates = []
        self._is_open = self._stages > MOST_STAGES  # then nothing more is followed
        self._verdict = Verdict(State.UNDECIDED, preamble)
        for side, rest in rests.items():
            if rest and self._verdict.state is State.UNDECIDED:
                self._verdict = self._read(side, rest, frame)
        return self._verdict

    def _tls(self, preamble: Preamble | None, side: Side, at: int) -> Verdict:
        begins = {**self._maybe, side: at}  # the other side may have begun, in octets too few to tell
        client, server = (
            b"" if begins[each] is None else bytes(self._buffers[each][begins[each] :])
            for each in (Side.CLIENT, Side.SERVER)
        )
        return Verdict(State.TLS, preamble, client, server)

    def _preamble(self) -> Preamble | None:
        """The preamble with the request that waits for its answer, else that of the verdict before."""
        for candidate in self._candidates:
            if candidate.requested:
                return self._preamble_of(candidate, accepted=None)
        return self._verdict.preamble

    def _preamble_of(self, candidate: _Candidate, *, accepted: bool | None) -> Preamble:
        frames = tuple(dict.fromkeys((*self._frames, *candidate.frames)))
        return Preamble(candidate.dialogue.name, accepted, (*self._before, *candidate.details), frames)

    def _is_hopeless(self) -> bool:
        if max(self._total.values()) > MOST_OCTETS:
            return True
        if self._candidates or any(at is not None for at in self._maybe.values()):
            return False
        return sum(len(buffer) for buffer in self._buffers.values()) > MOST_UNKNOWN_OCTETS


class _Answer(enum.Enum):
    WAITING = enum.auto()
    ACCEPTED = enum.auto()
    REFUSED = enum.auto()


class _Candidate:
    """A dialogue that the octets of a stage may be.

    It owns its places in the two buffers of the stage and what its patterns found; freed with the stage.
    """

    __slots__ = ("_greeting", "_key", "_scanned", "_seen", "at", "dead", "details", "dialogue", "frames", "requested")

    def __init__(self, dialogue: Dialogue) -> None:
        self.dialogue = dialogue
        self.at = {Side.CLIENT: 0, Side.SERVER: 0}  # the end of the last unit
        self.requested = False  # the client asked, and the answer is due
        self.dead = False
        self.details: Details = ()
        self.frames: tuple[int, ...] = ()
        self._greeting: Details = ()
        self._key: bytes | None = None
        self._seen = {Side.CLIENT: 0, Side.SERVER: 0}
        self._scanned = {Side.CLIENT: 0, Side.SERVER: 0}  # no delimiter before here

    def is_text(self) -> bool:
        return bool(self.dialogue.delimiter)

    def advance(self, side: Side, buffer: bytearray, frame: int) -> _Answer:
        """Reads the complete units of one side; octets behind a request that waits for its answer stay."""
        while not self.dead and len(buffer) > self.at[side] and not (self.requested and side is Side.CLIENT):
            begin, end = self.at[side], self._end_of_unit(side, buffer)
            if end is None:
                break
            self.at[side] = self._scanned[side] = end
            answer = self._take(side, bytes(buffer[begin:end]), frame)
            if answer is not _Answer.WAITING:
                return answer
        return _Answer.WAITING

    def _end_of_unit(self, side: Side, buffer: bytearray) -> int | None:
        begin = self.at[side]
        if self.dialogue.size is not None:
            octets = self.dialogue.size(side, self._seen[side], bytes(buffer[begin : begin + HEAD_OCTETS]))
            if octets == NOT_THIS or octets > MOST_OCTETS:
                self.dead = True
                return None
            return begin + octets if 0 < octets <= len(buffer) - begin else None
        delimiter = self.dialogue.delimiter
        found = buffer.find(delimiter, max(begin, self._scanned[side]))
        if found >= 0:
            return found + len(delimiter)
        self._scanned[side] = max(begin, len(buffer) - len(delimiter) + 1)
        self.dead = len(buffer) - begin > MOST_UNIT_OCTETS
        return None

    def _take(self, side: Side, unit: bytes, frame: int) -> _Answer:
        self._seen[side] += 1
        if self._seen[side] == 1 and side in self.dialogue.first:
            first = self.dialogue.first[side].match(unit)
            self.dead = first is None
            if first is None:
                return _Answer.WAITING
            self._greeting = (*self._greeting, *self._details_of(first))
        return self._take_of_client(unit, frame) if side is Side.CLIENT else self._take_of_server(unit, frame)

    def _take_of_client(self, unit: bytes, frame: int) -> _Answer:
        request = self.dialogue.request.match(unit)
        if request is None:
            return _Answer.WAITING
        self._key = request.groupdict().get("key")
        self.details = self._greeting  # and no longer those of a request that was refused before
        self._note(request, frame)
        if self.dialogue.accepted is None:
            return _Answer.ACCEPTED
        self.requested = True
        return _Answer.WAITING

    def _take_of_server(self, unit: bytes, frame: int) -> _Answer:
        if not self.requested:
            refused = self.dialogue.refused_before and self.dialogue.refused_before.match(unit)
            if not refused:
                return _Answer.WAITING
            self._note(refused, frame)
            return _Answer.REFUSED
        for pattern, answer in (
            (self.dialogue.accepted, _Answer.ACCEPTED),
            (self.dialogue.refused, _Answer.REFUSED),
        ):
            reply = pattern.match(unit) if pattern is not None else None
            if reply is not None and reply.groupdict().get("key") == self._key:
                self.requested = False
                self._note(reply, frame)
                return answer
        return _Answer.WAITING

    def _note(self, match: re.Match[bytes], frame: int) -> None:
        self.details = (*self.details, *self._details_of(match))
        if len(self.frames) < MOST_FRAMES:
            self.frames = (*self.frames, frame)

    def _details_of(self, match: re.Match[bytes]) -> Details:
        groups = {name: value for name, value in match.groupdict().items() if value is not None and name != "key"}
        return self.dialogue.describe(groups) if groups else ()
