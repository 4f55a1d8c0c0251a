"""What several processes find is what one finds."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchmarks.captures import write_capture
from tests.support.captures import CORPORA
from tlsinspect.cli import reading
from tlsinspect.cli.app import app

COMMANDS = (
    ("show", "--format", "jsonl"),
    ("show", "--format", "json"),
    ("show", "--sni", "*.site1.example"),
    ("explain", "--format", "jsonl"),
    ("sessions",),
    ("certs",),
)


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("captures")
    for number in range(2):
        write_capture(folder / f"{number}.pcap", folder, connections=90, data_octets=600)
    return [str(folder / f"{number}.pcap") for number in range(2)]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def share_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGE_OCTETS", 0)


@pytest.mark.usefixtures("share_all")
@pytest.mark.parametrize("command", COMMANDS)
def test_prints_the_same_octets_with_any_number_of_processes(command: tuple[str, ...], captures: list[str]) -> None:
    alone = run(*command, *captures)

    for jobs in ("2", "3"):
        shared = run(*command, *captures, "--jobs", jobs)
        assert (alone.exit_code, alone.stdout, alone.stderr) == (shared.exit_code, shared.stdout, shared.stderr)


@pytest.mark.usefixtures("share_all")
@pytest.mark.parametrize("command", [("show",), ("show", "--format", "jsonl"), ("explain",)])
def test_a_capture_that_is_damaged_in_the_middle_is_reported_with_status_2(
    command: tuple[str, ...], captures: list[str], tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.pcap"
    damaged.write_bytes(Path(captures[0]).read_bytes() + struct.pack("<IIII", 1, 0, 1 << 31, 1 << 31))

    alone, shared = run(*command, str(damaged)), run(*command, str(damaged), "--jobs", "2")

    assert alone.exit_code == 2
    assert alone.stdout.count("site1.example") > 0
    assert alone.stderr.count("\n") == 1
    assert (alone.exit_code, alone.stdout, alone.stderr) == (shared.exit_code, shared.stdout, shared.stderr)


@pytest.mark.usefixtures("share_all")
def test_says_at_the_same_place_that_a_capture_cannot_be_read(captures: list[str], tmp_path: Path) -> None:
    (tmp_path / "no.pcap").write_bytes(b"no capture")
    command = ("show", "--format", "jsonl", captures[0], str(tmp_path / "no.pcap"), captures[1])

    alone, shared = run(*command), run(*command, "--jobs", "2")

    assert alone.exit_code == 2
    assert (alone.exit_code, alone.stdout, alone.stderr) == (shared.exit_code, shared.stdout, shared.stderr)


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not there")
@pytest.mark.usefixtures("share_all")
def test_prints_the_same_of_the_corpora() -> None:
    names = [str(path) for path in sorted(CORPORA.glob("*.pcap*"))[::16] if path.suffix.startswith(".pcap")]
    different = [
        name
        for name in names
        if run("show", "--format", "jsonl", name).output != run("show", "--format", "jsonl", name, "--jobs", "2").output
    ]

    assert names
    assert different == []


def test_reads_small_captures_alone(captures: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tlsinspect.cli.sharing", None)  # to import it fails

    assert run("show", captures[0], "--jobs", "2").exit_code == 0


def test_imports_nothing_of_it_without_the_option(captures: list[str]) -> None:
    code = (
        "import sys; from tlsinspect.cli.app import app; app(sys.argv[1:], standalone_mode=False);"
        "assert 'multiprocessing' not in sys.modules"
    )

    assert subprocess.run([sys.executable, "-c", code, "show", captures[0]], check=False).returncode == 0
