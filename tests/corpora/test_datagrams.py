"""DTLS and QUIC on every capture that nobody here made: what passes in clear is what tshark says."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.corpora.datagram_exceptions import EXCEPTIONS
from tests.support.captures import CORPORA
from tests.support.facts import Facts, differences, expected_facts, our_facts
from tlsinspect.capture.file import open_capture
from tlsinspect.inspector import inspect
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import Alert

KINDS = ("dtls", "quic")
NAMES = sorted(path.name.removesuffix(".tshark.json") for path in CORPORA.glob("expected/*.tshark.json"))

pytestmark = pytest.mark.skipif(not NAMES, reason="the shared corpora are not beside the repository")


def once(streams: dict[int, Facts]) -> dict[int, Facts]:
    """What tshark says, without repetitions: it shows each transmission and each fragment, we the messages."""
    for facts in streams.values():
        for name in ("client_hellos", "server_hellos"):
            seen = {json.dumps({**each, "frame": 0}): each for each in listed(facts, name)}
            facts[name] = list(seen.values())
        chains = {json.dumps(each): each for each in listed(facts, "certificates")}
        whole = {side for side, digests in chains.values() if digests}
        facts["certificates"] = [each for each in chains.values() if each[1] or each[0] not in whole]
    return streams


def listed(facts: Facts, name: str) -> list[Any]:
    found = facts[name]
    assert isinstance(found, list)
    return found


def without_closes(handshakes: Iterable[Handshake]) -> Iterator[Handshake]:
    """The handshakes, without the alerts that stand in frames of QUIC: tshark calls them otherwise."""
    for handshake in handshakes:
        if handshake.protocol == "quic":
            events = tuple(event for event in handshake.events if not isinstance(event.message, Alert))
            handshake = replace(handshake, events=events)
        yield handshake


def found(name: str) -> list[str]:
    expected = once(expected_facts(CORPORA / "expected" / f"{name}.tshark.json", KINDS))
    try:
        with open_capture(CORPORA / name) as capture:
            ours = our_facts(without_closes(inspect(capture)), "udp")
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
