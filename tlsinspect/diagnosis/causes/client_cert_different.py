"""Both clients sent a certificate, and not the same one.

## What happened

The server knows the two connections as two clients. What one may do the other may not: another route, 403, another
tenant. Either is right; which one is meant only the user knows (`--identity` says so for a single handshake).

## On the wire

TLS 1.2: the client's Certificate(11) has another leaf; its SHA-256 and its subject differ. TLS 1.3: the same with
keys; without them a Certificate record of another size shows that the chains differ, one of equal size shows nothing.

## How to confirm

`tlsinspect certs CAPTURE#N --pem DIR` writes both; `openssl x509 -noout -subject -issuer -serial -in FILE` reads
them.

## What it is not

A refused certificate: where one of the two was refused, client-cert-untrusted and its kin say why.
"""

from __future__ import annotations

from tlsinspect.diagnosis.client_auth import sent_chain
from tlsinspect.diagnosis.client_fit import issuer_listed, unsuitable_reasons, validity_problem
from tlsinspect.diagnosis.facts import completed, label, quoted, resumed
from tlsinspect.diagnosis.hidden import ClientFlight, client_flight
from tlsinspect.diagnosis.identity_fixes import send_certificate
from tlsinspect.diagnosis.inherited import names_identity
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.model.handshake import Handshake

LOOKS_AT = ("client_certificates",)


def check(case: Case) -> Finding | None:
    """The client sent another certificate than the one that was meant."""
    chain, meant = sent_chain(case.handshake), case.meant.identity
    if meant is None or not chain or resumed(case.handshake) or names_identity(chain[0], meant):
        return None
    wanted = "no client certificate" if meant.lower() == "none" else f"the identity {quoted(meant)}"
    return Finding(
        certainty=Certainty.SHOWN,
        severity=Severity.ERROR,
        explanation=f"The client sent the certificate {quoted(chain[0].subject)}, and {wanted} was meant.",
        evidence=LOOKS_AT,
    )


def compare(left: Case, right: Case) -> Finding | None:
    """Both sent a leaf certificate, and the two are not the same."""
    ours, theirs = sent_chain(left.handshake), sent_chain(right.handshake)
    if not ours or not theirs:
        return hidden_pair(left.handshake, right.handshake)
    if ours[0].sha256 == theirs[0].sha256:
        return None
    here, there = label(left.handshake), label(right.handshake)
    if ours[0].subject == theirs[0].subject:
        return Finding(
            certainty=Certainty.SHOWN,
            severity=Severity.WARNING,
            side="both",
            explanation=(
                f"Both clients sent a certificate for {quoted(ours[0].subject)}, and not the same: serial number "
                f"{ours[0].serial_number} of {quoted(ours[0].issuer)} in {here}, {theirs[0].serial_number} of "
                f"{quoted(theirs[0].issuer)} in {there}."
            ),
            evidence=LOOKS_AT,
        )
    return Finding(
        certainty=Certainty.SHOWN,
        severity=Severity.WARNING if flawed(left) != flawed(right) else None,  # the flaw explains more
        side="both",
        explanation=(
            f"The server was shown two clients: {quoted(ours[0].subject)} in {here}, {quoted(theirs[0].subject)} in "
            f"{there}. "
            "What it allows may differ. Had both sent the same certificate, the identity would not tell them apart."
        ),
        evidence=LOOKS_AT,
    )


def flawed(case: Case) -> bool:
    """Whether something in the certificate itself may make a server refuse it."""
    chain = sent_chain(case.handshake)
    return (
        validity_problem(chain, case.at) is not None
        or bool(unsuitable_reasons(case.handshake))
        or issuer_listed(case.handshake) is False
    )


def hidden_pair(left: Handshake, right: Handshake) -> Finding | None:
    """What the sizes of the encrypted Certificates say."""
    ours, theirs = client_flight(left), client_flight(right)
    if ours is None or theirs is None or not (completed(left) and completed(right)):
        return None
    if not ours.kind is theirs.kind is ClientFlight.CERTIFICATE or ours.sizes == theirs.sizes:
        return None
    return Finding(
        certainty=Certainty.LIKELY,
        severity=Severity.WARNING,
        side="both",
        explanation=(
            f"Likely the two clients sent different certificates: the first record of the client's flight has "
            f"{ours.sizes[0]} octets in {label(left)} and {theirs.sizes[0]} in {label(right)}. The messages are "
            "encrypted; the same leaf with other intermediates, other extensions beside it, or padding would look the "
            "same. A key log would show the certificates."
        ),
        evidence=("server_hello.version", *LOOKS_AT),
    )


CAUSE = Cause(
    code="client-cert-different",
    title="The two clients sent different certificates",
    stage=Stage.CLIENT_AUTH,
    severity=Severity.ERROR,
    looks_at=LOOKS_AT,
    check=check,
    compare=compare,
    follows_from=(
        "session-resumed-other-identity",
        "client-cert-untrusted",
        "client-cert-issuer-not-accepted",
        "client-cert-expired",
        "client-cert-unsuitable",
        "client-cert-chain-incomplete",
        "client-cert-revoked",
    ),
    fixes=send_certificate("Send the certificate that is meant."),
    log_lines=(),  # servers log the subject, and nothing about it is wrong
    references=("RFC 5246 section 7.4.6", "RFC 8446 section 4.4.2"),
    explanation=__doc__,
)
