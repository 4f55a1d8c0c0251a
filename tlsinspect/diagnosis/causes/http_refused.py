"""The handshake completed, and HTTP refused the request.

## What happened

TLS did its part; the server then answered the request with a status that refuses it. nginx never refuses a client
certificate in the handshake: it answers 400 "No required SSL certificate was sent" (496 in its log) or "The SSL
certificate error" (495). 403 after a handshake in which nobody was asked for a certificate points to the wrong host.

## On the wire

A complete handshake, then the status inside; keys are needed to see it. TLS 1.2 and TLS 1.3 look the same.

## How to confirm

Read the server's access log for the status and the identity that it saw.

## What it is not

A failed handshake. Where something in the handshake explains the status, that is the cause and this its consequence.
"""

from __future__ import annotations

from tlsinspect.diagnosis.facts import asked_nothing, at_frame, name_text, quoted, server_name
from tlsinspect.diagnosis.http import exchanges
from tlsinspect.diagnosis.identity_fixes import SEND_CERTIFICATE
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side

ABOUT_ACCESS = frozenset((400, 401, 403, 495, 496))
ABOUT_CERTIFICATES = frozenset((495, 496))  # nginx, in its log and its error pages


def check(case: Case) -> Finding | None:
    """A status was seen that refuses the client."""
    refused = next((each for each in exchanges(case.handshake) if each.status in ABOUT_ACCESS), None)
    if refused is None or asked_nothing(case.handshake):
        return None  # HAProxy says 400 to a client that closes without a request
    host = f" for the host {quoted(refused.host)}" if refused.host else ""
    request = f" to {refused.method}{host}" if refused.method else ""
    said = f" ({quoted(refused.said)})" if refused.said else ""
    concerns_tls = refused.status in ABOUT_CERTIFICATES or bool(refused.said)
    beside = "" if concerns_tls else " The status alone does not say that this is about TLS."
    return Finding(
        certainty=Certainty.STATED,
        severity=Severity.ERROR if concerns_tls else Severity.WARNING,
        explanation=(
            f"The handshake with {name_text(server_name(case.handshake))} completed, and the server answered "
            f"HTTP {refused.status}{said}{request}{at_frame(refused.response_frame)}.{beside}"
        ),
        evidence=("http.status", "client_hello.server_name", "client_certificates"),
    )


CAUSE = Cause(
    code="http-refused",
    title="The handshake completed, and HTTP refused the request",
    stage=Stage.ROUTING,
    severity=Severity.ERROR,
    looks_at=("http.status", "client_certificates"),
    check=check,
    compare=on_one_side(check),
    follows_from=(
        "sni-missing",
        "sni-mismatch",
        "sni-invalid",
        "default-certificate",
        "misdirected-request",
        "connection-reused",
        "client-cert-not-requested",
        "client-cert-missing",
        "client-cert-untrusted",
        "client-cert-issuer-not-accepted",
        "client-cert-expired",
        "client-cert-unsuitable",
        "client-cert-chain-incomplete",
        "client-cert-revoked",
        "client-cert-different",
        "session-resumed",
        "session-resumed-other-name",
        "session-resumed-other-identity",
    ),
    fixes=(
        *SEND_CERTIFICATE,
        Fix("any server", "Read the access log for the identity that it saw.", "", Side.SERVER),
        Fix(
            "nginx",
            "Log what it saw of the client certificate.",
            "log_format tls '$status $ssl_client_verify $ssl_client_s_dn $ssl_server_name $ssl_session_reused';",
            Side.SERVER,
        ),
        Fix(
            "HAProxy",
            "The same.",
            "log-format '%ST %[ssl_c_verify] %{+Q}[ssl_c_s_dn] %[ssl_fc_sni] %[ssl_fc_is_resumed]'",
            Side.SERVER,
        ),
        Fix(
            "Envoy",
            "The same, in the access log.",
            "%RESPONSE_CODE% %DOWNSTREAM_PEER_SUBJECT% %REQUESTED_SERVER_NAME% %DOWNSTREAM_TLS_SESSION_ID%",
            Side.SERVER,
        ),
        Fix(
            "Apache",
            "The same.",
            'LogFormat "%>s %{SSL_CLIENT_VERIFY}x %{SSL_CLIENT_S_DN}x %{SSL_TLS_SNI}x %{SSL_SESSION_RESUMED}x" tls',
            Side.SERVER,
        ),
        Fix("Caddy", "The same: its access log has the subject.", "log", Side.SERVER),
        Fix(
            "Traefik",
            "Pass what it saw on to the service.",
            "passTLSClientCert:\n  info:\n    subject:\n      commonName: true",
            Side.SERVER,
        ),
    ),
    log_lines=(
        ("nginx", "client sent no required SSL certificate while reading client request headers"),
        ("nginx", "client SSL certificate verify error:"),
        ("nginx", "400 No required SSL certificate was sent"),
        ("nginx", "400 The SSL certificate error"),
        ("Apache", "AH02033: No hostname was provided via SNI for a name based virtual host"),
    ),
    references=("RFC 9110 section 15.5",),
    explanation=__doc__,
)
