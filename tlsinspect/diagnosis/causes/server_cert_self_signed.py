"""The server's certificate is self-signed.

## What happened

The server showed a certificate that its own key signed, so no authority vouches for it. Clients refuse it unless it is
itself among their anchors. It is usual on test servers and appliances, and as the default of a product that nobody gave
a certificate.

## On the wire

TLS 1.2: a Certificate whose subject and issuer are equal and whose signature its own key verifies. The client answers
unknown_ca(48) (OpenSSL, NSS), bad_certificate(42) (Go, GnuTLS) or certificate_unknown(46) (Java, Chromium); Node and
nginx close after the handshake.
TLS 1.3: the Certificate is encrypted, and keys are needed to see it; the alert of OpenSSL clients is in clear.

## How to confirm

`echo | openssl s_client -connect ADDRESS:443 -servername NAME | openssl x509 -noout -subject -issuer`, then verify with
that certificate as the anchor: `curl --cacert CERT.pem`.

## What it is not

A chain that ends in a private root that the client lacks: `server-cert-untrusted`. A default certificate that answers a
name which the server does not know: `default-certificate`.
"""

from __future__ import annotations

from tlsinspect.diagnosis import server_auth as sa
from tlsinspect.diagnosis.facts import quoted
from tlsinspect.diagnosis.log_lines import refused_by_client, untrusted_server
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.diagnosis.server_auth import Taken
from tlsinspect.diagnosis.server_fixes import REPLACE_CERTIFICATE, TRUST_AUTHORITY
from tlsinspect.model.frame import Side

FITTING = frozenset((sa.UNKNOWN_CA, *sa.UNSPECIFIC))


def check(case: Case) -> Finding | None:
    """The leaf signed itself, and is none of the anchors given."""
    handshake = case.handshake
    leaf = sa.server_leaf(handshake)
    if leaf is None or not sa.self_signed(case):
        return None
    weight = sa.weight(handshake, FITTING)
    given = "" if case.meant.anchors is None else ", and it is none of the anchors given with --ca"
    return Finding(
        certainty=Certainty.LIKELY if sa.taken(handshake) is Taken.LEFT else Certainty.SHOWN,
        severity=weight,
        explanation=(
            f"The server certificate {quoted(leaf.subject)} is self-signed{given}. "
            f"{sa.reaction_text(handshake, fits=weight is Severity.ERROR)}"
        ),
        evidence=sa.evidence(handshake),
        fill=sa.fill(case),
    )


CAUSE = Cause(
    code="server-cert-self-signed",
    title="The server's certificate is self-signed",
    stage=Stage.SERVER_AUTH,
    severity=Severity.ERROR,
    looks_at=("server_certificates", "client_alert"),
    check=check,
    compare=sa.certificates_on_one_side(check),
    follows_from=("default-certificate", "sni-missing", "sni-mismatch"),
    fixes=(
        Fix(
            "any server",
            "Show a certificate of an authority that the clients know.",
            "certbot certonly -d {host}",
            Side.SERVER,
        ),
        *REPLACE_CERTIFICATE,
        *TRUST_AUTHORITY,
    ),
    log_lines=(
        ("GnuTLS", "The certificate is NOT trusted. The certificate issuer is unknown."),
        ("Java", "PKIX path building failed: unable to find valid certification path to requested target"),
        ("Node", "DEPTH_ZERO_SELF_SIGNED_CERT self-signed certificate"),
        ("Chrome", "ERR_CERT_AUTHORITY_INVALID"),
        *refused_by_client(sa.UNKNOWN_CA),
        *untrusted_server(
            18, "self-signed certificate", go="certificate signed by unknown authority", dotnet="UntrustedRoot"
        ),
    ),
    references=("RFC 5280 section 3.2", "RFC 8446 section 6.2"),
    explanation=__doc__,
)
