"""One function per format: a report in, text out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TextIO

from tlsinspect.render import html, json, markdown, terminal
from tlsinspect.report.blocks import Report


class Render(Protocol):
    """Writes a report; *width* in columns, where the format has one."""

    def __call__(self, report: Report, out: TextIO, *, width: int | None = None) -> None:
        """Writes *report* to *out*."""


FORMATS: Mapping[str, Render] = {
    "table": terminal.render,
    "json": json.render,
    "jsonl": json.render_lines,
    "markdown": markdown.render,
    "html": html.render,
}
