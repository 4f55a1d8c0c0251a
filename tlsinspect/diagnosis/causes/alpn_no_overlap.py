"""The server serves none of the application protocols that the client offers.

## What happened

The client listed application protocols (ALPN), such as `h2` and `http/1.1`; the server has a list too, and they have
nothing in common. Many servers then refuse; Apache and HAProxy go on without a protocol, and some clients (gRPC) refuse
that in turn.

## On the wire

TLS 1.2: ClientHello with the extension application_layer_protocol_negotiation(16), then the fatal alert
no_application_protocol(120). TLS 1.3: with OpenSSL servers the same in clear; Go and rustls send a ServerHello first
and the alert encrypted.

## How to confirm

`openssl s_client -alpn http/1.1` and `-alpn h2` tell what the server takes.

## What it is not

An HTTP error: no request was sent.
"""

from __future__ import annotations

from tlsinspect.diagnosis.alpn_fixes import OFFER_PROTOCOLS, SERVE_PROTOCOLS
from tlsinspect.diagnosis.facts import (
    alert_text,
    asked_nothing,
    at_frame,
    ending_alert,
    hello_frame,
    offered_alpn,
    quoted,
    resumed,
)
from tlsinspect.diagnosis.log_lines import alert_lines
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Missing, Side

NO_APPLICATION_PROTOCOL = 120
HTTP2 = "h2"


def check(case: Case) -> Finding | None:
    """The server says so, or chose none of the offer and the client left."""
    handshake = case.handshake
    offered = offered_alpn(handshake)
    if not isinstance(offered, tuple) or not offered:
        return None
    offer = f"The client offers the application protocols {protocols(offered)}{at_frame(hello_frame(handshake))}"
    seen = ending_alert(handshake, Side.SERVER)
    if seen is not None and seen.alert.description == NO_APPLICATION_PROTOCOL:
        return Finding(
            certainty=Certainty.STATED,
            explanation=f"{offer}, and the server serves none of it: alert {alert_text(seen)}{at_frame(seen.frame)}.",
            evidence=("client_hello.alpn", "server_alert"),
            fill=(("alpn", ",".join(offered)),),
        )
    chosen = case.value("server_hello.alpn")
    if chosen is Missing.NOT_SENT and HTTP2 in offered and "http/1.1" not in offered and asked_nothing(handshake):
        if resumed(handshake):
            return None
        return Finding(
            certainty=Certainty.LIKELY,
            explanation=(
                f"{offer}, the server chose none of it, and the client closed after the handshake without a request, "
                "as gRPC clients do. A client that refused the certificate would look the same."
            ),
            evidence=("client_hello.alpn", "server_hello.alpn"),
        )
    return None


def protocols(names: tuple[str, ...]) -> str:
    """Protocol names in a sentence."""
    return ", ".join(quoted(name) for name in names)


CAUSE = Cause(
    code="alpn-no-overlap",
    title="The server serves none of the application protocols offered",
    stage=Stage.ROUTING,
    severity=Severity.ERROR,
    looks_at=("client_hello.alpn", "server_hello.alpn", "server_alert"),
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=(
        *SERVE_PROTOCOLS,
        *OFFER_PROTOCOLS,
        Fix("gRPC", "Let a server without ALPN pass for the time being.", "GRPC_ENFORCE_ALPN_ENABLED=false"),
    ),
    log_lines=(
        *alert_lines(NO_APPLICATION_PROTOCOL),
        ("gRPC", "credentials: cannot check peer: missing selected ALPN property"),
        ("gRPC", "Cannot check peer: missing selected ALPN property."),
        ("Node", "tlsClientError ERR_SSL_NO_APPLICATION_PROTOCOL no application protocol"),
        ("OpenSSL", "error:0A0000EB:SSL routines:tls_handle_alpn:no application protocol"),
        ("Go", "tls: client requested unsupported application protocols"),
        ("Caddy", "http: TLS handshake error from ADDRESS: tls: client requested unsupported application protocols"),
        ("Traefik", "http: TLS handshake error from ADDRESS: tls: client requested unsupported application protocols"),
    ),
    references=("RFC 7301 section 3.2",),
    explanation=__doc__,
)
