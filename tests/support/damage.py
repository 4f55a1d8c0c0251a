"""What happens to the segments of a capture: on the wire, in the tool that captured them, on a disk."""

from __future__ import annotations

import random

from tests.support.segments import Timed
from tlsinspect.conversation import ACK, FIN, RST, SYN

SECOND_NS = 1_000_000_000


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
