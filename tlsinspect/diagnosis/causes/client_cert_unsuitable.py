"""The client's certificate is not made for this use, or its key does not fit what the server asked for.

## What happened

The certificate has an extended key usage without clientAuth (public authorities issue such ones since 2025), or a key
usage without digitalSignature; or its key or signature is of a kind that the CertificateRequest does not allow.

## On the wire

TLS 1.2: the extensions extKeyUsage and keyUsage of the client's leaf; certificate_types and
supported_signature_algorithms of CertificateRequest(13); the algorithm of CertificateVerify(15). OpenSSL answers
unsupported_certificate(43), Go bad_certificate(42), nginx completes the handshake and answers HTTP 400. TLS 1.3: the
same, encrypted, after the client's Finished; there are no certificate_types.

## How to confirm

`openssl x509 -noout -ext extendedKeyUsage,keyUsage -in CLIENT.pem`, and `openssl verify -purpose sslclient ...`.

## What it is not

An extended key usage that an intermediate authority has can forbid clientAuth too, and shows in that certificate. A
client that found nothing fitting and sent none: client-cert-missing.
"""

from __future__ import annotations

from tlsinspect.diagnosis.certificate_fixes import VERIFY_BY_ITSELF
from tlsinspect.diagnosis.client_auth import (
    ACCESS_DENIED,
    BAD_CERTIFICATE,
    CERTIFICATE_UNKNOWN,
    HANDSHAKE_FAILURE,
    UNSUPPORTED_CERTIFICATE,
    reaction,
    sent_chain,
)
from tlsinspect.diagnosis.client_fit import unsuitable_reasons, validity_problem
from tlsinspect.diagnosis.facts import quoted, resumed
from tlsinspect.diagnosis.identity_fixes import send_certificate
from tlsinspect.diagnosis.log_lines import alert_lines, late_alert_lines, untrusted_client
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side

ILLEGAL_PARAMETER = 47  # of a server whose signature_algorithms do not list the client's scheme
LOOKS_AT = (
    "client_certificates",
    "certificate_request",
    "certificate_request.signature_algorithms",
    "server_alert",
)
FITTING = frozenset((BAD_CERTIFICATE, CERTIFICATE_UNKNOWN, ACCESS_DENIED, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER))


def check(case: Case) -> Finding | None:
    """The server said so, or the certificate and the request do."""
    handshake = case.handshake
    chain = sent_chain(handshake)
    if not chain or resumed(handshake):
        return None
    taken, found = reaction(handshake), unsuitable_reasons(handshake)
    leaf = f"The client sent the certificate {quoted(chain[0].subject)}"
    if taken.code == UNSUPPORTED_CERTIFICATE:
        because = f" Of the certificate, {'; '.join(found)}." if found else other_reasons(len(chain))
        return Finding(certainty=Certainty.STATED, explanation=f"{leaf}, and {taken.text}.{because}", evidence=LOOKS_AT)
    if not found:
        return None
    blamed = taken.fits(FITTING) and not validity_problem(chain, case.at)
    return Finding(
        certainty=Certainty.LIKELY if taken.vague else Certainty.SHOWN,
        severity=Severity.ERROR if blamed else Severity.WARNING,
        explanation=f"{leaf}: {'; '.join(found)}. Then {taken.text}.",
        evidence=LOOKS_AT,
    )


def other_reasons(sent: int) -> str:
    """What may be unsuitable where the leaf looks well."""
    where = "of the authorities that were sent or that the server holds" if sent > 1 else "of an authority above it"
    return f" Its usages and its key look suitable; the extended key usage {where} may forbid clientAuth."


CAUSE = Cause(
    code="client-cert-unsuitable",
    title="The client's certificate is not made for client authentication here",
    stage=Stage.CLIENT_AUTH,
    severity=Severity.ERROR,
    looks_at=LOOKS_AT,
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=(
        Fix(
            "any client",
            "Have a certificate with the extended key usage clientAuth issued, by a private authority where public "
            "ones give none.",
            "extendedKeyUsage = clientAuth\nkeyUsage = critical, digitalSignature",
            Side.CLIENT,
        ),
        *send_certificate("Then send that one."),
        *VERIFY_BY_ITSELF,
    ),
    log_lines=(
        *alert_lines(43),
        *late_alert_lines(43),
        *untrusted_client(
            26,
            "unsuitable certificate purpose",
            boringssl="unsupported certificate purpose",
            go="certificate specifies an incompatible key usage",
        ),
        ("Java", "Extended key usage does not permit use for TLS client authentication"),
    ),
    references=(
        "RFC 5280 section 4.2.1.12",
        "RFC 5280 section 4.2.1.3",
        "RFC 5246 section 7.4.4",
        "RFC 8446 section 4.4.2.3",
        "RFC 8446 section 4.4.3",
    ),
    explanation=__doc__,
)
