"""One TCP segment in every encapsulation that net/ knows, forged with scapy, or from octets where scapy has none."""

from __future__ import annotations

import logging
import struct

logging.getLogger("scapy").setLevel(logging.ERROR)

from scapy.contrib.erspan import ERSPAN_I, ERSPAN_II, ERSPAN_III  # noqa: E402
from scapy.contrib.etherip import EtherIP  # noqa: E402
from scapy.contrib.geneve import GENEVE  # noqa: E402
from scapy.contrib.gtp import GTP_U_Header  # noqa: E402
from scapy.contrib.mpls import MPLS  # noqa: E402
from scapy.layers.dot11 import Dot11, Dot11QoS, RadioTap  # noqa: E402
from scapy.layers.inet import GRE, IP, TCP, UDP, IPOption_NOP  # noqa: E402
from scapy.layers.inet6 import (  # noqa: E402
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.ipsec import AH  # noqa: E402
from scapy.layers.l2 import GRE_PPTP, LLC, SNAP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Ether, Loopback  # noqa: E402
from scapy.layers.l2tp import L2TP  # noqa: E402
from scapy.layers.ppp import HDLC, PPP, PPPoE  # noqa: E402
from scapy.layers.vxlan import VXLAN  # noqa: E402
from scapy.packet import Packet, Raw  # noqa: E402

from tlsinspect.model.frame import Frame  # noqa: E402

VXLAN5 = VXLAN(flags="Instance", vni=5)
NOPS = [IPOption_NOP()] * 4
PAYLOAD = b"sixteen octets.."
MACS = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}
ETHER = Ether(**MACS)
INNER4 = IP(src="192.0.2.1", dst="192.0.2.2", ttl=61)
INNER6 = IPv6(src="2001:db8::1", dst="2001:db8::2", hlim=62)
SEGMENT = TCP(sport=40000, dport=443, seq=7, ack=9, flags="PA") / PAYLOAD
TCP4 = INNER4 / SEGMENT
TCP6 = INNER6 / SEGMENT
OUTER4 = IP(src="198.51.100.1", dst="198.51.100.2")
OUTER6 = IPv6(src="2001:db8:f::1", dst="2001:db8:f::2")
ON_IPV4 = ETHER / OUTER4


def over_udp(port: int) -> Packet:
    return ON_IPV4 / UDP(sport=50000, dport=port)


def over_ip(protocol: int) -> Packet:
    return IP(src="198.51.100.1", dst="198.51.100.2", proto=protocol)


def tagged(ethertype: int, header: bytes, inner: Packet | bytes) -> bytes:
    """An Ethernet header with *ethertype*, then octets."""
    return bytes(ETHER)[:12] + struct.pack(">H", ethertype) + header + bytes(inner)


def mpls_label(*, bottom: int) -> bytes:
    return struct.pack(">I", 16 << 12 | bottom << 8 | 64)


def nflog_attribute(number: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", 4 + len(value), number) + value + bytes(-len(value) % 4)


def ipv6_next(number: int, header: bytes) -> bytes:
    """IPv6 with one extension header in octets before TCP."""
    inner = header + bytes(TCP6)[40:]
    return bytes(ETHER / IPv6(src="2001:db8::1", dst="2001:db8::2", hlim=62, nh=number) / Raw(inner))


RADIOTAP_PADDED = struct.pack("<BBHIQB3x", 0, 0, 20, 0b11, 0, 0x20)  # TSFT; flags: IEEE 802.11 header padded
QOS_DATA = b"\x88\x01" + bytes(24)
GTP_U_EXTENDED = struct.pack(">BBHIHBB", 0x34, 255, len(TCP4) + 8, 5, 0, 0, 0x85)
CAPWAP_NATIVE = struct.pack(">I4x", 2 << 19 | 1 << 9 | 0x100)
CAPWAP_ETHERNET = struct.pack(">I4x", 2 << 19)
WLAN_DATA = bytes(Dot11(type=2, subtype=0, FCfield="to_DS") / LLC() / SNAP() / TCP4)

_FORGED: dict[str, tuple[int, Packet | bytes]] = {
    "ethernet": (1, ETHER / TCP4),
    "ethernet, IPv6": (1, ETHER / TCP6),
    "802.1Q": (1, ETHER / Dot1Q(vlan=5) / TCP4),
    "802.1ad and 802.1Q": (1, ETHER / Dot1AD(vlan=5) / Dot1Q(vlan=6) / TCP6),
    "0x9100": (1, tagged(0x9100, b"\x00\x05\x08\x00", TCP4)),
    "0x9200": (1, tagged(0x9200, b"\x00\x05\x08\x00", TCP4)),
    "LLC and SNAP": (1, tagged(len(TCP4) + 8, bytes(LLC() / SNAP(code=0x0800)), TCP4)),
    "LLC and SNAP, no length": (1, tagged(0, bytes(LLC() / SNAP(code=0x0800)), TCP4)),
    "LLC with the SAP of IP": (1, tagged(len(TCP4) + 3, b"\x06\x06\x03", TCP4)),
    "VN-Tag": (1, tagged(0x8926, b"\x00\x01\x00\x02\x08\x00", TCP4)),
    "802.1ah": (1, tagged(0x88E7, b"\x00\x00\x00\x05", ETHER / Dot1Q(vlan=2) / TCP4)),
    "MACsec in clear": (1, tagged(0x88E5, struct.pack(">BBIH", 0, 0, 1, 0x0800), bytes(TCP4) + bytes(16))),
    "MACsec with SCI": (1, tagged(0x88E5, struct.pack(">BBIQH", 0x20, 0, 1, 7, 0x0800), bytes(TCP4) + bytes(16))),
    "Cisco metadata": (1, tagged(0x8909, b"\x01\x01\x00\x01\x00\x02\x08\x00", TCP4)),
    "Centrino": (1, tagged(0x2452, b"", WLAN_DATA)),
    "MPLS": (1, ETHER / MPLS(s=0, label=16) / MPLS(s=1, label=17) / TCP4),
    "MPLS, IPv6": (1, ETHER / MPLS(s=1, label=17) / TCP6),
    "MPLS multicast": (1, tagged(0x8848, mpls_label(bottom=1), TCP4)),
    "MPLS pseudowire with control word": (1, tagged(0x8847, mpls_label(bottom=1) + bytes(4), ETHER / TCP4)),
    "MPLS pseudowire without control word": (1, tagged(0x8847, mpls_label(bottom=1), ETHER / TCP4)),
    "PPPoE": (1, ETHER / PPPoE(sessionid=1) / PPP() / TCP4),
    "PPPoE, IPv6": (1, ETHER / PPPoE(sessionid=1) / PPP() / TCP6),
    "PPPoE link": (51, PPPoE(sessionid=1) / PPP() / TCP4),
    "PPP": (9, PPP() / TCP4),
    "PPP, compressed protocol": (9, b"\x21" + bytes(TCP4)),
    "PPP with address and control": (9, HDLC() / PPP() / TCP4),
    "PPP, MPLS": (9, b"\x02\x81" + mpls_label(bottom=1) + bytes(TCP4)),
    "PPP, MPLS multicast": (9, b"\x02\x83" + mpls_label(bottom=1) + bytes(TCP4)),
    "PPP in HDLC": (50, HDLC() / PPP() / TCP4),
    "PPP in HDLC, Cisco": (50, b"\x0f\x00\x08\x00" + bytes(TCP4)),
    "Cisco HDLC": (104, b"\x0f\x00\x86\xdd" + bytes(TCP6)),
    "NULL": (0, Loopback(type=2) / TCP4),
    "NULL, IPv6 of macOS": (0, b"\x1e\x00\x00\x00" + bytes(TCP6)),
    "NULL, big-endian": (0, b"\x00\x00\x00\x02" + bytes(TCP4)),
    "LOOP": (108, b"\x00\x00\x00\x18" + bytes(TCP6)),
    "raw 12": (12, TCP4),
    "raw 14": (14, TCP4),
    "raw": (101, TCP4),
    "raw, IPv6": (101, TCP6),
    "IPv4 link": (228, TCP4),
    "IPv6 link": (229, TCP6),
    "cooked": (113, CookedLinux(proto=0x0800) / TCP4),
    "cooked, IPv6": (113, CookedLinux(proto=0x86DD) / TCP6),
    "cooked, LLC": (113, bytes(CookedLinux(proto=4)) + bytes(LLC() / SNAP(code=0x0800) / TCP4)),
    "cooked v2": (276, CookedLinuxV2(proto=0x0800) / TCP4),
    "cooked v2, 802.1Q": (276, CookedLinuxV2(proto=0x8100) / Dot1Q(vlan=5) / TCP4),
    "NFLOG": (239, b"\x02\x00\x00\x00" + nflog_attribute(10, b"name\0") + nflog_attribute(9, bytes(TCP4))),
    "NFLOG, big-endian": (239, b"\x0a\x00\x00\x00" + nflog_attribute(9, bytes(TCP6), ">")),
    "802.11": (105, WLAN_DATA),
    "802.11 QoS": (105, Dot11(type=2, subtype=8, FCfield="from_DS") / Dot11QoS() / LLC() / SNAP() / TCP4),
    "802.11, four addresses": (105, Dot11(type=2, FCfield="to_DS+from_DS", addr4="::") / LLC() / SNAP() / TCP4),
    "802.11, decrypted by the card": (105, b"\x08\x41" + WLAN_DATA[2:]),
    "radiotap": (127, RadioTap() / Dot11(type=2, FCfield="to_DS") / LLC() / SNAP() / TCP4),
    "radiotap, padded": (127, RADIOTAP_PADDED + QOS_DATA + bytes(2) + bytes(LLC() / SNAP(code=0x0800) / TCP4)),
    "IPv4 with options": (1, ETHER / IP(src="192.0.2.1", dst="192.0.2.2", ttl=61, options=NOPS) / SEGMENT),
    "IPv4 in IPv4": (1, ON_IPV4 / TCP4),
    "IPv6 in IPv4": (1, ON_IPV4 / TCP6),
    "IPv4 in IPv6": (1, ETHER / OUTER6 / TCP4),
    "IPv6 in IPv6": (1, ETHER / OUTER6 / TCP6),
    "hop-by-hop": (1, ETHER / INNER6 / IPv6ExtHdrHopByHop() / SEGMENT),
    "routing": (1, ETHER / INNER6 / IPv6ExtHdrRouting(segleft=0) / SEGMENT),
    "destination options": (
        1,
        ETHER / INNER6 / IPv6ExtHdrDestOpt() / SEGMENT,
    ),
    "atomic fragment": (
        1,
        ETHER / INNER6 / IPv6ExtHdrFragment(id=5) / SEGMENT,
    ),
    "mobility": (1, ipv6_next(135, b"\x06\x00\x00\x00\x00\x00\x00\x00")),
    "authentication header": (1, ETHER / INNER4 / AH(nh=6, payloadlen=4, icv=bytes(12)) / SEGMENT),
    "GRE": (1, ON_IPV4 / GRE() / TCP4),
    "GRE with all fields": (1, ON_IPV4 / GRE(chksum_present=1, key_present=1, seqnum_present=1) / TCP6),
    "GRE, Ethernet": (1, ON_IPV4 / GRE(key_present=1, proto=0x6558) / ETHER / TCP4),
    "GRE, MPLS": (1, ON_IPV4 / GRE(proto=0x8847) / Raw(mpls_label(bottom=1) + bytes(TCP4))),
    "GRE, PPP": (1, ON_IPV4 / GRE(proto=0x880B) / PPP() / TCP4),
    "GRE version 1": (
        1,
        ON_IPV4 / GRE_PPTP(seqnum_present=1, acknum_present=1, payload_len=len(TCP4) + 2) / PPP() / TCP4,
    ),
    "EoIP": (1, ON_IPV4 / GRE(version=1, key_present=1, proto=0x6400) / Raw(bytes(ETHER / TCP4))),
    "WCCP": (1, ON_IPV4 / GRE(proto=0x883E) / Raw(bytes(4) + bytes(TCP4))),
    "ERSPAN I": (1, ON_IPV4 / GRE(proto=0x88BE) / ERSPAN_I() / ETHER / TCP4),
    "ERSPAN II": (1, ON_IPV4 / GRE(proto=0x88BE, seqnum_present=1) / ERSPAN_II() / ETHER / TCP4),
    "ERSPAN III": (1, ON_IPV4 / GRE(proto=0x22EB, seqnum_present=1) / ERSPAN_III() / ETHER / TCP4),
    "EtherIP": (1, ETHER / over_ip(97) / EtherIP() / ETHER / TCP4),
    "MPLS in IP": (1, ETHER / over_ip(137) / Raw(mpls_label(bottom=1) + bytes(TCP4))),
    "VXLAN": (1, over_udp(4789) / VXLAN5 / ETHER / TCP4),
    "VXLAN over IPv6": (1, ETHER / OUTER6 / UDP(sport=50000, dport=4789) / VXLAN5 / ETHER / TCP6),
    "VXLAN, port of Linux": (1, over_udp(8472) / VXLAN5 / ETHER / TCP4),
    "VXLAN, as scapy writes it": (1, over_udp(4789) / VXLAN(vni=5) / ETHER / TCP4),
    "VXLAN-GPE": (1, over_udp(4790) / Raw(b"\x0c\x00\x00\x01\x00\x00\x05\x00" + bytes(TCP4))),
    "Geneve": (1, over_udp(6081) / GENEVE(vni=5, proto=0x6558) / ETHER / TCP4),
    "Geneve with options": (1, over_udp(6081) / Raw(b"\x02\x00\x08\x00\x00\x00\x05\x00" + bytes(8) + bytes(TCP4))),
    "GTP-U": (1, over_udp(2152) / GTP_U_Header(teid=5) / TCP4),
    "GTP-U with sequence number": (1, over_udp(2152) / GTP_U_Header(teid=5, S=1, seq=3) / TCP6),
    "GTP-U with extension header": (
        1,
        over_udp(2152) / Raw(GTP_U_EXTENDED + b"\x01\x00\x09\x00" + bytes(TCP4)),
    ),
    "L2TP": (1, over_udp(1701) / L2TP(hdr="length", version=2, tunnel_id=1, session_id=2) / HDLC() / PPP() / TCP4),
    "Teredo": (1, over_udp(3544) / Raw(bytes(TCP6))),
    "Teredo with indications": (1, over_udp(3544) / Raw(b"\x00\x01\x00\x00" + bytes(9) + bytes(8) + bytes(TCP6))),
    "MPLS over UDP": (1, over_udp(6635) / Raw(mpls_label(bottom=1) + bytes(TCP4))),
    "CAPWAP, Ethernet": (1, over_udp(5247) / Raw(CAPWAP_ETHERNET + bytes(ETHER / TCP4))),
    "CAPWAP, 802.11": (1, over_udp(5247) / Raw(CAPWAP_NATIVE + WLAN_DATA)),
    "CAPWAP, 802.11 swapped": (1, over_udp(5247) / Raw(CAPWAP_NATIVE + WLAN_DATA[1::-1] + WLAN_DATA[2:])),
    "VXLAN in GRE in 802.1Q": (
        1,
        ETHER / Dot1Q(vlan=5) / OUTER4 / GRE() / OUTER6 / UDP(dport=4789) / VXLAN5 / ETHER / TCP4,
    ),
}  # fmt: skip

# Name -> link type and octets: scapy takes a millisecond to write a frame.
FRAMES = {name: (link_type, bytes(data)) for name, (link_type, data) in _FORGED.items()}


def frame(link_type: int, data: Packet | bytes, *, octets: int | None = None, time_ns: int = 0) -> Frame:
    whole = bytes(data)
    return Frame(1, time_ns, link_type, whole[:octets], len(whole))
