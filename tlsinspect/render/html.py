"""Reports as one HTML page that needs nothing else: no scripts, no fonts, no network."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TextIO

from tlsinspect.render.escape import visible
from tlsinspect.render.layout import items
from tlsinspect.report.blocks import Block, Cell, Code, Node, Prose, Report, Table, Tree

STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --paper: #fff; --rule: #d5dae0; --band: #f4f6f8;
  --good: #1a7f37; --bad: #b42318; --warn: #8a5a00; --changed: #0b5cad; --faint: #67707a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --paper: #14171a; --rule: #353b42; --band: #1d2226;
  --good: #57c878; --bad: #ff8a80; --warn: #e8b84a; --changed: #7ab8ff; --faint: #98a2ad; } }
body { margin: 2rem auto; max-width: 76rem; padding: 0 1.25rem; color: var(--ink); background: var(--paper);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.45rem; line-height: 1.25; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--rule); }
td { min-width: 4rem; } th { white-space: nowrap; }
pre, code { font: .88em/1.45 ui-monospace, monospace; background: var(--band); }
pre { padding: .6rem .8rem; border-radius: 4px; overflow-x: auto; } code { padding: .1em .25em; border-radius: 3px; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.changed { color: var(--changed); } .faint { color: var(--faint); }
@media print { body { margin: 0; max-width: none; } }
"""


def render(report: Report, out: TextIO, *, width: int | None = None) -> None:
    """Writes *report* to *out*.  A page has no width."""
    title = escape(report.title)
    out.write('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n')
    out.write('<meta name="viewport" content="width=device-width, initial-scale=1">\n')
    out.write(f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n")
    for block in report.blocks:
        for line in block_lines(block):
            out.write(line + "\n")
    out.write("</body>\n</html>\n")


def escape(text: str) -> str:
    """Text that came off the wire must not become markup."""
    return html.escape(visible(text))


def classed(tag: str, tone: str, text: str) -> str:
    """An element with the class of its tone; *text* is escaped already."""
    return f"<{tag}>{text}</{tag}>" if tone == "plain" else f'<{tag} class="{html.escape(tone)}">{text}</{tag}>'


def block_lines(block: Block) -> Iterator[str]:
    """The lines of one block."""
    match block:
        case Table():
            yield from table_lines(block)
        case Prose():
            yield from prose_lines(block)
        case Code():
            yield f"<pre>{html.escape(visible(block.text, keep=chr(10) + chr(9)))}</pre>"
        case Tree():
            if block.title:
                yield f"<h2>{escape(block.title)}</h2>"
            yield from node_lines(block.roots)


def prose_lines(block: Prose) -> Iterator[str]:
    """Headings, paragraphs and lists."""
    if block.heading:
        yield f"<h{block.level}>{escape(block.heading)}</h{block.level}>"
    inline = marked if block.markdown else escape
    for paragraph in block.text.split("\n\n") if block.text else ():
        found = items(paragraph)
        if found[0].startswith("- "):
            listed = "".join(f"<li>{inline(item.removeprefix('- ').strip())}</li>" for item in found)
            yield classed("ul", block.tone, listed)
        else:
            yield classed("p", block.tone, "<br>".join(inline(item) for item in found))


def marked(text: str) -> str:
    """Our own Markdown within a line: code, and emphasis."""
    shown = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return re.sub(
        r"(?<![\w*])\*([^*<>]+)\*(?![\w*])", r"<em>\1</em>", re.sub(r"\*\*([^*<>]+)\*\*", r"<b>\1</b>", shown)
    )


def table_lines(table: Table) -> Iterator[str]:
    """A table, in a box that scrolls on a narrow screen."""
    yield '<div class="wide"><table>'
    if table.title:
        yield f"<caption>{escape(table.title)}</caption>"
    yield (
        "<thead><tr>" + "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns) + "</tr></thead>"
    )
    yield "<tbody>"
    for row in table.rows:
        yield "<tr>" + "".join(cell_text(cell) for cell in row) + "</tr>"
    yield "</tbody></table></div>"


def cell_text(cell: Cell) -> str:
    """A cell with the class of its tone."""
    return classed("td", cell.tone, escape(cell.text))


def node_lines(nodes: tuple[Node, ...]) -> Iterator[str]:
    """Nodes as a nested list."""
    yield "<ul>"
    for node in nodes:
        yield f"<li>{classed('span', node.cell.tone, escape(node.cell.text))}"
        if node.children:
            yield from node_lines(node.children)
        yield "</li>"
    yield "</ul>"
