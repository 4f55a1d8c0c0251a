"""The two handshakes differ in the protocol versions offered or chosen.

## What happened

One client offers or gets another version of TLS than the other. Much else follows from that: suites, groups, what is
encrypted, when a client certificate is refused, and how sessions are resumed.

## On the wire

TLS 1.3 is offered in supported_versions and chosen in the same extension of the ServerHello; up to TLS 1.2 the legacy
version of both hellos says it. Servers may set other versions per host, so another server name may bring another
version.

## How to confirm

Limit the newer client to the older one's versions (`curl --tls-max 1.2`) and compare again: what differs still does not
come from the version.

## What it is not

A refusal for want of a common version: that is `version-no-overlap`.
"""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.diagnosis.causes.version_no_overlap import offer_text
from tlsinspect.diagnosis.facts import completed, ending_alert, failed, hello_of, label, server_name
from tlsinspect.diagnosis.hosts import likewise
from tlsinspect.diagnosis.mismatch import others_differ, server_hello_of
from tlsinspect.diagnosis.offer import highest_version
from tlsinspect.diagnosis.parameter_fixes import VERSIONS
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.fields import UNSEEN
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import EndingKind
from tlsinspect.model.message import ClientHello
from tlsinspect.tls import extensions as ext

OFFER = ("client_hello.supported_versions", "client_hello.legacy_version")
# Alerts that may have to do with a version that a server treats badly; the others name another reason.
UNSPECIFIC_ALERTS = frozenset((10, 40, 47, 50, 80))
# What differs wherever the version does.
FOLLOWING = (
    "client_hello.cipher_suites",
    "client_hello.supported_groups",
    "client_hello.key_share_groups",
    "client_hello.signature_algorithms",
    "client_hello.extensions",
    "client_hello.post_handshake_auth",
    "client_hello.session_ticket_length",
    "client_hello.psk_identity_lengths",
)


def check(case: Case) -> Finding | None:
    """Nothing: it takes two."""
    return None


def compare(left: Case, right: Case) -> Finding | None:
    """The versions offered or chosen differ."""
    ours, theirs = offered(left), offered(right)
    if ours is None or theirs is None:
        return None
    chosen = server_hello_of(left), server_hello_of(right)
    said = ". ".join(
        f"{label(case.handshake)}: {offer_text(case.handshake)[0].lower()}{offer_text(case.handshake)[1:]}"
        for case in (left, right)
    )
    if chosen[0] is not None and chosen[1] is not None and chosen[0].version != chosen[1].version:
        names = [registry.version_name(each.version) for each in chosen if each is not None]
        why = " as the offers differ" if max(ours) != max(theirs) else ""
        return Finding(
            certainty=Certainty.SHOWN,
            severity=Severity.WARNING if all(completed(each.handshake) for each in (left, right)) else Severity.INFO,
            explanation=(
                f"{said}. The server chose {names[0]} for the one and {names[1]} for the other{why}; suites, groups "
                "and "
                "extensions differ with the version."
            ),
            evidence=(*OFFER, "server_hello.version"),
            side="both",
        )
    if ours == theirs:
        return None
    return failing(left, right, said) or Finding(
        certainty=Certainty.SHOWN,
        severity=Severity.INFO,
        explanation=f"{said}.",
        evidence=OFFER,
        side="both",
    )


def offered(case: Case) -> frozenset[int] | None:
    """The versions of a hello; None when they cannot be seen."""
    hello = hello_of(case.handshake)
    listed = hello.body(ext.SUPPORTED_VERSIONS) if hello is not None else Missing.LOST
    if hello is None or (isinstance(listed, Missing) and listed in UNSEEN) or listed is Missing.MALFORMED:
        return None
    if isinstance(listed, tuple):
        return frozenset(code for code in listed if not registry.is_grease(code))
    return frozenset((hello.legacy_version,))


def failing(left: Case, right: Case, said: str) -> Finding | None:
    """One failed right after a hello that offers another highest version, which nothing else explains better."""
    for side, one, other in (("left", left, right), ("right", right, left)):
        handshake = one.handshake
        hello, reference = hello_of(handshake), hello_of(other.handshake)
        if not failed(handshake) or not completed(other.handshake) or not unanswered_by_server(one):
            continue
        if server_name(handshake) != server_name(other.handshake) or not differ_in_highest(hello, reference):
            continue
        if chose_common(one, other):
            continue
        return Finding(
            certainty=Certainty.LIKELY,
            explanation=(
                f"{said}. {label(handshake)} failed right after its hello and {label(other.handshake)} completed; the "
                "highest version differs, and what follows from it."
                f"{likewise(others_differ(left, right, (*OFFER, *FOLLOWING)))}"
            ),
            evidence=(*OFFER, "outcome"),
            side=side,
        )
    return None


def unanswered_by_server(case: Case) -> bool:
    """Whether the server ended it at the hello, without a word or with an alert that names no parameter."""
    handshake = case.handshake
    ending = handshake.ending
    if ending is None or handshake.server_hello is not Missing.NOT_SENT or ending.side is Side.CLIENT:
        return False
    seen = ending_alert(handshake, Side.SERVER)
    return ending.kind is not EndingKind.ALERT or (seen is not None and seen.alert.description in UNSPECIFIC_ALERTS)


def chose_common(one: Case, other: Case) -> bool:
    """Whether the server chose for the other a version that the one offers, too, up to its highest."""
    answer, hello = server_hello_of(other), hello_of(one.handshake)
    return answer is not None and hello is not None and answer.version <= highest_version(hello)


def differ_in_highest(hello: ClientHello | None, other: ClientHello | None) -> bool:
    """Whether two hellos go up to different versions."""
    return hello is not None and other is not None and highest_version(hello) != highest_version(other)


CAUSE = Cause(
    code="version-different",
    title="The protocol versions differ",
    stage=Stage.PARAMETERS,
    severity=Severity.ERROR,
    looks_at=(*OFFER, "server_hello.version"),
    check=check,
    compare=compare,
    follows_from=(
        "version-no-overlap",
        "fallback-detected",
        "sni-missing",
        "sni-mismatch",
        "sni-unrecognized",
        "default-certificate",
    ),
    fixes=VERSIONS,
    log_lines=(),
    references=("RFC 8446 section 4.2.1", "RFC 8446 section 4.1.3"),
    explanation=__doc__,
)
