"""Reading octets as a capture file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tlsinspect.capture.file import Capture, open_capture
from tlsinspect.model.frame import Frame

Read = Callable[[bytes], tuple[list[Frame], Capture]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Octets of a capture -> its frames, and the capture that was read."""

    def frames_and_capture(octets: bytes) -> tuple[list[Frame], Capture]:
        path = tmp_path / "some.pcap"
        path.write_bytes(octets)
        with open_capture(path) as capture:
            return list(capture), capture

    return frames_and_capture
