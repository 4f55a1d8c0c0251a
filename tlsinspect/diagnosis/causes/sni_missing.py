"""The ClientHello carries no server name, so the server took its default host or refused.

## What happened

A server with several hosts on one address chooses the host, with its certificate and its demand for a client
certificate, by the server_name extension of the ClientHello. This client sent none. The server then takes its default
host, or refuses. nginx as a proxy sends no server name unless told to; clients that connect to an IP address send none
either (curl, OpenSSL, Go, Java, Node, Python alike), and Java leaves it out for names with an underscore.

## On the wire

The ClientHello has no extension server_name(0), in TLS 1.2 and TLS 1.3 alike. What follows depends on the server:

- nginx with `ssl_reject_handshake on`, HAProxy with `strict-sni`: alert unrecognized_name(112).
- Go, Caddy: alert internal_error(80). CDNs: often handshake_failure(40).
- Envoy without a matching filter chain, firewalls: RST or FIN without alert.
- most others: the default host. In TLS 1.2 another certificate is seen, and that a CertificateRequest is there or not;
  in TLS 1.3 both are encrypted, but the records of the server's flight have other sizes.

After a default host HTTP goes wrong: 403, 404, 421, or 400 "No required SSL certificate was sent".

## How to confirm

Repeat with the name: `openssl s_client -connect ADDRESS:443 -servername NAME`, and without: `-noservername`. If the
certificate or the answer changes, this is the cause.

## What it is not

A name that the server does not know: then one was sent (`sni-unrecognized`). A client certificate that is missing: when
the default host does not ask for one, the client could not send it (`client-cert-not-requested` follows from this).
"""

from __future__ import annotations

from dataclasses import replace

from tlsinspect.diagnosis.facts import (
    alert_text,
    asked_nothing,
    at_frame,
    completed,
    failed,
    fatal_alert,
    hello_frame,
    hello_of,
    hidden,
    label,
    leaf,
    quoted,
    refused_at_hello,
    resumed,
    server_name,
)
from tlsinspect.diagnosis.fixes import SEND_SERVER_NAME
from tlsinspect.diagnosis.hosts import confounders, effects, likewise, would
from tlsinspect.diagnosis.http import plain_host, replies, requests
from tlsinspect.diagnosis.log_lines import alert_lines
from tlsinspect.diagnosis.names import covers, is_address, looks_default, made_up, names_text
from tlsinspect.diagnosis.offer import TLS12, highest_version, narrow_offer
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import Certificate

HANDSHAKE_FAILURE, BAD_CERTIFICATE, ACCESS_DENIED, INTERNAL_ERROR, UNRECOGNIZED_NAME = 40, 42, 49, 80, 112
# Alerts with which servers answer a hello without a name, and other things as well.
PERHAPS = frozenset((HANDSHAKE_FAILURE, BAD_CERTIFICATE, ACCESS_DENIED, INTERNAL_ERROR))
MISDIRECTED = 421
REFUSING = frozenset((400, 403, 404, 495, 496))  # HTTP status codes with which a wrong host answers
NO_CERTIFICATE = "No required SSL certificate was sent"
EVIDENCE = ("client_hello.server_name",)


def check(case: Case) -> Finding | None:
    """No server name was sent, and what that led to."""
    handshake = case.handshake
    if server_name(handshake) is not Missing.NOT_SENT or hello_of(handshake) is None:
        return None
    host = case.meant.host if case.meant.host and not is_address(case.meant.host) else None
    return (
        refused(handshake, host)
        or meant(handshake, host)
        or misdirected(handshake)
        or default_host(handshake)
        or noted(handshake)
    )


def refused(handshake: Handshake, host: str | None) -> Finding | None:
    """The server answered the hello without a name with an alert."""
    seen = refused_at_hello(handshake)
    if seen is None:
        return None
    number = seen.alert.description
    said = f"The ClientHello{at_frame(hello_frame(handshake))} has no server name, and the server answered it with the "
    said += f"alert {alert_text(seen)}{at_frame(seen.frame)}"
    if number == UNRECOGNIZED_NAME:
        return finding(Certainty.STATED, f"{said}: it refuses clients that do not name a host.", host, "server_alert")
    if number not in PERHAPS or other_explanations(handshake, number):
        return None
    typical = {
        INTERNAL_ERROR: "Go servers (Caddy among them) do so when they have no certificate for an empty name",
        HANDSHAKE_FAILURE: "Some servers do so for want of a name",
    }.get(number, "Some servers do so when no host fits")
    return finding(
        Certainty.LIKELY,
        f"{said}. {typical}; the alert itself does not say it, and a fault of the server or an offer without anything "
        "in common would look the same.",
        host,
        "server_alert",
    )


def other_explanations(handshake: Handshake, number: int) -> bool:
    """Whether the hello has something that explains the alert better than the missing name."""
    hello = hello_of(handshake)
    offered = handshake.resumption.offered
    if hello is None or (isinstance(offered, tuple) and offered and number in (ACCESS_DENIED, INTERNAL_ERROR)):
        return True
    return highest_version(hello) < TLS12 or bool(number == HANDSHAKE_FAILURE and narrow_offer(hello))


def meant(handshake: Handshake, host: str | None) -> Finding | None:
    """The user says which host was meant, and the client did not name it."""
    if host is None:
        return None
    certificate = leaf(handshake.server_certificates)
    said = f"The ClientHello{at_frame(hello_frame(handshake))} has no server name, where {host!r} was meant"
    if isinstance(certificate, Certificate) and not resumed(handshake):
        if covers(certificate, host) and completed(handshake):
            return finding(
                Certainty.SHOWN,
                f"{said}. The certificate of the host that the server chose, {names_text(certificate)}, covers that "
                "name, so it may be the right host all the same.",
                host,
                "server_certificates",
                severity=Severity.WARNING,
            )
        return finding(
            Certainty.SHOWN,
            f"{said}. The server chose its default host, with a certificate for {names_text(certificate)}.",
            host,
            "server_certificates",
        )
    return finding(Certainty.SHOWN, f"{said}: the server could only take its default host.", host)


def misdirected(handshake: Handshake) -> Finding | None:
    """With keys: the answer shows that the request is for a host that the handshake did not choose."""
    if resumed(handshake):
        return None
    unasked = handshake.certificate_request is Missing.NOT_SENT
    for reply in replies(handshake):
        if reply.status == MISDIRECTED:
            what = "421 (Misdirected Request): it had taken its default host"
        elif unasked and NO_CERTIFICATE in reply.text:
            what = (
                f"HTTP {reply.status} ({NO_CERTIFICATE!r}), though it had not asked for one: the handshake was made "
                "with its default host, and the request is for a host that wants client certificates"
            )
        else:
            continue
        asked = asked_host(handshake)
        wanted = f" for {quoted(asked)}" if asked else ""
        return finding(
            Certainty.LIKELY,
            f"The ClientHello{at_frame(hello_frame(handshake))} has no server name, and the server answered the request"
            f"{wanted}{at_frame(reply.frame)} with {what}.",
            asked,
            "certificate_request",
        )
    return None


def asked_host(handshake: Handshake) -> str | None:
    """With keys: the host name that the first request asks for."""
    hosts = (plain_host(each.host) for each in requests(handshake))
    return next((host for host in hosts if host and not is_address(host)), None)


def default_host(handshake: Handshake) -> Finding | None:
    """The server went on with a certificate that nobody configured."""
    certificate = leaf(handshake.server_certificates)
    if not isinstance(certificate, Certificate) or not looks_default(certificate):
        return None
    said = (
        f"The ClientHello{at_frame(hello_frame(handshake))} has no server name, and the server took its default host, "
        f"with a certificate for {names_text(certificate)}"
    )
    alert = fatal_alert(handshake, Side.CLIENT)
    if alert is not None:
        return finding(
            Certainty.LIKELY,
            f"{said}. The client refused it with the alert {alert_text(alert)}{at_frame(alert.frame)}.",
            None,
            "server_certificates",
            "client_alert",
            severity=None if made_up(certificate) else Severity.WARNING,
        )
    reply = next((each for each in replies(handshake) if each.status in REFUSING), None)
    if reply is not None and handshake.certificate_request is Missing.NOT_SENT:
        return finding(
            Certainty.LIKELY,
            f"{said}. That host answered the request with HTTP {reply.status}{at_frame(reply.frame)}.",
            asked_host(handshake),
            "server_certificates",
            severity=None if made_up(certificate) else Severity.WARNING,
        )
    if asked_nothing(handshake):
        return finding(
            Certainty.LIKELY,
            f"{said}. The client closed after the handshake without a request, as clients do that then refuse the "
            "certificate; one that only tests the connection does so too.",
            None,
            "server_certificates",
            severity=None if made_up(certificate) else Severity.WARNING,
        )
    return finding(
        Certainty.LIKELY,
        f"{said}. If another host was meant, this is why it was not reached.",
        None,
        "server_certificates",
        severity=Severity.WARNING,
    )


def noted(handshake: Handshake) -> Finding | None:
    """Nothing went wrong that shows, or it went wrong without a hint of the name."""
    if not completed(handshake):
        return None
    return finding(
        Certainty.SHOWN,
        f"The ClientHello{at_frame(hello_frame(handshake))} has no server name. The handshake completed with the host "
        "that the server takes by default; clients that connect to an IP address do so.",
        None,
        severity=Severity.INFO,
    )


def compare(left: Case, right: Case) -> Finding | None:
    """One of the two sent no server name, and the server chose otherwise for it, or may have."""
    names = server_name(left.handshake), server_name(right.handshake)
    match names:
        case Missing.NOT_SENT, str() as name if hello_of(left.handshake):
            return against(left, right, name, "left")
        case str() as name, Missing.NOT_SENT if hello_of(right.handshake):
            return against(right, left, name, "right")
        case Missing.NOT_SENT, Missing.NOT_SENT:
            return both(left, right)
    return None


def against(without: Case, named: Case, name: str, side: str) -> Finding:
    """What the missing name did, by comparison with the other."""
    one, other = without.handshake, named.handshake
    said = (
        f"{label(one)} sent no server name{at_frame(hello_frame(one))}, {label(other)} sent "
        f"{quoted(name)}{at_frame(hello_frame(other))}"
    )
    host = named.meant.host or name
    found = effects(one, other)
    if not found:
        alone = check(without)
        grave = alone is not None and (alone.severity or Severity.ERROR) is Severity.ERROR
        if alone is not None and grave:
            return replace(alone, side=side, explanation=f"{said}. {alone.explanation}", fill=(("host", host),))
        seen = (
            "Without keys it does not show whether the server chose the same host."
            if hidden(one)
            else ("The capture does not show that the server chose another host for that.")
        )
        return replace(finding(Certainty.LIKELY, f"{said}. {seen}", host, severity=Severity.INFO), side=side)
    refusal = refused_at_hello(one)
    stated = refusal is not None and refusal.alert.description == UNRECOGNIZED_NAME
    others = "" if stated else confounders(without, named)
    reversed_fate = completed(one) and failed(other)
    explanation = (
        f"{said}: {'; '.join(effect.sentence for effect in found)}. Had {label(one)} sent the server name "
        f"{quoted(name)}, the server {would(one, other)} have {found[0].counterfactual}, as it did for the other."
        f"{likewise(others)}"
    )
    likely = Certainty.LIKELY if others or hidden(one) else Certainty.SHOWN
    certainty = Certainty.STATED if stated else likely
    return replace(
        finding(
            certainty,
            explanation,
            host,
            *dict.fromkeys(path for effect in found for path in effect.evidence),
            severity=Severity.WARNING if reversed_fate else None,
        ),
        side=side,
    )


def both(left: Case, right: Case) -> Finding | None:
    """Neither sent a server name: that matters only where it was the trouble of one of them."""
    graver = [
        (side, found)
        for side, found in (("left", check(left)), ("right", check(right)))
        if found is not None and found.severity in (None, Severity.ERROR)
    ]
    if not graver:
        return None
    side, found = graver[0]
    return replace(found, side="both" if len(graver) > 1 else side)


def finding(
    certainty: Certainty, explanation: str, host: str | None, *evidence: str, severity: Severity | None = None
) -> Finding:
    """A finding of this cause."""
    return Finding(
        certainty=certainty,
        severity=severity,
        explanation=explanation,
        evidence=(*EVIDENCE, *evidence),
        fill=(("host", host),) if host else (),
    )


CAUSE = Cause(
    code="sni-missing",
    title="The client sent no server name",
    stage=Stage.ROUTING,
    severity=Severity.ERROR,
    looks_at=("client_hello.server_name",),
    check=check,
    compare=compare,
    follows_from=(
        "session-resumed",
        "session-resumed-other-name",
        "session-resumed-other-identity",
    ),
    fixes=(
        *SEND_SERVER_NAME,
        Fix(
            "nginx",
            "Or serve clients without a name: the default host answers them.",
            "listen 443 ssl default_server;\nssl_reject_handshake off;",
            Side.SERVER,
        ),
        Fix(
            "HAProxy",
            "Or serve clients without a name: leave out strict-sni.",
            "bind :443 ssl crt SITE.pem",
            Side.SERVER,
        ),
        Fix("Caddy", "Or name the host for clients without a name.", "{\n    default_sni {host}\n}", Side.SERVER),
        Fix("Traefik", "Or serve clients without a name.", "sniStrict: false", Side.SERVER),
        Fix(
            "Envoy",
            "Or serve clients without a name: add a default_filter_chain.",
            "default_filter_chain: {}",
            Side.SERVER,
        ),
    ),
    log_lines=(
        *alert_lines(UNRECOGNIZED_NAME, INTERNAL_ERROR, HANDSHAKE_FAILURE),
        ("nginx", "handshake rejected while SSL handshaking"),
        ("nginx", "client sent no required SSL certificate while reading client request headers"),
        (
            "Apache",
            "AH02032: Hostname NAME (default host as no SNI was provided) and hostname NAME provided via HTTP have no "
            "compatible SSL setup",
        ),
        ("Apache", "AH02033: No hostname was provided via SNI for a name based virtual host"),
        ("Caddy", "no certificate available for ''"),
        ("Envoy", "filter_chain_not_found"),
        ("Traefik", "strict SNI enabled - No certificate found for domain"),
        ("ingress-nginx", "certificate not found, falling back to fake certificate for hostname:"),
    ),
    references=("RFC 6066 section 3", "RFC 8446 section 9.2", "RFC 8446 section 6.2"),
    explanation=__doc__,
)
