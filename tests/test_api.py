"""The public API is there, and costs nothing until it is used."""

import subprocess
import sys
from pathlib import Path

import tlsinspect

CAPTURE = Path(__file__).resolve().parents[1] / "captures" / "story" / "08-reject-handshake" / "capture.pcap"


def test_every_public_name_is_there() -> None:
    assert [name for name in tlsinspect.__all__ if not hasattr(tlsinspect, name)] == []


def test_the_example_of_the_package_names_the_cause() -> None:
    with tlsinspect.open_capture(CAPTURE) as capture:
        handshakes = list(tlsinspect.inspect(capture))
    codes = [
        found.code
        for handshake in handshakes
        for found in tlsinspect.diagnose(tlsinspect.Case(handshake=handshake), tlsinspect.CAUSES).findings
    ]

    assert codes[:1] == ["sni-missing"]
    assert "sni-unrecognized" in codes


def test_importing_the_package_loads_nothing_of_it() -> None:
    loaded = "import sys, tlsinspect; print([name for name in sys.modules if name.startswith('tlsinspect.')])"

    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout == "[]\n"
