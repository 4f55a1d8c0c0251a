"""Frames that are in memory together come to the same as one by one, whatever the capture."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.captures import pcap, pcapng
from tests.support.damage import DAMAGES, SECOND_NS
from tests.support.segments import frames_of, segments_of
from tlsinspect.capture.file import Capture, open_capture
from tlsinspect.conversation import Limits
from tlsinspect.inspector import Inspector, Share, follow
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Batch, Frame
from tlsinspect.model.handshake import Handshake
from tlsinspect.tls.keylog import Secrets

ROOT = Path(__file__).resolve().parents[2]
STORY = sorted((ROOT / "captures").glob("story/*/*.pcap"))
CAPTURES = sorted(
    path for folder in (ROOT / "captures", ROOT / ".." / "shared" / "corpora") for path in folder.rglob("*.pcap*")
)
EFFORT = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
ETHERNET = 1
TYPES = {4: b"\x08\x00", 6: b"\x86\xdd"}


@EFFORT
@given(seed=st.integers(0, 2**32))
def test_whatever_happened_to_the_capture(seed: int) -> None:
    chance = random.Random(seed)
    segments = [each for _ in range(chance.randrange(1, 4)) for each in segments_of(chance.choice(STORY))]
    if chance.random() < 0.3:
        segments = [each._replace(segment=each.segment._replace(key=longer(each.segment.key))) for each in segments]
    for _ in range(chance.randrange(6)):
        chance.choice(DAMAGES)(segments, chance)
    frames = [on_ethernet(frame) for frame in frames_of(segments)]
    for _ in range(chance.randrange(12)):
        at = chance.randrange(len(frames))
        frames[at] = chance.choice(DAMAGES_OF_FRAMES)(frames[at], chance)
    last = frames[-1]
    frames += [Frame(last.number + n, last.time_ns + n * SECOND_NS, ETHERNET, b"", 0) for n in (1, 2, 3)]
    octets = chance.choice((pcap, pcapng))(frames, byte_order=chance.choice("<>"))
    limits = Limits(most_flows=chance.choice((2, 40_000)), settle_ns=chance.choice((SECOND_NS // 4, 2 * SECOND_NS)))
    share = chance.choice((None, 0, 1))

    with opened(octets) as one_by_one, opened(octets) as together:
        assert found(together, limits, share) == found(OneByOne(one_by_one), limits, share)


def test_captures_of_many_origins() -> None:
    differing, batches = [], 0
    for path in CAPTURES:
        try:
            with open_capture(path) as one_by_one, open_capture(path) as together, open_capture(path) as counted:
                if found(together, Limits(), None) != found(OneByOne(one_by_one), Limits(), None):
                    differing.append(path.name)
                batches += any(type(each) is Batch for each in counted.in_batches())
        except CaptureError:
            continue

    assert not differing
    assert batches > 300  # of the others a few are in formats that have none


class OneByOne:
    """The frames of a capture, and no way to have them together."""

    def __init__(self, capture: Capture) -> None:
        self.key_logs = capture.key_logs
        self._capture = capture

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._capture)


def found(capture: Iterable[Frame], limits: Limits, share: int | None) -> list[tuple[int, Handshake]]:
    """The handshakes, each with the number of frames by which it was known."""
    secrets = Secrets()
    shared = None if share is None else Share(share, 2, [])
    inspector = Inspector("capture", limits=limits, secrets=secrets, plain=True, gather=True, share=shared)
    return [(inspector.frames, each) for known in follow(capture, inspector, secrets) for each in known]


def opened(octets: bytes) -> Capture:
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - the capture closes it
    file.write(octets)
    file.seek(0, os.SEEK_SET)
    return Capture("capture", file, follow=False)


def longer(key: bytes) -> bytes:
    """A key of IPv6 for one of IPv4."""
    return bytes(12) + key[:4] + bytes(12) + key[4:]


def on_ethernet(frame: Frame) -> Frame:
    data = bytes(12) + TYPES[frame.data[0] >> 4] + frame.data
    return frame._replace(link_type=ETHERNET, data=data, wire_length=frame.wire_length + 14)


# -- what happens to frames


def changes_header(frame: Frame, chance: random.Random) -> Frame:
    octets = bytearray(frame.data)
    octets[chance.randrange(min(len(octets), 70))] = chance.choice((0, 1, 4, 5, 6, 0x40, 0x50, 0x60, 0x80, 0xF0, 255))
    return frame._replace(data=bytes(octets))


def is_cut_short(frame: Frame, chance: random.Random) -> Frame:
    return frame._replace(data=frame.data[: chance.randrange(80)])


def has_trailer(frame: Frame, chance: random.Random) -> Frame:
    trailer = bytes(chance.randrange(30))
    return frame._replace(data=frame.data + trailer, wire_length=frame.wire_length + len(trailer))


def is_tagged(frame: Frame, chance: random.Random) -> Frame:
    tag = b"\x81\x00\x00" + bytes([chance.randrange(256)])
    return frame._replace(data=frame.data[:12] + tag + frame.data[12:], wire_length=frame.wire_length + 4)


def is_fragment(frame: Frame, chance: random.Random) -> Frame:
    offset = bytes([chance.choice((0x20, 0, 0x80)), chance.choice((0, 1, 5))])
    return frame._replace(data=frame.data[:20] + offset + frame.data[22:])


def has_options_beyond_its_end(frame: Frame, chance: random.Random) -> Frame:
    octets = chance.randrange(54, 94)
    return frame._replace(data=(frame.data[:46] + b"\xf0" + frame.data[47:])[:octets])


DAMAGES_OF_FRAMES = (changes_header, is_cut_short, has_trailer, is_tagged, is_fragment, has_options_beyond_its_end)
