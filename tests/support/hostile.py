"""Captures that are made to cost time or memory, and how what they cost is measured."""

from __future__ import annotations

import datetime
import functools
import gc
import gzip
import struct
import time
import zlib
from collections.abc import Callable, Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.support import datagrams
from tests.support.captures import block, enhanced_packet, interface, section
from tests.support.octets import extension, vector
from tests.support.tcp import ACK, FIN, SYN, Wire
from tlsinspect.model.frame import Frame, Side

Work = Callable[[], object]

CLIENT_HELLO, CERTIFICATE = 1, 11


def cost(work: Work, rounds: int = 2) -> float:
    """The processor time of a piece of work in seconds: the least of several rounds, as noise only adds."""
    least = float("inf")
    for _ in range(rounds):
        gc.collect()
        started = time.process_time()
        work()
        least = min(least, time.process_time() - started)
    return least


def growth(scenario: Callable[[int], Work], size: int, factor: int = 4) -> float:
    """How many times as long a scenario takes that is *factor* times as large."""
    small, large = scenario(size), scenario(size * factor)
    small()  # what is imported and kept for good is no part of the cost
    return cost(large) / cost(small)


# -- octets of TLS


def record(content_type: int, fragment: bytes, version: int = 0x0301) -> bytes:
    """One record."""
    return bytes([content_type]) + version.to_bytes(2, "big") + vector(2, fragment)


def client_hello(*extensions: bytes) -> bytes:
    """A ClientHello message with these extensions."""
    body = b"\x03\x03" + bytes(32) + b"\0" + vector(2, b"\x13\x01\xc0\x2f") + b"\1\0" + vector(2, *extensions)
    return datagrams.handshake_message(CLIENT_HELLO, body)


def server_hello(*extensions: bytes) -> bytes:
    """A ServerHello message, of TLS 1.2 unless an extension says otherwise."""
    suite = b"\x13\x01" if extensions else b"\xc0\x2f"
    return datagrams.handshake_message(2, b"\x03\x03" + bytes(32) + b"\0" + suite + b"\0" + vector(2, *extensions))


def server_hello_of_tls12(*extensions: bytes) -> bytes:
    """A ServerHello message of TLS 1.2 with extensions."""
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\xc0\x2f" + b"\0" + vector(2, *extensions)
    return datagrams.handshake_message(2, body)


def server_name(name: bytes) -> bytes:
    """The extension server_name."""
    return extension(0, vector(2, b"\0" + vector(2, name)))


def certificates(*chain: bytes) -> bytes:
    """A Certificate message of TLS 1.2."""
    return datagrams.handshake_message(CERTIFICATE, vector(3, *(vector(3, der) for der in chain)))


def in_records(octets: bytes, size: int) -> bytes:
    """Handshake octets in records of that size."""
    return b"".join(record(22, octets[at : at + size]) for at in range(0, len(octets), size))


# -- frames of one connection


def connection(sent: Iterable[tuple[Side, bytes]], *, segment: int = 1400, close: bool = True) -> list[Frame]:
    """The frames of a connection on which this is sent, in segments of that size."""
    wire = Wire()
    wire.segment(Side.CLIENT, flags=SYN)
    wire.segment(Side.SERVER, flags=SYN | ACK)
    for side, octets in sent:
        for at in range(0, len(octets), segment):
            wire.segment(side, octets[at : at + segment])
    if close:
        wire.segment(Side.CLIENT, flags=FIN | ACK)
        wire.segment(Side.SERVER, flags=FIN | ACK)
    return wire.frames


def renumbered(frames: Iterable[Frame]) -> list[Frame]:
    """Frames in another order, with the numbers and times of their places."""
    return [frame._replace(number=number, time_ns=datagrams.MS * number) for number, frame in enumerate(frames, 1)]


def syn(number: int) -> Frame:
    """The SYN of a connection of its own."""
    source = struct.pack(">I", 0x0B000000 + number // 60_000)
    tcp = struct.pack(">HHIIBBHHH", 1024 + number % 60_000, 443, number, 0, 5 << 4, SYN, 65535, 0, 0)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + source + b"\x0a\0\0\2"
    return Frame(number + 1, number * 1000, 101, ip + tcp, 40)


def ip_fragment(number: int, *, identification: int, at: int, octets: bytes, more: bool) -> Frame:
    """A fragment of a UDP datagram over IPv4."""
    flags = (0x2000 if more else 0) | at // 8
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(octets), identification, flags, 64, 17, 0)
    data = ip + b"\x0a\0\0\1\x0a\0\0\2" + octets
    return Frame(number, number * 1000, 101, data, len(data))


# -- containers


def gzip_of_many_members(count: int, octets: bytes = b"") -> bytes:
    """gzip members that hold next to nothing, behind one that holds the beginning."""
    empty = gzip.compress(b"", mtime=0)
    return gzip.compress(octets, mtime=0) + empty * count


def gzip_bomb(head: bytes, zeros: int) -> bytes:
    """gzip data of some octets and then zeros."""
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(head)]
    parts += [packer.compress(bytes(1 << 20)) for _ in range(zeros >> 20)]
    return b"".join([*parts, packer.flush()])


def pcapng_of_small_blocks(count: int, kind: int) -> bytes:
    """A pcapng file of blocks that hold no packet."""
    return section() + interface() + block(kind, b"\0\0\0\0") * count


def pcapng_of_interfaces(count: int, frame: Frame) -> bytes:
    """A pcapng file with an interface for each packet."""
    packets = b"".join(interface() + enhanced_packet(frame, index=index) for index in range(count))
    return section() + packets


# -- certificates


@functools.cache
def small_certificate(number: int) -> bytes:
    """A certificate that the one with the next number has issued, without any extension."""
    return certificate(f"CA {number}", issuer=f"CA {number + 1}")


@functools.cache
def certificate_with_names(count: int) -> bytes:
    """A certificate for that many names of hosts."""
    return certificate("a.example", names=[f"host-{number}.example" for number in range(count)])


def certificate(subject: str, *, issuer: str | None = None, names: Iterable[str] = ()) -> bytes:
    """A certificate that a key of the tests has signed."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(common_name(subject))
        .issuer_name(common_name(issuer or subject))
        .public_key(KEY.public_key())
        .serial_number(0xC0FFEE)
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2040, 1, 1))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def common_name(text: str) -> x509.Name:
    """A name of one attribute."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def nested(depth: int) -> bytes:
    """SEQUENCEs of indefinite sense: each holds the next alone."""
    der = b""
    for _ in range(depth):
        size = len(der)
        head = bytes([size]) if size < 128 else b"\x83" + size.to_bytes(3, "big")
        der = b"\x30" + head + der
    return der


KEY = ec.generate_private_key(ec.SECP256R1())
