"""An extension, or a value in a hello, was refused.

## What happened

One side sent an extension or a value that the other must not accept: an extension in the ServerHello that the client
never offered, a group or suite that was not on offer, a body that cannot be decoded. Filters that rewrite hellos and
libraries with a fault are the usual senders.

## On the wire

unsupported_extension(110) from a client names the ServerHello; illegal_parameter(47) speaks of a value,
decode_error(50) of octets that make no sense. In TLS 1.2 and TLS 1.3 these alerts come in clear at the hellos; what
follows a ServerHello of TLS 1.3 is encrypted, and keys are needed to see it.

## How to confirm

Capture at both ends and compare the hellos octet by octet: what differs was rewritten on the way.

## What it is not

`fallback-detected`: there illegal_parameter(47) answers the downgrade mark of the ServerHello. decode_error(50) after a
FIN of the peer only says that something was expected: the FIN is the cause.
"""

from __future__ import annotations

from collections.abc import Iterator

from tlsinspect import registry
from tlsinspect.diagnosis.facts import alert_text, at_frame, ending_alert, hello_frame, hello_of, refused_at_hello
from tlsinspect.diagnosis.log_lines import alert_lines
from tlsinspect.diagnosis.mismatch import server_hello_of
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.parameter_fixes import LEAVE_OUT_EXTENSIONS
from tlsinspect.diagnosis.reach_fixes import PASS_ON
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import AlertSeen, Handshake
from tlsinspect.model.message import ClientHello, EncryptedExtensions, Extension, KeyShare, ServerHello
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.versions import is_tls13

ILLEGAL_PARAMETER, DECODE_ERROR, UNSUPPORTED_EXTENSION = 47, 50, 110
REFUSING = frozenset((ILLEGAL_PARAMETER, DECODE_ERROR, UNSUPPORTED_EXTENSION))
RENEGOTIATION_SCSV = 0x00FF
MOST_DEFECTS = 2


def check(case: Case) -> Finding | None:
    """One side refused a value of the other's hello."""
    handshake = case.handshake
    by_server = refused_at_hello(handshake)
    if by_server is not None and by_server.alert.description in REFUSING:
        return finding(by_server, of_client(handshake), "client", hello_frame(handshake))
    by_client = ending_alert(handshake, Side.CLIENT)
    if by_client is None or by_client.alert.description not in REFUSING or server_hello_of(case) is None:
        return None
    reasons = tuple(of_server(handshake))
    if not reasons and by_client.alert.description != UNSUPPORTED_EXTENSION:
        return None  # it may speak of anything that came after the ServerHello
    return finding(by_client, reasons, "server", None)


def finding(seen: AlertSeen, reasons: tuple[str, ...], sender: str, frame: int | None) -> Finding:
    """What was refused: what can be seen to be wrong, else what the alert says."""
    meant = {
        ILLEGAL_PARAMETER: "a value in it is out of range or does not fit the others",
        DECODE_ERROR: "octets of it make no sense to that side",
        UNSUPPORTED_EXTENSION: "it has an extension that was not offered",
    }[seen.alert.description]
    why = " and ".join(reasons) if reasons else f"{meant}; which, the alert does not say"
    return Finding(
        certainty=Certainty.STATED,
        explanation=(
            f"The {seen.side.value} refused the {sender}'s hello{at_frame(frame)} with the alert {alert_text(seen)}"
            f"{at_frame(seen.frame)}: {why}."
        ),
        evidence=(f"{sender}_hello.extensions", f"{seen.side.value}_alert"),
    )


def of_client(handshake: Handshake) -> tuple[str, ...]:
    """What is wrong with the ClientHello, as far as it can be seen."""
    hello = hello_of(handshake)
    if hello is None or hello.defect is not None:
        return ()
    return tuple(malformed(hello.extensions))[:MOST_DEFECTS]


def malformed(extensions: tuple[Extension, ...]) -> Iterator[str]:
    """Clauses about extensions whose body cannot be decoded, or that come twice (RFC 8446 section 4.2)."""
    seen: set[int] = set()
    for extension in extensions:
        name = registry.EXTENSION_TYPES.name(extension.type)
        if extension.defect is not None:
            yield f"its {name} is malformed ({extension.defect.problem})"
        if extension.type in seen:
            yield f"it has {name} twice"
        seen.add(extension.type)


def of_server(handshake: Handshake) -> Iterator[str]:
    """What of the server's hello does not answer the client's."""
    hello, answer = hello_of(handshake), handshake.server_hello
    if hello is None or hello.defect is not None or not isinstance(answer, ServerHello):
        return
    encrypted = handshake.encrypted_extensions
    more = encrypted.extensions if isinstance(encrypted, EncryptedExtensions) else ()
    unasked = [each.type for each in (*answer.extensions, *more) if not is_answer(each.type, hello)]
    if unasked:
        names = ", ".join(registry.EXTENSION_TYPES.name(kind) for kind in unasked)
        yield f"the server sent {names}, which the client did not offer (RFC 8446 section 4.2)"
    yield from malformed(answer.extensions)
    if answer.cipher_suite not in hello.cipher_suites:
        yield f"the server chose {registry.CIPHER_SUITES.name(answer.cipher_suite)}, which the client did not offer"
    if not is_tls13(answer.version):
        return
    if answer.legacy_session_id_echo != hello.legacy_session_id:
        yield "the server did not echo the client's legacy_session_id (RFC 8446 section 4.1.3)"
    share, groups = answer.body(ext.KEY_SHARE), hello.body(ext.SUPPORTED_GROUPS)
    if isinstance(share, KeyShare) and isinstance(groups, tuple) and share.group not in groups:
        yield f"the server chose the group {registry.NAMED_GROUPS.name(share.group)}, which the client did not offer"


def is_answer(kind: int, hello: ClientHello) -> bool:
    """Whether the client asked for an extension; its signalling suite asks for renegotiation_info (RFC 5746)."""
    if kind == ext.RENEGOTIATION_INFO and RENEGOTIATION_SCSV in hello.cipher_suites:
        return True
    return hello.has(kind) is not False


CAUSE = Cause(
    code="extension-refused",
    title="An extension or a value in a hello was refused",
    stage=Stage.PARAMETERS,
    severity=Severity.ERROR,
    looks_at=("client_hello.extensions", "server_hello.extensions", "server_alert", "client_alert"),
    check=check,
    compare=on_one_side(check),
    follows_from=(
        "sni-invalid",
        "sni-unrecognized",
        "sni-missing",
        "fallback-detected",
        "ech-retry",
        "resumption-refused",
    ),
    fixes=(
        Fix("any client", "Upgrade the library, or switch the extension off.", "", Side.CLIENT),
        Fix("any middlebox", "Do not rewrite hellos; pass TLS on as it is, or end it there."),
        *PASS_ON,
        *LEAVE_OUT_EXTENSIONS,
    ),
    log_lines=(
        *alert_lines(ILLEGAL_PARAMETER, DECODE_ERROR, UNSUPPORTED_EXTENSION),
        ("OpenSSL", "unsolicited extension"),
        ("OpenSSL", "bad extension"),
        ("Go", "tls: server sent an unsolicited extension"),
        ("Go", "tls: server selected unsupported group"),
        ("Java", "extension should not be presented in"),
    ),
    references=("RFC 8446 section 4.2", "RFC 8446 section 6.2", "RFC 5246 section 7.4.1.4"),
    explanation=__doc__,
)
