"""Key logs inside a pcapng file, wherever they stand."""

import gzip
import random
from pathlib import Path

import pytest

from tests.support.captures import FRAMES, enhanced_packet, interface, secrets, section
from tests.support.real import conversation
from tests.support.tcp import frames_of
from tlsinspect.capture import embedded
from tlsinspect.capture.file import open_capture
from tlsinspect.inspector import inspect
from tlsinspect.model.handshake import Visibility

KEY_LOG = b"CLIENT_RANDOM " + b"00" * 32 + b" " + b"11" * 48 + b"\n"
PACKETS = b"".join(enhanced_packet(FRAMES[0]) for _ in range(400))


def key_logs(path: Path) -> list[bytes]:
    with open_capture(path) as capture:
        before = list(capture.key_logs)
        assert len(list(capture)) >= 400
        assert capture.defects == []
    assert capture.key_logs[: len(before)] == before
    return before


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_finds_a_key_log_behind_the_packets_before_they_are_read(tmp_path: Path, byte_order: str) -> None:
    path = tmp_path / "late.pcapng"
    packets = b"".join(enhanced_packet(FRAMES[0], byte_order) for _ in range(400))
    path.write_bytes(section(byte_order) + interface(byte_order) + packets + secrets(KEY_LOG, byte_order=byte_order))

    assert key_logs(path) == [KEY_LOG]


def test_takes_each_key_log_once(tmp_path: Path) -> None:
    path = tmp_path / "several.pcapng"
    texts = [b"# one\n", b"# two, of an odd length\n", KEY_LOG]
    path.write_bytes(section() + interface() + b"".join(secrets(text) + PACKETS for text in texts))
    with open_capture(path) as capture:
        frames = list(capture)

    assert len(frames) == 1200
    assert capture.key_logs == texts


@pytest.mark.parametrize("chunk", [20, 21, 64, 1000])
def test_finds_a_key_log_across_the_pieces_that_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(embedded, "CHUNK_OCTETS", chunk)
    path = tmp_path / "late.pcapng"
    path.write_bytes(section() + interface() + PACKETS + secrets(KEY_LOG) + PACKETS + secrets(b"# more\n"))

    assert key_logs(path) == [KEY_LOG, b"# more\n"]


def test_looks_at_the_end_of_a_large_file_and_meets_the_rest_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "MOST_SEARCHED", 1000)
    path = tmp_path / "large.pcapng"
    path.write_bytes(section() + secrets(b"# first\n") + interface() + PACKETS + secrets(KEY_LOG))
    with open_capture(path) as capture:
        before = list(capture.key_logs)
        list(capture)

    assert before == [KEY_LOG]
    assert capture.key_logs == [KEY_LOG, b"# first\n"]


@pytest.mark.parametrize(
    "octets",
    [
        b"KSLT",
        b"TLSK" * 9,
        secrets(KEY_LOG)[:-4] + b"\0\0\0\0",
        b"\n\0\0\0\xff\xff\xff\xffKSLT\0\0\0\0",
    ],
    ids=["mark", "marks", "lengths differ", "too long"],
)
def test_passes_over_what_only_looks_like_a_key_log(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "no.pcapng"
    frame = FRAMES[0]._replace(data=octets, wire_length=len(octets))
    path.write_bytes(section() + interface() + PACKETS + enhanced_packet(frame))

    assert key_logs(path) == []


def test_random_octets_raise_nothing(tmp_path: Path) -> None:
    path = tmp_path / "random"
    octets = random.Random(4).randbytes(5000)
    for _ in range(50):
        at = random.Random(_).randrange(5000)
        octets = octets[:at] + b"\n\0\0\0" + octets[at : at + 4] + b"KSLT" + octets[at:]
    path.write_bytes(octets)
    with path.open("rb") as file:
        assert embedded.key_logs_in(file)[1] == 0
        assert file.tell() == 0


@pytest.mark.parametrize("kind", ["TLS 1.3, client certificate", "TLS 1.2 GCM"])
def test_opens_a_connection_whose_secrets_stand_behind_it(tmp_path: Path, kind: str) -> None:
    found = conversation(kind)
    frames = frames_of(found.flights)
    packets = b"".join(enhanced_packet(frame) for frame in frames)
    path = tmp_path / "late.pcapng"
    path.write_bytes(section() + interface(link_type=frames[0].link_type) + packets + secrets(found.keylog))
    with open_capture(path) as capture:
        (handshake,) = inspect(capture)

    assert handshake.visibility is Visibility.DECRYPTED


def test_meets_the_key_logs_of_a_compressed_file_in_their_place(tmp_path: Path) -> None:
    found = conversation("TLS 1.3")
    frames = frames_of(found.flights)
    packets = b"".join(enhanced_packet(frame) for frame in frames)
    path = tmp_path / "early.pcapng.gz"
    path.write_bytes(
        gzip.compress(
            section() + interface(link_type=frames[0].link_type) + secrets(found.keylog) + packets + secrets(b"# end\n")
        )
    )
    with open_capture(path) as capture:
        assert capture.key_logs == []
        (handshake,) = inspect(capture)

    assert handshake.visibility is Visibility.DECRYPTED
    assert capture.key_logs == [found.keylog, b"# end\n"]
