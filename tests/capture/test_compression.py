import gzip
import random
import subprocess
import sys
import zlib
from functools import partial
from itertools import islice, pairwise

import lz4.frame
import pytest
import zstandard

from tests.support.captures import ETHERNET, FRAMES, pcap, pcapng
from tlsinspect.capture.compression import COMPRESSIONS
from tlsinspect.capture.file import open_capture
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame

# With the checksums that the command line tools write.
COMPRESS = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "lz4": partial(lz4.frame.compress, content_checksum=True),
}
EVERY = pytest.mark.parametrize("name", COMPRESS)

NOISE = random.Random(7).randbytes(1_000_000)  # noise, so that what is compressed remains large
MANY = [Frame(number, FRAMES[0].time_ns, ETHERNET, NOISE[number * 300 :][:300], 300) for number in range(1, 3001)]


def test_every_compression_is_tested():
    assert set(COMPRESS) == {compression.name for compression in COMPRESSIONS}


@EVERY
@pytest.mark.parametrize("build", [pcap, pcapng])
def test_reads_compressed_captures_whatever_their_name(read, name, build):
    frames, capture = read(COMPRESS[name](build()))

    assert list(FRAMES) == frames
    assert capture.defects == []


@EVERY
def test_reads_several_members_as_one_capture(read, name):
    octets = pcap(MANY)
    cuts = [0, 7, 100_000, 100_001, len(octets)]
    members = [COMPRESS[name](octets[start:end]) for start, end in pairwise(cuts)]

    frames, capture = read(b"".join(members))

    assert frames == MANY
    assert capture.defects == []


@EVERY
def test_uses_everything_before_damaged_data(read, name):
    octets = bytearray(COMPRESS[name](pcap(MANY)))
    middle = len(octets) * 3 // 4
    octets[middle : middle + 40] = b"\xff" * 40

    frames, capture = read(bytes(octets))

    # What follows the damage may decompress to something else: gzip notices only at a code that cannot be.
    assert frames[:1500] == MANY[:1500]
    assert len(capture.defects) == 1


@EVERY
def test_uses_everything_before_a_cut(read, name):
    octets = COMPRESS[name](pcap(MANY))

    frames, capture = read(octets[: len(octets) * 3 // 4])

    assert frames == MANY[: len(frames)]
    assert len(capture.defects) == 1
    assert " is cut" in capture.defects[0].problem
    assert not capture.damaged


@EVERY
def test_uses_everything_before_other_octets(read, name):
    frames, capture = read(COMPRESS[name](pcap(MANY)) + b"something else")

    assert frames == MANY
    assert len(capture.defects) == 1


def test_passes_over_the_zeros_that_pad_gzip_on_tapes(read):
    frames, capture = read(gzip.compress(pcap()) + bytes(512) + gzip.compress(pcap()[24:]))

    assert len(frames) == 6
    assert capture.defects == []


@EVERY
def test_says_what_is_inside_when_it_is_no_capture(read, name):
    with pytest.raises(CaptureError, match=rf"not a pcap or pcapng file inside its {name} data .*48 65 6c 6c\)\.$"):
        read(COMPRESS[name](b"Hello, this is no capture"))


@EVERY
def test_says_that_nothing_is_inside(read, name):
    with pytest.raises(CaptureError, match=rf"is empty inside its {name} data\.$"):
        read(COMPRESS[name](b""))


def test_says_that_damage_left_nothing(read):
    with pytest.raises(CaptureError, match=r" holds no frames inside its gzip data: The gzip data is damaged"):
        read(gzip.compress(pcap())[:10] + b"\xff" * 40)


def test_frames_come_out_before_the_compressed_stream_ends(tmp_path):
    path = tmp_path / "growing"
    encoder = zlib.compressobj(wbits=31)
    path.write_bytes(encoder.compress(pcap()) + encoder.flush(zlib.Z_SYNC_FLUSH))

    with open_capture(path, follow=True) as capture:
        assert list(FRAMES) == list(islice(capture, 3))


READ_AND_SAY_PEAK = """
import resource, sys
from tlsinspect.capture.file import open_capture
with open_capture(sys.argv[1]) as capture:
    count = sum(1 for frame in capture)
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@EVERY
def test_memory_stays_flat_under_a_bomb(tmp_path, name):
    path = tmp_path / "bomb"
    small, large = (COMPRESS[name](pcap([MANY[0]._replace(data=bytes(200_000))] * count)) for count in (2, 1000))

    def count_and_peak(octets):
        path.write_bytes(octets)
        command = [sys.executable, "-c", READ_AND_SAY_PEAK, str(path)]
        return map(int, subprocess.run(command, capture_output=True, check=True).stdout.split())

    _, small_peak = count_and_peak(small)
    count, large_peak = count_and_peak(large)

    assert count == 1000
    assert large_peak - small_peak < 20_000  # kilobytes (Linux), of 200,000 in all
