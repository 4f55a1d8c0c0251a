"""Everything that is made of handshakes, and what must hold of it whatever the capture was."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Iterable, Sequence

from fuzzing.opened import NAME
from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.diagnosis.engine import diagnose, explain
from tlsinspect.diagnosis.rule import Case, Meant
from tlsinspect.model.handshake import Handshake
from tlsinspect.render import FORMATS
from tlsinspect.report.blocks import Report
from tlsinspect.report.chains import chains
from tlsinspect.report.explanation import explanation
from tlsinspect.report.handshake import handshake_report
from tlsinspect.report.lineage import lineage
from tlsinspect.report.listing import handshake_list
from tlsinspect.report.pair import pair_report
from tlsinspect.selection import pick_pair
from tlsinspect.sessions import Sessions

MOST_IN_FULL = 4  # handshakes that get a page of their own
UNSAFE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))  # categories of characters that act on a screen
ALLOWED = frozenset("\n\t")
TEXTUAL = ("table", "markdown", "html")


def cases_of(handshakes: Iterable[Handshake]) -> list[Case]:
    """The cases of handshakes, with the origins of resumed sessions."""
    known = Sessions()
    found = list(handshakes)
    for handshake in found:
        known.add(handshake)
    meant = Meant(host="shop.example")
    return [Case(handshake=each, origin=known.origin(each), meant=meant) for each in found]


def check_views(handshakes: Iterable[Handshake], *, formats: Sequence[str] = ("table",)) -> None:
    """Makes every view in some formats.  Raises AssertionError for JSON that is none, and for unsafe characters."""
    cases = cases_of(handshakes)
    explained = [(case, diagnose(case, CAUSES)) for case in cases]
    reports = [
        handshake_list((NAME,), cases),
        explanation((NAME,), explained),
        lineage((NAME,), cases),
        chains((NAME,), cases),
        *(handshake_report((NAME,), case) for case in cases[:MOST_IN_FULL]),
    ]
    if len(cases) > 1:
        pair = pick_pair([cases[0].handshake], [cases[-1].handshake])
        diagnosis = explain(cases[0], cases[-1], CAUSES)
        reports.append(pair_report(cases[0], cases[-1], diagnosis, pair=pair, everything=True))
    for report in reports:
        for line in rendered(report, "jsonl").splitlines():
            json.loads(line, parse_constant=refuse_constant)
        for name in formats:
            check_text(rendered(report, name))


def rendered(report: Report, name: str) -> str:
    """A report in one format."""
    out = io.StringIO()
    FORMATS[name](report, out, width=100)
    return out.getvalue()


def check_text(text: str) -> None:
    """Raises AssertionError when a character would act on a screen."""
    if text.isascii() and text.isprintable():
        return
    unsafe = {each for each in set(text) - ALLOWED if unicodedata.category(each) in UNSAFE}
    assert not unsafe, f"unsafe characters in the output: {sorted(map(ascii, unsafe))}"


def refuse_constant(name: str) -> None:
    """Raises AssertionError: NaN and Infinity are no JSON (RFC 8259 section 6)."""
    raise AssertionError(f"{name} is no JSON")
