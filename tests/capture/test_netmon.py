import pytest

from tests.support.captures import FRAMES, START_NS, netmon
from tlsinspect.capture.netmon import NO_LINK_TYPE
from tlsinspect.model.errors import CaptureError

RAW, NETWORK_INFO = 101, 0xFFFB


@pytest.mark.parametrize("minor", [0, 1, 2, 3])
@pytest.mark.parametrize("padded", [True, False])
def test_reads_the_frames_of_each_version(read, minor, padded):
    frames, capture = read(netmon(minor=minor, padded=padded))

    assert list(FRAMES) == frames
    assert capture.defects == []


def test_finds_frames_across_many_reads(read):
    frames = [FRAMES[number % 3]._replace(number=number + 1) for number in range(20_000)]

    assert frames == read(netmon(frames, minor=2))[0]


def test_frames_say_their_networks_from_version_2_1_on(read):
    frames, _ = read(netmon(minor=1, networks={1: NETWORK_INFO, 2: 9, 3: 0xE000 + 113}))

    assert [frame.link_type for frame in frames] == [NO_LINK_TYPE, RAW, 113]


def test_the_time_in_utc_counts_where_there_is_one(read):
    frames, _ = read(netmon(minor=3, start=(2023, 11, 2, 14, 23, 13, 20, 0)))

    assert [frame.time_ns for frame in frames] == [frame.time_ns for frame in FRAMES]


@pytest.mark.parametrize("start", [(0,) * 8, (2023, 13, 0, 1, 0, 0, 0, 0), (65535,) * 8])
def test_counts_from_1970_when_the_capture_says_no_time(read, start):
    frames, _ = read(netmon(start=start))

    assert [frame.time_ns for frame in frames] == [frame.time_ns - START_NS for frame in FRAMES]


def test_a_cut_last_frame_is_a_defect_with_both_numbers(read):
    frames, capture = read(netmon()[: -(3 * 4 + 1)])

    assert list(FRAMES[:2]) == frames
    assert [defect.problem for defect in capture.defects] == [
        "The last packet (number 3) is cut: 21 octets announced, 20 remain."
    ]


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (netmon()[:27], r"is cut inside its Network Monitor header: 28 octets are needed, 27 remain\.$"),
        (netmon(major=1), r"is a Network Monitor capture of version 1\.0; only 2\.0 to 2\.3 can be read\.$"),
        (netmon(network=4), r"is a Network Monitor capture of network 4, which cannot be read\.$"),
        (netmon()[:140] + b"\xff" * 16, r"is damaged: packet 1 says that it has 4294967295 octets\.$"),
    ],
)
def test_rejects_what_cannot_be_read(read, octets, problem):
    with pytest.raises(CaptureError, match=problem):
        read(octets)
