"""The two handshakes differ in the cipher suites offered or chosen.

## What happened

The clients offer other suites, or in another order, and the server chose otherwise; or one and the same offer met
another server, host or order of preference.

## On the wire

cipher_suites of the ClientHello, and the suite of the ServerHello. TLS 1.2: the suite names the certificate's type,
too, so another suite may bring another certificate (RSA, ECDSA). TLS 1.3: cipher and hash alone.

## How to confirm

Give one client the other's list: `curl --ciphers`, `--tls13-ciphers`, `openssl s_client -cipher`, `-ciphersuites`.

## What it is not

A refusal for want of a common suite: `cipher-no-overlap`. Where the versions differ the suites do, too, and
`version-different` is what to look at.
"""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.diagnosis.causes.version_different import unanswered_by_server
from tlsinspect.diagnosis.facts import at_frame, completed, failed, hello_frame, hello_of, label, server_name
from tlsinspect.diagnosis.mismatch import names, others_differ, real_suites, server_hello_of
from tlsinspect.diagnosis.parameter_fixes import SUITES
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.model.message import ClientHello

OFFER = ("client_hello.cipher_suites",)


def check(case: Case) -> Finding | None:
    """Nothing: it takes two."""
    return None


def compare(left: Case, right: Case) -> Finding | None:
    """The suites offered or chosen differ."""
    ours, theirs = hello_of(left.handshake), hello_of(right.handshake)
    if ours is None or theirs is None:
        return None
    offers = real_suites(ours), real_suites(theirs)
    said = offers_text(left, right, ours, theirs)
    chosen = server_hello_of(left), server_hello_of(right)
    if chosen[0] is not None and chosen[1] is not None and chosen[0].cipher_suite != chosen[1].cipher_suite:
        one, other = (registry.CIPHER_SUITES.name(each.cipher_suite) for each in chosen if each is not None)
        same_version = chosen[0].version == chosen[1].version
        both = completed(left.handshake) and completed(right.handshake)
        version = "" if same_version else " The versions differ, and the suites follow from them."
        return Finding(
            certainty=Certainty.SHOWN,
            severity=Severity.WARNING if same_version and both else Severity.INFO,
            explanation=f"{said}. The server chose {one} for the one and {other} for the other.{version}",
            evidence=(*OFFER, "server_hello.cipher_suite"),
            side="both",
        )
    if offers[0] == offers[1]:
        return None
    return failing(left, right, said) or Finding(
        certainty=Certainty.SHOWN,
        severity=Severity.INFO,
        explanation=f"{said}.",
        evidence=OFFER,
        side="both",
    )


def offers_text(left: Case, right: Case, ours: ClientHello, theirs: ClientHello) -> str:
    """A sentence about the offers, without its full stop: what only one of them has."""
    mine, yours = real_suites(ours), real_suites(theirs)
    if mine == yours:
        return f"Both clients offer the same {len(mine)} cipher suites"
    only = [tuple(code for code in a if code not in b) for a, b in ((mine, yours), (yours, mine))]
    if not any(only):
        return f"Both clients offer the same {len(mine)} cipher suites in another order"
    parts = [
        f"{label(case.handshake)}{at_frame(hello_frame(case.handshake))} "
        + (
            f"alone offers {names(registry.CIPHER_SUITES, codes)}"
            if codes
            else "offers no suite that the other has not"
        )
        for case, codes in zip((left, right), only, strict=True)
    ]
    return ", ".join(parts)


def failing(left: Case, right: Case, said: str) -> Finding | None:
    """One failed right after its hello, and the suites are all in which the hellos differ."""
    for side, one, other in (("left", left, right), ("right", right, left)):
        if not failed(one.handshake) or not completed(other.handshake) or not unanswered_by_server(one):
            continue
        if server_name(one.handshake) != server_name(other.handshake):
            continue
        if others_differ(left, right, OFFER):
            continue
        return Finding(
            certainty=Certainty.LIKELY,
            explanation=(
                f"{said}. {label(one.handshake)} failed right after its hello and {label(other.handshake)} completed; "
                "the hellos differ in nothing else that the tool compares."
            ),
            evidence=(*OFFER, "outcome"),
            side=side,
        )
    return None


CAUSE = Cause(
    code="cipher-different",
    title="The cipher suites differ",
    stage=Stage.PARAMETERS,
    severity=Severity.ERROR,
    looks_at=("client_hello.cipher_suites", "server_hello.cipher_suite"),
    check=check,
    compare=compare,
    follows_from=(
        "version-different",
        "cipher-no-overlap",
        "version-no-overlap",
        "fallback-detected",
        "sni-missing",
        "sni-mismatch",
        "sni-unrecognized",
        "default-certificate",
    ),
    fixes=SUITES,
    log_lines=(),
    references=("RFC 8446 section 4.1.2", "RFC 8446 section 4.1.3", "RFC 5246 section 7.4.1.2"),
    explanation=__doc__,
)
