"""On every capture that nobody here made, what passes in clear is what tshark says."""

import pytest

from tests.corpora.exceptions import EXCEPTIONS
from tests.support.captures import CORPORA
from tests.support.facts import differences, expected_facts, our_facts
from tlsinspect.capture.file import open_capture
from tlsinspect.inspector import inspect
from tlsinspect.model.errors import CaptureError

NAMES = sorted(path.name.removesuffix(".tshark.json") for path in CORPORA.glob("expected/*.tshark.json"))

pytestmark = pytest.mark.skipif(not NAMES, reason="the shared corpora are not beside the repository")


def found(name: str) -> list[str]:
    expected = expected_facts(CORPORA / "expected" / f"{name}.tshark.json")
    try:
        with open_capture(CORPORA / name) as capture:
            ours = our_facts(inspect(capture))
    except CaptureError:
        ours = {}
    return differences(ours, expected)


@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_tshark(name: str) -> None:
    lines = found(name)

    unexpected = [line for line in lines if not any(line.startswith(known) for known, _ in EXCEPTIONS.get(name, ()))]
    assert unexpected == []


@pytest.mark.parametrize("name", sorted(EXCEPTIONS))
def test_needs_each_exception(name: str) -> None:
    lines = found(name)

    assert [known for known, _ in EXCEPTIONS[name] if not any(line.startswith(known) for line in lines)] == []
