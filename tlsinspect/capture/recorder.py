"""A recording: a pcapng file, or a ring of them, that is whole whatever happens to the process or the disk."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tlsinspect.capture.live import Captured
from tlsinspect.capture.record import PcapngWriter
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame

UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
LEAST_RING_OCTETS = 1 << 16  # a file of a ring must hold more than one frame
OWNER_ONLY = 0o600  # a recording holds what was said, and perhaps the keys to it


@dataclass(frozen=True, slots=True)
class Ring:
    """How many files a watch keeps, and how large each may grow."""

    files: int
    octets: int


def parse_ring(text: str) -> Ring:
    """The ring in "10:100M".  Raises CaptureError when it is none."""
    found = re.fullmatch(r"(?P<files>[0-9]{1,6}):(?P<size>[0-9]{1,12})(?P<unit>[kmg]?)(?:i?b)?", text.lower())
    ring = Ring(int(found["files"]), int(found["size"]) * UNITS[found["unit"]]) if found else None
    if ring is None or ring.files < 2 or ring.octets < LEAST_RING_OCTETS:
        raise CaptureError(f"'{text}' is no ring. Write FILES:SIZE such as 10:100M; at least 2 files of 64K.")
    return ring


class Recorder:
    """Writes frames and key logs, whole blocks with one call of the system.

    Owns the open file; of a ring also the names of the files written, and the key logs since the last but one was
    begun, as handshakes do not end where a file does.  Raises CaptureError when a file cannot be opened or written;
    then everything before is whole.
    """

    def __init__(self, path: Path, *, links: Sequence[tuple[int, str]] = (), ring: Ring | None = None) -> None:
        self.frames = 0
        self._links = links  # link type and name of the interfaces
        self._path = path
        self._ring = ring
        self._files: list[Path] = []
        self._count = 0
        self._key_logs: tuple[bytes, bytes] = (b"", b"")  # of the file before, of this file
        self._begin()

    @property
    def folder(self) -> Path | None:
        """Where the recording is; None when it is no file of its own, but a device or a pipe."""
        return self._path.parent if self._file.is_regular else None

    def write(self, frame: Frame, interface: str) -> None:
        """Writes one frame."""
        if self._ring is not None and self._file.octets >= self._ring.octets:
            self._file.close()
            self._begin()
        self._writer.write(frame, interface=interface)
        self.frames += 1

    def write_all(self, captured: Sequence[Captured]) -> None:
        """Writes frames, many with one call of the system."""
        if self._ring is not None:
            for frame, interface in captured:
                self.write(frame, interface)
            return
        block = self._writer.block
        self._file.write_all([block(frame, interface) for frame, interface in captured])
        self.frames += len(captured)

    def write_key_log(self, text: bytes) -> None:
        """Writes lines of a key log; those that need them should come after."""
        self._writer.write_key_log(text)
        if self._ring is not None:
            self._key_logs = (self._key_logs[0], self._key_logs[1] + text)

    def close(self) -> None:
        """Ends the recording."""
        self._file.close()

    def _begin(self) -> None:
        """The next file; of a ring the oldest goes."""
        path = self._path
        if self._ring is not None:
            self._count += 1
            path = path.with_name(f"{path.stem}-{self._count:05}{path.suffix}")
        self._file = WholeBlocks(path)
        self._writer = PcapngWriter(self._file)  # type: ignore[arg-type]
        for link_type, name in self._links:
            self._writer.describe(link_type, name)
        if self._ring is None:
            return
        self._files.append(path)
        if len(self._files) > self._ring.files:
            self._files.pop(0).unlink(missing_ok=True)
        text = b"".join(self._key_logs)
        self._key_logs = (self._key_logs[1], b"")
        if text:
            self._writer.write_key_log(text)


class WholeBlocks:
    """A file to which blocks are written, each whole or not at all.

    Owns the descriptor.  The file is readable for its owner alone, who is the user that called sudo where one did.
    """

    def __init__(self, path: Path) -> None:
        self.octets = 0
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        except OSError as error:
            raise CaptureError(f"{path} cannot be written: {error.strerror}.") from error
        self.is_regular = path.is_file()
        caller, group = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
        if caller.isdecimal() and group.isdecimal() and os.geteuid() == 0 and self.is_regular:
            os.fchown(self._descriptor, int(caller), int(group))

    def write(self, block: bytes) -> int:
        """Writes a block; when that fails, what there is of it is taken back."""
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            self._take_back()
            raise CaptureError(
                f"{self._path} cannot be written any further: {error.strerror}. What was written before is whole."
            ) from error
        self.octets += len(block)
        return len(block)

    def write_all(self, blocks: Sequence[bytes]) -> None:
        """Writes blocks; when that fails, there are as many of them as found room."""
        try:
            self.write(b"".join(blocks))
        except CaptureError:
            if not self.is_regular:
                raise
            for block in blocks:
                self.write(block)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._descriptor)

    def _take_back(self) -> None:
        """Cuts the file behind its last whole block, where it is one that can be cut."""
        if self.is_regular:
            os.ftruncate(self._descriptor, self.octets)
            os.lseek(self._descriptor, self.octets, os.SEEK_SET)
