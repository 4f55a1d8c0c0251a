"""The server closed the connection right after the ClientHello, without an alert.

## What happened

The client sent its ClientHello, and the server closed the connection in good order (FIN) without a word in TLS. It
accepted the connection and then would not or could not begin: no certificate is configured, its own upstream is down
(a TCP proxy), it routes by server name and has no route, a connection limit or an address list.

## On the wire

SYN, SYN-ACK, ClientHello, FIN of the server. TLS 1.2 and TLS 1.3 look the same. OpenSSL clients answer the FIN with a
fatal alert decode_error(50): that is a consequence.

## How to confirm

Read the server's log at that time. Compare with a connection that works (`tlsinspect diff`). For a TCP load balancer,
try its targets directly.

## What it is not

A refusal of version, cipher suite or name by a TLS library: those send an alert. A RST is `hello-reset`; both are one
family.
"""

from __future__ import annotations

from dataclasses import replace

from tlsinspect.diagnosis.causes.hello_reset import after_hello, candidates
from tlsinspect.diagnosis.facts import CLOSES, at_frame, unanswered
from tlsinspect.diagnosis.fixes import SEND_SERVER_NAME, SERVE_THE_NAME
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Handshake

CLOSE_NOTIFY = 0


def check(case: Case) -> Finding | None:
    """The first that came after the ClientHello was a FIN of the server."""
    handshake = case.handshake
    ending = handshake.ending
    if ending is None or ending.kind not in CLOSES or ending.side is not Side.SERVER:
        return None
    if not unanswered(handshake):
        return None
    late = any(seen.side is Side.CLIENT for seen in handshake.alerts)
    return Finding(
        certainty=Certainty.SHOWN,
        explanation=(
            f"The server closed the connection{at_frame(ending.frame)} {after_hello(handshake, ending.time_ns)}, "
            f"{farewell(handshake)}. "
            + ("The client's alert came after that, as a consequence. " if late else "")
            + f"Why is not in the capture. {candidates(handshake)}"
        ),
        evidence=("tcp.server_fin", "client_hello.server_name", "client_hello.alpn"),
    )


def farewell(handshake: Handshake) -> str:
    """What the server said when it closed."""
    said = any(seen.side is Side.SERVER and seen.alert.description == CLOSE_NOTIFY for seen in handshake.alerts)
    return "with nothing but a close_notify" if said else "without an alert"


SEND_ITS_NAME = tuple(
    replace(fix, action=f"Send a name that the server has a route for. {fix.action}") for fix in SEND_SERVER_NAME
)

CAUSE = Cause(
    code="hello-closed",
    title="The server closed the connection right after the ClientHello",
    stage=Stage.TRANSPORT,
    severity=Severity.ERROR,
    looks_at=("tcp.server_fin", "client_hello.server_name"),
    check=check,
    compare=on_one_side(check),
    follows_from=(
        "sni-missing",
        "sni-mismatch",
        "sni-invalid",
        "alpn-missing",
        "alpn-different",
        "version-no-overlap",
        "cipher-no-overlap",
        "group-no-overlap",
        "fingerprint-different",
        "hello-split-dropped",
    ),
    fixes=(
        Fix("any server", "Read its own log: the reason is there and not on the wire.", "", Side.SERVER),
        *SEND_ITS_NAME,
        Fix("nginx (stream)", "Route names that the map does not have.", "default BACKEND;", Side.SERVER),
        *(fix for fix in SERVE_THE_NAME if fix.product != "HAProxy"),
        Fix("Envoy", "Give what matches nothing a chain.", "default_filter_chain: {}", Side.SERVER),
        Fix("HAProxy", "Look for rules that reject.", "tcp-request content reject", Side.SERVER),
        Fix("any load balancer", "See that its targets are up, as it closes when none takes the connection."),
    ),
    log_lines=(
        ("nginx", "peer closed connection in SSL handshake while SSL handshaking to upstream"),
        ("curl", "curl: (35) OpenSSL SSL_connect: SSL_ERROR_SYSCALL"),
        ("OpenSSL", "error:0A000126:SSL routines:ssl3_read_n:unexpected eof while reading"),
        ("GnuTLS", "*** Fatal error: The TLS connection was non-properly terminated."),
        ("Go", "EOF"),
        ("Java", "Remote host terminated the handshake"),
        ("Node", "Client network socket disconnected before secure TLS connection was established"),
        ("Python", "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol"),
        ("Apache", "SSL Library Error: error:0A000126:SSL routines::unexpected eof while reading"),
        ("Envoy", "remote_connection_failure"),
        ("HAProxy", "SSL handshake failure"),
        ("Caddy", "EOF"),
        ("Traefik", "502 Bad Gateway error=EOF"),
        (".NET", "Received an unexpected EOF or 0 bytes from the transport stream."),
        ("Chrome", "ERR_CONNECTION_CLOSED"),
    ),
    references=("RFC 9293 section 3.6", "RFC 8446 section 6.1"),
    explanation=__doc__,
)
