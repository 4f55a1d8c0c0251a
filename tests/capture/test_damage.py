"""A cut or damaged capture: what is before the damage is read, and nothing but CaptureError is raised."""

import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.captures import (
    FRAMES,
    interface,
    netmon,
    obsolete_packet,
    pcap,
    pcapng,
    secrets,
    simple_packet,
    snoop,
)
from tlsinspect.capture.file import open_capture
from tlsinspect.model.errors import CaptureError

CAPTURES = {
    "pcap": pcap(),
    "pcap, big-endian": pcap(byte_order=">"),
    "pcap, old": pcap(version=(2, 3)),
    "pcapng": pcapng(),
    "pcapng, big-endian": pcapng(byte_order=">"),
    "pcapng, other blocks": pcapng()
    + interface(resolution=0x9E)
    + secrets(b"# no keys\n")
    + obsolete_packet(FRAMES[0], index=1)
    + simple_packet(FRAMES[1]),
    "snoop": snoop(),
    "Network Monitor": netmon(),
    "Network Monitor 3": netmon(minor=3, padded=False),
    "gzip": gzip.compress(pcap()),
}
EVERY = pytest.mark.parametrize("octets", CAPTURES.values(), ids=CAPTURES)
ONE_FILE = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def frames_before_damage(path, octets):
    """The frames that come out, and whether the end was whole: no error and no defect."""
    path.write_bytes(octets)
    frames = []
    try:
        with open_capture(path) as capture:
            frames.extend(capture)
    except CaptureError:
        return frames, False
    return frames, not capture.defects


@EVERY
def test_a_cut_at_any_octet_only_removes_frames(tmp_path, octets):
    path = tmp_path / "cut"
    whole, _ = frames_before_damage(path, octets)
    assert len(whole) >= 3

    for length in range(len(octets)):
        frames, _ = frames_before_damage(path, octets[:length])
        assert frames == whole[: len(frames)]


@pytest.mark.parametrize("name", ["pcap", "pcapng", "snoop"])
def test_a_cut_loses_only_the_frame_that_it_is_in(tmp_path, name):
    counts = [len(frames_before_damage(tmp_path / "cut", CAPTURES[name][:length])[0]) for length in (-90, -30, -4)]

    assert counts == [1, 2, 2]


@EVERY
def test_a_cut_inside_a_frame_is_never_silent(tmp_path, octets):
    path = tmp_path / "cut"
    lengths = [length for length in range(len(octets)) if frames_before_damage(path, octets[:length])[1]]

    # Only a cut between two blocks or records, in the padding of the last snoop record, or in the
    # table behind the frames of Network Monitor, looks like a whole capture.
    assert len(lengths) <= 13


@EVERY
@ONE_FILE
@given(st.data())
def test_octets_that_are_flipped_raise_nothing_but_a_capture_error(tmp_path, octets, data):
    damaged = bytearray(octets)
    flips = st.tuples(st.integers(0, len(octets) - 1), st.integers(0, 255))
    for position, value in data.draw(st.lists(flips, max_size=8)):
        damaged[position] = value

    frames, _ = frames_before_damage(tmp_path / "flipped", bytes(damaged))

    numbers = [frame.number for frame in frames]
    assert numbers == sorted(set(numbers))


@EVERY
@ONE_FILE
@given(more=st.binary(min_size=1, max_size=200))
def test_octets_that_are_appended_remove_no_frame(tmp_path, octets, more):
    path = tmp_path / "appended"
    whole, _ = frames_before_damage(path, octets)

    frames, _ = frames_before_damage(path, octets + more)

    assert frames[: len(whole)] == whole


@ONE_FILE
@given(head=st.sampled_from([octets[:4] for octets in CAPTURES.values()]), tail=st.binary(max_size=300))
def test_any_octets_after_a_magic_raise_nothing_but_a_capture_error(tmp_path, head, tail):
    frames, _ = frames_before_damage(tmp_path / "random", head + tail)

    assert sum(len(frame.data) for frame in frames) <= len(tail)
