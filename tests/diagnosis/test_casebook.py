"""Every worked example of the casebook beside the repository, through the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tlsinspect.capture.file import open_capture
from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.diagnosis.engine import Diagnosed, diagnose, explain
from tlsinspect.diagnosis.rule import Case, Meant, Severity
from tlsinspect.inspector import inspect
from tlsinspect.sessions import Sessions
from tlsinspect.tls.keylog import Secrets

CASEBOOK = Path(__file__).resolve().parents[2] / ".." / "shared" / "casebook"
CASES_FILE = CASEBOOK / "cases.jsonl"
WORKED = [json.loads(line) for line in CASES_FILE.read_text().splitlines()] if CASES_FILE.exists() else []


def examples(*kinds: str) -> list[Any]:
    """The examples of these kinds, one parameter each; a skipped one where there is no casebook."""
    if not WORKED:
        return [pytest.param({}, marks=pytest.mark.skip(reason="the casebook is not beside the repository"))]
    return [pytest.param(each, id=each["id"]) for each in WORKED if each["kind"] in kinds]


def cases_of(file: str, stream: int | None, keylogs: list[Path], meant: Meant) -> list[Case]:
    """The handshakes of a stream, or of all streams, of a capture."""
    secrets = Secrets()
    for keylog in keylogs:
        secrets.add(keylog.read_bytes())
    with open_capture(CASEBOOK / file) as capture:
        handshakes = list(inspect(capture, name=file, secrets=secrets, plain=stream is not None))
    sessions = Sessions()
    for handshake in sorted(handshakes, key=lambda each: each.started_ns):
        sessions.add(handshake)
    return [
        Case(handshake=each, origin=sessions.origin(each), meant=meant)
        for each in sorted(handshakes, key=lambda each: (each.stream, each.part))
        if stream is None or each.stream == stream
    ]


def findings_of(example: dict[str, Any]) -> tuple[Diagnosed, ...]:
    """What the engine says of the pair, or of all handshakes of the stream in turn."""
    files = example["files"]
    keylogs = [CASEBOOK / each for each in dict.fromkeys(example["keylog"]) if each]
    meant = Meant(host=example.get("expect_host"))
    if example["kind"] == "diff":
        left = cases_of(files[0], example["left_stream"], keylogs, meant)
        right = cases_of(files[-1], example["right_stream"], keylogs, meant)
        return explain(left[0], right[0], CAUSES).findings
    found = cases_of(files[0], example["stream"], keylogs, meant)
    return tuple(each for case in found for each in diagnose(case, CAUSES).findings)


def told(findings: tuple[Diagnosed, ...]) -> str:
    """The findings, for the message of a failure."""
    return "\n".join(f"{each.code} {each.severity.name}: {each.finding.explanation}" for each in findings)


def errors(findings: tuple[Diagnosed, ...]) -> set[str]:
    """The codes of the findings of severity error."""
    return {each.code for each in findings if each.severity is Severity.ERROR}


@pytest.mark.parametrize("example", examples("explain", "diff"))
def test_first_finding_is_an_accepted_cause(example: dict[str, Any]) -> None:
    findings = findings_of(example)
    first = findings[0].code if findings else None

    assert first in example["accept"], f"{example['truth']}\n{told(findings)}"


@pytest.mark.parametrize("example", examples("explain", "diff"))
def test_no_error_is_one_that_would_be_wrong(example: dict[str, Any]) -> None:
    findings = findings_of(example)

    assert not errors(findings) & set(example["forbid"]), f"{example['truth']}\n{told(findings)}"


@pytest.mark.parametrize("example", examples("healthy"))
def test_healthy_handshake_has_no_error(example: dict[str, Any]) -> None:
    findings = findings_of(example)

    assert not errors(findings), told(findings)
