"""The server name is none that the RFC allows: an IP literal, a trailing dot, a port, an empty or malformed name.

## What happened

server_name carries "the fully qualified DNS hostname of the server", without a trailing dot, in ASCII; "literal IPv4
and IPv6 addresses are not permitted". This client sent something else. Some servers do not mind, some find no host for
it and take their default, some refuse.

## On the wire

The extension server_name(0) of the ClientHello holds for instance `10.0.0.4`, `host.example.`, `host.example:8443`, no
octets at all or a NUL. TLS 1.2 and TLS 1.3 look the same. Refusals that were seen: Go answers a trailing dot with
unexpected_message(10), OpenSSL a NUL with unrecognized_name(112), JSSE an empty name with decode_error(50).

## How to confirm

Repeat with the plain host name: `openssl s_client -connect ADDRESS:443 -servername NAME`.

## What it is not

A name that the server does not know (`sni-unrecognized`): that one is well formed.
"""

from __future__ import annotations

import re

from tlsinspect.diagnosis.facts import (
    alert_text,
    at_frame,
    completed,
    fatal_alert,
    hello_frame,
    hello_of,
    quoted,
    refused_at_hello,
    server_name,
    unanswered,
)
from tlsinspect.diagnosis.fixes import SEND_SERVER_NAME
from tlsinspect.diagnosis.log_lines import alert_lines
from tlsinspect.diagnosis.names import is_address
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Missing, Side
from tlsinspect.tls import extensions as ext

LONGEST_NAME, LONGEST_LABEL = 253, 63
OTHER_CHARACTERS = re.compile(r"[^A-Za-z0-9._-]")
PORT = re.compile(r":\d{1,5}\Z")
UNEXPECTED_MESSAGE, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, DECODE_ERROR, INTERNAL_ERROR = 10, 40, 47, 50, 80
UNRECOGNIZED_NAME = 112
ABOUT_THE_NAME = frozenset((UNRECOGNIZED_NAME, DECODE_ERROR, ILLEGAL_PARAMETER, UNEXPECTED_MESSAGE))
PERHAPS_THE_NAME = frozenset((HANDSHAKE_FAILURE, INTERNAL_ERROR))


def check(case: Case) -> Finding | None:
    """The name is sent and breaks the RFC; an error where the server ended it right there."""
    handshake = case.handshake
    hello = hello_of(handshake)
    if hello is None:
        return None
    name = server_name(handshake)
    problem = fault(name) if isinstance(name, str) else malformed(case) if name is Missing.MALFORMED else ""
    if not problem:
        return None
    what = f"server name {quoted(printable(name))}" if isinstance(name, str) else "extension server_name"
    explanation = f"The {what}{at_frame(hello_frame(handshake))} {problem}."
    seen = refused_at_hello(handshake)
    if seen is not None and seen.alert.description in ABOUT_THE_NAME | PERHAPS_THE_NAME:
        sure = seen.alert.description == UNRECOGNIZED_NAME
        return Finding(
            certainty=Certainty.STATED if sure else Certainty.LIKELY,
            explanation=f"{explanation} The server answered with the alert {alert_text(seen)}{at_frame(seen.frame)}.",
            evidence=("client_hello.server_name", "server_alert"),
            fill=host_of(case, name),
        )
    ended = unanswered(handshake) and handshake.ending is not None and handshake.ending.side is Side.SERVER
    if ended:
        return Finding(
            certainty=Certainty.LIKELY,
            explanation=f"{explanation} The server ended the connection right after the ClientHello, without an alert.",
            evidence=("client_hello.server_name", "outcome"),
            fill=host_of(case, name),
        )
    if completed(handshake) or handshake.server_hello is not Missing.NOT_SENT:
        went_on = " The server went on all the same."
    else:
        went_on = "" if fatal_alert(handshake) is None else " What the server said is about something else."
    return Finding(
        certainty=Certainty.SHOWN,
        severity=Severity.WARNING,
        explanation=f"{explanation}{went_on}",
        evidence=("client_hello.server_name",),
        fill=host_of(case, name),
    )


def fault(name: str) -> str:
    """What is wrong with a server name, after "The server name ..."; empty when nothing is."""
    if not name:
        return "is empty"
    if is_address(name) or is_address(PORT.sub("", name)):
        return "is an IP literal, which is not permitted"
    if PORT.search(name):
        return "has a port, which is no part of a host name"
    if "\\x" in name or not name.isascii():
        return "has octets beyond ASCII; an internationalised name is sent in its xn-- form"
    if "\0" in name:
        return "has a NUL in it"
    if name.endswith("."):
        return "ends with a dot, which the RFC leaves out"
    if OTHER_CHARACTERS.search(name):
        return "has characters that no host name has"
    if len(name) > LONGEST_NAME or any(not 0 < len(label) <= LONGEST_LABEL for label in name.split(".")):
        return "has an empty or too long part"
    return ""


def malformed(case: Case) -> str:
    """Why the extension cannot be decoded, after "The extension server_name ..."."""
    hello = hello_of(case.handshake)
    for extension in hello.extensions if hello is not None else ():
        if extension.type == ext.SERVER_NAME and extension.defect is not None:
            return f"is malformed: {extension.defect.problem}"
    return ""


def printable(name: str) -> str:
    """A name with its control characters written out."""
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in name)


def host_of(case: Case, name: str | Missing) -> tuple[tuple[str, str], ...]:
    """The host name for the examples: the one meant, else what remains of the name sent."""
    plain = PORT.sub("", name).rstrip(".") if isinstance(name, str) else ""
    host = case.meant.host or (plain if plain and not fault(plain) else "")
    return (("host", host),) if host else ()


CAUSE = Cause(
    code="sni-invalid",
    title="The server name is not a host name",
    stage=Stage.ROUTING,
    severity=Severity.ERROR,
    looks_at=("client_hello.server_name",),
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=(
        *SEND_SERVER_NAME,
        Fix(
            "HAProxy",
            "Cut the port off the Host header.",
            "server app ADDRESS:443 ssl verify required ca-file CA.pem sni req.hdr(host),host_only",
            Side.CLIENT,
        ),
        Fix("nginx", "Use a variable without port.", "proxy_ssl_name $host;", Side.CLIENT),
    ),
    log_lines=(
        *alert_lines(UNRECOGNIZED_NAME, DECODE_ERROR, ILLEGAL_PARAMETER),
        ("rustls", "Illegal SNI hostname received"),
        ("Go", "remote error: tls: unexpected message"),
    ),
    references=("RFC 6066 section 3", "RFC 1123 section 2.1", "RFC 5890 section 2.3.1"),
    explanation=__doc__,
)
