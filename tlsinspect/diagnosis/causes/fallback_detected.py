"""One side found that the version had been talked down.

## What happened

Both sides can do better than the version that was negotiated, and one of them noticed. Either the client had failed
with a higher version and tried again with a lower one, saying so with TLS_FALLBACK_SCSV, and the server knows that
the retry was needless; or something on the way changed the ClientHello, and the client finds the server's downgrade
mark in the ServerHello.

## On the wire

The suite 0x5600 (TLS_FALLBACK_SCSV) in the ClientHello and inappropriate_fallback(86) from the server. Or: a
ServerHello of TLS 1.2 or below whose random ends in 44 4F 57 4E 47 52 44 01 ("DOWNGRD", 01; 00 below TLS 1.2), while
the client offers TLS 1.3 in supported_versions(43), and illegal_parameter(47) from the client. The alerts are in
clear in all versions.

## How to confirm

Capture on both sides of whatever stands between: a ClientHello that arrives without supported_versions, or with a
lower version, was changed on the way. `openssl s_client -fallback_scsv -tls1_2` provokes the alert 86.

## What it is not

A server that is configured for TLS 1.2 alone sends no mark to a client that offers TLS 1.3. A mark in the answer to a
client that offers no TLS 1.3 itself is as it should be. An illegal_parameter for another reason: extension-refused.
"""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.diagnosis.facts import alert_text, at_frame, completed, ending_alert, hello_of
from tlsinspect.diagnosis.log_lines import alert_lines
from tlsinspect.diagnosis.offer import highest_version
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.parameter_fixes import VERSIONS
from tlsinspect.diagnosis.reach_fixes import PASS_ON
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import AlertSeen, Handshake
from tlsinspect.model.message import ServerHello
from tlsinspect.tls.versions import TLS12, TLS13, is_tls13

TLS_FALLBACK_SCSV = 0x5600
INAPPROPRIATE_FALLBACK, ILLEGAL_PARAMETER = 86, 47
# The last 8 octets of ServerHello.random, and the lowest version that such a server can do.  RFC 8446 section 4.1.3.
SENTINELS = {b"DOWNGRD\x01": TLS13, b"DOWNGRD\x00": TLS12}
LOOKS_AT = (
    "client_hello.supported_versions",
    "client_hello.cipher_suites",
    "server_hello.version",
    "server_hello.random",
)


def check(case: Case) -> Finding | None:
    """The alert inappropriate_fallback, or the server's downgrade mark to a client that offered more."""
    handshake = case.handshake
    seen = ending_alert(handshake)
    if seen is not None and seen.alert.description == INAPPROPRIATE_FALLBACK:
        return inappropriate(handshake, seen)
    return marked(handshake, seen)


def inappropriate(handshake: Handshake, seen: AlertSeen) -> Finding:
    """The server refused a retry with a lower version."""
    hello = hello_of(handshake)
    signalled = hello is not None and TLS_FALLBACK_SCSV in hello.cipher_suites
    said = ""
    if hello is not None and signalled:
        version = registry.version_name(highest_version(hello))
        said = f"The client came back with nothing above {version} and said so with TLS_FALLBACK_SCSV. "
    return Finding(
        certainty=Certainty.STATED,
        explanation=(
            f"{said}The {seen.side.value} answered with the alert {alert_text(seen)}{at_frame(seen.frame)}: it can "
            "do better. A client is to say so only after an attempt with a higher version failed (RFC 7507 section 4)."
        ),
        evidence=(*LOOKS_AT, "server_alert"),
    )


def marked(handshake: Handshake, seen: AlertSeen | None) -> Finding | None:
    """The ServerHello has the downgrade mark though the client offered the version that it speaks of."""
    hello, answer = hello_of(handshake), handshake.server_hello
    if hello is None or hello.defect is not None or not isinstance(answer, ServerHello) or is_tls13(answer.version):
        return None
    can = SENTINELS.get(answer.random[-8:])
    if can is None or highest_version(hello) < can or answer.version >= can:
        return None
    refused = seen is not None and seen.side is Side.CLIENT and seen.alert.description == ILLEGAL_PARAMETER
    if refused and seen is not None:
        end = f"The client refused that with the alert {alert_text(seen)}{at_frame(seen.frame)}."
    elif completed(handshake):
        end = "The client does not look at the mark and went on."
    else:
        end = "A client that looks at the mark ends the handshake."
    offered, chosen = registry.version_name(highest_version(hello)), registry.version_name(answer.version)
    return Finding(
        certainty=Certainty.SHOWN if refused else Certainty.LIKELY,
        severity=Severity.ERROR if refused else Severity.WARNING,
        explanation=(
            f"The client offered {offered}, the server chose {chosen} and marked its random as one that could do "
            f"{registry.version_name(can)}: the ClientHello that it got offered less, so something on the way "
            f"changed it. {end}"
        ),
        evidence=(*LOOKS_AT, "client_alert") if refused else LOOKS_AT,
    )


CAUSE = Cause(
    code="fallback-detected",
    title="The version was talked down, and one side noticed",
    stage=Stage.PARAMETERS,
    severity=Severity.ERROR,
    looks_at=LOOKS_AT,
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=(
        Fix(
            "any middlebox",
            "Pass the ClientHello on unchanged, or end TLS there altogether.",
            "",
        ),
        Fix("any client", "Do not retry with a lower version; find out why the higher one failed.", "", Side.CLIENT),
        Fix("OpenSSL", "Leave -fallback_scsv away.", "openssl s_client -connect ADDRESS:443", Side.CLIENT),
        *(fix for fix in VERSIONS if fix.side is not Side.SERVER),
        *PASS_ON,
    ),
    log_lines=(
        *alert_lines(86, 47),
        ("OpenSSL", "error:0A000175:SSL routines::inappropriate fallback"),
        ("Go", "tls: downgrade attempt detected, possibly due to a MitM attack or a broken middlebox"),
        ("Go", "tls: client using inappropriate protocol fallback"),
        ("Apache", "SSL Library Error: error:0A000175:SSL routines::inappropriate fallback"),
        (
            "Envoy",
            "remote address:ADDRESS,TLS_error:|268435613:SSL "
            "routines:OPENSSL_internal:INAPPROPRIATE_FALLBACK:TLS_error_end",
        ),
        ("Caddy", "http: TLS handshake error from ADDRESS: tls: client using inappropriate protocol fallback"),
        ("Traefik", "http: TLS handshake error from ADDRESS: tls: client using inappropriate protocol fallback"),
        ("Node", "tlsClientError ERR_SSL_INAPPROPRIATE_FALLBACK inappropriate fallback"),
        ("Python", "[SSL: INAPPROPRIATE_FALLBACK] inappropriate fallback"),
    ),
    references=("RFC 7507 section 3", "RFC 8446 section 4.1.3", "RFC 8446 appendix D.1"),
    explanation=__doc__,
)
