"""What is held has bounds, and what is beyond them is left out with a word.  docs/robustness.md lists them."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from itertools import islice

import brotli
import pytest
import zstandard

from fuzzing.figures import PAGE, limit_rows, table
from fuzzing.limits import LIMITS, value_of
from fuzzing.opened import open_octets
from tests.support import datagrams, hostile
from tests.support.captures import FRAMES, pcap
from tests.support.octets import extension, vector
from tests.support.tcp import ADDRESSES
from tlsinspect import flows
from tlsinspect.capture import compression
from tlsinspect.dtls.fragments import MOST_PENDING, FragmentReader, decode_fragments
from tlsinspect.http.one import MOST_HEAD
from tlsinspect.http.reader import MOST_EXCHANGES, HttpReader
from tlsinspect.inspector import Inspector, Limits, inspect
from tlsinspect.model.frame import Batch, Frame, Side
from tlsinspect.model.handshake import Outcome
from tlsinspect.model.message import CertificateMessage, ClientHello, UndecodedMessage
from tlsinspect.net.fragments import MOST_DATAGRAMS
from tlsinspect.net.packet import MOST_HEADERS, PacketDecoder
from tlsinspect.net.reassembly import MOST_HOLES, Stream
from tlsinspect.preamble.reader import MOST_OCTETS, PreambleReader, State
from tlsinspect.quic.crypto import CryptoStream
from tlsinspect.tls.certificate import BROTLI, MOST_CERTIFICATES, ZLIB, ZSTD
from tlsinspect.tls.connection import MOST_EVENTS
from tlsinspect.tls.handshake import LARGEST
from tlsinspect.tls.messages import COMPRESSED_CERTIFICATE, decode_message

MEGABYTE = 1_000_000


# -- TCP and IP


def test_octets_out_of_order_are_bounded_in_each_direction() -> None:
    stream = Stream(most_octets=10_000)
    stream.start(0)
    passed = [chunk for at in range(100) for chunk in stream.feed(10 + at * 1000, bytes(1000), 1000, at, at)]

    assert sum(len(chunk.octets) for chunk in passed) >= 90_000
    assert passed[0].gap == 10


def test_a_hole_costs_no_more_memory_than_the_limit() -> None:
    frames = hostile.connection([(Side.CLIENT, hostile.record(22, hostile.client_hello()))], close=False)
    lost = [(Side.SERVER, hostile.record(23, bytes(10_000)) * 800)]
    frames += [frame for number, frame in enumerate(hostile.connection(lost, close=False)) if number != 2]
    inspector = Inspector(limits=Limits(most_octets=100_000, settle_octets=1 << 40))
    tracemalloc.start()
    for frame in hostile.renumbered(frames):
        inspector.feed(frame)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 3 * MEGABYTE  # beside the frames, which are 8 megabytes and there before


def test_holes_are_counted_too() -> None:
    stream = Stream()
    stream.start(0)
    for at in range(MOST_HOLES):
        assert not stream.feed(at * 2 + 1, b"a", 1, at, at)

    assert stream.feed(MOST_HOLES * 2 + 1, b"a", 1, 0, 0)


def test_connections_under_way_are_bounded() -> None:
    inspector = Inspector(limits=Limits(most_flows=100))
    found = [handshake for number in range(1000) for handshake in inspector.feed(hostile.syn(number))]

    assert len(inspector.under_way) <= 101  # the oldest goes with the next frame
    assert len(found) == inspector.evicted == 1000 - len(inspector.under_way)


def fed_one_by_one(inspector: Inspector, frames: list[Frame]) -> None:
    for frame in frames:
        inspector.feed(frame)


def fed_together(inspector: Inspector, frames: list[Frame]) -> None:
    with open_octets(pcap(frames)) as capture:
        batches = [each for each in capture.in_batches() if isinstance(each, Batch)]
    assert sum(len(batch.starts) for batch in batches) == len(frames)
    for batch in batches:
        list(inspector.feed_batch(batch))


def unfinished(segments: int, *, octets: int, port: int = 40_000) -> list[Frame]:
    """A connection over Ethernet under way, with so many segments of application data of so many octets."""
    hello = hostile.record(22, hostile.client_hello())
    data = hostile.record(23, bytes(segments * octets - 5))
    answer = [(Side.SERVER, hostile.record(22, hostile.server_hello())), (Side.SERVER, data)]
    frames = hostile.connection([(Side.CLIENT, hello), *answer], segment=octets, close=False)
    header, before = bytes(12) + b"\x08\0", struct.pack(">H", ADDRESSES[Side.CLIENT][1])
    octets_of = [header + frame.data.replace(before, struct.pack(">H", port), 1) for frame in frames]
    return [Frame(each.number, each.time_ns, 1, data, len(data)) for each, data in zip(frames, octets_of, strict=True)]


@pytest.mark.parametrize("feed", [fed_one_by_one, fed_together])
def test_what_waits_of_a_connection_is_bounded(feed: Callable[[Inspector, list[Frame]], None]) -> None:
    waiting = {}
    for segments, octets in ((10, 1000), (50, 1000), (100, 10), (400, 10)):
        inspector = Inspector(gather=True)
        feed(inspector, unfinished(segments, octets=octets))
        waiting[segments, octets] = not inspector.under_way

    assert waiting == {(10, 1000): True, (50, 1000): False, (100, 10): True, (400, 10): False}


@pytest.mark.parametrize("feed", [fed_one_by_one, fed_together])
def test_what_waits_of_all_connections_is_bounded(
    feed: Callable[[Inspector, list[Frame]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows, "MOST_GATHERED", 50_000)
    inspector = Inspector(gather=True)
    frames = [frame for port in range(5) for frame in unfinished(15, octets=1000, port=40_000 + port)]

    feed(inspector, [frame._replace(number=number) for number, frame in enumerate(frames, 1)])

    assert sorted(inspector.under_way) == [2, 3, 4]  # there is room for two


def test_headers_around_headers_are_bounded() -> None:
    ip_in_ip = struct.pack(">BBHHHBBH", 0x45, 0, 0, 0, 0, 64, 4, 0) + b"\x0a\0\0\1\x0a\0\0\2"
    inner = hostile.syn(0).data

    def decoded(depth: int) -> object:
        octets = ip_in_ip * depth + inner
        return PacketDecoder().decode(Frame(1, 0, 101, octets, len(octets)))

    assert decoded(MOST_HEADERS - 3) is not None
    assert decoded(MOST_HEADERS) is None
    assert decoded(1000) is None


def test_datagrams_in_fragments_are_bounded() -> None:
    decoder = PacketDecoder()
    for number in range(MOST_DATAGRAMS * 3):
        decoder.decode(hostile.ip_fragment(number, identification=number, at=8, octets=bytes(8), more=True))

    assert len(decoder._fragments) <= MOST_DATAGRAMS + 1


# -- TLS


def handshakes_of(client: bytes, server: bytes) -> list[object]:
    sent = [(Side.CLIENT, client), (Side.SERVER, server), (Side.CLIENT, hostile.record(21, b"\2\x2a"))]
    return [(handshake, handshake.outcome) for handshake in inspect(hostile.connection(sent), name="hostile.pcap")]


HELLO = hostile.record(22, hostile.client_hello(hostile.server_name(b"a.example")))


def test_a_message_beyond_the_largest_is_not_waited_for() -> None:
    size = LARGEST + 1
    message = b"\x0b" + size.to_bytes(3, "big") + bytes(size)
    ((handshake, outcome),) = handshakes_of(HELLO, hostile.in_records(message, 1 << 14))  # type: ignore[misc]

    assert outcome is Outcome.REJECTED
    assert handshake.client_hellos


def test_messages_of_one_connection_are_bounded() -> None:
    ((handshake, _),) = handshakes_of(HELLO, hostile.record(22, b"\x0e\0\0\0") * 5000)  # type: ignore[misc]

    assert len(handshake.events) <= MOST_EVENTS


def test_extensions_are_as_many_as_their_length_allows() -> None:
    hello = hostile.client_hello(*(extension(at % 0xFFFF, b"") for at in range(16_383)))
    ((handshake, outcome),) = handshakes_of(hostile.in_records(hello, 1 << 14), b"")  # type: ignore[misc]

    assert outcome is Outcome.REJECTED
    assert isinstance(handshake.client_hellos[0], ClientHello)


def test_certificates_of_one_chain_are_bounded() -> None:
    chain = hostile.certificates(*([b"\x30\0"] * (MOST_CERTIFICATES + 50)))
    message = decode_message(11, chain[4:], side=Side.SERVER, version=0x0303)

    assert isinstance(message, CertificateMessage)
    assert len(message.entries) == MOST_CERTIFICATES
    assert message.defect is not None
    assert "more than 256 certificates" in message.defect.problem


BOMBS: dict[int, Callable[[bytes], bytes]] = {
    ZLIB: lambda octets: zlib.compress(octets, 9),
    BROTLI: brotli.compress,
    ZSTD: zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("algorithm", BOMBS)
def test_compressed_certificates_expand_so_far_and_no_further(algorithm: int) -> None:
    chain = b"\0" + vector(3, *([vector(3, b"0") + b"\0\0"] * 100_000))
    packed = BOMBS[algorithm](chain)
    body = algorithm.to_bytes(2, "big") + len(chain).to_bytes(3, "big") + vector(3, packed)
    tracemalloc.start()
    message = decode_message(COMPRESSED_CERTIFICATE, body, side=Side.SERVER, version=0x0304)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert isinstance(message, UndecodedMessage)
    assert "more than 64 times" in message.defect.problem
    assert peak < MEGABYTE


# -- DTLS, QUIC, HTTP and the dialogues before TLS


def test_dtls_messages_under_way_are_bounded() -> None:
    reader = FragmentReader()
    for seq in range(1000):
        (piece,) = decode_fragments(datagrams.fragments(11, bytes(100), seq=seq, size=50)[0])[0]
        reader.feed(piece, seq, seq)

    assert len(reader.finish(0)) <= MOST_PENDING


def test_crypto_frames_far_ahead_are_left_out() -> None:
    stream = CryptoStream()
    for number in range(1000):
        assert not stream.feed(LARGEST * (number + 2), bytes(1000), number, number)

    assert not stream.finish(0)


def test_http_exchanges_and_heads_are_bounded() -> None:
    reader = HttpReader()
    for number in range(1000):
        reader.feed(Side.CLIENT, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", number)
    long = HttpReader()
    long.feed(Side.CLIENT, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * MOST_HEAD, 1)
    long.feed(Side.CLIENT, b"\r\nGET /second HTTP/1.1\r\n\r\n", 2)

    assert len(reader.exchanges()) <= MOST_EXCHANGES
    assert "/second" not in [exchange.path for exchange in long.exchanges()]


def test_a_dialogue_ends_after_so_many_octets() -> None:
    reader = PreambleReader()
    lines = b"250-it goes on\r\n" * 64
    states = [reader.feed(Side.SERVER, lines, number, number).state for number in range(MOST_OCTETS // len(lines) + 2)]

    assert states[0] is State.UNDECIDED
    assert states[-1] is State.NOT


# -- captures


@pytest.mark.parametrize("name", [each.name for each in compression.COMPRESSIONS])
def test_a_capture_expands_so_far_and_no_further(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import lz4.frame

    compress = {"gzip": gzip.compress, "zstd": zstandard.compress, "lz4": lz4.frame.compress}[name]
    monkeypatch.setattr(compression, "UNQUESTIONED_OCTETS", 1 << 20)
    monkeypatch.setattr(compression, "MOST_EXPANSION", 100)
    bomb = compress(pcap([FRAMES[0]._replace(data=bytes(200_000))] * 200))
    capture = open_octets(bomb)
    frames = list(capture)

    assert 1 <= len(frames) < 60
    assert "expands to more than 100 times its size" in capture.defects[0].problem


def test_a_frame_is_no_longer_than_the_window() -> None:
    octets = pcap([FRAMES[0]]) + struct.pack("<IIII", 0, 0, 0x7FFFFFFF, 0x7FFFFFFF) + bytes(1000)
    capture = open_octets(octets)

    assert len(list(islice(capture, 10))) == 1
    assert "2147483647" in capture.defects[0].problem.replace(",", "")


# -- the list of them


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"{limit.module}.{limit.name}")
def test_every_limit_in_the_list_is_a_number_in_the_code(limit: object) -> None:
    assert value_of(limit) > 0  # type: ignore[arg-type]


def test_the_page_has_the_limits_as_they_are() -> None:
    page = PAGE.read_text("utf-8")

    assert table(("what", "bound", "where", "beyond it"), limit_rows()) in page
