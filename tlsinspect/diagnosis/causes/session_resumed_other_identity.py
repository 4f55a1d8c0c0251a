"""The session that was resumed carries another client identity than the one that is meant here.

## What happened

The client resumed a session that was made with another client certificate, or with none. The server never asks again:
it takes this connection for the client of the first one. nginx as a proxy does this by itself: it keeps one session
per upstream server, so a location without a certificate goes on as the client of the location that has one, and the
other way round, a location with a certificate gets 403 since the session was made by one without.

## On the wire

TLS 1.2 and TLS 1.3: an abbreviated handshake (session-resumed) whose ticket, session ID or pre-shared key comes from
a connection in which the client's Certificate was another, or empty, or was not asked for. What is meant here shows
in the other handshake of a pair, or is given with `--identity`. In TLS 1.3 without keys the sizes of the records tell
whether a certificate was sent, not whose: then the finding is *likely*.

## How to confirm

`tlsinspect sessions CAPTURE...` shows the identity behind each resumed session. With `proxy_ssl_session_reuse off`
the server sees the right identity.

## What it is not

A client certificate that is missing or was not asked for: in an abbreviated handshake there is no place for one. With
upstream keepalive whole connections are shared, and then there is no handshake at all (connection-reused).
"""

from __future__ import annotations

from tlsinspect.diagnosis.client_auth import requested
from tlsinspect.diagnosis.facts import answered, client_identity, identity_text, label, quoted, resumed
from tlsinspect.diagnosis.hidden import ClientFlight, client_flight
from tlsinspect.diagnosis.inherited import (
    NOBODY,
    certainty_of,
    inherited_text,
    names_identity,
    origin_first,
    origin_text,
    seen_certificate,
    seen_identity,
    sent_certificate,
)
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.diagnosis.session_fixes import SEPARATE_SESSIONS
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import Certificate

LOOKS_AT = ("resumption.accepted", "client_certificates")


def check(case: Case) -> Finding | None:
    """The inherited identity is not the one that the user says was meant."""
    meant = case.meant.identity
    if meant is None or not resumed(case.handshake) or case.origin is None:
        return None
    certificate = seen_certificate(case)
    nobody = meant.strip().lower() == NOBODY
    if isinstance(certificate, Missing):
        if sent_certificate(case) in (None, not nobody):  # of a hidden one no more is known than that it was sent
            return None
    elif names_identity(certificate, meant):
        return None
    wanted = "no client certificate" if nobody else f"the identity {quoted(meant)}"
    return Finding(
        certainty=Certainty.LIKELY if isinstance(certificate, Missing) else certainty_of(case.origin),
        explanation=f"The client resumed {origin_text(case)}. {inherited_text(case)} Meant was {wanted}.",
        evidence=LOOKS_AT,
    )


def compare(left: Case, right: Case) -> Finding | None:
    """The server sees two identities, at least one of them inherited with a session."""
    if resumed(left.handshake) and resumed(right.handshake):
        return of_two_sessions(left, right)
    for side, ours, other in (("left", left, right), ("right", right, left)):
        if resumed(ours.handshake) and answered(other.handshake) and other.handshake.resumption.accepted is None:
            return of_session_and_full(side, ours, other)
    return None


def of_session_and_full(side: str, ours: Case, other: Case) -> Finding | None:
    """One resumed a session, the other proved who it is."""
    proved, inherited = client_identity(other.handshake), seen_identity(ours)
    if origin_first(ours) is None and not isinstance(proved, Missing):
        return of_unknown_origin(side, ours, other, proved)
    if ours.origin is None:
        return None
    hidden = isinstance(proved, Missing) or isinstance(inherited, Missing)
    if hidden:
        sent = {sent_certificate(ours), sent_certificate(other)}
        if sent != {True, False}:  # of two hidden ones no more is known than that both were sent
            return None
    elif inherited == proved:
        return None
    here, there = label(ours.handshake), label(other.handshake)
    return Finding(
        certainty=Certainty.LIKELY if hidden else certainty_of(ours.origin),
        side=side,
        explanation=(
            f"{here} resumed {origin_text(ours)}. {inherited_text(ours)} In {there} a full handshake was made, with "
            f"{proved_text(other.handshake, proved)}. Had {here} made a full handshake too, its own client "
            "certificate, or the lack of one, would have counted."
        ),
        evidence=LOOKS_AT,
    )


def proved_text(handshake: Handshake, proved: str | Missing | None) -> str:
    """The identity of a full handshake in a sentence, as far as the sizes of its records tell where it is hidden."""
    flight = client_flight(handshake) if isinstance(proved, Missing) else None
    if flight is None:
        return identity_text(proved)
    what = "a client certificate" if flight.kind is ClientFlight.CERTIFICATE else "no client certificate"
    return f"{what}, as is likely by its record sizes ({flight.text})"


def of_unknown_origin(side: str, ours: Case, other: Case, proved: str | None) -> Finding | None:
    """The session comes from outside of the capture: its identity may be another, and may be the same."""
    if proved is None or not requested(other.handshake):
        return None
    here, there = label(ours.handshake), label(other.handshake)
    return Finding(
        certainty=Certainty.LIKELY,
        severity=Severity.WARNING,
        side=side,
        explanation=(
            f"{here} resumed {origin_text(ours)}: the server sees the identity of that one, whichever it was. In "
            f"{there} "
            f"a full handshake was made, with {identity_text(proved)}. When the server treats the two as different "
            "clients, likely the session is of another identity; a capture from the start of the client would show it."
        ),
        evidence=LOOKS_AT,
    )


def of_two_sessions(left: Case, right: Case) -> Finding | None:
    """Both resumed a session, of two identities."""
    ours, theirs = seen_certificate(left), seen_certificate(right)
    if isinstance(ours, Missing) or isinstance(theirs, Missing) or left.origin is None or right.origin is None:
        return None
    if subject(ours) == subject(theirs):
        return None
    return Finding(
        certainty=min(certainty_of(left.origin), certainty_of(right.origin)),
        side="both",
        explanation=(
            f"{label(left.handshake)} resumed {origin_text(left)}. {inherited_text(left)} {label(right.handshake)} "
            f"resumed {origin_text(right)}. {inherited_text(right)}"
        ),
        evidence=LOOKS_AT,
    )


def subject(certificate: Certificate | None) -> str | None:
    """The subject of a certificate; None for no certificate."""
    return certificate.subject if certificate is not None else None


CAUSE = Cause(
    code="session-resumed-other-identity",
    title="The session that was resumed belongs to another client identity",
    stage=Stage.RESUMPTION,
    severity=Severity.ERROR,
    looks_at=LOOKS_AT,
    check=check,
    compare=compare,
    follows_from=(),
    fixes=SEPARATE_SESSIONS,
    log_lines=(
        ("nginx", "client sent no required SSL certificate while reading client request headers"),
        ("nginx", "SSL reused session"),
    ),
    references=(
        "RFC 5246 section 7.3",
        "RFC 5246 appendix F.1.4",
        "RFC 8446 section 2.2",
        "RFC 8446 section 4.6.1",
    ),
    explanation=__doc__,
)
