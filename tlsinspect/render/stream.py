"""A table whose rows come one by one: its widths are chosen before the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tlsinspect.render.escape import visible
from tlsinspect.render.layout import GAP, Line, Piece, columns_of, kept_columns, row_lines, shrunk, wrapped
from tlsinspect.report.blocks import Cell, Table


class StreamedTable:
    """Lines for a head and for rows, all with the same widths.

    Owns the widths: those that the columns usually need, as far as *width* has room for them.  Without *width* each
    row is one line, of whatever length, so that every row can be searched for.
    """

    def __init__(self, table: Table, usual: Sequence[int], width: int | None) -> None:
        self._heads = [visible(column) for column in table.columns]
        self._width = width
        natural = [max(columns_of(head), each) for head, each in zip(self._heads, usual, strict=True)]
        self._kept = kept_columns(table, natural, width)
        self._folded = [at for at in range(len(natural)) if at not in self._kept]
        self._widths = shrunk([natural[at] for at in self._kept], width)
        if width is not None:  # what is left goes to the last column, which holds the longest sentences
            self._widths[-1] += max(width - sum(self._widths) - len(GAP) * (len(self._widths) - 1), 0)

    def head(self) -> Iterator[Line]:
        """The headings."""
        yield from row_lines([Cell(self._heads[at], "head") for at in self._kept], self._widths)
        yield (Piece(GAP.join("─" * each for each in self._widths), "faint"),)

    def row(self, cells: Sequence[Cell], note: Cell | None) -> Iterator[Line]:
        """A row; what does not fit stands below it, and then the note, or behind it where there is no width."""
        row = [Cell(visible(cell.text), cell.tone) for cell in cells]
        kept = [row[at] for at in self._kept]
        if self._width is None:
            kept += [] if note is None else [Cell(visible(note.text), note.tone)]
            widths = [max(columns_of(cell.text), each) for cell, each in zip(kept, (*self._widths, 0), strict=False)]
            yield from row_lines(kept, widths)
            return
        yield from row_lines(kept, self._widths)
        indent = " " * (self._widths[0] + len(GAP))
        shown = [(self._heads[at], row[at].text) for at in self._folded if row[at].text not in ("", "—")]
        if shown:
            for part in wrapped(indent + "; ".join(f"{head}: {text}" for head, text in shown), self._width, indent):
                yield (Piece(part, "faint"),)
        if note is not None:
            for part in wrapped(indent + visible(note.text), self._width, indent + "  "):
                yield (Piece(part, note.tone),)
