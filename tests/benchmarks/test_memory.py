"""A watch, or a stream, takes no more memory after many connections than after some."""

from __future__ import annotations

import gc
import shutil
import sys
import tracemalloc
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from benchmarks.captures import write_capture
from benchmarks.days import resident_octets, watch
from benchmarks.stream import Repeated
from tlsinspect.capture.pcap import pcap_frames
from tlsinspect.capture.window import Window
from tlsinspect.cli import lines
from tlsinspect.cli.live import capture_options
from tlsinspect.cli.options import Format
from tlsinspect.inspector import Limits, inspect
from tlsinspect.sessions import Lineage

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc"),
    pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl"),
]
SOME = 1000
MARGIN_OCTETS = 10 << 20  # 2 MiB were measured; 3,000 conversations that are kept take 30 MiB and more


def test_memory_does_not_grow_with_the_number_of_connections() -> None:
    resident: dict[int, int] = {}

    def note(connection: int) -> None:
        if connection in (SOME, 4 * SOME - 1):
            resident[connection] = resident_octets()

    counts = watch(4 * SOME, note, limits=Limits(most_flows=200))
    first, last = resident.values()

    assert counts.handshakes > SOME
    assert last - first < MARGIN_OCTETS


def test_counts_the_connections_that_it_gives_up() -> None:
    """Those that wait for an answer, when there are too many at once."""
    counts = watch(400, lambda _: None, limits=Limits(most_flows=5, idle_ns=1 << 62, settle_ns=1 << 62))

    assert counts.conversations_given_up > 20


CONNECTIONS = 40  # of the capture that is repeated
TIMES = (10, 25, 50)  # it was repeated when all is warm, and when memory is looked at
MARGIN_PER_HANDSHAKE = 100  # octets; 10 were measured; a trace of a session that is kept takes 500
FEW_SESSIONS = 100


class Nowhere(StringIO):
    """Forgets what is written."""

    def write(self, text: str) -> int:
        return len(text)


def test_lines_of_json_keep_nothing_of_a_handshake_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "Lineage", lambda: Lineage(most=FEW_SESSIONS))
    monkeypatch.setattr(lines, "screen", Nowhere)
    write_capture(tmp_path / "repeated.pcap", tmp_path, connections=CONNECTIONS, data_octets=600, under_way=CONNECTIONS)
    repeated = Repeated(tmp_path / "repeated.pcap", CONNECTIONS)
    traced: list[int] = []

    def chunks() -> Iterator[bytes]:
        yield repeated.header
        for number in range(TIMES[-1] + 1):
            if number in TIMES:
                gc.collect()
                if not tracemalloc.is_tracing():
                    tracemalloc.start()
                traced.append(tracemalloc.get_traced_memory()[0])
            yield bytes(repeated.time(number))

    frames = pcap_frames(Window(chunks(), "A stream", [], []))
    rows, printer = lines.Rows(capture_options(format_=Format.JSONL).reading), lines.Printer()
    try:
        printed = sum(printer.print_row(rows.row(each)) for each in inspect(frames, limits=Limits(most_flows=50)))
    finally:
        tracemalloc.stop()

    assert printed == CONNECTIONS * (TIMES[-1] + 1)
    _, some, many = traced
    assert many - some < MARGIN_PER_HANDSHAKE * CONNECTIONS * (TIMES[2] - TIMES[1])
