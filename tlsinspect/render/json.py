"""Reports as JSON.  All but ASCII is escaped, so that nothing odd reaches a terminal."""

from __future__ import annotations

import json
from typing import TextIO

from tlsinspect.report.blocks import Report
from tlsinspect.report.objects import made

# A value as one line of JSON.  The method itself: json.dumps makes an encoder for each line, and a function around it
# is one call more for each value.
one_line = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def render(report: Report, out: TextIO, *, width: int | None = None) -> None:
    """Writes one object.  JSON has no width."""
    out.write(json.dumps(made(report.data), indent=2) + "\n")
