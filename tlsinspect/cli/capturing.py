"""What `capture` does, once its options are read."""

from __future__ import annotations

import re
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from types import FrameType

from tlsinspect.capture.live import ALL_INTERFACES, ALL_TCP, interfaces_towards, list_interfaces, open_interface
from tlsinspect.capture.recorder import Recorder, parse_ring
from tlsinspect.cli import exit_status
from tlsinspect.cli.child import Command
from tlsinspect.cli.live import CaptureOptions
from tlsinspect.cli.live_views import View, view_of
from tlsinspect.cli.memory import keep_large_blocks_apart
from tlsinspect.cli.output import screen, write
from tlsinspect.cli.own import OwnConnections
from tlsinspect.cli.reading import say
from tlsinspect.cli.values import filters_of, meant_by
from tlsinspect.cli.watch import Plan, Watch
from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.diagnosis.engine import Diagnosis, diagnose
from tlsinspect.diagnosis.rule import Case
from tlsinspect.model.errors import SelectionError
from tlsinspect.model.handshake import Handshake
from tlsinspect.render.json import one_line
from tlsinspect.report.blocks import Report
from tlsinspect.report.explanation import explanation, has_error
from tlsinspect.report.listing import counted
from tlsinspect.report.live import Counts, counts_object, counts_text, under_way_cells
from tlsinspect.report.objects import made
from tlsinspect.selection import spoke_tls
from tlsinspect.sessions import Sessions

MOST_SESSIONS = 4096  # remembered, so that a watch of days takes no more memory than one of an hour
LINGER_SECONDS = 0.4  # after a command, for the last packets of its connections
HOST_AND_PORT = re.compile(r"(?P<host>\[[^\]]+\]|[^:]+)(?::(?P<port>[0-9]{1,5}))?")


def run_capture(options: CaptureOptions, words: Sequence[str]) -> int:
    """`capture`, with or without a command."""
    if options.list_interfaces:
        return print_interfaces()
    check(options, words)
    addresses, port = resolve(options.reading.server) if options.reading.server else ((), None)
    interfaces = options.interfaces or (interfaces_towards(addresses) if addresses else ()) or (ALL_INTERFACES,)
    session = Around(options, words) if words else Live(options)
    with ExitStack() as stack:
        stack.callback(session.close)
        capture = stack.enter_context(
            open_interface(
                interfaces,
                bpf=filter_text(options.bpf, addresses, port),
                snaplen=options.snaplen,
                promiscuous=options.promiscuous,
                at_once=session.own is not None and bool(session.own.no_group),  # to find sockets while they are there
            )
        )
        recorder = None
        if options.file is not None:
            recorder = Recorder(
                options.file, links=capture.links, ring=parse_ring(options.ring) if options.ring else None
            )
            stack.callback(recorder.close)
        keep_large_blocks_apart()
        watch = Watch(
            capture,
            Plan(
                seconds=options.seconds,
                handshakes=options.handshakes if not words else None,
                handshakes_only=options.handshakes_only,
            ),
            name=str(options.file) if options.file is not None else capture.name,
            recorder=recorder,
            keylogs=session.keylogs,
            http=options.reading.http,
            each=session.take,
            tick=lambda: session.tick(watch),
            own=session.own,
            over=session.over,
        )
        with ended_by_signals(watch, session.interrupted):
            session.begin(capture.name)
            try:
                watch.run()
            finally:
                capture_lost(capture.lost)
                status = session.end(watch.counts(), str(options.file) if options.file is not None else capture.name)
    return status


class Live:
    """A watch without a command: handshakes go to the screen as they end.

    Owns the view, and the sessions that were issued lately.
    """

    own = None
    over = None

    def __init__(self, options: CaptureOptions) -> None:
        self._options = options
        self._meant = meant_by(options.reading)
        self._filters = filters_of(replace(options.reading, server=None))
        self._sessions = Sessions(most=MOST_SESSIONS)
        self.keylogs = options.reading.keylogs
        self._view: View | None = None

    def begin(self, name: str) -> None:
        """Says what is happening."""
        say(f"Capturing on {name}. Ctrl-C ends it.")
        self._view = view_of(self._options.reading.output.format)

    def interrupted(self) -> bool:
        """Whether an interrupt ends the watch."""
        return True

    def take(self, handshake: Handshake) -> bool:
        """Shows a handshake; whether it was one to show."""
        self._sessions.add(handshake)
        if not spoke_tls(handshake) or not self._filters.passes(handshake):
            return False
        case = Case(handshake=handshake, origin=self._sessions.origin(handshake), meant=self._meant)
        if self._view is not None:
            self._view.show(case, diagnose(case, CAUSES))
        return True

    def tick(self, watch: Watch) -> None:
        """Shows what is under way."""
        if self._view is None:
            return
        self._view.refresh(
            lambda: counts_text(watch.counts()) + "; Ctrl-C ends",
            lambda: tuple(under_way_cells(watch.under_way(), time.time_ns())),
        )

    def end(self, counts: Counts, name: str) -> int:
        """Says what was counted."""
        self.close()
        if self._options.reading.output.format == "jsonl":
            screen().write(one_line({"statistics": counts_object(counts)}) + "\n")
            screen().flush()
        say_counts(counts, self._options.file)
        return exit_status.NOTHING

    def close(self) -> None:
        """Leaves the screen."""
        if self._view is not None:
            self._view.close()
            self._view = None


class Around:
    """A watch around a command: its connections are explained at the end.

    Owns the command, its handshakes, and the verdicts on whose a connection is.
    """

    def __init__(self, options: CaptureOptions, words: Sequence[str]) -> None:
        self._options = options
        self._meant = meant_by(options.reading)
        self._filters = filters_of(replace(options.reading, server=None))
        keylogs = options.reading.keylogs
        self._command = Command(words, keylogs[0] if keylogs else None)
        self.keylogs = (self._command.keylog, *keylogs[1:])
        self.own = OwnConnections()
        self._handshakes: list[Handshake] = []
        self._over_at: float | None = None

    def begin(self, name: str) -> None:
        """Runs the command, now that its packets are captured."""
        self._command.start(self.own.enter)

    def interrupted(self) -> bool:
        """An interrupt from the keyboard reaches the command as well: its end ends the watch."""
        return self._command.status is not None

    def over(self) -> bool:
        """Whether the command has ended, a moment ago."""
        if self._command.status is None:
            return False
        if self._over_at is None:
            self._over_at = time.monotonic() + LINGER_SECONDS
            self.own.ended_ns = time.time_ns()
        return time.monotonic() >= self._over_at

    def take(self, handshake: Handshake) -> bool:
        """Keeps a handshake for the end."""
        if not spoke_tls(handshake) or not self._filters.passes(handshake):
            return False
        self._handshakes.append(handshake)
        return True

    def tick(self, watch: Watch) -> None:
        """There is nothing to show before the end: the screen is the command's."""

    def end(self, counts: Counts, name: str) -> int:
        """Explains the connections of the command."""
        self._command.close()
        own = self.own
        counts = replace(counts, left_out=own.left_out, told_by=own.told_by, presumed=own.presumed)
        explained = self._explained()
        report = explanation((name,), explained)
        write(self._with_command(report, counts), self._options.reading.output)
        status = self._command.status
        say(f"The command ended with status {status}.")
        if own.no_group:
            say(
                f"Its connections were told by its sockets, as no control group of its own could be used "
                f"({own.no_group}); kept by time and address, as too short to be seen among them: "
                f"{counted(own.presumed, 'connection')}."
            )
        say_counts(counts, self._options.file)
        found = any(has_error(diagnosis) for _, diagnosis in explained)
        return exit_status.FOUND if found else exit_status.NOTHING

    def close(self) -> None:
        """Ends the command if it still runs, and removes its key log."""
        self._command.close()
        self.own.close()

    def _explained(self) -> list[tuple[Case, Diagnosis]]:
        sessions = Sessions()
        handshakes = sorted(self._handshakes, key=lambda one: (one.started_ns, one.part))
        for handshake in handshakes:
            sessions.add(handshake)
        cases = [Case(handshake=one, origin=sessions.origin(one), meant=self._meant) for one in handshakes]
        return [(case, diagnose(case, CAUSES)) for case in cases]

    def _with_command(self, report: Report, counts: Counts) -> Report:
        command = {"arguments": list(self._command.words), "status": self._command.status}
        about: dict[str, object] = {"command": command, "statistics": counts_object(counts)}
        shown = made(report.data)
        data = {**shown, **about} if isinstance(shown, dict) else about
        return replace(report, data=data, lines=(*report.lines, about))


# -- parts ----------------------------------------------------------------------------------------------------------


def print_interfaces() -> int:
    """`--list-interfaces`."""
    for each in list_interfaces():
        screen().write("  ".join((each.name, *each.addresses, *(() if each.up else ("(down)",)))) + "\n")
    screen().write("any  (all of them, as one)\n")
    return exit_status.NOTHING


def check(options: CaptureOptions, words: Sequence[str]) -> None:
    """Raises SelectionError when options do not go together."""
    output = options.reading.output
    if not words and (output.format not in ("table", "jsonl") or output.file is not None):
        raise SelectionError(
            "A watch is shown as it goes: --format table or jsonl, to standard output. For a report in another format "
            "keep the packets with -w FILE, then: tlsinspect explain FILE"
        )
    if options.file is None and (options.handshakes_only or options.ring):
        raise SelectionError("--handshakes-only and --ring say what to keep: they need -w FILE.")
    if options.file is not None and str(options.file) == "-":
        raise SelectionError("-w needs a file: standard output carries the report.")
    if len(set(options.interfaces)) > 1 and ALL_INTERFACES in options.interfaces:
        raise SelectionError("any is all interfaces already; name others, or any alone.")


def resolve(server: str) -> tuple[tuple[str, ...], int | None]:
    """The addresses and the port of "HOST[:PORT]".  Raises SelectionError when the name has no address."""
    try:
        return (str(ip_address(server)),), None
    except ValueError:
        pass  # a name, or with a port
    found = HOST_AND_PORT.fullmatch(server)
    if found is None:
        raise SelectionError(f"'{server}' is no server. Write HOST, HOST:PORT or [::1]:443.")
    host = found["host"].strip("[]")
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SelectionError(f"'{host}' has no address: {error.strerror or error}.") from error
    return tuple(dict.fromkeys(str(each[4][0]) for each in answers)), int(found["port"]) if found["port"] else None


def filter_text(bpf: str | None, addresses: Sequence[str], port: int | None) -> str:
    """The filter that was asked for, narrowed to a server."""
    text = ALL_TCP if bpf is None else bpf
    parts = [f"({text})"] if text else []
    if addresses:
        parts.append("(" + " or ".join(f"host {address.partition('%')[0]}" for address in addresses) + ")")
    if port is not None:
        parts.append(f"port {port}")
    return " and ".join(parts)


@contextmanager
def ended_by_signals(watch: Watch, ends: Callable[[], bool]) -> Iterator[None]:
    """While inside, SIGTERM, SIGHUP and the first interrupt end the watch; a second one is an interrupt as usual."""

    def stop(number: int, _: FrameType | None) -> None:
        if number != signal.SIGINT or ends():
            watch.stopping = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {each: signal.signal(each, stop) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def capture_lost(names: Sequence[str]) -> None:
    """Says which interfaces went down meanwhile."""
    if names:
        say(f"Went down while captured: {', '.join(names)}.")


def say_counts(counts: Counts, file: Path | None) -> None:
    """What was counted, and where the packets are."""
    say(counts_text(counts) + (f"; in {file}" if file is not None else "") + ".")
