"""The server's certificate is for another name than the one asked for.

## What happened

The server showed a certificate without the name that the client asked for. Clients that verify refuse it; clients that
do not (nginx as a proxy without proxy_ssl_verify) go on with a host that may be the wrong one.

## On the wire

TLS 1.2: server_name in the ClientHello, and a Certificate whose subjectAltName does not cover it; a wildcard stands for
one label, at the left. Then an alert of the client: bad_certificate(42) from OpenSSL with a host set, Go and GnuTLS,
certificate_unknown(46) from Java. curl, Node and nginx check the name after the handshake: they close without a request
and without an alert.
TLS 1.3: the Certificate is encrypted, and keys are needed to see it.

## How to confirm

`echo | openssl s_client -connect ADDRESS:443 -servername NAME | openssl x509 -noout -ext subjectAltName`. If another
server name brings the right certificate, the name sent is wrong; if none does, the certificate is.

## What it is not

A certificate that was made up or shipped as a default is `default-certificate`. A name that the client never meant to
send is `sni-mismatch`, none at all `sni-missing`: those are the causes, and this follows from them.
"""

from __future__ import annotations

from tlsinspect.diagnosis import server_auth as sa
from tlsinspect.diagnosis.facts import server_name
from tlsinspect.diagnosis.fixes import SEND_SERVER_NAME
from tlsinspect.diagnosis.log_lines import refused_by_client
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.diagnosis.server_auth import Taken
from tlsinspect.diagnosis.server_fixes import REPLACE_CERTIFICATE
from tlsinspect.model.frame import Missing, Side

FITTING = frozenset((*sa.UNSPECIFIC, sa.INTERNAL_ERROR))  # HAProxy says internal_error where verifyhost does not fit


def check(case: Case) -> Finding | None:
    """The leaf does not cover the server name."""
    handshake = case.handshake
    fault = sa.name_fault(case)
    if fault is None:
        return None
    weight = sa.weight(handshake, FITTING)
    if server_name(handshake) is Missing.NOT_SENT and sa.taken(handshake) is Taken.LEFT:
        weight = Severity.WARNING  # it is not known what it meant, and scanners leave like that
    sure = sa.taken(handshake) is not Taken.LEFT and isinstance(server_name(handshake), str) and "common" not in fault
    sure = sure and sa.refusal_code(handshake) != sa.INTERNAL_ERROR
    return Finding(
        certainty=Certainty.SHOWN if sure else Certainty.LIKELY,
        severity=weight,
        explanation=(f"The server certificate {fault}. {sa.reaction_text(handshake, fits=weight is Severity.ERROR)}"),
        evidence=("client_hello.server_name", *sa.evidence(handshake)),
        fill=sa.fill(case),
    )


CAUSE = Cause(
    code="server-cert-name-mismatch",
    title="The server's certificate is for another name",
    stage=Stage.SERVER_AUTH,
    severity=Severity.ERROR,
    looks_at=("client_hello.server_name", "server_certificates", "client_alert"),
    check=check,
    compare=sa.certificates_on_one_side(check),
    follows_from=("default-certificate", "sni-missing", "sni-mismatch", "sni-invalid", "ech-retry"),
    fixes=(
        Fix(
            "any server",
            "Issue a certificate with the name in its subjectAltName.",
            "subjectAltName = DNS:{host}",
            Side.SERVER,
        ),
        *REPLACE_CERTIFICATE,
        *SEND_SERVER_NAME,
        Fix(
            "nginx",
            "As a proxy, verify another name than the one of proxy_pass.",
            "proxy_ssl_name {host};",
            Side.CLIENT,
        ),
        Fix(
            "HAProxy",
            "Verify another name.",
            "server app ADDRESS:443 ssl verify required ca-file CA.pem verifyhost {host}",
            Side.CLIENT,
        ),
        Fix(
            "Envoy",
            "Verify another name, in the validation_context.",
            "match_typed_subject_alt_names:\n  - san_type: DNS\n    matcher: {exact: {host}}",
            Side.CLIENT,
        ),
        Fix(
            "Istio", "Verify another name, in the DestinationRule.", "tls:\n  subjectAltNames: ['{host}']", Side.CLIENT
        ),
    ),
    log_lines=(
        ("nginx", "upstream SSL certificate does not match"),
        ("curl", "curl: (60) SSL: no alternative certificate subject name matches target host name"),
        ("OpenSSL", "verify error:num=62:hostname mismatch"),
        ("GnuTLS", "The name in the certificate does not match the expected."),
        ("Go", "x509: certificate is valid for NAMES, not NAME"),
        ("Go", "x509: certificate relies on legacy Common Name field, use SANs instead"),
        ("Java", "No subject alternative DNS name matching"),
        ("Node", "ERR_TLS_CERT_ALTNAME_INVALID Hostname/IP does not match certificate's altnames"),
        ("Python", "certificate verify failed: Hostname mismatch, certificate is not valid for"),
        ("HAProxy", "Server presented an SSL certificate different from the expected one"),
        ("Chrome", "ERR_CERT_COMMON_NAME_INVALID"),
        *refused_by_client(*sorted(sa.UNSPECIFIC)),
        ("Apache", "AH02411: SSL Proxy: Peer certificate does not match for hostname NAME"),
        ("Apache", "AH02005: SSL Proxy: Peer certificate CN mismatch: Certificate CN: NAME Requested hostname: NAME"),
        (
            "Envoy",
            "CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_SAN_matcher,_certificate_SANs_are_[NAMES]:TLS_error_end",
        ),
        ("Caddy", "tls: failed to verify certificate: x509: certificate is valid for NAMES, not NAME"),
        (
            "Traefik",
            '500 Internal Server Error error="tls: failed to verify certificate: x509: certificate is valid for NAMES, '
            'not NAME"',
        ),
        ("Traefik", "x509: cannot validate certificate for ADDRESS because it doesn't contain any IP SANs"),
        ("Go", "x509: cannot validate certificate for ADDRESS because it doesn't contain any IP SANs"),
        ("Java", "No name matching NAME found"),
        ("Java", "No subject alternative names present"),
        (
            ".NET",
            "The remote certificate is invalid according to the validation procedure: RemoteCertificateNameMismatch",
        ),
        ("Windows", "36884: The certificate received from the remote server does not contain the expected name."),
    ),
    references=("RFC 9525 section 6", "RFC 6066 section 3", "RFC 8446 section 6.2"),
    explanation=__doc__,
)
