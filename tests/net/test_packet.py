"""Decoding a frame where lengths, fragments and nesting are unusual."""

from __future__ import annotations

import struct

import pytest

from tests.support.encapsulations import (
    ETHER,
    INNER4,
    OUTER4,
    PAYLOAD,
    SEGMENT,
    TCP4,
    TCP6,
    VXLAN5,
    frame,
    over_udp,
    tagged,
)
from tlsinspect.net.fragments import MOST_DATAGRAMS, PATIENCE_NS
from tlsinspect.net.packet import MOST_HEADERS, Datagram, PacketDecoder, Quoted, Segment

from scapy.layers.inet import GRE, ICMP, IP, TCP, UDP, fragment  # isort: skip
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6  # isort: skip
from scapy.layers.l2 import ARP, Dot1Q  # isort: skip
from scapy.packet import Packet, Raw  # isort: skip

LONG = bytes(range(256)) * 12


def decoded(data: Packet | bytes, **options: int) -> Segment | Datagram | Quoted | None:
    return PacketDecoder().decode(frame(1, data, **options))


def test_padding_behind_the_ip_datagram_is_no_payload() -> None:
    found = decoded(bytes(ETHER / INNER4 / TCP()) + bytes(6))

    assert isinstance(found, Segment)
    assert (found.payload, found.payload_octets) == (b"", 0)


def test_padding_inside_a_tunnel_is_no_payload() -> None:
    found = decoded(ETHER / OUTER4 / GRE(proto=0x6558) / Raw(bytes(ETHER / TCP4) + bytes(20)))

    assert isinstance(found, Segment)
    assert (found.payload, found.payload_octets) == (PAYLOAD, 16)


def test_a_total_length_of_zero_means_to_the_end_of_the_frame() -> None:
    found = decoded(ETHER / IP(src="192.0.2.1", dst="192.0.2.2", len=0) / SEGMENT)

    assert isinstance(found, Segment)
    assert (found.payload, found.payload_octets) == (PAYLOAD, 16)


def test_an_ipv6_payload_length_of_zero_means_to_the_end_of_the_frame() -> None:
    found = decoded(ETHER / IPv6(plen=0) / SEGMENT)

    assert isinstance(found, Segment)
    assert (found.payload, found.payload_octets) == (PAYLOAD, 16)


def test_an_inner_length_beyond_the_outer_one_does_not_count() -> None:
    # Some PPPoE concentrators leave the length of the padded frame in IP (pppoe-over-qinq.pcap of Zeek).
    session = struct.pack(">BBHHH", 0x11, 0, 1, 2 + 40, 0x0021)
    found = decoded(tagged(0x8864, session, bytes(IP(len=46) / TCP()) + bytes(6)))

    assert isinstance(found, Segment)
    assert (found.payload, found.payload_octets) == (b"", 0)


def test_the_octets_that_a_cut_segment_had_on_the_wire_are_those_of_the_ip_header() -> None:
    data = bytes(ETHER / TCP4)
    found = PacketDecoder().decode(frame(1, data, octets=len(data) - 10)._replace(wire_length=len(data) - 10))

    assert isinstance(found, Segment)
    assert (found.payload, found.payload_octets) == (PAYLOAD[:6], 16)


def test_a_datagram_ends_where_its_own_length_says() -> None:
    found = decoded(ETHER / INNER4 / UDP(sport=1, dport=2, len=12) / Raw(PAYLOAD))

    assert isinstance(found, Datagram)
    assert (found.payload, found.payload_octets, found.ttl) == (PAYLOAD[:4], 4, 61)


@pytest.mark.parametrize("port", [1701, 2152, 3544, 4789, 4790, 5247, 6081, 6635, 8472])
@pytest.mark.parametrize("payload", [b"", b"\x16", b"\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x60" + bytes(96)])
def test_a_datagram_at_the_port_of_a_tunnel_with_another_content_is_itself(port: int, payload: bytes) -> None:
    found = decoded(over_udp(port) / Raw(payload))

    assert isinstance(found, Datagram)
    assert found.payload == payload


def test_a_tunnel_over_udp_that_carries_no_ip_leaves_the_outer_datagram() -> None:
    found = decoded(over_udp(4789) / VXLAN5 / ETHER / ARP())

    assert isinstance(found, Datagram)
    assert found.key[8:] == struct.pack(">HH", 50000, 4789)


def test_of_what_an_icmp_error_quotes_only_the_ports_are_read() -> None:
    quoted = decoded(ETHER / OUTER4 / ICMP(type=3, code=4) / INNER4 / TCP(sport=1000, dport=443))

    assert isinstance(quoted, Quoted)
    assert (quoted.protocol, quoted.key[-4:]) == (6, b"\x03\xe8\x01\xbb")


def test_what_an_icmp_echo_carries_is_not_entered() -> None:
    assert decoded(ETHER / OUTER4 / ICMP(type=8) / INNER4 / TCP() / PAYLOAD) is None


@pytest.mark.parametrize("words", [0, 4, 15])
def test_a_tcp_header_with_an_impossible_data_offset_is_nothing(words: int) -> None:
    assert decoded(ETHER / INNER4 / TCP(dataofs=words) / PAYLOAD) is None


def test_as_many_headers_as_allowed_are_followed_and_no_more() -> None:
    def nested(tags: int) -> bytes:
        data: Packet = ETHER
        for _ in range(tags):
            data = data / Dot1Q()
        return bytes(data / TCP4)

    assert isinstance(decoded(nested(MOST_HEADERS - 3)), Segment)
    assert decoded(nested(MOST_HEADERS - 2)) is None


def test_a_link_type_that_is_not_known_is_nothing() -> None:
    assert PacketDecoder().decode(frame(147, TCP4)) is None


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [1, 1, 3, 0, 0, 2]])
@pytest.mark.parametrize("version", [4, 6])
def test_fragments_in_any_order_give_the_datagram_once(version: int, order: list[int]) -> None:
    if version == 4:
        pieces = [ETHER / piece for piece in fragment(INNER4 / UDP(sport=1, dport=2) / Raw(LONG), 800)]
    else:
        whole = IPv6(src="::1", dst="::2") / IPv6ExtHdrFragment(id=9) / UDP(sport=1, dport=2) / Raw(LONG)
        pieces = [ETHER / piece for piece in fragment6(whole, 900)]
    decoder = PacketDecoder()
    found = [decoder.decode(frame(1, pieces[at])) for at in order]

    assert len(pieces) == 4
    assert found[:-1] == [None] * (len(order) - 1)
    assert isinstance(found[-1], Datagram)
    assert found[-1].payload == LONG
    assert len(decoder._fragments) == 0


def test_fragments_of_a_tunnel_lead_to_the_segment_inside() -> None:
    outer = over_udp(4789)[IP] / VXLAN5 / ETHER / INNER4 / TCP(seq=5) / Raw(LONG)
    decoder = PacketDecoder()
    found = [decoder.decode(frame(1, ETHER / piece)) for piece in fragment(outer, 1400)]

    assert found[:-1] == [None] * (len(found) - 1)
    assert isinstance(found[-1], Segment)
    assert (found[-1].seq, found[-1].payload) == (5, LONG)


def test_a_fragment_that_the_capture_cut_leaves_the_octets_before_the_cut() -> None:
    decoder = PacketDecoder()
    first, second = (bytes(ETHER / piece) for piece in fragment(INNER4 / TCP(seq=5) / Raw(LONG[:1000]), 800))
    assert decoder.decode(frame(1, first, octets=200)) is None
    found = decoder.decode(frame(1, second))

    assert isinstance(found, Segment)
    assert (found.payload, found.payload_octets) == (LONG[: 200 - 14 - 20 - 20], 1000)


def test_where_fragments_overlap_what_came_first_is_kept() -> None:
    decoder = PacketDecoder()
    header = bytes(UDP(sport=1, dport=2, len=8 + 16))
    pieces = [
        IP(src="192.0.2.1", dst="192.0.2.2", proto=17, flags="MF", frag=0) / Raw(header + b"first..."),
        IP(src="192.0.2.1", dst="192.0.2.2", proto=17, frag=1) / Raw(b"second..and last"),
    ]
    found = [decoder.decode(frame(1, ETHER / piece)) for piece in pieces]

    assert isinstance(found[1], Datagram)
    assert found[1].payload == b"first...and last"


def test_fragments_are_forgotten_after_thirty_seconds() -> None:
    first, second = fragment(INNER4 / UDP(sport=1, dport=2) / Raw(LONG[:1000]), 800)
    decoder = PacketDecoder()
    decoder.decode(frame(1, ETHER / first))

    assert decoder.decode(frame(1, ETHER / second, time_ns=PATIENCE_NS)) is None
    assert len(decoder._fragments) == 1


def test_fragments_of_many_datagrams_are_bounded() -> None:
    decoder = PacketDecoder()
    for number in range(2 * MOST_DATAGRAMS):
        decoder.decode(frame(1, ETHER / IP(id=number, proto=6, flags="MF") / Raw(bytes(64))))

    assert len(decoder._fragments) <= MOST_DATAGRAMS + 1


def test_ipv6_over_ethernet_has_the_hop_limit_and_the_long_key() -> None:
    found = decoded(ETHER / TCP6)

    assert isinstance(found, Segment)
    assert (len(found.key), found.ttl) == (36, 62)
