"""One function per format: a report in, text out."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Protocol, TextIO, cast

from tlsinspect.report.blocks import Report


class Render(Protocol):
    """Writes a report; *width* in columns, where the format has one."""

    def __call__(self, report: Report, out: TextIO, *, width: int | None = None) -> None:
        """Writes *report* to *out*."""


def in_module(module: str, name: str = "render") -> Render:
    """The function of that name in a module of this package, imported when a report is written."""

    def render(report: Report, out: TextIO, *, width: int | None = None) -> None:
        cast(Render, getattr(import_module(f"{__name__}.{module}"), name))(report, out, width=width)

    return render


FORMATS: Mapping[str, Render] = {
    "table": in_module("terminal"),
    "json": in_module("json"),
    "jsonl": in_module("line"),
    "markdown": in_module("markdown"),
    "html": in_module("html"),
}
