"""What nearly every packet and hello takes are short ways; the general ways must come to the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tlsinspect import conclusion, flows
from tlsinspect.capture.file import Capture, open_capture
from tlsinspect.flows import Flows
from tlsinspect.gathering import Gathered
from tlsinspect.inspector import Inspector, follow
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame
from tlsinspect.model.handshake import Handshake
from tlsinspect.net.packet import PacketDecoder
from tlsinspect.tls import assembly, messages
from tlsinspect.tls.keylog import Secrets

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "captures", ROOT / ".." / "shared" / "corpora")
LARGEST = 400_000  # octets; the few larger captures hold nothing that the others do not
CAPTURES = sorted(
    path
    for folder in FOLDERS
    for path in folder.rglob("*.pcap*")
    if path.suffix in (".pcap", ".pcapng") and path.stat().st_size <= LARGEST
)


class GoesOn:
    """The frames of a capture, and one a minute later, so that what was closed is over before the capture ends."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self.key_logs = capture.key_logs

    def __iter__(self) -> Iterator[Frame]:
        frame = None
        for frame in self._capture:
            yield frame
        if frame is not None:
            yield frame._replace(number=frame.number + 1, time_ns=frame.time_ns + 60_000_000_000, data=b"")


def handshakes_of(path: Path) -> list[Handshake] | None:
    secrets = Secrets()
    inspector = Inspector(str(path), secrets=secrets, plain=True, gather=True)
    try:
        with open_capture(path) as capture:
            return [each for found in follow(GoesOn(capture), inspector, secrets) for each in found]
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
    monkeypatch.setattr(flows, "can_gather", lambda limits: False)
    monkeypatch.setattr(Flows, "feed", Flows._feed)

    assert differing(by_short_ways) == []


def test_connections_read_at_once_give_the_same_segment_by_segment(
    monkeypatch: pytest.MonkeyPatch, by_short_ways: Mapping[Path, list[Handshake] | None]
) -> None:
    monkeypatch.setattr(flows, "can_gather", lambda limits: False)

    assert differing(by_short_ways) == []


def test_connections_that_wait_are_read_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {True: 0, False: 0}
    conclude_sound = conclusion.conclude_sound

    def counted(gathered: Gathered, *, name: str) -> Handshake | None:
        handshake = conclude_sound(gathered, name=name)
        counts[handshake is not None] += 1
        return handshake

    monkeypatch.setattr("tlsinspect.inspector.conclude_sound", counted)
    for path in CAPTURES:
        handshakes_of(path)

    assert min(counts.values()) > 100


def test_outlines_that_occurred_give_the_same_by_folding_events(
    monkeypatch: pytest.MonkeyPatch, by_short_ways: Mapping[Path, list[Handshake] | None]
) -> None:
    monkeypatch.setattr(assembly, "outline_of", lambda survey: None)

    assert differing(by_short_ways) == []


def test_sound_hellos_give_the_same_by_the_decoders_for_all(
    monkeypatch: pytest.MonkeyPatch, by_short_ways: Mapping[Path, list[Handshake] | None]
) -> None:
    monkeypatch.setattr(messages, "SOUND", {})

    assert differing(by_short_ways) == []
