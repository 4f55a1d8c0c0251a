"""Memory does not grow with what has been read."""

from __future__ import annotations

import subprocess
import sys

import pytest

PEAK = """
import sys
from tlsinspect.cli.app import app
app(["show", "-", "--format", "jsonl"], standalone_mode=False)
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(peak.split()[1], file=sys.stderr)
"""
MOST_KIB_PER_HANDSHAKE = 3  # until the limits are reached; 0.8 were measured, and 14 when handshakes were kept


def peak_kib(handshakes: int) -> int:
    """The most memory that a run held."""
    stream = [sys.executable, "-m", "benchmarks.stream", "--handshakes", str(handshakes), "--data-octets", "512"]
    with subprocess.Popen(stream, stdout=subprocess.PIPE) as source:
        shown = subprocess.run(
            [sys.executable, "-c", PEAK], stdin=source.stdout, capture_output=True, text=True, check=True
        )
    assert len(shown.stdout.splitlines()) == handshakes
    return int(shown.stderr.split()[-1])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from /proc")
def test_four_times_as_many_handshakes_take_hardly_more_memory() -> None:
    few, many = 500, 2000

    grown = peak_kib(many) - peak_kib(few)

    assert grown < MOST_KIB_PER_HANDSHAKE * (many - few)
