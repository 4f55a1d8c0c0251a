"""Seeds: inputs of every target, cut out of captures.

    python -m fuzzing.seeds FOLDER [CAPTURES ...]

Without CAPTURES those of the repository are taken, and those of ../shared/corpora where they are.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from fuzzing.pieces import Piece, encode_pieces, with_key_log
from fuzzing.targets import LINK_TYPES, TARGETS, VERSIONS
from tlsinspect.capture.file import open_capture
from tlsinspect.inspector import Inspector
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame, Side
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import CertificateMessage, CertificateRequest, CertificateStatus
from tlsinspect.net.packet import Datagram, PacketDecoder, Segment, reverse
from tlsinspect.net.reassembly import Chunk, Stream
from tlsinspect.tls.extensions import WHERE
from tlsinspect.tls.handshake import MessageReader
from tlsinspect.tls.keylog import Secrets
from tlsinspect.tls.messages import DECODERS
from tlsinspect.tls.record import Record, RecordReader

ROOT = Path(__file__).resolve().parents[1]
PLACES = (ROOT / "captures", ROOT.parent / "shared" / "corpora")
KINDS = (".pcap", ".pcapng", ".cap", ".zst", ".gz", ".lz4", ".snoop")
MOST_CAPTURE_OCTETS = 200_000
MOST_FRAMES = 400
MOST_PIECES = 60
MOST_STREAMS = 4  # of one capture

Seed = tuple[str, bytes]  # target, octets

HTTP = (
    (b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    (
        b"POST /a?b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n2e\r\n"
        b"<h1>No required SSL certificate was sent</h1>\n\r\n0\r\n\r\n",
    ),
    (b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.0 502 Bad Gateway\r\n\r\nbad gateway"),
    (b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x01a"),
    (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"
        b"\0\0\x0d\x01\x05\0\0\0\x01\x82\x84\x87\x41\x88\x2f\x91\xd3\x5d\x05\x5c\x87\xa7",
        b"\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x02\0\x01\0\0\0\x01ok",
    ),
)


def seeds_of(path: Path) -> Iterator[Seed]:
    """What one capture gives to every target."""
    octets = path.read_bytes()
    yield "capture", octets[: TARGETS["capture"].most_octets]
    if len(octets) <= TARGETS["end-to-end"].most_octets:
        yield "end-to-end", octets
        yield "compressed", b"\0" + octets[:4000]
        yield "compressed", b"\3" + gzip.compress(octets[:4000])
    key_log = next((log.read_bytes() for log in key_logs_of(path) if log.is_file()), b"")
    if key_log:
        yield "key-log", key_log[: TARGETS["key-log"].most_octets]
    try:
        with open_capture(path) as capture:
            frames = [frame for frame, _ in zip(capture, range(MOST_FRAMES), strict=False)]
            key_log = b"".join([key_log, *capture.key_logs])
    except CaptureError:
        return
    yield from packet_seeds(frames)
    yield from handshake_seeds(frames, Secrets(key_log))
    yield from conversation_seeds(frames, key_log)


def key_logs_of(path: Path) -> tuple[Path, ...]:
    """Where the key log of a capture may be."""
    return path.with_name(path.name + ".keylog"), path.parent / "keys.log"


def packet_seeds(frames: list[Frame]) -> Iterator[Seed]:
    """The first frames of every kind."""
    packed = b""
    for frame in frames[:8]:
        if frame.link_type in LINK_TYPES:
            octets = frame.data[:1500]
            packed += bytes([LINK_TYPES.index(frame.link_type)]) + len(octets).to_bytes(2, "big") + octets
    yield "packet", packed[: TARGETS["packet"].most_octets]


def handshake_seeds(frames: list[Frame], secrets: Secrets) -> Iterator[Seed]:
    """Certificates, names and OCSP responses of the handshakes."""
    inspector = Inspector(secrets=secrets)
    handshakes: list[Handshake] = [each for frame in frames for each in inspector.feed(frame)]
    for handshake in [*handshakes, *inspector.finish()]:
        for event in handshake.events:
            if isinstance(event.message, CertificateMessage):
                chain = [entry.der for entry in event.message.entries]
                for der in chain:
                    yield "certificate", der
                yield "certificate-chain", encode_pieces(Piece(Side.CLIENT, der) for der in chain)
            elif isinstance(event.message, CertificateRequest):
                for authority in event.message.certificate_authorities:
                    yield "name", authority
            elif isinstance(event.message, CertificateStatus):
                yield "ocsp", event.message.response


def conversation_seeds(frames: list[Frame], key_log: bytes) -> Iterator[Seed]:
    """The octets of both sides of the first conversations."""
    talks: dict[bytes, list[Piece]] = {}
    streams: dict[bytes, Stream] = {}
    udp: set[bytes] = set()
    decoder = PacketDecoder()
    for frame in frames:
        found = decoder.decode(frame)
        if not isinstance(found, Segment | Datagram) or not found.payload:
            continue
        from_server = reverse(found.key) in talks
        key = reverse(found.key) if from_server else found.key
        side = Side.SERVER if from_server else Side.CLIENT
        pieces = talks.setdefault(key, [])
        if isinstance(found, Datagram):
            udp.add(key)
            pieces.append(Piece(side, found.payload))
            continue
        stream = streams.setdefault(found.key, Stream())
        for chunk in stream.feed(found.seq, found.payload, found.payload_octets, frame.number, frame.time_ns):
            pieces.append(Piece(side, chunk.octets, chunk.gap))
    for key, pieces in list(talks.items())[:MOST_STREAMS]:
        packed = encode_pieces(pieces[:MOST_PIECES])
        if key in udp:
            is_quic = pieces[0].octets[0] & 0x40
            yield "quic" if is_quic else "dtls", packed
            if key_log:
                yield "quic" if is_quic else "dtls", with_key_log(key_log[:2000], packed)
            continue
        yield "dialogue", packed
        yield "preamble", encode_pieces(pieces[:8])
        if pieces[0].octets[:1] in (b"\x16", b"\x80"):
            yield "tls", packed
            if key_log:
                yield "tls-with-keys", with_key_log(key_log[:4000], packed)
                yield "dialogue", with_key_log(key_log[:4000], packed)
            yield from message_seeds(pieces)


def message_seeds(pieces: list[Piece]) -> Iterator[Seed]:
    """The messages of the clear part, and their extensions."""
    types, places = tuple(DECODERS), tuple(WHERE)
    for side in Side:
        records, messages = RecordReader(), MessageReader()
        for piece in pieces:
            if piece.side is not side:
                continue
            for record in records.feed(Chunk(piece.octets, piece.missing, 1, 0)):
                if not isinstance(record, Record) or record.type == 20:
                    return
                if record.type != 22:
                    continue
                for raw in messages.feed(record.fragment, record.frames, 0):
                    if raw.type in types:
                        flags = (side is Side.SERVER) << 7 | VERSIONS.index(0x0303)
                        yield "message", bytes([types.index(raw.type), flags, 0xC0, 0x2F]) + raw.body
                    if raw.type in places and raw.type <= 2:
                        yield "extensions", bytes([places.index(raw.type)]) + extensions_of(raw.body, raw.type)


def extensions_of(body: bytes, message: int) -> bytes:
    """The extensions of a hello, from their length on."""
    at = 34
    at += 1 + body[at] if len(body) > at else 0
    if message == 2:
        return body[at + 3 :]
    at += 2 + int.from_bytes(body[at : at + 2], "big")
    at += 1 + body[at] if len(body) > at else 0
    return body[at:]


def written(folder: Path, seeds: Iterable[Seed]) -> int:
    """Writes seeds, each once, into a folder for its target; how many."""
    count = 0
    for target, octets in seeds:
        octets = octets[: TARGETS[target].most_octets]
        path = folder / target / hashlib.sha1(octets, usedforsecurity=False).hexdigest()
        if octets and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(octets)
            count += 1
    return count


def captures_in(places: Iterable[Path]) -> list[Path]:
    """The captures of some folders, small ones, in order."""
    found = []
    for place in places:
        files = [place] if place.is_file() else sorted(place.rglob("*"))
        found += [
            file
            for file in files
            if file.suffix in KINDS and file.is_file() and file.stat().st_size <= MOST_CAPTURE_OCTETS
        ]
    return found


def main() -> None:
    """Writes the seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to write: a folder in it for each target")
    parser.add_argument("captures", type=Path, nargs="*", default=list(PLACES), help="captures, or folders of them")
    arguments = parser.parse_args()
    count = 0
    for path in captures_in(arguments.captures):
        count += written(arguments.folder, seeds_of(path))
    count += written(
        arguments.folder,
        (
            ("http", encode_pieces((Piece(Side.CLIENT, request), Piece(Side.SERVER, response))))
            for request, response in HTTP
        ),
    )
    count += written(arguments.folder, [("reassembly", bytes(4) + bytes(range(1, 81)))])
    print(f"{count} seeds written to {arguments.folder}.")


if __name__ == "__main__":
    main()
