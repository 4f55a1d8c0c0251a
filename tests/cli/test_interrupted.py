"""Readers that go away, disks that are full, files that cannot be written, and interrupts.

One clear line on standard error, the exit status of the contract, and whole lines of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import hostile
from tests.support.captures import pcap
from tlsinspect.model.frame import Frame, Side

HANDSHAKES = 60
RAW = 101
COMMAND = (sys.executable, "-m", "tlsinspect")
MOST_FILE_OCTETS = 30_000


def from_port(frame: Frame, port: int) -> Frame:
    """A frame of tests.support.tcp whose client has another port."""
    octets = bytearray(frame.data)
    at = 20 if octets[12:16] == b"\x0a\0\0\1" else 22
    octets[at : at + 2] = port.to_bytes(2, "big")
    return frame._replace(data=bytes(octets))


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture whose report is longer than what a pipe holds."""
    hello = hostile.record(22, hostile.client_hello(hostile.server_name(b"a.example")))
    one = hostile.connection([(Side.CLIENT, hello), (Side.SERVER, hostile.record(21, b"\2\x70"))])
    frames = [from_port(frame, 10_000 + number) for number in range(HANDSHAKES) for frame in one]
    path = tmp_path_factory.mktemp("big") / "big.pcap"
    path.write_bytes(pcap(hostile.renumbered(frames), link=RAW))
    return path


def small_files() -> None:
    """Has writes fail beyond some octets, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FILE_OCTETS, MOST_FILE_OCTETS))


def whole_lines(octets: bytes) -> list[object]:
    """The lines, each an object."""
    assert octets.endswith(b"\n")

    return [json.loads(line) for line in octets.splitlines()]


@pytest.mark.parametrize(
    "words", [("show",), ("show", "--format", "jsonl"), ("explain",), ("explain", "--format", "jsonl"), ("certs",)]
)
def test_a_reader_that_has_seen_enough_is_no_complaint(words: Sequence[str], big: Path) -> None:
    process = subprocess.Popen([*COMMAND, *words, str(big)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    first = process.stdout.readline()
    process.stdout.close()
    complaint = process.stderr.read()
    process.stderr.close()
    process.wait(60)

    assert first
    assert (process.returncode in (0, 1, 141), complaint) == (True, b"")


def test_a_full_disk_leaves_whole_lines_on_standard_output(big: Path, tmp_path: Path) -> None:
    output = tmp_path / "shown.jsonl"
    with output.open("wb") as file:
        done = subprocess.run(
            [*COMMAND, "show", str(big), "--format", "jsonl"],
            stdout=file,
            stderr=subprocess.PIPE,
            preexec_fn=small_files,
            timeout=60,
        )

    assert (done.returncode, done.stderr.splitlines()) == (2, [b"The report: File too large."])
    assert 0 < len(whole_lines(output.read_bytes())) < HANDSHAKES


def test_a_full_disk_leaves_whole_lines_in_the_file_of_o(big: Path, tmp_path: Path) -> None:
    output = tmp_path / "shown.jsonl"
    done = subprocess.run(
        [*COMMAND, "show", str(big), "-o", str(output)], capture_output=True, preexec_fn=small_files, timeout=60
    )

    assert (done.returncode, done.stderr.splitlines()) == (2, [b"The report: File too large."])
    assert 0 < len(whole_lines(output.read_bytes())) < HANDSHAKES


@pytest.mark.parametrize("words", [("show", "--format", "jsonl"), ("show",), ("explain", "--format", "html")])
def test_a_full_disk_is_one_line(words: Sequence[str], big: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*COMMAND, *words, str(big)], stdout=full, stderr=subprocess.PIPE, timeout=60)

    assert (done.returncode, done.stderr.splitlines()) == (2, [b"The report: No space left on device."])


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("absent/report.html", "No such file or directory"),
        (".", "Is a directory"),
        ("report.txt/report.html", "Not a directory"),
        ("long" * 100 + ".md", "File name too long"),
        ("\x1b[31mred/a.md", "No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_written_is_one_line(place: str, reason: str, big: Path, tmp_path: Path) -> None:
    (tmp_path / "report.txt").write_text("")
    done = subprocess.run(
        [*COMMAND, "show", str(big), "-o", str(tmp_path / place)], capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert reason in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("command", ["show", "explain"])
def test_an_interrupt_while_writing_leaves_whole_lines(command: str, big: Path) -> None:
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [*COMMAND, command, str(big), "--format", "jsonl"], stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    first = os.read(reading, 1)  # it has begun, and soon waits for somebody to read
    process.send_signal(signal.SIGINT)
    parts = [first]
    while part := os.read(reading, 1 << 16):
        parts.append(part)
    os.close(reading)
    assert process.stderr is not None
    complaint = process.stderr.read()
    process.stderr.close()
    process.wait(60)

    assert (process.returncode, complaint) == (130, b"")
    assert whole_lines(b"".join(parts))


def test_an_interrupt_while_reading_leaves_a_whole_report(big: Path, tmp_path: Path) -> None:
    octets = big.read_bytes()
    pipe, output = tmp_path / "pipe.pcap", tmp_path / "report.jsonl"
    os.mkfifo(pipe)
    process = subprocess.Popen([*COMMAND, "show", str(pipe), "-o", str(output)], stderr=subprocess.PIPE)
    with pipe.open("wb", buffering=0) as file:
        file.write(octets)
        file.write(octets[:10])  # it has read all else when this is gone
        wait_until_read(process, pipe)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert process.stderr is not None
    complaint = process.stderr.read()
    process.stderr.close()

    assert process.returncode == 130
    assert b"Traceback" not in complaint
    assert whole_lines(output.read_bytes())


def wait_until_read(process: subprocess.Popen[bytes], pipe: Path) -> None:
    """Until the process waits for more."""
    import fcntl
    import struct
    import termios
    import time

    with pipe.open("rb", buffering=0) as look:
        for _ in range(600):
            waiting = struct.unpack("i", fcntl.ioctl(look, termios.FIONREAD, b"\0\0\0\0"))[0]
            if not waiting or process.poll() is not None:
                return
            time.sleep(0.05)
