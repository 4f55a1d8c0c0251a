"""The display filters that evidence prints show at least one frame in tshark."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.cases import Case, all_cases
from tests.support.checked import frame_counts, handshakes_of
from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.diagnosis.engine import diagnose, proof
from tlsinspect.diagnosis.rule import Case as Diagnosable
from tlsinspect.fields import FIELDS
from tlsinspect.inspector import Limits
from tlsinspect.reference import Tshark, find_tshark

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

STORY = [case for case in all_cases() if case.name.startswith("story/")]
IN_DEPTH = [case for case in STORY if case.name[6:8] in ("01", "04", "06", "08")]


@pytest.fixture(scope="module")
def program() -> Tshark:
    return find_tshark()


def keylog_of(case: Case) -> Path | None:
    return case.folder / case.content["keylog"] if "keylog" in case.content else None


def without_frames(case: Case, filters: set[str], program: Tshark) -> list[str]:
    """The filters that show nothing, of those whose fields this tshark knows."""
    unknown = {field.wireshark for field in FIELDS if field.wireshark and field.wireshark not in program.fields}
    usable = sorted(each for each in filters if not any(name in each for name in unknown))
    assert usable
    counts = frame_counts(case.folder / case.content["capture"], usable, keylog_of(case))
    return [text for text, count in counts.items() if count == 0]


@pytest.mark.parametrize("case", STORY, ids=[case.name for case in STORY])
def test_every_filter_of_a_finding_shows_a_frame(case: Case, program: Tshark) -> None:
    handshakes = handshakes_of(case.folder / case.content["capture"], keylog_of(case), limits=Limits())
    diagnoses = [diagnose(Diagnosable(handshake=each), CAUSES) for each in handshakes]
    filters = {each.display_filter for found in diagnoses for finding in found.findings for each in finding.evidence}

    assert not filters or without_frames(case, filters, program) == []


@pytest.mark.parametrize("case", IN_DEPTH, ids=[case.name for case in IN_DEPTH])
def test_the_filter_of_every_field_shows_a_frame(case: Case, program: Tshark) -> None:
    handshakes = handshakes_of(case.folder / case.content["capture"], keylog_of(case), limits=Limits())
    filters = {proof(field, each, "").display_filter for each in handshakes for field in FIELDS}

    assert without_frames(case, filters, program) == []
