from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tlsinspect.render.layout import columns_of, lines, wrapped
from tlsinspect.report.blocks import Cell, Node, Prose, Report, Table, Tree


def text_of(report: Report, width: int | None) -> list[str]:
    return ["".join(piece.text for piece in line) for line in lines(report, width)]


def table(*rows: tuple[str, ...], columns: tuple[str, ...], keep: tuple[str, ...] = ()) -> Report:
    return Report("T", (Table(columns, tuple(tuple(Cell(text) for text in row) for row in rows), keep=keep),))


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cn", "Zl", "Zp", "Mn", "Me"))))
def test_wrapped_text_keeps_all_but_blanks_and_fits(text: str) -> None:
    parts = wrapped(text, 10)

    assert "".join("".join(parts).split(" ")) == "".join(text.split(" "))
    assert all(columns_of(part) <= 10 for part in parts)


def test_wide_characters_take_two_columns() -> None:
    assert columns_of("日本") == 4


def test_combining_marks_take_no_column() -> None:
    assert columns_of("é") == 1


def test_a_row_is_one_line_when_nobody_says_how_wide() -> None:
    shown = text_of(table(("a" * 300, "end"), columns=("A", "B")), None)

    assert shown[-1] == "a" * 300 + "  end"


def test_columns_that_do_not_fit_fold_below_the_row_by_importance() -> None:
    report = table(("1", "x" * 30, "y" * 30), columns=("#", "Minor", "Major"), keep=("#", "Major", "Minor"))

    assert text_of(report, 40)[2:] == [
        "#  Major",
        "─  ──────────────────────────────",
        "1  " + "y" * 30,
        "   Minor: " + "x" * 30,
    ]


def test_no_line_of_a_folded_table_is_wider_than_the_screen() -> None:
    cells = tuple(f"{letter}{'-word' * 9}" for letter in "abcdefgh")
    report = table(cells, cells, columns=tuple("ABCDEFGH"), keep=("A", "C"))

    for width in (40, 80, 120, 200):
        assert max(map(columns_of, text_of(report, width))) <= width


def test_paragraphs_and_items_keep_apart() -> None:
    shown = text_of(Report("T", (Prose("One\ntwo.\n\n- first\n- second"),)), 80)

    assert shown[2:] == ["One two.", "", "- first", "- second"]


def test_no_line_of_a_tree_is_wider_than_the_screen() -> None:
    cell = Cell("word " * 40)
    shown = text_of(Report("T", (Tree((Node(cell, (Node(cell, (Node(cell),)),)),)),)), 50)

    assert max(map(columns_of, shown)) <= 50


def test_a_line_that_is_broken_at_two_blanks_begins_with_the_hang_alone() -> None:
    assert wrapped("- value of one  [filter of one]", 16, "  ") == ["- value of one", "  [filter of", "  one]"]


def test_a_heading_without_text_has_no_blank_line_below() -> None:
    assert text_of(Report("T", (Prose("", heading="Heading"),)), 80) == ["T", "", "Heading"]


def test_no_line_begins_with_the_comma_behind_a_word_that_fits() -> None:
    assert wrapped("CN=certauth.example, CN=Other", 19) == ["CN=certauth.", "example, CN=Other"]
