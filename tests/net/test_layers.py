"""Every header of the LAYERS table, whole, cut and damaged."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.encapsulations import FRAMES, PAYLOAD, frame
from tlsinspect.model.frame import Frame
from tlsinspect.net import packet
from tlsinspect.net.packet import ICMP, LAYERS, Datagram, PacketDecoder, Segment, endpoints


@pytest.mark.parametrize("name", FRAMES)
def test_finds_the_innermost_segment_through(name: str) -> None:
    found = PacketDecoder().decode(frame(*FRAMES[name]))

    assert isinstance(found, Segment)
    source, destination = endpoints(found.key)
    version = 4 if len(found.key) == 12 else 6
    expected = ("192.0.2.1", "192.0.2.2", 61) if version == 4 else ("2001:db8::1", "2001:db8::2", 62)
    assert (source.address, destination.address, found.ttl) == expected
    assert (source.port, destination.port, found.seq, found.ack, found.flags) == (40000, 443, 7, 9, 24)
    assert (found.payload, found.payload_octets) == (PAYLOAD, 16)


@pytest.mark.parametrize("name", FRAMES)
def test_a_cut_frame_gives_the_same_fields_with_less_payload_or_nothing(name: str) -> None:
    link_type, data = FRAMES[name]
    whole = PacketDecoder().decode(frame(link_type, data))
    assert isinstance(whole, Segment)
    for octets in range(len(data)):
        found = PacketDecoder().decode(frame(link_type, data, octets=octets))
        if isinstance(found, Segment):
            assert found[:5] + found[6:] == whole[:5] + whole[6:]
            assert whole.payload.startswith(found.payload)
        else:
            assert found is None


def test_every_header_of_the_table_is_in_a_frame_above(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()

    class Watching(dict):  # type: ignore[type-arg]
        def get(self, kind, default=None):  # type: ignore[no-untyped-def]
            seen.add(kind)
            return super().get(kind, default)

    monkeypatch.setattr(packet, "LAYERS", Watching(LAYERS))
    for link_type, data in FRAMES.values():
        PacketDecoder()._innermost(frame(link_type, data))

    assert set(LAYERS) - seen - ICMP == set()  # an ICMP error leads to no frame: tests/net/test_packet.py


@pytest.mark.parametrize("name", ["ethernet", "ethernet, IPv6"])
def test_the_shortcut_gives_what_the_general_way_gives_at_every_length(name: str) -> None:
    link_type, data = FRAMES[name]
    for padding in (b"", bytes(6)):
        for octets in range(54, len(data) + 7):
            one = frame(link_type, data + padding, octets=octets)
            general = PacketDecoder()._innermost(one)

            assert PacketDecoder().decode(one) == general


@pytest.mark.parametrize("name", ["ethernet", "ethernet, IPv6"])
@pytest.mark.parametrize("port", [50000, 4789])
def test_the_shortcut_for_udp_gives_what_the_general_way_gives(name: str, port: int) -> None:
    link_type, data = FRAMES[name]
    start, protocol_at = (34, 23) if name == "ethernet" else (54, 20)
    for length in (0, 7, 8, 20, 28, 36, 60):
        udp = port.to_bytes(2, "big") + b"\x01\xbb" + length.to_bytes(2, "big") + bytes(22)
        datagram = data[:protocol_at] + b"\x11" + data[protocol_at + 1 : start] + udp
        for octets in range(start, len(datagram) + 7):
            one = frame(link_type, datagram + bytes(6), octets=octets)

            assert PacketDecoder().decode(one) == PacketDecoder()._innermost(one)


LINK_TYPES = sorted({number for kind, number in LAYERS if kind == "link"})


@given(link_type=st.sampled_from([*LINK_TYPES, 147]), data=st.binary(max_size=200), more=st.integers(0, 2000))
@settings(max_examples=500, deadline=None)
def test_random_octets_never_raise(link_type: int, data: bytes, more: int) -> None:
    found = PacketDecoder().decode(Frame(1, 0, link_type, data, len(data) + more))

    assert found is None or len(found.payload) <= found.payload_octets


@given(
    name=st.sampled_from(sorted(FRAMES)),
    changes=st.lists(st.tuples(st.integers(0, 160), st.integers(0, 255)), min_size=1, max_size=4),
    octets=st.integers(1, 250),
)
@settings(max_examples=1000, deadline=None)
def test_changed_octets_never_raise(name: str, changes: list[tuple[int, int]], octets: int) -> None:
    link_type, data = FRAMES[name]
    changed = bytearray(data)
    for at, octet in changes:
        changed[at % len(changed)] = octet
    found = PacketDecoder().decode(frame(link_type, bytes(changed), octets=octets))

    assert found is None or isinstance(found, Segment | Datagram)
