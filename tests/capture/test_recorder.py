from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.captures import ETHERNET, FRAMES
from tlsinspect.capture.file import open_capture
from tlsinspect.capture.live import Captured
from tlsinspect.capture.recorder import Recorder, Ring, parse_ring
from tlsinspect.model.errors import CaptureError

LINKS = ((ETHERNET, "eth0"),)
LARGE = FRAMES[1]._replace(data=b"\xab" * 1000, wire_length=1000)


@contextmanager
def largest_file(octets: int) -> Iterator[None]:
    """While inside, the system writes no file larger than this: what does not fit is written in part, then refused."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_fails_leaves_only_whole_blocks(tmp_path: Path) -> None:
    path = tmp_path / "full.pcapng"
    recorder = Recorder(path, links=LINKS)
    for _ in range(4):
        recorder.write(LARGE, "eth0")
    with largest_file(4600), pytest.raises(CaptureError, match="cannot be written any further: File too large"):
        recorder.write(LARGE, "eth0")
    recorder.close()
    with open_capture(path) as capture:
        frames = list(capture)

    assert len(frames) == recorder.frames == 4
    assert capture.defects == []


def test_of_many_frames_as_many_are_written_as_find_room(tmp_path: Path) -> None:
    path = tmp_path / "full.pcapng"
    recorder = Recorder(path, links=LINKS)
    recorder.write_all([Captured(LARGE, "eth0")] * 2)
    with largest_file(4600), pytest.raises(CaptureError, match="cannot be written any further: File too large"):
        recorder.write_all([Captured(LARGE, "eth0")] * 3)
    recorder.close()
    with open_capture(path) as capture:
        frames = list(capture)

    assert len(frames) == 4
    assert capture.defects == []


def test_an_empty_recording_says_its_link_type(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcapng"
    Recorder(path, links=LINKS).close()
    with open_capture(path) as capture:
        assert list(capture) == []
    assert b"eth0" in path.read_bytes()


def test_every_block_is_in_the_file_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "growing.pcapng"
    recorder = Recorder(path, links=LINKS)
    for count in (1, 2, 3):
        recorder.write(LARGE, "eth0")
        with open_capture(path) as capture:
            assert len(list(capture)) == count
    recorder.close()


def test_a_ring_keeps_the_last_files(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "ring.pcapng", links=LINKS, ring=Ring(files=2, octets=65536))
    for _ in range(300):
        recorder.write(LARGE, "eth0")
    recorder.close()
    files = sorted(path.name for path in tmp_path.iterdir())

    assert files == ["ring-00004.pcapng", "ring-00005.pcapng"]


def test_a_new_file_of_a_ring_has_the_keys_of_handshakes_under_way(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "ring.pcapng", links=LINKS, ring=Ring(files=2, octets=65536))
    recorder.write_key_log(b"CLIENT_RANDOM 00 11\n")
    for _ in range(70):
        recorder.write(LARGE, "eth0")
    recorder.close()
    with open_capture(tmp_path / "ring-00002.pcapng") as capture:
        list(capture)

    assert capture.key_logs == [b"CLIENT_RANDOM 00 11\n"]


def test_a_recording_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "private.pcapng"
    Recorder(path).close()

    assert path.stat().st_mode & 0o777 == 0o600


def test_says_why_a_file_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"/none/x.pcapng cannot be written: No such file or directory\."):
        Recorder(tmp_path / "none" / "x.pcapng")


@pytest.mark.parametrize(
    ("text", "ring"),
    [
        ("2:64k", Ring(2, 65536)),
        ("10:100M", Ring(10, 100 << 20)),
        ("3:1GiB", Ring(3, 1 << 30)),
        ("5:65536", Ring(5, 65536)),
    ],
)
def test_reads_the_size_of_a_ring(text: str, ring: Ring) -> None:
    assert parse_ring(text) == ring


@pytest.mark.parametrize("text", ["", "10", "10:", "1:100M", "2:1K", "a:1M", "2:1T", "2:-1M"])
def test_refuses_what_is_no_ring(text: str) -> None:
    with pytest.raises(CaptureError, match="is no ring"):
        parse_ring(text)


def test_importing_the_command_line_does_not_import_scapy() -> None:
    """It takes as long to import as everything else together."""
    program = "import sys, tlsinspect.cli.app, tlsinspect.capture.live; sys.exit('scapy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
