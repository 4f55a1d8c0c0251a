"""`tlsinspect capture` as a process, and traffic of real programs on loopback.  Needs the right to capture."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

Json = dict[str, Any]

LIMIT_SECONDS = 120  # on a machine that does much else
NEW_CERTIFICATE = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
    "-subj /CN=shop.example -addext subjectAltName=DNS:shop.example"
)
TLSINSPECT = (sys.executable, "-m", "tlsinspect")


@functools.cache
def may_capture() -> bool:
    """Whether this process may open a packet socket."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except (AttributeError, OSError):
        return False
    return True


needs_capture = pytest.mark.skipif(not may_capture(), reason="needs the right to capture (root, or CAP_NET_RAW)")


class Capturing:
    """A running `tlsinspect capture`, and what it wrote so far."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.out = self.err = b""

    def wait_until_it_captures(self) -> None:
        while b"Capturing on" not in self.err:
            assert self.read(), self.err

    def wait_for_lines(self, count: int) -> None:
        """Until there are so many lines on standard output."""
        while self.out.count(b"\n") < count:
            assert self.read(), (self.out, self.err)

    def lines(self) -> list[Json]:
        return [json.loads(line) for line in self.out.splitlines()]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Sends the signal and reads the rest; the exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        while self.read():
            pass
        return self.process.wait(LIMIT_SECONDS)

    def read(self) -> bool:
        """Reads what comes next; False at the end, or when nothing comes."""
        streams = {each: name for each, name in self._streams() if not each.closed}
        ready = select.select(list(streams), [], [], LIMIT_SECONDS)[0] if streams else []
        for stream in ready:
            octets = os.read(stream.fileno(), 65536)
            if octets:
                setattr(self, streams[stream], getattr(self, streams[stream]) + octets)
            else:
                stream.close()
        return bool(ready)

    def _streams(self) -> Iterator[tuple[IO[bytes], str]]:
        if self.process.stdout is not None:
            yield self.process.stdout, "out"
        if self.process.stderr is not None:
            yield self.process.stderr, "err"


@contextlib.contextmanager
def started(*words: object, **options: Any) -> Iterator[Capturing]:
    """A program, killed when the block is left and it still runs."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([*map(str, words)], **{**streams, **options})
    capturing = Capturing(process)
    try:
        yield capturing
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(LIMIT_SECONDS)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@contextlib.contextmanager
def capture(*options: object, **popen: Any) -> Iterator[Capturing]:
    """`tlsinspect capture` with options, once it captures."""
    with started(*TLSINSPECT, "capture", *options, **popen) as capturing:
        capturing.wait_until_it_captures()
        yield capturing


@contextlib.contextmanager
def server(folder: Path, *options: str) -> Iterator[int]:
    """`openssl s_server` on a free port of loopback: the port."""
    pem = folder / "server.pem"
    if not pem.exists():
        subprocess.run(
            [*NEW_CERTIFICATE.split(), "-keyout", pem, "-out", folder / "cert.pem"],
            check=True,
            capture_output=True,
        )
        pem.write_text(pem.read_text() + (folder / "cert.pem").read_text())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(pem), "-key", str(pem), "-www"]
    process = subprocess.Popen(
        [*command, *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.wait(LIMIT_SECONDS)


def curl_words(port: int, *options: str) -> list[str]:
    """A request for shop.example at a port of loopback."""
    address = ("--resolve", f"shop.example:{port}:127.0.0.1")
    return ["curl", "-s", "-o", os.devnull, *options, *address, f"https://shop.example:{port}/"]


def curl(port: int, *options: str) -> int:
    """Runs a request; curl's exit status."""
    return subprocess.run(curl_words(port, *options), timeout=LIMIT_SECONDS, check=False).returncode


def shown(file: Path, *options: str) -> list[Json]:
    """What `show` says of a file."""
    words = [*TLSINSPECT, "show", str(file), "--format", "json", *options]
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True)
    handshakes: list[Json] = json.loads(done.stdout)["handshakes"]
    return handshakes


def tshark(file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """tshark on a file."""
    return subprocess.run(
        ["tshark", "-r", str(file), *options], capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
