"""Handshake messages from CRYPTO frames."""

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.support.datagrams import handshake_message
from tlsinspect.quic.crypto import CryptoStream

HELLO = handshake_message(1, bytes(range(250)))
OCTETS = HELLO + handshake_message(11, b"chain") + handshake_message(20, bytes(32))


@given(st.integers(0, 1 << 32), st.integers(1, 100), st.integers(1, 100))
def test_order_overlap_and_repetition_of_frames_do_not_matter(seed: int, size: int, other: int) -> None:
    pieces = [(at, OCTETS[at : at + step]) for step in (size, other) for at in range(0, len(OCTETS), step)]
    random.Random(seed).shuffle(pieces)
    stream = CryptoStream()

    raws = [raw for frame, (at, octets) in enumerate(pieces, 1) for raw in stream.feed(at, octets, frame, frame)]
    assert b"".join(handshake_message(raw.type, raw.body) for raw in raws) == OCTETS
    assert [raw.octets for raw in raws] == [250, 5, 32]


def test_names_the_frames_that_carried_a_message() -> None:
    stream = CryptoStream()
    assert stream.feed(100, OCTETS[100:200], 1, 1) == []
    assert stream.feed(0, OCTETS[:100], 2, 2) == []

    (hello, chain) = stream.feed(200, OCTETS[200:270], 3, 3)
    (finished,) = stream.feed(270, OCTETS[270:], 4, 4)
    assert [raw.frames for raw in (hello, chain, finished)] == [(1, 2, 3), (3,), (3, 4)]
    assert [raw.time_ns for raw in (hello, chain, finished)] == [3, 3, 4]


def test_returns_at_the_end_the_beginning_of_a_message() -> None:
    stream = CryptoStream()
    stream.feed(0, HELLO[:60], 1, 1)
    stream.feed(100, HELLO[100:], 2, 2)

    (raw,) = stream.finish(3)
    assert (raw.body, raw.octets) == (HELLO[4:60], 250)


def test_ignores_octets_far_beyond_what_can_be_a_message() -> None:
    stream = CryptoStream()

    assert stream.feed(1 << 40, b"far", 1, 1) == []
    assert [raw.type for raw in stream.feed(0, OCTETS, 2, 2)] == [1, 11, 20]
