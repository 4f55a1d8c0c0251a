from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import handshakes as build
from tlsinspect.model.errors import SelectionError
from tlsinspect.model.frame import Endpoint, Missing, Side
from tlsinspect.model.handshake import Event, Handshake, Outcome
from tlsinspect.model.message import PlainOctets
from tlsinspect.selection import Selector, parse_endpoint, parse_selector, pick_pair, selected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.pcap", Selector("a.pcap")),
        ("a.pcap#3", Selector("a.pcap", 3)),
        ("a.pcap#3.2", Selector("a.pcap", 3, None, 2)),
        ("a.pcap#udp:0", Selector("a.pcap", 0, "udp")),
        ("a#b.pcap#tcp:7", Selector("a#b.pcap", 7, "tcp")),
        ("-#1", Selector("-", 1)),
    ],
)
def test_a_selector_is_a_capture_and_a_stream(text: str, expected: Selector) -> None:
    assert parse_selector(text) == expected


def test_a_file_of_exactly_that_name_wins(tmp_path: Path) -> None:
    name = tmp_path / "a.pcap#3"
    name.touch()

    assert parse_selector(str(name)) == Selector(str(name))


def test_what_is_no_number_is_refused_with_an_example() -> None:
    with pytest.raises(SelectionError, match=r"a\.pcap#3"):
        parse_selector("a.pcap#three")


def plain(**overrides: object) -> Handshake:
    """A connection on which nobody spoke TLS."""
    return build.handshake(
        outcome=Outcome.NEVER_TLS, client_hellos=(), server_hello=Missing.NOT_SENT, events=(), **overrides
    )


def test_a_stream_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(SelectionError, match="handshakes on: 0, 4"):
        selected([build.handshake(), build.handshake(stream=4)], Selector("nginx.pcap", 9))


def test_a_number_of_a_tcp_and_a_udp_conversation_is_refused() -> None:
    both = [build.handshake(), build.handshake(transport="udp", protocol="quic")]

    with pytest.raises(SelectionError, match=r"nginx\.pcap#udp:0"):
        selected(both, Selector("nginx.pcap", 0))


def test_the_conversation_that_speaks_tls_is_meant() -> None:
    quic = build.handshake(transport="udp", protocol="quic")

    assert selected([plain(), quic], Selector("nginx.pcap", 0)) == [quic]


def test_what_a_tls_port_answered_to_plain_text_is_looked_at() -> None:
    page = b"HTTP/1.1 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port"
    said = {Side.CLIENT: b"GET / HTTP/1.1\r\n\r\n", Side.SERVER: page}
    events = tuple(Event(side, 0, (1,), PlainOctets(octets)) for side, octets in said.items())
    refused = replace(plain(), events=events)

    assert selected([refused], Selector("nginx.pcap")) == [refused]


def test_a_stream_without_tls_is_found_when_picked_by_number_alone() -> None:
    silent = plain()

    assert selected([silent], Selector("nginx.pcap", 0)) == [silent]
    assert selected([silent], Selector("nginx.pcap")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.2", ("10.0.0.2", None)),
        ("10.0.0.2:443", ("10.0.0.2", 443)),
        ("::1", ("::1", None)),
        ("[2001:DB8::1]:443", ("2001:db8::1", 443)),
        ("[::1]", ("::1", None)),
    ],
)
def test_an_endpoint_is_an_address_and_perhaps_a_port(text: str, expected: tuple[str, int | None]) -> None:
    assert parse_endpoint(text) == expected


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(SelectionError):
        parse_endpoint("localhost:443")


def test_the_pair_fails_on_one_side_and_completes_on_the_other_at_the_same_server() -> None:
    elsewhere = build.rejected(server=Endpoint("10.0.0.9", 443), stream=5)
    failed = build.rejected(stream=6)
    fine, fine_too = build.handshake(capture="b.pcap"), build.handshake(capture="b.pcap", stream=1)
    pair = pick_pair([elsewhere, build.handshake(), failed], [fine, fine_too])

    assert (pair.left, pair.right, pair.others) == (failed, fine, 3)
    assert pair.why == "both talk to 10.0.0.2:443, and one failed where the other completed"


def test_a_pair_without_a_server_in_common_asks_for_the_same_name() -> None:
    other = build.handshake(server=Endpoint("10.0.0.9", 443), stream=5)

    assert pick_pair([build.handshake(), build.handshake(stream=8)], [other]).why == "both ask for 'a.example'"


def test_one_capture_is_not_compared_with_itself() -> None:
    both = [build.handshake(), build.rejected(stream=1)]
    pair = pick_pair(both, both)

    assert (pair.left is pair.right, pair.others) == (False, 0)


def test_two_that_were_picked_are_taken_as_they_are() -> None:
    one = build.handshake()

    assert pick_pair([one], [one]).why == ""
