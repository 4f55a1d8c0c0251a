"""The loop of `capture`: frames from interfaces to a recording, to the inspector, and handshakes to a view.

One thread: reading and writing come first, the inspector gets what time is left; between them stands a backlog.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tlsinspect.capture.backlog import Backlog
from tlsinspect.capture.live import LAG_SECONDS, Captured, LiveCapture
from tlsinspect.capture.recorder import Recorder
from tlsinspect.cli.own import OwnConnections
from tlsinspect.cli.reading import say
from tlsinspect.conversation import Conversation
from tlsinspect.excerpt import Excerpt
from tlsinspect.inspector import Inspector, Limits
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import ClientHello
from tlsinspect.report.live import Counts, is_under_way
from tlsinspect.tls.keylog import FollowedKeyLog, Secrets

SLICE_SECONDS = 0.02  # of inspecting, before sockets are read again
WAIT_SECONDS = 0.05  # for frames, when there is nothing else to do
OWNERS_SECONDS = 0.005  # the same, where connections have to be looked at while they are there
SLACK_NS = 50_000_000  # a frame may reach us so much later than its time says
HOLD_NS = 250_000_000  # frames are held back so long where their keys may follow
# The same around a command, of which nothing is shown before its end: one that gets little of the processor writes its
# keys later.  Less than a second, so that a recording has all that ended a second before this process is killed.
COMMAND_HOLD_NS = 900_000_000
KEYS_NS = 20_000_000  # between two looks at key logs
READING_SECONDS = 0.2  # without a break, while more keeps coming
LONG_BACKLOG = 5000  # frames, for which the user is told why it takes a moment
MOST_KEYS = 100_000  # client randoms whose lines are kept until their connection is seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When the watch ends, and what is recorded."""

    seconds: float | None = None
    handshakes: int | None = None
    handshakes_only: bool = False


class Watch:
    """Runs a capture to its end.

    Owns the backlog and the inspector.  *each* is called with a handshake as soon as it is known and says whether it
    counts; *tick* again and again; with *own*, frames of other connections are not looked at.
    """

    def __init__(
        self,
        capture: LiveCapture,
        plan: Plan,
        *,
        name: str,
        recorder: Recorder | None,
        keylogs: tuple[Path, ...],
        http: bool,
        each: Callable[[Handshake], bool],
        tick: Callable[[], None],
        own: OwnConnections | None = None,
        over: Callable[[], bool] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.stopping = False  # set it to end the watch, from a signal too
        self._capture = capture
        self._plan = plan
        self._recorder = recorder
        self._recording = True  # until that fails
        self._each = each
        self._tick = tick
        self._own = own
        self._over = over
        secrets = Secrets()
        self._keylogs = [FollowedKeyLog(path, secrets) for path in keylogs]
        self._keys = KeyLines()
        self._keys_due_ns = 0
        self._wait_seconds = WAIT_SECONDS if own is None else OWNERS_SECONDS
        self._hold_ns = COMMAND_HOLD_NS if own is not None else HOLD_NS if keylogs else 0
        self._inspector = Inspector(name, secrets=secrets, http=http, limits=limits)
        self._excerpt = Excerpt() if plan.handshakes_only else None
        # What has to be known of a frame before it is recorded is known once the inspector has seen it.
        self._late = bool(keylogs) or plan.handshakes_only or own is not None
        # Packets go to the disk only where the user has asked for a file of them.
        self._backlog = Backlog(recorder.folder if recorder is not None else None)
        self._number = 0
        self._octets = 0
        self._shown = 0
        self._started = time.monotonic()

    def run(self) -> None:
        """Captures until the plan, the caller or an error ends it, then looks at all that was captured.

        Raises CaptureError when the recording failed or the interfaces went away, after that.
        """
        try:
            self._run()
        finally:
            self._backlog.close()

    def _run(self) -> None:
        problem: CaptureError | None = None
        try:
            while not self._ends():
                self._step()
            self._read_rest()
        except CaptureError as error:
            problem = error
        self._hold_ns = 0
        if len(self._backlog) > LONG_BACKLOG:
            say(f"{len(self._backlog):,} packets are still to be looked at; Ctrl-C leaves them out.")
        while self._backlog:
            self._recording = self._recording and problem is None
            try:
                self._step(reading=False)
            except CaptureError as error:
                problem = problem or error
        self._emit(self._inspector.finish())
        if problem is not None:
            raise problem

    def counts(self) -> Counts:
        """What was counted so far."""
        statistics = self._capture.statistics
        return Counts(
            seconds=round(time.monotonic() - self._started, 3),
            frames=self._number if self._own is None else self._inspector.frames,
            octets=self._octets,
            handshakes=self._shown,
            under_way=sum(map(is_under_way, self._inspector.under_way.values())),
            kernel_dropped=statistics.kernel_dropped,
            application_dropped=self._backlog.dropped,
            conversations_given_up=self._inspector.evicted,
            frames_written=self._recorder.frames if self._recorder is not None else None,
        )

    def under_way(self) -> list[Conversation]:
        """The handshakes under way, the oldest first."""
        return [each for each in self._inspector.under_way.values() if is_under_way(each)]

    # -- one turn

    def _ends(self) -> bool:
        plan = self._plan
        return (
            self.stopping
            or (plan.seconds is not None and time.monotonic() - self._started >= plan.seconds)
            or (plan.handshakes is not None and self._shown >= plan.handshakes)
            or (self._over is not None and self._over())
        )

    def _step(self, *, reading: bool = True) -> None:
        now_ns = time.time_ns()
        came = reading and self._read(now_ns)
        self._read_keys(now_ns)
        self._inspect()
        if reading and not came:
            # Nothing that was captured before is still to come.
            oldest_ns = self._backlog.oldest_ns
            self._emit(self._inspector.expire(now_ns - SLACK_NS if oldest_ns is None else oldest_ns))
        self._tick()

    def _read(self, now_ns: int) -> bool:
        """Takes in what has come, waiting for it where nothing else is to do; whether anything came."""
        oldest_ns = self._backlog.oldest_ns
        is_due = oldest_ns is not None and oldest_ns + self._hold_ns <= now_ns
        captured = self._capture.read(0 if is_due else self._wait_seconds)
        came = bool(captured)
        until = time.monotonic() + READING_SECONDS
        if self._own is not None and not came:
            self._own.look_at(())
        while captured:
            if self._own is not None:
                self._own.look_at(each.frame for each in captured)
            self._take(captured)
            captured = self._capture.read(0) if time.monotonic() < until else []
        return came

    def _read_rest(self) -> None:
        """What was captured before the end and has not been read."""
        end_ns = time.time_ns()
        while captured := self._capture.read(LAG_SECONDS):
            if self._own is not None:
                self._own.look_at(each.frame for each in captured)
            self._take(captured)
            if captured[-1].frame.time_ns > end_ns:
                break

    def _take(self, captured: list[Captured]) -> None:
        """Records frames where nothing has to be known for it, and puts them behind those that wait."""
        self._number += len(captured)
        if self._recorder is not None and not self._late and self._recording:
            self._recorder.write_all(captured)
        for each in captured:
            self._backlog.append(each)

    def _inspect(self) -> None:
        """Gives the inspector frames that are due, for a while."""
        until = time.monotonic() + SLICE_SECONDS
        backlog, inspector = self._backlog, self._inspector
        horizon_ns = time.time_ns() - self._hold_ns
        while (oldest_ns := backlog.oldest_ns) is not None and oldest_ns <= horizon_ns and time.monotonic() < until:
            frame, interface = backlog.pop()
            if self._own is not None:
                if not self._own.keeps(frame):
                    continue
                frame = frame._replace(number=inspector.frames + 1)
            if self._excerpt is not None and self._recorder is not None:
                frame = frame._replace(number=self._recorder.frames + 1)
            self._octets += len(frame.data)
            handshakes = inspector.feed(frame)
            if self._late:
                self._record(frame, interface)
            if handshakes:
                self._emit(handshakes)

    def _record(self, frame: Frame, interface: str) -> None:
        """Records a frame that the inspector has seen: with its keys, and perhaps only what belongs to a handshake."""
        if self._recorder is None or not self._recording:
            return
        conversation = self._inspector.conversation
        if conversation is not None and self._keylogs:
            text = self._keys.of(conversation)
            if text:
                self._recorder.write_key_log(text)
        kept: Frame | None = frame
        if self._excerpt is not None:
            kept = self._excerpt.of(frame, self._inspector.packet, conversation)
        if kept is not None:
            self._recorder.write(kept, interface)

    def _read_keys(self, now_ns: int) -> None:
        """Takes in new lines of the key logs; those of connections that were seen are recorded at once."""
        if not self._keylogs or (now_ns < self._keys_due_ns and self._hold_ns):
            return
        self._keys_due_ns = now_ns + KEYS_NS
        for keylog in self._keylogs:
            if keylog.refresh():
                text = self._keys.add(keylog.latest)
                if text and self._recorder is not None and self._recording:
                    self._recorder.write_key_log(text)

    def _emit(self, handshakes: Sequence[Handshake]) -> None:
        for handshake in handshakes:
            self._shown += self._each(handshake)
            if self._excerpt is not None:
                self._excerpt.forget(handshake.stream)
            self._keys.forget(handshake.stream)


class KeyLines:
    """The lines of key logs by client random: only those of connections that were captured are recorded.

    Owns lines until their connection is seen, MOST_KEYS at the most, and the randoms of connections under way.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[bytes, list[bytes]] = OrderedDict()
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._looked_at: dict[int, int] = {}  # events of a conversation

    def add(self, text: bytes) -> bytes:
        """Takes in new lines; returns those whose connection was seen."""
        found = []
        for line in text.splitlines():
            words = line.split()
            if len(words) != 3:
                continue
            random = words[1].lower()
            if random in self._seen:
                found.append(line)
                continue
            self._waiting.setdefault(random, []).append(line)
            if len(self._waiting) > MOST_KEYS:
                self._waiting.popitem(last=False)
        return b"".join(line + b"\n" for line in found)

    def of(self, conversation: Conversation) -> bytes:
        """The lines for the ClientHellos that a conversation has had since the last call."""
        events = conversation.connection.events if conversation.connection is not None else []
        start = self._looked_at.get(conversation.number, 0)
        if len(events) == start:
            return b""
        self._looked_at[conversation.number] = len(events)
        found: list[bytes] = []
        for event in events[start:]:
            if isinstance(event.message, ClientHello):
                random = event.message.random.hex().encode()
                self._seen[random] = None
                found += self._waiting.pop(random, ())
                if len(self._seen) > MOST_KEYS:
                    self._seen.popitem(last=False)
        return b"".join(line + b"\n" for line in found)

    def forget(self, number: int) -> None:
        """Frees what is known of a conversation that is over."""
        self._looked_at.pop(number, None)
