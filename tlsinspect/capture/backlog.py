"""Frames that were captured and not yet looked at: some in memory, the rest in a file."""

from __future__ import annotations

import errno
import marshal
import os
import tempfile
from collections import deque
from pathlib import Path
from typing import IO

from tlsinspect.capture.live import Captured
from tlsinspect.model.frame import Frame

MOST_IN_MEMORY = 128 << 20  # octets
MOST_IN_FILE = 16 << 30
FRAME_OCTETS = 300  # that a frame takes beside its data
BATCH = 1024  # frames that go into the file, and come back, together


class Backlog:
    """Frames in the order in which they came.

    Owns the frames, and a file without a name in *folder* for those that do not fit into memory; the file is there
    while it holds frames.  Without a folder, and when the disk is full, what does not fit is dropped and counted.
    """

    def __init__(self, folder: Path | None) -> None:
        self.dropped = 0
        self._folder = folder
        self._first: deque[Captured] = deque()  # the oldest
        self._octets = 0  # that they take
        self._last: list[Captured] = []  # the newest, while there are others in the file
        self._file: IO[bytes] | None = None
        self._batches: deque[tuple[int, int, int]] = deque()  # in the file: where, octets, frames
        self._end = 0  # of the file
        self._in_file = 0  # frames

    def __len__(self) -> int:
        return len(self._first) + self._in_file + len(self._last)

    def append(self, captured: Captured) -> None:
        """Takes in one more frame."""
        if not self._in_file and not self._last and self._octets <= MOST_IN_MEMORY:
            self._first.append(captured)
            self._octets += len(captured.frame.data) + FRAME_OCTETS
        elif self._folder is None or self._end > MOST_IN_FILE:
            self.dropped += 1
        else:
            self._last.append(captured)
            if len(self._last) >= BATCH:
                self._put_away()

    @property
    def oldest_ns(self) -> int | None:
        """The time of the frame that comes next; None for none."""
        if not self._first:
            self._fetch()
        return self._first[0].frame.time_ns if self._first else None

    def pop(self) -> Captured:
        """The oldest frame.  Raises IndexError when there is none."""
        if not self._first:
            self._fetch()
        captured = self._first.popleft()
        self._octets -= len(captured.frame.data) + FRAME_OCTETS
        return captured

    def close(self) -> None:
        """Frees the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _put_away(self) -> None:
        """Writes the newest frames to the file; they are dropped when that fails."""
        batch = [(*each.frame, each.interface) for each in self._last]
        self._last = []
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0, dir=self._folder, prefix=".tlsinspect-")  # noqa: SIM115
            octets = marshal.dumps(batch)
            if os.pwrite(self._file.fileno(), octets, self._end) < len(octets):
                raise OSError(errno.ENOSPC, "the disk is full")
        except OSError:
            self.dropped += len(batch)
            return
        self._batches.append((self._end, len(octets), len(batch)))
        self._end += len(octets)
        self._in_file += len(batch)

    def _fetch(self) -> None:
        """Takes the oldest frames that are not in *_first* there."""
        if self._file is not None and self._batches:
            start, size, count = self._batches.popleft()
            octets = os.pread(self._file.fileno(), size, start)
            batch = marshal.loads(octets)  # noqa: S302 - this process wrote it, to a file that has no name
            self._first.extend(Captured(Frame(*values), interface) for *values, interface in batch)
            self._in_file -= count
            if not self._batches:
                self.close()
                self._end = 0
        else:
            self._first.extend(self._last)
            self._last = []
        self._octets = sum(len(each.frame.data) + FRAME_OCTETS for each in self._first)
