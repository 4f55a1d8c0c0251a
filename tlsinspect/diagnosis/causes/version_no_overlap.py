"""Client and server have no protocol version in common.

## What happened

The client offers versions that the server does not have or was told not to speak, or the server chose one that the
client does not accept. Typical: an old client against a server without TLS 1.0 and 1.1; nginx as a proxy before 1.23.4,
which stops at TLS 1.2, against a server of TLS 1.3 alone; a server that an update took its old versions from.

## On the wire

ClientHello, then the fatal alert protocol_version(70) in clear and no ServerHello; in TLS 1.2 and TLS 1.3 alike. The
offer stands in supported_versions, or, without it, goes up to the legacy version. rustls says handshake_failure(40)
instead, and so does GnuTLS to a client of TLS 1.3 alone; OpenSSL 3 says internal_error(80) to TLS 1.1 and less. Where
the *client* sends the alert it comes after the ServerHello: the server chose less than the client wants.

## How to confirm

`openssl s_client -tls1_2 -connect ADDRESS:443`, then `-tls1_3`: one of the two gets through. For TLS 1.0 and 1.1
OpenSSL 3 needs `-cipher DEFAULT@SECLEVEL=0`, too.

## What it is not

A missing cipher suite: that is handshake_failure(40). A version that was talked down on the way (`fallback-detected`).
"""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.diagnosis.facts import alert_text, at_frame, ending_alert, hello_frame, hello_of
from tlsinspect.diagnosis.log_lines import alert_lines
from tlsinspect.diagnosis.mismatch import VERSION, likeliest, refused_offer, server_hello_of
from tlsinspect.diagnosis.offer import highest_version
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.parameter_fixes import VERSIONS
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity, Stage
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Handshake
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.versions import TLS12

PROTOCOL_VERSION, INTERNAL_ERROR = 70, 80
OFFER = ("client_hello.supported_versions", "client_hello.legacy_version")


def check(case: Case) -> Finding | None:
    """One side says so, or the offer is so old that it must be that."""
    handshake = case.handshake
    seen = ending_alert(handshake)
    if seen is None or seen.alert.description != PROTOCOL_VERSION:
        return likeliest(case, VERSION, OFFER) or too_old(case)
    said = f"the alert {alert_text(seen)}{at_frame(seen.frame)}"
    answer = server_hello_of(case)
    if seen.side is Side.SERVER and handshake.server_hello is Missing.NOT_SENT:
        return Finding(
            certainty=Certainty.STATED,
            explanation=(
                f"{offer_text(handshake)}, and the server answered with {said}: it speaks none of these versions, or "
                "is "
                "set not to."
            ),
            evidence=(*OFFER, "server_alert"),
        )
    if seen.side is Side.CLIENT and answer is not None:
        return Finding(
            certainty=Certainty.STATED,
            explanation=(
                f"{offer_text(handshake)}. The server chose {registry.version_name(answer.version)}, and the client "
                f"refused that with {said}: the server has nothing as new as the client wants."
            ),
            evidence=(*OFFER, "server_hello.version", "client_alert"),
        )
    return None


def too_old(case: Case) -> Finding | None:
    """internal_error in answer to TLS 1.1 or less, as OpenSSL 3 says where its security level allows no SHA-1."""
    found = refused_offer(case, INTERNAL_ERROR)
    if found is None or found[1].defect is not None or highest_version(found[1]) >= TLS12:
        return None
    return Finding(
        certainty=Certainty.LIKELY,
        explanation=(
            f"{offer_text(case.handshake)}, and the server answered with the alert {alert_text(found[0])}"
            f"{at_frame(found[0].frame)}: OpenSSL 3 does so above security level 0, as these versions need SHA-1. Not "
            "ruled out: any other fault of the server, such as a certificate that it lacks."
        ),
        evidence=(*OFFER, "server_alert"),
    )


def offer_text(handshake: Handshake) -> str:
    """A clause about the versions that the client offers."""
    hello = hello_of(handshake)
    if hello is None:
        return "The ClientHello cannot be seen"
    listed = hello.body(ext.SUPPORTED_VERSIONS)
    place = at_frame(hello_frame(handshake))
    if isinstance(listed, tuple):
        versions = [registry.version_name(code) for code in listed if not registry.is_grease(code)]
        return f"The client offers {', '.join(versions)}{place}"
    if listed is not Missing.NOT_SENT:
        return f"The versions that the client offers cannot be read{place}"
    return f"The client offers nothing above {registry.version_name(highest_version(hello))}{place}"


CAUSE = Cause(
    code="version-no-overlap",
    title="No protocol version in common",
    stage=Stage.PARAMETERS,
    severity=Severity.ERROR,
    looks_at=(*OFFER, "server_hello.version", "server_alert", "client_alert"),
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=VERSIONS,
    log_lines=(
        *alert_lines(PROTOCOL_VERSION),
        (
            "nginx",
            "SSL_do_handshake() failed (SSL: error:0A000102:SSL routines::unsupported protocol) while SSL handshaking",
        ),
        ("OpenSSL", "error:0A000102:SSL routines::unsupported protocol"),
        ("Go", "tls: client offered only unsupported versions"),
        ("Chrome", "ERR_SSL_VERSION_OR_CIPHER_MISMATCH"),
    ),
    references=("RFC 8446 section 4.2.1", "RFC 8446 section 6.2", "RFC 5246 appendix E.1", "RFC 8996 section 4"),
    explanation=__doc__,
)
