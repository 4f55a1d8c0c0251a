"""Handshakes with client authentication, and what the server did with it, for tests of the causes."""

from __future__ import annotations

import datetime
import functools
from typing import Any

from tests.support.handshakes import (
    MILLISECOND,
    STARTED_NS,
    TLS13,
    alert_seen,
    certificate_der,
    chain,
    client_hello,
    elsewhere,
    handshake,
    server_hello,
    tls13,
)
from tlsinspect.diagnosis.rule import Case, Cause, Finding, Meant, Severity
from tlsinspect.http.reader import HttpReader
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Ending, EndingKind, Event, Handshake, HttpExchange, Mark, Outcome, Transport
from tlsinspect.model.message import (
    Alert,
    ApplicationData,
    CertificateRequest,
    EncryptedRecord,
    Message,
    PlainMessage,
)

NOON = datetime.datetime(2026, 11, 23, 12)
FINISHED = PlainMessage(20, 12)


@functools.cache
def certificate(
    subject: str,
    issuer: str,
    *,
    usages: tuple[str, ...] | None = ("clientAuth",),
    expires_in_days: int = 100,
    begins_in_days: int = -100,
    digital_signature: bool | None = None,
) -> bytes:
    """A certificate; subject and issuer as "organization/common name".  Signed by some key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(0xC0FFEE)
        .not_valid_before(NOON + datetime.timedelta(days=begins_in_days))
        .not_valid_after(NOON + datetime.timedelta(days=expires_in_days))
    )
    if usages is not None:
        known = {"clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH, "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH}
        builder = builder.add_extension(x509.ExtendedKeyUsage([known[each] for each in usages]), False)
    if digital_signature is not None:
        builder = builder.add_extension(x509.KeyUsage(digital_signature, *[not digital_signature] + [False] * 7), True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def name(text: str) -> Any:
    """A distinguished name from "organization/common name"."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    organization, _, common_name = text.partition("/")
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def request(*authorities: str, **overrides: Any) -> CertificateRequest:
    """A CertificateRequest of TLS 1.2 that names authorities."""
    found: dict[str, Any] = {
        "certificate_types": (1, 64),
        "signature_algorithms": (0x0403, 0x0804),
        "certificate_authorities": tuple(name(each).public_bytes() for each in authorities),
    }
    return CertificateRequest(**(found | overrides))


def answered_with(
    certificates: tuple[bytes, ...],
    *after: tuple[Side, Message],
    asked: CertificateRequest | Missing | None = None,
    **overrides: Any,
) -> Handshake:
    """A handshake in which the client sent these certificates, and then came the messages *after*.

    It is completed when *after* has both Finished, else rejected or closed by what ends it.
    """
    sent = chain(*certificates)
    asked = request("Acme/Acme Root") if asked is None else asked
    server_chain = chain(certificate_der("a.example", "a.example"))
    first = (
        (Side.CLIENT, client_hello()),
        (Side.SERVER, server_hello()),
        (Side.SERVER, server_chain),
        (Side.SERVER, asked),
        (Side.CLIENT, sent),
    )
    events = events_of(*(each for each in (*first, *after) if not isinstance(each[1], Missing)))
    alerts = tuple(
        alert_seen(
            event.message.description,
            event.side,
            level=event.message.level,
            frame=event.frames[0],
            time_ns=event.time_ns,
        )
        for event in events
        if isinstance(event.message, Alert)
    )
    finished = {side for side, message in after if message == FINISHED}
    completed = finished == {Side.CLIENT, Side.SERVER}
    fatal = next((seen for seen in alerts if seen.alert.level == 2), None)
    outcome = Outcome.REJECTED if fatal else Outcome.COMPLETED if completed else Outcome.CLOSED
    return handshake(
        **(
            {
                "certificate_request": asked,
                "client_certificates": sent,
                "server_certificates": server_chain,
                "events": events,
                "alerts": alerts,
                "outcome": outcome,
                "ending": fatal and Ending(EndingKind.ALERT, fatal.side, fatal.time_ns, fatal.frame, fatal.alert),
            }
            | overrides
        )
    )


def events_of(*messages: tuple[Side, Message]) -> tuple[Event, ...]:
    """Events a millisecond and a frame apart, from frame 4 on."""
    return tuple(
        Event(side=side, time_ns=STARTED_NS + number * MILLISECOND, frames=(number,), message=message)
        for number, (side, message) in enumerate(messages, start=4)
    )


def refused(description: int, *certificates: bytes, **overrides: Any) -> Handshake:
    """The server answers the client's certificates with a fatal alert."""
    return answered_with(certificates, (Side.SERVER, Alert(2, description)), **overrides)


def accepted(*certificates: bytes, **overrides: Any) -> Handshake:
    """The server completes the handshake and serves the client."""
    served = (Side.SERVER, ApplicationData(200))
    return answered_with(certificates, (Side.CLIENT, FINISHED), (Side.SERVER, FINISHED), served, **overrides)


def answered_in_http(reply: bytes, *certificates: bytes, **overrides: Any) -> Handshake:
    """The server completes the handshake and answers in HTTP, opened with keys."""
    told = (Side.SERVER, ApplicationData(len(reply) + 17))
    overrides = {"http": exchanges_in(reply)} | overrides
    return answered_with(certificates, (Side.CLIENT, FINISHED), (Side.SERVER, FINISHED), told, **overrides)


def exchanges_in(reply: bytes) -> tuple[HttpExchange, ...]:
    """What the reader of HTTP makes of an answer alone."""
    reader = HttpReader()
    reader.feed(Side.SERVER, reply, 20)
    return reader.exchanges()


def closed_by_server(*certificates: bytes, after_ms: int = 20, **overrides: Any) -> Handshake:
    """The server closes after the client's flight, without an alert, as gRPC servers do."""
    fin = Mark(Side.SERVER, frame=20, time_ns=STARTED_NS + after_ms * MILLISECOND)
    ending = Ending(EndingKind.FIN, Side.SERVER, fin.time_ns, frame=20)
    return answered_with(certificates, **({"tcp": Transport(fins=(fin,)), "ending": ending} | overrides))


def hidden_flights(client: tuple[int, ...], server: tuple[int, ...], **overrides: Any) -> Handshake:
    """TLS 1.3 without keys: records of these sizes from the client after the server's flight, then from the server."""
    flight = (27, 120, 739, 96, 69)
    hello = server_hello(TLS13, cipher_suite=0x1302)
    events = events_of(
        (Side.CLIENT, client_hello()),
        (Side.SERVER, hello),
        *((Side.SERVER, EncryptedRecord(23, size)) for size in flight),
        *((Side.CLIENT, EncryptedRecord(23, size)) for size in client),
        *((Side.SERVER, EncryptedRecord(23, size)) for size in server),
    )
    return tls13(**({"server_hello": hello, "events": events} | overrides))


def case(value: Handshake, **meant: Any) -> Case:
    """The case of one handshake, judged at noon of its day."""
    return Case(handshake=value, meant=Meant(at=NOON.replace(tzinfo=datetime.UTC), **meant))


# -- what a cause says -------------------------------------------------------------------------------------------------


def found(cause: Cause, value: Handshake, **meant: str) -> Finding:
    """What a cause says of a handshake."""
    finding = cause.check(case(value, **meant))
    assert finding is not None
    return finding


def silent(cause: Cause, value: Handshake, **meant: str) -> bool:
    """Whether a cause says nothing of a handshake."""
    return cause.check(case(value, **meant)) is None


def severity(cause: Cause, finding: Finding) -> Severity:
    """The severity that the engine gives to a finding."""
    return cause.severity if finding.severity is None else finding.severity


def of_pair(cause: Cause, left: Handshake, right: Handshake) -> Finding | None:
    """What a cause says of a pair; the right one is of the capture curl.pcap."""
    assert cause.compare is not None
    return cause.compare(case(left), case(elsewhere(right, capture="curl.pcap")))


# -- certificates, and what servers say to them ------------------------------------------------------------------------

ALICE = certificate("Acme/alice", "Acme/Acme Root")
BOB = certificate("Acme/bob", "Acme/Acme Root")
ROBOT = certificate("Acme/robot", "Acme/Acme Issuing 1")
ISSUING = certificate("Acme/Acme Issuing 1", "Acme/Acme Root", usages=None)
MALLORY = certificate("Acme/mallory", "Zeta Corp/Zeta CA")
OLD = certificate("Acme/old", "Acme/Acme Root", expires_in_days=-10)
NEW = certificate("Acme/new", "Acme/Acme Root", begins_in_days=10)
SERVER_ONLY = certificate("Acme/svc", "Acme/Acme Root", usages=("serverAuth",))
NGINX_MISSING = b"HTTP/1.1 400 Bad Request\r\n\r\n<h1>400 Bad Request</h1>No required SSL certificate was sent"
NGINX_ERROR = b"HTTP/1.1 400 Bad Request\r\n\r\n<h1>400 Bad Request</h1>The SSL certificate error"
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
