"""No authority that the server names issued the client's certificate.

## What happened

The CertificateRequest lists the authorities whose certificates the server accepts. The client sent one whose chain
leads to none of them. OpenSSL, and with it curl, nginx, Python and Node, sends what is configured without looking at
the list; Go, Java, Chrome and .NET would have sent none (client-cert-missing).

## On the wire

TLS 1.2: certificate_authorities in CertificateRequest(13). TLS 1.3: the extension certificate_authorities(47) of the
encrypted CertificateRequest. Neither the issuer of any certificate of the client's Certificate message, nor any of
its upper certificates, is in the list. Then most servers refuse, with unknown_ca(48) or a like alert. A server that
verifies otherwise (`optional_no_ca`, ssl_trusted_certificate of nginx, the application itself) goes on.

## How to confirm

`openssl s_client` prints "Acceptable client certificate CA names"; compare with `openssl x509 -noout -issuer` of the
client's certificate.

## What it is not

An empty list: it accepts any issuer. A chain that lacks an intermediate (client-cert-chain-incomplete) looks much the
same; the names tell, and a capture of a client that sends the whole chain.
"""

from __future__ import annotations

from tlsinspect.diagnosis.client_auth import (
    ACCESS_DENIED,
    BAD_CERTIFICATE,
    CERTIFICATE_UNKNOWN,
    HANDSHAKE_FAILURE,
    UNKNOWN_CA,
    Answer,
    Reaction,
    reaction,
    sent_chain,
)
from tlsinspect.diagnosis.client_fit import (
    authorities_text,
    issuer_listed,
    top,
    unsuitable_reasons,
    validity_problem,
)
from tlsinspect.diagnosis.facts import quoted, resumed
from tlsinspect.diagnosis.identity_fixes import TRUST_ISSUER, send_certificate
from tlsinspect.diagnosis.log_lines import alert_lines, late_alert_lines, untrusted_client
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage

LOOKS_AT = ("client_certificates", "certificate_request.certificate_authorities")
FITTING = frozenset((UNKNOWN_CA, BAD_CERTIFICATE, CERTIFICATE_UNKNOWN, ACCESS_DENIED, HANDSHAKE_FAILURE))


def check(case: Case) -> Finding | None:
    """The server lists authorities, and the client's chain leads to none of them."""
    handshake = case.handshake
    chain = sent_chain(handshake)
    if not chain or resumed(handshake) or issuer_listed(handshake) is not False:
        return None
    taken = reaction(handshake)
    flawed = bool(validity_problem(chain, case.at) or unsuitable_reasons(handshake))
    blamed = explains(taken, flawed=flawed)
    highest = top(chain)
    if taken.answer is Answer.ACCEPTED:
        end = "; it may refuse the request."
    elif blamed or taken.code is None:
        end = "."
    else:
        end = ", which speaks of something else."
    return Finding(
        certainty=certainty(taken) if blamed else Certainty.SHOWN,
        severity=Severity.ERROR if blamed else Severity.WARNING,
        explanation=(
            f"The server accepts certificates of {authorities_text(handshake)}. The client sent "
            f"{quoted(chain[0].subject)}, "
            f"which leads to {quoted(highest.subject if highest.self_issued else highest.issuer)}, and "
            f"{taken.text}{end}"
        ),
        evidence=(*LOOKS_AT, "server_alert") if taken.answer is Answer.ALERT else LOOKS_AT,
    )


def explains(taken: Reaction, *, flawed: bool) -> bool:
    """Whether the issuer can be why the server refused."""
    if taken.answer is Answer.ALERT:
        return taken.code in FITTING and (taken.code == UNKNOWN_CA or not flawed)
    return taken.refused and not flawed


def certainty(taken: Reaction) -> Certainty:
    """How far the refusal carries: unknown_ca is about the issuer, other alerts may be about anything."""
    return Certainty.SHOWN if taken.code == UNKNOWN_CA else Certainty.LIKELY


CAUSE = Cause(
    code="client-cert-issuer-not-accepted",
    title="The client's certificate is of no authority that the server names",
    stage=Stage.CLIENT_AUTH,
    severity=Severity.ERROR,
    looks_at=LOOKS_AT,
    check=check,
    compare=on_one_side(check),
    follows_from=(
        "client-cert-expired",
        "client-cert-unsuitable",
        "client-cert-revoked",
        "client-cert-chain-incomplete",
        "client-cert-untrusted",
    ),
    fixes=(*TRUST_ISSUER, *send_certificate("Send one of an authority that the server names.")),
    log_lines=(
        *alert_lines(48),
        *late_alert_lines(48),
        (
            "nginx",
            "client SSL certificate verify error: (21:unable to verify the first certificate) while reading client "
            "request headers",
        ),
        ("OpenSSL", "Acceptable client certificate CA names"),
        *untrusted_client(20, "unable to get local issuer certificate", go="certificate signed by unknown authority"),
    ),
    references=("RFC 5246 section 7.4.4", "RFC 5246 section 7.4.6", "RFC 8446 section 4.2.4", "RFC 5280 section 7.1"),
    explanation=__doc__,
)
