"""Only the fingerprint of the ClientHellos differs, and the server treats them otherwise.

## What happened

Both clients ask for the same host with the same protocols and versions; what differs is which cipher suites, groups and
extensions they list, and in which order. Bot filters and web application firewalls recognise clients by that (JA3, JA4)
and reset, refuse or answer 403.

## On the wire

Two ClientHellos with the same server name and ALPN and other JA3 or JA4 values; one is answered and the other is not.
TLS 1.2 and TLS 1.3 look the same.

## How to confirm

Send the hello of the one that works from the machine that fails (the same client program), and the other way round. If
the result follows the program, it is the fingerprint; if it follows the machine, it is the address.

## What it is not

A lack of a common cipher suite or group: servers send an alert for that.
"""

from __future__ import annotations

from dataclasses import replace

from tlsinspect.comparison import only_in
from tlsinspect.diagnosis.facts import (
    at_frame,
    completed,
    ending_alert,
    failed,
    hello_frame,
    hello_of,
    label,
    offered_alpn,
    server_name,
)
from tlsinspect.diagnosis.pairs import meaningful_paths, titles
from tlsinspect.diagnosis.parameter_fixes import GROUPS, SUITES
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Missing, Side

OFFER = frozenset(
    (
        "client_hello.cipher_suites",
        "client_hello.supported_groups",
        "client_hello.key_share_groups",
        "client_hello.signature_algorithms",
        "client_hello.extensions",
        "client_hello.post_handshake_auth",
    )
)
FINGERPRINTS = ("client_hello.ja3", "client_hello.ja4")
ABOUT_THE_CLIENT = frozenset((40, 49, 80))


def check(case: Case) -> Finding | None:
    """Nothing: it takes two."""
    return None


def compare(left: Case, right: Case) -> Finding | None:
    """One failed at its hello, the other completed, and the hellos differ in the fingerprint alone."""
    for side, one, other in (("left", left, right), ("right", right, left)):
        if failed_at_hello(one) and completed(other.handshake):
            return against(one, other, side)
    return None


def failed_at_hello(case: Case) -> bool:
    """Whether the server did not go on after the hello, and gave no reason that is about the offer."""
    handshake = case.handshake
    ending = handshake.ending
    if hello_of(handshake) is None or not failed(handshake) or handshake.server_hello is not Missing.NOT_SENT:
        return False
    if ending is not None and ending.side is Side.CLIENT:
        return False
    seen = ending_alert(handshake, Side.SERVER)
    return seen is None or seen.alert.description in ABOUT_THE_CLIENT


def against(one: Case, other: Case, side: str) -> Finding | None:
    """What differs in the fingerprint, when nothing else in the hellos does."""
    paths = meaningful_paths(one, other)
    same = (
        server_name(one.handshake) == server_name(other.handshake)
        and offered_alpn(one.handshake) == offered_alpn(other.handshake)
        and one.value("client_hello.supported_versions") == other.value("client_hello.supported_versions")
    )
    if not same or not paths & {*OFFER, *FINGERPRINTS}:
        return None
    if one.handshake.server != other.handshake.server:
        return None
    ours, theirs = only_in(one.value("client_hello.extensions"), other.value("client_hello.extensions"))
    listed = [f"{label(one.handshake)} alone has {', '.join(map(str, ours))}"] if ours else []
    listed += [f"{label(other.handshake)} alone has {', '.join(map(str, theirs))}"] if theirs else []
    extensions = f" Of the extensions, {' and '.join(listed)}." if listed else ""
    differing = titles(paths & OFFER) or "the order of their parts"
    seen = ending_alert(one.handshake, Side.SERVER)
    how = "refused" if seen is not None else "did not answer"
    return Finding(
        certainty=Certainty.LIKELY,
        explanation=(
            f"The server {how} {label(one.handshake)}{at_frame(hello_frame(one.handshake))} and went on with "
            f"{label(other.handshake)}. Server name, ALPN and versions are the same; the hellos differ in {differing}, "
            f"and so in JA3 ({one.value('client_hello.ja3')}, {other.value('client_hello.ja3')}).{extensions} A filter "
            "by fingerprint would do so; one by the client's address, or an extension that the server needs, would "
            "look the same."
        ),
        evidence=(*FINGERPRINTS, "client_hello.extensions", "outcome"),
        side=side,
    )


OFFER_THE_SAME = tuple(
    replace(fix, action="Or offer what the client that works offers.")
    for fix in (*SUITES, *GROUPS)
    if fix.side is not Side.SERVER
)

CAUSE = Cause(
    code="fingerprint-different",
    title="Only the fingerprint differs",
    stage=Stage.PARAMETERS,
    severity=Severity.ERROR,
    looks_at=(*FINGERPRINTS, *sorted(OFFER)),
    check=check,
    compare=compare,
    follows_from=(
        "sni-missing",
        "sni-mismatch",
        "sni-invalid",
        "sni-unrecognized",
        "alpn-missing",
        "alpn-different",
        "alpn-no-overlap",
        "version-no-overlap",
        "cipher-no-overlap",
        "group-no-overlap",
        "signature-no-overlap",
        "extension-missing",
        "extension-refused",
        "hello-split-dropped",
    ),
    fixes=(
        Fix("any web application firewall", "Allow the client by its JA3 or JA4 value, or by its address."),
        Fix("Cloudflare", "Skip the bot rules for the client.", "(ip.src eq ADDRESS)"),
        Fix("AWS WAF", "Allow the fingerprint with a JA4Fingerprint match statement."),
        *OFFER_THE_SAME,
    ),
    log_lines=(
        ("curl", "curl: (35) Recv failure: Connection reset by peer"),
        ("Cloudflare", "error code: 1020"),
    ),
    references=("RFC 8446 section 4.1.2", "RFC 8701 section 1"),
    explanation=__doc__,
)
