from __future__ import annotations

from tlsinspect.conversation import ACK, RST, SYN, Limits
from tlsinspect.flows import Flows
from tlsinspect.net.transport import Segment

PORT = (443).to_bytes(2, "big")
SECOND_NS = 1_000_000_000


def segment(number: int, *, flags: int = SYN, seq: int = 1000) -> Segment:
    """A segment of the client of a connection of its own."""
    source, port = divmod(number, 60_000)
    key = bytes((10, 0, 0, source)) + bytes((10, 9, 9, 9)) + (port + 1024).to_bytes(2, "big") + PORT
    return Segment(key, seq, 0, flags, 64, b"", 0)


def test_gives_up_the_oldest_of_too_many() -> None:
    flows = Flows(limits=Limits(most_flows=2))
    for number in range(3):
        flows.feed(segment(number), number + 1, SECOND_NS)

    assert [conversation.number for conversation in flows.expire(SECOND_NS)] == [0]
    assert list(flows.under_way) == [1, 2]


def test_counts_the_age_of_a_connection_that_is_over_from_its_end() -> None:
    flows = Flows(limits=Limits(most_flows=2))
    for number in range(2):
        flows.feed(segment(number), number + 1, SECOND_NS)
    flows.feed(segment(0, flags=RST | ACK, seq=1001), 3, SECOND_NS)
    over = [conversation.number for conversation in flows.expire(3 * SECOND_NS)]
    flows.feed(segment(2), 4, 3 * SECOND_NS)

    assert over == [0]
    assert [conversation.number for conversation in flows.expire(3 * SECOND_NS)] == [1]


def test_forgets_what_stood_in_line_for_connections_that_began_anew() -> None:
    flows = Flows(limits=Limits(most_flows=10))
    for number in range(2_000):
        flows.feed(segment(0, seq=number), number + 1, SECOND_NS)

    assert len(flows._order) < 200
