"""The command line on every capture with a known cause."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support import cases
from tests.support.cases import CAPTURES, Case, Expected

CASES = cases.all_cases()


def every(kind: str) -> list[Any]:
    """One parameter for each table of a kind, in all cases."""
    return [pytest.param(case, table, id=name) for case in CASES for name, table in case.expectations(kind)]


def run(arguments: list[str]) -> tuple[dict[str, Any], int]:
    """The JSON that a command prints, and its exit status."""
    from tlsinspect.cli.app import app

    result = CliRunner().invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in (0, 1), f"tlsinspect {' '.join(arguments)}\n{result.stderr}"
    return json.loads(result.stdout), result.exit_code


def confirm(wrong: list[str], arguments: list[str]) -> None:
    """Fails with the command line and every difference."""
    assert not wrong, "\n".join([f"tlsinspect {' '.join(arguments)}", *wrong])


def the_handshake(report: dict[str, Any], expected: Expected) -> dict[str, Any]:
    """The handshake that an expectation is about: the one of its stream, unless it says which."""
    stream, part = expected["stream"], expected.get("part")
    found = [each for each in report["handshakes"] if each["stream"] == stream and part in (None, each["part"])]
    assert len(found) == 1, f"{len(found)} handshakes of stream {stream}, part {part or 'any'}"
    return found[0]


@pytest.mark.parametrize(("case", "expected"), every("handshake"))
def test_shows_what_the_case_says_of_a_handshake(case: Case, expected: Expected) -> None:
    arguments = cases.show_arguments(case, expected)
    report, _ = run(arguments)

    confirm(cases.wrong_in_handshake(expected, the_handshake(report, expected)), arguments)


@pytest.mark.parametrize(("case", "expected"), every("explain"))
def test_explains_a_handshake_as_the_case_says(case: Case, expected: Expected) -> None:
    arguments = cases.explain_arguments(case, expected)
    report, exit_status = run(arguments)
    handshake = the_handshake(report, expected)

    confirm(cases.wrong_in_explanation(expected, handshake), arguments)
    assert exit_status == int(any(cases.has_error(each) for each in report["handshakes"]))


@pytest.mark.parametrize(("case", "expected"), every("diff"))
def test_explains_the_difference_of_two_handshakes_as_the_case_says(case: Case, expected: Expected) -> None:
    arguments = cases.diff_arguments(case, expected)
    report, exit_status = run(arguments)

    confirm(cases.wrong_in_difference(expected, report), arguments)
    assert exit_status == int(any(difference["meaningful"] for difference in report["differences"]))


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in CASES if "streams" in c.content])
def test_shows_the_tls_streams_of_the_case_and_no_other(case: Case) -> None:
    report, _ = run(cases.show_arguments(case, {}))

    assert case.content["streams"] == [handshake["stream"] for handshake in report["handshakes"]]


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in CASES])
def test_case_has_the_keys_that_the_readme_describes(case: Case) -> None:
    assert cases.wrong_keys(case.content) == []


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in CASES])
def test_case_says_something_about_its_capture(case: Case) -> None:
    assert any(case.content.get(kind) for kind in cases.KINDS)


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in CASES])
def test_files_that_the_case_names_are_there(case: Case) -> None:
    content = case.content
    named = {content["capture"], content.get("keylog", content["capture"])}
    for table in content.get("diff", ()):
        named |= {table["left"].partition("#")[0], table["right"].partition("#")[0], *table.get("keylogs", ())}

    assert [name for name in sorted(named) if not (case.folder / name).is_file()] == []


def test_every_folder_with_a_capture_has_a_case() -> None:
    folders = {path.parent for path in CAPTURES.glob("*/**/*.pcap*")}

    assert folders
    assert [str(folder) for folder in sorted(folders) if not (folder / "case.toml").is_file()] == []
