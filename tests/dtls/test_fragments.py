"""Handshake messages of DTLS from their fragments."""

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.support.datagrams import fragments
from tlsinspect.dtls.fragments import FragmentReader, decode_fragments

CERTIFICATE, SERVER_HELLO, CLIENT_HELLO, DONE = 11, 2, 1, 14
BODY = bytes(range(200))


def read(parts: list[bytes], reader: FragmentReader | None = None) -> list[tuple[int, bytes, tuple[int, ...]]]:
    """Type, body and frames of the messages, each part in a frame of its own."""
    reader = reader or FragmentReader()
    found = []
    for frame, part in enumerate(parts, 1):
        for fragment in decode_fragments(part)[0]:
            found += [whole.raw for whole in reader.feed(fragment, frame, frame)]
    return [(raw.type, raw.body, raw.frames) for raw in found]


def test_joins_the_fragments_of_a_message() -> None:
    assert read(fragments(SERVER_HELLO, BODY, seq=0, size=90)) == [(SERVER_HELLO, BODY, (1, 2, 3))]


@given(st.integers(0, 1 << 32), st.integers(1, 80), st.integers(1, 80))
def test_order_overlap_and_repetition_of_fragments_do_not_matter(seed: int, size: int, other: int) -> None:
    parts = fragments(SERVER_HELLO, BODY, seq=0, size=size) + fragments(SERVER_HELLO, BODY, seq=0, size=other)
    random.Random(seed).shuffle(parts)

    assert [(kind, body) for kind, body, _ in read(parts)] == [(SERVER_HELLO, BODY)]


def test_returns_messages_in_the_order_of_their_numbers() -> None:
    hello, certificate, done = (
        fragments(kind, bytes([kind]) * 9, seq=seq)[0] for seq, kind in enumerate((SERVER_HELLO, CERTIFICATE, DONE))
    )

    assert [kind for kind, _, _ in read([done, certificate, hello])] == [SERVER_HELLO, CERTIFICATE, DONE]


def test_passes_over_a_flight_that_is_sent_again() -> None:
    flight = [fragments(kind, b"x" * kind, seq=seq)[0] for seq, kind in enumerate((SERVER_HELLO, DONE))]

    assert [kind for kind, _, _ in read(flight + flight)] == [SERVER_HELLO, DONE]


def test_returns_another_client_hello_with_the_same_number() -> None:
    first, second = (fragments(CLIENT_HELLO, body, seq=0)[0] for body in (b"without", b"with the cookie"))

    assert [body for _, body, _ in read([first, first, second, second])] == [b"without", b"with the cookie"]


def test_returns_a_server_hello_numbered_like_the_hello_verify_request() -> None:
    parts = [fragments(kind, b"abc", seq=0)[0] for kind in (3, SERVER_HELLO)]

    assert [kind for kind, _, _ in read(parts)] == [3, SERVER_HELLO]


def test_returns_at_the_end_what_waits_and_the_beginning_of_what_is_not_whole() -> None:
    reader = FragmentReader()
    done = fragments(DONE, b"", seq=2)
    certificate = fragments(CERTIFICATE, BODY, seq=1, size=50)
    assert read([*done, certificate[0], certificate[2]], reader) == []

    rest = [whole.raw for whole in reader.finish(9)]
    assert [(raw.type, raw.body, raw.octets) for raw in rest] == [(CERTIFICATE, BODY[:50], 200), (DONE, b"", 0)]


def test_says_what_is_wrong_with_a_fragment_beyond_its_message() -> None:
    part = bytearray(fragments(CERTIFICATE, BODY, seq=0)[0])
    part[8] = 1  # fragment_offset

    assert decode_fragments(bytes(part)) == ([], "fragment of 200 octets at 1 in a message of 200")


def test_holds_a_bounded_number_of_messages() -> None:
    reader = FragmentReader()
    assert read([fragments(CERTIFICATE, b"x", seq=seq)[0] for seq in range(1, 1000)], reader) == []

    assert len(reader.finish(0)) == 64


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_reads_any_octets(parts: list[bytes]) -> None:
    reader = FragmentReader()
    read(parts, reader)

    assert all(len(whole.raw.body) <= whole.raw.octets for whole in reader.finish(0))
