"""Days of watching within minutes: what a watch keeps in memory while a million connections come and go.

    python -m benchmarks.days [--connections 1000000]

Frames with the times of several days go through the parts that `tlsinspect capture --format jsonl` is made of, only the
interface is not a real one.  Of ten connections one completes a handshake, one is rejected, one waits for an answer
that never comes, and seven are no TLS.  Every ClientHello asks for another name.
"""

from __future__ import annotations

import argparse
import os
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.captures import Flight, certificate, contexts, flights, packets
from tlsinspect.capture.live import Captured, Statistics
from tlsinspect.cli.capturing import Live
from tlsinspect.cli.live import capture_options
from tlsinspect.cli.options import Format
from tlsinspect.cli.watch import Plan, Watch
from tlsinspect.inspector import Limits
from tlsinspect.model.frame import Frame
from tlsinspect.report.live import Counts

DAYS = 3
ETHERNET = 1
BATCH = 512  # frames that one look at the interface finds
NAME = "host0000000.example"
REFUSAL = Flight(False, b"\x15\x03\x03\x00\x02\x02\x70")  # unrecognized_name
PLAIN = (Flight(True, b"GET / HTTP/1.0\r\n\r\n"), Flight(False, b"HTTP/1.0 200 OK\r\n\r\nhello"))
PACKETS_OF_A_HELLO = 4  # SYN, SYN and ACK, ACK, ClientHello


class Interface:
    """An interface on which connections come without a break, all of them long ago; the watch ends after the last."""

    name = "days"
    links = ((ETHERNET, "days"),)
    lost: Sequence[str] = ()

    def __init__(self, connections: int, folder: Path, each: Callable[[int], None]) -> None:
        self.is_over = False
        self._each = each
        self._connections = connections
        self._handshakes = [made(server, client) for server, client in contexts(certificate(folder))]
        self._frames = self._captured()
        self._count = 0

    @property
    def statistics(self) -> Statistics:
        """What was counted so far."""
        return Statistics(frames=self._count, kernel_dropped=0)

    def read(self, timeout_seconds: float) -> list[Captured]:
        """Some frames, but none while others wait to be looked at: an interface that is not too busy."""
        if not timeout_seconds:
            return []
        found = list(islice(self._frames, BATCH))
        self._count += len(found)
        self.is_over = not found
        return found

    def _captured(self) -> Iterator[Captured]:
        end_ns = time.time_ns()
        step_ns = DAYS * 86_400 * 10**9 // self._connections
        number = 0
        for connection in range(self._connections):
            self._each(connection)
            time_ns = end_ns - (self._connections - connection) * step_ns
            for octets in self._packets(connection):
                number += 1
                time_ns += 1000
                yield Captured(Frame(number, time_ns, ETHERNET, octets, len(octets)), self.name)

    def _packets(self, connection: int) -> Iterator[bytes]:
        kind = connection % 10
        if kind >= 3:
            yield from packets(connection, PLAIN, 0)
            return
        first, *rest = self._handshakes[connection // 10 % 2]
        hello = Flight(True, first.octets.replace(NAME.encode(), f"host{connection:07}.example".encode()))
        sent = packets(connection, (hello, *rest) if kind == 0 else (hello, REFUSAL), 0)
        yield from sent if kind < 2 else islice(sent, PACKETS_OF_A_HELLO)


def made(server: ssl.SSLContext, client: ssl.SSLContext) -> list[Flight]:
    """The flights of a handshake."""
    return flights(server, client, NAME, None)


def watch(connections: int, each: Callable[[int], None], *, limits: Limits | None = None) -> Counts:
    """Watches so many connections; calls *each* with the number of every one before it begins.  What was counted."""
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nothing, redirect_stdout(nothing):
        interface: Any = Interface(connections, Path(folder), each)
        live = Live(capture_options(format_=Format.JSONL))
        watching = Watch(
            interface,
            Plan(),
            name=interface.name,
            recorder=None,
            keylogs=(),
            http=True,
            each=live.take,
            tick=lambda: live.tick(watching),
            over=lambda: bool(interface.is_over),
            limits=limits,
        )
        live.begin(interface.name)
        watching.run()
        return watching.counts()


def resident_octets() -> int:
    """What this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Prints what is in memory while connections come."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=1_000_000)
    connections = parser.parse_args().connections
    begun = time.monotonic()

    def show(number: int) -> None:
        if number % (connections // 20) == 0:
            minutes = (time.monotonic() - begun) / 60
            print(f"{number:>9,} connections, {resident_octets() >> 20:4} MiB, {minutes:5.1f} min", file=sys.stderr)

    print(watch(connections, show), resident_octets() >> 20, "MiB")


if __name__ == "__main__":
    main()
