"""UDP datagrams in frames, and the packets of QUIC and records of DTLS that they carry, octet by octet."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tlsinspect.inspector import Inspector, Limits
from tlsinspect.model.frame import Frame, Side
from tlsinspect.model.handshake import Handshake
from tlsinspect.quic.versions import VERSIONS
from tlsinspect.tls.ciphers import number_mask
from tlsinspect.tls.key_schedule import hkdf_expand_label
from tlsinspect.tls.keylog import Secrets

MS = 1_000_000
CLIENT, SERVER = (b"\x0a\0\0\x01", 50000), (b"\x0a\0\0\x02", 443)
RAW_IPV4 = 228
HEADER_OF_IP_AND_UDP = 28
V1, V2 = 0x00000001, 0x6B3343CF
RANDOM, OTHER_RANDOM = bytes(range(32)), bytes(range(32, 64))

Sent = tuple[Side, bytes]


def frame(number: int, side: Side, payload: bytes, *, time_ns: int | None = None, client: int = CLIENT[1]) -> Frame:
    """A frame with one datagram over IPv4."""
    ends = [(CLIENT[0], client), SERVER]
    source, destination = ends if side is Side.CLIENT else ends[::-1]
    udp = struct.pack(">HHHH", source[1], destination[1], 8 + len(payload), 0)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp) + len(payload), 0, 0, 64, 17, 0) + source[0] + destination[0]
    data = ip + udp + payload
    return Frame(number, number * MS if time_ns is None else time_ns, RAW_IPV4, data, len(data))


def frames(sent: Iterable[Sent]) -> list[Frame]:
    """A frame for each datagram, a millisecond apart."""
    return [frame(number, side, payload) for number, (side, payload) in enumerate(sent, 1)]


def inspected(taken: Iterable[Frame], secrets: Secrets | None = None, limits: Limits | None = None) -> list[Handshake]:
    """The handshakes of frames."""
    inspector = Inspector(secrets=secrets, limits=limits)
    found = [handshake for each in taken for handshake in inspector.feed(each)]
    return [*found, *inspector.finish()]


# -- TLS


def handshake_message(message_type: int, body: bytes) -> bytes:
    """A handshake message of TLS.  RFC 8446 section 4."""
    return bytes([message_type]) + len(body).to_bytes(3, "big") + body


def vector(prefix: int, octets: bytes) -> bytes:
    return len(octets).to_bytes(prefix, "big") + octets


def client_hello(
    *,
    version: int = 0x0303,
    random: bytes = RANDOM,
    cookie: bytes | None = None,
    name: str = "a.example",
    more: bytes = b"",
) -> bytes:
    """The body of a ClientHello of TLS 1.3, in DTLS with a cookie in it."""
    server_name = vector(2, vector(2, b"\0" + vector(2, name.encode())))
    supported = vector(2, vector(1, b"\x03\x04" if version == 0x0303 else b"\xfe\xfd"))
    extensions = b"\0\0" + server_name + b"\0\x2b" + supported + more
    hello = version.to_bytes(2, "big") + random + vector(1, b"")
    if cookie is not None:
        hello += vector(1, cookie)
    return hello + vector(2, b"\x13\x01\xc0\x2f") + vector(1, b"\0") + vector(2, extensions)


def server_hello(*, version: int = 0x0303, suite: int = 0x1301, selected: int | None = 0x0304) -> bytes:
    """The body of a ServerHello."""
    extensions = b"" if selected is None else b"\0\x2b\0\x02" + selected.to_bytes(2, "big")
    hello = version.to_bytes(2, "big") + RANDOM[::-1] + vector(1, b"") + suite.to_bytes(2, "big") + b"\0"
    return hello + vector(2, extensions)


# -- DTLS


def record(content_type: int, octets: bytes, *, epoch: int = 0, sequence: int = 0, version: int = 0xFEFD) -> bytes:
    """RFC 6347 section 4.1."""
    return struct.pack(">BHHHIH", content_type, version, epoch, 0, sequence, len(octets)) + octets


def fragments(message_type: int, body: bytes, *, seq: int, size: int = 1 << 14) -> list[bytes]:
    """The fragments of a message, of *size* octets at most.  RFC 6347 section 4.2.2."""
    found = []
    for offset in range(0, len(body) or 1, size):
        part = body[offset : offset + size]
        header = bytes([message_type]) + len(body).to_bytes(3, "big") + seq.to_bytes(2, "big")
        found.append(header + offset.to_bytes(3, "big") + len(part).to_bytes(3, "big") + part)
    return found


def dtls_message(message_type: int, body: bytes, *, seq: int, **options: int) -> bytes:
    """A message in a record of its own."""
    return record(22, fragments(message_type, body, seq=seq)[0], **options)


# -- QUIC


@dataclass(frozen=True)
class Keys:
    """What protects the packets of one side."""

    key: bytes
    iv: bytes
    hp: bytes


def initial_keys(destination: bytes, side: Side, version: int = V1) -> Keys:
    """RFC 9001 section 5.2, made by the key schedule that tests/tls judges."""
    import hmac

    secret = hmac.digest(VERSIONS[version].salt, destination, "sha256")
    label = b"client in" if side is Side.CLIENT else b"server in"
    return keys_of(hkdf_expand_label(secret, label, b"", 32, hash_name="sha256"), version)


def keys_of(secret: bytes, version: int = V1) -> Keys:
    """The keys of TLS_AES_128_GCM_SHA256 under a secret."""
    label = VERSIONS[version].label
    sizes = ((b"key", 16), (b"iv", 12), (b"hp", 16))
    return Keys(*(hkdf_expand_label(secret, label + name, b"", size, hash_name="sha256") for name, size in sizes))


def varint(value: int) -> bytes:
    """RFC 9000 section 16, in two octets or four."""
    return (value | 1 << 14).to_bytes(2, "big") if value < 1 << 14 else (value | 2 << 30).to_bytes(4, "big")


def crypto_frame(octets: bytes, offset: int = 0) -> bytes:
    """RFC 9000 section 19.6."""
    return b"\x06" + varint(offset) + varint(len(octets)) + octets


def close_frame(error: int, reason: bytes = b"") -> bytes:
    """RFC 9000 section 19.19."""
    return b"\x1c" + varint(error) + b"\0" + varint(len(reason)) + reason


def protected(keys: Keys, header: bytes, payload: bytes, *, number: int) -> bytes:
    """A packet; *header* goes up to the packet number, of which it announces four octets.  RFC 9001 section 5."""
    whole = header + number.to_bytes(4, "big")
    nonce = (int.from_bytes(keys.iv, "big") ^ number).to_bytes(12, "big")
    sealed = AESGCM(keys.key).encrypt(nonce, payload, whole)
    mask = number_mask("AES_128_GCM", keys.hp, sealed[:16])
    first = whole[0] ^ mask[0] & (0x0F if whole[0] & 0x80 else 0x1F)
    hidden = bytes(octet ^ by for octet, by in zip(whole[-4:], mask[1:], strict=False))
    return bytes([first]) + whole[1:-4] + hidden + sealed


def long_packet(
    keys: Keys,
    payload: bytes,
    *,
    destination: bytes,
    source: bytes,
    kind: int = 0,
    version: int = V1,
    number: int = 0,
    token: bytes = b"",
) -> bytes:
    """A packet with a long header; *kind* is 0 for Initial, 1 for 0-RTT, 2 for Handshake, as in version 1."""
    payload = payload.ljust(4, b"\0")
    bits = (kind + 1) % 4 if version == V2 else kind
    header = bytes([0xC3 | bits << 4]) + version.to_bytes(4, "big") + vector(1, destination) + vector(1, source)
    if kind == 0:
        header += varint(len(token)) + token
    return protected(keys, header + varint(4 + len(payload) + 16), payload, number=number)


def short_packet(keys: Keys, payload: bytes, *, destination: bytes, number: int = 0) -> bytes:
    """A 1-RTT packet."""
    return protected(keys, b"\x43" + destination, payload.ljust(4, b"\0"), number=number)
