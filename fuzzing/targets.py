"""The targets: functions of any octets that raise nothing, whatever they are given.

What a target may meet is caught in it: the documented exceptions of the layer that it feeds.  Everything else, an
AssertionError about a property among it, is a finding.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fuzzing.opened import NAME, open_octets
from fuzzing.pieces import Piece, decode_pieces, split_key_log
from fuzzing.views import TEXTUAL, check_text, check_views
from tests.support.tcp import ACK, FIN, RST, SYN, Wire
from tlsinspect.capture.file import Capture
from tlsinspect.dtls.connection import Connection as DtlsConnection
from tlsinspect.dtls.record import begins_handshake
from tlsinspect.http.reader import HttpReader
from tlsinspect.inspector import inspect
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame, Side
from tlsinspect.net.packet import Datagram, PacketDecoder, Quoted, Segment, endpoints
from tlsinspect.net.reassembly import Chunk, Stream
from tlsinspect.preamble.reader import PreambleReader, State
from tlsinspect.quic.connection import Connection as QuicConnection
from tlsinspect.quic.packet import begins_connection
from tlsinspect.tls.connection import Connection
from tlsinspect.tls.der import name_text
from tlsinspect.tls.extensions import WHERE, decode_extension, decode_extensions
from tlsinspect.tls.keylog import Secrets
from tlsinspect.tls.messages import DECODERS, decode_message, decode_sslv2_message
from tlsinspect.tls.ocsp import decode_ocsp_response
from tlsinspect.tls.trust import build
from tlsinspect.tls.x509 import decode_certificate, matches_host
from tlsinspect.wire import Cursor, Malformed

MOST_FRAMES = 20_000  # of one input; a compressed one may hold more
LINK_TYPES = (1, 0, 12, 14, 101, 108, 113, 276, 228, 229, 9, 50, 51, 105, 119, 127, 163, 192, 104, 107, 239, 253, 224)
VERSIONS = (0, 0x0002, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x7F1C)
START_NS = 1_700_000_000_000_000_000
MIDDAY = datetime(2026, 1, 1, 12, tzinfo=UTC)


Begins = Callable[[bytes, int], bool]  # whether a datagram begins a handshake


@dataclass(frozen=True, slots=True)
class Target:
    """One function to fuzz, and how large its inputs get."""

    run: Callable[[bytes], None]
    most_octets: int = 4096  # of an input; what was found larger is cut by the fuzzer


# -- capture files and packets


def read_capture(data: bytes) -> None:
    """pcap, pcapng, snoop, Network Monitor, and these compressed: frames in order, none longer than what was read."""
    last = 0
    with open_octets(data) as capture:
        for frame in capture:
            assert frame.number > last, "frame numbers rise"
            last = frame.number
            if frame.number > MOST_FRAMES:
                break


def capture(data: bytes) -> None:
    """A capture file that may be none."""
    try:
        read_capture(data)
    except CaptureError as error:
        check_text(str(error))


def compressed(data: bytes) -> None:
    """A capture that is compressed in itself sound, or not: the first octet chooses."""
    if not data:
        return
    how = data[0] % 4
    octets = data[1:]
    if how == 0:
        octets = zlib.compress(octets, wbits=31)
    elif how == 1:
        import zstandard

        octets = zstandard.compress(octets, 1)
    elif how == 2:
        import lz4.frame

        octets = lz4.frame.compress(octets)
    capture(octets)


def packet(data: bytes) -> None:
    """Frames of any link type, each an octet for the link type, two for the length, the octets."""
    decoder = PacketDecoder()
    at = number = 0
    while len(data) - at > 3:
        number += 1
        link, size = data[at], int.from_bytes(data[at + 1 : at + 3], "big")
        octets = data[at + 3 : at + 3 + (size & 0x0FFF)]
        wire_length = len(octets) + (size >> 12)  # some were cut by a snap length
        at += 3 + len(octets)
        frame = Frame(number, START_NS + number, LINK_TYPES[link % len(LINK_TYPES)], octets, wire_length)
        found = decoder.decode(frame)
        if isinstance(found, Segment | Datagram | Quoted):
            endpoints(found.key)
        if isinstance(found, Segment | Datagram):
            assert len(found.payload) <= found.payload_octets, "no more octets than were on the wire"
        decoder.passed.clear()


def position_octet(position: int) -> int:
    """What stands at a position of the stream that `reassembly` sends."""
    return (position * 31 + (position >> 8)) & 0xFF


def reassembly(data: bytes) -> None:
    """Segments of one stream in any order and overlap: what comes out stands where it was sent."""
    if len(data) < 4:
        return
    base = int.from_bytes(data[:4], "big")
    stream = Stream(most_octets=4096)
    stream.start(base)
    chunks: list[Chunk] = []
    for at in range(4, len(data) - 3, 4):
        position = int.from_bytes(data[at : at + 2], "big")
        octets, captured = data[at + 2], data[at + 3]
        payload = bytes(position_octet(position + each) for each in range(min(octets, captured)))
        chunks += stream.feed((base + position) % (1 << 32), payload, octets, at, at)
        assert stream.held_octets <= 4096 + 256, "no more is held than the limit"
    chunks += stream.finish()
    position = 0
    for chunk in chunks:
        assert not (chunk.octets and chunk.gap), "octets or a gap"
        assert chunk.octets == bytes(position_octet(position + each) for each in range(len(chunk.octets)))
        position += len(chunk.octets) + chunk.gap
    assert position == stream.octets, "every octet is accounted for"


# -- TLS


def feed_tls(connection: Connection, pieces: Iterable[Piece]) -> None:
    """Feeds a connection to its end."""
    number = 0
    for piece in pieces:
        number += 1
        connection.feed(piece.side, Chunk(piece.octets, piece.missing, number, START_NS + number))
    connection.finish(START_NS + number)
    for event in connection.events:
        assert event.frames == tuple(sorted(event.frames)), "frames in order"


def tls(data: bytes) -> None:
    """Both directions of one connection, without keys."""
    feed_tls(Connection(), decode_pieces(data))


def tls_with_keys(data: bytes) -> None:
    """A key log, then both directions of one connection."""
    key_log, pieces = split_key_log(data)
    secrets = Secrets(key_log)
    secrets.growing = data[:1] == b"#"
    feed_tls(Connection(secrets=secrets), decode_pieces(pieces))


def message(data: bytes) -> None:
    """One handshake message: an octet for its type, one for the version and the side, two for the suite."""
    if len(data) < 4:
        return
    types = tuple(DECODERS)
    side = Side.SERVER if data[1] & 0x80 else Side.CLIENT
    decode_message(
        types[data[0] % len(types)],
        data[4:],
        side=side,
        version=VERSIONS[data[1] % len(VERSIONS)],
        cipher_suite=int.from_bytes(data[2:4], "big"),
        dtls=bool(data[1] & 0x40),
    )
    decode_sslv2_message(data[4:])


def extensions(data: bytes) -> None:
    """A list of extensions of one message, and its octets as the body of one extension."""
    if len(data) < 3:
        return
    messages = tuple(WHERE)
    where = messages[data[0] % len(messages)]
    decode_extension(int.from_bytes(data[1:3], "big"), data[3:], where, offset=0)
    try:
        decode_extensions(Cursor(data[1:]), where)
    except Malformed:  # the list says another length than there is; the decoder of the message makes a defect of it
        return


# -- certificates and keys


def certificate(data: bytes) -> None:
    """X.509: always a certificate, perhaps with defects."""
    found = decode_certificate(data)
    matches_host(found, "shop.example")
    hash(found)


def certificate_chain(data: bytes) -> None:
    """Certificates that follow each other, two octets of length before each: the search for a way to an anchor."""
    chain = [piece.octets for piece in decode_pieces(data)]
    found = [decode_certificate(der) for der in chain]
    if chain:
        build(chain, chain[-1:], found[0].not_before or MIDDAY)


def name(data: bytes) -> None:
    """A distinguished name."""
    try:
        name_text(data)
    except Malformed:  # the decoder of the certificate makes a defect of it
        return


def ocsp(data: bytes) -> None:
    """A stapled OCSP response."""
    decode_ocsp_response(data)


def key_log(data: bytes) -> None:
    """Key logs: lines that are malformed are counted."""
    secrets = Secrets()
    half = len(data) // 2
    secrets.add(data[:half])
    secrets.add(data[half:])
    assert secrets.malformed_lines <= len(data)


# -- what is before, behind and beside TLS over TCP


def http(data: bytes) -> None:
    """HTTP/1.1 and HTTP/2 in both directions."""
    reader = HttpReader()
    for number, piece in enumerate(decode_pieces(data), 1):
        if piece.missing:
            reader.lost(piece.side)
        else:
            reader.feed(piece.side, piece.octets, number)
    for exchange in reader.exchanges():
        json.dumps(exchange.path)


def preamble(data: bytes) -> None:
    """Dialogues before TLS: the octets of TLS come out as they went in."""
    reader = PreambleReader()
    sent = {Side.CLIENT: b"", Side.SERVER: b""}
    for number, piece in enumerate(decode_pieces(data), 1):
        sent[piece.side] += piece.octets
        verdict = reader.feed(piece.side, piece.octets, number, START_NS + number)
        if verdict.state is State.TLS:
            assert sent[Side.CLIENT].endswith(verdict.client), "the last octets of the client"
            assert sent[Side.SERVER].endswith(verdict.server), "the last octets of the server"
        if verdict.state in (State.TLS, State.NOT):
            return


def feed_datagrams(connection: DtlsConnection | QuicConnection, begins: Begins, pieces: Iterable[Piece]) -> None:
    """Feeds a connection over UDP to its end; a gap is a datagram that was cut so far."""
    number = cut = 0
    for piece in pieces:
        if piece.missing:
            cut = piece.missing
            continue
        number += 1
        if begins(piece.octets, len(piece.octets) + cut):
            connection.begins_anew(piece.octets)
        connection.feed(
            piece.side, piece.octets, octets=len(piece.octets) + cut, frame=number, time_ns=START_NS + number
        )
        cut = 0
    connection.finish(START_NS + number)


def dtls(data: bytes) -> None:
    """A key log, then the datagrams of both sides."""
    key_log, pieces = split_key_log(data)
    feed_datagrams(DtlsConnection(secrets=Secrets(key_log)), begins_handshake, decode_pieces(pieces))


def quic(data: bytes) -> None:
    """A key log, then the datagrams of both sides."""
    key_log, pieces = split_key_log(data)
    feed_datagrams(QuicConnection(secrets=Secrets(key_log)), begins_connection, decode_pieces(pieces))


# -- everything together


def dialogue(data: bytes) -> None:
    """A key log, then segments of one TCP connection with any flags: every view of what is found."""
    key_log, pieces = split_key_log(data)
    wire = Wire()
    wire.segment(Side.CLIENT, flags=SYN)
    wire.segment(Side.SERVER, flags=SYN | ACK)
    for piece in decode_pieces(pieces):
        if piece.missing:
            wire.next_seq[piece.side] = (wire.next_seq[piece.side] + piece.missing) % (1 << 32)
        else:
            flags = ACK | (piece.flags & 0x10 and FIN) | (piece.flags & 0x20 and RST)
            for at in range(0, max(len(piece.octets), 1), 16_000):
                wire.segment(piece.side, piece.octets[at : at + 16_000], flags)
    found = list(inspect(wire.frames, name=NAME, secrets=Secrets(key_log), plain=True))
    check_views(found)


def end_to_end(data: bytes) -> None:
    """The octets of a capture, through every view and format."""
    try:
        with open_octets(data) as capture:
            secrets = Secrets(b"".join(capture.key_logs))
            found = list(inspect(_first(capture), name=NAME, secrets=secrets, plain=True))
    except CaptureError as error:
        check_text(str(error))
        return
    for defect in capture.defects:
        assert defect.problem, "a sentence"
    check_views(found, formats=TEXTUAL)


def _first(capture: Capture) -> Iterable[Frame]:
    """The first frames of a capture."""
    for frame in capture:
        if frame.number > MOST_FRAMES:
            return
        yield frame


TARGETS: Mapping[str, Target] = {
    "capture": Target(capture),
    "compressed": Target(compressed),
    "packet": Target(packet),
    "reassembly": Target(reassembly, 2048),
    "tls": Target(tls, 16_384),
    "tls-with-keys": Target(tls_with_keys, 16_384),
    "message": Target(message),
    "extensions": Target(extensions, 1024),
    "certificate": Target(certificate),
    "certificate-chain": Target(certificate_chain, 8192),
    "name": Target(name, 512),
    "ocsp": Target(ocsp, 2048),
    "key-log": Target(key_log, 1024),
    "http": Target(http, 4096),
    "preamble": Target(preamble),
    "dtls": Target(dtls, 8192),
    "quic": Target(quic, 8192),
    "dialogue": Target(dialogue, 16_384),
    "end-to-end": Target(end_to_end, 16_384),
}
