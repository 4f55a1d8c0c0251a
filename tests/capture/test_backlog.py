from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.captures import FRAMES
from tlsinspect.capture import backlog
from tlsinspect.capture.backlog import BATCH, Backlog
from tlsinspect.capture.live import Captured

MANY = [Captured(FRAMES[0]._replace(number=number, time_ns=number), f"eth{number % 2}") for number in range(5 * BATCH)]
SOME = 100 * (len(FRAMES[0].data) + backlog.FRAME_OCTETS)  # octets


def drained(frames: Backlog) -> list[Captured]:
    return [frames.pop() for _ in range(len(frames))]


@pytest.mark.parametrize("octets", [0, SOME, 1 << 30])
def test_gives_frames_back_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, octets: int) -> None:
    monkeypatch.setattr(backlog, "MOST_IN_MEMORY", octets)
    frames, found = Backlog(tmp_path), []
    for number, each in enumerate(MANY):
        frames.append(each)
        if number % 3 == 0:
            assert frames.oldest_ns == len(found)
            found.append(frames.pop())
    found += drained(frames)

    assert found == MANY
    assert (len(frames), frames.dropped, frames.oldest_ns) == (0, 0, None)


def test_what_memory_does_not_hold_is_in_a_file_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MOST_IN_MEMORY", SOME)
    frames = Backlog(tmp_path)
    for each in MANY:
        frames.append(each)

    assert len(frames._first) == 101
    assert list(tmp_path.iterdir()) == []
    assert drained(frames) == MANY
    assert frames._file is None


def test_counts_what_finds_no_room_without_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MOST_IN_MEMORY", SOME)
    frames = Backlog(None)
    for each in MANY:
        frames.append(each)

    assert len(frames) == 101
    assert frames.dropped == len(MANY) - 101
    assert drained(frames) == MANY[:101]


def test_counts_what_a_folder_that_cannot_be_written_loses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MOST_IN_MEMORY", 0)
    frames = Backlog(tmp_path / "none")
    for each in MANY:
        frames.append(each)

    assert len(frames) + frames.dropped == len(MANY)
    assert frames.dropped >= 4 * BATCH
