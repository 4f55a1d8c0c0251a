"""Packets from the payload of one datagram: their headers, as far as they are not protected.  RFC 9000 section 17."""

from __future__ import annotations

from typing import NamedTuple

from tlsinspect.quic.versions import Kind, Version, version_of
from tlsinspect.wire import Cursor, Malformed

LONG_HEADER = 0x80  # the bit after it is no help: some clear it (RFC 9287)
LONGEST_CONNECTION_ID = 20  # octets, RFC 9000 section 17.2
LEAST_LONG_HEADER = 7
RETRY_INTEGRITY_TAG = 16  # octets


class Packet(NamedTuple):
    """One packet, or as much of it as was captured."""

    kind: Kind
    version: int  # 0 for Version Negotiation and 1-RTT
    destination: bytes  # connection ID; of a 1-RTT packet as long as the sender's others
    source: bytes  # connection ID
    token: bytes  # of Initial and Retry
    octets: bytes  # the whole packet from its first octet, protected
    number_at: int  # where the packet number begins, protected; octets from the start of the packet
    length: int  # of the packet on the wire
    versions: tuple[int, ...] = ()  # those that a Version Negotiation packet offers

    @property
    def cut(self) -> bool:
        """Whether part of it is not in the capture."""
        return len(self.octets) < self.length


def decode_packets(payload: bytes, *, octets: int, destination_octets: int) -> list[Packet]:
    """The packets of one datagram, in order, up to the first octets that are none.

    *octets* is the length of the datagram on the wire; *destination_octets* that of the connection ID in the short
    headers of its sender.
    """
    packets: list[Packet] = []
    at = 0
    while at < len(payload):
        packet = decode_packet(payload[at:], octets=octets - at, destination_octets=destination_octets)
        if packet is None:
            break
        if packets and packet.kind is Kind.ONE_RTT and not packet.octets.strip(b"\0"):
            break  # padding behind the last packet
        packets.append(packet)
        at += packet.length
    return packets


def decode_packet(payload: bytes, *, octets: int, destination_octets: int) -> Packet | None:
    """The packet that begins here; None when it is none of a version that can be read."""
    if not payload[0] & LONG_HEADER:
        number_at = 1 + destination_octets
        return Packet(Kind.ONE_RTT, 0, payload[1:number_at], b"", b"", payload, number_at, octets)
    try:
        return _long(Cursor(payload), payload, octets)
    except Malformed:  # another protocol, padding, or the capture cut the header
        return None


def _long(cursor: Cursor, payload: bytes, octets: int) -> Packet | None:
    first = cursor.uint(1, "header")
    code = cursor.uint(4, "version")
    destination = cursor.vector(1, "destination connection ID").rest()
    source = cursor.vector(1, "source connection ID").rest()
    if code == 0:
        offered = cursor.uints(4, "supported version")
        return Packet(
            Kind.VERSION_NEGOTIATION, code, destination, source, b"", payload, len(payload), octets, tuple(offered)
        )
    version = version_of(code)
    if version is None or max(len(destination), len(source)) > LONGEST_CONNECTION_ID:
        return None
    kind = kind_of(first, version)
    if kind is Kind.RETRY:
        token = cursor.rest()[:-RETRY_INTEGRITY_TAG]
        return Packet(kind, code, destination, source, token, payload, len(payload), octets)
    token = cursor.take(varint(cursor, "token length"), "token") if kind is Kind.INITIAL else b""
    length = varint(cursor, "length")
    end = cursor.offset + length
    if end > octets:
        return None
    return Packet(kind, code, destination, source, token, payload[:end], cursor.offset, end)


def kind_of(first: int, version: Version) -> Kind:
    """What a packet with a long header is, by its first octet."""
    return version.kinds[first >> 4 & 3]


def varint(cursor: Cursor, name: str) -> int:
    """The next variable-length integer.  RFC 9000 section 16."""
    first = cursor.uint(1, name)
    more = (1 << (first >> 6)) - 1
    return (first & 0x3F) << 8 * more | cursor.uint(more, name)


def begins_connection(payload: bytes, octets: int) -> bool:
    """Whether a datagram, of *octets* on the wire, begins with an Initial packet of a version that can be read."""
    if len(payload) < LEAST_LONG_HEADER or payload[0] & LONG_HEADER == 0:
        return False
    version = version_of(int.from_bytes(payload[1:5], "big"))
    if version is None or kind_of(payload[0], version) is not Kind.INITIAL:
        return False
    return decode_packet(payload, octets=octets, destination_octets=0) is not None
