"""Reports as lines of a fixed width: pieces of text with a tone, for a terminal or a plain file.

All text is made visible here, so that nothing from the wire can move a cursor, hide or reorder text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from tlsinspect.render.escape import visible
from tlsinspect.report.blocks import Block, Cell, Code, Node, Prose, Report, Table, Tree

GAP = "  "
LEAST = 14  # columns: a cell is not wrapped narrower than this, unless its text is
MOST_IN_A_ROW = 46  # a longer cell is wrapped before another column is folded away


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a line."""

    text: str
    tone: str = "plain"  # as of a Cell; also "title", "heading", "head" and "code"


Line = tuple[Piece, ...]


def lines(report: Report, width: int | None) -> Iterator[Line]:
    """The lines of a report; *width* None leaves table rows as wide as they are, for files and pipes."""
    for part in wrapped(visible(report.title), width or PROSE_WIDTH):
        yield (Piece(part, "title"),)
    before: Block | None = None
    for block in report.blocks:
        if not (isinstance(block, Code) and isinstance(before, Prose)):  # code follows what introduces it
            yield ()
        yield from block_lines(block, width)
        before = block


PROSE_WIDTH = 120  # columns of running text where nobody says how wide


def block_lines(block: Block, width: int | None) -> Iterator[Line]:
    """The lines of one block."""
    match block:
        case Table():
            yield from table_lines(block, width)
        case Prose():
            yield from prose_lines(block, width or PROSE_WIDTH)
        case Code():
            for line in block.text.splitlines():
                yield (Piece("    " + visible(line, keep="\t"), "code"),)
        case Tree():
            if block.title:
                yield (Piece(visible(block.title), "heading"),)
            for root in block.roots:
                yield from node_lines(root, "", "", width or PROSE_WIDTH)


def prose_lines(block: Prose, width: int) -> Iterator[Line]:
    """Paragraphs wrapped; items of lists hang."""
    if block.heading:
        for part in wrapped(visible(block.heading), width):
            yield (Piece(part, "heading"),)
    if not block.text:
        return
    for number, paragraph in enumerate(visible(block.text, keep="\n").split("\n\n")):
        if number:
            yield ()
        for item in items(paragraph):
            hang = item[: len(item) - len(item.lstrip())] + ("  " if item.lstrip().startswith("- ") else "")
            for part in wrapped(item, min(width, PROSE_WIDTH), hang):
                yield (Piece(part, block.tone),)


def items(paragraph: str) -> list[str]:
    """A paragraph as one line, or one for each item of a list in it; an indented line stands by itself."""
    found: list[str] = []
    for line in paragraph.strip("\n").split("\n"):
        if found and not line.startswith("- ") and (not line.startswith(" ") or found[-1].startswith("- ")):
            found[-1] += " " + line.strip()
        else:
            found.append(line.rstrip())
    return found


def node_lines(node: Node, lead: str, below: str, width: int) -> Iterator[Line]:
    """A node and what hangs below it."""
    hang = below + ("│  " if node.children else "   ")
    for number, part in enumerate(wrapped(visible(node.cell.text), max(width - len(hang), 30))):
        stem = hang if number else lead
        yield (Piece(stem, "faint"), Piece(part, node.cell.tone)) if stem else (Piece(part, node.cell.tone),)
    for child in node.children:
        last = child is node.children[-1]
        yield from node_lines(child, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "), width)


# -- tables ---------------------------------------------------------------------------------------------------------


def table_lines(table: Table, width: int | None) -> Iterator[Line]:
    """A table; columns that do not fit are folded into a second line below each row."""
    if table.title:
        yield (Piece(visible(table.title), "heading"),)
    heads = [visible(column) for column in table.columns]
    rows = [[Cell(visible(cell.text), cell.tone) for cell in row] for row in table.rows]
    natural = [max(map(columns_of, (head, *(row[at].text for row in rows)))) for at, head in enumerate(heads)]
    kept = kept_columns(table, natural, width)
    folded = [at for at in range(len(heads)) if at not in kept]
    widths = shrunk([natural[at] for at in kept], width)
    yield from row_lines([Cell(heads[at], "head") for at in kept], widths)
    yield (Piece(GAP.join("─" * each for each in (*widths[:-1], min(widths[-1], PROSE_WIDTH))), "faint"),)
    for row in rows:
        yield from row_lines([row[at] for at in kept], widths)
        if folded and table.fold and width:
            indent = " " * (widths[0] + len(GAP))
            shown = [(heads[at], row[at].text) for at in folded if row[at].text not in ("", "—")]
            for part in wrapped(indent + "; ".join(f"{head}: {text}" for head, text in shown), width, indent):
                yield (Piece(part, "faint"),)


def kept_columns(table: Table, natural: list[int], width: int | None) -> list[int]:
    """The columns that stay in the row, in their order."""
    kept = list(range(len(natural)))
    if width is None or not table.keep:
        return kept
    order = [table.columns.index(name) for name in table.keep if name in table.columns]
    firm = order[: table.firm]
    order += [at for at in kept if at not in order]
    for at in reversed(order):
        most = LEAST if at in firm else MOST_IN_A_ROW
        if len(kept) > 1 and needed([natural[each] for each in kept], most) > width:
            kept.remove(at)
    return kept


def needed(natural: list[int], most: int) -> int:
    """The columns of the screen that a row needs when its cells are wrapped at *most*."""
    return sum(min(each, most) for each in natural) + len(GAP) * (len(natural) - 1)


def shrunk(natural: list[int], width: int | None) -> list[int]:
    """Widths that fit: the widest columns give way first."""
    if width is None:
        return natural
    widths = [min(each, width) for each in natural]
    for _ in range(sum(widths) + len(GAP) * (len(widths) - 1) - width):
        widest = widths.index(max(widths))
        if widths[widest] > LEAST:
            widths[widest] -= 1
    return widths


def row_lines(row: list[Cell], widths: list[int]) -> Iterator[Line]:
    """One row, as high as its highest cell."""
    cells = [wrapped(cell.text, width) for cell, width in zip(row, widths, strict=True)]
    for level in range(max(map(len, cells))):
        pieces: list[Piece] = []
        for at, cell in enumerate(cells):
            text = cell[level] if level < len(cell) else ""
            tone = row[at].tone
            pieces.append(Piece(text, tone))
            if at < len(cells) - 1:
                pieces.append(Piece(" " * (widths[at] - columns_of(text)) + GAP))
        yield stripped(pieces)


def stripped(pieces: list[Piece]) -> Line:
    """The line without blanks at its end."""
    while pieces and not pieces[-1].text.strip():
        pieces.pop()
    return tuple(pieces)


# -- widths ---------------------------------------------------------------------------------------------------------


def columns_of(text: str) -> int:
    """How many columns a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(columns_of_character(character) for character in text)


def columns_of_character(character: str) -> int:
    """2 for wide characters, 0 for combining marks."""
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def wrapped(text: str, width: int, hang: str = "") -> list[str]:
    """The text in lines of at most *width* columns, broken at spaces where it can; *hang* begins the later ones."""
    if columns_of(text) <= width:
        return [text]
    hang = hang if len(hang) <= width // 2 else ""
    found: list[str] = []
    line = ""
    for number, word in enumerate(text.split(" ")):
        begins = not number or (found and line == hang)  # with a word, not with the blanks that it was broken at
        candidate = line + word if begins else f"{line} {word}"
        if columns_of(candidate) <= width:
            line = candidate
            continue
        if line.strip():
            found.append(line.rstrip())
            candidate = hang + word
        while columns_of(candidate) > width:
            head, rest = broken(candidate, width)
            found.append(head)
            candidate = hang + rest
        line = candidate
    return [*found, line] if line.strip() else found


def broken(text: str, width: int) -> tuple[str, str]:
    """A line that has no space to break at, in two; after a mark such as ',' or '/' where one is not far."""
    at, used = 0, 0
    for character in text:
        used += columns_of_character(character)
        if used > width:
            break
        at += 1
    at = max(at, 1)
    # No line begins with the comma behind a word that just fits.
    least = 1 if text[at : at + 1] in ",;" else at // 3
    mark = max(text.rfind(mark, least, at) for mark in "/,:;=&-_.") + 1
    at = mark or at
    return text[:at], text[at:]
