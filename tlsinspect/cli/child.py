"""A command around which is captured: its process, its key log, and which connections are its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from tlsinspect.capture.live import list_interfaces
from tlsinspect.capture.owners import Owners, adopt_orphans, is_from_here, is_local, packed, reverse_of
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame
from tlsinspect.net.packet import Datagram, PacketDecoder, Segment

SYN, ACK = 2, 16
TCP, UDP = 6, 17
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

    By the sockets that it and its children hold.  A connection too short to be found is kept when it began while the
    command ran, at an address of this system.  Owns what is known of each connection seen.
    """

    def __init__(self) -> None:
        self.ended_ns = 1 << 63  # when the command ended
        self._owners = Owners()
        self._addresses = packed(tuple(address for each in list_interfaces() for address in each.addresses))
        self._presumed: dict[bytes, bool] = {}  # connections in the direction of their first packet
        self._arriving, self._leaving = PacketDecoder(), PacketDecoder()  # both see every frame, at other times

    def look_at(self, frames: Iterable[Frame]) -> None:
        """Looks whose connections new frames belong to."""
        fresh: list[tuple[bytes, int]] = []
        for frame in frames:
            packet = self._arriving.decode(frame)
            if isinstance(packet, Segment | Datagram):
                key = packet.key if reverse_of(packet.key) not in self._presumed else reverse_of(packet.key)
                if key not in self._presumed:
                    begins = isinstance(packet, Datagram) or packet.flags & (SYN | ACK) == SYN
                    while_it_ran = begins and frame.time_ns <= self.ended_ns
                    self._presumed[key] = while_it_ran and is_local(key, self._addresses)
                protocol = UDP if isinstance(packet, Datagram) else TCP
                if not self._owners.knows(key):
                    fresh.append((key, protocol))
                self._owners.look_at(key, protocol, outgoing=is_from_here(key, self._addresses))
        self._owners.look_at_processes(soon=bool(fresh))
        for key, protocol in fresh:  # a socket that is still there now was there at that look
            self._owners.look_at(key, protocol, outgoing=is_from_here(key, self._addresses))

    def keeps(self, frame: Frame) -> bool:
        """Whether a frame that was looked at a moment ago belongs to a connection of the command."""
        packet = self._leaving.decode(frame)
        if not isinstance(packet, Segment | Datagram):
            return False
        key = packet.key if packet.key in self._presumed else reverse_of(packet.key)
        return self._is_own(key)

    @property
    def left_out(self) -> int:
        """Connections of others."""
        return sum(not self._is_own(key) for key in self._presumed)

    @property
    def presumed(self) -> int:
        """Connections that were kept by time and address alone."""
        return sum(presumed and self._owners.is_childs(key) is None for key, presumed in self._presumed.items())

    def close(self) -> None:
        """Asks the system no more."""
        self._owners.close()

    def _is_own(self, key: bytes) -> bool:
        verdict = self._owners.is_childs(key)
        return self._presumed.get(key, False) if verdict is None else verdict
