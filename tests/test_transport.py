"""What is told of TCP below a handshake."""

from __future__ import annotations

from tests.support.tcp import ACK, SYN, Wire
from tlsinspect.inspector import inspect
from tlsinspect.model.frame import Side


def test_segments_that_are_sent_again_are_counted_once() -> None:
    hello = bytes.fromhex("16030107d0010007cc0303") + bytes(1994)
    wire = Wire()
    wire.segment(Side.CLIENT, flags=SYN)
    wire.segment(Side.SERVER, flags=SYN | ACK)
    for octets in (hello[:1460], hello[1460:]):
        start = wire.next_seq[Side.CLIENT]
        wire.segment(Side.CLIENT, octets)
    for _ in range(2):
        wire.next_seq[Side.CLIENT] = start
        wire.segment(Side.CLIENT, hello[1460:])

    (found,) = inspect(wire.frames)

    assert found.tcp.client_segments == (1460, len(hello) - 1460)
    assert found.tcp.client_retransmissions == 2
