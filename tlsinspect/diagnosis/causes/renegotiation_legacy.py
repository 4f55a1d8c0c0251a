"""Secure renegotiation is missing, or a renegotiation was refused.

## What happened

Either the server's ServerHello has no renegotiation_info: it does not know RFC 5746, and a client that insists on it
ends the handshake (OpenSSL 3 does, "unsafe legacy renegotiation disabled"). Or one side started a second handshake
within the connection, such as Apache does for a location with a client certificate, and the other does not allow
that.

## On the wire

TLS 1.2 and before: renegotiation_info(0xff01) or the suite 0x00ff in the ClientHello, and none in the ServerHello;
then handshake_failure(40) from the client. Or no_renegotiation(100), a warning, in answer to a second ClientHello (or
to a HelloRequest); both are encrypted, and in clear with keys alone. TLS 1.3 has no renegotiation.

## How to confirm

`openssl s_client` prints "Secure Renegotiation IS NOT supported", and gets along with `-legacy_server_connect`. In
its session the letter R starts a renegotiation.

## What it is not

handshake_failure from the *server* right after the hello: it has not come to this yet. A client certificate that is
wanted later: with TLS 1.3 that is post-handshake authentication, no renegotiation.
"""

from __future__ import annotations

from tlsinspect.diagnosis.facts import alert_text, answered, at_frame, completed, ending_alert, hello_of
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import AlertSeen, Handshake
from tlsinspect.model.message import CertificateMessage, ServerHello
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.versions import is_tls13

TLS_EMPTY_RENEGOTIATION_INFO_SCSV = 0x00FF
HANDSHAKE_FAILURE, NO_RENEGOTIATION = 40, 100
LOOKS_AT = ("client_hello.extensions", "server_hello.extensions", "server_hello.version", "alerts")

# The server is to know RFC 5746, or the client to do without.
SECURE_RENEGOTIATION = (
    Fix(
        "any server",
        "Update the server's TLS library: RFC 5746 is of 2010. Load balancers have a switch of their own.",
        "set ssl parameter -denySSLReneg NONSECURE",
        Side.SERVER,
    ),
    Fix(
        "nginx",
        "Or let the proxy connect all the same (OpenSSL 3).",
        "proxy_ssl_conf_command Options UnsafeLegacyServerConnect;",
        Side.CLIENT,
    ),
    Fix(
        "OpenSSL",
        "Or connect all the same.",
        "openssl s_client -legacy_server_connect -connect ADDRESS:443",
        Side.CLIENT,
    ),
    Fix(
        "nginx (grpc)",
        "The same for grpc_pass.",
        "grpc_ssl_conf_command Options UnsafeLegacyServerConnect;",
        Side.CLIENT,
    ),
    Fix(
        "nginx (uwsgi)",
        "The same for uwsgi_pass.",
        "uwsgi_ssl_conf_command Options UnsafeLegacyServerConnect;",
        Side.CLIENT,
    ),
    Fix(
        "nginx (stream)",
        "The same in a stream server.",
        "proxy_ssl_conf_command Options UnsafeLegacyServerConnect;",
        Side.CLIENT,
    ),
    Fix(
        "HAProxy",
        "Or connect all the same, by OpenSSL's configuration (so, too, for .NET on Linux).",
        "OPENSSL_CONF=/etc/haproxy/openssl.cnf",
        Side.CLIENT,
    ),
    Fix(
        ".NET", "Or connect all the same: on Linux by openssl.cnf.", "Options = UnsafeLegacyServerConnect", Side.CLIENT
    ),
    Fix(
        "GnuTLS",
        "Or connect all the same.",
        "gnutls-cli --priority NORMAL:%PARTIAL_RENEGOTIATION {host}",
        Side.CLIENT,
    ),
    Fix("Java", "Or connect all the same.", "-Dsun.security.ssl.allowLegacyHelloMessages=true", Side.CLIENT),
    Fix(
        "curl",
        "Or connect all the same, by a configuration of OpenSSL.",
        "[system_default_sect]\nOptions = UnsafeLegacyServerConnect",
        Side.CLIENT,
    ),
    Fix(
        "Node",
        "Or connect all the same.",
        "tls.connect({ secureOptions: crypto.constants.SSL_OP_LEGACY_SERVER_CONNECT, ... })",
        Side.CLIENT,
    ),
    Fix("Python", "Or connect all the same.", "context.options |= ssl.OP_LEGACY_SERVER_CONNECT", Side.CLIENT),
)
# No second handshake is to be needed.
NO_RENEGOTIATION_NEEDED = (
    Fix(
        "Apache",
        "Ask for the client certificate in the virtual host instead of a location.",
        "SSLVerifyClient require",
        Side.SERVER,
    ),
    Fix(
        "Go",
        "Allow a renegotiation that the server starts.",
        "tls.Config{Renegotiation: tls.RenegotiateOnceAsClient}",
        Side.CLIENT,
    ),
    Fix("Envoy", "Allow a renegotiation that the server starts.", "allow_renegotiation: true", Side.CLIENT),
    Fix("Istio", "Ask at the Gateway's server as a whole.", "tls:\n  mode: MUTUAL", Side.SERVER),
)


def check(case: Case) -> Finding | None:
    """no_renegotiation was said, or the ServerHello lacks renegotiation_info."""
    handshake = case.handshake
    seen = next((each for each in handshake.alerts if each.alert.description == NO_RENEGOTIATION), None)
    if seen is not None:
        return refused(handshake, seen)
    return lacking(handshake)


def refused(handshake: Handshake, seen: AlertSeen) -> Finding:
    """One side does not renegotiate."""
    fatal = ending_alert(handshake)
    end = ""
    if fatal is not None and fatal is not seen:
        end = f" The {fatal.side.value} then ended it with the alert {alert_text(fatal)}{at_frame(fatal.frame)}."
    return Finding(
        certainty=Certainty.STATED,
        severity=Severity.ERROR if fatal is not None or not completed(handshake) else Severity.WARNING,
        explanation=(
            f"The {seen.side.other.value} wanted to renegotiate within the session, and the {seen.side.value} answered "
            f"with the alert {alert_text(seen)}{at_frame(seen.frame)}.{end}"
        ),
        evidence=("alerts",),
        fixes=NO_RENEGOTIATION_NEEDED,
    )


def lacking(handshake: Handshake) -> Finding | None:
    """The client offered secure renegotiation, and the server's answer has none."""
    answer = handshake.server_hello
    if not offers(handshake) or not isinstance(answer, ServerHello) or is_tls13(answer.version):
        return None
    if answer.has(ext.RENEGOTIATION_INFO) is not False:
        return None
    seen = ending_alert(handshake, Side.CLIENT)
    if seen is not None and seen.alert.description == HANDSHAKE_FAILURE and before_certificates(handshake):
        return Finding(
            certainty=Certainty.SHOWN,
            explanation=(
                "The ServerHello has no renegotiation_info, which the client offered (RFC 5746), and the client "
                "ended the "
                f"handshake with the alert {alert_text(seen)}{at_frame(seen.frame)}: it insists on secure "
                "renegotiation."
            ),
            evidence=(*LOOKS_AT, "client_alert"),
            fixes=SECURE_RENEGOTIATION,
        )
    return Finding(
        certainty=Certainty.SHOWN,
        severity=Severity.WARNING,
        explanation=(
            "The ServerHello has no renegotiation_info, which the client offered (RFC 5746). Clients that insist "
            "on secure "
            "renegotiation, as those with OpenSSL 3 do, refuse such a server."
        ),
        evidence=LOOKS_AT,
        fixes=SECURE_RENEGOTIATION,
    )


def offers(handshake: Handshake) -> bool:
    """Whether the client offered secure renegotiation in either way.  RFC 5746 section 3.4."""
    hello = hello_of(handshake)
    if hello is None:
        return False
    return TLS_EMPTY_RENEGOTIATION_INFO_SCSV in hello.cipher_suites or hello.has(ext.RENEGOTIATION_INFO) is True


def before_certificates(handshake: Handshake) -> bool:
    """Whether the client sent nothing between the ServerHello and its alert that shows it had gone on."""
    return (
        answered(handshake)
        and not isinstance(handshake.client_certificates, CertificateMessage)
        and (handshake.client_certificates in (Missing.NOT_SENT, Missing.LOST))
    )


CAUSE = Cause(
    code="renegotiation-legacy",
    title="Secure renegotiation is missing, or a renegotiation was refused",
    stage=Stage.PARAMETERS,
    severity=Severity.ERROR,
    looks_at=LOOKS_AT,
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=(*SECURE_RENEGOTIATION, *NO_RENEGOTIATION_NEEDED),
    log_lines=(
        ("OpenSSL", "error:0A000152:SSL routines:final_renegotiate:unsafe legacy renegotiation disabled"),
        ("curl", "curl: (35) error:0A000152:SSL routines::unsafe legacy renegotiation disabled"),
        ("Python", "[SSL: UNSAFE_LEGACY_RENEGOTIATION_DISABLED] unsafe legacy renegotiation disabled"),
        ("Node", "unsafe legacy renegotiation disabled"),
        ("OpenSSL", "error:0A000153:SSL routines:ssl3_read_bytes:no renegotiation"),
        ("Go", "tls: no renegotiation"),
        ("OpenSSL", "Secure Renegotiation IS NOT supported"),
    ),
    references=("RFC 5746 section 3.4", "RFC 5746 section 4.1", "RFC 5246 section 7.2.2", "RFC 8446 section 4.1.2"),
    explanation=__doc__,
)
