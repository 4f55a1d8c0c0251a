"""What holds for all causes together."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from tests.support import handshakes
from tlsinspect import fields, registry
from tlsinspect.diagnosis import causes
from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.diagnosis.rule import Case, Cause, Severity, Stage

NOT_EXPLANATIONS = {
    "alert-other",
    "connection-reused",
    "decryption-keys-missing",
    "http-refused",
    "misdirected-request",
    "not-tls-client",
    "tcp-no-answer",
    "tcp-refused",
    "hello-unanswered",
    "hello-reset",
    "hello-closed",
    "hello-split-dropped",
    "client-gave-up",
    "server-gave-up",
    "hello-retry",
}  # none of them explains an alert
CAUSES_TABLE = Path(__file__).resolve().parents[2] / ".." / "shared" / "causes.tsv"


def each_cause() -> list[object]:
    return [pytest.param(cause, id=cause.code) for cause in CAUSES]


def test_every_file_of_a_cause_is_listed() -> None:
    files = {name.replace("_", "-") for _, name, _ in pkgutil.iter_modules(causes.__path__)}

    assert files == {cause.code for cause in CAUSES}


def test_no_cause_is_listed_twice() -> None:
    codes = [cause.code for cause in CAUSES]

    assert len(codes) == len(set(codes))


@pytest.mark.skipif(not CAUSES_TABLE.exists(), reason="the table of causes is not beside the repository")
def test_every_cause_has_the_stage_of_the_table() -> None:
    rows = [line.split("\t") for line in CAUSES_TABLE.read_text().splitlines()[1:] if line]
    stages = {code: stage for code, stage, _ in rows}

    assert {cause.code: cause.stage.value for cause in CAUSES} == {
        cause.code: stages.get(cause.code) for cause in CAUSES
    }


@pytest.mark.parametrize("cause", each_cause())
def test_looks_at_fields_of_the_catalogue(cause: Cause) -> None:
    assert set(cause.looks_at) <= fields.BY_PATH.keys()


@pytest.mark.parametrize("cause", each_cause())
def test_follows_from_codes_that_exist(cause: Cause) -> None:
    known = {each.code for each in CAUSES}
    if CAUSES_TABLE.exists():
        known |= {line.split("\t")[0] for line in CAUSES_TABLE.read_text().splitlines()[1:]}

    assert set(cause.follows_from) <= known - {cause.code}


@pytest.mark.parametrize("cause", each_cause())
def test_page_is_the_docstring_of_its_module(cause: Cause) -> None:
    module = importlib.import_module(f"tlsinspect.diagnosis.causes.{cause.code.replace('-', '_')}")

    assert cause.explanation == module.__doc__


@pytest.mark.parametrize("heading", ["## What happened", "## On the wire", "## How to confirm", "## What it is not"])
@pytest.mark.parametrize("cause", each_cause())
def test_page_has_every_part(cause: Cause, heading: str) -> None:
    assert f"\n{heading}\n" in cause.explanation


@pytest.mark.parametrize("cause", each_cause())
def test_page_speaks_of_both_versions(cause: Cause) -> None:
    assert {version for version in ("TLS 1.2", "TLS 1.3") if version in cause.explanation}


@pytest.mark.parametrize("cause", each_cause())
def test_references_are_spelled_alike(cause: Cause) -> None:
    wrong = [
        text for text in cause.references if text.startswith("RFC") and not re.search(r" (section|appendix) ", text)
    ]

    assert cause.references
    assert not wrong


def test_the_last_resort_follows_from_every_cause_that_explains_an_alert() -> None:
    last = next(cause for cause in CAUSES if cause.stage is Stage.ANY)
    explaining = {cause.code for cause in CAUSES} - NOT_EXPLANATIONS

    assert explaining <= set(last.follows_from)


@pytest.mark.parametrize("cause", each_cause())
@pytest.mark.parametrize(
    "handshake",
    [
        pytest.param(handshakes.handshake(), id="tls12"),
        pytest.param(handshakes.tls13(), id="tls13"),
        pytest.param(handshakes.mutual(), id="mutual"),
        pytest.param(handshakes.handshake(client_hellos=(handshakes.client_hello(None),)), id="no-name"),
    ],
)
def test_healthy_handshake_has_no_error(cause: Cause, handshake: object) -> None:
    finding = cause.check(Case(handshake=handshake))  # type: ignore[arg-type]

    assert finding is None or (finding.severity or cause.severity) is not Severity.ERROR


def alert_constants() -> list[object]:
    """The constants of the causes that have the name of an alert."""
    names = {registry.ALERTS.name(code).upper(): code for code in registry.ALERTS}
    found = []
    for _, name, _ in pkgutil.iter_modules(causes.__path__):
        module = importlib.import_module(f"{causes.__name__}.{name}")
        found += [
            pytest.param(value, names[constant], id=f"{name}.{constant}")
            for constant, value in vars(module).items()
            if constant in names and isinstance(value, int)
        ]
    return found


@pytest.mark.parametrize(("value", "code"), alert_constants())
def test_constant_of_an_alert_is_that_of_the_list(value: int, code: int) -> None:
    assert value == code
