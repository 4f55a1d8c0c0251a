"""`explain CAPTURE...`: per handshake what happened and why, with evidence and fixes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tlsinspect.diagnosis.engine import Diagnosis
from tlsinspect.diagnosis.hidden_server import observations
from tlsinspect.diagnosis.message_names import message_name
from tlsinspect.diagnosis.rule import Case, Severity
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import EndingKind, Handshake, Outcome
from tlsinspect.report import words
from tlsinspect.report.blocks import Block, Cell, Prose, Report, Table
from tlsinspect.report.findings import blind_text, finding_blocks, software_text
from tlsinspect.report.listing import counted, nothing_text
from tlsinspect.report.messages import last_message
from tlsinspect.report.objects import Listed, Shown

HOW_ENDED = {
    EndingKind.ALERT: "sent the fatal alert",
    EndingKind.FIN: "closed the connection (FIN)",
    EndingKind.RST: "reset the connection (RST)",
    EndingKind.CLOSE: "closed the connection (CONNECTION_CLOSE)",
}


def explanation(captures: Sequence[str], explained: Sequence[tuple[Case, Diagnosis]]) -> Report:
    """Every handshake with its findings; of several, those without a warning are rows of one table."""
    shown = tuple(Shown(case, diagnosis) for case, diagnosis in explained)
    several = len(explained) > 1
    healthy = [case for case, diagnosis in explained if several and not matters(diagnosis)]
    blocks: list[Block] = [] if explained else [Prose(nothing_text(captures))]
    if several:
        blocks.append(Prose(summary_text(explained)))
    names = words.names_of(case for case, _ in explained)
    for case, diagnosis in explained:
        if not several or matters(diagnosis):
            blocks += handshake_blocks(case, diagnosis, names)
    if healthy:
        blocks.append(healthy_table(healthy, names))
    return Report(
        title=f"What happened in {', '.join(captures)}",
        blocks=tuple(blocks),
        data=Listed(tuple(captures), shown),
        lines=shown,
    )


def matters(diagnosis: Diagnosis) -> bool:
    """Whether a finding is at least a warning."""
    return any(found.severity >= Severity.WARNING for found in diagnosis.findings)


def has_error(diagnosis: Diagnosis) -> bool:
    """Whether a finding explains a rejection or a wrong route."""
    return any(found.severity is Severity.ERROR for found in diagnosis.findings)


def summary_text(explained: Sequence[tuple[Case, Diagnosis]]) -> str:
    """How many there are of each kind."""
    errors = sum(has_error(diagnosis) for _, diagnosis in explained)
    warnings = sum(matters(diagnosis) for _, diagnosis in explained) - errors
    parts = [counted(len(explained), "handshake")]
    parts += [f"{errors} with an error"] if errors else []
    parts += [f"{warnings} with a warning"] if warnings else []
    rest = len(explained) - errors - warnings
    parts += [f"{rest} with nothing to report"] if rest else []
    return ", ".join(parts) + "."


def healthy_table(cases: Sequence[Case], names: Mapping[str, str]) -> Table:
    """One line for each handshake that needs no explanation."""
    rows = tuple(
        (
            Cell(words.handshake_text(case.handshake, names)),
            Cell(str(case.handshake.client)),
            Cell(str(case.handshake.server)),
            words.server_name_cell(case.handshake),
            words.outcome_cell(case.handshake),
        )
        for case in cases
    )
    columns = ("Handshake", "Client", "Server", "Server name", "Outcome")
    return Table(
        columns, rows, title="Nothing to report", keep=("Handshake", "Server name", "Outcome", "Server"), firm=3
    )


def handshake_blocks(case: Case, diagnosis: Diagnosis, names: Mapping[str, str]) -> Iterator[Block]:
    """One handshake: what happened, the findings, and what could not be told; captures by their short names."""
    handshake = case.handshake
    cell = words.outcome_cell(handshake)
    yield Prose(
        happened_text(case, names),
        heading=f"{words.handshake_text(handshake, names)}  {words.peers_text(handshake)}  "
        f"{words.named_text(handshake)}  {cell.text}",
    )
    yield from finding_blocks(diagnosis.findings, names)
    if not diagnosis.findings:
        yield Prose(nothing_found_text(handshake))
    blind = blind_text(diagnosis, (case,))
    if blind:
        yield Prose(blind, "faint")


def nothing_found_text(handshake: Handshake) -> str:
    """What to say when no cause has anything to say."""
    if handshake.outcome is Outcome.COMPLETED:
        return "Nothing to report."
    return "No known cause fits. `tlsinspect runbook` lists those that were looked for."


# -- what happened --------------------------------------------------------------------------------------------------


def happened_text(case: Case, names: Mapping[str, str] = words.NO_NAMES) -> str:
    """Sentences: what was asked for, what was agreed, who ended it, when."""
    software = software_text(case)
    fits = (f"Its hello fits {software} (likely).",) if software else ()
    sentences = (asked_text(case.handshake), *fits, *agreed_sentences(case, names), ended_text(case.handshake))
    # Of a handshake that failed, decryption-keys-missing tells it.
    hidden = observations(case.handshake) if case.handshake.outcome is Outcome.COMPLETED else ""
    return " ".join(sentences) + hidden


def asked_text(handshake: Handshake) -> str:
    """What the client wanted."""
    said = f"{wanted_text(handshake)}."
    if handshake.preamble:
        return f"After {words.value_text(handshake.preamble.protocol)}, {said}"
    return said[0].upper() + said[1:]


def wanted_text(handshake: Handshake) -> str:
    """The same as a clause."""
    if not handshake.client_hellos:
        return "no ClientHello was seen"
    name = words.server_name(handshake)
    if name is Missing.NOT_SENT:
        return "the client named no server"
    if isinstance(name, str):
        return f"the client asked for '{words.value_text(name)}'"
    return f"the client asked for a server name that is {words.value_text(name)}"


def agreed_sentences(case: Case, names: Mapping[str, str]) -> Iterator[str]:
    """What the server answered, and by which session."""
    version, suite = case.value("server_hello.version"), case.value("server_hello.cipher_suite")
    if isinstance(version, str) and isinstance(suite, str):
        yield f"The server answered with {version} and {suite}."
    accepted = case.handshake.resumption.accepted
    if isinstance(accepted, str):
        how = words.HOW_RESUMED.get(accepted, accepted)
        yield f"It resumed {words.resumed_text(case, names)} ({how})."


def ended_text(handshake: Handshake) -> str:
    """Who ended it, with what, after which message, and when."""
    after = words.duration_text(handshake.ended_ns - handshake.started_ns)
    ending, last = handshake.ending, last_message(handshake)
    behind = f" after the {message_name(last.message)} of the {last.side.value}" if last else ""
    if handshake.outcome is Outcome.COMPLETED:
        late = words.outcome_cell(handshake)
        return f"The handshake completed after {after}." if late.tone == "good" else f"The handshake {late.text}."
    if handshake.outcome is Outcome.CUT:
        return f"The capture ends{behind}, before the handshake is complete."
    if ending is None or ending.side is None:
        return f"Nothing more came{behind}; the connection was {handshake.outcome.value} {after} after its start."
    alert = f" {words.alert_name(ending.alert)}" if ending.alert else ""
    frame = f"frame {ending.frame}, " if ending.frame else ""
    return f"The {ending.side.value} {HOW_ENDED[ending.kind]}{alert}{behind} ({frame}{after} after the start)."
