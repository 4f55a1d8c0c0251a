"""A command around which is captured: its process and its key log."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tlsinspect.capture.live import list_interfaces
from tlsinspect.capture.owners import adopt_orphans
from tlsinspect.model.errors import CaptureError

PATIENCE_SECONDS = 2.0  # for a command that was asked to end
NOT_FOUND, NOT_EXECUTABLE = 127, 126  # as a shell says it


class Command:
    """A command, run with SSLKEYLOGFILE.

    Owns the process, and the folder of its key log unless the user named a file for it; both go with `close`.  Its
    standard output goes to standard error: ours carries the report alone.
    """

    def __init__(self, words: Sequence[str], keylog: Path | None) -> None:
        self.words = tuple(words)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if keylog is None:
            self._folder = tempfile.TemporaryDirectory(prefix="tlsinspect-")
            keylog = Path(self._folder.name) / "keys.log"
        self.keylog = keylog
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, enter: Callable[[], None] | None) -> None:
        """Runs the command; its process calls *enter* first.  Raises CaptureError when it cannot be run."""
        adopt_orphans()
        environment = {**os.environ, "SSLKEYLOGFILE": str(self.keylog.resolve())}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - it is what the user asked for
                self.words,
                env=environment,
                stdout=sys.stderr.fileno(),
                preexec_fn=enter,
            )
        except OSError as error:
            hint = ""
            if any(each.name == self.words[0] for each in list_interfaces()):
                hint = f" To capture on that interface, write -i {self.words[0]}."
            raise CaptureError(f"The command '{self.words[0]}' cannot be run: {error.strerror}.{hint}") from error

    @property
    def status(self) -> int | None:
        """Its exit status, 128 and the signal's number when one ended it, as in a shell; None while it runs."""
        status = self._process.poll() if self._process is not None else None
        return status if status is None or status >= 0 else 128 - status

    def close(self) -> None:
        """Ends the command if it still runs, and removes its key log."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE_SECONDS)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
