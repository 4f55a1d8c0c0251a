"""What a screen or a page is made of.  No colours, no markup, no widths."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: its text, and how it is meant."""

    text: str
    tone: str = "plain"  # "plain", "good", "bad", "warn", "changed" or "faint"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under headings."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    keep: tuple[str, ...] = ()  # columns by importance: on a narrow screen the last of them leave the row first
    firm: int = 0  # how many of *keep* stay in the row, wrapped, as long as they fit at all
    fold: bool = True  # what leaves the row stands below it; False: it is left out, as it repeats what is known


@dataclass(frozen=True, slots=True)
class Prose:
    """Paragraphs, parted by empty lines; a line that begins with "- " is an item of a list.

    Text that came off the wire stands in *quoted* pieces, which renderers escape.
    """

    text: str
    tone: str = "plain"
    heading: str = ""
    level: int = 2  # of the heading; 1 is the title of the report
    markdown: bool = False  # the text is our own and Markdown already, such as a page of the runbook


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to copy: configuration, a command, a display filter."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One line of a tree and what hangs below it."""

    cell: Cell
    children: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """Lineage, as a forest."""

    roots: tuple[Node, ...]
    title: str = ""


Block = Table | Prose | Code | Tree


@dataclass(frozen=True, slots=True)
class Report:
    """A title, blocks for people, and the same content for machines."""

    title: str
    blocks: tuple[Block, ...]
    data: object = None  # what the JSON renderer prints; objects.made of it
    lines: tuple[object, ...] = ()  # what the JSON Lines renderer prints, one object a line; likewise
