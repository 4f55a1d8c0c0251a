"""What fuzzing found, each input a test; and a few sound inputs, so that every target is known to work."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import pytest

from fuzzing.pieces import Piece, decode_pieces, encode_pieces, split_key_log, with_key_log
from fuzzing.seeds import HTTP, ROOT, Seed, seeds_of
from fuzzing.targets import TARGETS
from tlsinspect.model.frame import Side

FOUND = Path(__file__).parent / "found"
INPUTS = sorted(path for path in FOUND.glob("*/*") if path.is_file())
SOUND = ROOT / "captures" / "causes" / "client-cert-missing"
MOST_SECONDS = 2.0  # processor time, on a slow machine; the slowest takes a tenth of it


@pytest.mark.parametrize("path", INPUTS, ids=[f"{path.parent.name}/{path.name}" for path in INPUTS])
def test_what_was_found_raises_nothing_any_more(path: Path) -> None:
    octets, started = path.read_bytes(), time.process_time()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TARGETS[path.parent.name].run(octets)

    assert time.process_time() - started < MOST_SECONDS


def test_every_folder_of_found_inputs_is_that_of_a_target() -> None:
    assert {path.parent.name for path in INPUTS} <= set(TARGETS)


def sound_seeds() -> list[Seed]:
    """Of every target but those whose seeds are written by hand, from a few captures."""
    folders = sorted(SOUND.iterdir()) if SOUND.is_dir() else []
    found = [seed for folder in folders for path in folder.glob("*.pcap") for seed in seeds_of(path)]
    found += [("http", encode_pieces((Piece(Side.CLIENT, one), Piece(Side.SERVER, other)))) for one, other in HTTP]
    found.append(("reassembly", bytes(4) + bytes(range(1, 81))))
    return found


def test_sound_inputs_raise_nothing() -> None:
    seeds = sound_seeds()

    for target, octets in seeds:
        TARGETS[target].run(octets)
    assert {target for target, _ in seeds} >= {"capture", "packet", "tls", "message", "certificate", "end-to-end"}


@pytest.mark.parametrize("target", TARGETS)
def test_any_octets_raise_nothing(target: str) -> None:
    for octets in (b"", b"\0", b"\xff" * 64, bytes(range(256)), b"\0" * 300):
        TARGETS[target].run(octets)


def test_pieces_come_out_as_they_went_in() -> None:
    pieces = [Piece(Side.CLIENT, b"abc"), Piece(Side.SERVER, b"", 7, 3), Piece(Side.SERVER, b"x" * 300, 0, 1)]

    assert pieces[1:] == list(decode_pieces(encode_pieces(pieces)))[1:]
    assert split_key_log(with_key_log(b"key log", b"pieces")) == (b"key log", b"pieces")
