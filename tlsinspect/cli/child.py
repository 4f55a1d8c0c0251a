"""A command around which is captured: its process, its key log, and which connections are its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tlsinspect.capture.live import list_interfaces
from tlsinspect.capture.owners import Owners, adopt_orphans, is_local, packed, reverse_of
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame
from tlsinspect.net.packet import Datagram, PacketDecoder, Segment

SYN, ACK = 2, 16
MOST_LOOKS = 12  # frames of a connection at which the system is asked whose it is
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

    def start(self) -> None:
        """Runs the command.  Raises CaptureError when it cannot be run."""
        adopt_orphans()
        environment = {**os.environ, "SSLKEYLOGFILE": str(self.keylog.resolve())}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - it is what the user asked for
                self.words, env=environment, stdout=sys.stderr.fileno()
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


class OwnConnections:
    """Tells the frames of the command's connections from those of others.

    By the sockets that it and its children hold, asked for while a connection begins.  A connection too short to be
    found is kept when it began while the command ran, at an address of this system.  Owns the verdicts, one for each
    connection seen.
    """

    def __init__(self) -> None:
        self._decoder = PacketDecoder()
        self._owners = Owners()
        self._addresses = packed(tuple(address for each in list_interfaces() for address in each.addresses))
        self._verdicts: dict[bytes, tuple[bool | None, int]] = {}  # and how often the system was asked
        self._presumed: dict[bytes, bool] = {}

    def keeps(self, frame: Frame) -> bool:
        """Whether a frame belongs to a connection of the command."""
        packet = self._decoder.decode(frame)
        if not isinstance(packet, Segment | Datagram):
            return False
        key = packet.key
        syn = isinstance(packet, Segment) and packet.flags & (SYN | ACK) == SYN
        if syn:
            self._verdicts.pop(key, None)
        elif key not in self._verdicts and reverse_of(key) in self._verdicts:
            key = reverse_of(key)
        verdict, looks = self._verdicts.get(key, (None, 0))
        if verdict is None and looks < MOST_LOOKS:
            verdict = self._owners.is_childs(key)
            self._verdicts[key] = verdict, looks + 1
            if not looks:
                self._presumed[key] = (syn or isinstance(packet, Datagram)) and is_local(key, self._addresses)
        return self._presumed[key] if verdict is None else verdict

    @property
    def left_out(self) -> int:
        """Connections of others."""
        return sum(not (self._presumed[key] if verdict is None else verdict) for key, (verdict, _) in self._items())

    @property
    def presumed(self) -> int:
        """Connections that were kept by time and address alone."""
        return sum(verdict is None and self._presumed[key] for key, (verdict, _) in self._items())

    def _items(self) -> list[tuple[bytes, tuple[bool | None, int]]]:
        return list(self._verdicts.items())
