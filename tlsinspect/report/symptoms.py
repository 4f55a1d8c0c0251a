"""What people see, and the causes that come into question: by alert, and by what else stands in logs."""

from __future__ import annotations

from collections.abc import Sequence

from tlsinspect import registry
from tlsinspect.diagnosis.log_lines import TEXTS
from tlsinspect.diagnosis.rule import Cause
from tlsinspect.report.blocks import Cell, Prose, Report, Table
from tlsinspect.report.log_search import alerts_in, vocabulary

FROM_SERVER, FROM_CLIENT = "toward:server", "toward:client"  # whoever logs it spoke with a server, or with a client


def alert_table(causes: Sequence[Cause], order: Sequence[str]) -> Table:
    """Each alert with its names in logs and its causes, those first that stand first in *order*."""
    known, _ = vocabulary(tuple(causes))
    rank = {code: at for at, code in enumerate(order)}

    def causes_of(number: int, direction: str) -> str:
        marks = {f"alert:{number}", direction}
        typical: dict[str, tuple[int, int]] = {}
        for one in known:
            if marks <= one.marks:
                typical.setdefault(one.cause.code, (one.place, rank.get(one.cause.code, len(rank))))
        return ", ".join(sorted(typical, key=lambda code: typical[code]))

    rows = tuple(
        (
            Cell(f"{registry.ALERTS.name(number)}({number})"),
            Cell(f"{openssl}; Go: {go}"),
            Cell(causes_of(number, FROM_SERVER) or "-"),
            Cell(causes_of(number, FROM_CLIENT) or "-"),
        )
        for number, (_, openssl, _, go) in TEXTS.items()
    )
    columns = ("Alert", "Logs say", "When the server sent it", "When the client sent it")
    return Table(columns, rows, title="By alert", keep=("Alert", *columns[2:], "Logs say"), firm=3)


def line_index(causes: Sequence[Cause]) -> Report:
    """What else stands in logs, and the causes that leave it."""
    known, _ = vocabulary(tuple(causes))
    seen: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for one in known:
        if not alerts_in(one.marks):
            products, codes = seen.setdefault(one.text, ({}, {}))
            products[one.product] = None
            codes[one.cause.code] = None
    rows = tuple(
        (Cell(text), Cell(", ".join(products)), Cell(", ".join(codes)))
        for text, (products, codes) in sorted(seen.items(), key=lambda each: each[0].lstrip("*-[( ").lower())
    )
    hint = (
        "Lines that name an alert are in the index by alert. Words in capitals stand for what differs from line to "
        "line. `tlsinspect runbook --log 'LINE'` compares a whole line, alerts included."
    )
    return Report(
        title="What logs say",
        blocks=(Prose(hint, markdown=True), Table(("Seen in a log or by a user", "Product", "Cause"), rows)),
    )
