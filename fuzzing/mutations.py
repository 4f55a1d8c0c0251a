"""Small damage to captures, chosen at random: to the octets of the file, and to the frames in it."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from fuzzing.opened import open_octets
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame

TELLING = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)  # octets at which lengths and signs change their meaning
MOST_CHANGES = 6  # of one kind, in one capture
ETHERNET = 1


class Sample(NamedTuple):
    """A capture to damage."""

    name: str
    octets: bytes
    frames: tuple[Frame, ...]
    key_log: bytes = b""


def sample_of(path: Path, key_log: bytes = b"") -> Sample:
    """The capture at *path*; one that cannot be read has no frames."""
    octets = path.read_bytes()
    frames: tuple[Frame, ...] = ()
    try:
        with open_octets(octets, path.name) as capture:
            frames = tuple(capture)
            key_log = b"".join([key_log, *capture.key_logs])
    except CaptureError:
        pass  # it is damaged as it is: a sample of octets alone
    return Sample(path.name, octets, frames, key_log)


# -- the octets of a file or a frame


def flip_bits(octets: bytearray, chance: random.Random) -> None:
    """Turns some bits over."""
    for _ in range(chance.randint(1, MOST_CHANGES)):
        octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)


def set_octets(octets: bytearray, chance: random.Random) -> None:
    """Sets some octets to telling values."""
    for _ in range(chance.randint(1, MOST_CHANGES)):
        octets[chance.randrange(len(octets))] = chance.choice(TELLING)


def change_length(octets: bytearray, chance: random.Random) -> None:
    """Makes a number of one to four octets a little or very different, as a length that lies."""
    size = chance.choice((1, 2, 2, 3, 4))
    at = chance.randrange(max(1, len(octets) - size))
    order = chance.choice(("big", "big", "little"))
    number = int.from_bytes(octets[at : at + size], "big" if order == "big" else "little")
    number = chance.choice((number + 1, number - 1, number * 2, number // 2, 0, -1, 1 << (8 * size - 1)))
    octets[at : at + size] = (number % (1 << 8 * size)).to_bytes(size, "big" if order == "big" else "little")


def cut_end(octets: bytearray, chance: random.Random) -> None:
    """Cuts the end off."""
    del octets[chance.randrange(1, len(octets) + 1) :]


def remove_some(octets: bytearray, chance: random.Random) -> None:
    """Takes some octets out of the middle."""
    at = chance.randrange(len(octets))
    del octets[at : at + chance.randint(1, 64)]


def insert_some(octets: bytearray, chance: random.Random) -> None:
    """Puts octets into the middle."""
    at = chance.randrange(len(octets))
    octets[at:at] = chance.randbytes(chance.randint(1, 64))


def repeat_some(octets: bytearray, chance: random.Random) -> None:
    """Copies a part to another place."""
    start = chance.randrange(len(octets))
    at = chance.randrange(len(octets))
    octets[at:at] = octets[start : start + chance.randint(1, 512)]


OCTET_CHANGES: Sequence[Callable[[bytearray, random.Random], None]] = (
    flip_bits,
    set_octets,
    change_length,
    change_length,
    cut_end,
    remove_some,
    insert_some,
    repeat_some,
)


# -- the frames of a capture


def drop_frames(frames: list[Frame], chance: random.Random) -> None:
    """Loses some frames."""
    for _ in range(min(len(frames) - 1, chance.randint(1, MOST_CHANGES))):
        del frames[chance.randrange(len(frames))]


def repeat_frames(frames: list[Frame], chance: random.Random) -> None:
    """Sends some frames again."""
    for _ in range(chance.randint(1, MOST_CHANGES)):
        frames.insert(chance.randrange(len(frames)), chance.choice(frames))


def swap_frames(frames: list[Frame], chance: random.Random) -> None:
    """Exchanges some frames, in time too or not."""
    for _ in range(chance.randint(1, MOST_CHANGES)):
        one, other = chance.randrange(len(frames)), chance.randrange(len(frames))
        frames[one], frames[other] = frames[other], frames[one]


def shorten_frames(frames: list[Frame], chance: random.Random) -> None:
    """Gives all frames a snap length."""
    octets = chance.randint(20, 400)
    frames[:] = [frame._replace(data=frame.data[:octets]) for frame in frames]


def change_frame(frames: list[Frame], chance: random.Random) -> None:
    """Damages the octets of some frames."""
    for _ in range(chance.randint(1, MOST_CHANGES)):
        at = chance.randrange(len(frames))
        frames[at] = frames[at]._replace(data=changed_octets(frames[at].data, chance))


def change_times(frames: list[Frame], chance: random.Random) -> None:
    """Moves some frames in time, back or far ahead."""
    by_ns = chance.choice((-1, 1)) * 10 ** chance.randint(6, 18)
    at = chance.randrange(len(frames))
    frames[at:] = [frame._replace(time_ns=frame.time_ns + by_ns) for frame in frames[at:]]


FRAME_CHANGES: Sequence[Callable[[list[Frame], random.Random], None]] = (
    drop_frames,
    repeat_frames,
    swap_frames,
    shorten_frames,
    change_frame,
    change_frame,
    change_frame,
    change_times,
)


def changed_octets(octets: bytes, chance: random.Random) -> bytes:
    """Octets with one to three changes."""
    changed = bytearray(octets)
    for _ in range(chance.choice((1, 1, 2, 3))):
        if changed:
            chance.choice(OCTET_CHANGES)(changed, chance)
    return bytes(changed)


def mutated(samples: Sequence[Sample], chance: random.Random) -> tuple[bytes, bytes]:
    """The octets of a damaged capture, perhaps of two spliced into one, and a key log that may fit."""
    sample = chance.choice(samples)
    if not sample.frames or chance.random() < 0.3:
        return changed_octets(sample.octets, chance), sample.key_log
    frames = list(sample.frames)
    if chance.random() < 0.2:
        frames = spliced(frames, [*chance.choice(samples).frames], chance)
    for _ in range(chance.choice((1, 1, 2, 3))):
        chance.choice(FRAME_CHANGES)(frames, chance)
    octets = pcap_of(frames)
    if chance.random() < 0.1:
        octets = changed_octets(octets, chance)
    return octets, sample.key_log


def spliced(one: list[Frame], other: list[Frame], chance: random.Random) -> list[Frame]:
    """The beginning of one capture with the end of another, or the frames of both by turns."""
    if chance.random() < 0.5:
        return [*one[: chance.randint(1, len(one))], *other[chance.randrange(len(other) or 1) :]]
    both = [*one, *other]
    chance.shuffle(both)
    return both


def pcap_of(frames: Sequence[Frame]) -> bytes:
    """A pcap file of nanoseconds; its link type is that of the first frame.  draft-ietf-opsawg-pcap."""
    link_type = frames[0].link_type if frames else ETHERNET
    parts = [struct.pack("<IHHIIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, link_type)]
    for frame in frames:
        seconds, fraction = divmod(frame.time_ns, 1_000_000_000)
        wire_length = max(frame.wire_length, len(frame.data))
        parts.append(struct.pack("<IIII", seconds % (1 << 32), fraction, len(frame.data), wire_length % (1 << 32)))
        parts.append(frame.data)
    return b"".join(parts)
