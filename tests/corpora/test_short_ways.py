"""What nearly every packet and hello takes are short ways; the general ways must come to the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tlsinspect.capture.file import open_capture
from tlsinspect.flows import Flows
from tlsinspect.inspector import inspect
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.handshake import Handshake
from tlsinspect.net.packet import PacketDecoder
from tlsinspect.tls import messages

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "captures", ROOT / ".." / "shared" / "corpora")
LARGEST = 400_000  # octets; the few larger captures hold nothing that the others do not
CAPTURES = sorted(
    path
    for folder in FOLDERS
    for path in folder.rglob("*.pcap*")
    if path.suffix in (".pcap", ".pcapng") and path.stat().st_size <= LARGEST
)


def handshakes_of(path: Path) -> list[Handshake] | None:
    try:
        with open_capture(path) as capture:
            return list(inspect(capture, plain=True))
    except CaptureError:
        return None


@pytest.fixture(scope="module")
def by_short_ways() -> Mapping[Path, list[Handshake] | None]:
    return {path: handshakes_of(path) for path in CAPTURES}


def differing(by_short_ways: Mapping[Path, list[Handshake] | None]) -> list[str]:
    return [path.name for path, handshakes in by_short_ways.items() if handshakes_of(path) != handshakes]


def test_frames_give_the_same_by_the_table_of_layers(
    monkeypatch: pytest.MonkeyPatch, by_short_ways: Mapping[Path, list[Handshake] | None]
) -> None:
    monkeypatch.setattr(PacketDecoder, "decode", PacketDecoder._innermost)

    assert differing(by_short_ways) == []


def test_segments_in_order_give_the_same_by_reassembly(
    monkeypatch: pytest.MonkeyPatch, by_short_ways: Mapping[Path, list[Handshake] | None]
) -> None:
    monkeypatch.setattr(Flows, "feed", Flows._feed)

    assert differing(by_short_ways) == []


def test_sound_hellos_give_the_same_by_the_decoders_for_all(
    monkeypatch: pytest.MonkeyPatch, by_short_ways: Mapping[Path, list[Handshake] | None]
) -> None:
    monkeypatch.setattr(messages, "SOUND", {})

    assert differing(by_short_ways) == []
