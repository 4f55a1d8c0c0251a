"""Frames of a TCP connection around given octets, written octet by octet."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from tlsinspect.model.frame import Frame, Side

RAW_IP = 101  # LINKTYPE_RAW
FIN, SYN, RST, ACK = 1, 2, 4, 16
START_NS = 1_700_000_000_000_000_000
STEP_NS = 1_000_000
ADDRESSES = {Side.CLIENT: (b"\x0a\x00\x00\x01", 40312), Side.SERVER: (b"\x0a\x00\x00\x02", 443)}
SEGMENT = 1460


@dataclass
class Wire:
    """A connection under way: what was sent so far, as frames."""

    frames: list[Frame] = field(default_factory=list)
    next_seq: dict[Side, int] = field(default_factory=lambda: {Side.CLIENT: 1000, Side.SERVER: 90_000})

    def segment(self, side: Side, octets: bytes = b"", flags: int = ACK) -> None:
        """Sends one segment."""
        (source, port), (destination, other) = ADDRESSES[side], ADDRESSES[side.other]
        seq, acknowledged = self.next_seq[side], self.next_seq[side.other]
        header = struct.pack(">HHIIBBHHH", port, other, seq, acknowledged, 5 << 4, flags, 65535, 0, 0)
        size = 20 + len(header) + len(octets)
        packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, 6, 0, source, destination) + header + octets
        number = len(self.frames) + 1
        self.frames.append(Frame(number, START_NS + number * STEP_NS, RAW_IP, packet, len(packet)))
        self.next_seq[side] = (seq + len(octets) + bool(flags & (SYN | FIN))) % (1 << 32)


def frames_of(
    flights: Iterable[tuple[Side, bytes]], *, segment_octets: int = SEGMENT, closed_by: Side | None = None
) -> list[Frame]:
    """The frames of a whole connection, from the SYN on; closed with a FIN of both sides when one is said to close."""
    wire = Wire()
    wire.segment(Side.CLIENT, flags=SYN)
    wire.segment(Side.SERVER, flags=SYN | ACK)
    wire.segment(Side.CLIENT)
    for side, octets in flights:
        for at in range(0, len(octets), segment_octets):
            wire.segment(side, octets[at : at + segment_octets])
    if closed_by is not None:
        wire.segment(closed_by, flags=FIN | ACK)
        wire.segment(closed_by.other, flags=FIN | ACK)
        wire.segment(closed_by)
    return wire.frames
