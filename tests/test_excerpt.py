"""Recordings of handshakes only, made from whole captures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlsinspect.capture.file import open_capture
from tlsinspect.diagnosis.rule import Case
from tlsinspect.excerpt import Excerpt
from tlsinspect.inspector import Inspector, inspect
from tlsinspect.model.frame import Frame
from tlsinspect.model.handshake import Handshake
from tlsinspect.net.packet import PacketDecoder, Segment
from tlsinspect.report.objects import handshake_object

CAPTURES = sorted((Path(__file__).resolve().parents[1] / "captures").glob("story/*/*.pcap*"))
# Places in the capture, what is said under protection, and when the last of it was.
OF_WHAT_IS_LEFT_OUT = ("frames", "http", "duration")


def excerpt(path: Path) -> tuple[list[Handshake], list[Frame], list[Frame]]:
    """The handshakes of a capture, its frames, and those that are kept."""
    inspector, choice, handshakes, kept = Inspector("x"), Excerpt(), [], []
    with open_capture(path) as capture:
        frames = list(capture)
    for frame in frames:
        frame = frame._replace(number=len(kept) + 1)
        handshakes += inspector.feed(frame)
        found = choice.of(frame, inspector.packet, inspector.conversation)
        if found is not None:
            kept.append(found)
    return [*handshakes, *inspector.finish()], frames, kept


def facts(handshakes: list[Handshake]) -> list[dict[str, object]]:
    objects = [handshake_object(Case(handshake=each)) for each in handshakes]
    for found in objects:
        missing = found["missing"]
        assert isinstance(missing, dict)
        found["missing"] = {path: why for path, why in missing.items() if not path.startswith("http")}
    wanted = [{key: each[key] for key in each if key not in OF_WHAT_IS_LEFT_OUT} for each in objects]
    return sorted(wanted, key=lambda each: (str(each["started"]), str(each["client"])))


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.parent.name)
def test_handshakes_are_the_same_without_what_was_said_under_them(path: Path) -> None:
    handshakes, _, kept = excerpt(path)

    assert facts(list(inspect(kept, name="x"))) == facts(handshakes)


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.parent.name)
def test_application_data_is_left_out_but_for_the_first_answer(path: Path) -> None:
    """That answer tells a TLS 1.3 server that took the handshake from one that refused the client's certificate."""
    _, frames, kept = excerpt(path)
    data = [segment for segment in map(PacketDecoder().decode, frames) if is_data(segment)]
    left = [segment for segment in map(PacketDecoder().decode, kept) if is_data(segment)]
    streams = {segment.key for segment in data}

    assert len(left) <= 2 * len(streams)
    assert len(left) < len(data) or not data


def is_data(segment: object) -> bool:
    """Whether a segment carries records of application data, longer than an alert, and nothing else before them."""
    return isinstance(segment, Segment) and segment.payload[:2] == b"\x17\x03" and len(segment.payload) > 24
