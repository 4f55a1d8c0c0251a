"""Which of our values agree with those of another program, which differ, and which cannot be compared."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tlsinspect.crosscheck.reads import READS, Undisclosed
from tlsinspect.crosscheck.shown import ALERT, HTTP, Shown, View
from tlsinspect.fields import FIELDS, Field, Value
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake


class Verdict(enum.Enum):
    """What the comparison of one field of one handshake came to."""

    DIFFERS = "differs"
    NOT_COMPARED = "not compared"
    AGREES = "agrees"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One field of one handshake, both values."""

    handshake: Handshake
    field: Field
    name: str  # the display filter name that was asked for
    ours: Value
    theirs: Value
    verdict: Verdict
    reason: str = ""  # why it could not be compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """A conversation in which only the other program shows handshake messages."""

    capture: str
    transport: str
    stream: int
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crosscheck:
    """Everything that was compared."""

    program: str  # such as "tshark 4.0.17"
    handshakes: tuple[Handshake, ...]
    compared: tuple[Compared, ...]
    unmatched: tuple[Unmatched, ...] = ()
    notes: tuple[str, ...] = ()  # sentences about what the other program was given

    @property
    def differs(self) -> bool:
        """Whether there is a difference."""
        return bool(self.unmatched) or any(each.verdict is Verdict.DIFFERS for each in self.compared)


def compare_handshakes(
    handshakes: Sequence[Handshake],
    shown: Iterable[Shown],
    *,
    program: str,
    known: Collection[str],
    chosen: Sequence[Handshake] | None = None,
) -> tuple[Compared, ...]:
    """Every field that has a Wireshark name, for every handshake of one capture, or for those chosen.

    *known* are the names that the program knows; a field with another name is not compared.
    """
    shares = shared_out(handshakes, shown)
    return tuple(
        compared
        for handshake in (handshakes if chosen is None else chosen)
        for compared in compare_fields(handshake, shares[id(handshake)], program=program, known=known)
    )


def unmatched_streams(capture: str, handshakes: Iterable[Handshake], shown: Iterable[Shown]) -> tuple[Unmatched, ...]:
    """The conversations of a capture in which we saw no handshake and the other program did."""
    ours = {(handshake.transport, handshake.stream) for handshake in handshakes}
    frames: dict[tuple[str, int], list[int]] = {}
    for message in shown:
        place = message.transport, message.stream
        if place not in ours and message.kind not in (ALERT, HTTP):
            frames.setdefault(place, []).append(message.frame)
    return tuple(
        Unmatched(capture=capture, transport=transport, stream=stream, frames=tuple(dict.fromkeys(numbers)))
        for (transport, stream), numbers in frames.items()
    )


def shared_out(handshakes: Sequence[Handshake], shown: Iterable[Shown]) -> dict[int, list[Shown]]:
    """The messages of each handshake, by its identity: those of its stream, parted where the next one begins."""
    starts: dict[tuple[str, int], list[tuple[int, Handshake]]] = {}
    for handshake in sorted(handshakes, key=lambda each: each.part):
        begin = handshake.events[0].frames[-1] if handshake.part > 1 and handshake.events else 0
        starts.setdefault((handshake.transport, handshake.stream), []).append((begin, handshake))
    shares: dict[int, list[Shown]] = {id(handshake): [] for handshake in handshakes}
    for message in shown:
        parts = starts.get((message.transport, message.stream), ())
        owner = next((handshake for begin, handshake in reversed(parts) if begin <= message.frame), None)
        if owner is not None:
            shares[id(owner)].append(message)
    return shares


def compare_fields(
    handshake: Handshake, shown: Sequence[Shown], *, program: str, known: Collection[str]
) -> Iterator[Compared]:
    """Every field of one handshake that has a Wireshark name."""
    view = View(handshake, shown)
    for field in FIELDS:
        if not field.wireshark:
            continue
        ours = canonical(field, handshake)
        theirs: Value = Missing.NOT_SENT
        name = view.name(field.wireshark)
        if name not in known:
            verdict, reason = Verdict.NOT_COMPARED, f"{program} has no field {name}"
        elif not shown:
            verdict, reason = Verdict.NOT_COMPARED, nothing_shown(handshake, program)
        else:
            theirs = READS[field.path](view)
            verdict, reason = judged(ours, theirs)
        yield Compared(
            handshake=handshake, field=field, name=name, ours=ours, theirs=theirs, verdict=verdict, reason=reason
        )


def nothing_shown(handshake: Handshake, program: str) -> str:
    """Why there is nothing to compare with in a whole conversation."""
    if handshake.preamble is not None:
        return f"{program} shows no TLS after the dialogue {handshake.preamble.protocol}"
    if not handshake.client_hellos and isinstance(handshake.server_hello, Missing):
        return "no hello in the capture"
    if any(
        hello.defect for hello in (*handshake.client_hellos, handshake.server_hello) if not isinstance(hello, Missing)
    ):
        return f"{program} shows nothing of a hello that is not whole"
    return f"{program} shows no TLS on this connection"


def judged(ours: Value, theirs: Value) -> tuple[Verdict, str]:
    """Whether two values agree, and why there is no saying where there is none."""
    if isinstance(theirs, Undisclosed):
        return Verdict.NOT_COMPARED, theirs.reason
    if ours == theirs:
        return Verdict.AGREES, ""
    if isinstance(ours, Missing) and (theirs is Missing.NOT_SENT or (ours in UNREADABLE and theirs in EMPTY)):
        return Verdict.NOT_COMPARED, UNSEEN[ours]
    return Verdict.DIFFERS, ""


UNSEEN = {
    Missing.HIDDEN: "encrypted, and neither has the keys",
    Missing.LOST: "not in the capture",
    Missing.MALFORMED: "malformed, and neither shows a value",
}
UNREADABLE = frozenset((Missing.LOST, Missing.MALFORMED))
EMPTY = frozenset(((), "", False))  # what the rest of a message without the field reads like


# -- our values in the same form ------------------------------------------------------------------------------------


def canonical(field: Field, handshake: Handshake) -> Value:
    """Our value in the form that is compared."""
    value = field.read(handshake)
    if field.path in COUNTED and not value:
        return Missing.NOT_SENT
    shape = SHAPES.get(field.path)
    return value if shape is None or not isinstance(value, tuple) else shape(value)


def digests(chain: tuple[object, ...]) -> Value:
    """Certificates by their octets."""
    return tuple(each["sha256"] for each in chain if isinstance(each, Mapping))


def in_no_order(found: tuple[object, ...]) -> Value:
    """Elements without their order."""
    return tuple(sorted(map(str, found)))


def alert_codes(seen: tuple[object, ...]) -> Value:
    """Alerts by sender, level and code."""
    level = {"warning": "1", "fatal": "2"}
    objects = [each for each in seen if isinstance(each, Mapping)]
    return tuple(
        (each["from"], level.get(each["level"], each["level"].removeprefix("level ")), each["code"]) for each in objects
    )


def names_by_attributes(found: tuple[object, ...]) -> Value:
    """Names by the values of their attributes.  RFC 4514 section 2."""
    return tuple(
        tuple(sorted(UNESCAPE.sub(r"\1", value) for value in ATTRIBUTE_VALUE.findall(str(name)))) for name in found
    )


ATTRIBUTE_VALUE = re.compile(r"(?:^|[,+])[^=,+]+=((?:[^,+\\]|\\.)*)")
UNESCAPE = re.compile(r"\\(.)")

COUNTED = frozenset(("certificate_request", "session_tickets"))  # fields in which no message is a value of its own

SHAPES: Mapping[str, Callable[[tuple[object, ...]], Value]] = {
    "server_certificates": digests,
    "client_certificates": digests,
    "alerts": alert_codes,
    "certificate_request.certificate_authorities": names_by_attributes,
    "client_hello.extensions": in_no_order,
    "server_hello.extensions": in_no_order,
    "encrypted_extensions.extensions": in_no_order,
}
