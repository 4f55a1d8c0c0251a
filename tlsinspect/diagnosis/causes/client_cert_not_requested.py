"""The server sent no CertificateRequest, so the client could not show its certificate.

## What happened

A client sends a certificate only when it is asked. This server, or the one of its virtual hosts that answered, does
not ask. Where the application behind it expects an identity it sees none, and answers 401 or 403, or 400 with nginx
when the Host header then selects a server block with `ssl_verify_client on`.

Of most servers it is right that they do not ask: then this is only a remark.

## On the wire

TLS 1.2: no CertificateRequest(13) between the server's Certificate and ServerHelloDone, and no Certificate from the
client. TLS 1.3: no CertificateRequest between EncryptedExtensions and Certificate, which shows with keys alone;
without them the client's flight is a single record with the size of Finished. In an abbreviated handshake none ever
passes.

## How to confirm

`openssl s_client -connect HOST:443 -servername NAME` prints "No client certificate CA names sent". Repeat it without
`-servername`, and with the other names of the server: a default host often does not ask where a named one does.

## What it is not

A client without a certificate (client-cert-missing). A resumed session, in which no certificates pass
(session-resumed). With Apache a request for one location may come later: by renegotiation in TLS 1.2, by
post-handshake authentication in TLS 1.3.
"""

from __future__ import annotations

from tlsinspect.diagnosis.client_auth import refusing_reply, requested, sent_chain, speaks_of_certificates
from tlsinspect.diagnosis.facts import answered, at_frame, completed, label, name_text, quoted, resumed, server_name
from tlsinspect.diagnosis.hidden import ClientFlight, client_flight
from tlsinspect.diagnosis.identity_fixes import ASK_FOR_CERTIFICATE
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import CertificateMessage

LOOKS_AT = ("certificate_request", "client_certificates")


def check(case: Case) -> Finding | None:
    """A full handshake with a server certificate completed, and no client certificate was asked for."""
    handshake = case.handshake
    if not completed(handshake) or not asked_for_none(handshake):
        return None
    meant = case.meant.identity
    if meant is not None and meant.lower() != "none":
        return Finding(
            certainty=Certainty.SHOWN,
            severity=Severity.ERROR,
            explanation=(
                f"The server sent no CertificateRequest, so the client could not show the identity {quoted(meant)} "
                f"that was meant: the server sees no client certificate."
            ),
            evidence=LOOKS_AT,
        )
    reply = refusing_reply(handshake)
    if reply is not None and speaks_of_certificates(handshake):
        return Finding(
            certainty=Certainty.SHOWN,
            severity=Severity.ERROR,
            explanation=(
                "The server sent no CertificateRequest, so the client could not send a certificate. Then it answered "
                f"HTTP {reply.status}{at_frame(reply.frame)} with words about a certificate: what answers the request "
                "expects one, and what made the handshake does not ask for it."
            ),
            evidence=LOOKS_AT,
        )
    if handshake.parts > 1:
        return None  # another handshake of the connection may ask, as Apache does for a location
    return Finding(
        certainty=Certainty.SHOWN,
        explanation=(
            "The server asked for no client certificate, so none could be sent and the application sees none. "
            "That is as it should be unless it is to know its clients by certificates."
        ),
        evidence=LOOKS_AT,
    )


def asked_for_none(handshake: Handshake) -> bool:
    """Whether the server could have asked for a certificate, and its whole flight shows that it did not.

    A server that has no certificate itself must not ask.  RFC 5246 section 7.4.4, RFC 8446 section 4.3.2.
    """
    return (
        answered(handshake)
        and handshake.resumption.accepted is None
        and handshake.certificate_request is Missing.NOT_SENT
        and not isinstance(handshake.client_certificates, CertificateMessage)
        and isinstance(handshake.server_certificates, CertificateMessage)
    )


def compare(left: Case, right: Case) -> Finding | None:
    """One of the two was asked for a certificate, the other was not."""
    for side, unasked, other in (("left", left, right), ("right", right, left)):
        finding = of_pair(side, unasked.handshake, other.handshake)
        if finding is not None:
            return finding
    return None


def of_pair(side: str, unasked: Handshake, other: Handshake) -> Finding | None:
    """What it means that only the other was asked."""
    if resumed(other) or not answered(other):
        return None
    if not asked_for_none(unasked) or not requested(other):
        return hidden_pair(side, unasked, other)
    chain = sent_chain(other)
    sent = f"sent the certificate {quoted(chain[0].subject)}" if chain else "sent none"
    names = ""
    if server_name(unasked) != server_name(other):
        names = (
            f" The hellos differ in the name: {name_text(server_name(unasked))} against "
            f"{name_text(server_name(other))}, so another virtual host may have answered."
        )
    return Finding(
        certainty=Certainty.SHOWN,
        severity=pair_severity(unasked, other, sent=bool(chain)),
        side=side,
        explanation=(
            f"The server asked for no client certificate in {label(unasked)}; in {label(other)} it did, and the client "
            f"{sent}.{names} Had the server asked in {label(unasked)}, its client could have shown a certificate too."
        ),
        evidence=(*LOOKS_AT, "client_hello.server_name"),
    )


def pair_severity(unasked: Handshake, other: Handshake, *, sent: bool) -> Severity:
    """An error where the other showed a certificate and was served; what went well because nobody asked is no fault."""
    if in_trouble(other) and not in_trouble(unasked):
        return Severity.INFO
    return Severity.ERROR if sent else Severity.WARNING


def in_trouble(handshake: Handshake) -> bool:
    """Whether the handshake failed, or HTTP refused what came after it."""
    return not completed(handshake) or refusing_reply(handshake) is not None


def hidden_pair(side: str, unasked: Handshake, other: Handshake) -> Finding | None:
    """The same where encryption leaves only the sizes of the clients' flights."""
    ours, theirs = client_flight(unasked), client_flight(other)
    if ours is None or ours.kind is not ClientFlight.FINISHED_ALONE:
        return None
    asked = sent_chain(other) or (theirs is not None and theirs.kind is ClientFlight.CERTIFICATE)
    if not asked:
        return None
    return Finding(
        certainty=Certainty.LIKELY,
        severity=pair_severity(unasked, other, sent=True),
        side=side,
        explanation=(
            f"Likely the server asked for a client certificate in {label(other)} alone: the client's flight of "
            f"{label(unasked)} is {ours.text}, the size of {ours.kind.value}, and the one of {label(other)} has "
            "room for "
            "a certificate. The messages are encrypted; padding could look the same, and a key log would show them."
        ),
        evidence=("server_hello.version", *LOOKS_AT, "client_hello.server_name"),
    )


CAUSE = Cause(
    code="client-cert-not-requested",
    title="The server asked for no client certificate",
    stage=Stage.CLIENT_AUTH,
    severity=Severity.INFO,
    looks_at=LOOKS_AT,
    check=check,
    compare=compare,
    # As a mere remark it stands behind everything else that there is to say.
    follows_from=(
        "sni-missing",
        "sni-mismatch",
        "sni-invalid",
        "default-certificate",
        "server-cert-name-mismatch",
        "session-resumed",
        "session-resumed-other-name",
        "session-resumed-other-identity",
        "resumption-refused",
        "renegotiation-legacy",
        "hello-retry",
        "fallback-detected",
        "alpn-missing",
        "alpn-different",
        "version-different",
        "ech-retry",
        "server-cert-expired",
        "server-cert-not-yet-valid",
        "server-cert-untrusted",
        "server-cert-chain-incomplete",
        "server-cert-self-signed",
        "server-cert-weak",
        "connection-reused",
        "misdirected-request",
    ),
    fixes=ASK_FOR_CERTIFICATE,
    log_lines=(
        ("nginx", "client sent no required SSL certificate while reading client request headers"),
        ("nginx", "400 No required SSL certificate was sent"),
        ("OpenSSL", "No client certificate CA names sent"),
        ("Apache", "AH10158: cannot perform post-handshake authentication"),
    ),
    references=("RFC 5246 section 7.4.4", "RFC 8446 section 4.3.2", "RFC 8446 section 4.6.2"),
    explanation=__doc__,
)
