"""The server answered the first ClientHello with a HelloRetryRequest: one more round trip.

## What happened

The client sent key shares for groups that the server does not take, though it lists one that the server does; or the
server wants its cookie back first. The server asks for another ClientHello. Nothing is wrong by that: only the
handshake takes a round trip more.

## On the wire

TLS 1.3 alone: a ServerHello whose random is SHA-256 of "HelloRetryRequest", with the group in key_share(51); then a
second ClientHello with a share of that group, and the ServerHello proper. Often the client has sent X25519MLKEM768 or
x25519 and the server has secp256r1 alone. TLS 1.2 has no such message.

## How to confirm

`openssl s_client -groups GROUP` with the group that was asked for gets along without.

## What it is not

No common group at all: then handshake_failure(40) comes instead (group-no-overlap). Where the connection ends after
the second ClientHello, look at its size: it may be lost on the way (hello-split-dropped).
"""

from __future__ import annotations

from dataclasses import replace

from tlsinspect import registry
from tlsinspect.diagnosis.facts import (
    alert_text,
    answered,
    at_frame,
    completed,
    ending_alert,
    hello_of,
    label,
)
from tlsinspect.diagnosis.parameter_fixes import GROUPS
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import KeyShare, ServerHello
from tlsinspect.tls import extensions as ext

LOOKS_AT = ("hello_retry_request.group", "client_hello.key_share_groups", "client_hello.supported_groups")


def check(case: Case) -> Finding | None:
    """The server sent a HelloRetryRequest."""
    handshake = case.handshake
    retry = handshake.hello_retry_request
    if not isinstance(retry, ServerHello):
        return None
    refused = client_refusal(handshake)
    if refused:
        return Finding(
            certainty=Certainty.STATED,
            severity=Severity.ERROR,
            explanation=f"{asked(handshake, retry)} {refused}",
            evidence=(*LOOKS_AT, "client_alert"),
        )
    end = " The handshake took a round trip more and completed." if completed(handshake) else ""
    return Finding(certainty=Certainty.SHOWN, explanation=asked(handshake, retry) + end, evidence=LOOKS_AT)


def asked(handshake: Handshake, retry: ServerHello) -> str:
    """A sentence about what the server asked for."""
    group = retry.body(ext.KEY_SHARE)
    hello = hello_of(handshake)
    shares = hello.body(ext.KEY_SHARE) if hello is not None else None
    sent = ""
    if isinstance(shares, tuple):
        codes = [share.group for share in shares if isinstance(share, KeyShare)]
        names = [registry.NAMED_GROUPS.name(code) for code in codes if not registry.is_grease(code)]
        sent = f"The client sent a key share for {' and '.join(names) or 'no group'}. "
    wanted = f"one for {registry.NAMED_GROUPS.name(group)}" if isinstance(group, int) else "a second ClientHello"
    return f"{sent}The server asked for {wanted} with a HelloRetryRequest."


def client_refusal(handshake: Handshake) -> str:
    """A sentence when the client refused the HelloRetryRequest with an alert; else empty.

    RFC 8446 section 4.1.4: "illegal_parameter" when it would change nothing, or asks for a group that was not offered.
    """
    seen = ending_alert(handshake, Side.CLIENT)
    if seen is None or len(handshake.client_hellos) > 1 or answered(handshake):
        return ""
    return f"The client refused that with the alert {alert_text(seen)}{at_frame(seen.frame)}."


def compare(left: Case, right: Case) -> Finding | None:
    """Only one of the two had a HelloRetryRequest."""
    ours, theirs = check(left), check(right)
    if (ours is None) == (theirs is None):
        return None
    side, case, finding = ("left", left, ours) if ours is not None else ("right", right, theirs)
    return finding and Finding(
        certainty=finding.certainty,
        severity=finding.severity,
        side=side,
        explanation=f"{label(case.handshake)}: {finding.explanation} The other needed none.",
        evidence=finding.evidence,
    )


SERVER_GROUPS = tuple(fix for fix in GROUPS if fix.side is Side.SERVER)

CAUSE = Cause(
    code="hello-retry",
    title="The server asked for another key share (HelloRetryRequest)",
    stage=Stage.PARAMETERS,
    severity=Severity.INFO,
    looks_at=LOOKS_AT,
    check=check,
    compare=compare,
    follows_from=("group-no-overlap", "hello-split-dropped"),
    fixes=(
        *(replace(fix, action=f"Take the groups that clients send shares for. {fix.action}") for fix in SERVER_GROUPS),
        Fix(
            "OpenSSL",
            "Or let the client send a share that fits: the first group listed.",
            "openssl s_client -groups P-256 -connect ADDRESS:443",
            Side.CLIENT,
        ),
        Fix("nginx", "As a proxy, the same.", "proxy_ssl_conf_command Groups P-256:X25519;", Side.CLIENT),
        Fix("nginx (grpc)", "The same for grpc_pass.", "grpc_ssl_conf_command Groups P-256:X25519;", Side.CLIENT),
        Fix("nginx (stream)", "The same.", "proxy_ssl_conf_command Groups P-256:X25519;", Side.CLIENT),
        Fix("HAProxy", "The same (3.0 and later).", "ssl-default-server-curves P-256:X25519", Side.CLIENT),
        Fix("Envoy", "The same.", "tls_params:\n  ecdh_curves: [P-256, X25519]", Side.CLIENT),
        Fix("Caddy", "The same.", "transport http {\n    tls_curves secp256r1\n}", Side.CLIENT),
        Fix("curl", "The same.", "curl --curves P-256 https://{host}/", Side.CLIENT),
        Fix("GnuTLS", "The same.", "gnutls-cli --priority NORMAL:-GROUP-ALL:+GROUP-SECP256R1 {host}", Side.CLIENT),
        Fix("Go", "The same.", "tls.Config{CurvePreferences: []tls.CurveID{tls.CurveP256}}", Side.CLIENT),
        Fix("Java", "The same.", "-Djdk.tls.namedGroups=secp256r1,x25519", Side.CLIENT),
        Fix("Node", "The same.", "tls.connect({ ecdhCurve: 'P-256:X25519', ... })", Side.CLIENT),
        Fix("Python", "The same.", 'context.set_ecdh_curve("prime256v1")', Side.CLIENT),
    ),
    log_lines=(
        ("OpenSSL", "SSL_connect:SSLv3/TLS write client hello"),  # twice, with -state
        ("GnuTLS", "HELLO RETRY REQUEST (1025) was received"),  # with -d 5
    ),
    references=("RFC 8446 section 4.1.4", "RFC 8446 section 2.1", "RFC 8446 section 4.2.8"),
    explanation=__doc__,
)
