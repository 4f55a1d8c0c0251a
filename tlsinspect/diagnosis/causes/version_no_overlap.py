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

QUIC: the Initial packet of the client, then a Version Negotiation packet of the server without the version that the
client asked for, and no second Initial.

## How to confirm

`openssl s_client -tls1_2 -connect ADDRESS:443`, then `-tls1_3`: one of the two gets through. For TLS 1.0 and 1.1
OpenSSL 3 needs `-cipher DEFAULT@SECLEVEL=0`, too.

## What it is not

A missing cipher suite: that is handshake_failure(40). A version that was talked down on the way (`fallback-detected`).
"""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.diagnosis.facts import alert_text, answered, at_frame, ending_alert, hello_frame, hello_of
from tlsinspect.diagnosis.log_lines import alert_lines
from tlsinspect.diagnosis.mismatch import VERSION, likeliest, refused_offer, server_hello_of
from tlsinspect.diagnosis.offer import highest_version
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.parameter_fixes import VERSIONS
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Handshake, Outcome
from tlsinspect.model.message import ClientHello
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.versions import TLS12

PROTOCOL_VERSION, INTERNAL_ERROR = 70, 80
VERSION_NEGOTIATION = "quic-version-negotiation"  # the preamble that it makes
QUIC_VERSIONS = (
    Fix("any client", "Let it speak a version of QUIC that the server offers.", side=Side.CLIENT),
    Fix("any server", "Turn on the version of QUIC that the client asks for.", side=Side.SERVER),
)
OFFER = ("client_hello.supported_versions", "client_hello.legacy_version")


def check(case: Case) -> Finding | None:
    """One side says so, or the offer is so old that it must be that."""
    handshake = case.handshake
    seen = ending_alert(handshake)
    if seen is None or seen.alert.description != PROTOCOL_VERSION:
        return quic_version(handshake) or likeliest(case, VERSION, OFFER) or too_old(case)
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


def quic_version(handshake: Handshake) -> Finding | None:
    """A Version Negotiation without the version that the client asked for, after which it did not begin again.

    RFC 9000 section 6.
    """
    preamble = handshake.preamble
    if preamble is None or preamble.protocol != VERSION_NEGOTIATION or answered(handshake):
        return None
    hellos = [event.frames[-1] for event in handshake.events if isinstance(event.message, ClientHello) and event.frames]
    if any(frame > preamble.frames[0] for frame in hellos):
        return None
    details = dict(preamble.details)
    asked, offered = details["client_versions"], details["server_versions"]
    if set(asked.split(", ")) & set(offered.split(", ")):
        return None  # a client must not heed it then (section 6.2)
    over = handshake.outcome is not Outcome.CUT
    rest = "the client did not begin again." if over else "the capture ends there: the client may have begun again."
    return Finding(
        certainty=Certainty.SHOWN if over else Certainty.LIKELY,
        severity=None if over else Severity.WARNING,
        explanation=(
            f"The client asked for {asked}. The server speaks none of that: it answered with a Version Negotiation "
            f"packet{at_frame(preamble.frames[0])} that offers {offered or 'no version'}, and {rest}"
        ),
        evidence=("preamble.protocol", "outcome"),
        fixes=QUIC_VERSIONS,
    )


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
    looks_at=(*OFFER, "preamble.protocol", "server_hello.version", "server_alert", "client_alert"),
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=VERSIONS,
    log_lines=(
        *alert_lines(PROTOCOL_VERSION, 40),
        (
            "nginx",
            "SSL_do_handshake() failed (SSL: error:0A000102:SSL routines::unsupported protocol) while SSL handshaking",
        ),
        ("OpenSSL", "error:0A000102:SSL routines::unsupported protocol"),
        ("Go", "tls: client offered only unsupported versions"),
        ("Chrome", "ERR_SSL_VERSION_OR_CIPHER_MISMATCH"),
        (
            "Envoy",
            "remote address:ADDRESS,TLS_error:|268435696:SSL "
            "routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL:TLS_error_end",
        ),
        ("Apache", "SSL Library Error: error:0A000102:SSL routines::unsupported protocol"),
        ("Caddy", "http: TLS handshake error from ADDRESS: tls: client offered only unsupported versions: [NUMBERS]"),
        ("Traefik", "http: TLS handshake error from ADDRESS: tls: client offered only unsupported versions: [NUMBERS]"),
        ("Node", "tlsClientError ERR_SSL_UNSUPPORTED_PROTOCOL unsupported protocol"),
        ("Python", "[SSL: UNSUPPORTED_PROTOCOL] unsupported protocol"),
        ("Java", "The client supported protocol versions [TLSv1] are not accepted by server preferences"),
        ("Firefox", "SSL_ERROR_UNSUPPORTED_VERSION"),
    ),
    references=(
        "RFC 8446 section 4.2.1",
        "RFC 8446 section 6.2",
        "RFC 5246 appendix E.1",
        "RFC 8996 section 4",
        "RFC 9000 section 6",
    ),
    explanation=__doc__,
)
