"""The server's certificate was not valid yet.

## What happened

notBefore of the server's certificate lay after the time of the connection: the clock of the client is behind (a board
without a battery, a virtual machine that was resumed), or the certificate was issued by a machine whose clock is ahead.

## On the wire

TLS 1.2: the Certificate is in clear, and its notBefore is later than the capture. OpenSSL, Java, Go and GnuTLS clients
answer bad_certificate(42), rustls certificate_expired(45) ("expired or is not currently valid").
TLS 1.3: the Certificate is encrypted, and keys are needed to see it; the alert of OpenSSL clients is in clear.

## How to confirm

`date -u` on the client, and `openssl x509 -noout -dates` of the certificate. The time of the capture is that of the
machine that captured.

## What it is not

`server-cert-expired`. If the capture was made on another machine, whose own clock is wrong, judge with `--at TIME`.
"""

from __future__ import annotations

from tlsinspect.diagnosis import server_auth as sa
from tlsinspect.diagnosis.log_lines import refused_by_client, untrusted_server
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.diagnosis.server_auth import Taken
from tlsinspect.diagnosis.server_fixes import REPLACE_CERTIFICATE
from tlsinspect.model.frame import Side

FITTING = frozenset((sa.CERTIFICATE_EXPIRED, *sa.UNSPECIFIC))


def check(case: Case) -> Finding | None:
    """A certificate of the server is before its validity."""
    handshake = case.handshake
    found = sa.not_yet_valid(case)
    if found is None:
        return None
    place, certificate = found
    assert certificate.not_before is not None
    weight = sa.weight(handshake, FITTING)
    left = sa.taken(handshake) is Taken.LEFT
    return Finding(
        certainty=Certainty.LIKELY if left or place else Certainty.SHOWN,
        severity=weight,
        explanation=(
            f"{sa.which(place, certificate)} is not valid before {sa.date(certificate.not_before)}, and the connection "
            f"was at {sa.date(case.at)}. {sa.reaction_text(handshake, fits=weight is Severity.ERROR)}"
        ),
        evidence=sa.evidence(handshake),
        fill=sa.fill(case),
    )


CAUSE = Cause(
    code="server-cert-not-yet-valid",
    title="The server's certificate is not valid yet",
    stage=Stage.SERVER_AUTH,
    severity=Severity.ERROR,
    looks_at=("server_certificates", "client_alert"),
    check=check,
    compare=sa.certificates_on_one_side(check),
    follows_from=("sni-missing", "sni-mismatch"),
    fixes=(
        Fix("any client", "Set the clock.", "timedatectl set-ntp true", Side.CLIENT),
        Fix("any server", "Set the clock of the authority back, and issue the certificate again.", "", Side.SERVER),
        *REPLACE_CERTIFICATE,
    ),
    log_lines=(
        ("GnuTLS", "The certificate chain uses not yet valid certificate."),
        ("Java", "java.security.cert.CertPathValidatorException: validity check failed"),
        ("Node", "CERT_NOT_YET_VALID certificate is not yet valid"),
        *refused_by_client(sa.BAD_CERTIFICATE),
        *untrusted_server(
            9,
            "certificate is not yet valid",
            go="certificate has expired or is not yet valid: current time TIME is before TIME",
            dotnet="NotTimeValid",
        ),
        ("Windows", "36881: The certificate received from the remote server has either expired or is not yet valid."),
    ),
    references=("RFC 5280 section 4.1.2.5", "RFC 8446 section 6.2"),
    explanation=__doc__,
)
