"""Headers below IP: link types of captures, tags, and what carries IP within one link."""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct

from tlsinspect.net.layer import (
    ETHERNET,
    IPV4,
    IPV6,
    LEAST_ETHERTYPE,
    LLC,
    PPP,
    Inner,
    Layer,
    ethertype,
    ip,
    uint16,
    uint32,
)

uint32_little = Struct("<I").unpack_from

ADDRESS_FAMILIES = {2: IPV4, 10: IPV6, 23: IPV6, 24: IPV6, 28: IPV6, 30: IPV6}  # AF_INET6 differs between systems
ARPHRD_NETLINK = 824
ARPHRD_IEEE80211_RADIOTAP = 803
RADIOTAP = ("link", 127)
WLAN = ("link", 105)
WLAN_SWAPPED = ("wlan", 0)  # no link type of its own
NFULA_PAYLOAD = 9
ICV_OCTETS = 16
SNAP = b"\xaa\xaa\x03"  # both SAPs and the control field
KNOWN_ETHERTYPES = frozenset({0x0800, 0x86DD, 0x8100, 0x88A8, 0x8847, 0x8848, 0x8864})


def ethernet(data: bytes, at: int, end: int) -> Inner:
    """IEEE 802.3 section 3.1.1: two addresses, then an EtherType or a length."""
    return ethertype(data, at + 12, end)


def vlan(data: bytes, at: int, end: int) -> Inner:
    """IEEE 802.1Q section 9.3: two octets of tag control information, then the next EtherType."""
    return ethertype(data, at + 2, end)


def vntag(data: bytes, at: int, end: int) -> Inner:
    """VN-Tag, which became IEEE 802.1BR in another form: four octets of tag, then the next EtherType."""
    return ethertype(data, at + 4, end)


def backbone(data: bytes, at: int, end: int) -> Inner:
    """IEEE 802.1ah: four octets of I-TAG control information, then the whole frame of the customer."""
    return Inner(ETHERNET, at + 4, end)


def cisco_metadata(data: bytes, at: int, end: int) -> Inner:
    """Version, length, one option with a security group tag, then the next EtherType (Cisco TrustSec)."""
    return ethertype(data, at + 6, end)


def macsec(data: bytes, at: int, end: int) -> Inner | None:
    """IEEE 802.1AE section 9: the SecTAG, secure data, and the integrity check value; None when encrypted."""
    control = data[at]
    if control & 0x8C:  # the version bit, E (encrypted), C (changed text)
        return None
    short_length = data[at + 1] & 0x3F
    start = at + (14 if control & 0x20 else 6)  # SC: the secure channel identifier is there
    return ethertype(data, start, start + short_length if short_length else max(start, end - ICV_OCTETS))


def llc(data: bytes, at: int, end: int) -> Inner | None:
    """IEEE 802.2 unnumbered information, with SNAP (RFC 1042) or the SAP of IP."""
    dsap, ssap, control = data[at], data[at + 1], data[at + 2]
    if control != 0x03:
        return None
    if dsap == ssap == 0x06:
        return Inner(IPV4, at + 3, end)
    if dsap != 0xAA or ssap != 0xAA:
        return None
    (number,) = uint16(data, at + 6)
    # 0x0000F8 is bridge tunnelling (IEEE 802.1H): it carries EtherTypes as well.
    if data[at + 3 : at + 6] not in (b"\x00\x00\x00", b"\x00\x00\xf8"):
        return None
    return Inner(("ethertype", number), at + 8, end)


def cooked(data: bytes, at: int, end: int) -> Inner | None:
    """LINKTYPE_LINUX_SLL: sixteen octets, the protocol in the last two."""
    hardware, protocol = uint16(data, at + 2)[0], uint16(data, at + 14)[0]
    return _cooked(hardware, protocol, at + 16, end)


def cooked_v2(data: bytes, at: int, end: int) -> Inner | None:
    """LINKTYPE_LINUX_SLL2: twenty octets, the protocol in the first two."""
    hardware, protocol = uint16(data, at + 8)[0], uint16(data, at)[0]
    if len(data) < at + 20:
        raise IndexError
    return _cooked(hardware, protocol, at + 20, end)


def _cooked(hardware: int, protocol: int, at: int, end: int) -> Inner | None:
    if hardware == ARPHRD_NETLINK:
        return None
    if hardware == ARPHRD_IEEE80211_RADIOTAP:
        return Inner(RADIOTAP, at, end)
    if protocol < LEAST_ETHERTYPE:
        return Inner(LLC, at, end) if protocol == 4 else None
    return Inner(("ethertype", protocol), at, end)


def loopback(data: bytes, at: int, end: int) -> Inner | None:
    """LINKTYPE_NULL and LINKTYPE_LOOP: an address family in the octet order of the host or the network."""
    family = min(uint32(data, at)[0], uint32_little(data, at)[0])
    kind = ADDRESS_FAMILIES.get(family)
    return Inner(kind, at + 4, end) if kind else None


def ppp(data: bytes, at: int, end: int) -> Inner:
    """RFC 1662 section 3.1 and RFC 1661 section 2, with address, control and protocol compressed or not."""
    if data[at] == 0xFF and data[at + 1] == 0x03:
        at += 2
    if data[at] & 1:
        return Inner(("ppp", data[at]), at + 1, end)
    return Inner(("ppp", uint16(data, at)[0]), at + 2, end)


def ppp_in_hdlc(data: bytes, at: int, end: int) -> Inner:
    """LINKTYPE_PPP_HDLC: PPP in HDLC-like framing, or Cisco's HDLC, which its address octet tells (RFC 1547)."""
    return cisco_hdlc(data, at, end) if data[at] in (0x0F, 0x8F) else ppp(data, at, end)


def cisco_hdlc(data: bytes, at: int, end: int) -> Inner:
    """LINKTYPE_C_HDLC: address, control, then an EtherType (RFC 1547 section 4.3.1)."""
    return Inner(("ethertype", uint16(data, at + 2)[0]), at + 4, end)


def pppoe_session(data: bytes, at: int, end: int) -> Inner | None:
    """RFC 2516 section 4: version and type 1, code 0 for the session stage."""
    if data[at] != 0x11 or data[at + 1] != 0:
        return None
    length = uint16(data, at + 4)[0]
    return Inner(PPP, at + 6, at + 6 + length if length else end)


def mpls(data: bytes, at: int, end: int) -> Inner | None:
    """RFC 3032 section 2.1: labels to the bottom of the stack, then what its first octets look like.

    A pseudowire carries Ethernet with the control word, whose first four bits are 0, or without it (RFC 4448
    section 4.6); nothing in the frame tells which, so the one that leads to an EtherType known here is taken.
    """
    while not data[at + 2] & 1:
        at += 4
    at += 4
    found = ip(data, at, end)
    if found is not None:
        return found
    if data[at] >> 4 == 0 and _leads_to_ethertype(data, at + 4):
        return Inner(ETHERNET, at + 4, end)
    return Inner(ETHERNET, at, end) if _leads_to_ethertype(data, at) else None


def _leads_to_ethertype(data: bytes, at: int) -> bool:
    number = uint16(data, at + 12)[0]
    uint16(data, at + 15)  # a slice alone does not tell that the capture cut it
    return number in KNOWN_ETHERTYPES or (number < LEAST_ETHERTYPE and data[at + 14 : at + 17] == SNAP)


def nflog(data: bytes, at: int, end: int) -> Inner | None:
    """LINKTYPE_NFLOG: attributes in the octet order of the capturing host; one is the packet as netfilter saw it."""
    kind = ADDRESS_FAMILIES.get(data[at])
    if kind is None:
        return None
    at += 4
    # An attribute is shorter than 64 KiB by far, and its type is below 256: the order that makes the type small.
    uint = Struct("<HH" if data[at + 3] == 0 else ">HH").unpack_from
    while at < end:
        length, number = uint(data, at)
        if length < 4:
            return None
        if number & 0x7FFF == NFULA_PAYLOAD:
            return Inner(kind, at + 4, at + length)
        at += (length + 3) & ~3
    return None


def wlan(data: bytes, at: int, end: int) -> Inner | None:
    """IEEE 802.11 section 9.2.4.1: a data frame in clear, with one MSDU; None for any other."""
    return _wlan(data, at, end, control=data[at], flags=data[at + 1])


def wlan_swapped(data: bytes, at: int, end: int) -> Inner | None:
    """The same with the two octets of frame control in the other order, as some access points tunnel it."""
    return _wlan(data, at, end, control=data[at + 1], flags=data[at])


def _wlan(data: bytes, at: int, end: int, *, control: int, flags: int, alignment: int = 1) -> Inner | None:
    if control & 0x0F != 0x08 or control & 0x40:  # not data; no data within
        return None
    octets = 30 if flags & 0x03 == 0x03 else 24  # to and from the distribution system: a fourth address
    if control & 0x80:  # QoS
        if data[at + octets] & 0x80:  # several MSDUs in one frame
            return None
        octets += 6 if flags & 0x80 else 2  # with HT control
    start = at + -(-octets // alignment) * alignment
    if not flags & 0x40:
        return Inner(LLC, start, end)
    # Cards that decrypt leave the protected flag set, and the header of WEP (4 octets) or of CCMP (8) in place or not.
    uint16(data, start + 9)  # a slice alone does not tell that the capture cut it
    for octets in (0, 4, 8):
        if data[start + octets : start + octets + 3] == SNAP:
            return Inner(LLC, start + octets, end)
    return None


def radiotap(data: bytes, at: int, end: int) -> Inner | None:
    """LINKTYPE_IEEE802_11_RADIOTAP: a header that tells its length, then IEEE 802.11.

    The flags say whether the IEEE 802.11 header is padded to four octets.
    """
    start = at + int.from_bytes(data[at + 2 : at + 4], "little")
    present = first = uint32_little(data, at + 4)[0]
    field = at + 8
    while present & 0x80000000:
        present = uint32_little(data, field)[0]
        field += 4
    if first & 1:  # TSFT, eight octets on an eight octet boundary of the header
        field = at + ((field - at + 7) & ~7) + 8
    flags = data[field] if first & 2 else 0
    end, alignment = end - 4 if flags & 0x10 else end, 4 if flags & 0x20 else 1
    return _wlan(data, start, end, control=data[start], flags=data[start + 1], alignment=alignment)


LAYERS: Mapping[tuple[str, int], Layer] = {
    ("link", 0): loopback,
    ("link", 1): ethernet,
    ("link", 9): ppp,
    ("link", 12): ip,  # LINKTYPE_RAW is 101; 12 and 14 are DLT_RAW of two families of systems
    ("link", 14): ip,
    ("link", 50): ppp_in_hdlc,
    ("link", 51): pppoe_session,
    ("link", 101): ip,
    ("link", 104): cisco_hdlc,
    WLAN: wlan,
    ("link", 108): loopback,
    ("link", 113): cooked,
    RADIOTAP: radiotap,
    ("link", 228): ip,
    ("link", 229): ip,
    ("link", 239): nflog,
    ("link", 276): cooked_v2,
    WLAN_SWAPPED: wlan_swapped,
    ("llc", 0): llc,
    ("ethertype", 0x2452): wlan,  # what Intel Centrino cards put before it in promiscuous mode
    ("ethertype", 0x6558): ethernet,  # transparent Ethernet bridging (RFC 1701)
    ("ethertype", 0x8100): vlan,
    ("ethertype", 0x8847): mpls,
    ("ethertype", 0x8848): mpls,
    ("ethertype", 0x8864): pppoe_session,
    ("ethertype", 0x88A8): vlan,
    ("ethertype", 0x88E5): macsec,
    ("ethertype", 0x88E7): backbone,
    ("ethertype", 0x8909): cisco_metadata,
    ("ethertype", 0x8926): vntag,
    ("ethertype", 0x9100): vlan,
    ("ethertype", 0x9200): vlan,
    ("ethertype", 0x880B): ppp,
    ("ppp", 0x0281): mpls,  # RFC 3032 section 4.3
    ("ppp", 0x0283): mpls,
}
