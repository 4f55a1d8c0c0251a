"""What is read when a connection is over comes to the same as what is read as it goes on, whatever the capture."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.damage import DAMAGES, SECOND_NS
from tests.support.segments import frames_of, segments_of
from tlsinspect.conversation import Limits
from tlsinspect.inspector import Inspector, follow
from tlsinspect.model.frame import Frame
from tlsinspect.model.handshake import Handshake
from tlsinspect.tls.keylog import Secrets

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
STORY = sorted(path for path in CAPTURES.glob("story/*/*.pcap"))
EFFORT = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@EFFORT
@given(seed=st.integers(0, 2**32))
def test_whatever_happened_to_the_capture(seed: int) -> None:
    chance = random.Random(seed)
    segments = [each for _ in range(chance.randrange(1, 4)) for each in segments_of(chance.choice(STORY))]
    for _ in range(chance.randrange(6)):
        chance.choice(DAMAGES)(segments, chance)
    frames = frames_of(segments)
    last = frames[-1]
    frames += [Frame(last.number + n, last.time_ns + n * SECOND_NS, 1, b"", 0) for n in range(1, chance.choice((1, 4)))]
    limits = Limits(most_flows=chance.choice((2, 40_000)), settle_ns=chance.choice((SECOND_NS // 4, 2 * SECOND_NS)))

    assert handshakes_of(frames, limits, gather=True) == handshakes_of(frames, limits, gather=False)


def handshakes_of(frames: list[Frame], limits: Limits, *, gather: bool) -> list[Handshake]:
    secrets = Secrets()
    inspector = Inspector("capture", limits=limits, secrets=secrets, plain=True, gather=gather)
    return [each for found in follow(frames, inspector, secrets) for each in found]
