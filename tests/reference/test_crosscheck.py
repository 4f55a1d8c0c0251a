"""tshark is the judge of the catalogue: every field that has a Wireshark name, on every capture."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.reference.exceptions import EXCEPTIONS
from tests.support.captures import CORPORA
from tests.support.cases import CAPTURES
from tests.support.checked import checked, difference_lines, handshakes_of
from tlsinspect.crosscheck.judge import Verdict, compare_handshakes, unmatched_streams
from tlsinspect.crosscheck.reads import READS
from tlsinspect.fields import FIELDS
from tlsinspect.model.errors import ReferenceUnavailable
from tlsinspect.reference import Tshark, find_tshark, messages_of
from tlsinspect.report.schema import schema

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

OURS = sorted(path for path in CAPTURES.rglob("*.pcap*") if path.is_file())
STORY = [path for path in OURS if path.is_relative_to(CAPTURES / "story")]
CAUSES = [path for path in OURS if path not in STORY]
THEIRS = sorted(
    path for path in CORPORA.glob("*") if path.is_file() and path.suffix not in (".keylog", ".md", ".tsv", ".sh")
)
STEP = 30  # of the captures of causes, and of those that nobody here made, one in so many is part of every run
NEWER = {"tls.handshake.ja4": (4, 2)}  # names that only a newer Wireshark knows, and since when
needs_corpora = pytest.mark.skipif(not THEIRS, reason="the shared corpora are not beside the repository")


@pytest.fixture(scope="module")
def program() -> Tshark:
    return find_tshark()


def keylog_of(capture: Path) -> Path | None:
    candidates = (capture.with_name(f"{capture.name}.keylog"), capture.with_name("keys.log"))
    return next((path for path in candidates if path.exists()), None)


def name_of(capture: Path) -> str:
    """The folder below captures/, or the name of a capture of others."""
    return capture.parent.relative_to(CAPTURES).as_posix() if capture.is_relative_to(CAPTURES) else capture.name


def unexpected(capture: Path, program: Tshark, folder: Path) -> list[str]:
    lines = difference_lines(checked(capture, program, folder, keylog_of(capture)))
    known = [beginning for beginning, _ in EXCEPTIONS.get(name_of(capture), ())]
    return [line for line in lines if not line.startswith(tuple(known))]


SAMPLE = STORY + CAUSES[::STEP]


@pytest.mark.parametrize("capture", SAMPLE, ids=map(name_of, SAMPLE))
def test_agrees_with_tshark_on_the_story_and_a_sample_of_causes(capture: Path, program: Tshark, tmp_path: Path) -> None:
    assert unexpected(capture, program, tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("capture", CAUSES, ids=map(name_of, CAUSES))
def test_agrees_with_tshark_on_the_captures_of_causes(capture: Path, program: Tshark, tmp_path: Path) -> None:
    assert unexpected(capture, program, tmp_path) == []


@needs_corpora
@pytest.mark.parametrize("capture", THEIRS[::STEP], ids=[path.name for path in THEIRS[::STEP]])
def test_agrees_with_tshark_on_a_sample_of_the_captures_of_others(
    capture: Path, program: Tshark, tmp_path: Path
) -> None:
    assert unexpected(capture, program, tmp_path) == []


@pytest.mark.slow
@needs_corpora
@pytest.mark.parametrize("capture", THEIRS, ids=[path.name for path in THEIRS])
def test_agrees_with_tshark_on_the_captures_of_others(capture: Path, program: Tshark, tmp_path: Path) -> None:
    assert unexpected(capture, program, tmp_path) == []


@pytest.mark.slow
@needs_corpora
@pytest.mark.parametrize("name", sorted(EXCEPTIONS))
def test_needs_each_exception(name: str, program: Tshark, tmp_path: Path) -> None:
    captures = [capture for capture in (*OURS, *THEIRS) if name_of(capture) == name]
    lines = [line for each in captures for line in difference_lines(checked(each, program, tmp_path, keylog_of(each)))]

    assert [known for known, _ in EXCEPTIONS[name] if not any(line.startswith(known) for line in lines)] == []


# -- the catalogue --------------------------------------------------------------------------------------------------


def test_every_wireshark_name_is_one(program: Tshark) -> None:
    version = tuple(map(int, program.version.split(".")[:2]))
    expected = {field.wireshark for field in FIELDS if field.wireshark}
    too_new = {name for name, since in NEWER.items() if version < since}

    assert expected - program.fields == too_new


def test_every_field_with_a_wireshark_name_is_compared() -> None:
    assert {field.path for field in FIELDS if field.wireshark} == READS.keys()


# -- the comparison -------------------------------------------------------------------------------------------------

TLS_1_2 = CAPTURES / "story" / "04a-session-leak-ticket-tls12" / "capture.pcap"
TLS_1_3 = CAPTURES / "story" / "06b-two-certificates-tls13"


def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tlsinspect", "crosscheck", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        **options,  # type: ignore[call-overload]
    )


def test_lists_a_field_that_an_older_tshark_lacks_as_not_compared(program: Tshark) -> None:
    known = program.fields - {"tls.handshake.ja3"}
    found = compare_handshakes(handshakes_of(TLS_1_2), messages_of(TLS_1_2), program="tshark 2.6.0", known=known)

    verdicts = {(each.verdict, each.reason) for each in found if each.field.path == "client_hello.ja3"}
    assert verdicts == {(Verdict.NOT_COMPARED, "tshark 2.6.0 has no field tls.handshake.ja3")}


def test_finds_a_value_that_is_not_what_the_capture_holds(program: Tshark) -> None:
    handshake = handshakes_of(TLS_1_2)[0]
    hello = dataclasses.replace(handshake.client_hellos[0], random=bytes(32))
    forged = dataclasses.replace(handshake, client_hellos=(hello,))
    found = compare_handshakes([forged], messages_of(TLS_1_2), program=str(program), known=program.fields)

    assert [each.field.path for each in found if each.verdict is Verdict.DIFFERS] == ["client_hello.random"]


def test_finds_a_handshake_that_we_do_not_show() -> None:
    handshakes = handshakes_of(TLS_1_2)
    found = unmatched_streams("c.pcap", handshakes[1:], messages_of(TLS_1_2))

    assert [each.stream for each in found] == [handshakes[0].stream]


def test_opens_records_with_the_same_keys(program: Tshark, tmp_path: Path) -> None:
    capture, keylog = TLS_1_3 / "capture.pcap", TLS_1_3 / "keys.log"
    with_keys, without = (checked(capture, program, tmp_path, keys) for keys in (keylog, None))

    def agreements(found: object) -> int:
        return sum(each.verdict is Verdict.AGREES for each in found.compared)  # type: ignore[attr-defined]

    assert agreements(with_keys) > agreements(without)
    assert not with_keys.differs


def test_leaves_no_process_behind() -> None:
    messages_of(TLS_1_2)

    children = [path.read_text().split() for path in Path("/proc/self/task").glob("*/children")]
    assert not any(children)


def test_says_how_to_install_tshark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ReferenceUnavailable, match="apt install tshark"):
        find_tshark()


# -- the command ----------------------------------------------------------------------------------------------------


def test_the_command_ends_with_0_where_all_agree() -> None:
    done = run(TLS_1_2, "--format", "json")
    report = json.loads(done.stdout)

    jsonschema.validate(report, {**schema()["$defs"]["crosscheck"], "$defs": schema()["$defs"]})  # type: ignore[index]
    assert (done.returncode, report["summary"]["differs"], report["unmatched"]) == (0, 0, [])
    assert report["summary"]["agrees"] == sum(each["verdict"] == "agrees" for each in report["fields"]) > 20


def test_the_command_ends_with_2_without_tshark(tmp_path: Path) -> None:
    done = run(TLS_1_2, env={**os.environ, "PATH": str(tmp_path)})

    assert (done.returncode, done.stdout) == (2, "")
    assert "apt install tshark" in done.stderr


def test_the_command_hands_tshark_a_whole_copy_of_a_cut_capture(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(TLS_1_2.read_bytes()[:-7])
    done = run(cut, "--format", "json")

    assert done.returncode == 0
    assert "read a copy of the frames before that" in json.loads(done.stdout)["notes"][0]


def test_the_command_reads_standard_input() -> None:
    with TLS_1_2.open("rb") as capture:
        done = run("-", "--format", "json", stdin=capture)

    assert (done.returncode, json.loads(done.stdout)["summary"]["differs"]) == (0, 0)


def test_the_command_shows_all_fields_of_one_handshake() -> None:
    stream = handshakes_of(TLS_1_2)[0].stream
    done = run(f"{TLS_1_2}#{stream}", "--format", "markdown")

    assert "client\\_hello.cipher\\_suites" in done.stdout
