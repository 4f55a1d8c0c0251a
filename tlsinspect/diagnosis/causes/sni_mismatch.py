"""The client named another host than the one that is meant.

## What happened

The server chooses the host by the server name of the ClientHello. The name that was sent is not that of the host that
is meant: a typing error, the name of the upstream block instead of the host (nginx takes `$proxy_host`), a Host header
that was set while the server name was not (`curl -H Host:`), a name that a proxy carried over.

## On the wire

server_name in the ClientHello, in TLS 1.2 and TLS 1.3 alike. One handshake shows the name that was sent; which one was
meant comes from `--host`, from the other handshake of a pair, or, with keys, from the Host header of the request.

## How to confirm

Repeat with the other name: `openssl s_client -connect ADDRESS:443 -servername NAME`. HTTP 421, 404 or the wrong site in
an otherwise healthy connection points to it, too.

## What it is not

A missing name (`sni-missing`). A wrong certificate for a right name (`server-cert-name-mismatch`).
"""

from __future__ import annotations

from tlsinspect.diagnosis.causes import sni_unrecognized
from tlsinspect.diagnosis.facts import at_frame, completed, failed, hello_frame, label, quoted, resumed, server_name
from tlsinspect.diagnosis.fixes import SEND_SERVER_NAME
from tlsinspect.diagnosis.hosts import confounders, effects, likewise, would
from tlsinspect.diagnosis.http import plain_host, requests, statuses
from tlsinspect.diagnosis.log_lines import alert_lines
from tlsinspect.diagnosis.names import is_address, same_name
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side

MISDIRECTED = 421


def check(case: Case) -> Finding | None:
    """The name is not the one that the user means, or not the one that the request then asked for."""
    handshake = case.handshake
    name = server_name(handshake)
    if not isinstance(name, str):
        return None
    host = case.meant.host
    if host and not is_address(host) and not same_name(host, name):
        return Finding(
            certainty=Certainty.SHOWN,
            explanation=(
                f"The client sent the server name {quoted(name)}{at_frame(hello_frame(handshake))}, where "
                f"{quoted(host)} was meant: the server chose its host by the name that was sent."
            ),
            evidence=("client_hello.server_name",),
            fill=(("host", host),),
        )
    return asked_for_another(case, name)


def asked_for_another(case: Case, name: str) -> Finding | None:
    """With keys: the request asks for another host than the ClientHello did, and the server says 421.

    Where the first request is for the name that was sent, the name is right, and the connection was used again.
    """
    asked = next((each for each in requests(case.handshake) if each.host), None)
    if asked is None or same_name(plain_host(asked.host), name) or is_address(plain_host(asked.host)):
        return None
    misdirected = MISDIRECTED in statuses(case.handshake)
    said = "answered 421 (Misdirected Request)" if misdirected else "did not answer 421"
    return Finding(
        certainty=Certainty.STATED if misdirected else Certainty.SHOWN,
        severity=None if misdirected else Severity.INFO,
        explanation=(
            f"The client sent the server name {quoted(name)}{at_frame(hello_frame(case.handshake))} and then asked for "
            f"the host {quoted(asked.host)}{at_frame(asked.frame)} on that connection. The server {said}."
        ),
        evidence=("client_hello.server_name",),
        fill=(("host", plain_host(asked.host)),),
    )


def compare(left: Case, right: Case) -> Finding | None:
    """The two named different hosts, and the server chose otherwise, or may have; or one of them is wrong by itself."""
    found = of_names(left, right)
    if found is not None and found.severity is None:
        return found
    return on_one_side(check)(left, right) or found


def of_names(left: Case, right: Case) -> Finding | None:
    """What the difference of the names did."""
    ours, theirs = server_name(left.handshake), server_name(right.handshake)
    if not isinstance(ours, str) or not isinstance(theirs, str) or same_name(ours, theirs):
        return None
    one, other = (right, left) if failed(right.handshake) and completed(left.handshake) else (left, right)
    name, wanted = (theirs, ours) if one is right else (ours, theirs)
    said = (
        f"{label(one.handshake)} sent the server name {quoted(name)}{at_frame(hello_frame(one.handshake))}, "
        f"{label(other.handshake)} sent {quoted(wanted)}{at_frame(hello_frame(other.handshake))}"
    )
    fill = (("host", one.meant.host or wanted),)
    found = effects(one.handshake, other.handshake)
    if not found:
        same = (
            ""
            if resumed(one.handshake) or resumed(other.handshake)
            else (". The capture does not show that the server chose another host for that")
        )
        return Finding(
            certainty=Certainty.LIKELY,
            severity=Severity.INFO,
            explanation=f"{said}{same}.",
            evidence=("client_hello.server_name",),
            side="both",
            fill=fill,
        )
    refused = sni_unrecognized.check(one)
    stated = refused is not None and refused.certainty is Certainty.STATED
    others = "" if stated else confounders(left, right)
    counterfactual = (
        f" Had {label(one.handshake)} sent {quoted(wanted)}, the server {would(one.handshake, other.handshake)} have "
        f"{found[0].counterfactual}, as it did for the other."
    )
    return Finding(
        certainty=Certainty.STATED if stated else Certainty.LIKELY if others else Certainty.SHOWN,
        explanation=(f"{said}: {'; '.join(effect.sentence for effect in found)}.{counterfactual}{likewise(others)}"),
        evidence=(
            "client_hello.server_name",
            *dict.fromkeys(path for effect in found for path in effect.evidence),
        ),
        side=("left" if one is left else "right") if failed(one.handshake) else "both",
        fill=fill,
    )


CAUSE = Cause(
    code="sni-mismatch",
    title="The client named another host than the one that is meant",
    stage=Stage.ROUTING,
    severity=Severity.ERROR,
    looks_at=("client_hello.server_name",),
    check=check,
    compare=compare,
    follows_from=("session-resumed-other-name",),
    fixes=(
        *SEND_SERVER_NAME,
        Fix(
            "nginx",
            "Keep the Host header and the server name together.",
            "proxy_set_header Host {host};\nproxy_ssl_name {host};",
            Side.CLIENT,
        ),
        Fix(
            "curl",
            "Change the address instead of the Host header: -H Host does not change the server name.",
            "curl --connect-to {host}:443:ADDRESS:443 https://{host}/",
            Side.CLIENT,
        ),
    ),
    log_lines=(
        *alert_lines(112),
        ("nginx", "client attempted to request the server name different from the one that was negotiated"),
        ("nginx", "upstream SSL certificate does not match"),
        (
            "Apache",
            "AH02032: Hostname NAME provided via SNI and hostname NAME provided via HTTP have no compatible SSL setup",
        ),
    ),
    references=("RFC 6066 section 3", "RFC 9110 section 15.5.20", "RFC 9525 section 6.1"),
    explanation=__doc__,
)
