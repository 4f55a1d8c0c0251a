from __future__ import annotations

import pytest

from tlsinspect.render.layout import Line, columns_of
from tlsinspect.render.stream import StreamedTable
from tlsinspect.report.blocks import Cell, Table
from tlsinspect.report.live import ROWS, USUAL_WIDTHS

CELLS = [
    Cell(text)
    for text in (
        *("12", "09:00:00.123", "192.0.2.1:40312", "[2001:db8:0:1:2:3:4:5]:65535", "a-long-name.of-a-host.example"),
        *("TLS 1.3", "hidden, offered h2, http/1.1", "CN=*.example", "not requested", "new"),
        "rejected by the server: unrecognized_name(112)",
    )
]
NOTE = Cell("The client sent no server name [sni-missing]", "bad")


def texts(lines: list[Line]) -> list[str]:
    return ["".join(piece.text for piece in line) for line in lines]


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    table = StreamedTable(ROWS, USUAL_WIDTHS, width)
    lines = texts([*table.head(), *table.row(CELLS, NOTE)])

    assert max(map(columns_of, lines)) <= width


@pytest.mark.parametrize("width", [80, 200])
def test_everything_is_shown_at_any_width(width: int) -> None:
    table = StreamedTable(ROWS, USUAL_WIDTHS, width)
    shown = "".join("".join(texts(list(table.row(CELLS, NOTE)))).split())

    for cell in (CELLS[1], CELLS[5], CELLS[7], CELLS[8], NOTE):
        assert "".join(cell.text.split()) in shown


def test_rows_stand_under_their_heads() -> None:
    table = StreamedTable(ROWS, USUAL_WIDTHS, 200)
    head, row = texts(list(table.head()))[0], texts(list(table.row(CELLS, None)))[0]

    for name, text in (("Time (UTC)", "09:00:00.123"), ("Version", "TLS 1.3"), ("Session", "new")):
        assert head.index(name) == row.index(text)


def test_without_a_width_each_row_is_one_line_with_its_note_at_the_end() -> None:
    table = StreamedTable(ROWS, USUAL_WIDTHS, None)
    (line,) = texts(list(table.row(CELLS, NOTE)))

    assert all(cell.text in line for cell in CELLS)
    assert line.endswith(NOTE.text)


def test_text_from_the_wire_is_made_visible() -> None:
    table = StreamedTable(Table(("A", "B"), ()), (4, 4), None)
    (line,) = texts(list(table.row((Cell("\x1b[2J"), Cell("\u202e")), Cell("\r"))))

    assert line.split() == [r"\x1b[2J", r"\u202e", r"\r"]
