"""What a run imports decides how long a short one takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.refusals import two_refusals

OF_FEW_RUNS = {  # what only some captures, options or formats need
    "brotli",
    "cryptography",
    "hpack",
    "lz4",
    "pyshark",
    "scapy",
    "tlsinspect.dtls",
    "tlsinspect.http",
    "tlsinspect.preamble.dialogues",
    "tlsinspect.quic",
    "tlsinspect.render.html",
    "tlsinspect.render.markdown",
    "tlsinspect.tls.opener",
    "zstandard",
}


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_refusals(tmp_path_factory.mktemp("captures") / "two.pcap")


def imported_by(*arguments: object) -> set[str]:
    """The modules that a run of the command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tlsinspect", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def test_help_imports_the_options_alone() -> None:
    imported = imported_by("--help")

    assert "tlsinspect.cli.options" in imported
    assert not imported & {*OF_FEW_RUNS, "rich", "tlsinspect.fields", "tlsinspect.inspector", "tlsinspect.render"}


def test_show_imports_no_causes_and_nothing_that_the_capture_does_not_need(capture: Path) -> None:
    imported = imported_by("show", capture)

    assert "tlsinspect.inspector" in imported
    assert not imported & {*OF_FEW_RUNS, "rich", "tlsinspect.diagnosis.causes"}


def test_diff_imports_the_causes_and_nothing_that_the_captures_do_not_need(capture: Path) -> None:
    imported = imported_by("diff", f"{capture}#0", f"{capture}#1")

    assert "tlsinspect.diagnosis.causes" in imported
    assert not imported & {*OF_FEW_RUNS, "rich"}
