"""What `capture` shows while it runs: a live table, plain rows, or lines of JSON."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, TextIO

from tlsinspect.cli.output import screen
from tlsinspect.diagnosis.engine import Diagnosis
from tlsinspect.diagnosis.rule import Case
from tlsinspect.render.escape import visible
from tlsinspect.render.layout import Line, Piece
from tlsinspect.render.line import Lines
from tlsinspect.render.stream import StreamedTable
from tlsinspect.render.terminal import STYLES, columns_of_environment
from tlsinspect.report.blocks import Cell
from tlsinspect.report.listing import row
from tlsinspect.report.live import ROWS, USUAL_WIDTHS, note

if TYPE_CHECKING:
    from rich.text import Text  # imported when a terminal is there

REFRESH_SECONDS = 0.25
MOST_UNDER_WAY = 8  # lines for handshakes that have not ended


class View(Protocol):
    """Where rows go."""

    def show(self, case: Case, diagnosis: Diagnosis) -> None:
        """A handshake that has ended."""

    def refresh(self, status: Callable[[], str], under_way: Callable[[], Sequence[Cell]]) -> None:
        """Called again and again; asks for what it shows."""

    def close(self) -> None:
        """Nothing more comes."""


class JsonLines:
    """One object a line, flushed.  Owns the texts that are kept of lines; standard output is the caller's."""

    def __init__(self) -> None:
        self._out = screen()
        self._lines = Lines()

    def show(self, case: Case, diagnosis: Diagnosis) -> None:
        """One line."""
        self._out.write(self._lines.line(case, diagnosis) + "\n")
        self._out.flush()

    def refresh(self, status: Callable[[], str], under_way: Callable[[], Sequence[Cell]]) -> None:
        """JSON has only what has ended."""

    def close(self) -> None:
        """Everything is written."""


class PlainRows:
    """One row a line, flushed, for files and pipes.  Owns the widths of the columns."""

    def __init__(self) -> None:
        self._out = screen()
        self._table = StreamedTable(ROWS, USUAL_WIDTHS, columns_of_environment())
        self._write(self._table.head())

    def show(self, case: Case, diagnosis: Diagnosis) -> None:
        """One row."""
        self._write(self._table.row(row(case), note(diagnosis)))

    def refresh(self, status: Callable[[], str], under_way: Callable[[], Sequence[Cell]]) -> None:
        """A file has only what has ended."""

    def close(self) -> None:
        """Everything is written."""

    def _write(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._out.write("".join(piece.text for piece in line).rstrip() + "\n")
        self._out.flush()


class LiveTable:
    """Rows that scroll, and below them what is under way.

    Owns the lower part of the terminal until it is closed; its width is looked at once, when it begins.
    """

    def __init__(self, out: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=out, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._live = Live("", console=self._console, auto_refresh=False, transient=True, redirect_stderr=False)
        self._live.start()
        self._width = max(self._console.width, 20)
        self._table = StreamedTable(ROWS, USUAL_WIDTHS, self._width)
        self._next = 0.0
        self._lines = list(self._table.head())  # not shown yet

    def show(self, case: Case, diagnosis: Diagnosis) -> None:
        """One row, shown with the next refresh."""
        self._lines += self._table.row(row(case), note(diagnosis))

    def refresh(self, status: Callable[[], str], under_way: Callable[[], Sequence[Cell]]) -> None:
        """Shows new rows and what is under way: with each new row, else a few times a second."""
        if not self._lines and time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REFRESH_SECONDS
        cells = under_way()
        shown: list[Line] = [(Piece(cut(cell.text, self._width), cell.tone),) for cell in cells[:MOST_UNDER_WAY]]
        if len(cells) > MOST_UNDER_WAY:
            shown.append((Piece(f"and {len(cells) - MOST_UNDER_WAY} more under way", "faint"),))
        shown.append((Piece(cut(status(), self._width), "heading"),))
        with self._console:  # written at once: rows and what is below them always fit together
            self._scroll()
            self._live.update(coloured(shown), refresh=True)

    def close(self) -> None:
        """Leaves the rows on the screen, and takes the rest away."""
        self._scroll()
        self._live.stop()

    def _scroll(self) -> None:
        if self._lines:
            self._console.print(coloured(self._lines), soft_wrap=True)
            self._lines = []


def view_of(format_: str) -> View:
    """The view for a format and for where standard output goes."""
    if format_ == "jsonl":
        return JsonLines()
    out = screen()
    return LiveTable(out) if out.isatty() and os.environ.get("TERM") != "dumb" else PlainRows()


def coloured(lines: Sequence[Line]) -> Text:
    """Lines for rich, as Text, so that markup is never read."""
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ignore")
    for number, line in enumerate(lines):
        text.append("\n" if number else "")
        for piece in line:
            text.append(piece.text, STYLES.get(piece.tone, ""))
    return text


def cut(text: str, width: int) -> str:
    """Text that fits into a line."""
    text = visible(text)
    return text if len(text) <= width else text[: width - 1] + "…"
