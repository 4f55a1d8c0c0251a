"""TCP and UDP headers, and the keys of their conversations."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address
from struct import Struct
from typing import NamedTuple

from tlsinspect.model.frame import Endpoint
from tlsinspect.net.layer import Network, uint16

tcp_header = Struct(">4sIIBB").unpack_from
udp_header = Struct(">4sHxx").unpack_from


class Segment(NamedTuple):
    """One TCP segment."""

    key: bytes  # source address, destination address, source port, destination port; 12 octets for IPv4, 36 for IPv6
    seq: int
    ack: int
    flags: int  # the low 8 bits: FIN 1, SYN 2, RST 4, PSH 8, ACK 16
    ttl: int  # IPv4 TTL or IPv6 hop limit of the innermost IP header
    payload: bytes  # captured octets
    payload_octets: int  # on the wire by the IP header; larger than len(payload) when the snap length cut it


class Datagram(NamedTuple):
    """One UDP datagram."""

    key: bytes  # as in Segment
    ttl: int  # as in Segment
    payload: bytes  # captured octets
    payload_octets: int  # on the wire by the UDP header; larger than len(payload) when the snap length cut it


class Quoted(NamedTuple):
    """The header of a segment or datagram in an ICMP error.  It carries nothing, but Wireshark counts its stream."""

    protocol: int  # 6 for TCP, 17 for UDP
    key: bytes  # as in Segment


def quoted(data: bytes, at: int, protocol: int, network: Network) -> Quoted | None:
    """The ports of a quoted header, of which ICMP guarantees eight octets (RFC 792); None when they are cut."""
    ports = data[at : at + 4]
    return Quoted(protocol, network.addresses + ports) if len(ports) == 4 else None


def segment(data: bytes, at: int, end: int, network: Network) -> Segment | None:
    """The TCP segment from *at* to *end*, None when its header is cut or contradicts itself.

    RFC 9293 section 3.1.
    """
    ports, seq, ack, offset, flags = tcp_header(data, at)
    octets = (offset >> 4) * 4
    start = at + octets
    if octets < 20 or start > len(data) or start > end:
        return None
    return Segment(network.addresses + ports, seq, ack, flags, network.ttl, data[start:end], end - start)


def datagram(data: bytes, at: int, end: int, network: Network) -> Datagram | None:
    """The UDP datagram from *at* to *end*, None when its header contradicts itself.

    RFC 768. A length of 0 is a jumbogram (RFC 2675 section 4) or segmentation offload: to the end.
    """
    ports, length = udp_header(data, at)
    if length:
        if length < 8:
            return None
        end = min(end, at + length)
    if end < at + 8:
        return None
    return Datagram(network.addresses + ports, network.ttl, data[at + 8 : end], end - at - 8)


def reverse(key: bytes) -> bytes:
    """The key of the other direction."""
    if len(key) == 12:
        return key[4:8] + key[:4] + key[10:] + key[8:10]
    return key[16:32] + key[:16] + key[34:] + key[32:34]


def endpoints(key: bytes) -> tuple[Endpoint, Endpoint]:
    """The source and the destination of *key*."""
    source_port, destination_port = uint16(key, len(key) - 4)[0], uint16(key, len(key) - 2)[0]
    if len(key) == 12:
        source, destination = f"{key[0]}.{key[1]}.{key[2]}.{key[3]}", f"{key[4]}.{key[5]}.{key[6]}.{key[7]}"
    else:
        source, destination = _ipv6_text(key[:16]), _ipv6_text(key[16:32])
    return Endpoint(source, source_port), Endpoint(destination, destination_port)


@lru_cache(maxsize=1024)  # servers stay the same, and so do many clients
def _ipv6_text(octets: bytes) -> str:
    """RFC 5952; section 5 recommends the mixed form for IPv4-mapped addresses, which the library writes in hex."""
    address = IPv6Address(octets)
    return f"::ffff:{address.ipv4_mapped}" if address.ipv4_mapped else str(address)
