"""`sessions CAPTURE...`: which handshake resumed which session, across connections and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tlsinspect.diagnosis.hidden import ClientFlight, client_flight
from tlsinspect.diagnosis.inherited import known_by
from tlsinspect.diagnosis.rule import Case
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import Certificate
from tlsinspect.report import words
from tlsinspect.report.blocks import Block, Cell, Node, Prose, Report, Tree
from tlsinspect.report.listing import counted
from tlsinspect.report.objects import Listed, Shown
from tlsinspect.sessions import Origin

# What a client did whose certificate is encrypted.
LIKELY = {
    ClientFlight.FINISHED_ALONE: "likely not asked for",
    ClientFlight.EMPTY_CERTIFICATE: "likely asked for and not sent",
    ClientFlight.CERTIFICATE: "likely sent",
}


def lineage(captures: Sequence[str], cases: Sequence[Case]) -> Report:
    """A tree for each full handshake whose session was taken up again, and one for each session of unknown origin."""
    children: dict[int, list[Case]] = {}
    outside: dict[
        int, Handshake
    ] = {}  # origins that were not chosen, such as those on other streams than the one given
    chosen = {id(case.handshake) for case in cases}
    for case in cases:
        if case.origin is not None:
            source = case.origin.handshake
            children.setdefault(id(source), []).append(case)
            if id(source) not in chosen:
                outside[id(source)] = source
    without = [case for case in cases if case.origin is None]
    first = [case for case in without if is_resumed(case.handshake) or id(case.handshake) in children]
    names = words.names_of(cases)
    roots = [node(case, children, names) for case in (*(Case(handshake=each) for each in outside.values()), *first)]
    unused = len(without) - len(first)
    blocks: list[Block] = [Tree(tuple(roots))] if roots else [Prose("No session was resumed.")]
    if unused:
        blocks.append(
            Prose(f"{counted(unused, 'other handshake')} with a session of its own that no other took up.", "faint")
        )
    shown = tuple(map(Shown, cases))
    return Report(
        title=f"Sessions in {', '.join(captures)} (times in UTC)",
        blocks=tuple(blocks),
        data=Listed(tuple(captures), shown),
        lines=shown,
    )


def is_resumed(handshake: Handshake) -> bool:
    """Whether the server took up an earlier session."""
    return isinstance(handshake.resumption.accepted, str)


def node(case: Case, children: dict[int, list[Case]], names: Mapping[str, str]) -> Node:
    """A handshake and those that resumed a session that it issued."""
    below = tuple(node(child, children, names) for child in children.get(id(case.handshake), ()))
    return Node(resumption_cell(case, names) if is_resumed(case.handshake) else full_cell(case, names), below)


def place_text(handshake: Handshake, names: Mapping[str, str]) -> str:
    """Where and when, and the name asked for."""
    return (
        f"{words.handshake_text(handshake, names)}  {words.clock_text(handshake.started_ns)}  "
        f"{words.peers_text(handshake)}  {words.named_text(handshake)}"
    )


def full_cell(case: Case, names: Mapping[str, str]) -> Cell:
    """A full handshake: what a session holds from then on; of one that offered a session, that it was not taken up."""
    text = f"{place_text(case.handshake, names)}: full handshake, {identity_text(case.handshake)}"
    if case.origin is None:
        return Cell(text)
    return Cell(f"{text}; the session that it offered was not taken up ({known_text(case.origin)})", "warn")


def known_text(origin: Origin) -> str:
    """How it is known where a session came from."""
    return f"{origin.certainty}: {known_by(origin)}"


def resumption_cell(case: Case, names: Mapping[str, str]) -> Cell:
    """A resumption: how it is known, and what came with the session."""
    handshake, origin = case.handshake, case.origin
    how = words.HOW_RESUMED.get(str(handshake.resumption.accepted), str(handshake.resumption.accepted))
    text = f"{place_text(handshake, names)}: resumed by {how}"
    if origin is None:
        return Cell(f"{text}; the session began before the capture", "warn")
    text += f" ({known_text(origin)})"
    warnings = []
    if different_names(handshake, origin.first):
        warnings.append(f"the session was made for {words.named_text(origin.first)}")
    known = words.leaf(origin.first.client_certificates)
    if isinstance(known, Certificate):
        warnings.append(f"the server takes the client for {words.identity(known)}")
    elif known in (None, Missing.NOT_SENT) and not is_resumed(origin.first):
        text += "; the server sees no client certificate"
    return Cell("; ".join((text, *warnings)), "warn" if warnings else "plain")


def different_names(one: Handshake, other: Handshake) -> bool:
    """Whether two handshakes asked for different names, as far as both are seen."""
    ours, theirs = words.server_name(one), words.server_name(other)
    seen = not {each for each in (ours, theirs) if isinstance(each, Missing)} - {Missing.NOT_SENT}
    return seen and ours != theirs


def identity_text(handshake: Handshake) -> str:
    """Who the client proved to be."""
    certificate = words.leaf(handshake.client_certificates)
    if isinstance(certificate, Certificate):
        return f"client {words.identity(certificate)}"
    if certificate is None or certificate is Missing.NOT_SENT:
        return "no client certificate"
    flight = client_flight(handshake) if certificate is Missing.HIDDEN else None
    likely = f", by its record sizes {LIKELY[flight.kind]}" if flight is not None else ""
    return f"client certificate {words.MISSING[certificate]}{likely}"
