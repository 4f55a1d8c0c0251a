"""The server answered the ClientHello with something that is no TLS.

## What happened

The client sent a proper ClientHello; the first octets of the server are no TLS record. Most often the port speaks plain
HTTP, or a mail, SSH or database server greets first, or a proxy expects CONNECT.

## On the wire

ClientHello, then readable text such as `HTTP/1.1 400 Bad Request` or `220 mail ESMTP`. TLS 1.2 and TLS 1.3 look the
same. A TLS alert of the client after that is a consequence: it could not read the answer.

## How to confirm

Ask the port in plain: `curl http://host:port/`, or `nc host port` for a greeting.

## What it is not

A version mismatch, though OpenSSL says "wrong version number": it read the text as a record header. If the client
spoke plain text first, it is `not-tls-client`.
"""

from __future__ import annotations

from tlsinspect.diagnosis.causes import starttls_refused
from tlsinspect.diagnosis.facts import at_frame, first_line, hello_frame, hello_of, plain_frame, plain_octets, quoted
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.reach_fixes import LISTEN, SPEAK_PLAIN
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Missing, Side

SSLV2_SERVER_HELLO = 4


def check(case: Case) -> Finding | None:
    """A ClientHello was answered with octets that are no TLS record."""
    handshake = case.handshake
    answer = plain_octets(handshake, Side.SERVER)
    if not answer or hello_of(handshake) is None or handshake.server_hello is not Missing.NOT_SENT:
        return None
    if is_sslv2_hello(answer) or starttls_refused.check(case) is not None:
        return None
    frame, hello = plain_frame(handshake, Side.SERVER), hello_frame(handshake)
    before = frame is not None and hello is not None and frame < hello
    did = "had already said" if before else "answered the ClientHello with"
    behind = f" when the ClientHello came{at_frame(hello)}" if before else ""
    explanation = f"The server {did} {quoted(first_line(answer))}{at_frame(frame)}{behind}, which is no TLS."
    if any(seen.side is Side.CLIENT for seen in handshake.alerts):
        explanation += " The client's alert is its answer to that."
    return Finding(certainty=Certainty.SHOWN, explanation=explanation, evidence=("client_hello.server_name", "outcome"))


def is_sslv2_hello(octets: bytes) -> bool:
    """Whether octets begin as the SERVER-HELLO of SSL 2.0: a record header of two octets and the message type 4."""
    return len(octets) > 2 and octets[0] & 0x80 != 0 and octets[2] == SSLV2_SERVER_HELLO


CAUSE = Cause(
    code="not-tls-server",
    title="The server answered the ClientHello with something that is no TLS",
    stage=Stage.TRANSPORT,
    severity=Severity.ERROR,
    looks_at=("outcome", "preamble.protocol"),
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=(
        *LISTEN,
        *SPEAK_PLAIN,
        Fix("OpenSSL", "For mail and databases ask for TLS first.", "openssl s_client -starttls smtp -connect HOST:25"),
        Fix("curl", "For mail ask for TLS first.", "curl --ssl-reqd smtp://HOST:587", Side.CLIENT),
        Fix("GnuTLS", "For mail ask for TLS first.", "gnutls-cli --starttls-proto smtp --port 587 HOST", Side.CLIENT),
        Fix("Python", "For mail ask for TLS first.", "server.starttls(context=context)", Side.CLIENT),
        Fix("any client", "Reach an HTTP proxy with http:// and ask it for CONNECT.", "", Side.CLIENT),
    ),
    log_lines=(
        (
            "nginx",
            "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) "
            "while SSL handshaking to upstream",
        ),
        ("curl", "curl: (35) error:0A00010B:SSL routines::wrong version number"),
        ("OpenSSL", "error:0A00010B:SSL routines:ssl3_get_record:wrong version number"),
        ("GnuTLS", "*** Fatal error: An unexpected TLS packet was received."),
        ("Go", "http: server gave HTTP response to HTTPS client"),
        ("Go", "tls: first record does not look like a TLS handshake"),
        ("Java", "Unsupported or unrecognized SSL message"),
        ("Node", "write EPROTO error:0A00010B:SSL routines:ssl3_get_record:wrong version number"),
        ("Python", "[SSL: WRONG_VERSION_NUMBER] wrong version number"),
        ("HAProxy", "error:0A00010B:SSL routines::wrong version number"),
        ("Apache", "SSL Library Error: error:0A00010B:SSL routines::wrong version number"),
        (
            "Envoy",
            "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, "
            "transport failure reason: "
            "TLS_error:|268435703:SSL_routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end",
        ),
        ("Caddy", "tls: first record does not look like a TLS handshake"),
        ("Traefik", 'error="tls: first record does not look like a TLS handshake"'),
        (".NET", "Cannot determine the frame size or a corrupted frame was received."),
        ("Chrome", "ERR_SSL_PROTOCOL_ERROR"),
        ("Firefox", "SSL_ERROR_RX_RECORD_TOO_LONG"),
    ),
    references=("RFC 8446 section 5.1", "RFC 5246 section 6.2.1"),
    explanation=__doc__,
)
