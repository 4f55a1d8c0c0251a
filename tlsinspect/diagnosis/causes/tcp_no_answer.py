"""Nobody answered the client's SYN.

## What happened

The client asked for a TCP connection and repeated the question; no SYN-ACK and no RST came back. TLS was never
reached.

## On the wire

Several SYN segments with the same ports and sequence number, one, three, seven seconds apart. TLS 1.2 and TLS 1.3 look
the same, as neither has begun.

## How to confirm

Capture on the server at the same time. When the SYN does not arrive there, something on the way drops it (packet
filter, security group, routing). When it arrives and is not answered, the host's own filter drops it or its accept
queue is full. When the SYN-ACK leaves and does not come back, the return path is another one.

## What it is not

A closed port: that answers with a RST (`tcp-refused`). A slow server: the kernel answers a SYN, not the program.
"""

from __future__ import annotations

from dataclasses import replace

from tlsinspect.diagnosis.facts import at_frame
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.reach_fixes import REACH, WAIT
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side


def check(case: Case) -> Finding | None:
    """A SYN was sent, and of the server there is not one packet."""
    tcp = case.handshake.tcp
    if tcp.syn is None or tcp.syn_ack is not None or tcp.client_octets or tcp.server_octets:
        return None
    if any(mark.side is Side.SERVER for mark in (*tcp.resets, *tcp.fins)):
        return None
    repeated = tcp.syn_count > 1
    attempts = f"{tcp.syn_count} SYN segments" if repeated else "one SYN segment"
    explanation = (
        f"The client sent {attempts} to {case.handshake.server}{at_frame(tcp.syn.frame)}; no answer is in the capture."
    )
    if not repeated:
        explanation += " The capture may simply end before the answer, or lack the direction in which it came."
    return Finding(
        certainty=Certainty.SHOWN if repeated else Certainty.LIKELY,
        severity=None if repeated else Severity.WARNING,
        explanation=explanation,
        evidence=("tcp.syn_count",),
    )


CAUSE = Cause(
    code="tcp-no-answer",
    title="Nobody answered the client's SYN",
    stage=Stage.TRANSPORT,
    severity=Severity.ERROR,
    looks_at=("tcp.syn_count",),
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=(
        Fix("any network", "Let TCP to the server's address and port through every packet filter on the path."),
        Fix("Linux", "See whether the server's own filter drops it.", "nft list ruleset", Side.SERVER),
        Fix("any client", "Check the address and port that the name resolves to.", "", Side.CLIENT),
        *REACH,
        *(replace(fix, action=f"Give up earlier where several are tried. {fix.action}") for fix in WAIT),
    ),
    log_lines=(
        ("nginx", "upstream timed out (110: Connection timed out) while connecting to upstream"),
        ("curl", "curl: (28) Failed to connect to"),
        ("Go", "i/o timeout"),
        ("Java", "java.net.ConnectException: Connection timed out"),
        ("Node", "connect ETIMEDOUT"),
        ("Python", "TimeoutError: [Errno 110] Connection timed out"),
        ("Envoy", "delayed_connect_error:_Connection_timed_out"),
        ("Apache", "(110)Connection timed out: AH00957: https: attempt to connect to ADDRESS failed"),
        ("Caddy", "dial tcp ADDRESS: i/o timeout"),
        ("Traefik", '504 Gateway Timeout error="dial tcp ADDRESS: i/o timeout"'),
        ("HAProxy", "Layer4 timeout"),
        ("OpenSSL", "connect:errno=110"),
        (".NET", "A connection could not be established within the configured ConnectTimeout."),
        ("Chrome", "ERR_CONNECTION_TIMED_OUT"),
    ),
    references=("RFC 9293 section 3.5",),
    explanation=__doc__,
)
