from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from tests.support.captures import ETHERNET, FRAMES, enhanced_packet, interface, pcap, section
from tests.support.refusals import pcap_octets, refused, two_refusals
from tlsinspect.cli import reading
from tlsinspect.cli.app import app
from tlsinspect.report.schema import schema


def run(*arguments: object, text: str | None = None, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tlsinspect", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        input=text,
        **options,  # type: ignore[call-overload]
    )


def imported_by(*arguments: object) -> set[str]:
    """The modules that a run of the command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tlsinspect", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_refusals(tmp_path_factory.mktemp("captures") / "two.pcap")


def test_help_imports_neither_scapy_nor_pyshark_nor_cryptography_nor_rich() -> None:
    assert not imported_by("--help") & {"scapy", "pyshark", "cryptography", "rich", "tlsinspect.fields"}


def test_show_imports_neither_scapy_nor_pyshark_nor_rich(capture: Path) -> None:
    assert not imported_by("show", capture) & {"scapy", "pyshark", "rich"}


@pytest.mark.parametrize("command", ["show", "diff", "explain", "sessions", "certs", "runbook"])
def test_the_help_of_every_command_has_a_worked_example(command: str) -> None:
    done = run(command, "--help")

    assert (done.returncode, f"  tlsinspect {command} " in done.stdout) == (0, True)


def test_show_lists_every_handshake_by_its_stream(capture: Path) -> None:
    done = run("show", capture, "--format", "json")
    found = json.loads(done.stdout)

    assert done.returncode == 0
    assert [each["stream"] for each in found["handshakes"]] == [0, 1]
    jsonschema.validate(found, schema())


def test_show_of_one_stream_has_all_of_it(capture: Path) -> None:
    done = run("show", f"{capture}#1")

    assert "a.example" in done.stdout
    assert "Cipher suites offered" in done.stdout


def test_json_lines_are_one_handshake_each(capture: Path) -> None:
    lines = run("show", capture, "--format", "jsonl").stdout.splitlines()

    assert [json.loads(line)["stream"] for line in lines] == [0, 1]


def watching() -> subprocess.Popen[bytes]:
    """A run over standard input that stays open."""
    return subprocess.Popen(
        [sys.executable, "-m", "tlsinspect", "show", "-", "--format", "jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def next_line(process: subprocess.Popen[bytes]) -> dict[str, object]:
    """The next handshake that comes out, waited for no longer than a test may take."""
    assert process.stdout is not None
    if not select.select([process.stdout], [], [], 20)[0]:
        process.kill()
        pytest.fail("nothing came out while the stream was open")
    found: dict[str, object] = json.loads(process.stdout.readline())
    return found


# An hour after the first connection it is over for good, whatever its last frames were.
GROWING = pcap_octets(refused(40001, None, 112), refused(40002, None, 112))


def test_a_growing_stream_is_reported_line_by_line() -> None:
    with watching() as process:
        assert process.stdin is not None
        process.stdin.write(GROWING)
        process.stdin.flush()
        first = next_line(process)
        process.stdin.close()

    assert (first["capture"], first["stream"]) == ("-", 0)


def test_explain_exits_with_1_where_a_finding_explains_a_rejection(capture: Path) -> None:
    done = run("explain", f"{capture}#0", "--format", "json")
    finding = json.loads(done.stdout)["handshakes"][0]["findings"][0]

    assert (done.returncode, finding["code"], finding["severity"]) == (1, "sni-missing", "error")


def test_diff_exits_with_1_where_something_differs(capture: Path) -> None:
    done = run("diff", f"{capture}#0", f"{capture}#1", "--format", "json")
    paths = [each["path"] for each in json.loads(done.stdout)["differences"] if each["meaningful"]]

    assert (done.returncode, "client_hello.server_name" in paths) == (1, True)


def test_diff_picks_a_pair_and_says_so(capture: Path) -> None:
    assert "Picked two.pcap#0 and two.pcap#1: both talk to 10.0.0.2:443" in run("diff", capture, capture).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "absent.pcap"),
        ("show", "{}#9"),
        ("show", "{}#x"),
        ("show", "{}", "--at", "soon"),
        ("show", "{}", "--server", "nowhere"),
        ("show", "{}", "--keylog", "absent.keys"),
        ("show", "{}", "-o", "absent/report.txt"),
        ("explain", "{}", "--ca", "absent.pem"),
        ("runbook", "no-such-cause"),
        ("diff", "{}#0", "{}#7"),
    ],
)
def test_what_cannot_be_used_is_one_line_on_stderr_and_status_2(arguments: tuple[str, ...], capture: Path) -> None:
    done = run(*(each.format(capture) for each in arguments))

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


@pytest.mark.parametrize("more", [(), ("--jobs", "2")])
def test_link_types_that_are_not_decoded_are_named_once(
    more: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LARGE_OCTETS", 0)
    mixed = tmp_path / "mixed.pcapng"
    mixed.write_bytes(
        section()
        + b"".join(interface(link_type=link) for link in (ETHERNET, 249, 189))
        + b"".join(enhanced_packet(frame, index=index) for index in range(3) for frame in FRAMES)
    )

    done = CliRunner().invoke(app, ["show", str(mixed), *more])

    expected = f"{mixed}: Frames of link types 189, 249 (see www.tcpdump.org/linktypes.html) are not decoded.\n"
    assert (done.exit_code, done.stderr) == (0, expected)


def test_a_watch_names_link_types_that_are_not_decoded() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tlsinspect", "show", "-", "--format", "jsonl"],
        input=pcap(link=189),
        capture_output=True,
        timeout=60,
    )

    assert b"Frames of link type 189 (" in done.stderr


def test_many_link_types_are_not_all_named() -> None:
    said = reading.not_decoded(set(range(200, 300)))

    assert "200, 201" in said
    assert len(said) < 140


def test_usage_errors_exit_with_2(capture: Path) -> None:
    assert run("show", capture, "--nothing").returncode == 2


def test_a_full_disk_is_one_line_on_stderr(capture: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tlsinspect", "show", str(capture)], stdout=full, stderr=subprocess.PIPE, timeout=60
        )

    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_a_reader_that_goes_away_is_no_complaint(capture: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "tlsinspect", "show", str(capture)], stdout=writing, stderr=subprocess.PIPE, timeout=60
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (141, b"")


def test_an_interrupt_prints_what_was_found_and_exits_with_130() -> None:
    with watching() as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(GROWING)
        process.stdin.flush()
        first = next_line(process)
        process.send_signal(signal.SIGINT)
        process.wait(20)
        complaint = process.stderr.read()
        process.stdin.close()

    assert (process.returncode, first["stream"], complaint) == (130, 0, b"")


def test_the_report_goes_to_a_file_in_the_format_of_its_name(capture: Path, tmp_path: Path) -> None:
    done = run("show", capture, "-o", tmp_path / "report.html")

    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_filters_leave_what_fits(capture: Path) -> None:
    def streams(*options: str) -> list[int]:
        found = json.loads(run("show", capture, "--format", "json", *options).stdout)
        return [each["stream"] for each in found["handshakes"]]

    assert streams("--sni", "*.EXAMPLE") == [1]
    assert streams("--sni", "none") == [0]
    assert streams("--client", "10.0.0.1:40002") == [1]
    assert streams("--server", "10.0.0.2") == [0, 1]
    assert streams("--outcome", "completed") == []


def test_no_escape_sequence_reaches_a_pipe(capture: Path) -> None:
    assert "\x1b" not in run("explain", capture).stdout


def test_the_runbook_finds_a_cause_for_a_line() -> None:
    done = run("runbook", "--log", "SSL alert number 112", "--format", "json")

    assert "sni-missing" in [each["code"] for each in json.loads(done.stdout)["matches"]]


def test_the_version_is_that_of_the_package() -> None:
    from tlsinspect import __version__

    assert run("--version").stdout == f"tlsinspect {__version__}\n"


def test_no_http_leaves_the_requests_out() -> None:
    folder = Path(__file__).resolve().parents[2] / "captures" / "story" / "01b-nginx-without-server-name-tls13"
    arguments = ("show", f"{folder / 'nginx.pcap'}#0", "--keylog", folder / "keys.log", "--format", "json")
    with_http = json.loads(run(*arguments).stdout)["handshakes"][0]
    without = json.loads(run(*arguments, "--no-http").stdout)["handshakes"][0]

    assert with_http["http"]["host"] == "certauth.example"
    assert without["http"]["host"] is None
