"""An extension that the peer requires is missing.

## What happened

A hello lacks an extension without which the peer cannot go on. TLS 1.3 demands signature_algorithms, supported_groups
and key_share unless a PSK is used; a server may demand server_name. Home-made clients, filters that rewrite hellos and
libraries that were cut down are the usual senders.

## On the wire

ClientHello, then the fatal alert missing_extension(109) in clear, in TLS 1.3. TLS 1.2 has no such alert: servers that
demand extended_master_secret (RFC 7627, FIPS) say handshake_failure(40) or insufficient_security(71).

## How to confirm

Compare the extensions with those of a client that works: `tlsinspect diff`.

## What it is not

A group or an algorithm that is there and does not fit (`group-no-overlap`, `signature-no-overlap`). A hello that is cut
in the capture: what lies behind the cut is unknown, not missing.
"""

from __future__ import annotations

from dataclasses import replace

from tlsinspect import registry
from tlsinspect.diagnosis.facts import alert_text, at_frame, ending_alert, hello_of
from tlsinspect.diagnosis.log_lines import alert_lines
from tlsinspect.diagnosis.message_names import message_name
from tlsinspect.diagnosis.mismatch import server_hello_of
from tlsinspect.diagnosis.offer import highest_version
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.parameter_fixes import GROUPS
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side
from tlsinspect.model.message import ClientHello, ServerHello
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.versions import is_tls13

MISSING_EXTENSION = 109


def check(case: Case) -> Finding | None:
    """One side says so; which one is missing follows from the RFC where it can."""
    handshake = case.handshake
    seen = ending_alert(handshake)
    if seen is None or seen.alert.description != MISSING_EXTENSION:
        return None
    answer = server_hello_of(case)
    hello: ClientHello | ServerHello | None = hello_of(handshake) if seen.side is Side.SERVER else answer
    if isinstance(hello, ClientHello):
        missing = missing_of_client(hello)
    else:
        missing = missing_of_server(hello) if hello is not None else ()
    name = message_name(hello) if hello is not None else "hello"
    if missing:
        what = f"The {name} has no {' and no '.join(registry.EXTENSION_TYPES.name(kind) for kind in missing)}"
    elif hello is not None and hello.defect is None:
        what = f"The {name} has all that RFC 8446 section 9.2 demands of every hello, so it must be another extension"
    else:
        what = f"The {name} cannot be seen to its end"
    return Finding(
        certainty=Certainty.STATED,
        explanation=(
            f"{what}, and the {seen.side.value} answered with the alert {alert_text(seen)}{at_frame(seen.frame)}."
        ),
        evidence=(
            "client_hello.extensions" if seen.side is Side.SERVER else "server_hello.extensions",
            f"{seen.side.value}_alert",
        ),
        fill=(("extension", registry.EXTENSION_TYPES.name(missing[0])),) if missing else (),
    )


def missing_of_client(hello: ClientHello) -> tuple[int, ...]:
    """The extensions that a ClientHello of TLS 1.3 must have, and has not.  RFC 8446 section 9.2."""
    if hello.defect is not None or not is_tls13(highest_version(hello)):
        return ()
    has = {extension.type for extension in hello.extensions}
    if ext.PRE_SHARED_KEY in has:
        needed: tuple[int, ...] = (ext.PSK_KEY_EXCHANGE_MODES,)
        if {ext.SUPPORTED_GROUPS, ext.KEY_SHARE} & has:
            needed += (ext.SUPPORTED_GROUPS, ext.KEY_SHARE)
    else:
        needed = (ext.SIGNATURE_ALGORITHMS, ext.SUPPORTED_GROUPS, ext.KEY_SHARE)
    return tuple(kind for kind in needed if kind not in has)


def missing_of_server(hello: ServerHello) -> tuple[int, ...]:
    """The extension that a ServerHello of TLS 1.3 must have, and has not.  RFC 8446 section 4.1.3."""
    has = {extension.type for extension in hello.extensions}
    complete = hello.defect is None and is_tls13(hello.version)
    return (ext.KEY_SHARE,) if complete and not {ext.KEY_SHARE, ext.PRE_SHARED_KEY} & has else ()


OFFER_GROUPS = tuple(
    replace(fix, action=f"Offer the usual groups. {fix.action}") for fix in GROUPS if fix.side is not Side.SERVER
)

CAUSE = Cause(
    code="extension-missing",
    title="An extension that the peer requires is missing",
    stage=Stage.PARAMETERS,
    severity=Severity.ERROR,
    looks_at=("client_hello.extensions", "server_hello.extensions", "server_alert", "client_alert"),
    check=check,
    compare=on_one_side(check),
    follows_from=("sni-missing",),
    fixes=(
        Fix("any client", "Send the extension that is missing.", "{extension}", Side.CLIENT),
        Fix("any middlebox", "Do not take extensions out of hellos."),
        *(
            replace(fix, action=f"Offer the usual groups. {fix.action}")
            for fix in GROUPS
            if fix.side is not Side.SERVER
        ),
        Fix("Java", "Offer extended_master_secret.", "-Djdk.tls.useExtendedMasterSecret=true"),
        Fix(
            "Go", "Upgrade: extended_master_secret is offered since Go 1.20.", "go install golang.org/dl/go1.22@latest"
        ),
        Fix(
            "OpenSSL",
            "As a FIPS server, let clients without extended_master_secret pass.",
            "openssl fipsinstall -ems_check 0",
            Side.SERVER,
        ),
    ),
    log_lines=(
        *alert_lines(MISSING_EXTENSION),
        ("OpenSSL", "missing sigalgs extension"),
        ("OpenSSL", "missing supported groups extension"),
        ("OpenSSL", "error:1C8000E9:Provider routines::ems not enabled"),
        ("Go", "tls: client sent no key share"),
    ),
    references=("RFC 8446 section 9.2", "RFC 8446 section 6.2", "RFC 7627 section 5.2"),
    explanation=__doc__,
)
