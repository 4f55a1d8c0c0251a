"""`show -`, `explain -` and `show --follow FILE`: what becomes known is shown at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tlsinspect.capture.file import open_capture
from tlsinspect.cli import exit_status
from tlsinspect.cli.lines import Printer, Rows
from tlsinspect.cli.live_views import JsonLines, View, view_of
from tlsinspect.cli.memory import keep_large_blocks_apart
from tlsinspect.cli.options import Options
from tlsinspect.cli.output import screen
from tlsinspect.cli.reading import problems_of, say, secrets_of
from tlsinspect.cli.values import filters_of, meant_by
from tlsinspect.conversation import Conversation
from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.diagnosis.engine import Diagnosis, diagnose
from tlsinspect.diagnosis.rule import Case
from tlsinspect.inspector import Inspector
from tlsinspect.model.errors import SelectionError
from tlsinspect.model.handshake import Handshake
from tlsinspect.render import FORMATS
from tlsinspect.report import words
from tlsinspect.report.blocks import Report
from tlsinspect.report.explanation import handshake_blocks, has_error
from tlsinspect.report.listing import counted
from tlsinspect.report.live import is_under_way, under_way_cells
from tlsinspect.selection import Selector, spoke_tls
from tlsinspect.sessions import Sessions

MOST_SESSIONS = 2048  # whole handshakes, which causes ask about


def show_stream(selector: Selector, options: Options, *, follow: bool = False) -> int:
    """`show` of a stream or, with *follow*, of a growing file: rows as handshakes end.

    Raises SelectionError when the options ask for what only the end of a file could tell.
    """
    if selector.stream is not None or options.output.file is not None:
        raise SelectionError("--follow shows rows as they come, on the screen: it goes without #N and without -o.")
    if options.output.format == "jsonl":
        rows, printer = Rows(options), Printer()
        return Streamed(selector, options, follow=follow, take=lambda each: printer.print_row(rows.row(each))).run()
    if options.output.format != "table":
        raise SelectionError("--follow shows rows as they come: --format table or jsonl.")
    view = view_of("table")
    try:
        return Streamed(selector, options, follow=follow, take=diagnosed(options, view.show), view=view).run()
    finally:
        view.close()


def diagnosed(options: Options, show: Callable[[Case, Diagnosis], None]) -> Callable[[Handshake], bool]:
    """A function that shows a handshake with its findings, if it is one to show, and says whether it is."""
    sessions, meant, filters = Sessions(most=MOST_SESSIONS), meant_by(options), filters_of(options)

    def take(handshake: Handshake) -> bool:
        sessions.add(handshake)
        if not spoke_tls(handshake) or not filters.passes(handshake):
            return False
        case = Case(handshake=handshake, origin=sessions.origin(handshake), meant=meant)
        show(case, diagnose(case, CAUSES))
        return True

    return take


def explain_stream(selector: Selector, options: Options) -> int:
    """`explain` of a stream: each handshake with its findings as it ends."""
    errors, first = 0, True
    render = FORMATS[options.output.format]
    line_by_line = JsonLines() if options.output.format == "jsonl" else None

    def explain(case: Case, diagnosis: Diagnosis) -> None:
        nonlocal errors, first
        errors += has_error(diagnosis)
        if line_by_line is not None:
            line_by_line.show(case, diagnosis)
            return
        blocks = tuple(handshake_blocks(case, diagnosis, words.names_of((case,))))
        title = f"What happened in {words.capture_text(case.handshake)}" if first else ""
        first = False
        render(Report(title=title, blocks=blocks), screen())
        screen().flush()

    status = Streamed(selector, options, follow=False, take=diagnosed(options, explain)).run()
    return exit_status.FOUND if errors and status == exit_status.NOTHING else status


class Streamed:
    """Reads one capture that may not have ended.

    While nothing comes, its clock goes on from the time of the last frame by our own, so that a handshake that is
    over is shown though nothing follows it.  Owns the inspector.
    """

    def __init__(
        self,
        selector: Selector,
        options: Options,
        *,
        follow: bool,
        take: Callable[[Handshake], bool],
        view: View | None = None,
    ) -> None:
        self._name = selector.capture
        self._follow = follow
        self._take_one = take
        self._view = view
        self._secrets = secrets_of(options.keylogs)
        self._secrets.growing = True
        self._inspector = Inspector(self._name, secrets=self._secrets, http=options.http)
        self._last_ns = 0  # time of the last frame
        self._idle_frames, self._idle_since_ns = 0, 0
        self._shown = 0

    def run(self) -> int:
        """Reads to the end, or to an interrupt; the exit status."""
        keep_large_blocks_apart()
        status = exit_status.NOTHING
        with open_capture(self._name, follow=self._follow, idle=self._idle) as capture:
            taken = 0
            try:
                for frame in capture:
                    for text in capture.key_logs[taken:]:
                        self._secrets.add(text)
                    taken = len(capture.key_logs)
                    self._last_ns = frame.time_ns
                    self._take(self._inspector.feed(frame))
            except KeyboardInterrupt:
                status = exit_status.INTERRUPTED
            for text in capture.key_logs[taken:]:  # behind the last frame
                self._secrets.add(text)
            for problem in problems_of(capture, self._inspector):
                say(problem.text)
                if problem.damage and status == exit_status.NOTHING:
                    status = exit_status.UNUSABLE
        self._take(self._inspector.finish())
        if not self._shown:
            say(f"No TLS handshake in {self._name} that fits.")
        return status

    def _idle(self) -> None:
        """Nothing has come for a moment."""
        now_ns = time.monotonic_ns()
        if self._inspector.frames != self._idle_frames:
            self._idle_frames, self._idle_since_ns = self._inspector.frames, now_ns
        elif self._last_ns:
            self._take(self._inspector.expire(self._last_ns + now_ns - self._idle_since_ns))
        if self._view is not None:
            self._view.refresh(self._status, lambda: tuple(under_way_cells(self._under_way(), self._last_ns)))

    def _take(self, handshakes: Sequence[Handshake]) -> None:
        self._shown += sum(map(self._take_one, handshakes))

    def _under_way(self) -> list[Conversation]:
        return [each for each in self._inspector.under_way.values() if is_under_way(each)]

    def _status(self) -> str:
        under_way = len(self._under_way())
        return f"{self._inspector.frames:,} packets; {counted(self._shown, 'handshake')}, {under_way} under way"
