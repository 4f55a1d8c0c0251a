"""The server's certificate was revoked.

## What happened

The authority took the certificate back: its key leaked, or it was replaced. The client learned it from a revocation
list, from OCSP, or from the response that the server itself stapled.

## On the wire

TLS 1.2: the client's alert certificate_revoked(44); or a CertificateStatus message whose OCSP response says revoked.
TLS 1.3: the stapled response is in the status_request extension of the first CertificateEntry, and keys are needed to
see it. bad_certificate_status_response(113) speaks of a response that the client cannot use.

## How to confirm

`openssl s_client -status -connect ADDRESS:443 -servername NAME` prints the stapled response; without one ask the
responder: `openssl ocsp -issuer ISSUER.pem -cert LEAF.pem -url URL`.

## What it is not

An expired certificate. A server that staples nothing to a certificate that demands it (RFC 7633) gets another alert.
"""

from __future__ import annotations

from tlsinspect.diagnosis import server_auth as sa
from tlsinspect.diagnosis.facts import alert_text, at_frame
from tlsinspect.diagnosis.log_lines import refused_by_client, untrusted_server
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.diagnosis.server_fixes import REPLACE_CERTIFICATE
from tlsinspect.model.frame import Side
from tlsinspect.tls.ocsp import REVOKED

FITTING = frozenset((sa.CERTIFICATE_REVOKED, sa.ACCESS_DENIED, *sa.UNSPECIFIC))


def check(case: Case) -> Finding | None:
    """The client says so, or the stapled response does."""
    handshake = case.handshake
    seen = sa.refusal(handshake)
    state = sa.stapled(handshake)
    stated = seen is not None and seen.alert.description == sa.CERTIFICATE_REVOKED
    if state is not None and state.status == REVOKED:
        weight = sa.weight(handshake, FITTING)
        when = f" at {sa.date(state.revoked_at)}" if state.revoked_at else ""
        why = f" ({state.reason})" if state.reason else ""
        return Finding(
            certainty=Certainty.STATED if stated else Certainty.SHOWN,
            severity=weight,
            explanation=(
                f"The OCSP response that the server stapled says that the certificate with the serial number "
                f"{state.serial_number} was revoked{when}{why}. "
                f"{sa.reaction_text(handshake, fits=weight is Severity.ERROR)}"
            ),
            evidence=sa.evidence(handshake),
            fill=sa.fill(case),
        )
    if not stated or seen is None:
        return None
    return Finding(
        certainty=Certainty.STATED,
        explanation=(
            f"The client refused the server's certificate with the alert {alert_text(seen)}{at_frame(seen.frame)}: by "
            "a revocation list or an OCSP response that it has."
        ),
        evidence=sa.evidence(handshake),
        fill=sa.fill(case),
    )


CAUSE = Cause(
    code="server-cert-revoked",
    title="The server's certificate was revoked",
    stage=Stage.SERVER_AUTH,
    severity=Severity.ERROR,
    looks_at=("server_certificates", "client_alert"),
    check=check,
    compare=sa.certificates_on_one_side(check),
    follows_from=("sni-missing", "sni-mismatch"),
    fixes=(
        Fix(
            "any server",
            "Make a new key, and have a new certificate issued.",
            "certbot certonly --force-renewal",
            Side.SERVER,
        ),
        *REPLACE_CERTIFICATE,
    ),
    log_lines=(
        ("Java", "java.security.cert.CertPathValidatorException: Certificate has been revoked"),
        ("Chrome", "ERR_CERT_REVOKED"),
        *refused_by_client(sa.CERTIFICATE_REVOKED),
        *untrusted_server(23, "certificate revoked", dotnet="Revoked"),
        ("Windows", "36883: The certificate received from the remote server has been revoked."),
    ),
    references=("RFC 6960 section 4.2.1", "RFC 6066 section 8", "RFC 8446 section 4.4.2.1", "RFC 8446 section 6.2"),
    explanation=__doc__,
)
