"""The ClientHello got no answer.

## What happened

The connection stands, the client sent its ClientHello, and nothing came back until the client gave up or the capture
ends. When the hello was acknowledged, the server's kernel has it and the program does not read it: hung, overloaded,
stopped, or a proxy in between waits for its own next step. When it was not acknowledged, it was lost on the way.

## On the wire

SYN, SYN-ACK, ClientHello, an acknowledgement without data or none, then silence; later a FIN or RST of the client. TLS
1.2 and TLS 1.3 look the same. Of a hello that was not acknowledged, retransmissions are seen.

## How to confirm

Look on the server whether the program accepts the connection (`ss -tnp`, a growing Recv-Q). Send a smaller hello
(without post-quantum groups) where the hello was not acknowledged. Time the answer of a working connection.

## What it is not

A refusal: no alert, no RST, no FIN came. When only the first segment of a larger hello was acknowledged it is
`hello-split-dropped`.
"""

from __future__ import annotations

from dataclasses import replace

from tlsinspect.diagnosis.causes import hello_split_dropped
from tlsinspect.diagnosis.facts import (
    LEAVES,
    at_frame,
    hello_frame,
    hello_time_ns,
    left_text,
    unanswered,
    waited,
)
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.reach_fixes import WAIT, WAIT_FOR_CLIENTS
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Handshake, Outcome

PATIENCE_NS = 10**9  # a client that leaves earlier did not wait for an answer
MANY_RETRANSMISSIONS = 2


def check(case: Case) -> Finding | None:
    """The server sent nothing after the ClientHello, and it was given the time."""
    handshake = case.handshake
    tcp = handshake.tcp
    if not unanswered(handshake) or not silent(handshake) or hello_split_dropped.check(case):
        return None
    if handshake.transport == "tcp" and not tcp.syn_ack and not tcp.server_ttl:
        return None  # no packet of the server at all: its direction was not captured
    if handshake.transport == "udp" and handshake.preamble is not None:
        return None  # the server did answer, with a Retry or a Version Negotiation
    sent = f"The client sent its ClientHello{at_frame(hello_frame(handshake))}"
    if tcp.client_octets and tcp.client_acknowledged >= tcp.client_octets:
        where = (
            "the server's host acknowledged it, and no answer came: its program does not read or hangs, or the answer "
            "is lost on the way"
        )
    elif tcp.client_retransmissions and not tcp.client_acknowledged:
        where = (
            f"it was never acknowledged ({tcp.client_retransmissions} retransmissions): "
            "it did not arrive, or the answers do not"
        )
    else:
        where = "the server never answered"
    if handshake.transport == "udp":
        return over_udp(handshake, sent)
    return Finding(
        certainty=Certainty.SHOWN,
        explanation=f"{sent}; {where}.{end(handshake)}",
        evidence=("client_hello.server_name", "tcp.client_fin", "outcome"),
    )


def over_udp(handshake: Handshake, sent: str) -> Finding:
    """UDP acknowledges nothing, so a network that drops it and a capture of one direction look the same."""
    repeated = handshake.last_frame > handshake.first_frame
    return Finding(
        certainty=Certainty.LIKELY,
        severity=None if repeated else Severity.WARNING,
        explanation=(
            f"{sent} over UDP, and no answer is in the capture. A network that drops UDP to that port would do so; a "
            f"capture of one direction would look the same.{end(handshake)}"
        ),
        evidence=("client_hello.server_name", "outcome"),
    )


def silent(handshake: Handshake) -> bool:
    """Whether the time without an answer was long enough to say so."""
    ending = handshake.ending
    if ending is not None and ending.kind in LEAVES:
        return ending.side is Side.CLIENT and ending.time_ns - hello_time_ns(handshake) >= PATIENCE_NS
    if handshake.outcome is Outcome.STALLED:
        return handshake.hello_retry_request is Missing.NOT_SENT or bool(handshake.client_hellos[1:])
    return handshake.outcome is Outcome.CUT and handshake.tcp.client_retransmissions >= MANY_RETRANSMISSIONS


def end(handshake: Handshake) -> str:
    """How long the client waited, and what it did then."""
    ending = handshake.ending
    if ending is None or ending.side is None:
        span = waited(hello_time_ns(handshake), handshake.tcp.last_ns)
        return f" The connection is in the capture for another {span}." if handshake.tcp.last_ns else ""
    span = waited(hello_time_ns(handshake), ending.time_ns)
    return f" The client {left_text(ending)} the connection after {span}{at_frame(ending.frame)}."


CAUSE = Cause(
    code="hello-unanswered",
    title="The ClientHello got no answer",
    stage=Stage.TRANSPORT,
    severity=Severity.ERROR,
    looks_at=("client_hello.server_name", "outcome"),
    check=check,
    compare=on_one_side(check),
    follows_from=("capture-incomplete", "sni-missing", "sni-mismatch", "alpn-missing", "alpn-different"),
    fixes=(
        Fix("any server", "See whether its program still accepts and reads connections.", "ss -tnp", Side.SERVER),
        *WAIT_FOR_CLIENTS,
        Fix(
            "Istio",
            "Declare a protocol in which the server speaks first, or the sidecar waits to detect it.",
            "appProtocol: tcp",
            Side.SERVER,
        ),
        *(replace(fix, action=f"Give up earlier, and try the next server. {fix.action}") for fix in WAIT),
        Fix("any network", "Let segments of full size through: see the fixes of hello-split-dropped."),
    ),
    log_lines=(
        ("nginx", "upstream timed out (110: Connection timed out) while SSL handshaking to upstream"),
        ("curl", "curl: (28) SSL connection timeout"),
        ("Go", "net/http: TLS handshake timeout"),
        ("Java", "java.net.SocketTimeoutException: Read timed out"),
        ("Python", "The handshake operation timed out"),
        ("HAProxy", "Timeout during SSL handshake"),
        ("Envoy", "connection_timeout"),
        ("Caddy", "net/http: TLS handshake timeout"),
        ("Traefik", '504 Gateway Timeout error="net/http: TLS handshake timeout"'),
        ("Node", "Client network socket disconnected before secure TLS connection was established"),
        (".NET", "A connection could not be established within the configured ConnectTimeout."),
        ("Apache", "AH00898: Error during SSL Handshake with remote server"),
    ),
    references=("RFC 8446 section 4.1.2", "RFC 9293 section 3.8.3"),
    explanation=__doc__,
)
