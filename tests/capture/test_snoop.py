import struct

import pytest

from tests.support.captures import FRAMES, snoop
from tlsinspect.model.errors import CaptureError


def test_reads_the_frames_of_solaris(read):
    frames, capture = read(snoop())

    assert list(FRAMES) == frames
    assert capture.defects == []


def test_finds_frames_across_many_reads(read):
    frames = [FRAMES[number % 3]._replace(number=number + 1) for number in range(20_000)]

    assert frames == read(snoop(frames))[0]


def test_does_without_the_padding_of_the_last_record(read):
    frames, capture = read(snoop()[:-3])

    assert list(FRAMES) == frames
    assert capture.defects == []


def test_a_cut_last_frame_is_a_defect_with_both_numbers(read):
    frames, capture = read(snoop()[:-4])

    assert list(FRAMES[:2]) == frames
    assert [defect.problem for defect in capture.defects] == [
        "The last packet (number 3) is cut: 21 octets announced, 20 remain."
    ]


def test_a_record_smaller_than_its_frame_ends_reading_with_a_defect(read):
    frames, capture = read(snoop() + struct.pack(">IIIIII", 60, 60, 40, 0, 0, 0) + bytes(60))

    assert list(FRAMES) == frames
    assert [defect.problem for defect in capture.defects] == [
        "The capture is damaged: packet 4 says that it has 60 octets in a record of 40. Reading ended there."
    ]


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (snoop()[:15], r"is cut inside its snoop header: 16 octets are needed, 15 remain\.$"),
        (snoop(version=3), r"is a snoop file of version 3; only version 2 can be read\.$"),
        (snoop(datalink=9), r"is a snoop file of datalink type 9, which cannot be read\.$"),
        (
            snoop([]) + struct.pack(">IIIIII", 60, 60, 40, 0, 0, 0),
            r"is damaged: packet 1 says that it has 60 octets in a record of 40\.$",
        ),
    ],
)
def test_rejects_what_cannot_be_read(read, octets, problem):
    with pytest.raises(CaptureError, match=problem):
        read(octets)
