"""Reports as GitHub-flavoured Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TextIO

from tlsinspect.render.escape import visible
from tlsinspect.render.layout import items
from tlsinspect.report.blocks import Block, Cell, Code, Node, Prose, Report, Table, Tree

# What GitHub reads as markup within a line, and at the beginning of one; a link or an address wherever it stands.
SPECIAL = re.compile(r"([\\`*_\[\]|~$])")
AT_THE_START = re.compile(r"^(\s*)([#+=-]|[0-9]+(?=[.)]))")
LINKS = re.compile(r":(?=//)|(?<=www)\.|@", re.IGNORECASE)
ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
MARKERS = {"bad": "❌ ", "good": "✅ ", "warn": "⚠️ ", "changed": "**≠** "}


def render(report: Report, out: TextIO, *, width: int | None = None) -> None:
    """Writes *report* to *out*.  Markdown has no width."""
    out.write(f"# {escape(report.title)}\n")
    for block in report.blocks:
        out.write("\n")
        for line in block_lines(block):
            out.write(line + "\n")


def escape(text: str) -> str:
    """Text that came off the wire must not become markup, a link, a mention or an address."""
    shown = SPECIAL.sub(r"\\\1", visible(text))
    shown = "".join(ENTITIES.get(character, character) for character in shown)
    shown = LINKS.sub(lambda found: f"&#{ord(found[0])};", shown)
    return AT_THE_START.sub(lambda found: f"{found[1]}&#{ord(found[2][0])};{found[2][1:]}", shown)


def block_lines(block: Block) -> Iterator[str]:
    """The lines of one block."""
    match block:
        case Table():
            yield from table_lines(block)
        case Prose():
            yield from prose_lines(block)
        case Code():
            yield from code_lines(block)
        case Tree():
            if block.title:
                yield f"## {escape(block.title)}"
                yield ""
            for root in block.roots:
                yield from node_lines(root, "")


def prose_lines(block: Prose) -> Iterator[str]:
    """Paragraphs; our own Markdown passes as it is."""
    if block.heading:
        yield f"{'#' * block.level} {escape(block.heading)}"
        if block.text:
            yield ""
    if block.markdown:
        yield block.text
        return
    for number, paragraph in enumerate(block.text.split("\n\n") if block.text else ()):
        if number:
            yield ""
        for item in items(paragraph):
            listed = item.startswith("- ")
            yield f"- {escape(item[2:])}" if listed else escape(item.strip()) + ("  " if "\n" in paragraph else "")


def code_lines(block: Code) -> Iterator[str]:
    """A fenced block, with a fence longer than any within."""
    text = visible(block.text, keep="\n\t")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    yield fence + re.sub(r"[^A-Za-z0-9+-]", "", block.language)
    yield from text.split("\n")
    yield fence


def table_lines(table: Table) -> Iterator[str]:
    """A table of GitHub's kind."""
    if table.title:
        yield f"## {escape(table.title)}"
        yield ""
    yield "| " + " | ".join(escape(column) for column in table.columns) + " |"
    yield "|" + " --- |" * len(table.columns)
    for row in table.rows:
        yield "| " + " | ".join(cell_text(cell) for cell in row) + " |"


def cell_text(cell: Cell) -> str:
    """A cell; its tone as a mark, as Markdown has no colours."""
    return MARKERS.get(cell.tone, "") + escape(cell.text)


def node_lines(node: Node, indent: str) -> Iterator[str]:
    """A node of a tree as an item of a nested list."""
    yield f"{indent}- {cell_text(node.cell)}"
    for child in node.children:
        yield from node_lines(child, indent + "  ")
