"""Reports as JSON.  All but ASCII is escaped, so that nothing odd reaches a terminal."""

from __future__ import annotations

import json
from typing import TextIO

from tlsinspect.report.blocks import Report
from tlsinspect.report.objects import made

LINES = json.JSONEncoder(separators=(",", ":"), check_circular=False)  # json.dumps makes one for each line


def render(report: Report, out: TextIO, *, width: int | None = None) -> None:
    """Writes one object.  JSON has no width."""
    out.write(json.dumps(made(report.data), indent=2) + "\n")


def one_line(value: object) -> str:
    """A value as one line of JSON."""
    return LINES.encode(value)
