"""Capture files and streams in any format, plain or compressed, whole, cut or still growing -> frames."""

from __future__ import annotations

import os
import select
import stat
import sys
import time
from collections.abc import Callable, Iterator
from itertools import chain
from types import TracebackType
from typing import BinaryIO, cast

from tlsinspect.capture.compression import compression_of, decompressed
from tlsinspect.capture.embedded import key_logs_in
from tlsinspect.capture.netmon import MAGIC as NETMON_MAGIC
from tlsinspect.capture.netmon import netmon_frames
from tlsinspect.capture.pcap import VARIANTS, pcap_frames
from tlsinspect.capture.pcapng import pcapng_frames
from tlsinspect.capture.snoop import MAGIC as SNOOP_MAGIC
from tlsinspect.capture.snoop import snoop_frames
from tlsinspect.capture.window import CHUNK_OCTETS, SourceError, Window
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Batch, Defect, Frame

Idle = Callable[[], None]

FOLLOW_SECONDS = 0.1  # between two looks at a growing file
HEAD_OCTETS = 16  # enough to recognise every format below

FORMATS: dict[bytes, Callable[[Window], Iterator[Frame | Batch]]] = {
    **dict.fromkeys(VARIANTS, pcap_frames),
    b"\x0a\x0d\x0d\x0a": pcapng_frames,
    SNOOP_MAGIC: snoop_frames,
    NETMON_MAGIC: netmon_frames,
}

# What cannot be read, by its first octets: what it is, and what to do.
CONVERT = "convert it first: editcap -F pcapng OLD NEW"
DECOMPRESS = "decompress it first"
OTHER_FORMATS = {
    b"RTSS": ("a Microsoft Network Monitor 1 capture", CONVERT),
    b"TRSNIFF data": ("a Sniffer capture", CONVERT),
    b"XCP\0": ("a NetXRay capture", CONVERT),
    b"\x7fver": ("an OmniPeek capture", CONVERT),
    b"btsnoop\0": ("a Bluetooth capture", "it holds no TLS over TCP, UDP or IP"),
    b"BZh": ("compressed with bzip2", DECOMPRESS),
    b"\xfd7zXZ\0": ("compressed with xz", DECOMPRESS),
    b"PK\x03\x04": ("a zip archive", "unpack it first"),
}


class Capture:
    """The frames of one capture, to be iterated over once.

    Owns the open file and the window over its octets; `close`, or leaving the `with` block, frees them.
    """

    def __init__(self, name: str, file: BinaryIO, *, follow: bool, idle: Idle | None = None) -> None:
        self.name = name  # as the user gave it; "-" for standard input
        self.key_logs: list[bytes] = []  # texts of embedded TLS key logs, appended as they are met
        self.defects: list[Defect] = []  # of the capture itself, appended while reading
        self._file = file
        self._follow = follow
        self._idle = idle
        self._is_closed = False
        self._window = Window(self._chunks(follow), self._label, self.defects, self.key_logs)
        self._frames = self._open()

    def __iter__(self) -> Iterator[Frame]:
        return cast("Iterator[Frame]", self._frames)  # without in_batches there are no others

    def in_batches(self) -> Iterator[Frame | Batch]:
        """The same, frames that are in memory together as one; instead of iterating over it."""
        self._window.in_batches = True
        return self._frames

    def __enter__(self) -> Capture:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    @property
    def damaged(self) -> bool:
        """Whether reading ended at damage: what comes behind it was not read.  A cut last packet is none."""
        return self._window.damaged

    def close(self) -> None:
        """Ends reading.  Frames already in memory may still come out; that the rest is missing is no defect."""
        self._is_closed = self._window.closed = True
        if self.name != "-":
            self._file.close()

    @property
    def _label(self) -> str:
        """The beginning of a sentence about the capture."""
        return "Standard input" if self.name == "-" else self.name

    def _chunks(self, follow: bool) -> Iterator[bytes]:
        """The octets of the file as they come, until its end or, when followed, until the capture is closed."""
        # A pipe gives what it holds, without waiting for more.
        read: Callable[[int], bytes] = getattr(self._file, "read1", self._file.read)
        if self._idle is not None:
            read = getattr(self._file, "raw", self._file).read  # nothing may wait in a buffer while we wait for more
        while not self._is_closed:
            self._wait()
            try:
                chunk = read(CHUNK_OCTETS)
            except (OSError, ValueError) as error:
                if self._is_closed:
                    return
                raise SourceError(f"The capture cannot be read any further ({_reason(error)}).") from error
            if chunk:
                yield chunk
            elif follow:
                time.sleep(FOLLOW_SECONDS)
                if self._idle is not None:
                    self._idle()
            else:
                return

    def _wait(self) -> None:
        """Until there is something to read, or the end, with calls of *idle* meanwhile."""
        if self._idle is None or stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            return
        while not self._is_closed and not select.select([self._file], [], [], FOLLOW_SECONDS)[0]:
            self._idle()

    def _open(self) -> Iterator[Frame | Batch]:
        """The frames, once the format is recognised.  Raises CaptureError when it is not."""
        head = self._window.advance(0, HEAD_OCTETS)
        within = ""
        if compression := compression_of(head):
            compressed = chain([head], self._window.rest())
            self._window = Window(decompressed(compression, compressed), self._label, self.defects, self.key_logs)
            head = self._window.advance(0, HEAD_OCTETS)
            within = f" inside its {compression.name} data"
        for magic, read_frames in FORMATS.items():
            if head.startswith(magic):
                if read_frames is pcapng_frames and not within:
                    self._look_ahead()
                return read_frames(self._window)
        if self.defects:
            raise CaptureError(f"{self._label} holds no frames{within}: {self.defects[0].problem}")
        if not head:
            raise CaptureError(f"{self._label} is empty{within}.")
        for magic, (what, advice) in OTHER_FORMATS.items():
            if head.startswith(magic):
                raise CaptureError(f"{self._label} is {what}{within}; {advice}.")
        begins = head[:4].hex(" ")
        raise CaptureError(f"{self._label} is not a pcap or pcapng file{within} (it begins with {begins}).")

    def _look_ahead(self) -> None:
        """Takes in the key logs of a file that can be read twice, as they may stand behind what they open."""
        if self._follow or self.name == "-" or not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            return
        texts, self._window.secrets_known_from = key_logs_in(self._file)
        self.key_logs += texts


def open_capture(path: str | os.PathLike[str], *, follow: bool = False, idle: Idle | None = None) -> Capture:
    """The capture at *path*, or on standard input for "-".

    With *follow*, the end of a regular file is waited at for more, until the capture is closed.  *idle* is called
    again and again while a pipe or a followed file has nothing to read.
    Raises CaptureError, with one sentence, when the capture cannot be opened or is in no known format.
    """
    name = os.fspath(path)
    if name == "-":
        if sys.stdin is None:
            raise CaptureError("Standard input is closed.")
        return Capture(name, sys.stdin.buffer, follow=False, idle=idle)
    try:
        file = open(name, "rb", buffering=0)  # noqa: SIM115 - the capture closes it
    except IsADirectoryError as error:
        raise CaptureError(f"{name} is a folder, not a capture.") from error
    except FileNotFoundError as error:
        raise CaptureError(f"{name} does not exist.") from error
    except PermissionError as error:
        raise CaptureError(f"{name} cannot be read: you have no permission.") from error
    except (OSError, ValueError) as error:
        raise CaptureError(f"{name} cannot be opened ({_reason(error)}).") from error
    try:
        return Capture(name, file, follow=follow and stat.S_ISREG(os.fstat(file.fileno()).st_mode), idle=idle)
    except BaseException:
        file.close()
        raise


def _reason(error: OSError | ValueError) -> str:
    """What went wrong, without the name of the file."""
    return getattr(error, "strerror", None) or str(error)
