"""No signature algorithm of the client fits the server's certificate.

## What happened

The client accepts signatures of one kind of certificate alone (ECDSA only, RSA only, no PSS), and the server has the
other kind; or the server signs with SHA-1 or MD5, as TLS 1.0 and 1.1 do, and the client no longer accepts that.

## On the wire

ClientHello whose signature_algorithms are of one kind, then the fatal alert handshake_failure(40) and no ServerHello;
in TLS 1.3 Java servers send ServerHello and EncryptedExtensions first, and the alert is encrypted. TLS 1.2: a
ServerKeyExchange with an algorithm that was not offered, and an alert of the client. TLS 1.0 and 1.1:
ServerKeyExchange, then internal_error(80) from OpenSSL 3 ("legacy sigalg disallowed or unsupported").

## How to confirm

Repeat with a wide offer: `openssl s_client -sigalgs RSA+SHA256:RSA-PSS+SHA256:ECDSA+SHA256 -connect ADDRESS:443`; the
certificate's key type is what the first client could not accept.

## What it is not

A client certificate that fits none of the CertificateRequest's algorithms (`client-cert-unsuitable`). The alert names
no parameter, so suites and groups are not ruled out.
"""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.diagnosis.facts import (
    alert_octets,
    alert_text,
    at_frame,
    encrypted_records,
    ending_alert,
    hello_frame,
    hello_of,
    hidden,
    leaf,
)
from tlsinspect.diagnosis.log_lines import alert_lines
from tlsinspect.diagnosis.mismatch import (
    HANDSHAKE_FAILURE,
    SIGNATURE,
    choice_not_offered,
    likeliest,
    server_hello_of,
    unusual_schemes,
)
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.parameter_fixes import SIGNATURES, VERSIONS
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Event
from tlsinspect.model.message import Certificate, CertificateVerify, ServerKeyExchange
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.versions import TLS12, is_tls13

ILLEGAL_PARAMETER, INTERNAL_ERROR = 47, 80
OFFER = ("client_hello.signature_algorithms",)
# EncryptedExtensions without much in them; a Certificate never fits.
LARGEST_EXTENSIONS_RECORD = 150


def check(case: Case) -> Finding | None:
    """The server found no signature that the client would accept, or the client refused the one that it made."""
    return likeliest(case, SIGNATURE, OFFER) or after_hello(case) or not_accepted(case) or legacy(case)


def after_hello(case: Case) -> Finding | None:
    """TLS 1.3: the server gave up between its ServerHello and its Certificate, and the schemes are of one kind."""
    handshake = case.handshake
    hello, answer = hello_of(handshake), server_hello_of(case)
    if hello is None or answer is None or not is_tls13(answer.version):
        return None
    seen = ending_alert(handshake, Side.SERVER)
    stopped = handshake.server_certificates is Missing.NOT_SENT and seen is not None
    refused = stopped and seen is not None and seen.alert.description == HANDSHAKE_FAILURE
    if not refused and not alert_before_certificate(case):
        return None
    unusual = next(iter(unusual_schemes(hello)), None)
    if unusual is None:
        return None
    how = (
        f"the alert {alert_text(seen)}{at_frame(seen.frame)}"
        if refused and seen is not None
        else "an encrypted record of the size of an alert"
    )
    return Finding(
        certainty=Certainty.LIKELY,
        explanation=(
            f"The server sent a ServerHello and then {how}, and no Certificate: most likely it has none that fits, "
            f"as {unusual.clause}{at_frame(hello_frame(handshake))}. Not ruled out: an application protocol (ALPN) "
            "that it does not serve, or another parameter."
        ),
        evidence=(*OFFER, "server_alert"),
    )


def alert_before_certificate(case: Case) -> bool:
    """Whether all that the server sent after its ServerHello is too little for a Certificate, and ends in an alert."""
    handshake = case.handshake
    if not hidden(handshake) or isinstance(handshake.resumption.accepted, str):
        return False
    server = encrypted_records(handshake, Side.SERVER)
    alerts = alert_octets(handshake)
    few = 0 < len(server) <= 2 and server[-1] in alerts and sum(server[:-1]) <= LARGEST_EXTENSIONS_RECORD
    return few and not any(octets not in alerts for octets in encrypted_records(handshake, Side.CLIENT))


def not_accepted(case: Case) -> Finding | None:
    """The server signed with an algorithm that the client did not offer, and the client refused that."""
    handshake = case.handshake
    hello, seen = hello_of(handshake), ending_alert(handshake, Side.CLIENT)
    used = signed_with(case)
    offered = hello.body(ext.SIGNATURE_ALGORITHMS) if hello is not None else None
    if seen is None or used is None or not isinstance(offered, tuple) or used in offered:
        return None
    if seen.alert.description not in (HANDSHAKE_FAILURE, ILLEGAL_PARAMETER):
        return None
    return Finding(
        certainty=Certainty.SHOWN,
        explanation=(
            f"The server signed with {registry.SIGNATURE_SCHEMES.name(used)}, which the client did not offer, and the "
            f"client refused that with the alert {alert_text(seen)}{at_frame(seen.frame)}."
        ),
        evidence=(*OFFER, "server_key_exchange.signature_algorithm", "client_alert"),
    )


def signed_with(case: Case) -> int | None:
    """The algorithm of the server's signature: in ServerKeyExchange, from TLS 1.3 on in CertificateVerify."""
    exchange = case.handshake.server_key_exchange
    if isinstance(exchange, ServerKeyExchange) and exchange.signature_algorithm is not None:
        return exchange.signature_algorithm
    verify = next((event.message for event in case.handshake.events if is_server_verify(event)), None)
    return verify.algorithm if isinstance(verify, CertificateVerify) else None


def is_server_verify(event: Event) -> bool:
    """Whether an event is the server's CertificateVerify."""
    return event.side is Side.SERVER and isinstance(event.message, CertificateVerify)


def legacy(case: Case) -> Finding | None:
    """TLS 1.0 and 1.1 sign with MD5 and SHA-1, and the client ended the handshake at the signature."""
    handshake = case.handshake
    answer, seen = server_hello_of(case), ending_alert(handshake, Side.CLIENT)
    if answer is None or seen is None or answer.version >= TLS12 or answer.version < 0x0300:
        return None
    if not isinstance(handshake.server_key_exchange, ServerKeyExchange):
        return None
    if seen.alert.description not in (HANDSHAKE_FAILURE, INTERNAL_ERROR):
        return None
    return Finding(
        certainty=Certainty.LIKELY,
        explanation=(
            f"The server chose {registry.version_name(answer.version)}, whose ServerKeyExchange is signed with SHA-1 "
            f"(with MD5 beside it for RSA), and the client answered with the alert {alert_text(seen)}"
            f"{at_frame(seen.frame)}, as OpenSSL 3 does above security level 0. The alert itself names nothing."
        ),
        evidence=("server_hello.version", "client_alert"),
        fixes=VERSIONS,
    )


def compare(left: Case, right: Case) -> Finding | None:
    """One side alone has such an offer, or accepts no signature of the certificate that the other was shown."""
    return on_one_side(check)(left, right) or choice_not_offered(left, right, signature_not_offered, OFFER)


def signature_not_offered(one: Case, other: Case) -> str | None:
    """A clause about the signature that the other got, where the one accepts none by such a key."""
    hello, used = hello_of(one.handshake), signed_with(other)
    offered = hello.body(ext.SIGNATURE_ALGORITHMS) if hello is not None else None
    if used is None or not isinstance(offered, tuple) or used in offered:
        return None
    certificate = leaf(other.handshake.server_certificates)
    key = f" with a certificate of {certificate.public_key}" if isinstance(certificate, Certificate) else ""
    return f"it signed with {registry.SIGNATURE_SCHEMES.name(used)}{key}, which the refused client does not offer"


CAUSE = Cause(
    code="signature-no-overlap",
    title="No signature algorithm in common",
    stage=Stage.PARAMETERS,
    severity=Severity.ERROR,
    looks_at=("client_hello.signature_algorithms", "server_key_exchange.signature_algorithm", "server_alert"),
    check=check,
    compare=compare,
    follows_from=("version-no-overlap", "cipher-no-overlap", "group-no-overlap", "fallback-detected"),
    fixes=SIGNATURES,
    log_lines=(
        *alert_lines(HANDSHAKE_FAILURE),
        ("curl", "error:0A00014D:SSL routines::legacy sigalg disallowed or unsupported"),
        ("HAProxy", "error:0A00014D:SSL routines::legacy sigalg disallowed or unsupported"),
        ("OpenSSL", "legacy sigalg disallowed or unsupported"),
        ("OpenSSL", "no shared signature algorithms"),
        ("OpenSSL", "no suitable signature algorithm"),
        ("OpenSSL", "wrong signature type"),
        ("Go", "tls: peer doesn't support any of the certificate's signature algorithms"),
        ("Java", "No available authentication scheme"),
    ),
    references=(
        "RFC 8446 section 4.2.3",
        "RFC 8446 section 4.4.2.2",
        "RFC 5246 section 7.4.1.4.1",
        "RFC 9155 section 2",
    ),
    explanation=__doc__,
)
