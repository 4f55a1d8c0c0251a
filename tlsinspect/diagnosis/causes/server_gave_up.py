"""The server closed or reset the connection in the middle of the handshake, without an alert.

## What happened

The server had sent its ServerHello, and then closed the connection without a word. gRPC servers (BoringSSL) do so when
the client certificate is missing or not accepted, and when the client does not offer the application protocol h2; other
servers when a time limit is reached, a worker dies, or a proxy loses its upstream.

## On the wire

TLS 1.2: after ServerHelloDone, or after the client's Certificate, ClientKeyExchange and Finished, a FIN or RST of the
server. TLS 1.3: the same after the client's flight; the application data that the client sends at once is no sign of
success.

## How to confirm

If the server asked for a client certificate, give it one that it accepts. Read the server's log at that time.

## What it is not

A refusal that is told: `client-cert-missing` and its like have an alert. A close right after the hello is
`hello-closed`.
"""

from __future__ import annotations

from tlsinspect.diagnosis.facts import (
    LEAVES,
    answered,
    at_frame,
    failed,
    hidden_refusal,
    in_full_view,
    last_message,
    left_text,
    refusing_alert,
    reset_by_middlebox,
    silent_side,
    waited,
)
from tlsinspect.diagnosis.hidden import answered_with_alerts_alone
from tlsinspect.diagnosis.hidden_server import asked
from tlsinspect.diagnosis.identity_fixes import SEND_CERTIFICATE
from tlsinspect.diagnosis.message_names import message_name
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.reach_fixes import WAIT_FOR_CLIENTS
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.diagnosis.watch_fixes import LOG_MORE
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Handshake


def check(case: Case) -> Finding | None:
    """The server ended the handshake with a FIN or RST after its ServerHello, and no alert can have said why."""
    handshake = case.handshake
    ending = handshake.ending
    if silent_side(handshake) is Side.SERVER:
        return went_silent(handshake)
    if ending is None or ending.side is not Side.SERVER or ending.kind not in LEAVES:
        return None
    if not failed(handshake) or not answered(handshake) or refusing_alert(handshake) or hidden_refusal(handshake):
        return None
    if not in_full_view(handshake) or answered_with_alerts_alone(handshake):
        return None
    word = left_text(ending)
    last = last_message(handshake, ending.time_ns)
    if last is None:
        return None
    return Finding(
        certainty=Certainty.SHOWN,
        explanation=(
            f"The server {word} the connection{at_frame(ending.frame)} {waited(last.time_ns, ending.time_ns)} after "
            f"the {last.side.value}'s {message_name(last.message)}{at_frame(last.frames[-1])}, without an "
            f"alert.{reset_by_middlebox(handshake)} {hint(handshake)}"
        ),
        evidence=("tcp.server_fin", "tcp.server_reset", "certificate_request", "client_certificates", "outcome"),
    )


def went_silent(handshake: Handshake) -> Finding:
    """The client's flight is complete, and nothing more came from the server."""
    last = handshake.events[-1]
    return Finding(
        certainty=Certainty.LIKELY,
        explanation=(
            f"After the client's {message_name(last.message)}{at_frame(last.frames[-1])} nothing more came from the "
            "server, and nobody closed the connection. A server that hangs would do so, and so would a network that "
            f"loses segments. {hint(handshake)}"
        ),
        evidence=("certificate_request", "client_certificates", "outcome"),
    )


# By whether the sizes of encrypted records say that the server asked for a client certificate.
HIDDEN_HINTS = {
    True: (
        "By the sizes of the encrypted records it had likely asked for a client certificate; gRPC servers close so "
        "when it is missing or not accepted."
    ),
    False: (
        "By the sizes of the encrypted records it had likely asked for no client certificate; gRPC servers close so "
        "when the client does not offer the application protocol h2."
    ),
    None: "Whether it had asked for a client certificate is encrypted; gRPC servers close so when they refuse one.",
}


def hint(handshake: Handshake) -> str:
    """What the messages before make likely."""
    if handshake.certificate_request is Missing.HIDDEN:
        return HIDDEN_HINTS[asked(handshake)]
    if handshake.certificate_request is Missing.NOT_SENT:
        return "It had not asked for a client certificate; its own log must say why."
    if handshake.certificate_request is Missing.LOST:
        return "Its own log must say why."
    return "It had asked for a client certificate; gRPC servers close so when it is missing or not accepted."


CAUSE = Cause(
    code="server-gave-up",
    title="The server ended the handshake without an alert",
    stage=Stage.TRANSPORT,
    severity=Severity.ERROR,
    looks_at=("tcp.server_fin", "tcp.server_reset", "outcome"),
    check=check,
    compare=on_one_side(check),
    follows_from=(
        "client-cert-missing",
        "client-cert-untrusted",
        "client-cert-issuer-not-accepted",
        "client-cert-expired",
        "client-cert-unsuitable",
        "client-cert-chain-incomplete",
        "client-cert-revoked",
        "client-cert-different",
        "sni-missing",
        "sni-mismatch",
        "session-resumed",
        "session-resumed-other-name",
        "session-resumed-other-identity",
        "alpn-missing",
        "alpn-different",
        "capture-incomplete",
    ),
    fixes=(
        Fix("gRPC", "Give the channel a certificate and key.", "grpc.ssl_channel_credentials(ca, key, cert)"),
        *SEND_CERTIFICATE,
        Fix("any server", "Read its own log: the reason is there and not on the wire.", "", Side.SERVER),
        *(fix for fix in LOG_MORE if fix.side is not Side.CLIENT),
        *WAIT_FOR_CLIENTS,
    ),
    log_lines=(
        ("nginx", "peer closed connection in SSL handshake while SSL handshaking to upstream"),
        ("gRPC", "Handshake failed with fatal error SSL_ERROR_SSL"),
        ("curl", "curl: (35) OpenSSL SSL_connect: SSL_ERROR_SYSCALL"),
        ("Go", "EOF"),
        ("Java", "Remote host terminated the handshake"),
        ("Node", "Client network socket disconnected before secure TLS connection was established"),
        ("Python", "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol"),
    ),
    references=("RFC 8446 section 6.1", "RFC 5246 section 7.2.1"),
    explanation=__doc__,
)
