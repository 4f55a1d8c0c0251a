"""Time is linear in the size of a capture, whatever it is made of: four times the octets, about four times the time."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from fuzzing.opened import open_octets
from tests.support import datagrams, handshakes, hostile
from tests.support.captures import FRAMES, pcap
from tests.support.hostile import Work
from tests.support.octets import extension, vector
from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.diagnosis.engine import diagnose
from tlsinspect.diagnosis.rule import Case
from tlsinspect.http.reader import HttpReader
from tlsinspect.inspector import inspect
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame, Side
from tlsinspect.model.message import Extension, NewSessionTicket
from tlsinspect.net.packet import PacketDecoder
from tlsinspect.net.reassembly import Stream
from tlsinspect.preamble.reader import PreambleReader
from tlsinspect.report.explanation import explanation
from tlsinspect.report.handshake import handshake_report
from tlsinspect.report.objects import handshake_object
from tlsinspect.sessions import Sessions
from tlsinspect.tls.extensions import SESSION_TICKET
from tlsinspect.tls.keylog import Secrets

FACTOR = 4
MOST_GROWTH = 9.0  # what is quadratic grows sixteen times; noise and caches leave room above four
SENT_MS = datagrams.MS


def inspecting(frames: list[Frame]) -> Work:
    """Reads frames and makes what every view is made of."""

    def work() -> None:
        for handshake in inspect(frames, name="hostile.pcap"):
            case = Case(handshake=handshake)
            found = diagnose(case, CAUSES)
            handshake_object(case)
            handshake_report(("hostile.pcap",), case)
            explanation(("hostile.pcap",), [(case, found)])

    return work


def reading(octets: bytes) -> Work:
    """Reads a capture file without looking into its frames."""

    def work() -> None:
        try:
            with open_octets(octets) as capture:
                for _ in capture:
                    pass
        except CaptureError:
            return

    return work


# -- TCP


def one_octet_segments(count: int) -> Work:
    hello = hostile.record(22, hostile.client_hello(hostile.server_name(b"a.example")))
    data = hostile.record(23, bytes(1 << 14)) * (count >> 14) + hostile.record(23, bytes(count & 0x3FFF))
    return inspecting(hostile.connection([(Side.CLIENT, hello), (Side.SERVER, data)], segment=1))


def streaming(segments: Iterable[tuple[int, bytes]]) -> Work:
    fed = list(segments)

    def work() -> None:
        stream = Stream()
        stream.start(0)
        for number, (seq, octets) in enumerate(fed):
            stream.feed(seq, octets, len(octets), number, number)
        stream.finish()

    return work


def reverse_order(count: int) -> Work:
    return streaming((at * 10, bytes(10)) for at in reversed(range(count)))


def every_second_first(count: int) -> Work:
    order = [*range(1, count, 2), *range(0, count, 2)]
    return streaming((at * 10, bytes(10)) for at in order)


def holes_without_end(count: int) -> Work:
    return streaming((at * 20 + 10, bytes(10)) for at in range(count))


def overlapping(count: int) -> Work:
    return streaming((10 + at, bytes(1000)) for at in range(count))


def overlapping_backwards(count: int) -> Work:
    return streaming((10 + at, bytes(1000)) for at in reversed(range(count)))


def the_same_again(count: int) -> Work:
    return streaming((10 + at % 50 * 20, bytes(15)) for at in range(count))


def flows_of_one_syn(count: int) -> Work:
    frames = [hostile.syn(number) for number in range(count)]

    def work() -> None:
        for _ in inspect(frames, name="hostile.pcap", plain=True):
            pass

    return work


def tunnels(depth: int) -> Work:
    """Frames of headers in headers; a thousand of each depth, as one takes no time that could be measured."""
    inner = struct.pack(">BBHHHBBH", 0x45, 0, 0, 0, 0, 64, 4, 0) + b"\x0a\0\0\1\x0a\0\0\2"
    frame = Frame(1, 0, 101, inner * depth, 20 * depth)

    def work() -> None:
        decoder = PacketDecoder()
        for _ in range(1000):
            decoder.decode(frame)

    return work


def labels(depth: int) -> Work:
    octets = bytes(12) + b"\x88\x47" + b"\0\0\x10\x40" * depth
    frame = Frame(1, 0, 1, octets, len(octets))

    def work() -> None:
        decoder = PacketDecoder()
        for _ in range(1000):
            decoder.decode(frame)

    return work


def decoding(frames: list[Frame]) -> Work:
    def work() -> None:
        decoder = PacketDecoder()
        for frame in frames:
            decoder.decode(frame)

    return work


def fragments_of_one_datagram(count: int) -> Work:
    return decoding(
        [
            hostile.ip_fragment(at + 1, identification=1, at=at * 8 % 60_000, octets=bytes(8), more=at % 500 > 0)
            for at in range(count)
        ]
    )


def fragments_of_many_datagrams(count: int) -> Work:
    return decoding(
        [
            hostile.ip_fragment(at + 1, identification=at & 0xFFFF, at=8, octets=bytes(8), more=True)
            for at in range(count)
        ]
    )


# -- TLS


def tiny_records(count: int) -> Work:
    message = hostile.client_hello(extension(21, bytes(min(count, 60_000))))
    return inspecting(hostile.connection([(Side.CLIENT, hostile.in_records(message[:count], 1))]))


def records_after_the_hello(count: int) -> Work:
    hello = hostile.record(22, hostile.client_hello())
    answer = hostile.record(22, hostile.server_hello()) + hostile.record(22, b"\x0e\0\0\0") * count
    return inspecting(hostile.connection([(Side.CLIENT, hello), (Side.SERVER, answer)]))


def alerts(count: int) -> Work:
    hello = hostile.record(22, hostile.client_hello())
    return inspecting(hostile.connection([(Side.CLIENT, hello), (Side.SERVER, hostile.record(21, b"\1\0") * count)]))


def many_extensions(count: int) -> Work:
    hello = hostile.client_hello(*(extension(0x1A1A + at, b"") for at in range(count)))
    return inspecting(hostile.connection([(Side.CLIENT, hostile.in_records(hello, 1 << 14))]))


def many_names_in_one_list(count: int) -> Work:
    names = b"".join(vector(1, b"p%05d" % at) for at in range(count))
    hello = hostile.client_hello(hostile.server_name(b"a.example"), extension(16, vector(2, names)))
    return inspecting(hostile.connection([(Side.CLIENT, hostile.in_records(hello, 1 << 14))]))


def with_chain(chain: bytes) -> Work:
    """A client that meets a chain, and refuses it."""
    hello = hostile.record(22, hostile.client_hello(hostile.server_name(b"a.example")))
    answer = hostile.in_records(hostile.server_hello() + chain, 1 << 14)
    refusal = hostile.record(21, b"\2\x30")
    return inspecting(hostile.connection([(Side.CLIENT, hello), (Side.SERVER, answer), (Side.CLIENT, refusal)]))


def long_chain(count: int) -> Work:
    chain = [hostile.small_certificate(at) for at in range(count)]
    return with_chain(hostile.certificates(*chain))


def empty_certificates(count: int) -> Work:
    return with_chain(hostile.certificates(*([b"0"] * count)))


def many_names_in_a_certificate(count: int) -> Work:
    return with_chain(hostile.certificates(hostile.certificate_with_names(count)))


def nested_der(depth: int) -> Work:
    return with_chain(hostile.certificates(hostile.nested(depth)))


def with_wrong_keys(octets: bytes) -> Work:
    """The server's records, and a key log that opens none of them."""
    labels = ("CLIENT_RANDOM", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET")
    sizes = {"CLIENT_RANDOM": 48}
    lines = (
        f"{label} {bytes(32).hex()} {bytes([at]).hex() * sizes.get(label, 32)}\n" for label in labels for at in (1, 2)
    )
    key_log = "".join(lines).encode()
    hello = hostile.record(22, hostile.client_hello(extension(43, b"\2\3\4")))
    frames = hostile.connection([(Side.CLIENT, hello), (Side.SERVER, octets)])

    def work() -> None:
        for _ in inspect(frames, name="hostile.pcap", secrets=Secrets(key_log)):
            pass

    return work


def records_that_nothing_opens(count: int) -> Work:
    answer = hostile.record(22, hostile.server_hello(extension(43, b"\3\4")))
    return with_wrong_keys(answer + hostile.record(23, bytes(20)) * count)


def server_hellos_with_keys(count: int) -> Work:
    return with_wrong_keys(hostile.record(22, hostile.server_hello(extension(43, b"\3\4"))) * count)


def ciphers_changed_with_keys(count: int) -> Work:
    return with_wrong_keys(hostile.record(22, hostile.server_hello()) + hostile.record(20, b"\1") * count)


# -- DTLS and QUIC


def dtls_fragments(count: int) -> Work:
    body = hostile.client_hello(extension(21, bytes(count)))[4:]
    pieces = datagrams.fragments(1, body, seq=0, size=1)
    sent = [(Side.CLIENT, datagrams.record(22, piece, sequence=at)) for at, piece in enumerate(pieces)]
    return inspecting(datagrams.frames(sent))


def crypto_frames(count: int) -> Work:
    message = hostile.client_hello(extension(21, bytes(count)))
    return quic_pieces([(at, message[at : at + 1]) for at in range(len(message))])


def crypto_frames_backwards(count: int) -> Work:
    message = hostile.client_hello(extension(21, bytes(count)))
    return quic_pieces([(at, message[at : at + 1]) for at in reversed(range(len(message)))])


def quic_pieces(pieces: list[tuple[int, bytes]]) -> Work:
    """Initial packets of two hundred CRYPTO frames each."""
    destination = b"\1\2\3\4\5\6\7\x08"
    keys = datagrams.initial_keys(destination, Side.CLIENT)
    sent = []
    for number, at in enumerate(range(0, len(pieces), 200)):
        payload = b"".join(datagrams.crypto_frame(octets, offset) for offset, octets in pieces[at : at + 200])
        packet = datagrams.long_packet(keys, payload, destination=destination, source=b"", number=number)
        sent.append((Side.CLIENT, packet))
    return inspecting(datagrams.frames(sent))


# -- what is spoken before and inside of TLS


def dialogue(unit: Callable[[int], tuple[Side, bytes]]) -> Callable[[int], Work]:
    def scenario(count: int) -> Work:
        units = [unit(at) for at in range(count)]

        def work() -> None:
            reader = PreambleReader()
            for number, (side, octets) in enumerate(units, 1):
                reader.feed(side, octets, number, number)

        return work

    return scenario


def refused_again(at: int) -> tuple[Side, bytes]:
    return (Side.SERVER, b"454 no\r\n") if at % 2 else (Side.CLIENT, b"STARTTLS\r\n")


def error_of_single_octets(count: int) -> Work:
    """Answers whose contents come octet by octet."""

    def work() -> None:
        reader = HttpReader()
        for number in range(count):
            reader.feed(Side.CLIENT, b"GET / HTTP/1.1\r\n\r\n", number)
            reader.feed(Side.SERVER, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 1000\r\n\r\n", number)
            for _ in range(1000):
                reader.feed(Side.SERVER, b"a", number)

    return work


CHUNKED = b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


def http_octets(octets: bytes, count: int, head: bytes = b"GET / HTTP/1.1\r\n") -> Work:
    def work() -> None:
        reader = HttpReader()
        reader.feed(Side.CLIENT, head, 1)
        for number in range(count):
            reader.feed(Side.CLIENT, octets, number)
        reader.exchanges()

    return work


def key_log_of_one_connection(count: int) -> Work:
    line = "CLIENT_HANDSHAKE_TRAFFIC_SECRET " + "00" * 32 + " {:064x}\n"
    text = "".join(line.format(at) for at in range(count)).encode()
    return lambda: Secrets(text)


# -- sessions


def chain_of_resumptions(count: int) -> Work:
    """Each handshake takes up the session of the one before, and issues the next ticket."""
    found = []
    for number in range(count):
        hello = handshakes.client_hello()
        hello = replace(hello, extensions=(*hello.extensions, Extension(SESSION_TICKET, b"", b"ticket %d" % number)))
        made = handshakes.resumed if number else handshakes.handshake
        tickets = (NewSessionTicket(lifetime_seconds=300, ticket=b"ticket %d" % (number + 1)),)
        started_ns = handshakes.STARTED_NS + number * 1_000_000_000
        found.append(made(client_hellos=(hello,), session_tickets=tickets, stream=number, started_ns=started_ns))

    def work() -> None:
        sessions = Sessions()
        for handshake in found:
            sessions.add(handshake)
            sessions.origin(handshake)
        for handshake in found[1:]:
            origin = sessions.origin(handshake)
            assert origin is not None
            assert origin.first is found[0]

    return work


SCENARIOS: dict[str, tuple[Callable[[int], Work], int]] = {
    "segments of one octet": (one_octet_segments, 1_500),
    "segments in reverse order": (reverse_order, 4_000),
    "every second segment first": (every_second_first, 4_000),
    "holes without end": (holes_without_end, 4_000),
    "segments that overlap": (overlapping, 3_000),
    "segments that overlap, backwards": (overlapping_backwards, 3_000),
    "the same segments again": (the_same_again, 5_000),
    "connections of one SYN": (flows_of_one_syn, 600),
    "IP in IP": (tunnels, 100),
    "MPLS labels": (labels, 100),
    "fragments of one datagram": (fragments_of_one_datagram, 3_000),
    "fragments of many datagrams": (fragments_of_many_datagrams, 2_000),
    "records of one octet": (tiny_records, 4_000),
    "messages after the hello": (records_after_the_hello, 3_000),
    "alerts": (alerts, 3_000),
    "records that nothing opens": (records_that_nothing_opens, 2_000),
    "ServerHellos with keys": (server_hellos_with_keys, 1_000),
    "ChangeCipherSpecs with keys": (ciphers_changed_with_keys, 4000),
    "extensions": (many_extensions, 1_500),
    "names in one list": (many_names_in_one_list, 2000),
    "certificates in a chain": (long_chain, 50),
    "certificates of one octet": (empty_certificates, 800),
    "names in a certificate": (many_names_in_a_certificate, 500),
    "nested DER": (nested_der, 4000),
    "DTLS fragments of one octet": (dtls_fragments, 500),
    "CRYPTO frames of one octet": (crypto_frames, 1_500),
    "CRYPTO frames of one octet, backwards": (crypto_frames_backwards, 1_500),
    "a dialogue of single octets": (dialogue(lambda _: (Side.SERVER, b"a")), 1_500),
    "a dialogue of short lines": (dialogue(lambda _: (Side.SERVER, b"a\r\n")), 4000),
    "a request that is refused again and again": (dialogue(refused_again), 1000),
    "a head of single octets": (lambda count: http_octets(b"a", count), 4000),
    "a head of short lines": (lambda count: http_octets(b"a:b\r\n", count), 2000),
    "a chunk size of single octets": (lambda count: http_octets(b"1", count, CHUNKED), 6000),
    "trailers in one record": (lambda count: http_octets(b"a\n" * 8000, count // 8000, CHUNKED + b"0\r\n"), 16_000),
    "an error of single octets": (error_of_single_octets, 1),
    "secrets of one connection": (key_log_of_one_connection, 1500),
    "sessions taken up one after the other": (chain_of_resumptions, 300),
    "gzip members of nothing": (lambda count: reading(hostile.gzip_of_many_members(count, pcap())), 5000),
    "pcapng blocks of nothing": (lambda count: reading(hostile.pcapng_of_small_blocks(count, 0x0BAD)), 10_000),
    "pcapng interfaces": (lambda count: reading(hostile.pcapng_of_interfaces(count, FRAMES[0])), 1_500),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_time_grows_with_the_size(name: str) -> None:
    scenario, size = SCENARIOS[name]

    assert hostile.growth(scenario, size, FACTOR) < MOST_GROWTH
