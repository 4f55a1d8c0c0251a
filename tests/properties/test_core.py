"""The properties of the core: any octets, any segmentation, any cut, live or from a file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.segments import Timed, frames_of, inspected, said, segments_of, split, values_of
from tlsinspect.inspector import Inspector
from tlsinspect.model.frame import Frame, Missing
from tlsinspect.model.handshake import Handshake
from tlsinspect.tls.keylog import Secrets

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
STORY = sorted(path for path in CAPTURES.glob("story/*/*.pcap"))
EFFORT = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
SEEDS = st.integers(0, 2**32)
captures = pytest.mark.parametrize("path", STORY, ids=lambda path: path.parent.name)


def secrets_of(path: Path) -> Secrets:
    keylog = path.parent / "keys.log"
    return Secrets(keylog.read_bytes() if keylog.exists() else b"")


# -- any octets, no exception


@captures
@EFFORT
@given(seed=SEEDS)
def test_changed_octets_raise_nothing(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    frames = frames_of(segments_of(path))
    for _ in range(chance.randrange(1, 20)):
        at = chance.randrange(len(frames))
        frame = frames[at]
        data = bytearray(frame.data)
        for _ in range(chance.randrange(1, 4) if data else 0):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            data = data[: chance.randrange(len(data) + 1)]
        frames[at] = frame._replace(data=bytes(data))

    handshakes = inspected(frames, secrets_of(path))

    assert all(values_of(handshake) for handshake in handshakes)


@EFFORT
@given(
    datas=st.lists(st.binary(max_size=200), max_size=20),
    link_type=st.sampled_from((0, 1, 9, 12, 101, 105, 113, 127, 228, 229, 276)),
)
def test_random_frames_raise_nothing(datas: list[bytes], link_type: int) -> None:
    frames = [Frame(number, number, link_type, data, len(data)) for number, data in enumerate(datas, 1)]

    assert len(inspected(frames)) <= len(datas)


# -- segmentation does not matter


@captures
@EFFORT
@given(seed=SEEDS)
def test_split_segments_say_the_same(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    segments = segments_of(path)
    cut = [part for timed in segments for part in split(timed, chance.randrange(1, 400))]

    assert said(inspected(frames_of(cut), secrets_of(path))) == said(inspected(frames_of(segments), secrets_of(path)))


@captures
@EFFORT
@given(seed=SEEDS)
def test_duplicated_segments_say_the_same(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    segments = segments_of(path)
    doubled = [each for timed in segments for each in ([timed] * chance.choice((1, 1, 2)))]

    assert said(inspected(frames_of(doubled), secrets_of(path))) == said(
        inspected(frames_of(segments), secrets_of(path))
    )


@captures
@EFFORT
@given(seed=SEEDS)
def test_segments_of_one_side_in_another_order_say_the_same(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    segments = [part for timed in segments_of(path) for part in split(timed, chance.randrange(1, 400))]
    swapped = swap_neighbours(segments, chance)

    assert said(inspected(frames_of(swapped), secrets_of(path))) == said(
        inspected(frames_of(segments), secrets_of(path))
    )


def swap_neighbours(segments: list[Timed], chance: random.Random) -> list[Timed]:
    """Exchanges segments with octets that follow each other from the same side of the same connection."""
    swapped = list(segments)
    for at in range(len(swapped) - 1):
        one, other = swapped[at].segment, swapped[at + 1].segment
        plain = one.payload and other.payload and not (one.flags | other.flags) & 7
        if plain and one.key == other.key and chance.random() < 0.5:
            swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
    return swapped


# -- cutting only removes

# What grows or is judged by the end: a list that is cut is a beginning of the whole one, and how it ended is not known.
GROWING = frozenset(("alerts", "history", "session_tickets", "http.requests", "http.responses"))
ENDS = frozenset(("outcome", "client_alert", "server_alert", "preamble.protocol"))


@captures
def test_a_shorter_capture_only_loses(path: Path) -> None:
    frames = frames_of(segments_of(path))
    whole = by_place(inspected(frames, secrets_of(path)))

    for count in range(1, len(frames)):
        for place, handshake in by_place(inspected(frames[:count], secrets_of(path))).items():
            assert changes(values_of(handshake), values_of(whole[place])) == [], f"first {count} frames"


@captures
def test_a_smaller_snap_length_only_loses(path: Path) -> None:
    frames = frames_of(segments_of(path))
    whole = by_place(inspected(frames, secrets_of(path)))

    for octets in (60, 96, 128, 200, 400, 700):
        cut = [frame._replace(data=frame.data[:octets]) for frame in frames]
        for place, handshake in by_place(inspected(cut, secrets_of(path))).items():
            assert changes(values_of(handshake), values_of(whole[place])) == [], f"snap length {octets}"


@captures
@EFFORT
@given(seed=SEEDS)
def test_lost_frames_only_lose(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    segments = segments_of(path)
    kept = [timed for timed in segments if timed.segment.flags & 7 or chance.random() < 0.85]
    whole = by_place(inspected(frames_of(segments), secrets_of(path)))

    for place, handshake in by_place(inspected(frames_of(kept), secrets_of(path))).items():
        assert changes(values_of(handshake), values_of(whole[place])) == []


def by_place(handshakes: list[Handshake]) -> dict[tuple[int, int], Handshake]:
    return {(handshake.stream, handshake.part): handshake for handshake in handshakes}


def changes(less: dict[str, object], more: dict[str, object]) -> list[str]:
    """The fields that say something else than the whole capture does."""
    return [
        f"{path}: {less[path]!r} instead of {more[path]!r}"
        for path in less
        if path not in ENDS and less[path] != more[path] and not only_less(path, less[path], more[path])
    ]


def only_less(path: str, less: object, more: object) -> bool:
    if less is Missing.LOST or less is Missing.HIDDEN:
        return True
    if path not in GROWING:
        return False
    if isinstance(less, tuple) and isinstance(more, tuple):
        return all(each in more for each in less)
    if isinstance(less, str) and isinstance(more, str):
        rest = iter(more)
        return all(letter in rest for letter in less)
    return less == ()


# -- live equals file


@captures
def test_live_says_what_the_file_says(path: Path) -> None:
    frames = frames_of(segments_of(path))
    live = Inspector(secrets=secrets_of(path))
    found = []
    for frame in frames:
        found += live.feed(frame)
        found += live.expire(frame.time_ns)
    found += live.finish()

    assert said(sorted(found, key=lambda each: (each.stream, each.part))) == said(inspected(frames, secrets_of(path)))
