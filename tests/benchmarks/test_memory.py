"""A watch takes no more memory after many connections than after some."""

from __future__ import annotations

import shutil
import sys

import pytest

from benchmarks.days import resident_octets, watch
from tlsinspect.inspector import Limits

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
