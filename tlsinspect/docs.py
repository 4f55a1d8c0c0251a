"""Writes the generated pages under docs/: runbook, fields, commands, JSON Schema.

`python -m tlsinspect.docs` writes them, `--check` fails when one is stale.  In pages that people write, the output of a
command is generated too: the block behind a line `<!-- output: ARGUMENTS -->`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import typer.main
import typer.testing

from tlsinspect.cli.app import app
from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.fields import FIELDS, Group
from tlsinspect.render import markdown
from tlsinspect.report.blocks import Cell, Prose, Report, Table
from tlsinspect.report.runbook import cause_page, runbook_index
from tlsinspect.report.schema import schema
from tlsinspect.report.symptoms import line_index

OUTPUT = re.compile(r"(<!-- output: (.*?) -->\n```text\n).*?(```)", re.DOTALL)
DOCS = Path(__file__).resolve().parent.parent / "docs"


def main(arguments: list[str] | None = None) -> int:
    """Writes the pages, or names the stale ones; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tlsinspect.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale")
    parser.add_argument("--folder", type=Path, default=DOCS, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    stale = {**stale_pages(given.folder), **stale_outputs(given.folder)}
    for path, text in stale.items():
        if given.check:
            print(f"{path} is stale: run python -m tlsinspect.docs", file=sys.stderr)
        elif text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return 1 if given.check and stale else 0


def stale_pages(folder: Path) -> Mapping[Path, str | None]:
    """The pages that are not as they would be written; None for a page of a cause that is no more."""
    wanted = {folder / name: text for name, text in pages()}
    found: dict[Path, str | None] = {
        path: text for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text
    }
    return found | {path: None for path in sorted((folder / "runbook").glob("*.md")) if path not in wanted}


def pages() -> Iterator[tuple[str, str]]:
    """The name of each page below docs/, and its text."""
    yield "runbook/README.md", linked(text_of(runbook_index(CAUSES)))
    yield "runbook/log-lines.md", linked(text_of(line_index(CAUSES)))
    for cause in CAUSES:
        yield f"runbook/{cause.code}.md", text_of(cause_page(cause))
    yield "fields.md", text_of(field_page())
    yield "cli.md", "\n".join(command_lines()) + "\n"
    yield "schema.json", json.dumps(schema(), indent=2) + "\n"


def stale_outputs(folder: Path) -> dict[Path, str | None]:
    """The pages that people write and that show another output than the command prints now."""
    found: dict[Path, str | None] = {}
    for path in (folder.parent / "README.md", *sorted(folder.glob("*.md"))):
        if path.exists():
            old = path.read_text("utf-8")
            new = OUTPUT.sub(lambda match: match[1] + output_of(match[2], folder.parent) + match[3], old)
            if new != old:
                found[path] = new
    return found


def output_of(arguments: str, folder: Path) -> str:
    """What tlsinspect prints on a screen of 100 columns, run in a folder.  Raises RuntimeError when it fails."""
    with contextlib.chdir(folder):
        result = typer.testing.CliRunner().invoke(app, shlex.split(arguments), env={"COLUMNS": "100", "NO_COLOR": "1"})
    if not isinstance(result.exception, SystemExit | None) or result.exit_code not in (0, 1):
        raise RuntimeError(f"tlsinspect {arguments} failed: {result.output}") from result.exception
    return result.stdout.rstrip() + "\n"


def text_of(report: Report) -> str:
    """A report as Markdown."""
    out = io.StringIO()
    markdown.render(report, out)
    return out.getvalue()


def linked(text: str) -> str:
    """An index with a link to the page of every cause that stands in a cell of its own, and to pages that it names."""
    codes = {cause.code for cause in CAUSES}

    def link(cell: str) -> str:
        named = [code.strip() for code in cell.replace("\\", "").split(",")]
        return f" {', '.join(f'[{code}]({code}.md)' for code in named)} " if codes.issuperset(named) else cell

    text = re.sub(
        r"\bdocs/(runbook/)?([a-z-]+\.md)", lambda page: f"[{page[0]}]({'' if page[1] else '../'}{page[2]})", text
    )
    return "\n".join(
        "|".join(map(link, line.split("|"))) if line.startswith("|") else line for line in text.split("\n")
    )


def field_page() -> Report:
    """Every field of the catalogue."""
    tables = (
        Table(
            ("Path", "What it is", "Compared", "Wireshark", "Source"),
            tuple(
                (
                    Cell(field.path),
                    Cell(field.title),
                    Cell(field.compare.value),
                    Cell(field.wireshark),
                    Cell(field.source),
                )
                for field in FIELDS
                if field.group is group
            ),
            title=group.value.capitalize(),
        )
        for group in Group
    )
    intro = Prose(
        "What can be known about a handshake: the keys of the JSON output, the rows of `show` and `diff`, and what the "
        "causes look at. An empty cell under Wireshark means that it has no such field.",
        markdown=True,
    )
    return Report("Fields", (intro, *tables))


def command_lines() -> Iterator[str]:
    """The help of every command."""
    yield "# Commands"
    for words in ([], *([name] for name in command_names())):
        yield ""
        yield f"## tlsinspect {' '.join(words)}".rstrip()
        yield ""
        yield "```"
        yield help_text(words)
        yield "```"


def command_names() -> list[str]:
    """The commands in their order."""
    return list(typer.main.get_group(app).commands)


def help_text(words: list[str]) -> str:
    """What `tlsinspect COMMAND --help` prints on a screen of 100 columns."""
    result = typer.testing.CliRunner().invoke(
        app, [*words, "--help"], prog_name="tlsinspect", terminal_width=100, env={"COLUMNS": "100"}
    )
    return result.stdout.rstrip()


if __name__ == "__main__":
    sys.exit(main())
