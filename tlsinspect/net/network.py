"""IP headers: IPv4, IPv6 and the headers that may stand between them and the transport."""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct

from tlsinspect.net.layer import Fragment, Inner, Layer, Network, uint32

ipv4_header = Struct(">BxHHHBBxx8s").unpack_from
ipv6_header = Struct(">BxxxHBB32s").unpack_from
fragment_header = Struct(">BxHI").unpack_from


def ipv4(data: bytes, at: int, end: int) -> Inner | None:
    """RFC 791 section 3.1.  A total length of 0 is what segmentation offload leaves: to the end of the frame."""
    version, total, identification, offset, ttl, protocol, addresses = ipv4_header(data, at)
    octets = (version & 0x0F) * 4
    if version >> 4 != 4 or octets < 20 or len(data) < at + octets:
        return None
    if total:
        if total < octets:
            return None
        end = at + total
    fragment = None
    if offset & 0x3FFF:
        fragment = Fragment((identification, protocol), (offset & 0x1FFF) * 8, bool(offset & 0x2000))
    return Inner(("ip", protocol), at + octets, end, Network(addresses, ttl), fragment)


def ipv6(data: bytes, at: int, end: int) -> Inner | None:
    """RFC 8200 section 3.  A payload length of 0 is a jumbogram or segmentation offload: to the end of the frame."""
    version, length, next_header, hop_limit, addresses = ipv6_header(data, at)
    if version >> 4 != 6:
        return None
    return Inner(("ip", next_header), at + 40, at + 40 + length if length else end, Network(addresses, hop_limit))


def extension_header(data: bytes, at: int, end: int) -> Inner:
    """Hop-by-hop, routing and destination options: RFC 8200 section 4.  Mobility: RFC 6275 section 6.1."""
    return Inner(("ip", data[at]), at + (data[at + 1] + 1) * 8, end)


def fragment_extension(data: bytes, at: int, end: int) -> Inner:
    """RFC 8200 section 4.5.  A whole datagram with this header is legal (RFC 6946)."""
    next_header, offset, identification = fragment_header(data, at)
    fragment = Fragment((identification, -1), offset & 0xFFF8, bool(offset & 1)) if offset & 0xFFF9 else None
    return Inner(("ip", next_header), at + 8, end, None, fragment)


def authentication_header(data: bytes, at: int, end: int) -> Inner:
    """RFC 4302 section 2: it hides nothing of what follows."""
    uint32(data, at + 8)
    return Inner(("ip", data[at]), at + (data[at + 1] + 2) * 4, end)


ICMP_ERRORS = frozenset((3, 4, 5, 11, 12))  # RFC 792: they quote the datagram that they are about
ICMPV6_ERRORS = frozenset((1, 2, 3, 4))  # RFC 4443 section 2.1


def icmp_error(data: bytes, at: int, end: int) -> Inner | None:
    """The datagram that an error quotes.  RFC 792."""
    return Inner(("ethertype", 0x0800), at + 8, end) if data[at] in ICMP_ERRORS else None


def icmpv6_error(data: bytes, at: int, end: int) -> Inner | None:
    """The datagram that an error quotes.  RFC 4443 section 3."""
    return Inner(("ethertype", 0x86DD), at + 8, end) if data[at] in ICMPV6_ERRORS else None


LAYERS: Mapping[tuple[str, int], Layer] = {
    ("ethertype", 0x0800): ipv4,
    ("ethertype", 0x86DD): ipv6,
    ("ppp", 0x0021): ipv4,  # RFC 1332 section 2
    ("ppp", 0x0057): ipv6,  # RFC 5072 section 2
    ("ip", 0): extension_header,
    ("ip", 1): icmp_error,
    ("ip", 4): ipv4,  # RFC 2003
    ("ip", 41): ipv6,  # RFC 4213 section 3
    ("ip", 43): extension_header,
    ("ip", 44): fragment_extension,
    ("ip", 51): authentication_header,
    ("ip", 58): icmpv6_error,
    ("ip", 60): extension_header,
    ("ip", 135): extension_header,
}
