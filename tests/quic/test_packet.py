"""Headers of QUIC packets, and frames."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.datagrams import V1, V2, Keys, close_frame, crypto_frame, initial_keys, long_packet, short_packet
from tlsinspect.model.frame import Side
from tlsinspect.quic.frames import Close, Crypto, Done, Stream, decode_frames
from tlsinspect.quic.packet import begins_connection, decode_packets, varint
from tlsinspect.quic.versions import Kind, version_name
from tlsinspect.wire import Cursor, Malformed

KEYS = Keys(bytes(16), bytes(12), bytes(16))
INITIAL = long_packet(initial_keys(b"12345678", Side.CLIENT), b"\1", destination=b"12345678", source=b"abc", token=b"t")


def begins(payload: bytes) -> bool:
    return begins_connection(payload, len(payload))


def kinds(payload: bytes, **options: int) -> list[tuple[Kind, int]]:
    octets = options.get("octets", len(payload))
    packets = decode_packets(payload, octets=octets, destination_octets=options.get("destination_octets", 0))
    return [(packet.kind, packet.length) for packet in packets]


@pytest.mark.parametrize("version", [V1, V2])
def test_tells_coalesced_packets_apart(version: int) -> None:
    parts = [
        long_packet(KEYS, b"\1", destination=b"12345678", source=b"", kind=kind, version=version) for kind in range(3)
    ]
    last = short_packet(KEYS, b"\1", destination=b"12345678")

    expected = [
        (kind, len(part)) for kind, part in zip((Kind.INITIAL, Kind.ZERO_RTT, Kind.HANDSHAKE), parts, strict=True)
    ]
    assert kinds(b"".join(parts) + last, destination_octets=8) == [*expected, (Kind.ONE_RTT, len(last))]


def test_reads_connection_ids_and_token() -> None:
    (packet,) = decode_packets(INITIAL, octets=len(INITIAL), destination_octets=0)

    assert (packet.destination, packet.source, packet.token) == (b"12345678", b"abc", b"t")


def test_passes_over_zeros_behind_the_last_packet() -> None:
    assert kinds(INITIAL + bytes(30)) == [(Kind.INITIAL, len(INITIAL))]


def test_reads_a_short_header_without_its_fixed_bit() -> None:
    short = bytearray(short_packet(KEYS, b"\1", destination=b""))
    short[0] &= 0xBF  # RFC 9287

    assert kinds(INITIAL + bytes(short)) == [(Kind.INITIAL, len(INITIAL)), (Kind.ONE_RTT, len(short))]


def test_keeps_the_captured_part_of_a_packet_that_the_snap_length_cut() -> None:
    (packet,) = decode_packets(INITIAL[:-5], octets=len(INITIAL), destination_octets=0)

    assert packet.cut
    assert packet.length == len(INITIAL)


def test_stops_at_a_packet_longer_than_its_datagram() -> None:
    assert kinds(INITIAL[:-1]) == []


def test_reads_version_negotiation() -> None:
    payload = b"\x80" + bytes(4) + b"\x01a\x01b" + bytes.fromhex("00000001ff00001d0a0a0a0a")

    (packet,) = decode_packets(payload, octets=len(payload), destination_octets=0)
    assert packet.kind is Kind.VERSION_NEGOTIATION
    assert [version_name(code) for code in packet.versions] == ["QUIC v1", "QUIC draft 29", "reserved 0x0a0a0a0a"]


def test_reads_the_token_of_a_retry() -> None:
    payload = b"\xf0" + bytes.fromhex("00000001") + b"\x00\x01s" + b"token" + bytes(16)

    (packet,) = decode_packets(payload, octets=len(payload), destination_octets=0)
    assert (packet.kind, packet.source, packet.token) == (Kind.RETRY, b"s", b"token")


def test_takes_a_datagram_for_quic_by_its_initial_packet() -> None:
    assert begins(INITIAL)
    assert not begins(INITIAL[:1] + b"Q046" + INITIAL[5:])
    assert not begins(b"\x40" + INITIAL[1:])
    assert not begins(INITIAL[:6])
    assert not begins(long_packet(KEYS, b"", destination=b"", source=b"", kind=2))


@pytest.mark.parametrize(
    ("octets", "value"),
    [("c2197c5eff14e88c", 151288809941952652), ("9d7f3e7d", 494878333), ("7bbd", 15293), ("25", 37), ("4025", 37)],
)
def test_reads_variable_length_integers(octets: str, value: int) -> None:
    assert varint(Cursor(bytes.fromhex(octets)), "integer") == value  # RFC 9000 appendix A.1


def test_reads_the_frames_that_matter_among_all_others() -> None:
    others = bytes.fromhex(
        "00"
        "01"
        "02050001000203"
        "0305000000030405"
        "04010203"
        "050102"
        "0702aabb"
        "1001"
        "110102"
        "1201"
        "1301"
        "1401"
        "150102"
        "1601"
        "1701"
        "1801000461626364" + "00" * 16 + "1901"
        "1a0102030405060708"
        "1b0102030405060708"
        "3102aabb"
    )
    payload = (
        others + crypto_frame(b"abc", 5) + b"\x0e\x04\x01\x02xy" + b"\x1e" + close_frame(0x128, b"no") + b"\x08\x04z"
    )

    assert list(decode_frames(payload)) == [Crypto(5, b"abc"), Stream(2), Done(), Close(0x128, "no", False), Stream(1)]


def test_stops_at_a_frame_of_an_extension() -> None:
    assert list(decode_frames(b"\x42\xf5\x01" + crypto_frame(b"abc"))) == []


def test_says_what_is_wrong_with_a_frame() -> None:
    with pytest.raises(Malformed, match="crypto data needs 3 octets, 2 remain"):
        list(decode_frames(crypto_frame(b"abc")[:-1]))


@given(st.binary(max_size=200), st.integers(0, 50), st.integers(0, 20))
def test_reads_any_octets(payload: bytes, more: int, destination_octets: int) -> None:
    packets = decode_packets(payload, octets=len(payload) + more, destination_octets=destination_octets)

    assert sum(len(packet.octets) for packet in packets) <= len(payload) + len(packets) * destination_octets
    assert begins(payload) in (True, False)


@given(st.binary(max_size=200))
def test_reads_any_frames(payload: bytes) -> None:
    count = 0
    with suppress(Malformed):
        for _ in decode_frames(payload):
            count += 1

    assert count <= len(payload)
