"""Several hosts were asked for on one TLS connection: no new handshake, so no new identity.

## What happened

A connection was kept open and used again for another host. The server name, the client certificate and the checks of
the handshake are those of the first use. nginx shares upstream keepalive connections between locations, whatever
`proxy_ssl_certificate` and `proxy_ssl_name` each of them has; browsers share HTTP/2 connections between hosts that one
certificate covers.

## On the wire

One handshake, then requests with different Host headers inside. Keys are needed to see them; without keys a capture
shows one connection where two were expected. TLS 1.2 and TLS 1.3 look the same.

## How to confirm

Count the handshakes: each identity needs its own. On the server, log the number of requests of a connection (nginx:
`$connection_requests`).

## What it is not

Session resumption (`session-resumed`): that is a new connection with a handshake, if a short one.
"""

from __future__ import annotations

from tlsinspect.diagnosis.facts import at_frame, name_text, quoted, server_name
from tlsinspect.diagnosis.http import exchanges, plain_host
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.diagnosis.session_fixes import SEPARATE_CONNECTIONS
from tlsinspect.model.frame import Side

REFUSED = frozenset((400, 401, 403, 404, 421, 495, 496))


def check(case: Case) -> Finding | None:
    """Requests for several hosts passed on this connection."""
    asked = [(plain_host(each.host).lower(), each) for each in exchanges(case.handshake) if each.host]
    hosts = tuple(dict.fromkeys(host for host, _ in asked))
    if len(hosts) < 2:
        return None
    later = [each for host, each in asked if host != hosts[0]]
    refused = [each for each in later if each.status in REFUSED]
    said = "".join(
        f" The server answered {each.status} for {quoted(plain_host(each.host))}{at_frame(each.response_frame)}."
        for each in refused[:3]
    )
    return Finding(
        certainty=Certainty.SHOWN,
        severity=None if refused else Severity.INFO,
        explanation=(
            f"This connection was made with {name_text(server_name(case.handshake))}, and requests for "
            f"{', '.join(quoted(host) for host in hosts[:8])} passed on it{at_frame(later[0].request_frame)}: all of "
            f"them have the identity of its one handshake.{said}"
        ),
        evidence=("http.requests", "http.responses", "client_hello.server_name", "client_certificates"),
    )


CAUSE = Cause(
    code="connection-reused",
    title="Several hosts were asked for on one TLS connection",
    stage=Stage.ROUTING,
    severity=Severity.ERROR,
    looks_at=("http.requests", "client_hello.server_name", "client_certificates"),
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=(
        *SEPARATE_CONNECTIONS,
        Fix(
            "any server",
            "Answer 421 (Misdirected Request) to hosts that are served on another connection.",
            "",
            Side.SERVER,
        ),
    ),
    log_lines=(
        ("nginx", "client attempted to request the server name different from the one that was negotiated"),
        (
            "Apache",
            "AH02032: Hostname NAME provided via SNI and hostname NAME provided via HTTP have no compatible SSL setup",
        ),
    ),
    references=("RFC 9113 section 9.1.1", "RFC 9110 section 7.4"),
    explanation=__doc__,
)
