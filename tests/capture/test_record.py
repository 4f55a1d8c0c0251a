import io
import shutil
import subprocess

import pytest

from tests.support.captures import FRAMES
from tlsinspect.capture.file import open_capture
from tlsinspect.capture.record import PcapngWriter
from tlsinspect.model.frame import Frame

KEY_LOG = b"CLIENT_RANDOM " + b"00" * 32 + b" " + b"11" * 48 + b"\n"
NANOSECOND = Frame(4, 1_700_000_000_123_456_789, 101, b"\x45" + bytes(20), 21)


class Writes(io.BytesIO):
    """A stream that remembers how it was written to."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def write(self, octets):
        self.calls.append(bytes(octets))
        return super().write(octets)


@pytest.fixture
def recorded(tmp_path):
    path = tmp_path / "recorded.pcapng"
    with path.open("wb") as stream:
        writer = PcapngWriter(stream, application="tlsinspect 1.0")
        writer.write_key_log(KEY_LOG)
        for frame in FRAMES:
            writer.write(frame, interface="eth0")
        writer.write(NANOSECOND, interface="wg0")
        writer.flush()
    return path


def test_what_is_written_reads_back_unchanged(recorded):
    with open_capture(recorded) as capture:
        assert [*FRAMES, NANOSECOND] == list(capture)
    assert capture.key_logs == [KEY_LOG]
    assert capture.defects == []


def test_each_block_is_one_write():
    stream = Writes()
    writer = PcapngWriter(stream)
    for frame in FRAMES:
        writer.write(frame)
    writer.write_key_log(KEY_LOG)

    kinds = [int.from_bytes(call[:4], "little") for call in stream.calls]
    lengths = [int.from_bytes(call[4:8], "little") for call in stream.calls]

    assert kinds == [0x0A0D0D0A, 1, 6, 6, 6, 10]
    assert lengths == [len(call) for call in stream.calls]


def test_describes_an_interface_once_for_each_link_type_and_name():
    stream = Writes()
    writer = PcapngWriter(stream)
    for link_type, name in [(1, "eth0"), (1, "eth1"), (113, "eth0"), (1, "eth0"), (1, None), (1, None)]:
        writer.write(FRAMES[0]._replace(link_type=link_type), interface=name)

    assert [call[:4] for call in stream.calls].count(b"\x01\0\0\0") == 4


def test_a_time_before_1970_is_written_as_1970(tmp_path):
    path = tmp_path / "old.pcapng"
    with path.open("wb") as stream:
        PcapngWriter(stream).write(FRAMES[0]._replace(time_ns=-1))

    with open_capture(path) as capture:
        assert [frame.time_ns for frame in capture] == [0]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_wireshark_opens_what_is_written(recorded):
    fields = ["frame.number", "frame.time_epoch", "frame.cap_len", "frame.len", "frame.interface_name"]
    command = ["tshark", "-n", "-r", str(recorded), "-T", "fields", *(f"-e{field}" for field in fields)]

    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    assert [line.split("\t") for line in shown] == [
        ["1", "1700000000.000000000", "60", "60", "eth0"],
        ["2", "1700000000.001234000", "63", "63", "eth0"],
        ["3", "1700000002.999999000", "21", "1500", "eth0"],
        ["4", "1700000000.123456789", "21", "21", "wg0"],
    ]


@pytest.mark.skipif(shutil.which("editcap") is None, reason="editcap is not installed")
@pytest.mark.parametrize("kind", ["pcap", "nsecpcap", "modpcap", "pcapng", "snoop", "netmon2"])
def test_reads_what_wireshark_converts(tmp_path, kind):
    original, converted = tmp_path / "original.pcapng", tmp_path / "converted"
    with original.open("wb") as stream:
        writer = PcapngWriter(stream)
        for frame in FRAMES:
            writer.write(frame)

    subprocess.run(["editcap", "-F", kind, str(original), str(converted)], check=True, capture_output=True)

    with open_capture(converted) as capture:
        assert list(FRAMES) == list(capture)
