"""DTLS and QUIC on every capture that nobody here made: what passes in clear is what tshark says."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.corpora.exceptions import EXCEPTIONS_OF_DATAGRAMS
from tests.support.captures import CORPORA
from tests.support.facts import Facts, differences, expected_facts, our_facts
from tests.support.opened import expected_messages, our_messages
from tlsinspect.capture.file import open_capture
from tlsinspect.fields import BY_PATH
from tlsinspect.inspector import inspect
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import Alert
from tlsinspect.tls.keylog import Secrets

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

    unexpected = [
        line for line in lines if not any(line.startswith(known) for known, _ in EXCEPTIONS_OF_DATAGRAMS.get(name, ()))
    ]
    assert unexpected == []


@pytest.mark.parametrize("name", sorted(EXCEPTIONS_OF_DATAGRAMS))
def test_needs_each_exception(name: str) -> None:
    lines = found(name)

    assert [
        known for known, _ in EXCEPTIONS_OF_DATAGRAMS[name] if not any(line.startswith(known) for line in lines)
    ] == []


# -- with keys

ENDING = ".tshark.keylog.json"
WITH_KEYS = sorted(
    path.name.removesuffix(ENDING) for path in CORPORA.glob(f"expected/*{ENDING}") if expected_messages(path, KINDS)
)
# tshark 4.0.17 does not open DTLS 1.3, and has no name for some messages that it shows.
ONLY_OURS = {"AdaCore__dtls13-2.pcap": "CsoxyfF", "ntop__dtls.pcap": "CjCsorxyfXYFlL"}


def handshakes_with_keys(name: str) -> list[Handshake]:
    file = CORPORA / f"{name}.keylog"
    secrets = Secrets(file.read_bytes() if file.exists() else b"")
    with open_capture(CORPORA / name) as capture:
        return [each for each in inspect(capture, secrets=secrets) if each.transport == "udp"]


def messages_of_tshark(name: str) -> dict[int, set[object]]:
    """The messages of each stream, each once: tshark counts transmissions and fragments."""
    streams = expected_messages(CORPORA / "expected" / f"{name}{ENDING}", KINDS)
    return {
        stream: {key for key in counted(facts) if not key[1].startswith("long_type") and "undissected" not in key[1]}
        for stream, facts in streams.items()
    }


def counted(facts: Facts) -> dict[tuple[str, str], int]:
    found = facts["messages"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", [name for name in WITH_KEYS if name not in ONLY_OURS])
def test_opens_what_tshark_opens(name: str) -> None:
    ours = {stream: set(counted(facts)) for stream, facts in our_messages(handshakes_with_keys(name), "udp").items()}

    assert ours == messages_of_tshark(name)


@pytest.mark.parametrize("name", ONLY_OURS)
def test_opens_dtls_13_which_tshark_does_not(name: str) -> None:
    assert ONLY_OURS[name] in [handshake.history for handshake in handshakes_with_keys(name)]


@pytest.mark.parametrize("name", ["FoxIO-LLC__chrome-cloudflare-quic-with-secrets.pcapng", "FoxIO-LLC__tls3.pcapng"])
def test_fingerprints_quic_as_the_program_of_foxio(name: str) -> None:
    expected = set(re.findall(r"\bja4: (q\S+)", (CORPORA / "expected" / "ja4" / f"{name}.rust.snap").read_text()))

    assert {BY_PATH["client_hello.ja4"].read(handshake) for handshake in handshakes_with_keys(name)} == expected
