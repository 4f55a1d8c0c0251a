"""Headers that carry one network over another.

Those over UDP are known by the port and by a header that makes sense; with any other header None comes back, and the
datagram is taken for itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from tlsinspect.net.layer import ETHERNET, IPV4, IPV6, PPP, Inner, Layer, ip, uint16, uint32
from tlsinspect.net.link import WLAN, WLAN_SWAPPED, mpls

ERSPAN_I_II, ERSPAN_III, WCCP, EOIP, PPP_IN_GRE = 0x88BE, 0x22EB, 0x883E, 0x6400, 0x880B
GTP_T_PDU = 255
IEEE_80211 = 1  # wireless binding identifier of CAPWAP
VXLAN_PROTOCOLS = {1: IPV4, 2: IPV6, 3: ETHERNET}


def gre(data: bytes, at: int, end: int) -> Inner | None:
    """RFC 2784 section 2 and RFC 2890 section 2; version 1: RFC 2637 section 4.1, and MikroTik's EoIP."""
    flags, protocol = uint16(data, at)[0], uint16(data, at + 2)[0]
    start = at + 4
    if flags & 0x0007 == 1:
        length = uint16(data, start)[0]
        if protocol == EOIP:
            return Inner(ETHERNET, start + 4, end)
        if protocol != PPP_IN_GRE or not flags & 0x1000:  # without a sequence number: an acknowledgement, no payload
            return None
        start += 12 if flags & 0x0080 else 8
        return Inner(PPP, start, min(end, start + length))
    if flags & 0x4007:  # source routing (RFC 1701, deprecated), or a version that does not exist
        return None
    start += 4 * ((flags >> 15 & 1) + (flags >> 13 & 1) + (flags >> 12 & 1))  # checksum, key, sequence number
    if protocol == ERSPAN_I_II:
        return Inner(ETHERNET, start + 8 if flags & 0x1000 else start, end)  # type I has no header and no number
    if protocol == ERSPAN_III:
        return Inner(ETHERNET, start + (20 if data[start + 11] & 1 else 12), end)  # O: a platform header follows
    if protocol == WCCP:  # version 2 has four octets of redirect header before the IP header
        return ip(data, start, end) or ip(data, start + 4, end)
    return Inner(("ethertype", protocol), start, end)


def etherip(data: bytes, at: int, end: int) -> Inner | None:
    """RFC 3378 section 3: version 3 and twelve bits of zero."""
    return Inner(ETHERNET, at + 2, end) if uint16(data, at)[0] == 0x3000 else None


def vxlan(data: bytes, at: int, end: int) -> Inner | None:
    """RFC 7348 section 5, with the bits of Group Based Policy; Generic Protocol Extension where its P bit is set."""
    if end - at < 8 or data[at] & 0x08 == 0 or data[at + 7]:  # I: the network identifier is valid
        return None
    kind = VXLAN_PROTOCOLS.get(data[at + 3]) if data[at] & 0x04 else ETHERNET
    return Inner(kind, at + 8, end) if kind else None


def geneve(data: bytes, at: int, end: int) -> Inner | None:
    """RFC 8926 section 3.4: version 0."""
    if end - at < 8 or data[at] & 0xC0 or data[at + 1] & 0x3F or data[at + 7]:
        return None
    return Inner(("ethertype", uint16(data, at + 2)[0]), at + 8 + (data[at] & 0x3F) * 4, end)


def gtp_u(data: bytes, at: int, end: int) -> Inner | None:
    """3GPP TS 29.281 section 5.1: version 1, message type T-PDU, with any extension headers."""
    if end - at < 8 or data[at] & 0xF0 != 0x30 or data[at + 1] != GTP_T_PDU:
        return None
    flags, length = data[at], uint16(data, at + 2)[0]
    start, end = at + 8, min(end, at + 8 + length)
    if flags & 0x07:
        extension = data[start + 3] if flags & 0x04 else 0
        start += 4
        while extension:
            octets = data[start] * 4
            if not octets:
                return None
            start += octets
            extension = data[start - 1]
    return ip(data, start, end) if start < end else None


def l2tp(data: bytes, at: int, end: int) -> Inner | None:
    """RFC 2661 section 3.1: version 2, a data message."""
    if end - at < 6:
        return None
    flags = uint16(data, at)[0]
    if flags & 0x800F != 0x0002:
        return None
    start = at + 6
    if flags & 0x4000:
        end = min(end, at + uint16(data, at + 2)[0])
        start += 2
    if flags & 0x0800:
        start += 4
    if flags & 0x0200:
        start += 2 + uint16(data, start)[0]
    return Inner(PPP, start, end) if start < end else None


def teredo(data: bytes, at: int, end: int) -> Inner | None:
    """RFC 4380 section 5.1.1: authentication and origin indications, then IPv6."""
    if end - at < 40:
        return None
    if data[at] == 0 and data[at + 1] == 1:
        at += 13 + data[at + 2] + data[at + 3]
    if data[at] == 0 and data[at + 1] == 0:
        at += 8
    if data[at] >> 4 != 6 or uint16(data, at + 4)[0] + 40 > end - at:
        return None
    return Inner(IPV6, at, end)


def capwap(data: bytes, at: int, end: int) -> Inner | None:
    """RFC 5415 section 4.3: version 0, a whole data packet, as IEEE 802.3 or as IEEE 802.11 (RFC 5416 section 2)."""
    if end - at < 8 or data[at]:
        return None
    (words,) = uint32(data, at)
    octets, binding, native, fragment = words >> 19 & 0x1F, words >> 9 & 0x1F, words & 0x100, words & 0x80
    start = at + octets * 4
    if octets < 2 or fragment or words & 0x08:  # K: a keep-alive
        return None
    if not native:
        return Inner(ETHERNET, start, end)
    if binding != IEEE_80211:
        return None
    # Cisco's access points send the two octets of frame control in the other order, and Wireshark expects that.
    swapped = data[start + 1] & 0x0F == 0x08 and data[start] & 0x0F != 0x08
    return Inner(WLAN_SWAPPED if swapped else WLAN, start, end)


LAYERS: Mapping[tuple[str, int], Layer] = {
    ("ip", 47): gre,
    ("ip", 97): etherip,
    ("ip", 137): mpls,  # RFC 4023 section 3.1
    ("udp", 1701): l2tp,
    ("udp", 2152): gtp_u,
    ("udp", 3544): teredo,
    ("udp", 4789): vxlan,
    ("udp", 4790): vxlan,
    ("udp", 5247): capwap,
    ("udp", 6081): geneve,
    ("udp", 6635): mpls,  # RFC 7510 section 3
    ("udp", 8472): vxlan,  # what Linux used before the port was assigned
}
