"""The client sent its certificate without the intermediates that lead to an authority which the server accepts.

## What happened

The client's certificate was issued by an intermediate authority. The client is to send that one too (RFC 8446 section
4.4.2, RFC 5246 section 7.4.2); a server that trusts the root alone cannot fill the gap.

## On the wire

TLS 1.2: the client's Certificate(11) has one entry, whose issuer is not in certificate_authorities; then
unknown_ca(48) from OpenSSL, or bad_certificate(42). TLS 1.3: the same, encrypted. One capture shows the names alone,
so that the finding is *likely*; beside a handshake in which the same leaf came with its intermediate and was accepted
it is *shown*.

## How to confirm

`openssl verify -purpose sslclient -CAfile CLIENT-CA.pem LEAF.pem` fails and succeeds with `-untrusted
INTERMEDIATE.pem`. Count the certificates in the client's file: `grep -c BEGIN CLIENT-CHAIN.pem`.

## What it is not

An authority that the server does not know at all (client-cert-issuer-not-accepted, client-cert-untrusted): more
intermediates do not help there. `ssl_verify_depth 1` of nginx, which is too small for any intermediate.
"""

from __future__ import annotations

from tlsinspect.diagnosis.client_auth import (
    ACCESS_DENIED,
    BAD_CERTIFICATE,
    CERTIFICATE_UNKNOWN,
    HANDSHAKE_FAILURE,
    UNKNOWN_CA,
    Answer,
    reaction,
    sent_chain,
)
from tlsinspect.diagnosis.client_fit import lacks_intermediate, top, unsuitable_reasons, validity_problem
from tlsinspect.diagnosis.facts import completed, label, quoted, resumed
from tlsinspect.diagnosis.identity_fixes import TRUST_ISSUER, send_certificate
from tlsinspect.diagnosis.log_lines import alert_lines, late_alert_lines, untrusted_client
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side
from tlsinspect.tls.x509 import name_text

LOOKS_AT = ("client_certificates", "certificate_request.certificate_authorities", "server_alert")
FITTING = frozenset((UNKNOWN_CA, BAD_CERTIFICATE, CERTIFICATE_UNKNOWN, ACCESS_DENIED, HANDSHAKE_FAILURE))


def check(case: Case) -> Finding | None:
    """The chain ends below an authority that the server names, as far as the names tell."""
    handshake = case.handshake
    if resumed(handshake):
        return None
    authority = lacks_intermediate(handshake)
    if authority is None:
        return None
    chain, taken = sent_chain(handshake), reaction(handshake)
    if taken.answer is Answer.UNKNOWN or (taken.answer is Answer.ALERT and taken.code not in FITTING):
        return None
    if taken.code != UNKNOWN_CA and (validity_problem(chain, case.at) or unsuitable_reasons(handshake)):
        return None
    count = "one certificate" if len(chain) == 1 else f"{len(chain)} certificates"
    if taken.refused:
        end = "An authority that the server just does not trust would look the same."
    else:
        end = "A server that holds it itself needs no more; another one may refuse the request."
    return Finding(
        certainty=Certainty.LIKELY,
        severity=Severity.ERROR if taken.refused else Severity.WARNING,
        explanation=(
            f"The client sent {count}, up to the issuer {quoted(top(chain).issuer)}, which the server does not name; "
            f"{taken.text}. By its name that issuer belongs to {quoted(name_text(authority))}, which the server does "
            "name: likely it is an intermediate authority, whose certificate the client should have sent too. "
            f"{end}"
        ),
        evidence=LOOKS_AT,
    )


def compare(left: Case, right: Case) -> Finding | None:
    """The same leaf came with its issuer on one side, and without on the other."""
    for side, short, whole in (("left", left, right), ("right", right, left)):
        finding = of_pair(side, short, whole)
        if finding is not None:
            return finding
    return on_one_side(check)(left, right)


def of_pair(side: str, short: Case, whole: Case) -> Finding | None:
    """What it means that only one of the two sent the issuer's certificate."""
    ours, theirs = sent_chain(short.handshake), sent_chain(whole.handshake)
    if not ours or not theirs or ours[0].issuer_der != theirs[0].issuer_der:
        return None
    missing = top(ours).issuer_der
    if not any(each.subject_der == missing for each in theirs) or top(ours).self_issued:
        return None
    taken = reaction(short.handshake)
    if not taken.refused or not completed(whole.handshake) or reaction(whole.handshake).refused:
        return None
    here, there = label(short.handshake), label(whole.handshake)
    return Finding(
        certainty=Certainty.SHOWN,
        side=side,
        explanation=(
            f"In {here} the client sent {quoted(ours[0].subject)} without the certificate of its issuer "
            f"{quoted(top(ours).issuer)}, and {taken.text}. In {there} a certificate of the same issuer came with "
            "it and "
            f"was accepted. Had {here} sent the intermediate too, the server could have built the chain."
        ),
        evidence=LOOKS_AT,
    )


CAUSE = Cause(
    code="client-cert-chain-incomplete",
    title="The client sent its certificate without the intermediates",
    stage=Stage.CLIENT_AUTH,
    severity=Severity.ERROR,
    looks_at=LOOKS_AT,
    check=check,
    compare=compare,
    follows_from=("client-cert-expired", "client-cert-unsuitable", "client-cert-revoked"),
    fixes=(
        *send_certificate("Send the intermediates with it."),
        Fix(
            "nginx",
            "Or let the server know the intermediate, and allow for it.",
            "ssl_client_certificate ROOT-AND-INTERMEDIATES.pem;\nssl_verify_depth 2;",
            Side.SERVER,
        ),
        *(fix for fix in TRUST_ISSUER if fix.product != "nginx"),
    ),
    log_lines=(
        *alert_lines(48),
        *late_alert_lines(48),
        (
            "nginx",
            "client SSL certificate verify error: (21:unable to verify the first certificate) while reading client "
            "request headers",
        ),
        ("HAProxy", "SSL client CA chain cannot be verified"),
        *untrusted_client(20, "unable to get local issuer certificate", go="certificate signed by unknown authority"),
    ),
    references=("RFC 5246 section 7.4.2", "RFC 8446 section 4.4.2", "RFC 8446 section 4.2.4"),
    explanation=__doc__,
)
