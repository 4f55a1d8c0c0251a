"""The server answered 421: the request was for a host that this connection cannot serve.

## What happened

The handshake chose one host by its server name, and the request in it named another one that has other demands, such as
a client certificate of its own. nginx, Apache, Caddy and Traefik then answer 421 (Misdirected Request). Apache 2.4.64
and later does so for connections without a server name, too.

## On the wire

A complete handshake, then a request and the status 421 inside; keys are needed to see them. TLS 1.2 and TLS 1.3 look
the same.

## How to confirm

Compare the server name of the ClientHello with the Host header of the request.

## What it is not

A failed handshake. Where the server name is missing or another, or where a session of another name was resumed, that is
the cause and this its consequence.
"""

from __future__ import annotations

from tlsinspect.diagnosis.facts import at_frame, name_text, quoted, server_name
from tlsinspect.diagnosis.fixes import SEND_SERVER_NAME
from tlsinspect.diagnosis.http import exchanges, plain_host
from tlsinspect.diagnosis.log_lines import MISDIRECTED_LINES
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side

MISDIRECTED = 421


def check(case: Case) -> Finding | None:
    """The status 421 was seen."""
    refused = next((each for each in exchanges(case.handshake) if each.status == MISDIRECTED), None)
    if refused is None:
        return None
    for_host = f" for the host {quoted(refused.host)}" if refused.host else ""
    return Finding(
        certainty=Certainty.STATED,
        explanation=(
            f"The connection was made with {name_text(server_name(case.handshake))}; the server answered the request"
            f"{for_host} on it with 421 (Misdirected Request){at_frame(refused.response_frame)}."
        ),
        evidence=("http.host", "http.responses", "client_hello.server_name", "resumption.accepted"),
        fill=(("host", plain_host(refused.host)),) if refused.host else (),
    )


CAUSE = Cause(
    code="misdirected-request",
    title="The server answered 421 (Misdirected Request)",
    stage=Stage.ROUTING,
    severity=Severity.ERROR,
    looks_at=("http.responses", "client_hello.server_name", "resumption.accepted"),
    check=check,
    compare=on_one_side(check),
    follows_from=(
        "sni-missing",
        "sni-mismatch",
        "sni-invalid",
        "session-resumed-other-name",
        "session-resumed-other-identity",
        "session-resumed",
        "connection-reused",
    ),
    fixes=(
        Fix(
            "nginx",
            "Name the same host in both places, and do not resume sessions of other names.",
            "proxy_ssl_server_name on;\nproxy_ssl_name {host};\nproxy_set_header Host {host};\n"
            "proxy_ssl_session_reuse off;",
            Side.CLIENT,
        ),
        Fix("curl", "Let the URL name the host.", "curl --connect-to ::ADDRESS: https://{host}/", Side.CLIENT),
        Fix(
            "HAProxy",
            "Take the server name from the Host header.",
            "server app ADDRESS:443 ssl verify required ca-file CA.pem sni req.hdr(host),host_only",
            Side.CLIENT,
        ),
        Fix(
            "Envoy",
            "Take the server name from the host, in the cluster's HttpProtocolOptions.",
            "upstream_http_protocol_options:\n  auto_sni: true\n  auto_san_validation: true",
            Side.CLIENT,
        ),
        Fix("Go", "Use one Transport for each host.", 'tls.Config{ServerName: "{host}"}', Side.CLIENT),
        *(fix for fix in SEND_SERVER_NAME if fix.product not in ("nginx", "HAProxy", "curl", "Envoy", "Go")),
        Fix("Apache", "Let both hosts have compatible settings.", "SSLVHostSNIPolicy secure", Side.SERVER),
        Fix(
            "Caddy",
            "Or let the host differ, where no host asks for client certificates.",
            "{\n    servers {\n        strict_sni_host insecure_off\n    }\n}",
            Side.SERVER,
        ),
        Fix("Traefik", "Give both hosts the same TLS options.", "tls:\n  options: default", Side.SERVER),
    ),
    log_lines=MISDIRECTED_LINES,
    references=("RFC 9110 section 15.5.20", "RFC 9113 section 9.1.2"),
    explanation=__doc__,
)
