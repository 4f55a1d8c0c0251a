"""Runs the causes over one handshake or a pair, and puts what they say in order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tlsinspect.comparison import Difference, compare
from tlsinspect.diagnosis.blind import Blindness, Unassessed
from tlsinspect.diagnosis.rule import Case, Cause, Finding, Fix, Severity, Stage
from tlsinspect.diagnosis.stacks import client_stack
from tlsinspect.fields import BY_PATH, UNSEEN, Field, Value
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Handshake
from tlsinspect.tls.extensions import ENCRYPTED_CLIENT_HELLO, POST_HANDSHAKE_AUTH, SESSION_TICKET
from tlsinspect.tls.messages import CERTIFICATE_REQUEST

# What may stand in a line of configuration that people copy; anything else stays a placeholder.
HARMLESS = re.compile(r"[A-Za-z0-9._:/@=, *-]{1,253}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One value that a finding stands on, and how to find it in Wireshark."""

    path: str
    value: Value
    frames: tuple[int, ...]
    display_filter: str
    side: str | None = None  # "left" or "right" in a pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosed:
    """A finding with everything that a view needs."""

    cause: Cause
    finding: Finding
    severity: Severity
    evidence: tuple[Evidence, ...]
    fixes: tuple[Fix, ...]  # examples filled in; those for the software that the hello fits come first
    fitting: int  # how many of the fixes are for that software, with what is to be done whatever the software

    @property
    def code(self) -> str:
        """The code of causes.tsv."""
        return self.cause.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What explains one handshake, or the difference between two."""

    findings: tuple[Diagnosed, ...]  # the best explanation first
    not_assessed: Unassessed  # cause, and the fields it could not see
    differences: tuple[Difference, ...] = ()  # pair only: every field
    not_ruled_out: tuple[str, ...] = ()  # pair only: paths of meaningful differences that no finding explains

    def explains(self, path: str) -> tuple[str, ...]:
        """The codes of the findings that look at a field."""
        return tuple(each.code for each in self.findings if path in each.cause.looks_at)


def diagnose(case: Case, causes: Sequence[Cause]) -> Diagnosis:
    """What explains the outcome of one handshake."""
    checked = [(cause, cause.check(case)) for cause in causes]
    found = [(cause, finding) for cause, finding in checked if finding is not None]
    order = ranked([diagnosed(cause, finding, (("", case),)) for cause, finding in found], causes)
    return Diagnosis(findings=order, not_assessed=without(blindness(causes).unassessed(case.handshake), found))


def explain(left: Case, right: Case, causes: Sequence[Cause]) -> Diagnosis:
    """Which differences explain that the two were routed, rejected or identified otherwise.

    Meaningful differences that no finding looks at are not ruled out: any of them could be the cause as well.
    """
    differences = compare(left.handshake, right.handshake)
    meaningful = {each.path for each in differences if each.meaningful}
    compared = [(cause, cause.compare(left, right)) for cause in causes if cause.compare is not None]
    found = [(cause, finding) for cause, finding in compared if finding is not None]
    blind = without(blindness(causes).unassessed(left.handshake, right.handshake), found)
    explained = {path for cause, finding in found for path in (*cause.looks_at, *finding.evidence)}
    order = ranked([diagnosed(cause, finding, (("left", left), ("right", right))) for cause, finding in found], causes)
    return Diagnosis(
        findings=order,
        not_assessed=tuple((cause, hidden) for cause, hidden in blind if cause.compare is not None),
        differences=differences,
        not_ruled_out=tuple(sorted(meaningful - explained - CONSEQUENCES)),
    )


def without(blind: Unassessed, found: Sequence[tuple[Cause, Finding]]) -> Unassessed:
    """The causes that could not be assessed, and are not found either."""
    codes = {cause.code for cause, _ in found}
    return tuple([each for each in blind if each[0].code not in codes]) if codes else blind


_blindness: list[Blindness] = []  # of the causes asked about last: nearly always the same, CAUSES


def blindness(causes: Sequence[Cause]) -> Blindness:
    """What tells which of those causes cannot be assessed, kept for the next handshake."""
    if not _blindness or _blindness[0].causes is not causes:
        _blindness[:] = [Blindness(causes)]
    return _blindness[0]


# Differences that never decide anything by themselves: they follow from others, or are what is to be explained.
CONSEQUENCES = frozenset(
    (
        *("outcome", "server_alert", "client_alert", "http.status", "http.said"),
        *("client_hello.ja3", "client_hello.ja4", "server_hello.extensions"),
    )
)


WHOEVER = "any "  # begins the product of a fix that names the side that must change, whatever its software


def diagnosed(cause: Cause, finding: Finding, cases: tuple[tuple[str, Case], ...]) -> Diagnosed:
    """A finding with its evidence looked up and its fixes filled in."""
    evidence = tuple(proof(BY_PATH[path], case.handshake, side) for path in finding.evidence for side, case in cases)
    fixes = cause.fixes if finding.fixes is None else finding.fixes
    products = products_of(case for side, case in cases if finding.side in (None, "both", side))
    places = [place_of(fix, products) for fix in fixes]
    fitting = sum(place < len(products) for place in places)
    if fitting and fixes[0].product.startswith(WHOEVER):
        places[0], fitting = -1, fitting + 1  # what is to be done comes before how one product gets by
    ordered = [fixes[at] for at in sorted(range(len(fixes)), key=places.__getitem__)]
    return Diagnosed(
        cause=cause,
        finding=finding,
        severity=cause.severity if finding.severity is None else finding.severity,
        evidence=evidence,
        fixes=tuple(with_values(fix, {**asked_for(cause, cases), **dict(finding.fill)}) for fix in ordered),
        fitting=fitting,
    )


def asked_for(cause: Cause, cases: tuple[tuple[str, Case], ...]) -> dict[str, str]:
    """The host that a client named, for the examples of fixes; none where the name itself may be what is wrong."""
    if cause.stage in (Stage.ROUTING, Stage.TRANSPORT):
        return {}
    names = [case.value("client_hello.server_name") for _, case in cases]
    host = next((name for name in names if isinstance(name, str)), "")
    return {"host": host} if host else {}


def with_values(fix: Fix, values: dict[str, str]) -> Fix:
    """A fix with its example filled in."""
    return replace(fix, example=filled(fix.example, values)) if "{" in fix.example else fix


def products_of(cases: Iterable[Case]) -> tuple[str, ...]:
    """The products that the hellos of handshakes fit, the likeliest first."""
    hellos = (case.handshake.client_hellos[0] for case in cases if case.handshake.client_hellos)
    stacks = [stack for stack in map(client_stack, hellos) if stack is not None]
    return tuple(dict.fromkeys(product for stack in stacks for product in stack.products))


def place_of(fix: Fix, products: tuple[str, ...]) -> int:
    """Where the product of a fix stands among those that fit; behind all of them when it does not.

    A fix for the server has nothing to do with the client's software.
    """
    if fix.side is Side.SERVER:
        return len(products)
    return next((at for at, product in enumerate(products) if fix.product == product), len(products))


def filled(example: str, values: dict[str, str]) -> str:
    """An example with the values of the capture in it, where they are harmless to copy; else a word in capitals."""
    for name, value in {"host": "HOST", **values}.items():
        example = example.replace("{" + name + "}", value if HARMLESS.match(value) else name.upper())
    return example


def last_resorts_left_out(found: list[Diagnosed]) -> list[Diagnosed]:
    """The findings without those that explain an ending only as long as no other finding does.

    A cause of the stage *any* says nothing more beside an error that it follows from; nor do hellos that merely differ.
    """
    errors = {each.code for each in found if each.severity is Severity.ERROR}
    return [each for each in found if not is_last_resort(each) or not errors & set(each.cause.follows_from)]


def is_last_resort(found: Diagnosed) -> bool:
    """Whether a finding stands for the lack of a better one."""
    return found.cause.stage is Stage.ANY or (found.code in MERELY_DIFFERENT and found.severity is Severity.ERROR)


MERELY_DIFFERENT = frozenset(("version-different", "cipher-different", "fingerprint-different"))


def proof(field: Field, handshake: Handshake, side: str) -> Evidence:
    """One field as evidence."""
    frames = field.frames(handshake)
    value = field.read(handshake)
    return Evidence(
        path=field.path,
        value=value,
        frames=frames,
        display_filter=display_filter(field, handshake, value, frames),
        side=side or None,
    )


def display_filter(field: Field, handshake: Handshake, value: Value, frames: tuple[int, ...]) -> str:
    """A Wireshark display filter that shows the evidence: the frame, else the stream.

    Wireshark shows a message in the frame that completed it.
    """
    if not frames:
        return f"{handshake.transport}.stream == {handshake.stream}"
    place = f"frame.number == {frames[-1]}"
    if not field.wireshark or value in NOTHING_TO_SHOW:
        return place
    prefix = "d" if handshake.protocol == "dtls" and field.wireshark.startswith("tls.") else ""
    if field.path in ELEMENTS:
        shown = prefix + ELEMENTS[field.path]
        absent = value is False or value is Missing.NOT_SENT
        return f"{place} && !({shown})" if absent else f"{place} && {shown}"
    name = prefix + field.wireshark
    if handshake.protocol == "quic":
        name = IN_QUIC.get(name, name)
    if value is Missing.NOT_SENT:
        return f"{place} && !{name}"
    if isinstance(value, str) and value.isascii() and value.isprintable() and field.path in TEXT_FIELDS:
        return f"{place} && {name} == {json.dumps(value)}"
    return f"{place} && {name}"


TEXT_FIELDS = frozenset(("client_hello.server_name", "client_hello.ja3", "client_hello.ja4"))
# Fields that are one of several of a name.
ELEMENTS = {
    "client_hello.encrypted_client_hello": f"tls.handshake.extension.type == {ENCRYPTED_CLIENT_HELLO}",
    "client_hello.post_handshake_auth": f"tls.handshake.extension.type == {POST_HANDSHAKE_AUTH}",
    "client_hello.session_ticket_length": f"tls.handshake.extension.type == {SESSION_TICKET}",
    "certificate_request": f"tls.handshake.type == {CERTIFICATE_REQUEST}",
}
# An alert is a field of CONNECTION_CLOSE there.  RFC 9001 section 4.8.
IN_QUIC = {"tls.alert_message.desc": "quic.cc.error_code.tls_alert"}
# Values of which Wireshark may or may not show a field: what is empty has none, what cannot be read may have one.
NOTHING_TO_SHOW: tuple[object, ...] = ("", (), *UNSEEN)


def ranked(found: list[Diagnosed], causes: Sequence[Cause]) -> tuple[Diagnosed, ...]:
    """The best explanation first.

    By severity, then by the order of the causes; a cause ranks below those of at least its severity that it follows
    from.
    """
    if len(found) < 2:
        return tuple(found)
    place = {cause.code: index for index, cause in enumerate(causes)}
    rest = sorted(last_resorts_left_out(found), key=lambda each: (-each.severity, place[each.code]))
    ordered: list[Diagnosed] = []
    while rest:
        chosen = next((each for each in rest if not waits(each, rest)), rest[0])
        if chosen.severity < rest[0].severity:
            chosen = rest[0]
        ordered.append(chosen)
        rest.remove(chosen)
    return tuple(ordered)


def waits(one: Diagnosed, rest: list[Diagnosed]) -> bool:
    """Whether a finding follows from another of *rest* that is at least as severe."""
    ahead = {each.code for each in rest if each.severity >= one.severity}
    return bool(ahead & set(one.cause.follows_from))
