import io
import os
import subprocess
import sys
import threading
from itertools import islice

import pytest

from tests.support.captures import FRAMES, pcap, pcapng
from tlsinspect.capture.file import open_capture
from tlsinspect.model.errors import CaptureError


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (b"Hello, world", " is not a pcap or pcapng file (it begins with 48 65 6c 6c)."),
        (b"H", " is not a pcap or pcapng file (it begins with 48)."),
        (b"", " is empty."),
        (b"XCP\x00002.001", " is a NetXRay capture; convert it first: editcap -F pcapng OLD NEW."),
        (b"\xfd7zXZ\0\0\4", " is compressed with xz; decompress it first."),
    ],
)
def test_says_what_a_file_is_that_is_no_capture(tmp_path, octets, problem):
    path = tmp_path / "notes.txt"
    path.write_bytes(octets)

    with pytest.raises(CaptureError) as error:
        open_capture(path)

    assert f"{path}{problem}" == str(error.value)


def test_says_that_a_file_does_not_exist(tmp_path):
    with pytest.raises(CaptureError, match=r"missing\.pcap does not exist\.$"):
        open_capture(tmp_path / "missing.pcap")


def test_says_that_a_folder_is_no_capture(tmp_path):
    with pytest.raises(CaptureError, match=r" is a folder, not a capture\.$"):
        open_capture(tmp_path)


def test_says_that_a_name_cannot_be_opened(tmp_path):
    with pytest.raises(CaptureError, match=r" cannot be opened \(File name too long\)\.$"):
        open_capture(tmp_path / ("x" * 300))


def test_says_that_a_name_with_a_zero_octet_cannot_be_opened():
    with pytest.raises(CaptureError, match=r" cannot be opened \(embedded null byte\)\.$"):
        open_capture("a\0b")


def test_says_that_permission_is_missing(tmp_path, monkeypatch):
    def refuse(*_args, **_keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)

    with pytest.raises(CaptureError, match=r"secret\.pcap cannot be read: you have no permission\.$"):
        open_capture(tmp_path / "secret.pcap")


def test_a_failing_disk_is_a_defect_and_what_was_read_is_used(monkeypatch):
    class Failing(io.BytesIO):
        def read1(self, size=-1):
            if octets := super().read1(150):
                return octets
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(Failing(pcap())))

    with open_capture("-") as capture:
        assert list(FRAMES) == list(capture)
    assert [defect.problem for defect in capture.defects] == [
        "The capture cannot be read any further (Input/output error)."
    ]


def test_keeps_the_name_as_it_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.pcap").write_bytes(pcap())

    with open_capture("./some.pcap") as capture:
        assert capture.name == "./some.pcap"


@pytest.mark.parametrize("build", [pcap, pcapng])
def test_a_pipe_gives_the_frames_before_it_ends(tmp_path, build):
    reading, writing = os.pipe()
    with open(writing, "wb", buffering=0) as pipe:
        pipe.write(build())
        with open_capture(f"/dev/fd/{reading}") as capture:
            first = list(islice(capture, 3))
    os.close(reading)

    assert list(FRAMES) == first


SAY_EACH_FRAME = """
from tlsinspect.capture.file import open_capture
for frame in open_capture("-"):
    print(frame.number, flush=True)
"""


def test_standard_input_gives_the_frames_before_it_ends():
    command = [sys.executable, "-c", SAY_EACH_FRAME]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        octets = pcap()
        reader.stdin.write(octets[:-5])
        reader.stdin.flush()

        assert [reader.stdout.readline() for _ in range(2)] == [b"1\n", b"2\n"]

        reader.stdin.write(octets[-5:])
        reader.stdin.flush()

        assert reader.stdout.readline() == b"3\n"
        reader.stdin.close()


def test_names_standard_input_in_its_sentences(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Hello, world")))

    with pytest.raises(CaptureError, match=r"^Standard input is not a pcap or pcapng file"):
        open_capture("-")


def test_says_that_standard_input_is_closed(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)

    with pytest.raises(CaptureError, match=r"^Standard input is closed\.$"):
        open_capture("-")


@pytest.mark.parametrize("build", [pcap, pcapng])
def test_follows_a_file_that_grows_in_the_middle_of_a_frame(tmp_path, build):
    path = tmp_path / "growing.pcap"
    octets = build()
    path.write_bytes(octets[:-5])

    with open_capture(path, follow=True) as capture:
        frames = iter(capture)

        assert list(FRAMES[:2]) == list(islice(frames, 2))

        with path.open("ab") as growing:
            growing.write(octets[-5:])

        assert FRAMES[2] == next(frames)


def test_closing_ends_a_followed_capture_without_a_defect(tmp_path):
    path = tmp_path / "growing.pcap"
    path.write_bytes(pcap()[:-5])
    capture = open_capture(path, follow=True)
    threading.Timer(0.3, capture.close).start()

    assert list(FRAMES[:2]) == list(capture)
    assert capture.defects == []


def test_without_follow_the_end_of_a_file_is_the_end(tmp_path):
    path = tmp_path / "growing.pcap"
    path.write_bytes(pcap()[:-5])

    with open_capture(path) as capture:
        assert list(FRAMES[:2]) == list(capture)


def test_the_file_is_closed_when_it_is_no_capture(tmp_path, recwarn):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"Hello, world")

    with pytest.raises(CaptureError):
        open_capture(path)

    assert [str(warning.message) for warning in recwarn if warning.category is ResourceWarning] == []


def test_importing_the_reader_imports_nothing_that_is_slow():
    slow = {"scapy", "rich", "cryptography", "zstandard", "lz4", "gzip", "zlib", "pyshark", "typer"}
    code = f"import sys, tlsinspect.capture.file; print(*sorted({slow} & set(sys.modules)))"

    # Without the site module, which itself may import compression.
    imported = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert imported.stdout == "\n"
