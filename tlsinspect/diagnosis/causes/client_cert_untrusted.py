"""The server refused the client's certificate.

## What happened

The client sent a certificate and the server did not accept it. unknown_ca(48) says why: no chain leads from it to an
authority that the server trusts. bad_certificate(42), certificate_unknown(46) and access_denied(49) do not say why.

## On the wire

TLS 1.2: the client's Certificate(11) with at least one entry, ClientKeyExchange, CertificateVerify, and then, instead
of the server's ChangeCipherSpec, a fatal alert from the server: 48 from OpenSSL (haproxy, Apache, stunnel, s_server),
42 from Go and NSS, 46 from JSSE, 49 from gnutls-serv. gRPC servers close without an alert. nginx completes the
handshake and answers HTTP 400.

TLS 1.3: the same alerts, encrypted, after the client's Finished: the client may have sent its request by then, and
reports the alert while it reads the answer. Without keys only a record of the size of an alert shows, and not what it
says.

## How to confirm

Verify the chain that was sent against the authorities of the server: `tlsinspect certs CAPTURE#N --pem DIR`, then
`openssl verify -purpose sslclient -CAfile CLIENT-CA.pem -untrusted INTERMEDIATES.pem LEAF.pem`. The server's log has
the reason.

## What it is not

An alert 48 from the *client*: that is about the server's certificate (server-cert-untrusted). A certificate with a
visible flaw: client-cert-expired, client-cert-unsuitable. A missing intermediate looks the same where the server
lists no authorities.
"""

from __future__ import annotations

from tlsinspect.diagnosis.client_auth import (
    ACCESS_DENIED,
    BAD_CERTIFICATE,
    CERTIFICATE_UNKNOWN,
    HANDSHAKE_FAILURE,
    NGINX_ERROR,
    UNKNOWN_CA,
    Answer,
    Reaction,
    reaction,
    sent_chain,
    speaks_of_certificates,
)
from tlsinspect.diagnosis.client_fit import issuer_listed, top, unsuitable_reasons, validity_problem
from tlsinspect.diagnosis.facts import quoted, resumed
from tlsinspect.diagnosis.identity_fixes import TRUST_ISSUER, send_certificate
from tlsinspect.diagnosis.log_lines import alert_lines, late_alert_lines, untrusted_client
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.model.message import Certificate

LOOKS_AT = ("client_certificates", "certificate_request.certificate_authorities", "server_alert")
STATED = frozenset((UNKNOWN_CA, BAD_CERTIFICATE, CERTIFICATE_UNKNOWN))
UNSPECIFIC = frozenset((BAD_CERTIFICATE, CERTIFICATE_UNKNOWN, ACCESS_DENIED, HANDSHAKE_FAILURE))


def check(case: Case) -> Finding | None:
    """The server refused the client's certificate, and nothing more specific is to be seen."""
    handshake = case.handshake
    chain = sent_chain(handshake)
    if not chain or resumed(handshake):
        return None
    taken = reaction(handshake)
    if not speaks_of_trust(taken) and not (taken.answer is Answer.HTTP and speaks_of_certificates(handshake)):
        return None
    if taken.code != UNKNOWN_CA and (validity_problem(chain, case.at) or unsuitable_reasons(handshake)):
        return None  # the visible flaw explains an alert that does not say why
    leaf = chain[0]
    return Finding(
        certainty=certainty(taken),
        explanation=(
            f"The client sent the certificate {quoted(leaf.subject)} of {quoted(leaf.issuer)}, and {taken.text}. "
            f"{reasons(taken, chain, listed=issuer_listed(handshake))}"
        ),
        evidence=LOOKS_AT,
    )


def certainty(taken: Reaction) -> Certainty:
    """How far the refusal carries: some alerts, and a page of nginx, speak of the certificate and of nothing else."""
    stated = taken.code in STATED or (taken.reply is not None and NGINX_ERROR in taken.reply.text)
    return Certainty.STATED if stated else Certainty.LIKELY


def speaks_of_trust(taken: Reaction) -> bool:
    """Whether the server's alert can mean that it does not trust the certificate."""
    return taken.answer is Answer.ALERT and taken.code in STATED | UNSPECIFIC


def reasons(taken: Reaction, chain: tuple[Certificate, ...], *, listed: bool | None) -> str:
    """What else the octets say of why."""
    highest = top(chain)
    if taken.code == UNKNOWN_CA:
        said = "It found no way from it to an authority that it trusts"
    else:
        said = "That does not say why; most often the server does not trust the issuer"
    if chain[0].self_signed:
        return f"{said}: the certificate is self-signed, so no authority vouches for it."
    if listed is False:
        return f"{said}: no authority that it names in its CertificateRequest issued a certificate of the chain."
    if highest.self_issued:
        return f"{said}; the chain that was sent ends in {quoted(highest.subject)}."
    return (
        f"{said}: either {quoted(highest.issuer)} is unknown to it, or it is an intermediate authority whose "
        "certificate the client should have sent too. The names alone do not tell which."
    )


CAUSE = Cause(
    code="client-cert-untrusted",
    title="The server refused the client's certificate",
    stage=Stage.CLIENT_AUTH,
    severity=Severity.ERROR,
    looks_at=LOOKS_AT,
    check=check,
    compare=on_one_side(check),
    follows_from=(
        "client-cert-expired",
        "client-cert-unsuitable",
        "client-cert-revoked",
        "client-cert-chain-incomplete",
    ),
    fixes=(*TRUST_ISSUER, *send_certificate("Send one of an authority that the server trusts.")),
    log_lines=(
        *alert_lines(48, 42, 46, 49),
        *late_alert_lines(48, 42, 46, 49),
        (
            "nginx",
            "client SSL certificate verify error: (21:unable to verify the first certificate) while reading client "
            "request headers",
        ),
        ("nginx", "400 The SSL certificate error"),
        ("HAProxy", "SSL client CA chain cannot be verified"),
        *untrusted_client(
            20,
            "unable to get local issuer certificate",
            go="certificate signed by unknown authority",
            dotnet="UntrustedRoot",
        ),
        (
            "nginx",
            "client SSL certificate verify error: (18:self-signed certificate) while reading client request headers",
        ),
        ("Apache", "[client ADDRESS] AH02276: Certificate Verification: Error (18): self-signed certificate"),
        ("Java", "PKIX path building failed: unable to find valid certification path to requested target"),
        ("Windows", "36877: The certificate received from the remote client application has not validated correctly."),
    ),
    references=("RFC 5246 section 7.2.2", "RFC 8446 section 6.2", "RFC 8446 section 4.4.2.4"),
    explanation=__doc__,
)
