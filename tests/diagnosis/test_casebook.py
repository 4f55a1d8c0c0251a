"""Every worked example of the casebook beside the repository, through the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tlsinspect.cli.reading import read
from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.diagnosis.engine import Diagnosed, diagnose, explain
from tlsinspect.diagnosis.rule import Case, Meant, Severity
from tlsinspect.selection import Filters, Selector, parse_selector

CASEBOOK = Path(__file__).resolve().parents[2] / ".." / "shared" / "casebook"
CASES_FILE = CASEBOOK / "cases.jsonl"
WORKED = [json.loads(line) for line in CASES_FILE.read_text().splitlines()] if CASES_FILE.exists() else []


def examples(*kinds: str) -> list[Any]:
    """The examples of these kinds, one parameter each; a skipped one where there is no casebook."""
    if not WORKED:
        return [pytest.param({}, marks=pytest.mark.skip(reason="the casebook is not beside the repository"))]
    return [pytest.param(each, id=each["id"]) for each in WORKED if each["kind"] in kinds]


def selector(file: str, stream: int | None) -> Selector:
    """What names a stream of a capture."""
    text = str(CASEBOOK / file)
    return parse_selector(text if stream is None else f"{text}#{stream}")


def cases_of(example: dict[str, Any], *selectors: Selector) -> list[list[Case]]:
    """The handshakes that each selector names, read with the keys of the example."""
    keylogs = [CASEBOOK / each for each in dict.fromkeys(example["keylog"]) if each]
    reading = read(selectors, keylogs, Meant(host=example.get("expect_host")))
    return [reading.chosen([each], Filters()) for each in selectors]


def findings_of(example: dict[str, Any]) -> tuple[Diagnosed, ...]:
    """What the engine says of the pair, or of all handshakes of the stream in turn."""
    files = example["files"]
    if example["kind"] == "diff":
        sides = selector(files[0], example["left_stream"]), selector(files[-1], example["right_stream"])
        left, right = cases_of(example, *sides)
        return explain(left[0], right[0], CAUSES).findings
    (found,) = cases_of(example, selector(files[0], example["stream"]))
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
