"""Captures taken apart into TCP segments and put together again, otherwise cut: for the properties of the core."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tlsinspect import fields
from tlsinspect.capture.file import open_capture
from tlsinspect.inspector import inspect
from tlsinspect.model.frame import Frame
from tlsinspect.model.handshake import Handshake
from tlsinspect.net.packet import PacketDecoder, Segment
from tlsinspect.tls.keylog import Secrets

FIN, SYN, RST = 1, 2, 4
RAW_IP = 101  # LINKTYPE_RAW
PLACES = ("tcp.",)  # fields of how it was carried, not of what was said


class Timed(NamedTuple):
    """A segment and when it was captured."""

    segment: Segment
    time_ns: int


def segments_of(path: Path) -> list[Timed]:
    """The TCP segments of a capture, in order."""
    decoder = PacketDecoder()
    with open_capture(path) as capture:
        found = [(decoder.decode(frame), frame.time_ns) for frame in capture]
    return [Timed(segment, time_ns) for segment, time_ns in found if isinstance(segment, Segment)]


def frames_of(segments: Iterable[Timed]) -> list[Frame]:
    """Frames that carry the segments, one each, without a link header (RFC 791, RFC 8200, RFC 9293)."""
    return [frame_of(number, timed) for number, timed in enumerate(segments, 1)]


def frame_of(number: int, timed: Timed) -> Frame:
    segment = timed.segment
    addresses, ports = segment.key[:-4], segment.key[-4:]
    tcp = ports + struct.pack(">IIBBHHH", segment.seq % 2**32, segment.ack, 0x50, segment.flags, 1024, 0, 0)
    length = len(tcp) + segment.payload_octets
    if len(addresses) == 8:
        header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, segment.ttl, 6, 0) + addresses
    else:
        header = struct.pack(">IHBB", 0x60000000, length, 6, segment.ttl) + addresses
    data = header + tcp + segment.payload
    return Frame(number, timed.time_ns, RAW_IP, data, len(header) + length)


def split(timed: Timed, at: int) -> list[Timed]:
    """A segment in two, where it has so many octets; a FIN stays with the last octets."""
    segment = timed.segment
    if segment.flags & (SYN | RST) or not 0 < at < len(segment.payload) == segment.payload_octets:
        return [timed]
    first = segment._replace(payload=segment.payload[:at], payload_octets=at, flags=segment.flags & ~FIN)
    rest = segment._replace(
        seq=(segment.seq + at) % 2**32, payload=segment.payload[at:], payload_octets=segment.payload_octets - at
    )
    return [Timed(first, timed.time_ns), Timed(rest, timed.time_ns)]


def inspected(frames: Iterable[Frame], secrets: Secrets | None = None) -> list[Handshake]:
    """The handshakes in the order of their streams."""
    return sorted(inspect(frames, secrets=secrets), key=lambda handshake: (handshake.stream, handshake.part))


def values_of(handshake: Handshake) -> dict[str, object]:
    """Every field of the catalogue that tells what was said."""
    return {field.path: field.read(handshake) for field in fields.FIELDS if not field.path.startswith(PLACES)}


def said(handshakes: Sequence[Handshake]) -> list[tuple[int, int, dict[str, object]]]:
    """What was said in each handshake."""
    return [(handshake.stream, handshake.part, values_of(handshake)) for handshake in handshakes]
