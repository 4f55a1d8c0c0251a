"""`show CAPTURE...`: one row per handshake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tlsinspect.diagnosis.rule import Case
from tlsinspect.model.frame import Missing
from tlsinspect.report import words
from tlsinspect.report.blocks import Cell, Prose, Report, Table
from tlsinspect.report.objects import Listed, Shown

COLUMNS = (
    "#",
    "Time (UTC)",
    "Client",
    "Server",
    "Server name",
    "Version",
    "ALPN",
    "Certificate",
    "Client auth",
    "Session",
    "Outcome",
)
# What must stay in the row on a narrow screen comes first; the rest goes to a second line below it.
FIRST = ("#", "Outcome", "Server name", "Server", "Capture", "Version", "Client auth", "Session", "Client")


def handshake_list(captures: Sequence[str], cases: Sequence[Case]) -> Report:
    """One row per handshake, in the order given."""
    several = len(captures) > 1
    columns = ("Capture", *COLUMNS) if several else COLUMNS
    names = words.names_of(cases)
    rows = tuple(
        (Cell(words.capture_text(case.handshake, names)), *row(case, names)) if several else row(case) for case in cases
    )
    shown = tuple(map(Shown, cases))
    table = Table(columns, rows, keep=FIRST, firm=4)
    return Report(
        title=f"{counted(len(cases), 'handshake')} in {', '.join(captures)}",
        blocks=(table,) if cases else (Prose(nothing_text(captures)),),
        data=Listed(tuple(captures), shown),
        lines=shown,
    )


def row(case: Case, names: Mapping[str, str] = words.NO_NAMES) -> tuple[Cell, ...]:
    """The cells of one handshake, in the order of COLUMNS."""
    handshake = case.handshake
    return (
        Cell(words.stream_text(handshake)),
        Cell(words.clock_text(handshake.started_ns)),
        Cell(str(handshake.client)),
        Cell(str(handshake.server)),
        words.server_name_cell(handshake),
        words.version_cell(handshake),
        alpn_cell(case),
        words.server_certificate_cell(handshake),
        words.client_authentication_cell(handshake),
        words.session_cell(case, names),
        words.outcome_cell(handshake),
    )


def alpn_cell(case: Case) -> Cell:
    """The protocol chosen; where none is seen, what was offered."""
    chosen, offered = case.value("server_hello.alpn"), case.value("client_hello.alpn")
    if isinstance(chosen, str):
        return Cell(words.value_text(chosen))
    if offered is Missing.NOT_SENT:
        return Cell("not offered", "faint")
    if not isinstance(offered, tuple):
        return words.value_cell(offered)
    text = words.elements_text(offered, 4)
    return Cell(f"hidden, offered {text}" if chosen is Missing.HIDDEN else f"offered {text}", "faint")


def nothing_text(captures: Sequence[str]) -> str:
    """What to say when there is no row."""
    return f"No TLS handshake in {', '.join(captures)} that fits."


def counted(count: int, noun: str) -> str:
    """Such as "1 handshake" or "no handshakes"."""
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
