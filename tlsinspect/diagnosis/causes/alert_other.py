"""A fatal alert ended the handshake, and no cause that is more specific explains it.

## What happened

One side refused to go on and said so with an alert. The alert names a kind of reason; the reason itself stands in the
log of the side that sent it.

## On the wire

An alert record of level fatal(2). TLS 1.2: in clear until the ChangeCipherSpec of its sender. TLS 1.3: in clear before
the ServerHello, and from OpenSSL clients also after it; else encrypted. handshake_failure(40) right after the
ClientHello means that the server found no acceptable set of parameters: name, version, cipher suite, group, signature
algorithm, secure renegotiation or extended master secret.

## How to confirm

Read the log of the side that sent the alert. For handshake_failure(40) widen the offer one field at a time, or compare
with a client that works (`tlsinspect diff`).

## What it is not

A network problem: the peer answered.
"""

from __future__ import annotations

from tlsinspect.diagnosis.facts import (
    CLOSURE_ALERTS,
    alert_text,
    at_frame,
    ending_alert,
    hello_of,
    last_before_alert,
    refused_at_hello,
    server_name,
    waited,
)
from tlsinspect.diagnosis.log_lines import alert_lines
from tlsinspect.diagnosis.message_names import message_name
from tlsinspect.diagnosis.offer import highest_version, narrow_offer
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.diagnosis.watch_fixes import LOG_MORE
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import AlertSeen
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.versions import is_tls13

HANDSHAKE_FAILURE = 40
MEANINGS = {
    10: "it got a message that it did not expect then",
    20: "a record, often the Finished, did not decrypt or verify: with PSK or SRP, identity or secret are wrong",
    21: "a record did not decrypt",
    22: "a record was too long",
    40: "it found no acceptable set of parameters",
    47: "a field was out of range or inconsistent with others",
    49: "access is denied, which RFC 8446 means for a certificate or PSK that is valid in itself",
    50: "a message could not be decoded",
    51: "a signature or a Finished did not verify: a key that does not belong to the certificate, or a wrong session",
    71: "the server wants stronger parameters than the client offers",
    80: "a fault that is none of the peer's, such as a missing certificate or a callback that failed",
    100: "it refuses to renegotiate",
    110: "the peer sent an extension that was not asked for",
    115: "the PSK identity is not known",
}


def check(case: Case) -> Finding | None:
    """A fatal alert was the first that ended the handshake."""
    handshake = case.handshake
    seen = ending_alert(handshake)
    if seen is None or seen.alert.description in CLOSURE_ALERTS:
        return None
    last = last_before_alert(handshake, seen)
    after = (
        f" {waited(last.time_ns, seen.time_ns)} after the {last.side.value}'s {message_name(last.message)}"
        if last is not None
        else ""
    )
    meaning = MEANINGS.get(seen.alert.description)
    said = (
        f"The {seen.side.value} ended the handshake with the fatal alert {alert_text(seen)}{at_frame(seen.frame)}"
        f"{after}" + (f": {meaning}." if meaning else ".")
    )
    return Finding(
        certainty=Certainty.STATED,
        explanation=said + candidates(case, seen),
        evidence=(f"{seen.side.value}_alert", "outcome"),
    )


def candidates(case: Case, seen: AlertSeen) -> str:
    """What of the offer may be to blame for a handshake_failure, the likeliest first."""
    handshake = case.handshake
    hello = hello_of(handshake)
    if seen.alert.description != HANDSHAKE_FAILURE or refused_at_hello(handshake) is None or hello is None:
        return " The log of that side says more."
    found = list(narrow_offer(hello))
    if server_name(handshake) is Missing.NOT_SENT:
        found.append("the client sends no server name")
    if hello.has(ext.EXTENDED_MASTER_SECRET) is False:
        found.append("the client does not offer extended_master_secret, which FIPS servers require in TLS 1.2")
    if hello.body(ext.SIGNATURE_ALGORITHMS) is Missing.NOT_SENT:
        found.append("the client sends no signature_algorithms, which means SHA-1")
    if not found:
        newer = "" if is_tls13(highest_version(hello)) else ", the lack of TLS 1.3"
        return (
            f" The offer is an ordinary one: the certificate's key type, a group{newer} or the name may be what does "
            "not fit. The server's log says which."
        )
    return f" Candidates in the offer, the likeliest first: {'; '.join(found)}."


CAUSE = Cause(
    code="alert-other",
    title="A fatal alert ended the handshake",
    stage=Stage.ANY,
    severity=Severity.ERROR,
    looks_at=("client_alert", "server_alert"),
    check=check,
    compare=on_one_side(check),
    # All that can explain an alert: beside one of them this says nothing more, and the engine leaves it out.
    follows_from=(
        "not-tls-server",
        "starttls-refused",
        "capture-incomplete",
        "sni-missing",
        "sni-mismatch",
        "sni-invalid",
        "sni-unrecognized",
        "default-certificate",
        "alpn-no-overlap",
        "alpn-missing",
        "alpn-different",
        "ech-retry",
        "version-no-overlap",
        "version-different",
        "cipher-no-overlap",
        "cipher-different",
        "group-no-overlap",
        "signature-no-overlap",
        "fallback-detected",
        "renegotiation-legacy",
        "extension-missing",
        "extension-refused",
        "fingerprint-different",
        "server-cert-expired",
        "server-cert-not-yet-valid",
        "server-cert-name-mismatch",
        "server-cert-chain-incomplete",
        "server-cert-untrusted",
        "server-cert-self-signed",
        "server-cert-revoked",
        "server-cert-weak",
        "client-cert-not-requested",
        "client-cert-missing",
        "client-cert-untrusted",
        "client-cert-issuer-not-accepted",
        "client-cert-expired",
        "client-cert-unsuitable",
        "client-cert-chain-incomplete",
        "client-cert-revoked",
        "client-cert-different",
        "session-resumed",
        "session-resumed-other-name",
        "session-resumed-other-identity",
        "resumption-refused",
    ),
    fixes=LOG_MORE,
    log_lines=alert_lines(40, 80, 10, 20, 47, 49, 50, 51, 71),
    references=("RFC 8446 section 6.2", "RFC 5246 section 7.2.2"),
    explanation=__doc__,
)
