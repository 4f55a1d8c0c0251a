"""`sessions CAPTURE...`: which handshake resumed which session, across connections and files."""

from __future__ import annotations

from collections.abc import Sequence

from tlsinspect.diagnosis.rule import Case
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import Certificate
from tlsinspect.report import words
from tlsinspect.report.blocks import Block, Cell, Node, Prose, Report, Tree
from tlsinspect.report.listing import counted
from tlsinspect.report.objects import captures_object, handshake_object


def lineage(captures: Sequence[str], cases: Sequence[Case]) -> Report:
    """A tree for each full handshake whose session was taken up again, and one for each session of unknown origin."""
    children: dict[int, list[Case]] = {}
    shown = {id(case.handshake) for case in cases}
    for case in cases:
        if case.origin is not None:
            children.setdefault(id(case.origin.handshake), []).append(case)
    inherited = [case for case in cases if is_resumed(case)]
    full = [case for case in cases if not is_resumed(case) and id(case.handshake) in children]
    outside = {id(c.origin.handshake): c.origin.handshake for c in inherited if c.origin} | {}
    roots = [node(case, children) for case in full]
    roots += [node(Case(handshake=each), children) for key, each in outside.items() if key not in shown]
    roots += [node(case, children) for case in inherited if case.origin is None]
    unused = len(cases) - len(full) - len(inherited)
    blocks: list[Block] = [Tree(tuple(roots))] if roots else [Prose("No session was resumed.")]
    if unused:
        blocks.append(
            Prose(
                f"{counted(unused, 'other handshake').capitalize()} neither resumed a session nor had its own resumed."
                if unused == 1
                else f"{unused} other handshakes neither resumed a session nor had theirs resumed.",
                "faint",
            )
        )
    handshakes = [handshake_object(case) for case in cases]
    return Report(
        title=f"Sessions in {', '.join(captures)}",
        blocks=tuple(blocks),
        data=captures_object(tuple(captures), handshakes),
        lines=tuple(handshakes),
    )


def is_resumed(case: Case) -> bool:
    """Whether the server took up an earlier session."""
    return isinstance(case.handshake.resumption.accepted, str)


def node(case: Case, children: dict[int, list[Case]]) -> Node:
    """A handshake and those that resumed a session that it issued."""
    below = tuple(node(child, children) for child in children.get(id(case.handshake), ()))
    return Node(resumption_cell(case) if is_resumed(case) else full_cell(case.handshake), below)


def place_text(handshake: Handshake) -> str:
    """Where and when, and the name asked for."""
    return (
        f"{words.handshake_text(handshake)}  {words.clock_text(handshake.started_ns)}  {words.peers_text(handshake)}"
        f"  {words.named_text(handshake)}"
    )


def full_cell(handshake: Handshake) -> Cell:
    """A full handshake: what a session holds from then on."""
    return Cell(f"{place_text(handshake)}: full handshake, {identity_text(handshake)}")


def resumption_cell(case: Case) -> Cell:
    """A resumption: how it is known, and what came with the session."""
    handshake, origin = case.handshake, case.origin
    how = words.HOW_RESUMED.get(str(handshake.resumption.accepted), str(handshake.resumption.accepted))
    text = f"{place_text(handshake)}: resumed by {how}"
    if origin is None:
        return Cell(f"{text}; the session began before the capture", "warn")
    text += f" ({origin.certainty}: {origin.reason.rstrip('.')})"
    warnings = []
    if different_names(handshake, origin.first):
        warnings.append(f"the session was made for {words.named_text(origin.first)}")
    if isinstance(words.leaf(origin.first.client_certificates), Certificate):
        warnings.append(f"the server takes the client for {identity_text(origin.first)}")
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
    return f"client certificate {words.MISSING[certificate]}"
