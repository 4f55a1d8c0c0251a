"""Reports to the screen or to a file."""

from __future__ import annotations

import errno
import os
import stat
import sys
from typing import TextIO

from tlsinspect.cli.options import Output
from tlsinspect.render import FORMATS
from tlsinspect.report.blocks import Report


def write(report: Report, output: Output) -> None:
    """Writes a report where it shall go.  Raises OSError when it cannot be written."""
    render = FORMATS[output.format]
    if output.file is None or str(output.file) == "-":
        render(report, screen())
        sys.stdout.flush()
        return
    with output.file.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        try:
            render(report, file)
            file.flush()
        except OSError as error:
            leave_whole_lines(file, error)
            raise


def screen() -> TextIO:
    """Standard output; a character that it cannot show is spelled out."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    return sys.stdout


NO_ROOM = frozenset((errno.ENOSPC, errno.EFBIG, errno.EDQUOT))
LAST_OCTETS = 1 << 20  # in which the end of the last whole line is looked for


def leave_whole_lines(file: TextIO, error: OSError) -> None:
    """After a write that failed: takes the beginning of a line off the end of a full file, and forgets the rest.

    What is left is whole lines, each of JSON Lines an object.  The interpreter does not try again to write the rest.
    """
    descriptor = file.fileno()
    if error.errno in NO_ROOM and stat.S_ISREG(os.fstat(descriptor).st_mode):
        try:
            with open(f"/proc/self/fd/{descriptor}", "rb") as written:  # our own is open for writing alone
                size = written.seek(0, os.SEEK_END)
                start = written.seek(max(0, size - LAST_OCTETS))
                end = written.read().rfind(b"\n") + 1
            os.ftruncate(descriptor, start + end if end or not start else size)
        except OSError:
            pass  # not on this system: the last line stays as it is
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
