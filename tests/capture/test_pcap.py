import struct

import pytest

from tests.support.captures import ETHERNET, FRAMES, pcap
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Defect, Frame


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34])
def test_reads_every_magic_in_both_byte_orders(read, byte_order, magic):
    frames, capture = read(pcap(byte_order=byte_order, magic=magic))

    assert list(FRAMES) == frames
    assert capture.defects == []


def test_keeps_every_nanosecond(read):
    frame = FRAMES[0]._replace(time_ns=1_700_000_000_123_456_789)

    frames, _ = read(pcap([frame], magic=0xA1B23C4D))

    assert [frame] == frames


def test_counts_seconds_beyond_2038(read):
    frame = FRAMES[0]._replace(time_ns=4_294_967_295 * 1_000_000_000)

    frames, _ = read(pcap([frame]))

    assert [frame] == frames


def test_ignores_the_bits_about_the_frame_check_sequence_above_the_link_type(read):
    frames, _ = read(pcap(link=0x2400_0000 | 113))

    assert {113} == {frame.link_type for frame in frames}


def test_reads_frames_larger_than_a_read(read):
    frames = [Frame(number, FRAMES[0].time_ns, ETHERNET, bytes([number]) * 250_000, 250_000) for number in range(1, 8)]

    assert frames == read(pcap(frames))[0]


def test_finds_frames_across_many_reads(read):
    frames = [FRAMES[number % 3]._replace(number=number + 1) for number in range(20_000)]

    assert frames == read(pcap(frames))[0]


def test_reads_a_frame_of_no_octets(read):
    frame = FRAMES[0]._replace(data=b"", wire_length=0)

    assert [frame] == read(pcap([frame]))[0]


def test_a_header_without_frames_is_an_empty_capture(read):
    frames, capture = read(pcap([]))

    assert frames == []
    assert capture.defects == []


CUT_FRAME = FRAMES[2]._replace(number=1)


def test_the_lengths_stand_the_other_way_round_before_version_2_3(read):
    octets = bytearray(pcap([CUT_FRAME], version=(2, 2)))
    octets[32:40] = octets[36:40] + octets[32:36]

    assert read(bytes(octets))[0] == [CUT_FRAME]


@pytest.mark.parametrize("swap", [True, False])
def test_the_smaller_length_is_the_captured_one_in_version_2_3(read, swap):
    octets = bytearray(pcap([CUT_FRAME], version=(2, 3)))
    if swap:
        octets[32:40] = octets[36:40] + octets[32:36]

    assert read(bytes(octets))[0] == [CUT_FRAME]


def test_a_cut_last_frame_is_a_defect_with_both_numbers(read):
    octets = pcap()

    frames, capture = read(octets[:-1])

    problem = "The last packet (number 3) is cut: 21 octets announced, 20 remain."
    assert list(FRAMES[:2]) == frames
    assert [Defect("capture", problem, len(octets) - 21 - 16, (3,))] == capture.defects


def test_a_cut_last_record_header_is_a_defect_with_both_numbers(read):
    frames, capture = read(pcap() + bytes(7))

    problem = "The last packet (number 4) is cut: its header needs 16 octets, 7 remain."
    assert list(FRAMES) == frames
    assert [Defect("capture", problem, len(pcap()), (4,))] == capture.defects
    assert not capture.damaged


def test_an_absurd_length_ends_reading_with_a_defect(read):
    absurd = struct.pack("<IIII", 1, 2, 3_000_000, 3_000_000)

    frames, capture = read(pcap() + absurd + bytes(4_000_000))

    problem = (
        "The capture is damaged: packet 4 says that it has 3000000 octets, more than the 262144 that are possible in "
        "this capture. Reading ended there."
    )
    assert list(FRAMES) == frames
    assert [Defect("capture", problem, len(pcap()), (4,))] == capture.defects
    assert capture.damaged


def test_an_absurd_length_is_found_although_its_octets_are_there(read):
    frame = FRAMES[0]._replace(number=2, data=bytes(262_145))

    frames, capture = read(pcap([FRAMES[0], frame, FRAMES[1]]))

    assert [FRAMES[0]] == frames
    assert len(capture.defects) == 1


def test_a_large_snap_length_allows_large_frames(read):
    frame = FRAMES[0]._replace(data=bytes(3_000_000), wire_length=3_000_000)

    assert [frame] == read(pcap([frame], snap_length=4_000_000))[0]


def test_an_absurd_first_length_is_an_error_as_nothing_can_be_read(read):
    absurd = struct.pack("<IIII", 1, 2, 3_000_000_000, 1)

    with pytest.raises(CaptureError, match=r"some\.pcap is damaged: its first packet says that it has 3000000000 "):
        read(pcap([]) + absurd + bytes(100))


def test_rejects_a_cut_file_header_with_both_numbers(read):
    with pytest.raises(CaptureError, match=r"is cut inside its pcap header: 24 octets are needed, 23 remain\.$"):
        read(pcap()[:23])


def test_rejects_an_unknown_version(read):
    with pytest.raises(CaptureError, match=r"is a pcap file of version 3\.1; only version 2 can be read\.$"):
        read(pcap(version=(3, 1)))
