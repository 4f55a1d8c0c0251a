"""Captures that exist in memory alone, opened as files are."""

from __future__ import annotations

import os
import tempfile
from typing import BinaryIO

from tlsinspect.capture.file import Capture

NAME = "fuzzed.pcap"


def open_octets(octets: bytes, name: str = NAME) -> Capture:
    """The capture with these octets.  Raises CaptureError as open_capture does."""
    file = unnamed_file()
    try:
        file.write(octets)
        file.seek(0)
        return Capture(name, file, follow=False)
    except BaseException:
        file.close()
        raise


def unnamed_file() -> BinaryIO:
    """A regular file that no folder holds."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create(NAME), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)
