"""The server answered the server name with a default certificate that does not cover it.

## What happened

The client named a host; the server has none of that name, does not refuse, and showed the certificate of its default
host or one that it made up. Clients that verify refuse it; clients that do not (nginx as a proxy, `curl -k`) go on and
reach the wrong host.

## On the wire

TLS 1.2: server_name in the ClientHello, and a Certificate without that name: "Kubernetes Ingress Controller Fake
Certificate", "TRAEFIK DEFAULT CERT", default.invalid, localhost, a snakeoil certificate, or that of another host.
TLS 1.3: the Certificate is encrypted; keys are needed to see it. The client sends an alert (OpenSSL bad_certificate(42)
or, where the issuer is unknown too, unknown_ca(48); Go 42; Java 46), or closes after the handshake without a request.

## How to confirm

`openssl s_client -connect ADDRESS:443 -servername NAME` shows the same certificate for any name that is not known.

## What it is not

An expired or untrusted certificate of the right host. With no server name sent at all it is `sni-missing`.
"""

from __future__ import annotations

from dataclasses import replace

from tlsinspect.diagnosis.facts import (
    alert_text,
    asked_nothing,
    at_frame,
    completed,
    ending_alert,
    label,
    leaf,
    quoted,
    resumed,
    server_name,
)
from tlsinspect.diagnosis.fixes import SEND_SERVER_NAME, SERVE_THE_NAME
from tlsinspect.diagnosis.hosts import same_host
from tlsinspect.diagnosis.names import covers, looks_default, made_up, names_text
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side
from tlsinspect.model.message import Certificate

BAD_CERTIFICATE, CERTIFICATE_UNKNOWN, UNKNOWN_CA, ACCESS_DENIED = 42, 46, 48, 49
ABOUT_NAMES = frozenset((BAD_CERTIFICATE, CERTIFICATE_UNKNOWN, ACCESS_DENIED))


def check(case: Case) -> Finding | None:
    """The certificate does not cover the name, and looks like one that nobody configured for it."""
    uncovered = uncovered_name(case)
    if uncovered is None or not looks_default(uncovered[1]):
        return None
    name, certificate = uncovered
    return judged(case, name, certificate, "which looks like a default one")


def uncovered_name(case: Case) -> tuple[str, Certificate] | None:
    """The name sent and the certificate shown, where the one does not cover the other."""
    handshake = case.handshake
    name = server_name(handshake)
    certificate = leaf(handshake.server_certificates)
    if not isinstance(name, str) or not isinstance(certificate, Certificate) or resumed(handshake):
        return None
    return None if covers(certificate, name) else (name, certificate)


def judged(case: Case, name: str, certificate: Certificate, why: str) -> Finding:
    """A finding whose weight depends on what the client did next."""
    handshake = case.handshake
    kind = "self-signed certificate" if certificate.self_signed else "certificate"
    said = f"For the server name {quoted(name)} the server showed a {kind} for {names_text(certificate)}, {why}"
    seen = ending_alert(handshake, Side.CLIENT)
    evidence = ["client_hello.server_name", "server_certificates"]
    severity: Severity | None = None
    if seen is not None:
        end = f" The client refused it with the alert {alert_text(seen)}{at_frame(seen.frame)}."
        evidence.append("client_alert")
        about_trust = seen.alert.description == UNKNOWN_CA and made_up(certificate)
        severity = None if seen.alert.description in ABOUT_NAMES or about_trust else Severity.WARNING
    elif asked_nothing(handshake):
        end = (
            " The client closed after the handshake without a request, as clients do that check the name only then "
            "(curl, Node, nginx); one that only tests the connection would look the same."
        )
    elif completed(handshake):
        end = " The handshake completed: the client does not check the name, and may have reached another host."
        severity = Severity.WARNING
    else:
        by_client = handshake.ending is not None and handshake.ending.side is Side.CLIENT
        end = " The client ended the handshake without an alert." if by_client else ""
        severity = None if by_client else Severity.WARNING
    return Finding(
        certainty=Certainty.LIKELY,
        severity=severity,
        explanation=f"{said}.{end}",
        evidence=tuple(evidence),
        fill=(("host", case.meant.host or name),),
    )


def compare(left: Case, right: Case) -> Finding | None:
    """One was shown a certificate that does not cover its name, by a server that has the other's."""
    found = on_one_side(check)(left, right)
    if found is not None:
        return found
    for side, one, other in (("left", left, right), ("right", right, left)):
        uncovered = uncovered_name(one)
        theirs = leaf(other.handshake.server_certificates)
        name = server_name(other.handshake)
        if uncovered is None or not isinstance(theirs, Certificate) or not isinstance(name, str):
            continue
        if not covers(theirs, name) or covers(theirs, uncovered[0]) or same_host(uncovered[1], theirs):
            continue
        if one.handshake.server != other.handshake.server:
            continue
        why = f"where it has one for {names_text(theirs)} when {quoted(name)} is asked for"
        finding = judged(one, *uncovered, why)
        return Finding(
            certainty=finding.certainty,
            severity=finding.severity,
            explanation=f"{label(one.handshake)}: {finding.explanation}",
            evidence=finding.evidence,
            side=side,
            fill=finding.fill,
        )
    return None


CAUSE = Cause(
    code="default-certificate",
    title="The server answered with a default certificate",
    stage=Stage.ROUTING,
    severity=Severity.ERROR,
    looks_at=("client_hello.server_name", "server_certificates"),
    check=check,
    compare=compare,
    follows_from=("sni-missing", "sni-mismatch", "sni-invalid", "ech-retry"),
    fixes=(
        Fix("any server", "Give the name a host of its own, with a certificate that covers it.", "", Side.SERVER),
        *SERVE_THE_NAME,
        Fix(
            "nginx",
            "Give the host its certificate.",
            "server_name {host};\nssl_certificate CHAIN.pem;\nssl_certificate_key KEY.pem;",
            Side.SERVER,
        ),
        Fix("nginx", "Refuse names that are not served instead.", "ssl_reject_handshake on;", Side.SERVER),
        Fix(
            "HAProxy", "Refuse names that are not served instead.", "bind :443 ssl crt SITE.pem strict-sni", Side.SERVER
        ),
        Fix("Traefik", "Refuse names that are not served instead.", "sniStrict: true", Side.SERVER),
        Fix(
            "ingress-nginx",
            "Or give the default host a certificate that covers the name.",
            "--default-ssl-certificate=NAMESPACE/SECRET",
            Side.SERVER,
        ),
        *(replace(fix, action=f"Or ask for a name that the server has. {fix.action}") for fix in SEND_SERVER_NAME),
    ),
    log_lines=(
        ("nginx", "upstream SSL certificate does not match"),
        ("curl", "curl: (60) SSL: no alternative certificate subject name matches target host name"),
        ("OpenSSL", "verify error:num=62:hostname mismatch"),
        ("GnuTLS", "The name in the certificate does not match the expected."),
        ("Go", "x509: certificate is valid for ingress.local, not"),
        ("Java", "No subject alternative DNS name matching"),
        ("Node", "ERR_TLS_CERT_ALTNAME_INVALID Hostname/IP does not match certificate's altnames"),
        ("Python", "certificate verify failed: Hostname mismatch, certificate is not valid for"),
        ("HAProxy", "Server presented an SSL certificate different from the expected one"),
        ("ingress-nginx", "certificate not found, falling back to fake certificate for hostname:"),
        ("Traefik", "Serving default certificate for request"),
    ),
    references=("RFC 6066 section 3", "RFC 9525 section 6.3"),
    explanation=__doc__,
)
