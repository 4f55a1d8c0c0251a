"""Client and server have no named group in common.

## What happened

The key exchange needs a group that both have, and the client offers one or two that the server was not given: X25519
alone against a server of P-384, Brainpool curves, a hybrid group alone. With DHE the server names the group itself, and
clients refuse one of 1024 bits ("dh key too small").

## On the wire

ClientHello with supported_groups, then the fatal alert handshake_failure(40) in clear and no ServerHello;
unexpected_message(10) from Java in TLS 1.3. A HelloRetryRequest means the contrary: the server found a common group.
TLS 1.2: groups matter for ECDHE suites alone, and a server without a common curve says the same as one without a common
suite. Small DHE groups: ServerKeyExchange, then an alert of the client.

## How to confirm

`openssl s_client -groups P-256:P-384:X25519 -connect ADDRESS:443`; if that completes, "Server Temp Key" or "Negotiated
TLS1.3 group" is what to allow.

## What it is not

`hello-retry`: there the handshake goes on. The alert names no parameter, so suites and signature algorithms are not
ruled out.
"""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.diagnosis.facts import alert_text, at_frame, ending_alert, hello_frame, hello_of
from tlsinspect.diagnosis.log_lines import alert_lines
from tlsinspect.diagnosis.mismatch import (
    GROUP,
    HANDSHAKE_FAILURE,
    INSUFFICIENT_SECURITY,
    candidates,
    choice_not_offered,
    likeliest,
    names,
    refused_offer,
    server_hello_of,
)
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.parameter_fixes import GROUPS
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side
from tlsinspect.model.message import KeyShare, ServerHello, ServerKeyExchange
from tlsinspect.tls import extensions as ext

UNEXPECTED_MESSAGE, ILLEGAL_PARAMETER = 10, 47
LEAST_DH_BITS = 2048
OFFER = ("client_hello.supported_groups",)


def check(case: Case) -> Finding | None:
    """The server refused the offer, and its groups are what is unusual about it; or its own group is too small."""
    if isinstance(case.handshake.hello_retry_request, ServerHello):
        return None  # a common group was found
    return likeliest(case, GROUP, OFFER) or unexpected(case) or too_small(case)


def unexpected(case: Case) -> Finding | None:
    """unexpected_message in answer to the hello, as Java says for want of a common group."""
    found = refused_offer(case, UNEXPECTED_MESSAGE)
    if found is None or not any(each.code == GROUP for each in candidates(found[1])):
        return None
    seen, hello = found
    groups = hello.body(ext.SUPPORTED_GROUPS)
    named = names(registry.NAMED_GROUPS, groups) if isinstance(groups, tuple) else "nothing readable"
    return Finding(
        certainty=Certainty.LIKELY,
        explanation=(
            f"The client offers {named} as its groups{at_frame(hello_frame(case.handshake))}, and the server answered "
            f"with the alert {alert_text(seen)}{at_frame(seen.frame)}, as Java does where no group fits. Not ruled "
            "out: "
            "a server that did not expect this message for another reason."
        ),
        evidence=(*OFFER, "server_alert"),
    )


def too_small(case: Case) -> Finding | None:
    """The client refused the DHE group that the server named."""
    handshake = case.handshake
    seen, exchange = ending_alert(handshake, Side.CLIENT), handshake.server_key_exchange
    if seen is None or not isinstance(exchange, ServerKeyExchange) or exchange.dh_prime_bits is None:
        return None
    refusing = (HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, INSUFFICIENT_SECURITY)
    if exchange.dh_prime_bits >= LEAST_DH_BITS or seen.alert.description not in refusing:
        return None
    return Finding(
        certainty=Certainty.LIKELY,
        explanation=(
            f"The Diffie-Hellman group that the server named has {exchange.dh_prime_bits} bits, and the client "
            "answered "
            f"with the alert {alert_text(seen)}{at_frame(seen.frame)}: OpenSSL at security level 2 wants "
            f"{LEAST_DH_BITS}. The alert itself names nothing."
        ),
        evidence=("server_hello.cipher_suite", "client_alert"),
        fixes=(
            Fix("nginx", "Name a larger group, or none.", "ssl_dhparam DH2048.pem;", Side.SERVER),
            Fix("HAProxy", "Name a larger group.", "tune.ssl.default-dh-param 2048", Side.SERVER),
            Fix("Apache", "Name a larger group.", "SSLOpenSSLConfCmd DHParameters DH2048.pem", Side.SERVER),
            Fix("Java", "As a server, use a larger group.", "-Djdk.tls.ephemeralDHKeySize=2048", Side.SERVER),
            Fix("OpenSSL", "Do without DHE, or lower the level.", "-cipher 'DEFAULT:!DHE'", Side.CLIENT),
        ),
    )


def compare(left: Case, right: Case) -> Finding | None:
    """One side alone has such an offer, or lacks the group that the server chose for the other."""
    return on_one_side(check)(left, right) or choice_not_offered(left, right, group_not_offered, OFFER)


def group_not_offered(one: Case, other: Case) -> str | None:
    """A clause about the group that the server chose for the other, where the one does not offer it."""
    hello, group = hello_of(one.handshake), chosen_group(other)
    offered = hello.body(ext.SUPPORTED_GROUPS) if hello is not None else None
    if group is None or not isinstance(offered, tuple) or group in offered:
        return None
    return f"it chose the group {registry.NAMED_GROUPS.name(group)}, which the refused client does not offer"


def chosen_group(case: Case) -> int | None:
    """The group of the server's key share or ServerKeyExchange."""
    answer, exchange = server_hello_of(case), case.handshake.server_key_exchange
    share = answer.body(ext.KEY_SHARE) if answer is not None else None
    if isinstance(share, KeyShare):
        return share.group
    return exchange.named_group if isinstance(exchange, ServerKeyExchange) else None


CAUSE = Cause(
    code="group-no-overlap",
    title="No named group in common",
    stage=Stage.PARAMETERS,
    severity=Severity.ERROR,
    looks_at=("client_hello.supported_groups", "server_alert", "client_alert"),
    check=check,
    compare=compare,
    follows_from=("version-no-overlap", "cipher-no-overlap", "fallback-detected"),
    fixes=GROUPS,
    log_lines=(
        *alert_lines(HANDSHAKE_FAILURE, UNEXPECTED_MESSAGE),
        ("nginx", "SSL_do_handshake() failed (SSL: error:0A000065:SSL routines::no suitable key share)"),
        ("OpenSSL", "no suitable key share"),
        ("OpenSSL", "no suitable groups"),
        ("OpenSSL", "dh key too small"),
        ("Go", "tls: no ECDHE curve supported by both client and server"),
        ("Envoy", "HANDSHAKE_FAILURE_ON_CLIENT_HELLO"),
        (
            "Envoy",
            "remote address:ADDRESS,TLS_error:|268435722:SSL routines:OPENSSL_internal:NO_SHARED_GROUP:TLS_error_end",
        ),
        ("Apache", "SSL Library Error: error:0A000065:SSL routines::no suitable key share"),
        ("Caddy", "http: TLS handshake error from ADDRESS: tls: no key exchanges supported by both client and server"),
        (
            "Traefik",
            "http: TLS handshake error from ADDRESS: tls: no key exchanges supported by both client and server",
        ),
        ("Go", "http: TLS handshake error from ADDRESS: tls: no key exchanges supported by both client and server"),
        ("Node", "tlsClientError ERR_SSL_NO_SUITABLE_KEY_SHARE no suitable key share"),
        ("Python", "[SSL: NO_SUITABLE_KEY_SHARE] no suitable key share"),
    ),
    references=("RFC 8446 section 4.1.1", "RFC 8446 section 4.2.7", "RFC 8422 section 4", "RFC 7919 section 4"),
    explanation=__doc__,
)
