"""The server refused the server name with the alert unrecognized_name.

## What happened

The client asked for a host by its server name. The server has no such host and is set to refuse, instead of answering
with a default certificate.

## On the wire

ClientHello with server_name, then the fatal alert unrecognized_name(112) in clear, in TLS 1.2 and TLS 1.3 alike; no
ServerHello. Go servers and Caddy say internal_error(80) in that case, which is why that is *likely* only. At warning
level the alert comes before a ServerHello, the handshake goes on, and Java clients alone stop there.

## How to confirm

Repeat with a name that is known to be configured; if that completes, the name is the cause. Look for a typing error.

## What it is not

A certificate problem: none was sent. A missing name (`sni-missing`): one was sent. A network problem: the server
answered.
"""

from __future__ import annotations

from tlsinspect.diagnosis.causes import sni_invalid
from tlsinspect.diagnosis.facts import (
    alert_text,
    at_frame,
    completed,
    failed,
    fatal_alert,
    hello_frame,
    quoted,
    refused_at_hello,
    server_name,
)
from tlsinspect.diagnosis.fixes import SEND_SERVER_NAME, SERVE_THE_NAME
from tlsinspect.diagnosis.log_lines import alert_lines
from tlsinspect.diagnosis.offer import highest_version
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import AlertSeen, Handshake
from tlsinspect.tls.versions import TLS12

UNRECOGNIZED_NAME, INTERNAL_ERROR = 112, 80


def check(case: Case) -> Finding | None:
    """A well-formed name was sent, and the server refused it."""
    handshake = case.handshake
    name = server_name(handshake)
    if not isinstance(name, str) or sni_invalid.fault(name):
        return None
    seen = refused_at_hello(handshake)
    if seen is None:
        return warned(handshake, name)
    if seen.alert.description == UNRECOGNIZED_NAME:
        return Finding(
            certainty=Certainty.STATED,
            explanation=(
                f"The server refused the server name {quoted(name)}{at_frame(hello_frame(handshake))} with the alert "
                f"{alert_text(seen)}{at_frame(seen.frame)}: it serves no such host."
            ),
            evidence=("client_hello.server_name", "server_alert"),
            fill=host(case, name),
        )
    return unsaid(case, name, seen)


def unsaid(case: Case, name: str, seen: AlertSeen) -> Finding | None:
    """internal_error right after the hello, as Go says for want of a certificate."""
    handshake = case.handshake
    offered = handshake.resumption.offered
    if seen.alert.description != INTERNAL_ERROR or (isinstance(offered, tuple) and offered):
        return None
    if highest_version(handshake.client_hellos[0]) < TLS12:
        return None  # OpenSSL 3 says the same to versions that need SHA-1
    return Finding(
        certainty=Certainty.LIKELY,
        explanation=(
            f"The server answered the ClientHello for {quoted(name)}{at_frame(hello_frame(handshake))} with the alert "
            f"{alert_text(seen)}{at_frame(seen.frame)}. Go servers (Caddy among them) do so when they have no "
            "certificate for the name; any fault of the server would look the same."
        ),
        evidence=("client_hello.server_name", "server_alert"),
        fill=host(case, name),
    )


def warned(handshake: Handshake, name: str) -> Finding | None:
    """unrecognized_name as a warning, after which the server goes on."""
    seen = next(
        (
            each
            for each in handshake.alerts
            if each.side is Side.SERVER and each.alert.description == UNRECOGNIZED_NAME and each.alert.level == 1
        ),
        None,
    )
    if seen is None:
        return None
    ending = handshake.ending
    by_client = ending is not None and ending.side is Side.CLIENT and failed(handshake)
    explanation = (
        f"The server warned that it does not know the server name {quoted(name)} (alert {alert_text(seen)}, level "
        f"warning{', frame ' + str(seen.frame) if seen.frame else ''})"
    )
    by_server = ending is not None and ending.side is Side.SERVER and handshake.server_hello is Missing.NOT_SENT
    explanation += ", and then ended the connection." if by_server else " and went on with its default host."
    if by_client and fatal_alert(handshake, Side.SERVER) is None:
        explanation += " The client ended the handshake; Java clients do so on this warning."
    elif completed(handshake):
        explanation += " The handshake completed; Java clients would have ended it here."
    return Finding(
        certainty=Certainty.STATED,
        severity=None if by_client or by_server else Severity.WARNING,
        explanation=explanation,
        evidence=("client_hello.server_name", "alerts"),
        fill=(("host", name),),
    )


def host(case: Case, name: str) -> tuple[tuple[str, str], ...]:
    """The host for the examples."""
    return (("host", case.meant.host or name),)


CAUSE = Cause(
    code="sni-unrecognized",
    title="The server does not serve the requested name",
    stage=Stage.ROUTING,
    severity=Severity.ERROR,
    looks_at=("client_hello.server_name", "server_alert"),
    check=check,
    compare=on_one_side(check),
    follows_from=("sni-mismatch",),
    fixes=(
        Fix(
            "nginx",
            "Send the name of a host that the upstream has.",
            "proxy_ssl_server_name on;\nproxy_ssl_name {host};",
            Side.CLIENT,
        ),
        *(fix for fix in SEND_SERVER_NAME if fix.product != "nginx"),
        *SERVE_THE_NAME,
        Fix("HAProxy", "Or stop refusing unknown names: no strict-sni.", "bind :443 ssl crt SITE.pem", Side.SERVER),
        Fix("nginx", "Or stop refusing unknown names in the default server.", "ssl_reject_handshake off;", Side.SERVER),
        Fix("Traefik", "Or stop refusing unknown names.", "sniStrict: false", Side.SERVER),
        Fix("Caddy", "Or serve unknown names with a known certificate.", "{\n    fallback_sni {host}\n}", Side.SERVER),
    ),
    log_lines=(
        *alert_lines(UNRECOGNIZED_NAME, INTERNAL_ERROR),
        ("nginx", "handshake rejected while SSL handshaking"),
        ("Java", "received handshake warning: unrecognized_name"),
        ("Java", "Unrecognized server name indication"),
        ("Caddy", "no server TLS configuration available for ClientHello"),
        ("Caddy", "http: TLS handshake error from ADDRESS: no certificate available for 'NAME'"),
        (
            "Traefik",
            'http: TLS handshake error from ADDRESS: strict SNI enabled - No certificate found for domain: "NAME", '
            "closing connection",
        ),
        ("Envoy", "closing connection from ADDRESS: no matching filter chain found"),
        ("HAProxy", "SSL handshake failure"),
    ),
    references=("RFC 6066 section 3", "RFC 8446 section 6.2"),
    explanation=__doc__,
)
