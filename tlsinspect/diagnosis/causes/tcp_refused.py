"""The server's host refused the TCP connection.

## What happened

The client's SYN was answered with a RST: nothing listens on that address and port, or a filter answers in the host's
name.

## On the wire

SYN, then RST with ACK from the server's address. TLS 1.2 and TLS 1.3 look the same, as neither has begun.

## How to confirm

On the server: `ss -ltn`. The program must listen on that port, and on that address or on all of them; one that listens
on 127.0.0.1 refuses what comes from outside, one that listens on IPv4 alone refuses IPv6.

## What it is not

A drop by a packet filter: that is silent (`tcp-no-answer`). A refusal by TLS: that needs a connection first.
"""

from __future__ import annotations

from tlsinspect.diagnosis.facts import at_frame
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.reach_fixes import LISTEN, REACH
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side


def check(case: Case) -> Finding | None:
    """The answer to the SYN was a RST."""
    tcp = case.handshake.tcp
    if tcp.syn is None or tcp.syn_ack is not None or tcp.client_octets or tcp.server_octets:
        return None
    reset = next((mark for mark in tcp.resets if mark.side is Side.SERVER), None)
    if reset is None:
        return None
    return Finding(
        certainty=Certainty.STATED,
        explanation=(
            f"{case.handshake.server} answered the client's SYN{at_frame(tcp.syn.frame)} with a RST"
            f"{at_frame(reset.frame)}: nothing accepts connections there, or a firewall rejects them."
        ),
        evidence=("tcp.syn_count", "tcp.server_reset"),
    )


CAUSE = Cause(
    code="tcp-refused",
    title="The server's host refused the TCP connection",
    stage=Stage.TRANSPORT,
    severity=Severity.ERROR,
    looks_at=("tcp.syn_count", "tcp.server_reset"),
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=(
        Fix("any server", "Start it, and see that it listens on this address and port.", "ss -ltnp", Side.SERVER),
        *LISTEN,
        Fix("Kubernetes", "Compare targetPort of the Service with the port of the container.", "", Side.SERVER),
        Fix("any client", "Check the address and port that the name resolves to.", "", Side.CLIENT),
        *REACH,
    ),
    log_lines=(
        ("nginx", "connect() failed (111: Connection refused) while connecting to upstream"),
        ("curl", "curl: (7) Failed to connect to"),
        ("Go", "connect: connection refused"),
        ("Java", "java.net.ConnectException: Connection refused"),
        ("Node", "connect ECONNREFUSED"),
        ("Python", "ConnectionRefusedError: [Errno 111] Connection refused"),
        ("OpenSSL", "connect:errno=111"),
        ("Envoy", "delayed_connect_error:_Connection_refused"),
        ("Apache", "(111)Connection refused: AH00957: https: attempt to connect to ADDRESS failed"),
        ("Caddy", "dial tcp ADDRESS: connect: connection refused"),
        ("Traefik", '502 Bad Gateway error="dial tcp ADDRESS: connect: connection refused"'),
        ("HAProxy", 'Layer4 connection problem, info: "Connection refused"'),
        ("GnuTLS", "Could not connect to ADDRESS: Connection refused"),
        (".NET", "Connection refused (ADDRESS)"),
        ("Chrome", "ERR_CONNECTION_REFUSED"),
    ),
    references=("RFC 9293 section 3.5.2",),
    explanation=__doc__,
)
