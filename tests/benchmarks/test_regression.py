"""Ratios against a yardstick on the same machine, with margins that only a lost order of magnitude crosses."""

from __future__ import annotations

import statistics
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.captures import write_capture
from tlsinspect.capture.file import open_capture
from tlsinspect.cli.lines import Rows
from tlsinspect.cli.live import capture_options
from tlsinspect.cli.options import Format
from tlsinspect.inspector import inspect

ROUNDS = 3
MOST_PER_BULK_FRAME = 25  # times the yardstick; 5.3 were measured
MOST_PER_HANDSHAKE = 6_000  # times the yardstick for one frame; 1,400 were measured


def walk(path: Path) -> int:
    """The yardstick: the records of a pcap file, counted by a loop in Python."""
    octets = path.read_bytes()
    at, frames = 24, 0
    while at < len(octets):
        at += 16 + struct.unpack_from("<IIII", octets, at)[2]
        frames += 1
    return frames


def shown(path: Path) -> int:
    """How many handshakes are read and turned into lines of JSON."""
    rows = Rows(capture_options(format_=Format.JSONL).reading)
    with open_capture(str(path)) as capture:
        return sum(rows.row(each).line is not None for each in inspect(capture))


def seconds(work: Callable[[Path], int], path: Path) -> float:
    """Processor time of one call; the least of some, as other work on the machine only adds to it."""
    found = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        work(path)
        found.append(time.process_time() - begun)
    return min(found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("captures")


def test_a_frame_of_a_bulk_transfer_costs_a_few_steps_of_a_plain_loop(folder: Path) -> None:
    write_capture(folder / "bulk.pcap", folder, connections=4, data_octets=8_000_000)

    ratio = seconds(shown, folder / "bulk.pcap") / seconds(walk, folder / "bulk.pcap")

    assert ratio < MOST_PER_BULK_FRAME, f"{ratio:.0f} times the time of a plain loop"


def test_a_handshake_costs_no_more_than_it_did(folder: Path) -> None:
    write_capture(folder / "handshakes.pcap", folder, connections=300, data_octets=1024)
    per_frame = statistics.median(
        seconds(walk, folder / "handshakes.pcap") / walk(folder / "handshakes.pcap") for _ in range(ROUNDS)
    )

    ratio = seconds(shown, folder / "handshakes.pcap") / 300 / per_frame

    assert ratio < MOST_PER_HANDSHAKE, f"{ratio:.0f} times the time of a step of a plain loop"
