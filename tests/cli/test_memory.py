"""How a long run takes memory from the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

HEAP = """
from pathlib import Path
from tlsinspect.cli.memory import keep_large_blocks_apart

def heap_octets():
    lines = Path("/proc/self/maps").read_text().splitlines()
    found = [line.split()[0].split("-") for line in lines if "[heap]" in line]
    return sum(int(end, 16) - int(begin, 16) for begin, end in found)

{first}
before = heap_octets()
freed = bytearray(20_000_000)
del freed
table = bytearray(16_000_000)
print(heap_octets() - before > 8_000_000)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc" or sys.platform != "linux", reason="is about glibc")
@pytest.mark.parametrize(("first", "on_the_heap"), [("keep_large_blocks_apart()", "False"), ("", "True")])
def test_large_blocks_stay_off_the_heap_also_after_one_was_freed(first: str, on_the_heap: str) -> None:
    done = subprocess.run([sys.executable, "-c", HEAP.format(first=first)], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == on_the_heap
