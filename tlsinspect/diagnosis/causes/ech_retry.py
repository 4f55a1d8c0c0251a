"""Encrypted ClientHello was not accepted, and the handshake went on with the outer name.

## What happened

The client hid its real ClientHello, with the real server name, inside an outer one (ECH). The server could not or would
not decrypt it and answered the outer hello, whose name is the public name of the ECH configuration. The client then
must not use the connection: it closes it with ech_required(121), or refuses the certificate where that does not cover
the public name.

## On the wire

ClientHello with the extension encrypted_client_hello(0xfe0d), and an outer server_name. TLS 1.3 only; the server's
retry configurations come in EncryptedExtensions, so keys are needed to see them. Browsers send the extension as GREASE
to every server: that means nothing, and servers without ECH ignore it.

## How to confirm

Compare the ECH configuration in DNS (`dig HTTPS host`) with the server's keys. A client without ECH works.

## What it is not

A GREASE extension. A certificate mismatch of a client without ECH (`server-cert-name-mismatch`).
"""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.diagnosis.facts import alert_text, at_frame, ending_alert, hello_of, leaf, quoted, server_name
from tlsinspect.diagnosis.names import covers, names_text
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side
from tlsinspect.model.message import Certificate, ClientHello, EncryptedClientHello, EncryptedExtensions
from tlsinspect.tls import extensions as ext

ECH_REQUIRED = 121
ABOUT_NAMES = frozenset((42, 46, 48))
OUTER = 0


def check(case: Case) -> Finding | None:
    """The client says so, was given new configurations, or refused a certificate that is not for the outer name."""
    handshake = case.handshake
    hello = hello_of(handshake)
    seen = ending_alert(handshake, Side.CLIENT)
    if hello is None or seen is None:
        return None
    offer = hello.body(ext.ENCRYPTED_CLIENT_HELLO)
    if not isinstance(offer, EncryptedClientHello) or offer.type != OUTER:
        return None
    name = server_name(handshake)
    outer = f" under the outer name {quoted(name)}" if isinstance(name, str) else ""
    said = f"The client offered Encrypted ClientHello{outer}"
    evidence = ("client_hello.server_name", "client_hello.extensions", "client_alert")
    if seen.alert.description == ECH_REQUIRED:
        return Finding(
            certainty=Certainty.STATED,
            explanation=f"{said}, the server did not accept it: alert {alert_text(seen)}{at_frame(seen.frame)}.",
            evidence=evidence,
        )
    certificate = leaf(handshake.server_certificates)
    if seen.alert.description not in ABOUT_NAMES or not isinstance(certificate, Certificate):
        return None
    if not isinstance(name, str) or covers(certificate, name) or greases(hello):
        return None
    extensions = handshake.encrypted_extensions
    retry = isinstance(extensions, EncryptedExtensions) and extensions.has(ext.ENCRYPTED_CLIENT_HELLO) is True
    new = "sent new ECH configurations" if retry else "sent no ECH configurations, as one that does not know ECH"
    return Finding(
        certainty=Certainty.LIKELY,
        explanation=(
            f"{said}. The server {new}, and showed a certificate for {names_text(certificate)}, which does not cover "
            f"the outer name; the client refused with the alert {alert_text(seen)}{at_frame(seen.frame)}. A server "
            "that simply lacks a certificate for that name would look the same."
        ),
        evidence=(*evidence, "server_certificates"),
    )


def greases(hello: ClientHello) -> bool:
    """Whether the client is a browser that sends a meaningless ECH extension to every server."""
    chromium = any(registry.is_grease(code) for code in hello.cipher_suites)
    firefox = hello.has(ext.DELEGATED_CREDENTIAL) is True
    return chromium or firefox


CAUSE = Cause(
    code="ech-retry",
    title="Encrypted ClientHello was not accepted",
    stage=Stage.ROUTING,
    severity=Severity.ERROR,
    looks_at=("client_hello.extensions", "client_hello.server_name", "client_alert"),
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=(
        Fix("DNS", "Take the ech parameter out of the HTTPS record, or renew it.", "dig +short HTTPS {host}"),
        Fix("nginx", "Give the server the ECH key (1.29.4 and later).", "ssl_ech_file ECH.pem;", Side.SERVER),
        Fix(
            "Caddy",
            "Give the server an ECH configuration and publish it (2.10 and later).",
            "{\n    ech {host}\n}",
            Side.SERVER,
        ),
        Fix("Chrome", "Do without ECH (policy).", "EncryptedClientHelloEnabled=false", Side.CLIENT),
        Fix("Firefox", "Do without ECH (about:config).", "network.dns.echconfig.enabled=false", Side.CLIENT),
        Fix("Go", "Give the server the ECH keys.", "tls.Config{EncryptedClientHelloKeys: keys}", Side.SERVER),
        Fix(
            "Go",
            "Take the configuration out of the client, or renew it from RetryConfigList.",
            "tls.Config{EncryptedClientHelloConfigList: nil}",
            Side.CLIENT,
        ),
        Fix("curl", "Do without ECH (8.8.0 and later).", "curl --ech false https://{host}/", Side.CLIENT),
        Fix("any server", "Serve a certificate for the public name of the ECH configuration.", "", Side.SERVER),
    ),
    log_lines=(
        ("Go", "tls: server rejected ECH"),
        ("Chrome", "ERR_ECH_NOT_NEGOTIATED"),
        ("Chrome", "ERR_ECH_FALLBACK_CERTIFICATE_INVALID"),
    ),
    references=("RFC 9849 section 6.1.6", "RFC 9849 section 6.2"),
    explanation=__doc__,
)
