"""The client does not trust the server's certificate.

## What happened

The client refused the certificate that the server showed, and nothing in the certificate itself explains it: the
authority behind it is not among the client's anchors. Private authorities, a proxy that opens TLS on the way, an old
trust store and a container without one are the usual reasons.

## On the wire

TLS 1.2: the Certificate in clear, then the client's fatal alert: unknown_ca(48) from OpenSSL and NSS,
bad_certificate(42) from Go and GnuTLS, certificate_unknown(46) from Java and Chromium, unsupported_certificate(43)
where the extended key usage lacks serverAuth. Node and nginx close after the handshake without a request.
TLS 1.3: OpenSSL clients send that alert in clear, as they have not changed their write keys yet; the Certificate cannot
be seen. Other clients encrypt it: one record of 19 octets (35 from Java) in place of the Finished, which without keys
says no more than that the client refused something (`decryption-keys-missing`).

## How to confirm

Verify with the anchors that the client uses: `openssl s_client -CAfile FILE -connect ADDRESS:443 -servername NAME`, or
`tlsinspect explain CAPTURE --ca FILE`. Compare the issuer with what another network sees, to find a proxy on the way.

## What it is not

An alert from the *server* about the client's certificate: `client-cert-untrusted`. A leaf without its intermediate
(`server-cert-chain-incomplete`), a self-signed leaf (`server-cert-self-signed`), an expired one or one for another name
have pages of their own.
"""

from __future__ import annotations

from tlsinspect.diagnosis import server_auth as sa
from tlsinspect.diagnosis.facts import alert_text, at_frame, quoted
from tlsinspect.diagnosis.log_lines import refused_by_client, untrusted_server
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.diagnosis.server_auth import Taken
from tlsinspect.diagnosis.server_fixes import REPLACE_CERTIFICATE, TRUST_AUTHORITY
from tlsinspect.diagnosis.server_trust import Standing, sent_text, standing
from tlsinspect.model.frame import Side
from tlsinspect.tls.trust import Trust

FITTING = frozenset((sa.UNKNOWN_CA, sa.UNSUPPORTED_CERTIFICATE, sa.ACCESS_DENIED, *sa.UNSPECIFIC))
ANY_USE = frozenset(("serverAuth", "anyExtendedKeyUsage"))
MEANINGS = {
    sa.UNKNOWN_CA: "it found no way from the certificate to an authority that it trusts",
    sa.BAD_CERTIFICATE: (
        "OpenSSL says so for a wrong name, a certificate that is not valid yet, a weak key or hash; Go and GnuTLS for "
        "everything, an unknown authority included"
    ),
    sa.CERTIFICATE_UNKNOWN: "Java and Chromium say so for most faults, an unknown authority and a wrong name included",
    sa.UNSUPPORTED_CERTIFICATE: "the certificate is not of a kind or for a use that it accepts",
    sa.ACCESS_DENIED: "the certificate is good as such, and an application refused it",
}


def check(case: Case) -> Finding | None:
    """The client refused the certificate, and no fault of it is known."""
    handshake = case.handshake
    seen = sa.refusal(handshake)
    if seen is not None:
        return refused(case)
    how = sa.taken(handshake)
    found = standing(case) if how is Taken.LEFT or case.meant.anchors is not None else None
    if found is None or found.incomplete or found.verdict.trust is Trust.TRUSTED or sa.self_signed(case):
        return None
    if how is Taken.LEFT and sa.explained(case):
        return None
    return Finding(
        certainty=Certainty.SHOWN if found.given and how is not Taken.LEFT else Certainty.LIKELY,
        severity=Severity.ERROR
        if how is Taken.LEFT and (found.given or sa.leaves_without_a_word(handshake))
        else Severity.WARNING,
        explanation=f"{leads_text(found)} {sa.reaction_text(handshake)}",
        evidence=sa.evidence(handshake),
        fill=sa.fill(case),
    )


def refused(case: Case) -> Finding | None:
    """The client's alert, where no fault of the certificate explains it."""
    handshake = case.handshake
    seen = sa.refusal(handshake)
    if seen is None or seen.alert.description not in FITTING or sa.explained(case):
        return None
    found = standing(case)
    if found is not None and found.incomplete and seen.alert.description != sa.UNSUPPORTED_CERTIFICATE:
        return None
    said = (
        f"The client refused the server's certificate with the alert {alert_text(seen)}{at_frame(seen.frame)}: "
        f"{MEANINGS[seen.alert.description]}."
    )
    if found is None:
        said += " The certificate itself cannot be seen, so its dates, names and issuer are not ruled out."
    else:
        said += f" {use_text(case) or leads_text(found)}"
    return Finding(
        certainty=Certainty.STATED,
        explanation=said,
        evidence=sa.evidence(handshake),
        fill=sa.fill(case),
    )


def use_text(case: Case) -> str:
    """A sentence about an extended key usage without serverAuth; empty where that is not the matter.

    RFC 5280 section 4.2.1.12.
    """
    leaf = sa.server_leaf(case.handshake)
    usages = leaf.extended_key_usage if leaf is not None else None
    if leaf is None or usages is None or ANY_USE & set(usages):
        return ""
    return (
        f"The extended key usage of {quoted(leaf.subject)} is {', '.join(usages) or 'empty'}, without serverAuth: it "
        "is not for servers."
    )


def leads_text(found: Standing) -> str:
    """A sentence about where the chain leads."""
    name = quoted(found.verdict.name)
    match found.verdict.trust:
        case Trust.TRUSTED if found.given:
            return (
                f"The chain leads to {name}, which is among {found.anchors_text}{outdated(found)}: the client has "
                "other anchors, or other rules."
            )
        case Trust.TRUSTED:
            return f"The chain leads to {name}, which this machine trusts{outdated(found)}; the client seems not to."
        case Trust.ROOT_UNKNOWN if found.given:
            return f"The chain ends in the root {name}, which is none of {found.anchors_text}{other_key(found)}."
        case Trust.ROOT_UNKNOWN:
            return f"The chain ends in the root {name}, which neither this machine nor, it seems, the client knows."
        case Trust.ISSUER_MISSING if found.given:
            return (
                f"The server sent {sent_text(found.length)}, issued by {name}, which is none of {found.anchors_text}"
                f"{other_key(found)}."
            )
        case _:
            return (
                f"The server sent {sent_text(found.length)}, issued by {name}: a root that the client does not know, "
                "or an intermediate that was not sent; only the name would differ."
            )


def outdated(found: Standing) -> str:
    """A clause about an anchor that expired itself."""
    return " but is outside its own validity" if found.verdict.outdated else ""


def other_key(found: Standing) -> str:
    """A clause about an anchor of the same name with another key."""
    return " (one has that name, but another key)" if found.verdict.other_key else ""


CAUSE = Cause(
    code="server-cert-untrusted",
    title="The client does not trust the server's certificate",
    stage=Stage.SERVER_AUTH,
    severity=Severity.ERROR,
    looks_at=("server_certificates", "client_alert"),
    check=check,
    compare=sa.certificates_on_one_side(check),
    follows_from=(
        "server-cert-expired",
        "server-cert-not-yet-valid",
        "server-cert-name-mismatch",
        "server-cert-chain-incomplete",
        "server-cert-self-signed",
        "server-cert-weak",
        "server-cert-revoked",
        "default-certificate",
        "ech-retry",
    ),
    fixes=(
        *TRUST_AUTHORITY,
        Fix(
            "any server",
            "Or show a certificate of an authority that the clients know.",
            "certbot certonly -d {host}",
            Side.SERVER,
        ),
        *REPLACE_CERTIFICATE,
    ),
    log_lines=(
        ("GnuTLS", "The certificate is NOT trusted. The certificate issuer is unknown."),
        ("GnuTLS", "The certificate chain does not match the intended purpose."),
        ("Java", "PKIX path building failed: unable to find valid certification path to requested target"),
        ("Java", "Extended key usage does not permit use for TLS server authentication"),
        ("Node", "INVALID_PURPOSE unsuitable certificate purpose"),
        ("Chrome", "ERR_CERT_AUTHORITY_INVALID"),
        *refused_by_client(sa.UNKNOWN_CA, *sorted(sa.UNSPECIFIC), sa.UNSUPPORTED_CERTIFICATE),
        *untrusted_server(
            20,
            "unable to get local issuer certificate",
            go="certificate signed by unknown authority",
            dotnet="UntrustedRoot",
        ),
        *untrusted_server(19, "self-signed certificate in certificate chain", dotnet="UntrustedRoot"),
        *untrusted_server(
            26,
            "unsuitable certificate purpose",
            boringssl="unsupported certificate purpose",
            go="certificate specifies an incompatible key usage",
        ),
        # OpenSSL's clients send their alert in the clear under TLS 1.3, where these servers expect it encrypted.
        ("Go", "http: TLS handshake error from ADDRESS: local error: tls: bad record MAC"),
        ("Caddy", "http: TLS handshake error from ADDRESS: local error: tls: bad record MAC"),
        ("Envoy", "BAD_PACKET_LENGTH|268435595:SSL_routines:OPENSSL_internal:DECRYPTION_FAILED_OR_BAD_RECORD_MAC"),
        ("Node", "SELF_SIGNED_CERT_IN_CHAIN self-signed certificate in certificate chain"),
        ("Node", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY unable to get local issuer certificate"),
        (
            "Windows",
            "36882: The certificate received from the remote server was issued by an untrusted certificate authority.",
        ),
    ),
    references=("RFC 8446 section 6.2", "RFC 5246 section 7.2.2", "RFC 5280 section 6.1"),
    explanation=__doc__,
)
