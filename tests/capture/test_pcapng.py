import struct

import pytest

from tests.support.captures import (
    FRAMES,
    START_NS,
    block,
    enhanced_packet,
    interface,
    obsolete_packet,
    pcapng,
    secrets,
    section,
    simple_packet,
)
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame

FRAME = FRAMES[0]
KEY_LOG = b"CLIENT_RANDOM " + b"00" * 32 + b" " + b"11" * 48 + b"\n"


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_reads_both_byte_orders(read, byte_order):
    frames, capture = read(pcapng(byte_order=byte_order))

    assert list(FRAMES) == frames
    assert capture.defects == []


def test_finds_frames_across_many_reads(read):
    frames = [FRAMES[number % 3]._replace(number=number + 1) for number in range(20_000)]

    assert frames == read(pcapng(frames))[0]


def test_sections_have_their_own_byte_order_and_interfaces(read):
    first = section("<") + interface("<", link_type=1) + enhanced_packet(FRAME, "<")
    second = section(">") + interface(">", link_type=113) + enhanced_packet(FRAME, ">")

    frames, capture = read(first + second + first)

    assert [(frame.number, frame.link_type) for frame in frames] == [(1, 1), (2, 113), (3, 1)]
    assert capture.defects == []


def test_interfaces_have_their_own_link_type_and_resolution(read):
    interfaces = interface(link_type=1) + interface(link_type=101, resolution=9)
    packets = enhanced_packet(FRAME, index=1, stamp=START_NS) + enhanced_packet(FRAME, index=0)

    frames, _ = read(section() + interfaces + packets)

    assert [(frame.link_type, frame.time_ns) for frame in frames] == [(101, START_NS), (1, START_NS)]


@pytest.mark.parametrize(
    ("resolution", "stamp", "time_ns"),
    [
        (0, 1_700_000_000, START_NS),
        (3, 1_700_000_000_001, START_NS + 1_000_000),
        (9, START_NS + 1, START_NS + 1),
        (12, 1_234_999, 1_234),
        (0x80, 1_700_000_000, START_NS),
        (0x80 | 1, 1_700_000_000 * 2 + 1, START_NS + 500_000_000),
        (0x80 | 30, (1_700_000_000 << 30) + (1 << 28), START_NS + 250_000_000),
    ],
)
def test_time_stamps_count_in_powers_of_ten_and_of_two(read, resolution, stamp, time_ns):
    frames, _ = read(section() + interface(resolution=resolution) + enhanced_packet(FRAME, stamp=stamp))

    assert [time_ns] == [frame.time_ns for frame in frames]


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_the_offset_of_an_interface_is_added_to_its_times(read, seconds):
    frames, _ = read(section() + interface(offset_seconds=seconds) + enhanced_packet(FRAME))

    assert [FRAME.time_ns + seconds * 1_000_000_000] == [frame.time_ns for frame in frames]


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_reads_the_obsolete_packet_block(read, byte_order):
    packets = b"".join(obsolete_packet(frame, byte_order) for frame in FRAMES)

    assert list(FRAMES) == read(section(byte_order) + interface(byte_order) + packets)[0]


def test_a_simple_packet_block_has_no_time(read):
    frames, _ = read(section() + interface() + simple_packet(FRAME))

    assert [FRAME._replace(time_ns=0)] == frames


def test_the_snap_length_limits_a_simple_packet_block(read):
    frame = Frame(1, 0, 1, b"\xab" * 63, 1500)

    frames, _ = read(section() + interface(snap_length=63) + simple_packet(frame))

    assert [frame] == frames


def test_passes_over_unknown_blocks(read):
    statistics = block(5, bytes(20))
    unknown = block(0x0BADF00D, b"anything")

    frames, capture = read(section() + statistics + interface() + unknown + enhanced_packet(FRAME) + unknown)

    assert frames == [FRAME]
    assert capture.defects == []


def test_custom_blocks_take_a_frame_number_as_in_wireshark(read):
    custom = block(0x0BAD, struct.pack("<I", 32473) + b"private")

    frames, _ = read(section() + interface() + custom + enhanced_packet(FRAME))

    assert [frame.number for frame in frames] == [2]


def test_keeps_embedded_key_logs_without_their_padding(read):
    octets = section() + secrets(KEY_LOG) + interface() + enhanced_packet(FRAME) + secrets(b"# more\n")

    _, capture = read(octets)

    assert capture.key_logs == [KEY_LOG, b"# more\n"]


def test_passes_over_secrets_that_are_not_of_tls(read):
    frames, capture = read(section() + secrets(KEY_LOG, kind=0x57474B4C) + interface() + enhanced_packet(FRAME))

    assert frames == [FRAME]
    assert capture.key_logs == []


def test_reads_blocks_whose_length_leaves_out_the_padding(read):
    octets = bytearray(enhanced_packet(FRAMES[1]))
    said = struct.pack("<I", len(octets) - 1)
    octets[4:8] = octets[-4:] = said

    frames, capture = read(section() + interface() + bytes(octets) + enhanced_packet(FRAMES[0]))

    assert [FRAMES[1].data, FRAMES[0].data] == [frame.data for frame in frames]
    assert capture.defects == []


def test_a_cut_last_block_is_a_defect_with_both_numbers(read):
    frames, capture = read(pcapng()[:-10])

    assert list(FRAMES[:2]) == frames
    assert [defect.problem for defect in capture.defects] == [
        "The last packet (number 3) is cut: a block of 56 octets announced, 46 remain."
    ]


@pytest.mark.parametrize(
    ("damaged", "problem"),
    [
        (struct.pack("<III", 6, 4, 4), "a block of type 0x00000006 says that it has 4 octets"),
        (struct.pack("<III", 6, 1 << 30, 4), "a block of type 0x00000006 says that it has 1073741824 octets"),
        (struct.pack("<IIII", 5, 16, 0, 20), "a block of type 0x00000005 says first that it has 16 octets, then 20"),
        (enhanced_packet(FRAME, index=3), "packet 4 is of interface 3, the section describes 1"),
        (block(6, bytes(12)), "packet 4 has a block of 24 octets, too short for its type"),
        (block(2, bytes(12)), "packet 4 has a block of 24 octets, too short for its type"),
        (block(3, b""), "packet 4 has a block of 12 octets, too short for its type"),
        (block(3, struct.pack("<I", 100)), "packet 4 says that it has 100 octets in a block of 16"),
        (
            block(6, struct.pack("<IIIII", 0, 0, 0, 9, 9) + bytes(8)),
            "packet 4 says that it has 9 octets in a block of 40",
        ),
        (block(1, b""), "an Interface Description Block needs 20 octets and has 12"),
        (block(10, b""), "a Decryption Secrets Block needs 20 octets and has 12"),
        (
            block(10, struct.pack("<II", 0x544C534B, 9)),
            "a Decryption Secrets Block of 20 octets says that it has 9 of secrets",
        ),
        (section(major=2), "it has a pcapng section of version 2; only version 1 can be read"),
    ],
)
def test_a_block_that_contradicts_itself_ends_reading_with_a_defect(read, damaged, problem):
    frames, capture = read(pcapng() + damaged + enhanced_packet(FRAME))

    assert list(FRAMES) == frames
    assert [f"The capture is damaged after packet 3: {problem}. Reading ended there."] == [
        defect.problem for defect in capture.defects
    ]


def test_a_damaged_block_before_all_frames_is_an_error(read):
    with pytest.raises(CaptureError, match=r"some\.pcap is damaged: an Interface Description Block needs 20 octets"):
        read(section() + block(1, b"") + enhanced_packet(FRAME))


def test_rejects_a_cut_section_header_with_both_numbers(read):
    with pytest.raises(CaptureError, match=r"cut inside its pcapng section header: 28 octets are needed, 27 remain\.$"):
        read(pcapng()[:27])


def test_rejects_an_unknown_byte_order(read):
    with pytest.raises(CaptureError, match=r"byte-order magic 01 02 03 04, which means no byte order\.$"):
        read(pcapng()[:8] + b"\x01\x02\x03\x04" + pcapng()[12:])


def test_rejects_an_unknown_version(read):
    with pytest.raises(CaptureError, match=r"pcapng section of version 2; only version 1 can be read\.$"):
        read(section(major=2))


@pytest.mark.parametrize(
    ("stamp", "time_ns"),
    [((1 << 64) - 1, (1 << 63) - 1), ((1 << 63) // 1000, (1 << 63) // 1000 * 1000), (1 << 62, (1 << 63) - 1)],
)
def test_a_time_beyond_64_bits_of_nanoseconds_is_the_last_of_them(read, stamp, time_ns):
    octets = section() + interface() + enhanced_packet(FRAME, stamp=stamp)

    assert [time_ns] == [frame.time_ns for frame in read(octets)[0]]


def test_a_time_before_64_bits_of_nanoseconds_is_the_first_of_them(read):
    octets = section() + interface(offset_seconds=-(1 << 62)) + enhanced_packet(FRAME)

    assert [frame.time_ns for frame in read(octets)[0]] == [-(1 << 63)]
