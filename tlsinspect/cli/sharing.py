"""`--jobs N`: several processes read the same captures, each follows its share of the connections.

The order of what they find, the numbers of streams and the messages are those of one process.
"""

from __future__ import annotations

import multiprocessing
import signal
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Generic, NamedTuple, TypeVar

from tlsinspect.capture.file import open_capture
from tlsinspect.cli.reading import Kind, Problem, problems_of
from tlsinspect.inspector import Inspector, Share, follow, place
from tlsinspect.model.errors import CaptureError, TlsinspectError
from tlsinspect.model.handshake import Handshake
from tlsinspect.tls.keylog import Secrets

BATCH = 64  # items that are sent together
MOST_WAITING = 4096  # items that wait for those of slower processes
NEVER = 1 << 63  # a frame that no capture has

T = TypeVar("T")

Position = tuple[
    int, int, tuple[int, str, int]
]  # capture, frame by which it became known, place among those of the frame


class Captures(NamedTuple):
    """What is read, and how."""

    names: Sequence[str]
    plain: frozenset[str]  # of which connections without TLS are wanted, too
    secrets: Secrets
    http: bool


class Item(NamedTuple, Generic[T]):
    """Something found."""

    position: Position
    value: T
    stream: int | None  # the number of its TCP stream within the share


class Batch(NamedTuple, Generic[T]):
    """What one process found since the last batch, and how far it has come."""

    position: tuple[int, int]  # capture and frame; nothing will be found before them
    opened: tuple[int, ...]  # the first frames of the capture's TCP streams of the share
    items: tuple[Item[T], ...]
    problems: tuple[Problem, ...]  # of the capture, at its end
    error: TlsinspectError | None  # that ended reading


def shared(captures: Captures, kind: Kind[T], *, jobs: int, tell: Callable[[Problem], None]) -> Iterator[T]:
    """What is made of the handshakes of the captures, in the order in which one process finds them.

    *tell* is called with the problems of each capture at its end.  Raises what reading raises, after what was found
    before it.
    """
    context = multiprocessing.get_context("fork")
    processes, readers = [], []
    for number in range(jobs):
        reader, writer = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(writer, captures, kind, Share(number, jobs, [])), daemon=True)
        process.start()
        writer.close()
        processes.append(process)
        readers.append(reader)
    try:
        yield from merged([Found(reader) for reader in readers], captures.names, kind, tell)
    finally:
        for process, reader in zip(processes, readers, strict=True):
            reader.close()
            process.terminate()
            process.join()


# -- in the processes that read -------------------------------------------------------------------------------------


def work(out: Connection, captures: Captures, kind: Kind[T], share: Share) -> None:
    """Reads all captures, and sends what it finds in the share."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that prints ends this one
    number = 0
    try:
        for number, name in enumerate(captures.names):
            for batch in batches(number, name, captures, kind, share):
                out.send(batch)
    except TlsinspectError as error:
        out.send(Batch((number, NEVER), (), (), (), error))
    except BrokenPipeError:  # nobody reads any more
        return


def batches(number: int, name: str, captures: Captures, kind: Kind[T], share: Share) -> Iterator[Batch[T]]:
    """What there is in the share of one capture."""
    items: list[Item[T]] = []
    with open_capture(name) as capture:
        inspector = Inspector(
            name, secrets=captures.secrets, plain=name in captures.plain, http=captures.http, share=share, gather=True
        )
        for handshakes in follow(capture, inspector, captures.secrets):
            frame = inspector.frames + inspector.finished
            items += [Item((number, frame, place(each)), kind.made(each), stream_of(each)) for each in handshakes]
            if len(items) >= BATCH or not handshakes:
                yield Batch((number, frame), tuple(share.opened), tuple(items), (), None)
                items.clear()
                share.opened.clear()
        problems = problems_of(capture, inspector)
    yield Batch((number + 1, 0), tuple(share.opened), tuple(items), problems, None)
    share.opened.clear()


def stream_of(handshake: Handshake) -> int | None:
    """The number of its TCP connection in the share."""
    return handshake.stream if handshake.transport == "tcp" else None


# -- in the process that prints -------------------------------------------------------------------------------------


class Found(Generic[T]):
    """What one process found and sent.

    Owns the items that wait for those of other processes, and the first frames of the TCP connections of one capture.
    """

    def __init__(self, reader: Connection) -> None:
        self.reader = reader
        self.position = (0, 0)  # how far the process has come
        self.items: deque[Item[T]] = deque()
        self.opened: dict[int, list[int]] = {}  # by capture
        self.ends: dict[int, Batch[T]] = {}  # by capture, the batch at its end

    def receive(self) -> None:
        """Takes the next batch.  Raises CaptureError when the process is gone."""
        try:
            batch: Batch[T] = self.reader.recv()
        except EOFError:
            raise CaptureError("A process that read the captures was ended from outside.") from None
        capture = self.position[0]
        self.opened.setdefault(capture, []).extend(batch.opened)
        self.items.extend(batch.items)
        self.position = batch.position
        if batch.error is not None or batch.position[0] > capture:
            self.ends[capture] = batch


def merged(
    found: Sequence[Found[T]], names: Sequence[str], kind: Kind[T], tell: Callable[[Problem], None]
) -> Iterator[T]:
    """What all processes found, in order."""
    for capture in range(len(names)):
        while True:
            come_to = min(each.position for each in found)
            ready = [each for each in found if each.items and each.items[0].position[:2] < come_to]
            while ready:
                first = min(ready, key=lambda each: each.items[0].position)
                item = first.items.popleft()
                yield numbered(item, first, found, kind)
                if not first.items or first.items[0].position[:2] >= come_to:
                    ready.remove(first)
            if come_to[0] > capture or come_to[1] == NEVER:
                break
            receive([each for each in found if each.position[0] < len(names) and each.position[1] < NEVER], come_to)
        ends = [each.ends.pop(capture) for each in found if capture in each.ends]
        for problem in ends[0].problems:
            tell(problem)
        for end in ends:
            if end.error is not None:
                raise end.error
        for each in found:
            del each.opened[capture]


def receive(found: Sequence[Found[T]], come_to: tuple[int, int]) -> None:
    """Waits for a batch of one of the processes that hold the others up, and takes what the others have for now."""
    slowest = {each.reader for each in found if each.position == come_to}
    open_ones = {each.reader: each for each in found if each.reader in slowest or len(each.items) < MOST_WAITING}
    for reader in wait(list(open_ones)):
        assert isinstance(reader, Connection)
        open_ones[reader].receive()


def numbered(item: Item[T], of: Found[T], found: Sequence[Found[T]], kind: Kind[T]) -> T:
    """What was found, with the number that its stream has in the whole capture: by the first frames of all."""
    if item.stream is None:
        return item.value
    capture = item.position[0]
    frame = of.opened[capture][item.stream]
    others = sum(bisect_left(each.opened.get(capture, ()), frame) for each in found if each is not of)
    return kind.numbered(item.value, item.stream + others)
