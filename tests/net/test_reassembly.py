"""What a Stream makes of segments that come split, twice, overlapping, late, cut or never."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlsinspect.net.reassembly import MOST_HOLES, Chunk, Stream

Sent = tuple[int, bytes]  # offset in the stream, octets


def fed(stream: Stream, first: int, segments: Iterable[Sent], *, snap: int = 1 << 16) -> list[Chunk]:
    """All chunks of *segments*, whose captured part is *snap* octets; the first octet of the stream has seq *first*."""
    chunks: list[Chunk] = []
    for frame, (offset, octets) in enumerate(segments, 1):
        chunks += stream.feed((first + offset) % (1 << 32), octets[:snap], len(octets), frame, frame * 1000)
    chunks += stream.finish()
    return chunks


def started(seq: int = 0, *, most_octets: int = 1 << 20) -> Stream:
    stream = Stream(most_octets=most_octets)
    stream.start(seq)
    return stream


def joined(chunks: Iterable[Chunk]) -> bytes:
    """The octets of *chunks*, with an underscore for each one that is not in the capture."""
    return b"".join(chunk.octets or b"_" * chunk.gap for chunk in chunks)


@st.composite
def segmentations(draw: st.DrawFn) -> tuple[bytes, list[Sent]]:
    """Octets, and segments that cover them all, some twice and overlapping, in any order."""
    octets = draw(st.binary(min_size=1, max_size=120)).replace(b"_", b"-")
    cuts = sorted({0, len(octets), *draw(st.lists(st.integers(0, len(octets)), max_size=12))})
    pieces = [(start, octets[start:end]) for start, end in itertools.pairwise(cuts)]
    for start, length in draw(st.lists(st.tuples(st.integers(0, len(octets) - 1), st.integers(1, 60)), max_size=8)):
        pieces.append((start, octets[start : start + length]))
    return octets, draw(st.permutations(pieces))


@given(case=segmentations(), first=st.sampled_from([0, 1, 1000, (1 << 32) - 1, (1 << 32) - 50, (1 << 31) - 50]))
@settings(max_examples=500, deadline=None)
def test_split_repeated_overlapping_reordered_segments_give_the_same_octets(
    case: tuple[bytes, list[Sent]], first: int
) -> None:
    octets, segments = case
    stream = started(first)
    chunks = fed(stream, first, segments)

    assert b"".join(chunk.octets for chunk in chunks) == octets
    assert [chunk.gap for chunk in chunks if chunk.gap] == []
    assert (stream.octets, stream.next_seq) == (len(octets), (first + len(octets)) % (1 << 32))


@given(case=segmentations(), kept=st.integers(0, 1 << 30), snap=st.integers(0, 40), most=st.sampled_from([8, 1 << 20]))
@settings(max_examples=500, deadline=None)
def test_lost_and_cut_segments_leave_gaps_and_every_octet_at_its_offset(
    case: tuple[bytes, list[Sent]], kept: int, snap: int, most: int
) -> None:
    octets, segments = case
    segments = [segment for index, segment in enumerate(segments) if kept >> index & 1]
    chunks = fed(started(most_octets=most), 0, segments, snap=snap)
    found = joined(chunks)

    assert all(bool(chunk.octets) != bool(chunk.gap) for chunk in chunks)
    assert len(found) == max((offset + len(sent) for offset, sent in segments), default=0)
    assert all(octet in (octets[at], ord("_")) for at, octet in enumerate(found))


@given(case=segmentations(), kept=st.integers(0, 1 << 30))
@settings(max_examples=300, deadline=None)
def test_no_octet_that_was_captured_whole_is_lost(case: tuple[bytes, list[Sent]], kept: int) -> None:
    octets, segments = case
    segments = [segment for index, segment in enumerate(segments) if kept >> index & 1]
    covered = {offset + at for offset, sent in segments for at in range(len(sent))}
    end = max(covered, default=-1) + 1
    expected = bytes(octets[at] if at in covered else ord("_") for at in range(end))

    assert joined(fed(started(), 0, segments)) == expected


@given(segments=st.lists(st.tuples(st.integers(0, 60), st.binary(min_size=1, max_size=20)), max_size=12))
@settings(max_examples=500, deadline=None)
def test_where_contents_conflict_what_came_first_is_kept(segments: list[Sent]) -> None:
    first: dict[int, int] = {}
    passed = 0
    for offset, octets in segments:
        for at, octet in enumerate(octets, offset):
            first.setdefault(at, octet)
    stream = started()
    delivered: dict[int, int] = {}
    for chunk in fed(stream, 0, segments):
        delivered.update(enumerate(chunk.octets, passed))
        passed += len(chunk.octets) + chunk.gap

    assert delivered == first


def test_in_order_payload_is_passed_on_without_a_copy() -> None:
    payload = b"octets"
    (chunk,) = started(5).feed(5, payload, 6, 9, 1234)

    assert chunk == Chunk(b"octets", 0, 9, 1234)
    assert chunk.octets is payload


def test_a_segment_held_out_of_order_keeps_its_frame_and_time() -> None:
    stream = started()
    assert stream.feed(3, b"def", 3, 1, 10) == []

    assert stream.feed(0, b"abc", 3, 2, 20) == [Chunk(b"abc", 0, 2, 20), Chunk(b"def", 0, 1, 10)]


def test_the_first_segment_starts_a_stream_whose_beginning_was_not_captured() -> None:
    stream = Stream()
    chunks = [*stream.feed(700, b"abc", 3, 1, 0), *stream.feed(697, b"old", 3, 2, 0), *stream.feed(703, b"d", 1, 3, 0)]

    assert joined(chunks) == b"abcd"


def test_an_empty_segment_starts_no_stream() -> None:
    stream = Stream()
    stream.feed(699, b"", 0, 1, 0)

    assert joined(stream.feed(700, b"abc", 3, 2, 0)) == b"abc"


def test_a_start_after_the_first_octets_changes_nothing() -> None:
    stream = Stream()
    stream.feed(700, b"abc", 3, 1, 0)
    stream.start(5000)

    assert stream.next_seq == 703


def test_a_keep_alive_probe_is_dropped_and_is_no_retransmission() -> None:
    stream = started()
    stream.feed(0, b"abc", 3, 1, 0)

    assert stream.feed(2, b"\0", 1, 2, 0) == ()
    assert stream.retransmissions == 0


def test_counts_segments_that_come_again_wholly_or_partly_passed_or_held() -> None:
    stream = started()
    for seq, payload in ((0, b"abc"), (0, b"abc"), (1, b"bcd"), (8, b"ij"), (8, b"ij"), (7, b"hijk"), (4, b"efg")):
        stream.feed(seq, payload, len(payload), 1, 0)

    assert (stream.retransmissions, stream.octets) == (4, 11)


@pytest.mark.parametrize("distance", [1 << 30, 1 << 31, (1 << 32) - (1 << 30)])
def test_a_segment_far_outside_any_window_is_ignored(distance: int) -> None:
    stream = started(100)

    assert stream.feed((100 + distance) % (1 << 32), b"far", 3, 1, 0) == ()
    assert (stream.finish(), stream.octets) == ([], 0)


def test_a_hole_stays_open_until_the_end_when_little_is_held_behind_it() -> None:
    stream = started()
    assert stream.feed(10, b"behind", 6, 4, 40) == []

    assert stream.finish() == [Chunk(b"", 10, 4, 40), Chunk(b"behind", 0, 4, 40)]


def test_a_hole_becomes_a_gap_when_too_much_is_held_behind_it() -> None:
    stream = started(most_octets=8)
    assert stream.feed(10, b"12345678", 8, 1, 0) == []
    chunks = stream.feed(18, b"9", 1, 2, 20)

    assert chunks == [Chunk(b"", 10, 2, 20), Chunk(b"12345678", 0, 1, 0), Chunk(b"9", 0, 2, 20)]
    assert joined(stream.feed(19, b"on", 2, 3, 30)) == b"on"
    assert stream.feed(0, b"late", 4, 4, 40) == []


def test_a_hole_becomes_a_gap_when_there_are_too_many_of_them() -> None:
    stream = started()
    chunks = [chunk for at in range(MOST_HOLES + 1) for chunk in stream.feed(1 + 2 * at, b"x", 1, 1, 0)]

    assert joined(chunks) == b"_x"


def test_the_rest_of_a_cut_segment_is_a_gap_that_a_retransmission_does_not_fill() -> None:
    stream = started()
    assert stream.feed(0, b"abc", 10, 1, 0) == [Chunk(b"abc", 0, 1, 0), Chunk(b"", 7, 1, 0)]
    assert stream.feed(0, b"abcdefghij", 10, 2, 0) == []

    assert joined(stream.feed(10, b"klm", 3, 3, 0)) == b"klm"


def test_a_segment_of_which_nothing_was_captured_is_a_gap() -> None:
    assert started().feed(0, b"", 1448, 1, 0) == [Chunk(b"", 1448, 1, 0)]


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(lambda count: range(count - 1, -1, -1), id="backwards"),
        pytest.param(lambda count: [*range(1, count, 2), *range(0, count, 2)], id="every other first"),
        pytest.param(lambda count: [*range(count // 2, count), *range(count // 2)], id="halves exchanged"),
    ],
)
def test_the_time_per_segment_does_not_grow_with_their_number(order) -> None:  # type: ignore[no-untyped-def]
    def seconds(count: int) -> float:
        stream = started()
        since = time.process_time()
        for at in order(count):
            stream.feed(at, b"x", 1, 1, 0)
        assert stream.octets + stream.held_octets >= count // 2
        return time.process_time() - since

    seconds(1000)

    assert seconds(80_000) < 8 * 4 * seconds(10_000)  # quadratic would be 64 times as long
