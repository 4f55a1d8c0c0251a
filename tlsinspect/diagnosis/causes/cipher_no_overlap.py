"""Client and server have no cipher suite in common.

## What happened

The client offers few suites, or all of a kind that the server does not have: only CBC or static RSA against a server
with AEAD suites alone (rustls, Go since 1.22), only DHE against BoringSSL or Go, only ECDHE_RSA against a server with
an ECDSA certificate, only TLS 1.3 suites against TLS 1.2.

## On the wire

ClientHello, then the fatal alert handshake_failure(40), sometimes insufficient_security(71), in clear and no
ServerHello. TLS 1.2: suites name key exchange and certificate, so the certificate's type counts. TLS 1.3: suites name
cipher and hash alone, and all that implement it have TLS_AES_128_GCM_SHA256.

## How to confirm

The server's log ("no shared cipher"). Repeat with a wide offer: `openssl s_client -cipher ALL -connect ADDRESS:443`; if
that completes, its suite is the one to allow.

## What it is not

The alert names no parameter: a group, a signature algorithm, a missing server name or extension gets the same one. So
without a capture of a client that works, this is *likely* at most.
"""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.diagnosis.facts import alert_text, at_frame, hello_frame, hello_of
from tlsinspect.diagnosis.log_lines import alert_lines
from tlsinspect.diagnosis.mismatch import (
    CIPHER,
    INSUFFICIENT_SECURITY,
    candidates,
    choice_not_offered,
    likeliest,
    names,
    real_suites,
    refused_offer,
    server_hello_of,
)
from tlsinspect.diagnosis.offer import highest_version
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.parameter_fixes import SUITES
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.tls.versions import is_tls13

OFFER = ("client_hello.cipher_suites",)


def check(case: Case) -> Finding | None:
    """The server refused the offer, and its suites are what is unusual about it."""
    return likeliest(case, CIPHER, OFFER) or too_weak(case)


def too_weak(case: Case) -> Finding | None:
    """insufficient_security in answer to an offer that is not unusual otherwise."""
    found = refused_offer(case, INSUFFICIENT_SECURITY)
    if found is None or candidates(found[1]):
        return None
    seen, hello = found
    return Finding(
        certainty=Certainty.LIKELY,
        explanation=(
            f"The server answered the ClientHello{at_frame(hello_frame(case.handshake))} with the alert "
            f"{alert_text(seen)}{at_frame(seen.frame)}: it wants stronger parameters than the client offers "
            f"({names(registry.CIPHER_SUITES, real_suites(hello))}). Not ruled out: stronger groups or signature "
            "algorithms, or an extension such as extended_master_secret."
        ),
        evidence=(*OFFER, "server_alert"),
    )


def compare(left: Case, right: Case) -> Finding | None:
    """One side alone has such an offer, or lacks the suite that the server chose for the other."""
    return on_one_side(check)(left, right) or choice_not_offered(left, right, suite_not_offered, OFFER)


def suite_not_offered(one: Case, other: Case) -> str | None:
    """A clause about the suite that the server chose for the other, where the one does not offer it."""
    hello, answer = hello_of(one.handshake), server_hello_of(other)
    if hello is None or answer is None or answer.cipher_suite in hello.cipher_suites:
        return None
    if is_tls13(answer.version) != is_tls13(highest_version(hello)):
        return None  # of another version, so it could not be chosen anyway
    chosen = registry.CIPHER_SUITES.name(answer.cipher_suite)
    return f"it chose {chosen}, which the refused client does not offer"


CAUSE = Cause(
    code="cipher-no-overlap",
    title="No cipher suite in common",
    stage=Stage.PARAMETERS,
    severity=Severity.ERROR,
    looks_at=("client_hello.cipher_suites", "server_alert"),
    check=check,
    compare=compare,
    follows_from=("version-no-overlap", "fallback-detected"),
    fixes=SUITES,
    log_lines=(
        *alert_lines(40, INSUFFICIENT_SECURITY),
        (
            "nginx",
            "SSL_do_handshake() failed (SSL: error:0A0000C1:SSL routines::no shared cipher) while SSL handshaking",
        ),
        ("OpenSSL", "error:0A0000C1:SSL routines::no shared cipher"),
        ("Go", "tls: no cipher suite supported by both client and server"),
        ("Java", "no cipher suites in common"),
        (
            "Envoy",
            "remote address:ADDRESS,TLS_error:|268435640:SSL routines:OPENSSL_internal:NO_SHARED_CIPHER:TLS_error_end",
        ),
        ("Chrome", "ERR_SSL_VERSION_OR_CIPHER_MISMATCH"),
        (
            "Apache",
            "SSL Library Error: error:0A0000C1:SSL routines::no shared cipher -- Too restrictive SSLCipherSuite or "
            "using "
            "DSA server certificate?",
        ),
        (
            "Caddy",
            "http: TLS handshake error from ADDRESS: tls: no cipher suite supported by both client and server; client "
            "offered: [NUMBERS]",
        ),
        (
            "Traefik",
            "http: TLS handshake error from ADDRESS: tls: no cipher suite supported by both client and server; client "
            "offered: [NUMBERS]",
        ),
        ("HAProxy", "SSL handshake failure"),
        ("Node", "tlsClientError ERR_SSL_NO_SHARED_CIPHER no shared cipher"),
        ("Python", "[SSL: NO_SHARED_CIPHER] no shared cipher"),
        ("Windows", "36873: No supported cipher suites were found when initiating a TLS connection."),
        (
            "Windows",
            "36874: An TLS 1.2 connection request was received from a remote client application, but none of the "
            "cipher "
            "suites supported by the client application are supported by the server.",
        ),
        ("Firefox", "SSL_ERROR_NO_CYPHER_OVERLAP"),
    ),
    references=("RFC 5246 section 7.4.1.3", "RFC 8446 section 4.1.1", "RFC 8446 section 6.2"),
    explanation=__doc__,
)
