"""The two offer different application protocols, or were given different ones.

## What happened

ALPN decides which protocol is spoken inside TLS, and with some servers which host or filter chain answers. The two
handshakes differ in what was offered or in what the server chose.

## On the wire

The extension application_layer_protocol_negotiation(16) of the ClientHello in both; the choice in the ServerHello (TLS
1.2) or in EncryptedExtensions (TLS 1.3, with keys).

## How to confirm

Repeat the failing connection with the other's offer: `openssl s_client -alpn h2,http/1.1`.

## What it is not

A reason for a rejection by itself: a server that serves none of the offer says no_application_protocol(120)
(`alpn-no-overlap`).
"""

from __future__ import annotations

from tlsinspect.diagnosis.causes.alpn_no_overlap import CAUSE as NO_OVERLAP
from tlsinspect.diagnosis.causes.alpn_no_overlap import protocols
from tlsinspect.diagnosis.facts import at_frame, completed, failed, hello_frame, label, offered_alpn
from tlsinspect.diagnosis.hosts import confounders
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.model.frame import Missing, Side


def check(case: Case) -> Finding | None:
    """Nothing: it takes two."""
    return None


def compare(left: Case, right: Case) -> Finding | None:
    """The offers or the choices differ."""
    ours, theirs = offered_alpn(left.handshake), offered_alpn(right.handshake)
    if not isinstance(ours, tuple) or not isinstance(theirs, tuple):
        return None
    chosen = left.value("server_hello.alpn"), right.value("server_hello.alpn")
    both_chosen = all(isinstance(each, str) or each is Missing.NOT_SENT for each in chosen)
    answered_both = both_chosen and all(completed(each.handshake) for each in (left, right))
    if ours == theirs and not (answered_both and chosen[0] != chosen[1]):
        return None
    said = (
        f"{label(left.handshake)} offers the application protocols {protocols(ours)}"
        f"{at_frame(hello_frame(left.handshake))}, "
        f"{label(right.handshake)} offers {protocols(theirs)}{at_frame(hello_frame(right.handshake))}"
    )
    if answered_both and chosen[0] != chosen[1]:
        named = [repr(each) if isinstance(each, str) else "none" for each in chosen]
        return Finding(
            certainty=Certainty.SHOWN,
            severity=Severity.WARNING,
            explanation=f"{said}. The server chose {named[0]} for the one and {named[1]} for the other.",
            evidence=("client_hello.alpn", "server_hello.alpn"),
            side="both",
        )
    return failing(left, right, said) or Finding(
        certainty=Certainty.SHOWN,
        severity=Severity.INFO,
        explanation=f"{said}.",
        evidence=("client_hello.alpn",),
        side="both",
    )


def failing(left: Case, right: Case, said: str) -> Finding | None:
    """One failed right after its hello, and the offer of protocols is all in which the hellos differ."""
    for side, one, other in (("left", left, right), ("right", right, left)):
        ending = one.handshake.ending
        if not failed(one.handshake) or not completed(other.handshake):
            continue
        if ending is None or ending.side is Side.CLIENT or one.handshake.server_hello is not Missing.NOT_SENT:
            continue
        if not confounders(left, right, besides="client_hello.alpn"):
            return Finding(
                certainty=Certainty.LIKELY,
                explanation=(
                    f"{said}. {label(one.handshake)} failed and {label(other.handshake)} completed; the hellos differ "
                    "in nothing else that the tool compares."
                ),
                evidence=("client_hello.alpn", "outcome"),
                side=side,
            )
    return None


CAUSE = Cause(
    code="alpn-different",
    title="The application protocols differ",
    stage=Stage.ROUTING,
    severity=Severity.ERROR,
    looks_at=("client_hello.alpn", "server_hello.alpn"),
    check=check,
    compare=compare,
    follows_from=("alpn-no-overlap", "sni-missing", "sni-mismatch"),
    fixes=NO_OVERLAP.fixes,
    log_lines=(),
    references=("RFC 7301 section 3",),
    explanation=__doc__,
)
