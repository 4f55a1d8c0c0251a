"""Reports as text: coloured on a terminal, plain in a file or a pipe."""

from __future__ import annotations

import os
from typing import TextIO

from tlsinspect.render.layout import Line, lines
from tlsinspect.report.blocks import Report

STYLES = {
    "title": "bold",
    "heading": "bold",
    "head": "bold",
    "good": "green",
    "bad": "red",
    "warn": "yellow",
    "changed": "cyan",
    "faint": "dim",
    "code": "blue",
}


def render(report: Report, out: TextIO, *, width: int | None = None) -> None:
    """Writes *report* to *out*, in colours when that is a terminal and NO_COLOR is not set.

    Without *width*, a terminal's own width counts, and a file or pipe gets one line for each row, whatever its
    length, so that nothing is cut and every row can be searched for.
    """
    if out.isatty():
        write_coloured(report, out, width)
        return
    for line in lines(report, width or columns_of_environment()):
        out.write("".join(piece.text for piece in line) + "\n")


def columns_of_environment() -> int | None:
    """The width that COLUMNS asks for."""
    columns = os.environ.get("COLUMNS", "")
    return max(int(columns), 20) if columns.isdecimal() and columns.isascii() else None


def write_coloured(report: Report, out: TextIO, width: int | None) -> None:
    """Writes through rich, which knows terminals; text goes in as Text objects, so markup is never read."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=out, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def coloured(line: Line) -> Text:
        text = Text()
        for piece in line:
            text.append(piece.text, STYLES.get(piece.tone, ""))
        return text

    for line in lines(report, width or max(console.width, 20)):
        console.print(coloured(line), soft_wrap=True)
