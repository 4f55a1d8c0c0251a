"""The client spoke something other than TLS to a TLS port.

## What happened

The first octets of the client are no TLS record: most often a plain HTTP request to a port where the server expects
TLS. Servers answer with HTTP 400, with a TLS alert, or close.

## On the wire

A TLS connection begins with 0x16 0x03 (a handshake record) in TLS 1.2 and TLS 1.3 alike. Here the first octets are
readable text, a PROXY protocol header, or another protocol.

## How to confirm

Look at the first payload of the client ("Follow TCP stream" in Wireshark). Repeat the request with `https://`.

## What it is not

A version or cipher mismatch: no hello was sent. If the server answers a proper ClientHello with plain text, it is
`not-tls-server`.
"""

from __future__ import annotations

from tlsinspect.diagnosis.facts import at_frame, first_line, plain_frame, plain_octets, quoted
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.reach_fixes import SPEAK_TLS
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Outcome


def check(case: Case) -> Finding | None:
    """The client's first octets are no TLS, and it sent no ClientHello."""
    handshake = case.handshake
    spoken = plain_octets(handshake, Side.CLIENT)
    if handshake.outcome is not Outcome.NEVER_TLS or handshake.client_hellos or not spoken:
        return None
    if handshake.preamble is not None and handshake.preamble.accepted is False:
        return None
    explanation = (
        f"The client began with {quoted(first_line(spoken))}{at_frame(plain_frame(handshake, Side.CLIENT))} "
        "instead of a ClientHello."
    )
    answer = plain_octets(handshake, Side.SERVER)
    refused = b"HTTPS port" in answer or b"SSL-enabled server port" in answer
    if answer:
        explanation += f" The server answered with {quoted(first_line(answer))}."
    elif handshake.alerts:
        explanation += " The server answered with a TLS alert: it expects TLS there."
    return Finding(
        certainty=Certainty.STATED if refused else Certainty.SHOWN,
        explanation=explanation,
        evidence=("outcome",),
    )


CAUSE = Cause(
    code="not-tls-client",
    title="The client spoke something other than TLS to a TLS port",
    stage=Stage.TRANSPORT,
    severity=Severity.ERROR,
    looks_at=("outcome",),
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=(
        *SPEAK_TLS,
        Fix(
            "nginx",
            "Or send those who ask in plain text to https.",
            "error_page 497 =301 https://$host$request_uri;",
            Side.SERVER,
        ),
        Fix(
            "nginx",
            "A PROXY protocol header is to be expected where one is sent.",
            "listen 443 ssl proxy_protocol;",
            Side.SERVER,
        ),
        Fix("nginx (stream)", "The same in a stream server.", "listen 443 ssl proxy_protocol;", Side.SERVER),
        Fix("HAProxy", "The same.", "bind :443 accept-proxy ssl crt SITE.pem", Side.SERVER),
        Fix("ingress-nginx", "The same (ConfigMap).", 'use-proxy-protocol: "true"', Side.SERVER),
        Fix("Envoy", "The same.", "name: envoy.filters.listener.proxy_protocol", Side.SERVER),
        Fix("Apache", "The same (mod_remoteip).", "RemoteIPProxyProtocol On", Side.SERVER),
        Fix(
            "Caddy",
            "The same; the order counts.",
            "{\n    servers {\n        listener_wrappers {\n            proxy_protocol\n            tls\n        }\n"
            "    }\n}",
            Side.SERVER,
        ),
        Fix(
            "Traefik",
            "The same at the entry point.",
            "proxyProtocol:\n  trustedIPs: [ADDRESS]",
            Side.SERVER,
        ),
    ),
    log_lines=(
        ("nginx", "client sent plain HTTP request to HTTPS port"),
        ("nginx", "400 The plain HTTP request was sent to HTTPS port"),
        ("Apache", "speaking plain HTTP to an SSL-enabled server port"),
        ("Go", "client sent an HTTP request to an HTTPS server"),
        ("OpenSSL", "error:0A00009C:SSL routines::http request"),
        ("Apache", "AH01996: SSL handshake failed: HTTP spoken on HTTPS port; trying to send HTML error page"),
        ("Apache", "SSL Library Error: error:0A00009C:SSL routines::http request"),
        ("Envoy", "TLS_error|error:1000009c:SSL routines:OPENSSL_internal:HTTP_REQUEST:TLS_error_end"),
        ("Caddy", "http: TLS handshake error from ADDRESS: client sent an HTTP request to an HTTPS server"),
        ("Traefik", "http: TLS handshake error from ADDRESS: client sent an HTTP request to an HTTPS server"),
        ("Node", "tlsClientError ERR_SSL_HTTP_REQUEST http request"),
        ("Python", "[SSL: HTTP_REQUEST] http request"),
        ("HAProxy", "SSL handshake failure"),
        ("Java", "Unsupported or unrecognized SSL message"),
        (".NET", "Cannot determine the frame size or a corrupted frame was received."),
    ),
    references=("RFC 8446 section 5.1", "RFC 5246 section 6.2.1"),
    explanation=__doc__,
)
