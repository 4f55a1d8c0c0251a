"""The server asked for a client certificate, and the client had none to send.

## What happened

The server sent a CertificateRequest. The client answered with an empty Certificate: none is configured, or none that
it holds fits the request. A server that insists refuses with an alert; nginx completes the handshake and refuses each
request with HTTP 400; a server for which it is optional goes on without an identity.

Some clients hold a certificate and still send none. Go, Java, Chrome and .NET withhold one whose issuer is not in the
request's certificate_authorities, or whose key does not fit its signature_algorithms. OpenSSL, and with it curl,
nginx, Python and Node, sends a certificate of another issuer all the same, so that the same wrong certificate is
refused with unknown_ca(48) there, and missing with Go or Java.

## On the wire

TLS 1.2: CertificateRequest(13) in the server's flight; the client's Certificate(11) has the length 3, an empty list;
then handshake_failure(40), from JSSE, NSS and older versions of Go bad_certificate(42), from gnutls-serv
decode_error(50), from gRPC servers a FIN without an alert. SSL 3.0 has the warning no_certificate(41) in the place of
the empty Certificate.

TLS 1.3: all of it is encrypted. With keys: the same messages, then certificate_required(116) after the client's
Finished, so that the client may have sent its request by then. Without keys the record sizes tell: the client's
flight is a record of 25 octets and its Finished (53 or 69), and the server's next record has 19 octets, an alert.

## How to confirm

`openssl s_client -connect HOST:443 -servername NAME` prints "Acceptable client certificate CA names" when the server
asks. Repeat with `-cert` and `-key`: when that succeeds, the certificate was missing. For a client that holds one,
compare its issuer with that list.

## What it is not

A certificate that was sent and refused (client-cert-untrusted, client-cert-expired, client-cert-unsuitable). A server
that never asked (client-cert-not-requested). Nothing that can be said of a resumed session: no certificates pass
there.
"""

from __future__ import annotations

from dataclasses import replace

from tlsinspect import registry
from tlsinspect.diagnosis.client_auth import (
    ABOUT_CERTIFICATES,
    ACCESS_DENIED,
    CERTIFICATE_REQUIRED,
    HANDSHAKE_FAILURE,
    NGINX_MISSING,
    Answer,
    Reaction,
    accepted_authorities,
    reaction,
    requested,
    sent_chain,
    sent_none,
)
from tlsinspect.diagnosis.client_fit import authorities_text
from tlsinspect.diagnosis.facts import label, quoted, resumed
from tlsinspect.diagnosis.hidden import ClientFlight, HiddenFlight, client_flight, goes_on, refused_after_flight
from tlsinspect.diagnosis.hidden_server import asked
from tlsinspect.diagnosis.identity_fixes import SEND_CERTIFICATE
from tlsinspect.diagnosis.inherited import NOBODY
from tlsinspect.diagnosis.log_lines import alert_lines, late_alert_lines
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import CertificateRequest

LOOKS_AT = ("certificate_request", "client_certificates")


def check(case: Case) -> Finding | None:
    """The client answered a CertificateRequest with an empty Certificate."""
    handshake = case.handshake
    if resumed(handshake):
        return None
    meant = case.meant.identity
    if sent_none(handshake):
        taken = reaction(handshake)
        if not taken.refused and meant is not None:
            return None if meant.strip().lower() == NOBODY else of_meant(handshake, meant)
        return seen(handshake, taken)
    flight = client_flight(handshake)
    if flight is None or flight.kind is not ClientFlight.EMPTY_CERTIFICATE or not asked(handshake):
        return None
    return unseen(handshake, flight)


def seen(handshake: Handshake, taken: Reaction) -> Finding:
    """What an empty Certificate says together with what the server did next."""
    certainty, severity = judged(taken)
    if not taken.refused:
        end = "; it may refuse the request, or serve it without an identity."
    elif certainty is Certainty.LIKELY:
        end = ". Likely it refused for that; a refusal for another reason would look the same."
    else:
        end = "."
    return Finding(
        certainty=certainty,
        severity=severity,
        explanation=(
            f"The server asked for a client certificate, the client sent none, and {taken.text}{end}{why(handshake)}"
        ),
        evidence=(*LOOKS_AT, "server_alert") if taken.answer is Answer.ALERT else LOOKS_AT,
    )


def of_meant(handshake: Handshake, meant: str) -> Finding:
    """What an empty Certificate says where the user says that an identity was meant."""
    return Finding(
        certainty=Certainty.SHOWN,
        explanation=(
            "The server asked for a client certificate, and the client sent none: the server does not see the "
            "identity "
            f"{quoted(meant)} that was meant.{why(handshake)}"
        ),
        evidence=LOOKS_AT,
    )


def judged(taken: Reaction) -> tuple[Certainty, Severity]:
    """How far the server's reaction carries."""
    stated = taken.code == CERTIFICATE_REQUIRED or (taken.reply is not None and NGINX_MISSING in taken.reply.text)
    if stated:
        return Certainty.STATED, Severity.ERROR
    # RFC 5246 section 7.4.6 names handshake_failure for this very case.
    if taken.code == HANDSHAKE_FAILURE or taken.code in ABOUT_CERTIFICATES - {ACCESS_DENIED}:
        return Certainty.SHOWN, Severity.ERROR
    if taken.refused:
        return Certainty.LIKELY, Severity.ERROR
    return Certainty.SHOWN, Severity.WARNING


def why(handshake: Handshake) -> str:
    """What in the request may have kept a client from sending the certificate that it has."""
    request = handshake.certificate_request
    if not isinstance(request, CertificateRequest):
        return ""
    limits = []
    if request.signature_algorithms:
        names = [registry.SIGNATURE_SCHEMES.name(code) for code in request.signature_algorithms]
        some = ", ".join(names[:4]) + (" ..." if len(names) > 4 else "")
        limits.append(f"when its key can make none of the signatures asked for ({some})")
    if accepted_authorities(handshake):
        limits.append(
            "Go, Java, Chrome and .NET also when its issuer is not among the authorities that the server names "
            f"({authorities_text(handshake)})"
        )
    return f" A client that has a certificate withholds it {'; '.join(limits)}." if limits else ""


def unseen(handshake: Handshake, flight: HiddenFlight) -> Finding:
    """What the sizes of encrypted records say."""
    refused = refused_after_flight(handshake)
    if refused:
        then = "the server's next record has the size of an alert, or it closed at once: it refused the client"
    elif goes_on(handshake):
        then = "the server went on, and may refuse the request or serve it without an identity"
    else:
        then = "what the server did next is not in the capture"
    return Finding(
        certainty=Certainty.LIKELY,
        severity=Severity.ERROR if refused else Severity.WARNING,
        explanation=(
            f"Likely the server asked for a client certificate and the client sent none: its flight is "
            f"{flight.reasoning}; {then}. The messages are encrypted: a key log would show them."
        ),
        evidence=("server_hello.version", *LOOKS_AT),
    )


def compare(left: Case, right: Case) -> Finding | None:
    """One of the two had a certificate where the other had none, or one was refused without."""
    ours, theirs = check(left), check(right)
    if ours is not None and theirs is not None:
        if ours.severity is theirs.severity is Severity.ERROR:
            explanation = f"Both alike. {label(left.handshake)}: {ours.explanation}"
            return replace(ours, side="both", explanation=explanation)
        return None
    if ours is not None:
        return on_side("left", ours, left.handshake, right.handshake)
    return theirs and on_side("right", theirs, right.handshake, left.handshake)


def on_side(side: str, finding: Finding, without: Handshake, other: Handshake) -> Finding:
    """The finding of the side without a certificate, in the light of the other."""
    told = f"{label(without)}: {finding.explanation}"
    if not proved(other):
        return replace(finding, side=side, explanation=told)
    chain = sent_chain(other)
    what = f"the certificate {quoted(chain[0].subject)}" if chain else "a certificate"
    return replace(
        finding,
        side=side,
        severity=Severity.ERROR,  # the two clients are not the same to the server
        explanation=(
            f"{told} {label(other)} was asked too and sent {what}. "
            f"Had {label(without)} sent one, the server could have known its client as it did for {label(other)}."
        ),
    )


def proved(handshake: Handshake) -> bool:
    """Whether the client sent a certificate, as far as the octets or their sizes show."""
    if sent_chain(handshake) and requested(handshake):
        return True
    flight = client_flight(handshake)
    return flight is not None and flight.kind is ClientFlight.CERTIFICATE


CAUSE = Cause(
    code="client-cert-missing",
    title="The server asked for a client certificate, the client sent none",
    stage=Stage.CLIENT_AUTH,
    severity=Severity.ERROR,
    looks_at=LOOKS_AT,
    check=check,
    compare=compare,
    follows_from=("session-resumed-other-identity", "signature-no-overlap"),
    fixes=SEND_CERTIFICATE,
    log_lines=(
        *late_alert_lines(116),
        *alert_lines(40, 116, 42),
        ("nginx", "client sent no required SSL certificate while reading client request headers"),
        ("OpenSSL", "Acceptable client certificate CA names"),
        ("nginx", "400 No required SSL certificate was sent"),
        ("OpenSSL", "error:0A0000C7:SSL routines:tls_process_client_certificate:peer did not return a certificate"),
        ("Go", "tls: client didn't provide a certificate"),
        ("Java", "No X.509 certificate for client authentication, use empty Certificate message instead"),
        ("Apache", "SSL Library Error: error:0A0000C7:SSL routines::peer did not return a certificate"),
        (
            "Apache",
            "AH02268: Proxy client certificate callback: downstream server wanted client certificate but none are "
            "configured",
        ),
        (
            "Envoy",
            "remote address:ADDRESS,TLS_error:|268435648:SSL "
            "routines:OPENSSL_internal:PEER_DID_NOT_RETURN_A_CERTIFICATE:peer did not provide required client "
            "certificate:TLS_error_end",
        ),
        ("Caddy", "http: TLS handshake error from ADDRESS: tls: client didn't provide a certificate"),
        ("Traefik", "http: TLS handshake error from ADDRESS: tls: client didn't provide a certificate"),
        ("HAProxy", "SSL handshake failure"),
        ("Node", "tlsClientError ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE"),
        ("Python", "[SSL: PEER_DID_NOT_RETURN_A_CERTIFICATE] peer did not return a certificate"),
        ("Java", "Empty client certificate chain"),
        ("GnuTLS", "*** Fatal error: No certificate was found."),
        (
            "Windows",
            "36875: The remote server has requested TLS client authentication, but no suitable client certificate "
            "could be found.",
        ),
        ("any client", "400 Bad Request: No required SSL certificate was sent"),
    ),
    references=(
        "RFC 5246 section 7.4.6",
        "RFC 8446 section 4.4.2",
        "RFC 8446 section 6.2",
        "RFC 8446 section 4.2.4",
    ),
    explanation=__doc__,
)
