"""The client offered a session, and the server made a full handshake.

## What happened

The server did not take the session up: it does not know it any more (another node of a cluster, new ticket keys after
a restart, expired), or keeps it for another name, another certificate or another set of accepted authorities. Nothing
is wrong by that; the handshake takes a round trip and a signature more, and the client shows its certificate again.

## On the wire

TLS 1.2: the ClientHello has a session ticket or a session ID; the ServerHello answers with another session ID or
none, and Certificate follows. TLS 1.3: the ClientHello has pre_shared_key(41), the ServerHello has not. The 32 octets
of legacy_session_id that TLS 1.3 clients send are no offer (RFC 8446 appendix D.4).

## How to confirm

Connect twice with `openssl s_client -reconnect` or `-sess_out` and `-sess_in`: "New" instead of "Reused". When each
ticket of a cluster begins with other 16 octets (the key's name), its nodes do not share their keys.

## What it is not

A failure: the handshake went on. A server that ends the handshake over the session (session-resumed-other-name).
"""

from __future__ import annotations

from dataclasses import replace

from tlsinspect.diagnosis.facts import (
    alert_text,
    answered,
    at_frame,
    completed,
    label,
    name_text,
    refused_at_hello,
    resumed,
    server_name,
)
from tlsinspect.diagnosis.inherited import name_differs, origin_first, origin_text
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.diagnosis.session_fixes import SHARE_SESSIONS

INTERNAL_ERROR = 80
LOOKS_AT = ("resumption.offered", "resumption.accepted")
WHAT = {"psk": "a pre-shared key", "session_ticket": "a session ticket", "session_id": "a session ID"}


def check(case: Case) -> Finding | None:
    """A session was offered, and the ServerHello begins a full handshake, or the server failed over the offer."""
    handshake = case.handshake
    offered = handshake.resumption.offered
    if not isinstance(offered, tuple) or not offered or (offered == ("session_id",) and case.origin is None):
        return None  # Go sends a session ID that it made up, with no session behind it
    what = " and ".join(WHAT.get(each, each) for each in offered)
    if not answered(handshake):
        return failed_over(case, what)
    if handshake.resumption.accepted is not None:
        return None
    return Finding(
        certainty=Certainty.SHOWN,
        explanation=f"The client offered {what}, and the server made a full handshake instead.{about_origin(case)}",
        evidence=LOOKS_AT,
    )


def failed_over(case: Case, what: str) -> Finding | None:
    """The server answered the offer with internal_error.

    OpenSSL does where a server verifies clients and never set a session ID context.
    """
    seen = refused_at_hello(case.handshake)
    if seen is None or seen.alert.description != INTERNAL_ERROR:
        return None
    return Finding(
        certainty=Certainty.LIKELY,
        severity=Severity.WARNING,
        explanation=(
            f"The client offered {what}, and the server answered with the alert "
            f"{alert_text(seen)}{at_frame(seen.frame)}. "
            "A server with OpenSSL that verifies clients and set no session ID context does so for every session "
            "offered; "
            f"a server without a certificate for the name would look the same.{about_origin(case)}"
        ),
        evidence=(*LOOKS_AT, "server_alert"),
    )


def about_origin(case: Case) -> str:
    """What is known of the session that was not taken up."""
    first = origin_first(case)
    if first is None:
        return ""
    text = f" The offer is of {origin_text(case)}"
    if name_differs(case):
        text += (
            f", with {name_text(server_name(first))}; this hello has {name_text(server_name(case.handshake))}, and the "
            "server may keep sessions of different names apart"
        )
    return f"{text}."


def compare(left: Case, right: Case) -> Finding | None:
    """The server took up a session on one side and refused one on the other, or failed over it."""
    for side, ours, other in (("left", left, right), ("right", right, left)):
        finding = check(ours)
        if finding is None:
            continue
        told = f"{label(ours.handshake)}: {finding.explanation}"
        if resumed(other.handshake):
            return replace(finding, side=side, explanation=f"{told} In {label(other.handshake)} it took one up.")
        alone = other.handshake.resumption.offered == () and completed(other.handshake)
        if not answered(ours.handshake) and alone:
            told += f" {label(other.handshake)} offered no session and completed its handshake."
            return replace(finding, side=side, severity=Severity.ERROR, explanation=told)
    return None


CAUSE = Cause(
    code="resumption-refused",
    title="The server did not take up the session that was offered",
    stage=Stage.RESUMPTION,
    severity=Severity.INFO,
    looks_at=LOOKS_AT,
    check=check,
    compare=compare,
    follows_from=("session-resumed-other-name", "sni-mismatch"),
    fixes=SHARE_SESSIONS,
    log_lines=(
        ("OpenSSL", "New, TLSv1.2, Cipher is"),
        ("OpenSSL", "New, TLSv1.3, Cipher is"),
        ("OpenSSL", "error:0A000115:SSL routines:ssl_get_prev_session:session id context uninitialized"),
    ),
    references=("RFC 5246 section 7.4.1.3", "RFC 5077 section 3.1", "RFC 8446 section 2.2", "RFC 8446 appendix D.4"),
    explanation=__doc__,
)
