"""The server said that the client's certificate is revoked.

## What happened

The server has a revocation list, or asked by OCSP, and the certificate that the client sent is on record as revoked.

## On the wire

TLS 1.2: certificate_revoked(44) from the server, after the client's Certificate and CertificateVerify. TLS 1.3: the
same, encrypted, after the client's Finished. nginx completes the handshake and answers HTTP 400; then only its log
says why.

## How to confirm

`openssl crl -noout -text -in CRL.pem` and the serial number of the certificate; the server's log.

## What it is not

A revocation list that is out of date or lacks for one of the authorities: OpenSSL then refuses every client, with
unknown_ca(48) or certificate_unknown(46). A revoked certificate of the *server*: there the client says so
(server-cert-revoked).
"""

from __future__ import annotations

from tlsinspect.diagnosis.certificate_fixes import RENEW_CRL
from tlsinspect.diagnosis.client_auth import CERTIFICATE_REVOKED, reaction, sent_chain
from tlsinspect.diagnosis.facts import quoted, resumed
from tlsinspect.diagnosis.identity_fixes import send_certificate
from tlsinspect.diagnosis.log_lines import alert_lines, late_alert_lines, untrusted_client
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage

LOOKS_AT = ("client_certificates", "server_alert")


def check(case: Case) -> Finding | None:
    """The server answered the client's certificate with certificate_revoked."""
    handshake = case.handshake
    taken = reaction(handshake)
    if resumed(handshake) or taken.code != CERTIFICATE_REVOKED:
        return None
    chain = sent_chain(handshake)
    which = f"the certificate {quoted(chain[0].subject)}, serial number {chain[0].serial_number}" if chain else "one"
    return Finding(
        certainty=Certainty.STATED,
        explanation=f"The client sent {which}, and {taken.text}.",
        evidence=LOOKS_AT,
    )


CAUSE = Cause(
    code="client-cert-revoked",
    title="The server says that the client's certificate is revoked",
    stage=Stage.CLIENT_AUTH,
    severity=Severity.ERROR,
    looks_at=LOOKS_AT,
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=(*send_certificate("Send one that is not revoked."), *RENEW_CRL),
    log_lines=(
        *alert_lines(44),
        *late_alert_lines(44),
        *untrusted_client(23, "certificate revoked", dotnet="Revoked"),
        *untrusted_client(12, "CRL has expired"),
        *untrusted_client(3, "unable to get certificate CRL"),
    ),
    references=("RFC 5246 section 7.2.2", "RFC 8446 section 6.2", "RFC 5280 section 5", "RFC 6960 section 2.2"),
    explanation=__doc__,
)
