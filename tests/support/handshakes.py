"""Handshake values with sensible defaults, for tests that start above the parser.

`handshake()` is a completed TLS 1.2 handshake without client authentication; every part can be given otherwise.
"""

from __future__ import annotations

import datetime
import functools
from dataclasses import replace
from typing import Any

from tlsinspect.model.frame import Endpoint, Missing, Side
from tlsinspect.model.handshake import AlertSeen, Ending, EndingKind, Event, Handshake, Outcome, Resumption, Visibility
from tlsinspect.model.message import (
    Alert,
    CertificateEntry,
    CertificateMessage,
    CertificateRequest,
    ClientHello,
    Extension,
    KeyShare,
    PlainMessage,
    ServerHello,
)
from tlsinspect.tls import extensions as ext

STARTED_NS = 1_795_424_400_123_456_789  # 2026-11-23T09:00:00.123456789Z
MILLISECOND = 1_000_000
CLIENT = Endpoint("10.0.0.1", 40312)
SERVER = Endpoint("10.0.0.2", 443)
TLS12, TLS13 = 0x0303, 0x0304


def client_hello(
    server_name: str | None = "a.example",
    *,
    alpn: tuple[str, ...] | None = ("h2", "http/1.1"),
    cipher_suites: tuple[int, ...] = (0x1301, 0xC02F),
    supported_versions: tuple[int, ...] | None = (TLS13, TLS12),
    supported_groups: tuple[int, ...] = (0x001D, 0x0017),
    key_share_groups: tuple[int, ...] = (0x001D,),
    signature_algorithms: tuple[int, ...] = (0x0403, 0x0804),
    **overrides: Any,
) -> ClientHello:
    """A ClientHello; None leaves an extension out."""
    bodies = (
        (ext.SERVER_NAME, server_name),
        (ext.SUPPORTED_GROUPS, supported_groups),
        (ext.ALPN, alpn),
        (ext.SIGNATURE_ALGORITHMS, signature_algorithms),
        (ext.SUPPORTED_VERSIONS, supported_versions),
        (ext.KEY_SHARE, tuple(KeyShare(group, 32) for group in key_share_groups)),
    )
    found: dict[str, Any] = {
        "legacy_version": TLS12,
        "random": bytes(range(32)),
        "legacy_session_id": b"",
        "cipher_suites": cipher_suites,
        "legacy_compression_methods": b"\0",
        "extensions": tuple(Extension(kind, b"", body) for kind, body in bodies if body is not None),
    }
    return ClientHello(**(found | overrides))


def server_hello(version: int = TLS12, *, alpn: str | None = None, **overrides: Any) -> ServerHello:
    """A ServerHello of TLS 1.2, or of TLS 1.3 with a key share."""
    extensions = [Extension(ext.ALPN, b"", alpn)] if alpn else []
    if version == TLS13:
        extensions += [Extension(ext.SUPPORTED_VERSIONS, b"", TLS13), Extension(ext.KEY_SHARE, b"", KeyShare(0x1D, 32))]
    found: dict[str, Any] = {
        "legacy_version": TLS12,
        "random": bytes(range(32, 64)),
        "legacy_session_id_echo": b"\x5e" * 32,
        "cipher_suite": 0x1301 if version == TLS13 else 0xC02F,
        "legacy_compression_method": 0,
        "extensions": tuple(extensions),
        "version": version,
    }
    return ServerHello(**(found | overrides))


@functools.cache
def certificate_der(common_name: str = "a.example", *dns_names: str, issuer: str | None = None) -> bytes:
    """A certificate, signed with its own key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    issued_by = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issued_by)
        .public_key(key.public_key())
        .serial_number(0xC0FFEE)
        .not_valid_before(datetime.datetime(2026, 1, 1))
        .not_valid_after(datetime.datetime(2027, 1, 1))
    )
    if dns_names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in dns_names]), False)
    from cryptography.hazmat.primitives.serialization import Encoding

    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def chain(*certificates: bytes) -> CertificateMessage:
    """A Certificate message, leaf first."""
    return CertificateMessage(entries=tuple(CertificateEntry(der) for der in certificates))


def alert_seen(
    description: int, side: Side = Side.SERVER, *, level: int = 2, frame: int = 6, time_ns: int = STARTED_NS
) -> AlertSeen:
    """An alert as seen on the wire."""
    return AlertSeen(side=side, alert=Alert(level, description), frame=frame, time_ns=time_ns)


def handshake(**overrides: Any) -> Handshake:
    """A completed TLS 1.2 handshake; *overrides* replace fields of it, events follow from the messages."""
    found: dict[str, Any] = {
        "capture": "nginx.pcap",
        "stream": 0,
        "client": CLIENT,
        "server": SERVER,
        "started_ns": STARTED_NS,
        "ended_ns": STARTED_NS + 12 * MILLISECOND,
        "first_frame": 1,
        "last_frame": 12,
        "outcome": Outcome.COMPLETED,
        "ending": None,
        "history": "Csxkn",
        "visibility": Visibility.CLEAR,
        "client_hellos": (client_hello(),),
        "server_hello": server_hello(),
        "server_certificates": chain(certificate_der("a.example", "a.example", "www.a.example")),
        "resumption": Resumption(offered=(), accepted=None),
    } | overrides
    return Handshake(**({"events": events(found)} | found))


def events(found: dict[str, Any]) -> tuple[Event, ...]:
    """The events of the messages given, one frame each from frame 4 on."""
    messages = (
        *((Side.CLIENT, hello) for hello in found["client_hellos"][:1]),
        (Side.SERVER, found["server_hello"]),
        (Side.SERVER, found["server_certificates"]),
        (Side.SERVER, found.get("certificate_request")),
        (Side.CLIENT, found.get("client_certificates")),
        *((Side.CLIENT, PlainMessage(20, 12)) for _ in range(found["outcome"] is Outcome.COMPLETED)),
        *((seen.side, seen.alert) for seen in found.get("alerts", ())),
    )
    present = [
        (side, message) for side, message in messages if message is not None and not isinstance(message, Missing)
    ]
    return tuple(
        Event(side=side, time_ns=found["started_ns"] + number * MILLISECOND, frames=(number,), message=message)
        for number, (side, message) in enumerate(present, start=4)
    )


def rejected(description: int = 112, side: Side = Side.SERVER, **overrides: Any) -> Handshake:
    """A handshake that one side refused with a fatal alert, by default right after the ClientHello."""
    seen = alert_seen(description, side, frame=5, time_ns=STARTED_NS + 5 * MILLISECOND)
    return handshake(
        **(
            {
                "outcome": Outcome.REJECTED,
                "ending": Ending(EndingKind.ALERT, side, seen.time_ns, frame=5, alert=seen.alert),
                "ended_ns": seen.time_ns,
                "alerts": (seen,),
                "history": "CL" if side is Side.CLIENT else "Cl",
                "server_hello": Missing.NOT_SENT,
                "server_certificates": Missing.NOT_SENT,
            }
            | overrides
        )
    )


def tls13(**overrides: Any) -> Handshake:
    """A completed TLS 1.3 handshake of which no keys are known."""
    return handshake(
        **(
            {
                "server_hello": server_hello(TLS13),
                "visibility": Visibility.HIDDEN,
                "encrypted_extensions": Missing.HIDDEN,
                "server_certificates": Missing.HIDDEN,
                "certificate_request": Missing.HIDDEN,
                "client_certificates": Missing.HIDDEN,
                "session_tickets": Missing.HIDDEN,
            }
            | overrides
        )
    )


def mutual(identity: str = "alice", **overrides: Any) -> Handshake:
    """A completed TLS 1.2 handshake in which the client proved an identity."""
    return handshake(
        **(
            {
                "certificate_request": CertificateRequest(certificate_types=(1, 64), signature_algorithms=(0x0403,)),
                "client_certificates": chain(certificate_der(identity, issuer="ca")),
            }
            | overrides
        )
    )


def resumed(how: str = "session_ticket", **overrides: Any) -> Handshake:
    """A completed TLS 1.2 handshake that took up an earlier session."""
    return handshake(
        **(
            {
                "resumption": Resumption(offered=(how,), accepted=how),
                "server_certificates": Missing.NOT_SENT,
                "stream": 1,
                "started_ns": STARTED_NS + 1000 * MILLISECOND,
                "ended_ns": STARTED_NS + 1008 * MILLISECOND,
            }
            | overrides
        )
    )


def elsewhere(value: Handshake, **overrides: Any) -> Handshake:
    """The same handshake in another place, such as another capture or stream."""
    return replace(value, **overrides)
