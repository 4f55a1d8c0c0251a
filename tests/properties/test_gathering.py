"""What is read when a connection is over comes to the same as what is read as it goes on, whatever the capture."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.segments import Timed, frames_of, segments_of
from tlsinspect.conversation import ACK, FIN, RST, SYN, Limits
from tlsinspect.inspector import Inspector, follow
from tlsinspect.model.frame import Frame
from tlsinspect.model.handshake import Handshake
from tlsinspect.tls.keylog import Secrets

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
STORY = sorted(path for path in CAPTURES.glob("story/*/*.pcap"))
EFFORT = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
SECOND_NS = 1_000_000_000


@EFFORT
@given(seed=st.integers(0, 2**32))
def test_whatever_happened_to_the_capture(seed: int) -> None:
    chance = random.Random(seed)
    segments = [each for _ in range(chance.randrange(1, 4)) for each in segments_of(chance.choice(STORY))]
    for _ in range(chance.randrange(6)):
        chance.choice(DAMAGES)(segments, chance)
    frames = frames_of(segments)
    last = frames[-1]
    frames += [Frame(last.number + n, last.time_ns + n * SECOND_NS, 1, b"", 0) for n in (1, 2, 3)]
    limits = Limits(most_flows=chance.choice((2, 40_000)), settle_ns=chance.choice((SECOND_NS // 4, 2 * SECOND_NS)))

    assert handshakes_of(frames, limits, gather=True) == handshakes_of(frames, limits, gather=False)


def handshakes_of(frames: list[Frame], limits: Limits, *, gather: bool) -> list[Handshake]:
    secrets = Secrets()
    inspector = Inspector("capture", limits=limits, secrets=secrets, plain=True, gather=gather)
    return [each for found in follow(frames, inspector, secrets) for each in found]


# -- what happens to captures


def loses_frames(segments: list[Timed], chance: random.Random) -> None:
    at = chance.randrange(len(segments))
    if len(segments) > 10:
        del segments[at : at + chance.randrange(1, 4)]


def repeats_one(segments: list[Timed], chance: random.Random) -> None:
    segments.insert(chance.randrange(len(segments)), chance.choice(segments))


def swaps_two(segments: list[Timed], chance: random.Random) -> None:
    one, other = chance.randrange(len(segments)), chance.randrange(len(segments))
    segments[one], segments[other] = segments[other], segments[one]


def moves_one_in_time(segments: list[Timed], chance: random.Random) -> None:
    at = chance.randrange(len(segments))
    by_ns = chance.choice((-1, 1, 3, 100, 10**7)) * SECOND_NS
    segments[at] = segments[at]._replace(time_ns=max(segments[at].time_ns + by_ns, 1))


def pauses(segments: list[Timed], chance: random.Random) -> None:
    at = chance.randrange(len(segments))
    by_ns = chance.choice((SECOND_NS // 3, SECOND_NS, 3 * SECOND_NS, 90 * SECOND_NS))
    segments[at:] = [each._replace(time_ns=each.time_ns + by_ns) for each in segments[at:]]


def changes_flags(segments: list[Timed], chance: random.Random) -> None:
    at = chance.randrange(len(segments))
    segment = segments[at].segment
    changed = segment._replace(flags=segment.flags ^ chance.choice((FIN, SYN, RST, ACK)))
    segments[at] = segments[at]._replace(segment=changed)


def changes_numbers(segments: list[Timed], chance: random.Random) -> None:
    at = chance.randrange(len(segments))
    segment = segments[at].segment
    by = chance.choice((-1, 1, 100, 1 << 31))
    changed = segment._replace(seq=(segment.seq + by) % 2**32, ack=(segment.ack + chance.choice((0, by))) % 2**32)
    segments[at] = segments[at]._replace(segment=changed)


def changes_octets(segments: list[Timed], chance: random.Random) -> None:
    at = chance.randrange(len(segments))
    segment = segments[at].segment
    if segment.payload:
        octets = bytearray(segment.payload)
        octets[chance.randrange(min(len(octets), 60))] = chance.choice((0, 1, 3, 20, 21, 22, 23, 24, 255))
        segments[at] = segments[at]._replace(segment=segment._replace(payload=bytes(octets)))


def is_cut(segments: list[Timed], chance: random.Random) -> None:
    at = chance.randrange(len(segments))
    segment = segments[at].segment
    segments[at] = segments[at]._replace(
        segment=segment._replace(payload=segment.payload[: chance.randrange(len(segment.payload) + 1)])
    )


DAMAGES = (
    loses_frames,
    repeats_one,
    swaps_two,
    moves_one_in_time,
    pauses,
    changes_flags,
    changes_numbers,
    changes_octets,
    is_cut,
)
