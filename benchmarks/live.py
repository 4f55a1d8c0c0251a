"""Sends handshakes through a pair of network namespaces, and counts what live captures of them lose.

    sudo python -m benchmarks.live [--handshakes 100000] [--rates 1000,2000,4000] [--rounds 1]

Needs root, ip and tcpdump.  Handshakes are real ones of OpenSSL, each connection with addresses and ports of its own,
a hundred under way at once.  In each round and at each rate, `tcpdump -w` and `tlsinspect capture -w` get the same
packets, one after the other, through the same interface.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import mmap
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.captures import SESSIONS, UNDER_WAY, certificate, contexts, flights, packets

TEMPLATES = 200  # different handshakes; the rest are the same with other addresses and ports
DATA_OCTETS = 1024
BATCH = 16  # packets that one call of the system sends
SETTLE_SECONDS = 3.0  # after the last packet
LIMIT_SECONDS = 900
FRAME = struct.Struct("<I")


class Result(NamedTuple):
    """What one capture had in the end."""

    written: int  # packets in its file
    lost: int  # packets that were sent and are not there
    handshakes: int | None  # that it showed
    seconds: float  # from the last packet to its end


# -- packets --------------------------------------------------------------------------------------------------------


def write_packets(path: Path, folder: Path, handshakes: int) -> int:
    """Writes the frames, each behind its length, in the order in which they are sent; how many there are."""
    pairs = contexts(certificate(folder))
    made = []
    for number in range(TEMPLATES):
        server, client = pairs[number % 2]
        session = SESSIONS.get(client) if number % 3 == 0 else None
        made.append(flights(server, client, f"host{number}.site{number % 10}.example", session))
    order, under_way, begun, count = random.Random(1), [], 0, 0
    with path.open("wb") as file:
        while under_way or begun < handshakes:
            if begun < handshakes and len(under_way) < UNDER_WAY:
                under_way.append(packets(begun, made[begun % TEMPLATES], DATA_OCTETS))
                begun += 1
            at = order.randrange(len(under_way))
            octets = next(under_way[at], None)
            if octets is None:
                under_way.pop(at)
                continue
            file.write(FRAME.pack(len(octets)) + octets)
            count += 1
    return count


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("octets", ctypes.c_size_t))


class Message(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_octets", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_octets", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("sent_octets", ctypes.c_uint),
    )


def send(interface: str, path: Path, rate: float) -> None:
    """Sends the frames of a file at a rate in packets a second, and prints how many seconds it took."""
    libc = ctypes.CDLL(None, use_errno=True)
    with path.open("rb") as file:
        area = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    start = ctypes.addressof(ctypes.c_char.from_buffer(area))
    ends, at = [], 0
    while at < len(area):
        octets = FRAME.unpack_from(area, at)[0]
        ends.append((start + at + FRAME.size, octets))
        at += FRAME.size + octets
    vectors = (Vector * len(ends))(*ends)
    messages = (Message * len(ends))()
    size, base = ctypes.sizeof(Vector), ctypes.addressof(vectors)
    for number, message in enumerate(messages):
        message.vectors = ctypes.cast(base + number * size, ctypes.POINTER(Vector))
        message.vector_count = 1
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((interface, 0))
        begun, sent, step = time.monotonic(), 0, ctypes.sizeof(Message)
        while sent < len(ends):
            count = min(BATCH, len(ends) - sent)
            ahead = begun + sent / rate - time.monotonic()
            if ahead > 0.0005:
                time.sleep(ahead)
            done = libc.sendmmsg(out.fileno(), ctypes.byref(messages, sent * step), count, 0)
            if done < 0:
                time.sleep(0.0001)  # the queue of the interface is full
                continue
            sent += done
        print(time.monotonic() - begun, flush=True)


# -- captures -------------------------------------------------------------------------------------------------------


@contextmanager
def namespaces() -> Iterator[tuple[Sequence[str], str, Sequence[str], str]]:
    """Two network namespaces that are connected: for each, how to run a program in it, and its interface."""
    names = f"bench{os.getpid()}a", f"bench{os.getpid()}b"
    with ExitStack() as stack:
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True)
            stack.callback(subprocess.run, ["ip", "netns", "del", name], check=False)
        run = [("ip", "netns", "exec", name) for name in names]
        peer = ["peer", "name", "b0", "netns", names[1]]
        subprocess.run([*run[0], "ip", "link", "add", "a0", "type", "veth", *peer], check=True)
        subprocess.run([*run[0], "ip", "link", "set", "a0", "up"], check=True)
        subprocess.run([*run[1], "ip", "link", "set", "b0", "up"], check=True)
        yield run[0], "a0", run[1], "b0"


def captured_by_tcpdump(stop_after: Iterator[float], words: Sequence[str], interface: str, file: Path) -> Result:
    """What `tcpdump -w` keeps."""
    command = [*words, "tcpdump", "-q", "-n", "-i", interface, "-w", str(file), "tcp"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "listening on" not in process.stderr.readline():
            pass
        return ended(stop_after, process, file)


def captured_by_tlsinspect(stop_after: Iterator[float], words: Sequence[str], interface: str, file: Path) -> Result:
    """What `tlsinspect capture -w` keeps, and the handshakes that it shows."""
    rows = file.with_suffix(".jsonl")
    command = [*words, sys.executable, "-m", "tlsinspect", "capture", "-i", interface, "-w", str(file)]
    with (
        rows.open("w") as out,
        subprocess.Popen([*command, "--format", "jsonl"], stdout=out, stderr=subprocess.PIPE, text=True) as process,
    ):
        assert process.stderr is not None
        while "Capturing on" not in process.stderr.readline():
            pass
        result = ended(stop_after, process, file)
    *_, last = rows.open()
    statistics = json.loads(last)["statistics"]
    print(f"    {json.dumps(statistics)}")
    rows.unlink()
    return result._replace(handshakes=statistics["handshakes"])


def ended(stop_after: Iterator[float], process: subprocess.Popen[str], file: Path) -> Result:
    """Sends the packets, then ends a capture and counts what it wrote."""
    next(stop_after)
    time.sleep(SETTLE_SECONDS)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=LIMIT_SECONDS)
    seconds = time.monotonic() - begun
    counted = subprocess.run(["tcpdump", "--count", "-r", str(file)], capture_output=True, text=True, check=True)
    found = re.search(r"(\d+) packets?", counted.stdout)
    assert found is not None, messages
    file.unlink()
    return Result(int(found[1]), 0, None, seconds)


CAPTURES = {"tcpdump -w": captured_by_tcpdump, "tlsinspect capture -w": captured_by_tlsinspect}


def measure(handshakes: int, rates: Sequence[float], rounds: int) -> None:
    """Prints a line for each rate, round and program."""
    with tempfile.TemporaryDirectory() as name, namespaces() as (one, near, other, far):
        folder = Path(name)
        count = write_packets(folder / "packets", folder, handshakes)
        each = count / handshakes
        size = (folder / "packets").stat().st_size
        print(f"{handshakes:,} handshakes, {count:,} packets, {size >> 20} MiB")

        def sent(rate: float) -> Iterator[float]:
            words = [*one, sys.executable, "-m", "benchmarks.live", "--send", near, str(folder / "packets")]
            done = subprocess.run([*words, str(rate * each)], capture_output=True, text=True, check=True)
            seconds = float(done.stdout)
            print(f"  sent {handshakes / seconds:,.0f} handshakes, {count / seconds:,.0f} packets a second")
            yield seconds

        for rate in rates:
            for _ in range(rounds):
                for program, captured in CAPTURES.items():
                    result = captured(sent(rate), other, far, folder / "out.pcapng")
                    lost = count - result.written
                    shown = f", {result.handshakes:,} handshakes shown" if result.handshakes is not None else ""
                    print(f"{rate:,.0f}/s  {program}: {lost:,} packets lost{shown}, ended in {result.seconds:.1f} s")


def main() -> None:
    """Reads the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--handshakes", type=int, default=100_000)
    parser.add_argument("--rates", default="1000,2000,4000,8000", help="handshakes a second")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--send", nargs=3, metavar=("IFACE", "FILE", "RATE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.send:
        send(options.send[0], Path(options.send[1]), float(options.send[2]))
    else:
        measure(options.handshakes, [float(rate) for rate in options.rates.split(",")], options.rounds)


if __name__ == "__main__":
    main()
