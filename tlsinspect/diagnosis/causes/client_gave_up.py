"""The client closed or reset the connection in the middle of the handshake, without an alert.

## What happened

The server had answered with its ServerHello; then the client closed the connection and gave no reason. Clients do so
when a time limit is reached, when the user or program cancels, or when they refuse the certificate without saying so
(Bun closes right after the Certificate; curl, Node and nginx check after the handshake and then just close).

## On the wire

TLS 1.2: ClientHello, ServerHello, Certificate ... ServerHelloDone, then FIN or RST of the client. TLS 1.3: the same
after the server's flight; without keys an encrypted alert cannot be told from other records but by its size, and where
a record of that size stands, this cause is not named.

## How to confirm

Look at the client's own message and time-outs. Compare the time between the server's flight and the FIN with the
client's limits: a round number of seconds is a time limit.

## What it is not

A refusal by the server: it had agreed. A refused certificate that the client tells in an alert has causes of its own.
"""

from __future__ import annotations

from dataclasses import replace

from tlsinspect.diagnosis.facts import (
    LEAVES,
    at_frame,
    failed,
    hello_of,
    hello_time_ns,
    hidden_refusal,
    in_full_view,
    last_message,
    left_text,
    plain_octets,
    refusing_alert,
    silent_side,
    waited,
)
from tlsinspect.diagnosis.hidden import answered_with_alerts_alone
from tlsinspect.diagnosis.message_names import message_name
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.reach_fixes import WAIT
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.diagnosis.watch_fixes import LOG_MORE
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Handshake

USER_CANCELED = 90
LONG_NS = 5 * 10**8


def check(case: Case) -> Finding | None:
    """The client ended the handshake with a FIN or RST, and no alert can have said why."""
    handshake = case.handshake
    ending = handshake.ending
    if silent_side(handshake) is Side.CLIENT:
        return went_silent(handshake)
    if ending is None or ending.side is not Side.CLIENT or ending.kind not in LEAVES:
        return None
    if not failed(handshake) or refusing_alert(handshake) or hidden_refusal(handshake) or hello_of(handshake) is None:
        return None
    if plain_octets(handshake, Side.SERVER) or not in_full_view(handshake):
        return None  # it could not read the answer (not-tls-server), or what was said is not in the capture
    if answered_with_alerts_alone(handshake):
        return None  # it had sent its request and its close_notify, as gnutls-cli does, and was refused then
    word = left_text(ending)
    last = last_message(handshake, ending.time_ns)
    if last is None:
        return None
    span = ending.time_ns - last.time_ns
    if handshake.server_hello is Missing.NOT_SENT:
        if ending.time_ns - hello_time_ns(handshake) >= 10**9:
            return None  # it waited for an answer: hello-unanswered
        seen = "before any answer to its ClientHello"
    else:
        seen = f"after the {last.side.value}'s {message_name(last.message)}{at_frame(last.frames[-1])}"
    hint = (
        "After so long a time limit of the client is likely."
        if span >= LONG_NS
        else "A client that refuses the certificate without an alert looks the same as one that was cancelled."
    )
    cancelled = any(seen.alert.description == USER_CANCELED for seen in handshake.alerts)
    if cancelled:
        hint = "Before that it sent the alert user_canceled(90)."
    return Finding(
        certainty=Certainty.STATED if cancelled else Certainty.SHOWN,
        explanation=(
            f"The client {word} the connection{at_frame(ending.frame)} {waited(last.time_ns, ending.time_ns)} {seen}, "
            f"without an alert that says why. {hint}"
        ),
        evidence=("tcp.client_fin", "tcp.client_reset", "server_certificates", "outcome"),
    )


def went_silent(handshake: Handshake) -> Finding:
    """The server's flight is complete, and nothing more came from the client."""
    last = handshake.events[-1]
    return Finding(
        certainty=Certainty.LIKELY,
        explanation=(
            f"After the server's {message_name(last.message)}{at_frame(last.frames[-1])} nothing more came from the "
            "client, and nobody closed the connection. "
            "A client that hangs would do so, and so would a network that loses the larger segments of the server's "
            "flight (path MTU)."
        ),
        evidence=("outcome",),
    )


CAUSE = Cause(
    code="client-gave-up",
    title="The client ended the handshake without an alert",
    stage=Stage.TRANSPORT,
    severity=Severity.ERROR,
    looks_at=("tcp.client_fin", "tcp.client_reset", "outcome"),
    check=check,
    compare=on_one_side(check),
    follows_from=(
        "default-certificate",
        "server-cert-name-mismatch",
        "server-cert-expired",
        "server-cert-not-yet-valid",
        "server-cert-chain-incomplete",
        "server-cert-untrusted",
        "server-cert-self-signed",
        "server-cert-revoked",
        "server-cert-weak",
        "sni-missing",
        "sni-mismatch",
        "alpn-missing",
        "alpn-different",
        "fallback-detected",
        "hello-unanswered",
        "capture-incomplete",
    ),
    fixes=(
        *(replace(fix, action=f"Wait longer. {fix.action}") for fix in WAIT),
        Fix("any client", "Read its own message: the reason is there and not on the wire.", "", Side.CLIENT),
        *(fix for fix in LOG_MORE if fix.side is not Side.SERVER),
    ),
    log_lines=(
        ("nginx", "client closed connection while SSL handshaking"),
        ("nginx", "peer closed connection in SSL handshake while SSL handshaking"),
        ("HAProxy", "Connection closed during SSL handshake"),
        ("Go", "net/http: TLS handshake timeout"),
        ("OpenSSL", "error:0A000126:SSL routines:ssl3_read_n:unexpected eof while reading"),
        ("Apache", "(70014)End of file found: AH02006: SSL handshake stopped: connection was closed"),
        ("Caddy", "http: TLS handshake error from ADDRESS: EOF"),
        ("Traefik", "http: TLS handshake error from ADDRESS: EOF"),
        ("Go", "http: TLS handshake error from ADDRESS: EOF"),
        ("Node", "tlsClientError ECONNRESET socket hang up"),
        ("Python", "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol"),
        ("Java", "Remote host terminated the handshake"),
    ),
    references=("RFC 8446 section 6.1", "RFC 5246 section 7.2.1"),
    explanation=__doc__,
)
