"""Handshakes, findings and differences as JSON shows them, built from the catalogue.

A value that is missing is null, and "missing" says why, by path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from tlsinspect.comparison import Difference
from tlsinspect.diagnosis.engine import Diagnosed, Diagnosis, Evidence
from tlsinspect.diagnosis.rule import Case, Cause, Fix
from tlsinspect.fields import FIELDS, Field, Value, basis, client_hello
from tlsinspect.fields.basis import Basis
from tlsinspect.model.frame import Defect, Endpoint, Missing
from tlsinspect.model.handshake import Handshake, Preamble
from tlsinspect.sessions import HandshakeName, Source

SCHEMA = 1


class Whole(NamedTuple):
    """A message that is null as a whole when it is missing."""

    read: Callable[[Handshake], object]
    basis: Basis | None  # what the reason for its absence follows from, as of a field


# The catalogue's paths below these are their keys.
MESSAGES: Mapping[str, Whole] = {
    "preamble": Whole(lambda h: h.preamble or Missing.NOT_SENT, None),
    "client_hello": Whole(client_hello, basis.client_hello_shape),
    "hello_retry_request": Whole(lambda h: h.hello_retry_request, basis.answer),
    "server_hello": Whole(lambda h: h.server_hello, basis.answer),
    "server_key_exchange": Whole(lambda h: h.server_key_exchange, basis.answer),
    "certificate_request": Whole(lambda h: h.certificate_request, basis.request),
}
# Fields whose value is a list even when it is missing.
LISTS = frozenset(("resumption.offered",))
# The field "certificate_request" only says whether there is the object of that name.
OBJECTS = frozenset(("certificate_request",))


class Place(NamedTuple):
    """Where the value of a field stands; worked out once, as every handshake has every field."""

    parent: str  # key of the message that it belongs to; empty for none
    key: str
    path: str
    read: Callable[[Handshake], Value]
    basis: Basis | None


def place_of(field: Field) -> Place:
    """The place that the path of a field says."""
    parent, _, key = field.path.rpartition(".")
    return Place(parent, key, field.path, field.read, field.basis)


PLACES = tuple(place_of(field) for field in FIELDS if field.path not in OBJECTS)


@dataclass(frozen=True, slots=True)
class Shown:
    """A handshake in a report, with what explains it: its object is made when JSON is printed, which is seldom."""

    case: Case
    diagnosis: Diagnosis | None = None

    def object(self) -> dict[str, object]:
        """H of the contract."""
        handshake = handshake_object(self.case)
        return handshake if self.diagnosis is None else {**handshake, **explanation_object(self.diagnosis)}


@dataclass(frozen=True, slots=True)
class Listed:
    """What `show` and `explain` print as JSON, likewise."""

    captures: tuple[str, ...]
    handshakes: tuple[Shown, ...]

    def object(self) -> dict[str, object]:
        """The object that the schema describes."""
        handshakes = [each.object() for each in self.handshakes]
        return {"schema": SCHEMA, "captures": list(self.captures), "handshakes": handshakes}


def made(value: object) -> object:
    """A value for JSON, made now if it was put off."""
    return value.object() if isinstance(value, Shown | Listed) else value


def handshake_object(case: Case) -> dict[str, object]:
    """A handshake: H of the contract.  render.line writes the same as one line, faster."""
    handshake = case.handshake
    found = frame_object(handshake)
    missing: dict[str, str] = {}
    for name, whole in MESSAGES.items():
        message = whole.read(handshake)
        found[name] = None if isinstance(message, Missing) else {}
        if isinstance(message, Missing):
            missing[name] = message.value
    for place in PLACES:
        inner = found.setdefault(place.parent, {}) if place.parent else found
        if not isinstance(inner, dict):
            continue  # its message is null
        value = place.read(handshake)
        if isinstance(value, Missing):
            missing[place.path] = value.value
            inner[place.key] = [] if place.path in LISTS else None
        else:
            inner[place.key] = json_value(value)
    if handshake.preamble is not None:
        found["preamble"] = preamble_object(handshake.preamble)
    resumption = found["resumption"]
    assert isinstance(resumption, dict)
    taken_up = isinstance(case.handshake.resumption.accepted, str)
    resumption.update(origins_object(case.origin, taken_up=taken_up))
    found["missing"] = missing
    found["defects"] = [defect_object(defect) for defect in handshake.defects]
    return found


def frame_object(handshake: Handshake) -> dict[str, object]:
    """What a handshake begins with: where and when it was, whatever was said."""
    return {
        "capture": handshake.capture,
        "stream": handshake.stream,
        "part": handshake.part,
        "transport": handshake.transport,
        "protocol": handshake.protocol,
        "client": endpoint_object(handshake.client),
        "server": endpoint_object(handshake.server),
        "started": time_text(handshake.started_ns),
        "duration": duration(handshake),
        "frames": [handshake.first_frame, handshake.last_frame],
        "visibility": handshake.visibility.value,
    }


def duration(handshake: Handshake) -> float:
    """How long it took, in seconds."""
    return round((handshake.ended_ns - handshake.started_ns) / 1e9, 9)


def preamble_object(preamble: Preamble) -> dict[str, object]:
    """The dialogue before TLS, whose details have keys of their own."""
    return {"accepted": preamble.accepted, **dict(preamble.details), "protocol": preamble.protocol}


def origins_object(origin: Source[Handshake] | Source[HandshakeName] | None, *, taken_up: bool) -> dict[str, object]:
    """What "resumption" ends with: where the session came from that was taken up, or offered alone."""
    source = None if origin is None else origin_object(origin)
    return {"from": source if taken_up else None, "offered_from": source}


def json_value(value: Value) -> object:
    """A value of the catalogue as JSON holds it; a Missing is null."""
    if isinstance(value, tuple | list):
        if value and isinstance(value[0], str | int):  # names and numbers, which are most of all
            return list(value)
        return [json_value(each) for each in value]
    if isinstance(value, dict):
        return {key: json_value(each) if isinstance(each, tuple | list | dict) else each for key, each in value.items()}
    return None if isinstance(value, Missing) else value


def endpoint_object(endpoint: Endpoint) -> dict[str, object]:
    """One end of a connection."""
    return {"address": endpoint.address, "port": endpoint.port}


def time_text(time_ns: int) -> str:
    """RFC 3339 with nanoseconds, UTC."""
    seconds, nanoseconds = divmod(time_ns, 10**9)
    return f"{_second_text(seconds)}.{nanoseconds:09}Z"


@lru_cache(maxsize=64)  # many handshakes begin within the same second
def _second_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def origin_object(origin: Source[Handshake] | Source[HandshakeName]) -> dict[str, object]:
    """The handshake that issued the session that this one offered."""
    return {
        "capture": origin.handshake.capture,
        "stream": origin.handshake.stream,
        "part": origin.handshake.part,
        "certainty": origin.certainty,
        "reason": origin.reason,
    }


def defect_object(defect: Defect) -> dict[str, object]:
    """A departure from a specification."""
    return {
        "where": defect.where,
        "problem": defect.problem,
        "offset": defect.offset,
        "frames": list(defect.frames),
    }


# -- findings and differences ---------------------------------------------------------------------------------------


def explanation_object(diagnosis: Diagnosis) -> dict[str, object]:
    """What explains a handshake: the last keys of its object."""
    return {
        "findings": [finding_object(each) for each in diagnosis.findings],
        "not_assessable": [blind_object(cause, paths) for cause, paths in diagnosis.not_assessed],
    }


def finding_object(found: Diagnosed) -> dict[str, object]:
    """A finding: F of the contract."""
    shown: dict[str, object] = {
        "code": found.code,
        "severity": found.severity.name.lower(),
        "certainty": found.finding.certainty.name.lower(),
        "title": found.cause.title,
        "explanation": found.finding.explanation,
        "evidence": [evidence_object(each) for each in found.evidence],
        "fixes": [fix_object(fix) for fix in found.fixes],
        "references": list(found.cause.references),
    }
    return shown if found.finding.side is None else {**shown, "side": found.finding.side}


def evidence_object(evidence: Evidence) -> dict[str, object]:
    """One value that a finding stands on."""
    shown: dict[str, object] = {
        "path": evidence.path,
        "value": json_value(evidence.value),
        "frames": list(evidence.frames),
        "display_filter": evidence.display_filter,
    }
    if isinstance(evidence.value, Missing):
        shown["missing"] = evidence.value.value
    return shown if evidence.side is None else {**shown, "side": evidence.side}


def fix_object(fix: Fix) -> dict[str, object]:
    """One change for one product."""
    return {
        "product": fix.product,
        "action": fix.action,
        "example": fix.example,
        "side": fix.side.value if fix.side else None,
    }


def blind_object(cause: Cause, paths: tuple[str, ...]) -> dict[str, object]:
    """A cause that could not be assessed, and the fields that would be needed."""
    return {"code": cause.code, "paths": list(paths)}


def difference_object(difference: Difference, explains: tuple[str, ...]) -> dict[str, object]:
    """A difference: D of the contract."""
    sides = (("left", difference.left), ("right", difference.right))
    return {
        "path": difference.path,
        "left": json_value(difference.left),
        "right": json_value(difference.right),
        "equal": difference.equal,
        "meaningful": difference.meaningful,
        "explains": list(explains),
        "missing": {side: value.value for side, value in sides if isinstance(value, Missing)},
    }
