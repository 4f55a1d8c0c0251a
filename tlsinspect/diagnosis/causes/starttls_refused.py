"""The step before TLS was refused: STARTTLS, CONNECT, SSLRequest, SOCKS.

## What happened

The client asked, in the protocol of that port, for leave to start TLS, or a proxy for a tunnel; the answer was no. No
ClientHello was sent.

## On the wire

Plain text: `STARTTLS` and a reply other than the good one (SMTP 454 or 502, IMAP `NO` or `BAD`), `CONNECT` and an
HTTP status other than 2xx, PostgreSQL's SSLRequest of eight octets and `N`. TLS 1.2 and TLS 1.3 look the same.

## How to confirm

Repeat the dialogue by hand with `openssl s_client -starttls PROTOCOL`, or the CONNECT with `curl -v -x PROXY`.

## What it is not

A TLS failure: TLS was never begun.
"""

from __future__ import annotations

from tlsinspect.diagnosis.facts import at_frame, fatal_alert, hello_frame, hello_of, quoted
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Missing, Side

# Fixes by product; what asks before TLS is not TLS, so the protocol tells which of them fit.
FIXES = (
    Fix("PostgreSQL", "Switch TLS on.", "ssl = on"),
    Fix("PostgreSQL client", "Or do without it where that is acceptable.", "sslmode=prefer"),
    Fix("Postfix", "Offer STARTTLS.", "smtpd_tls_security_level = may"),
    Fix("Dovecot", "Offer STARTTLS.", "ssl = yes"),
    Fix("MySQL", "Switch TLS on.", "[mysqld]\nssl_cert=CERT.pem\nssl_key=KEY.pem"),
    Fix(
        "Squid",
        "Let the proxy connect to that port.",
        "acl SSL_ports port 443\nhttp_access allow CONNECT SSL_ports",
    ),
    Fix(
        "curl",
        "Go on without TLS where that is acceptable.",
        "curl --ssl smtp://HOST:587",
        Side.CLIENT,
    ),
    Fix(
        "OpenSSL",
        "Ask in the protocol that the port speaks.",
        "openssl s_client -starttls smtp -connect HOST:587",
        Side.CLIENT,
    ),
    Fix(
        "GnuTLS",
        "Ask in the protocol that the port speaks.",
        "gnutls-cli --starttls-proto smtp --port 587 HOST",
        Side.CLIENT,
    ),
    Fix("Python", "Ask for TLS only where it is offered.", 'server.has_extn("starttls")', Side.CLIENT),
    Fix("Java", "Go on without TLS where that is acceptable.", "mail.smtp.starttls.required=false", Side.CLIENT),
    Fix(
        "Node",
        "Go on without TLS where that is acceptable (nodemailer).",
        "nodemailer.createTransport({ host, opportunisticTLS: true })",
        Side.CLIENT,
    ),
    Fix("any client", "Authenticate to the proxy when it answered 407.", "curl -x PROXY --proxy-user USER"),
)
PRODUCTS = {
    "http-connect": ("Squid", "any client"),
    "postgresql": ("PostgreSQL", "PostgreSQL client"),
    "mysql": ("MySQL",),
    "smtp": ("Postfix", "curl", "OpenSSL", "GnuTLS", "Python", "Java", "Node"),
    "imap": ("Dovecot",),
    "pop3": ("Dovecot",),
}


def check(case: Case) -> Finding | None:
    """The dialogue before TLS ended with a refusal, and the server did not speak TLS after it."""
    handshake = case.handshake
    preamble = handshake.preamble
    if preamble is None or preamble.accepted is not False:
        return None
    if handshake.server_hello is not Missing.NOT_SENT or fatal_alert(handshake, Side.SERVER) is not None:
        return None
    details = dict(preamble.details)
    target = f" for {quoted(details['target'])}" if details.get("target") else ""
    reply = f" with {quoted(details['reply'])}" if details.get("reply") else ""
    frame = at_frame(preamble.frames[-1] if preamble.frames else None)
    went_on = "no ClientHello was sent."
    if hello_of(handshake) is not None:
        went_on = f"the client sent its ClientHello all the same{at_frame(hello_frame(handshake))}."
    return Finding(
        certainty=Certainty.STATED,
        explanation=(
            f"The server refused the {preamble.protocol} request{target} that comes before TLS{reply}{frame}; {went_on}"
        ),
        evidence=("preamble.protocol",),
        fixes=tuple(fix for fix in FIXES if fix.product in PRODUCTS.get(preamble.protocol, ())) or None,
    )


CAUSE = Cause(
    code="starttls-refused",
    title="The step before TLS was refused",
    stage=Stage.TRANSPORT,
    severity=Severity.ERROR,
    looks_at=("preamble.protocol",),
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=FIXES,
    log_lines=(
        ("PostgreSQL client", "server does not support SSL, but SSL was required"),
        ("OpenSSL", "Didn't find STARTTLS in server response, trying anyway..."),
        ("curl", "curl: (64) Requested SSL level failed"),
        ("curl", "curl: (56) CONNECT tunnel failed, response"),
        ("Python", "STARTTLS extension not supported by server."),
    ),
    references=(
        "RFC 3207 section 4",
        "RFC 9051 section 6.2.1",
        "RFC 9110 section 9.3.6",
        "PostgreSQL protocol, SSLRequest",
    ),
    explanation=__doc__,
)
