"""One side offers no application protocol where the server needs one, or where the other client offers one.

## What happened

ALPN names the protocol inside TLS. Servers for HTTP/2 or gRPC alone, hosts that are routed by ALPN (Envoy filter
chains, acme-tls/1, PostgreSQL with direct TLS) and multi-protocol ports need it. This client offers none: nginx as a
proxy before 1.29.4 sends none, nor do Java, Go's crypto/tls and OpenSSL unless told to.

## On the wire

The ClientHello has no extension application_layer_protocol_negotiation(16). The server answers with
no_application_protocol(120), another alert, a RST or FIN; or goes on with HTTP/1.1. TLS 1.2 shows the chosen protocol
in the ServerHello, TLS 1.3 in EncryptedExtensions, which needs keys.

## How to confirm

Repeat with and without: `openssl s_client -alpn h2` and without the option.

## What it is not

An offer of the wrong protocol (`alpn-no-overlap`, `alpn-different`).
"""

from __future__ import annotations

from tlsinspect.diagnosis.alpn_fixes import OFFER_PROTOCOLS
from tlsinspect.diagnosis.causes.alpn_no_overlap import NO_APPLICATION_PROTOCOL, protocols
from tlsinspect.diagnosis.facts import (
    alert_text,
    at_frame,
    completed,
    ending_alert,
    failed,
    hello_frame,
    hello_of,
    label,
    offered_alpn,
    server_name,
)
from tlsinspect.diagnosis.hosts import confounders
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.model.frame import Missing, Side

ABOUT_ROUTES = frozenset((40, 80, 120))  # alerts with which a server may refuse a hello for want of a protocol


def check(case: Case) -> Finding | None:
    """The server refuses for want of a protocol, and the client offers none."""
    handshake = case.handshake
    seen = ending_alert(handshake, Side.SERVER)
    if hello_of(handshake) is None or offered_alpn(handshake) is not Missing.NOT_SENT or seen is None:
        return None
    if seen.alert.description != NO_APPLICATION_PROTOCOL:
        return None
    return Finding(
        certainty=Certainty.STATED,
        explanation=(
            f"The client offers no application protocol{at_frame(hello_frame(handshake))}, and the server "
            f"refused with the alert {alert_text(seen)}{at_frame(seen.frame)}."
        ),
        evidence=("client_hello.alpn", "server_alert"),
    )


def compare(left: Case, right: Case) -> Finding | None:
    """One offers no protocol and the other does."""
    match offered_alpn(left.handshake), offered_alpn(right.handshake):
        case Missing.NOT_SENT, tuple() as offered if hello_of(left.handshake):
            return against(left, right, offered, "left")
        case tuple() as offered, Missing.NOT_SENT if hello_of(right.handshake):
            return against(right, left, offered, "right")
    return None


def against(without: Case, offering: Case, offered: tuple[str, ...], side: str) -> Finding:
    """What the missing offer did, by comparison with the other."""
    one, other = without.handshake, offering.handshake
    said = (
        f"{label(one)} offers no application protocol{at_frame(hello_frame(one))}, {label(other)} offers "
        f"{protocols(offered)}"
    )
    fill = (("alpn", ",".join(offered)),)
    alone = check(without)
    if alone is not None:
        return Finding(
            certainty=Certainty.STATED,
            explanation=f"{said}. {alone.explanation}",
            evidence=alone.evidence,
            side=side,
            fill=fill,
        )
    if could_be_to_blame(without, offering):
        return Finding(
            certainty=Certainty.LIKELY,
            explanation=(
                f"{said}; {label(one)} failed and {label(other)} completed. A server that routes by protocol, or "
                "speaks HTTP/2 alone, would do so."
            ),
            evidence=("client_hello.alpn", "outcome"),
            side=side,
            fill=fill,
        )
    chosen = offering.value("server_hello.alpn")
    then = f"; the server chose {protocols((chosen,))} for it" if isinstance(chosen, str) else ""
    return Finding(
        certainty=Certainty.SHOWN,
        severity=Severity.WARNING if isinstance(chosen, str) and chose_none(without) else Severity.INFO,
        explanation=f"{said}{then}.",
        evidence=("client_hello.alpn", "server_hello.alpn"),
        side=side,
        fill=fill,
    )


def chose_none(case: Case) -> bool:
    """Whether the handshake completed without an application protocol, and that can be seen."""
    return completed(case.handshake) and case.value("server_hello.alpn") is Missing.NOT_SENT


def could_be_to_blame(without: Case, offering: Case) -> bool:
    """Whether the handshake without an offer failed in a way that a missing protocol explains.

    With another name, a better explanation is at hand.
    """
    one, other = without.handshake, offering.handshake
    if not failed(one) or not completed(other) or server_name(one) != server_name(other):
        return False
    ending = one.ending
    if ending is not None and ending.side is Side.CLIENT:
        return False
    seen = ending_alert(one, Side.SERVER)
    before_hello = one.server_hello is Missing.NOT_SENT
    if seen is not None and seen.alert.description not in ABOUT_ROUTES:
        return False
    return before_hello and not confounders(without, offering, besides="client_hello.alpn")


CAUSE = Cause(
    code="alpn-missing",
    title="One side offers no application protocol",
    stage=Stage.ROUTING,
    severity=Severity.ERROR,
    looks_at=("client_hello.alpn", "server_hello.alpn"),
    check=check,
    compare=compare,
    follows_from=("sni-missing", "sni-mismatch"),
    fixes=OFFER_PROTOCOLS,
    log_lines=(
        ("gRPC", "credentials: cannot check peer: missing selected ALPN property"),
        ("gRPC", "Cannot check peer: missing selected ALPN property."),
        ("gRPC", "Failed ALPN negotiation"),
        ("PostgreSQL client", "direct SSL connection was established without ALPN protocol negotiation extension"),
    ),
    references=("RFC 7301 section 3.1", "RFC 9113 section 3.3"),
    explanation=__doc__,
)
