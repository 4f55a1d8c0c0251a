"""A session made for one server name was offered for another, or with a name where there was none.

## What happened

The client keeps its sessions by address and not by name, and offered one that it got while it asked for another name.
A server that takes it up stays with the certificate and the client authentication of the first name. Others refuse:
nginx with HTTP 421, nginx 1.27.4 to 1.29.1 (and older ones with the fix of CVE-2025-23419) in TLS 1.3 with the alert
access_denied(49).

## On the wire

TLS 1.2: server_name(0) of the ClientHello differs from that of the connection from which its ticket or session ID
comes; the abbreviated handshake follows. TLS 1.3: the same with pre_shared_key(41); either the ServerHello has
pre_shared_key, or access_denied(49) comes in clear right after the ClientHello.

## How to confirm

`tlsinspect sessions CAPTURE...` shows the names of both. With session reuse off the error goes away.

## What it is not

A full handshake for the other name (resumption-refused): the server did not go along. Access denied for the client's
certificate: no certificate has passed when 49 comes right after the hello.
"""

from __future__ import annotations

from tlsinspect.diagnosis.client_auth import ACCESS_DENIED
from tlsinspect.diagnosis.facts import (
    alert_text,
    at_frame,
    ending_alert,
    failed,
    label,
    name_text,
    refused_at_hello,
    resumed,
    server_name,
)
from tlsinspect.diagnosis.http import first_reply
from tlsinspect.diagnosis.inherited import certainty_of, inherited_text, name_differs, origin_first, origin_text
from tlsinspect.diagnosis.log_lines import alert_lines
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.diagnosis.session_fixes import SEPARATE_SESSIONS

LOOKS_AT = ("client_hello.server_name", "resumption.offered", "resumption.accepted")
MISDIRECTED_REQUEST = 421  # RFC 9110 section 15.5.20


def check(case: Case) -> Finding | None:
    """The session that was resumed, or offered and refused, is one of another name."""
    if resumed(case.handshake):
        return taken_up(case) if name_differs(case) else None
    return denied(case)


def taken_up(case: Case) -> Finding | None:
    """The server resumed a session of another name."""
    handshake, first = case.handshake, origin_first(case)
    if first is None or case.origin is None:
        return None
    seen, reply = ending_alert(handshake), first_reply(handshake)
    misdirected = reply is not None and reply.status == MISDIRECTED_REQUEST
    end = ""
    if seen is not None and failed(handshake):
        end = f" The {seen.side.value} ended it with the alert {alert_text(seen)}{at_frame(seen.frame)}."
    elif misdirected and reply is not None:
        end = f" The server answered HTTP 421{at_frame(reply.frame)}: this connection is not for that host."
    return Finding(
        certainty=certainty_of(case.origin),
        severity=Severity.ERROR if end else Severity.WARNING,
        explanation=(
            f"The client asked with {name_text(server_name(handshake))} and resumed {origin_text(case)}, which was "
            "made with "
            f"{name_text(server_name(first))}. The server may stay with the certificate and the rules of the first. "
            f"{inherited_text(case)}{end}"
        ),
        evidence=LOOKS_AT,
    )


def denied(case: Case) -> Finding | None:
    """The server answered the offer of a session with access_denied, before it sent anything else."""
    handshake = case.handshake
    seen, offered = refused_at_hello(handshake), handshake.resumption.offered
    if seen is None or seen.alert.description != ACCESS_DENIED or not isinstance(offered, tuple) or not offered:
        return None
    first = origin_first(case)
    if first is not None and not name_differs(case):
        return None
    answer = f"and the server answered with the alert {alert_text(seen)}{at_frame(seen.frame)}"
    habit = "nginx 1.27.4 to 1.29.1 answers so when a session belongs to another name"
    if first is None:
        explanation = (
            f"The client asked with {name_text(server_name(handshake))} and offered a session whose first "
            "connection is not "
            f"in the capture, {answer}. Likely that session was made for another name: {habit}. A rule about the "
            "client's "
            "address would look the same."
        )
    else:
        explanation = (
            f"The client asked with {name_text(server_name(handshake))} and offered {origin_text(case)}, which was "
            "made "
            f"with {name_text(server_name(first))}, {answer}: {habit}."
        )
    return Finding(
        certainty=Certainty.LIKELY if first is None or case.origin is None else certainty_of(case.origin),
        severity=Severity.ERROR,
        explanation=explanation,
        evidence=(*LOOKS_AT, "server_alert"),
    )


def compare(left: Case, right: Case) -> Finding | None:
    """One of the two resumed, or offered, a session of another name."""
    finding = on_one_side(check)(left, right)
    if finding is None or finding.side not in ("left", "right"):
        return finding
    other = (right if finding.side == "left" else left).handshake
    if other.resumption.accepted is None and server_name(left.handshake) == server_name(right.handshake):
        ours = (left if finding.side == "left" else right).handshake
        told = (
            f" Had {label(ours)} made a full handshake, as {label(other)} did, the server would have gone by the name."
        )
        return Finding(
            certainty=finding.certainty,
            severity=finding.severity,
            side=finding.side,
            explanation=finding.explanation + told,
            evidence=finding.evidence,
        )
    return finding


CAUSE = Cause(
    code="session-resumed-other-name",
    title="The session that was resumed belongs to another server name",
    stage=Stage.RESUMPTION,
    severity=Severity.WARNING,
    looks_at=LOOKS_AT,
    check=check,
    compare=compare,
    follows_from=("session-resumed-other-identity",),
    fixes=SEPARATE_SESSIONS,
    log_lines=(
        *alert_lines(49),
        ("nginx", "client attempted to request the server name different from the one that was negotiated"),
        (
            "Apache",
            "AH02032: Hostname NAME provided via SNI and hostname NAME provided via HTTP have no compatible SSL setup",
        ),
        ("nginx", "421 Misdirected Request"),
    ),
    references=(
        "RFC 6066 section 3",
        "RFC 5246 section 7.3",
        "RFC 8446 section 4.6.1",
        "RFC 9110 section 15.5.20",
    ),
    explanation=__doc__,
)
