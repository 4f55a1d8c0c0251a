"""The handshake resumed an earlier session: no certificates passed, and the identity is that of the earlier connection.

## What happened

The client offered a session that it had kept from an earlier connection, and the server took it up. Neither side
shows a certificate again: the server goes on with the client identity, or the lack of one, of the handshake that made
the session. As long as both connections serve the same purpose that is right, and quick.

It is wrong where one program serves several purposes with one session cache. nginx as a client keeps one session per
upstream server, whatever `proxy_ssl_certificate` and `proxy_ssl_name` the location has: the upstream then sees the
certificate of another location, or none.

## On the wire

TLS 1.2: the ClientHello has a session ID, or a ticket in session_ticket(35); the ServerHello repeats the session ID
and ChangeCipherSpec follows at once. No Certificate, no CertificateRequest. TLS 1.3: the ClientHello has
pre_shared_key(41) and so has the ServerHello, with the index of the session taken up; there is no CertificateRequest
and no Certificate behind it. A ticket is the one that a NewSessionTicket of the earlier connection brought: in clear
in TLS 1.2, encrypted in TLS 1.3.

## How to confirm

`tlsinspect sessions CAPTURE...` shows from where each session comes. Switch session reuse off (below): if the
identity or the route changes, this was it.

## What it is not

A server that asked for no certificate, or a client without one: nothing of that can be said of an abbreviated
handshake. Connection reuse, in which several requests share one connection and no new handshake is made
(connection-reused).
"""

from __future__ import annotations

from tlsinspect.diagnosis.client_auth import refusing_reply, requested, sent_chain
from tlsinspect.diagnosis.facts import answered, at_frame, label, quoted, resumed
from tlsinspect.diagnosis.inherited import authenticated, inherited_text, origin_text
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.diagnosis.session_fixes import SEPARATE_SESSIONS

LOOKS_AT = ("resumption.accepted", "resumption.offered")
HOW = {
    "psk": "by a pre-shared key",
    "session_ticket": "by a session ticket",
    "session_id": "by its session ID",
}


def check(case: Case) -> Finding | None:
    """The server took up a session."""
    if not resumed(case.handshake):
        return None
    told = f"{resumption_text(case)} {inherited_text(case)}"
    if not authenticated(case):
        return Finding(certainty=Certainty.SHOWN, explanation=told, evidence=LOOKS_AT)
    reply = refusing_reply(case.handshake)
    if reply is None:
        return Finding(
            certainty=Certainty.SHOWN,
            severity=Severity.WARNING,
            explanation=f"{told} That is wrong where this connection was meant for another client.",
            evidence=LOOKS_AT,
        )
    return Finding(
        certainty=Certainty.LIKELY,
        severity=Severity.ERROR,
        explanation=(
            f"{told} Then it answered HTTP {reply.status}{at_frame(reply.frame)}: likely this connection was meant for "
            "another client. A refusal for another reason would look the same."
        ),
        evidence=LOOKS_AT,
    )


def resumption_text(case: Case) -> str:
    """A sentence about what was resumed."""
    how = HOW.get(str(case.handshake.resumption.accepted), "")
    return f"The server resumed {origin_text(case)}, {how}, so no certificates passed."


def compare(left: Case, right: Case) -> Finding | None:
    """One of the two resumed a session, the other made a full handshake."""
    for side, ours, other in (("left", left, right), ("right", right, left)):
        if resumed(ours.handshake) and answered(other.handshake) and other.handshake.resumption.accepted is None:
            return of_pair(side, ours, other)
    return None


def of_pair(side: str, ours: Case, other: Case) -> Finding:
    """What it means that only one resumed a session."""
    here, there = label(ours.handshake), label(other.handshake)
    chain = sent_chain(other.handshake)
    matters = bool(chain) or requested(other.handshake) or authenticated(ours)
    proved = f"sent the certificate {quoted(chain[0].subject)} in" if chain else "made"
    asked = ""
    if requested(other.handshake):
        asked = f" Had {here} made a full handshake, the server could have asked its client too."
    return Finding(
        certainty=Certainty.SHOWN,
        severity=Severity.WARNING if matters else Severity.INFO,
        side=side,
        explanation=(
            f"{here}: {resumption_text(ours)} {inherited_text(ours)} The client of {there} {proved} a full "
            f"handshake.{asked}"
        ),
        evidence=(*LOOKS_AT, "client_certificates"),
    )


CAUSE = Cause(
    code="session-resumed",
    title="The handshake resumed an earlier session",
    stage=Stage.RESUMPTION,
    severity=Severity.INFO,
    looks_at=LOOKS_AT,
    check=check,
    compare=compare,
    follows_from=("session-resumed-other-identity", "session-resumed-other-name"),
    fixes=SEPARATE_SESSIONS,
    log_lines=(
        ("nginx", "SSL reused session"),
        ("OpenSSL", "Reused, TLSv1.2, Cipher is"),
        ("OpenSSL", "Reused, TLSv1.3, Cipher is"),
        ("curl", "SSL re-using session ID"),
        ("OpenSSL", "digest check failed"),
    ),
    references=(
        "RFC 5246 section 7.3",
        "RFC 5077 section 3.1",
        "RFC 8446 section 2.2",
        "RFC 8446 section 4.6.1",
    ),
    explanation=__doc__,
)
