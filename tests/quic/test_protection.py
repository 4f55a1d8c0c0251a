"""Opening of packets, by the examples of RFC 9001 appendix A and RFC 9369 appendix A."""

import pytest

from tests.support.datagrams import V1, V2, initial_keys, protected
from tlsinspect.model.frame import Side
from tlsinspect.quic.frames import Crypto, decode_frames
from tlsinspect.quic.packet import Packet, decode_packets
from tlsinspect.quic.protection import Protection, initial_protections, protection, whole_number
from tlsinspect.quic.versions import VERSIONS, Kind

DESTINATION = bytes.fromhex("8394c8f03e515708")  # RFC 9001 appendix A, of the client's first packet

# RFC 9001 appendix A.2 and RFC 9369 appendix A.2: the CRYPTO frame, the header, and both ends of the protected packet.
CLIENT_CRYPTO = bytes.fromhex(
    "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c0000041301"
    "1302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007"
    "000504616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f5"
    "0f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101001c00"
    "024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f0"
    "3e51570806048000ffff"
)
CLIENT_OCTETS = 1162  # of the payload, with PADDING
CLIENT_PACKETS = {
    V1: ("c300000001088394c8f03e5157080000449e", "c000000001088394c8f03e5157080000449e7b9aec34", "972e194cd934"),
    V2: ("d36b3343cf088394c8f03e5157080000449e", "d76b3343cf088394c8f03e5157080000449ea0c95e82", "2a9f84cbfc"),
}
# Appendix A.3 of both: the server's packet and what is in it.
SERVER_PACKETS = {
    V1: "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780b"
    "b38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19"
    "fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee",
    V2: "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb761d9b89237bbf8726"
    "3017915358230035f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e427575076980"
    "75b2c984c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140",
}
SERVER_PAYLOAD = bytes.fromhex(
    "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a1200"
    "130100002e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00"
    "020304"
)
# Appendix A.5 of both: a 1-RTT packet under TLS_CHACHA20_POLY1305_SHA256 with a PING in it.
CHACHA20_SECRET = bytes.fromhex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b")
CHACHA20_NUMBER = 654360564
CHACHA20_PACKETS = {V1: "4cfe4189655e5cd55c41f69080575d7999c25a5bfb", V2: "5558b1c60ae7b6b932bc27d786f4bc2bb20f2162ba"}

versions = pytest.mark.parametrize("version", [V1, V2], ids=("v1", "v2"))


def one(payload: bytes) -> Packet:
    (packet,) = decode_packets(payload, octets=len(payload), destination_octets=0)
    return packet


@versions
def test_opens_the_initial_packet_of_the_client(version: int) -> None:
    header, beginning, end = CLIENT_PACKETS[version]
    payload = CLIENT_CRYPTO.ljust(CLIENT_OCTETS, b"\0")
    octets = protected(initial_keys(DESTINATION, Side.CLIENT, version), bytes.fromhex(header), payload, number=2)
    assert octets.hex().startswith(beginning)
    assert octets.hex().endswith(end)

    opened = initial_protections(VERSIONS[version], DESTINATION)[Side.CLIENT].open(one(octets))
    assert opened == (2, payload)


@versions
def test_opens_the_initial_packet_of_the_server(version: int) -> None:
    packet = one(bytes.fromhex(SERVER_PACKETS[version]))

    assert (packet.kind, packet.source.hex()) == (Kind.INITIAL, "f067a5502a4262b5")
    assert initial_protections(VERSIONS[version], DESTINATION)[Side.SERVER].open(packet) == (1, SERVER_PAYLOAD)
    assert [each.octets[:1] for each in decode_frames(SERVER_PAYLOAD) if isinstance(each, Crypto)] == [b"\x02"]


@versions
def test_opens_a_packet_under_chacha20(version: int) -> None:
    opener = Protection(0x1303, CHACHA20_SECRET, VERSIONS[version])
    opener._largest = CHACHA20_NUMBER - 1  # the numbers before it are not in the example

    assert opener.open(one(bytes.fromhex(CHACHA20_PACKETS[version]))) == (CHACHA20_NUMBER, b"\x01")


def test_does_not_open_a_packet_of_which_one_bit_is_changed() -> None:
    octets = bytearray.fromhex(SERVER_PACKETS[V1])
    octets[-1] ^= 1

    assert initial_protections(VERSIONS[V1], DESTINATION)[Side.SERVER].open(one(bytes(octets))) is None


def test_does_not_open_a_packet_with_the_keys_of_another_version() -> None:
    packet = one(bytes.fromhex(SERVER_PACKETS[V1]))

    assert initial_protections(VERSIONS[V2], DESTINATION)[Side.SERVER].open(packet) is None


def test_has_no_protection_for_suites_that_quic_does_not_use() -> None:
    assert protection(0xC02F, bytes(32), VERSIONS[V1]) is None
    assert protection(0x0000, bytes(32), VERSIONS[V1]) is None


@pytest.mark.parametrize(
    ("largest", "low", "bits", "number"),
    [(0xA82F30EA, 0x9B32, 16, 0xA82F9B32), (-1, 0, 8, 0), (255, 0, 8, 256), (300, 0xFF, 8, 255), (65535, 1, 16, 65537)],
)
def test_completes_packet_numbers(largest: int, low: int, bits: int, number: int) -> None:
    assert whole_number(largest, low, bits) == number
