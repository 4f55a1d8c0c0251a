"""The server's certificate was past its validity.

## What happened

notAfter of the server's certificate, or of one above it, lay before the time of the connection. Clients that verify
refuse it. Often the file was renewed and the server was never reloaded, or one of several servers was forgotten.

## On the wire

TLS 1.2: the Certificate is in clear, and its notAfter is earlier than the capture. The client answers with a fatal
alert: certificate_expired(45) from OpenSSL, Java, NSS and rustls, bad_certificate(42) from Go and GnuTLS,
certificate_unknown(46) from Chromium. nginx as a proxy and Node check after the handshake and just close.
TLS 1.3: the Certificate is encrypted, and keys are needed to see it. OpenSSL clients (curl, Python) send their alert in
clear all the same, others encrypt it: a record of 19 octets instead of the Finished.

## How to confirm

`echo | openssl s_client -connect ADDRESS:443 -servername NAME | openssl x509 -noout -dates`. Compare with the clock of
the client, and with the file on the server: if that is newer, the server was not reloaded.

## What it is not

`server-cert-not-yet-valid`: there the clock of the client is behind, or the certificate is brand-new. unknown_ca(48)
speaks of the issuer, whatever the dates are: `server-cert-untrusted`.
"""

from __future__ import annotations

from tlsinspect.diagnosis import server_auth as sa
from tlsinspect.diagnosis.facts import alert_text, at_frame
from tlsinspect.diagnosis.log_lines import refused_by_client, untrusted_server
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.diagnosis.server_auth import Taken
from tlsinspect.diagnosis.server_fixes import REPLACE_CERTIFICATE
from tlsinspect.model.frame import Side

FITTING = frozenset((sa.CERTIFICATE_EXPIRED, *sa.UNSPECIFIC))


def check(case: Case) -> Finding | None:
    """A certificate of the server is past its validity, or the client says so."""
    handshake = case.handshake
    found = sa.expired(case)
    if found is None:
        return said(case)
    place, certificate = found
    assert certificate.not_after is not None
    weight = sa.weight(handshake, FITTING)
    stated = sa.refusal_code(handshake) == sa.CERTIFICATE_EXPIRED
    left = sa.taken(handshake) is Taken.LEFT
    return Finding(
        certainty=Certainty.STATED if stated else Certainty.LIKELY if left or place else Certainty.SHOWN,
        severity=weight,
        explanation=(
            f"{sa.which(place, certificate)} expired at {sa.date(certificate.not_after)}, before the connection at "
            f"{sa.date(case.at)}. {sa.reaction_text(handshake, fits=weight is Severity.ERROR)}"
        ),
        evidence=sa.evidence(handshake),
        fill=sa.fill(case),
    )


def said(case: Case) -> Finding | None:
    """The client says that a certificate expired, and none is seen that did."""
    handshake = case.handshake
    seen = sa.refusal(handshake)
    if seen is None or seen.alert.description != sa.CERTIFICATE_EXPIRED or sa.not_yet_valid(case) is not None:
        return None
    leaf = sa.server_leaf(handshake)
    if leaf is not None and leaf.not_before and leaf.not_after:
        why = (
            f"By the clock of the capture ({sa.date(case.at)}) its leaf is valid, from {sa.date(leaf.not_before)} to "
            f"{sa.date(leaf.not_after)}: the clock of the client differs, or an authority above the chain expired."
        )
    else:
        why = "The certificate itself cannot be seen; one that is not yet valid gets the same alert from some clients."
    return Finding(
        certainty=Certainty.STATED,
        explanation=f"The client refused the server's certificate with the alert {alert_text(seen)}"
        f"{at_frame(seen.frame)}. {why}",
        evidence=sa.evidence(handshake),
        fill=sa.fill(case),
    )


CAUSE = Cause(
    code="server-cert-expired",
    title="The server's certificate has expired",
    stage=Stage.SERVER_AUTH,
    severity=Severity.ERROR,
    looks_at=("server_certificates", "client_alert"),
    check=check,
    compare=sa.certificates_on_one_side(check),
    follows_from=("sni-missing", "sni-mismatch"),
    fixes=(
        Fix(
            "any server",
            "Renew the certificate, install it, and reload every server that shows it.",
            "certbot renew",
            Side.SERVER,
        ),
        *REPLACE_CERTIFICATE,
        Fix("any client", "Compare the client's clock with the server's.", "date -u", Side.CLIENT),
    ),
    log_lines=(
        ("GnuTLS", "The certificate chain uses expired certificate."),
        ("Java", "java.security.cert.CertPathValidatorException: validity check failed"),
        ("Node", "CERT_HAS_EXPIRED certificate has expired"),
        ("Chrome", "ERR_CERT_DATE_INVALID"),
        *refused_by_client(sa.CERTIFICATE_EXPIRED),
        *untrusted_server(
            10,
            "certificate has expired",
            go="certificate has expired or is not yet valid: current time TIME is after TIME",
            dotnet="NotTimeValid",
        ),
        ("Windows", "36881: The certificate received from the remote server has either expired or is not yet valid."),
        ("Apache", "AH02004: SSL Proxy: Peer certificate is expired"),
    ),
    references=("RFC 5280 section 4.1.2.5", "RFC 8446 section 6.2", "RFC 5246 section 7.2.2"),
    explanation=__doc__,
)
