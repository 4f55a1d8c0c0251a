"""Writes a capture without end to standard output: the packets of a small one again and again, each time as others'.

    python -m benchmarks.stream --octets 10G | tlsinspect show - --format jsonl >/dev/null
    python -m benchmarks.stream --handshakes 1M --data-octets 512 | tlsinspect show - --format jsonl >/dev/null

Each time the clients have other addresses, the sessions other IDs and tickets, and time has gone on.
"""

from __future__ import annotations

import argparse
import contextlib
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from benchmarks.captures import write_capture
from tlsinspect.capture.file import open_capture
from tlsinspect.inspector import inspect
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import OfferedPsks, ServerHello
from tlsinspect.tls.extensions import PRE_SHARED_KEY, SESSION_TICKET

FILE_HEADER_OCTETS, RECORD_HEADER_OCTETS, SOURCE_AT = 24, 16, 14 + 12
CLIENTS = b"\x0a"  # the first octet of their addresses, and of no server's
PAUSE_NS = 2_500_000_000  # so that connections are over before the next ones begin
UNITS = {"k": 10**3, "M": 10**6, "G": 10**9}


class Repeated:
    """A capture in memory, with the places where its packets differ from one time to the next.  Owns its octets."""

    def __init__(self, path: Path, connections: int) -> None:
        self.connections = connections
        octets = path.read_bytes()
        self.header, self._octets = octets[:FILE_HEADER_OCTETS], bytearray(octets[FILE_HEADER_OCTETS:])
        self._times = list(self._records())
        ends = [(at, at + 4) for at, _ in self._times]
        starts = [at + RECORD_HEADER_OCTETS + SOURCE_AT for at, _ in ends]
        self._addresses = [at if self._octets[at : at + 1] == CLIENTS else at + 4 for at in starts]
        self._names = list(self._places_of(session_names(path)))
        self._lasts_ns = self._times[-1][1] - self._times[0][1] + PAUSE_NS

    def time(self, number: int) -> bytearray:
        """The packets as they are to be written the next time."""
        pack, octets = struct.pack_into, self._octets
        for at, time_ns in self._times:
            pack("<II", octets, at, *divmod(time_ns + number * self._lasts_ns, 10**9))
        for at in self._addresses:
            pack(">H", octets, at + 1, number & 0xFFFF)  # 10.x.x.1
        for at in self._names:
            pack(">I", octets, at, number)
        return octets

    def _records(self) -> Iterator[tuple[int, int]]:
        """Where each record begins, and its time."""
        at = 0
        while at < len(self._octets):
            second, fraction, captured, _ = struct.unpack_from("<IIII", self._octets, at)
            yield at, second * 10**9 + fraction
            at += RECORD_HEADER_OCTETS + captured

    def _places_of(self, names: set[bytes]) -> Iterator[int]:
        """Where those octets stand."""
        for name in names:
            at = self._octets.find(name)
            while at >= 0:
                yield at
                at = self._octets.find(name, at + 1)


def session_names(path: Path) -> set[bytes]:
    """The first octets of the session IDs and tickets in a capture."""
    with open_capture(path) as capture:
        return {octets[:8] for each in inspect(capture) for octets in names_in(each) if octets}


def names_in(handshake: Handshake) -> Iterator[bytes]:
    """Its session IDs and tickets, those that were offered and those that were issued."""
    for hello in handshake.client_hellos:
        ticket, psks = hello.body(SESSION_TICKET), hello.body(PRE_SHARED_KEY)
        yield hello.legacy_session_id
        yield ticket if isinstance(ticket, bytes) else b""
        yield from (each.identity for each in psks.identities) if isinstance(psks, OfferedPsks) else ()
    if isinstance(handshake.server_hello, ServerHello):
        yield handshake.server_hello.legacy_session_id_echo
    if isinstance(handshake.session_tickets, tuple):
        yield from (each.ticket for each in handshake.session_tickets)


def count(text: str) -> int:
    """A number with a unit: 10G."""
    return int(text[:-1]) * UNITS[text[-1]] if text[-1:] in UNITS else int(text)


def write(out: BinaryIO, repeated: Repeated, *, octets: int, handshakes: int) -> None:
    """Writes until there are so many octets, or handshakes, whichever is more."""
    out.write(repeated.header)
    number, written = 0, 0
    while written < octets or number * repeated.connections < handshakes:
        written += out.write(repeated.time(number))
        number += 1


def main() -> None:
    """Makes the small capture and repeats it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--octets", type=count, default=0, help="such as 10G")
    parser.add_argument("--handshakes", type=count, default=0, help="such as 1M")
    parser.add_argument(
        "--connections", type=int, default=200, help="of the capture that is repeated, all under way at once"
    )
    parser.add_argument("--data-octets", type=count, default=100_000, help="of application data of each")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "repeated.pcap"
        write_capture(
            path,
            Path(name),
            connections=options.connections,
            data_octets=options.data_octets,
            under_way=options.connections,
        )
        repeated = Repeated(path, options.connections)
    with contextlib.suppress(BrokenPipeError):
        write(sys.stdout.buffer, repeated, octets=options.octets, handshakes=options.handshakes)


if __name__ == "__main__":
    main()
