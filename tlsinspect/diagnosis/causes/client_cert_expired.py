"""The client's certificate had expired, or was not valid yet.

## What happened

The time of the handshake lies outside of the validity of the client's certificate, or of one that came with it. Most
servers refuse such a certificate; nginx completes the handshake and answers HTTP 400.

## On the wire

TLS 1.2: the client's Certificate(11) can be read, and its notAfter or notBefore compared with the time of the frame.
Then certificate_expired(45) from OpenSSL and Go; for one that is not valid yet bad_certificate(42) from OpenSSL. TLS
1.3: the same, encrypted, after the client's Finished; without keys neither the certificate nor the alert can be read.

## How to confirm

`openssl x509 -noout -dates -in CLIENT.pem`, and the clocks of both machines. `--at TIME` judges by another time than
that of the capture.

## What it is not

An expired certificate of the *server*: there the alert 45 comes from the client (server-cert-expired). Where the
certificate is valid at the time of the capture and the server says certificate_expired all the same, its clock is
wrong, or an authority that it knows has expired.
"""

from __future__ import annotations

from tlsinspect.diagnosis.certificate_fixes import RELOAD_CERTIFICATE
from tlsinspect.diagnosis.client_auth import (
    ACCESS_DENIED,
    BAD_CERTIFICATE,
    CERTIFICATE_EXPIRED,
    CERTIFICATE_UNKNOWN,
    HANDSHAKE_FAILURE,
    reaction,
    sent_chain,
)
from tlsinspect.diagnosis.client_fit import validity_problem
from tlsinspect.diagnosis.facts import quoted, resumed
from tlsinspect.diagnosis.log_lines import alert_lines, late_alert_lines, untrusted_client
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Missing, Side

LOOKS_AT = ("client_certificates", "server_alert")
FITTING = frozenset((BAD_CERTIFICATE, CERTIFICATE_UNKNOWN, ACCESS_DENIED, HANDSHAKE_FAILURE))


def check(case: Case) -> Finding | None:
    """The server said that the client's certificate expired, or the time of the handshake says so."""
    handshake = case.handshake
    if resumed(handshake):
        return None
    chain, taken = sent_chain(handshake), reaction(handshake)
    problem = validity_problem(chain, case.at)
    if taken.code == CERTIFICATE_EXPIRED and (chain or isinstance(handshake.client_certificates, Missing)):
        return Finding(
            certainty=Certainty.STATED,
            explanation=f"The client sent a certificate, and {taken.text}. {said(case, problem)}",
            evidence=LOOKS_AT,
        )
    if problem is None:
        return None
    blamed = taken.fits(FITTING)
    return Finding(
        certainty=Certainty.LIKELY if taken.vague else Certainty.SHOWN,
        severity=Severity.ERROR if blamed else Severity.WARNING,
        explanation=(
            f"At {case.at:%Y-%m-%d %H:%M:%SZ} the client sent the certificate {quoted(chain[0].subject)}: {problem}; "
            f"{taken.text}."
        ),
        evidence=LOOKS_AT,
    )


def said(case: Case, problem: str | None) -> str:
    """What the certificates themselves say to an alert certificate_expired."""
    at = f"{case.at:%Y-%m-%d %H:%M:%SZ}"
    if problem is not None:
        return f"At {at}, {problem}."
    return (
        f"What can be read of the certificates that were sent was valid at {at}: the server's clock, or an authority "
        "that it holds itself, is out of date."
    )


CAUSE = Cause(
    code="client-cert-expired",
    title="The client's certificate had expired or was not valid yet",
    stage=Stage.CLIENT_AUTH,
    severity=Severity.ERROR,
    looks_at=LOOKS_AT,
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=(
        Fix(
            "any client",
            "Renew the certificate, and reload the client: most read the file only once.",
            "openssl x509 -noout -dates -in CLIENT.pem",
            Side.CLIENT,
        ),
        *RELOAD_CERTIFICATE,
        Fix("any server", "Check the clocks.", "timedatectl", Side.SERVER),
    ),
    log_lines=(
        *alert_lines(45),
        *late_alert_lines(45),
        ("curl", "curl: (60) SSL certificate verification failed"),
        *untrusted_client(
            10,
            "certificate has expired",
            go="certificate has expired or is not yet valid: current time TIME is after TIME",
            dotnet="NotTimeValid",
        ),
        *untrusted_client(9, "certificate is not yet valid"),
    ),
    references=("RFC 5280 section 4.1.2.5", "RFC 5246 section 7.2.2", "RFC 8446 section 6.2"),
    explanation=__doc__,
)
