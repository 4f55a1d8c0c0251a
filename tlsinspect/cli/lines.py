"""`show --format jsonl`: each handshake as one line, at once, and forgotten but for what names its sessions."""

from __future__ import annotations

from typing import NamedTuple

from tlsinspect.cli.options import Options
from tlsinspect.cli.output import screen
from tlsinspect.cli.values import filters_of
from tlsinspect.diagnosis.rule import Case
from tlsinspect.model.handshake import Handshake
from tlsinspect.render.line import Lines, with_origins, with_stream
from tlsinspect.selection import spoke_tls
from tlsinspect.sessions import HandshakeName, Lineage, Trace, trace_of


class Row(NamedTuple):
    """What is kept of a handshake until its line is printed."""

    trace: Trace[HandshakeName]
    line: str | None  # without the origin of its session; None where the filters leave it out


def numbered(row: Row, stream: int) -> Row:
    """A row with another number of its stream."""
    trace = row.trace._replace(subject=row.trace.subject._replace(stream=stream))
    return Row(trace, None if row.line is None else with_stream(row.line, stream))


class Rows:
    """Makes the rows of handshakes.  Owns the pieces of lines that recur."""

    def __init__(self, options: Options) -> None:
        self._filters = filters_of(options)
        self._lines = Lines()

    def row(self, handshake: Handshake) -> Row:
        """The row of a handshake."""
        name = HandshakeName(handshake.capture, handshake.stream, handshake.part)
        shown = spoke_tls(handshake) and self._filters.passes(handshake)
        return Row(trace_of(handshake, name), self._lines.line(Case(handshake=handshake)) if shown else None)


class Printer:
    """Prints rows.  Owns the sessions that were issued lately."""

    def __init__(self) -> None:
        self._lineage: Lineage[HandshakeName] = Lineage()
        self._out = screen()

    def print_row(self, row: Row) -> bool:
        """Prints the line of a row, if it has one, with the origin of its session as far as that is known by then."""
        trace, line = row
        self._lineage.add(trace)
        if line is None:
            return False
        origin = self._lineage.source(trace)
        if origin is not None:
            line = with_origins(line, origin, taken_up=trace.taken_up)
        self._out.write(line + "\n")
        self._out.flush()
        return True
