"""Reports to the screen or to a file."""

from __future__ import annotations

import sys
from typing import TextIO

from tlsinspect.cli.options import Output
from tlsinspect.render import FORMATS
from tlsinspect.report.blocks import Report


def write(report: Report, output: Output) -> None:
    """Writes a report where it shall go.  Raises OSError when it cannot be written."""
    render = FORMATS[output.format]
    if output.file is None or str(output.file) == "-":
        render(report, screen())
        sys.stdout.flush()
        return
    with output.file.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        render(report, file)


def screen() -> TextIO:
    """Standard output; a character that it cannot show is spelled out."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    return sys.stdout
