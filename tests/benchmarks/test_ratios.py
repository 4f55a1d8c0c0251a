"""Whole runs against other programs on the same machine in the same minute, with margins for a machine that is busy.

What was measured stands beside each limit: tighten them when tlsinspect becomes faster.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.captures import write_capture
from benchmarks.run import OURS, Programs, large, measured, small

MOST_OF_TSHARK = 2.0  # the processor time of `show` by that of tshark; 0.7 to 1.1 were measured
MOST_OF_SHOW = 3.0  # that of `explain` by that of `show`; 1.3 to 2.0 were measured
MOST_OF_AN_EMPTY_PROGRAM = 5.0  # that of `show` and `diff` of four by that of typer with rich; 1.8 to 3.1 were measured
HANDSHAKES = 300
ROUNDS = 3

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")


def least(programs: Programs, names: Sequence[str]) -> dict[str, float]:
    """The least processor time of each program in some rounds, as other work on the machine only adds to it."""
    costs = measured({name: programs[name] for name in names}, ROUNDS)
    return {name: min(each.processor for each in found) for name, found in costs.items()}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("captures")
    write_capture(folder / "mixed.pcap", folder, connections=HANDSHAKES, data_octets=4096, mixed=True)
    return str(folder / "mixed.pcap")


@pytest.mark.skipif(not shutil.which("tshark"), reason="needs tshark")
def test_show_takes_no_longer_than_tshark_for_names_alone(mixed: str) -> None:
    found = least(large(mixed), (OURS, "tshark"))

    ratio = found[OURS] / found["tshark"]
    assert ratio < MOST_OF_TSHARK, f"{ratio:.2f} times the processor time of tshark"


def test_explain_takes_no_more_than_twice_what_show_takes(mixed: str) -> None:
    found = least(large(mixed), (OURS, "tlsinspect explain"))

    ratio = found["tlsinspect explain"] / found[OURS]
    assert ratio < MOST_OF_SHOW, f"{ratio:.2f} times the processor time of show"


def test_a_short_run_starts_nearly_as_fast_as_an_empty_program(tmp_path: Path) -> None:
    write_capture(tmp_path / "small.pcap", tmp_path, connections=4, data_octets=512)
    found = least(small(str(tmp_path / "small.pcap")), (OURS, "tlsinspect diff", "empty typer program"))

    for name in (OURS, "tlsinspect diff"):
        ratio = found[name] / found["empty typer program"]
        assert ratio < MOST_OF_AN_EMPTY_PROGRAM, f"{name}: {ratio:.2f} times the processor time of an empty program"
