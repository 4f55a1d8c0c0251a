"""No renderer lets text from the wire act on a screen or a page."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlsinspect.render import FORMATS
from tlsinspect.report.blocks import Cell, Code, Node, Prose, Report, Table, Tree

HOSTILE = st.one_of(
    st.text(st.characters(), max_size=40),
    st.sampled_from(
        (
            "\x1b[31mred\x1b]0;title\x07",
            "[bold]x[/bold]",
            "<script>alert(1)</script>",
            "a|b`c`*d*_e_<f>",
            "\u202egnp.exe",
            "\ud800",
            "a\u200bb",
            "![x](http://a.example/)",
            "</pre></td>",
            "\r\nrow | two",
            "```\n# heading",
            "\U000e0041",
            "javascript:alert(1)",
        )
    ),
)
ALLOWED = frozenset("\n\t")


def rendered(report: Report, name: str, width: int | None = None) -> str:
    out = io.StringIO()
    FORMATS[name](report, out, width=width)
    return out.getvalue()


def report_of(text: str) -> Report:
    cell = Cell(text, "bad")
    return Report(
        title=text,
        blocks=(
            Table((text, "B"), ((cell, Cell("x")), (Cell("y"), cell)), title=text),
            Prose(text, heading=text),
            Code(text, text),
            Tree((Node(cell, (Node(cell),)),), title=text),
        ),
        data={"text": text},
        lines=({"text": text},),
    )


@pytest.mark.parametrize("name", FORMATS)
@settings(deadline=None, max_examples=150)
@given(text=HOSTILE, width=st.sampled_from((None, 20, 80)))
def test_nothing_that_controls_a_terminal_comes_out(name: str, text: str, width: int | None) -> None:
    shown = rendered(report_of(text), name, width)

    unsafe = {c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")} - ALLOWED
    # The variation selector of the marks in Markdown is ours; it is no format character.
    assert not unsafe


class Tags(HTMLParser):
    """Collects the elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}


def tags(page: str) -> tuple[set[str], set[str]]:
    parser = Tags()
    parser.feed(page)
    return parser.seen, parser.attributes


@settings(deadline=None, max_examples=150)
@given(text=HOSTILE)
def test_text_adds_no_element_and_no_attribute_to_a_page(text: str) -> None:
    seen, attributes = tags(rendered(report_of(text), "html"))

    assert seen <= {*tags(rendered(report_of("harmless"), "html"))[0], "br"}
    assert attributes <= {"class", "lang", "charset", "name", "content", "scope"}


@settings(deadline=None, max_examples=150)
@given(text=HOSTILE)
def test_text_opens_no_markup_in_markdown(text: str) -> None:
    report = Report(title="T", blocks=(Table(("A",), ((Cell(text),),)),))
    row = rendered(report, "markdown").splitlines()[4]

    bare = re.sub(r"\\[^A-Za-z0-9\s]|&[a-z]+;|&#[0-9]+;", "", row.removeprefix("| ").removesuffix(" |"))
    assert not set(bare) & set("|`<>[]*_~$@")


@settings(deadline=None, max_examples=150)
@given(text=HOSTILE)
def test_a_fence_is_longer_than_any_run_of_backticks_within(text: str) -> None:
    lines = rendered(Report(title="T", blocks=(Code(text),)), "markdown").split("\n")[2:]

    fence = lines[0]
    assert [line for line in lines if line.startswith(fence)] == [fence, fence]


@settings(deadline=None, max_examples=150)
@given(text=HOSTILE)
def test_json_is_ascii_and_keeps_every_character(text: str) -> None:
    for name in ("json", "jsonl"):
        shown = rendered(report_of(text), name)

        assert shown.isascii()
        assert json.loads(shown) == {"text": text}


def test_rich_markup_is_not_read() -> None:
    assert "[bold]x[/bold]" in rendered(report_of("[bold]x[/bold]"), "table", 80)


def test_controls_are_spelled_out() -> None:
    shown = rendered(Report(title="T", blocks=(Prose("a\x1b[31mb\u202ec\u200bd\ud800e"),)), "table")

    assert r"a\x1b[31mb\u202ec\u200bd\ud800e" in shown


@pytest.mark.parametrize(
    "text", ["# a", "- a", "1. a", "+ a", "=== a", "> a", "http://a.example", "www.a.example", "a@b"]
)
def test_text_begins_no_block_and_makes_no_link_in_markdown(text: str) -> None:
    line = rendered(Report(title=text, blocks=()), "markdown").splitlines()[0].removeprefix("# ")

    assert not re.match(r"[#+=>-]|[0-9]+[.)]", line)
    assert not re.search(r"://|www\.|@", line)
