"""Fingerprints of hello messages: JA3 and JA3S as tshark computes them, JA4 as FoxIO describes it.

JA3: https://github.com/salesforce/ja3.  JA4 (of the client, BSD-3-Clause):
https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md.  The other members of JA4+ have another licence.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from tlsinspect.model.message import ClientHello, ExtensionBlock, ServerHello
from tlsinspect.registry import is_grease

SERVER_NAME = 0
SUPPORTED_GROUPS = 10
EC_POINT_FORMATS = 11
SIGNATURE_ALGORITHMS = 13
APPLICATION_LAYER_PROTOCOL_NEGOTIATION = 16
SUPPORTED_VERSIONS = 43
_MOST_LISTS = 4096  # kept of each kind of list, as a client program sends the same ones in every hello


def ja3_text(hello: ClientHello) -> str:
    """What JA3 hashes: version, cipher suites, extensions, groups and point formats, GREASE left out.

    Empty for a hello in SSL 2.0 framing, for which JA3 is not defined.
    """
    if hello.sslv2_framing:
        return ""
    return ",".join(
        (
            str(hello.legacy_version),
            _decimal(hello.cipher_suites),
            _decimal(_types(hello)),
            _decimal(_codes(hello, SUPPORTED_GROUPS)),
            _decimal(_codes(hello, EC_POINT_FORMATS)),
        )
    )


def ja3(hello: ClientHello) -> str:
    """The JA3 fingerprint in hexadecimal; empty where ja3_text is."""
    return _md5(ja3_text(hello))


def ja3s_text(hello: ServerHello) -> str:
    """What JA3S hashes: version, cipher suite and extensions."""
    extensions = _decimal(_types(hello))
    return f"{hello.legacy_version},{hello.cipher_suite},{extensions}"


def ja3s(hello: ServerHello) -> str:
    """The JA3S fingerprint in hexadecimal."""
    return _md5(ja3s_text(hello))


_JA4_TRANSPORTS = {"tcp": "t", "quic": "q", "dtls": "d"}
_JA4_VERSIONS = {
    0x0304: "13",
    0x0303: "12",
    0x0302: "11",
    0x0301: "10",
    0x0300: "s3",
    0x0002: "s2",
    0xFEFF: "d1",
    0xFEFD: "d2",
    0xFEFC: "d3",
}


def ja4(hello: ClientHello, *, transport: str = "tcp") -> str:
    """The JA4 fingerprint; *transport* is "tcp", "quic" or "dtls"."""
    types = _types(hello)
    suite_count, suites = _ja4_suites(hello.cipher_suites)
    type_count, extensions = _ja4_extensions(types, _codes(hello, SIGNATURE_ALGORITHMS))
    head = (
        _JA4_TRANSPORTS[transport],
        _JA4_VERSIONS.get(_ja4_version(hello), "00"),
        "d" if SERVER_NAME in types else "i",
        f"{min(suite_count, 99):02}",
        f"{min(type_count, 99):02}",
        _ja4_alpn(hello),
    )
    return f"{''.join(head)}_{suites}_{extensions}"


@lru_cache(maxsize=_MOST_LISTS)
def _ja4_suites(codes: tuple[int, ...]) -> tuple[int, str]:
    """How many cipher suites there are, and their hash in JA4."""
    suites = sorted(f"{code:04x}" for code in codes if not is_grease(code))
    return len(suites), _sha256_12(",".join(suites))


@lru_cache(maxsize=_MOST_LISTS)
def _ja4_extensions(types: tuple[int, ...], schemes: tuple[int, ...]) -> tuple[int, str]:
    """How many extensions there are, and their hash with that of the signature schemes in JA4."""
    types = tuple(code for code in types if not is_grease(code))
    hashed = sorted(
        f"{code:04x}" for code in types if code not in (SERVER_NAME, APPLICATION_LAYER_PROTOCOL_NEGOTIATION)
    )
    algorithms = [f"{code:04x}" for code in schemes if not is_grease(code)]
    extensions = ",".join(hashed) + ("_" + ",".join(algorithms) if algorithms else "")
    return len(types), _sha256_12(extensions if hashed else "")


def _ja4_version(hello: ClientHello) -> int:
    """The highest version that the hello offers; the numbers of DTLS count down (RFC 6347 section 4.1)."""
    offered = [code for code in _codes(hello, SUPPORTED_VERSIONS) if not is_grease(code)]
    if not offered:
        return hello.legacy_version
    datagram = [code for code in offered if code >> 8 == 0xFE]
    return min(datagram) if datagram else max(offered)


def _ja4_alpn(hello: ClientHello) -> str:
    """First and last character of the first protocol, of its hexadecimal form when they are not alphanumeric."""
    for extension in hello.extensions:
        if extension.type == APPLICATION_LAYER_PROTOCOL_NEGOTIATION:
            # ProtocolNameList: two octets of length, then each name behind one (RFC 7301 section 3.1).
            first = extension.data[3 : 3 + extension.data[2]] if len(extension.data) > 3 else b""
            break
    else:
        return "00"
    if not first:
        return "00"
    ends = bytes((first[0], first[-1]))
    if ends.isalnum():
        return ends.decode("ascii")
    return first.hex()[0] + first.hex()[-1]


def _codes(hello: ExtensionBlock, extension_type: int) -> tuple[int, ...]:
    """The decoded list of code points of an extension, empty when there is none."""
    body = hello.body(extension_type)
    return body if isinstance(body, tuple) else ()


def _types(hello: ExtensionBlock) -> tuple[int, ...]:
    return tuple([extension.type for extension in hello.extensions])


@lru_cache(maxsize=_MOST_LISTS)
def _decimal(codes: tuple[int, ...]) -> str:
    return "-".join(str(code) for code in codes if not is_grease(code))


@lru_cache(maxsize=_MOST_LISTS)
def _md5(text: str) -> str:
    return hashlib.md5(text.encode("ascii"), usedforsecurity=False).hexdigest() if text else ""


def _sha256_12(text: str) -> str:
    """Half of a JA4 hash; twelve zeros stand for an empty list."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:12] if text else "0" * 12
