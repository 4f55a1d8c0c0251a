"""What became of the server's certificate: how the client took it, and what of it a client may refuse."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from tlsinspect import fields
from tlsinspect.diagnosis.facts import (
    alert_text,
    asked_nothing,
    at_frame,
    completed,
    ending_alert,
    hello_of,
    label,
    quoted,
    resumed,
    server_name,
)
from tlsinspect.diagnosis.names import covers, is_address, names_text
from tlsinspect.diagnosis.pairs import told
from tlsinspect.diagnosis.rule import Case, Check, ComparePair, Finding, Severity
from tlsinspect.diagnosis.stacks import client_stack
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import AlertSeen, EndingKind, Handshake
from tlsinspect.model.message import Certificate, CertificateMessage, CertificateStatus
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.ocsp import REVOKED, CertificateState, decode_ocsp_response
from tlsinspect.tls.x509 import matches_host

BAD_CERTIFICATE, UNSUPPORTED_CERTIFICATE, CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED = 42, 43, 44, 45
CERTIFICATE_UNKNOWN, UNKNOWN_CA, ACCESS_DENIED, INTERNAL_ERROR = 46, 48, 49, 80
ABOUT_CERTIFICATES = frozenset((42, 43, 44, 45, 46, 48, 49))
# Go and GnuTLS say bad_certificate for everything, Java and Chromium certificate_unknown for most things.
UNSPECIFIC = frozenset((BAD_CERTIFICATE, CERTIFICATE_UNKNOWN))
FIRST_TLS_YEAR = 1995  # a capture that claims to be older has a clock that was never set


class Taken(enum.Enum):
    """How the client took the server's certificate."""

    REFUSED = "refused it with an alert about certificates"
    LEFT = "left without an alert and without a request"
    ACCEPTED = "completed the handshake"
    UNDECIDED = "the handshake ended otherwise"


def refusal(handshake: Handshake) -> AlertSeen | None:
    """The client's alert about a certificate, which can only be the server's."""
    seen = ending_alert(handshake, Side.CLIENT)
    if seen is None or handshake.server_hello is Missing.NOT_SENT or resumed(handshake):
        return None
    said = seen.alert.description
    if said == INTERNAL_ERROR and isinstance(handshake.server_certificates, CertificateMessage):
        return seen  # of a program's own check, such as that of HAProxy
    return seen if said in ABOUT_CERTIFICATES else None


def taken(handshake: Handshake) -> Taken:
    """How the client took the server's certificate, as far as the capture shows."""
    if refusal(handshake) is not None:
        return Taken.REFUSED
    if asked_nothing(handshake):
        return Taken.LEFT
    if completed(handshake):
        return Taken.ACCEPTED
    ending = handshake.ending
    closed = ending is not None and ending.side is Side.CLIENT and ending.kind in (EndingKind.FIN, EndingKind.RST)
    seen = isinstance(handshake.server_certificates, CertificateMessage)
    return Taken.LEFT if closed and seen else Taken.UNDECIDED


def leaves_without_a_word(handshake: Handshake) -> bool:
    """Whether the hello is that of a client that refuses certificates by closing, in the middle of the handshake."""
    hello = hello_of(handshake)
    stack = client_stack(hello) if hello is not None and not completed(handshake) else None
    return stack is not None and "Node" in stack.products


def refusal_code(handshake: Handshake) -> int | None:
    """The description of the client's alert about the certificate."""
    seen = refusal(handshake)
    return seen.alert.description if seen is not None else None


def weight(handshake: Handshake, alerts: frozenset[int]) -> Severity:
    """Severity of a fault of the certificate: an error where the client's alert fits it, or where the client left."""
    match taken(handshake):
        case Taken.REFUSED:
            return Severity.ERROR if refusal_code(handshake) in alerts else Severity.WARNING
        case Taken.LEFT:
            return Severity.ERROR
        case Taken.ACCEPTED if handshake.resumption.offered:
            return Severity.INFO  # a client with a session took this server as it is before
        case _:
            return Severity.WARNING


def reaction_text(handshake: Handshake, *, fits: bool = True) -> str:
    """A sentence about how the client took it."""
    seen = refusal(handshake)
    match taken(handshake):
        case Taken.REFUSED if seen is not None:
            other = "" if fits else ", which speaks of another fault"
            return f"The client refused it with the alert {alert_text(seen)}{at_frame(seen.frame)}{other}."
        case Taken.LEFT if completed(handshake):
            return (
                "The client completed the handshake and closed without a request, as clients do that check the "
                "certificate only then (curl the name, Node and nginx everything); a probe that only connects looks "
                "the same."
            )
        case Taken.LEFT:
            return "The client closed after it without an alert; one that gave up for another reason looks the same."
        case Taken.ACCEPTED:
            return "The handshake completed, so this client does not mind; others would refuse it."
        case _:
            return "Nothing in the capture shows that this client minded; clients that verify refuse it."


def evidence(handshake: Handshake, *more: str) -> tuple[str, ...]:
    """The paths that a finding about the server's certificate stands on."""
    return ("server_certificates", *more, *(("client_alert",) if refusal(handshake) is not None else ()))


def server_chain(handshake: Handshake) -> tuple[Certificate, ...]:
    """The certificates that the server sent, leaf first; empty when they are not known or none passed."""
    if resumed(handshake):
        return ()
    chain = fields.certificates(handshake.server_certificates)
    return () if isinstance(chain, Missing) else chain


def server_leaf(handshake: Handshake) -> Certificate | None:
    """The server's own certificate, when it can be seen."""
    chain = server_chain(handshake)
    return chain[0] if chain else None


def certificate_hidden(handshake: Handshake) -> bool:
    """Whether the server sent a certificate that cannot be read."""
    return handshake.server_certificates is not Missing.NOT_SENT and not server_chain(handshake)


def fill(case: Case) -> tuple[tuple[str, str], ...]:
    """The host for the examples."""
    name = server_name(case.handshake)
    host = case.meant.host or (name if isinstance(name, str) else None)
    return (("host", host),) if host else ()


# -- the faults -----------------------------------------------------------------------------------------------------


def judged_at(case: Case) -> datetime | None:
    """The time at which certificates are judged; None where the clock of the capture was never set."""
    return case.at if case.meant.at is not None or case.at.year >= FIRST_TLS_YEAR else None


def date(time: datetime) -> str:
    """A time in a sentence."""
    return f"{time:%Y-%m-%d %H:%M:%SZ}"


def which(place: int, certificate: Certificate) -> str:
    """A certificate of the server's chain as the subject of a sentence."""
    return "The server certificate" if place == 0 else f"The certificate {quoted(certificate.subject)} above the leaf"


def outside_validity(case: Case, wanted: Callable[[Certificate, datetime], bool]) -> tuple[int, Certificate] | None:
    """The first certificate for which *wanted* holds: of the leaf always, of others when the client says expired.

    A certificate above the leaf may be there for old clients alone, as signatures across roots were.
    """
    at = judged_at(case)
    chain = server_chain(case.handshake)
    if at is None:
        return None
    spoken_of = chain if refusal_code(case.handshake) in (CERTIFICATE_EXPIRED, BAD_CERTIFICATE) else chain[:1]
    return next(((place, each) for place, each in enumerate(spoken_of) if wanted(each, at)), None)


def is_expired(certificate: Certificate, at: datetime) -> bool:
    """RFC 5280 section 4.1.2.5: notAfter is the last second of the validity."""
    return certificate.not_after is not None and at > certificate.not_after


def is_not_yet_valid(certificate: Certificate, at: datetime) -> bool:
    """RFC 5280 section 4.1.2.5."""
    return certificate.not_before is not None and at < certificate.not_before


def expired(case: Case) -> tuple[int, Certificate] | None:
    """The certificate of the server's chain that was past its validity, and its place."""
    return outside_validity(case, is_expired)


def not_yet_valid(case: Case) -> tuple[int, Certificate] | None:
    """The certificate of the server's chain that was before its validity, and its place."""
    return outside_validity(case, is_not_yet_valid)


def name_fault(case: Case) -> str | None:
    """A clause about the name that the leaf does not cover; None when it does, or no name is known."""
    handshake = case.handshake
    leaf = server_leaf(handshake)
    if leaf is None or matches_host(leaf, "any.invalid") is None:
        return None
    name = server_name(handshake)
    if isinstance(name, str) and name:
        if not covers(leaf, name):
            return f"is for {names_text(leaf)}, and the client asked for {quoted(name)}"
        if refusal_code(handshake) in UNSPECIFIC and not matches_host(leaf, name):
            return (
                f"has the name {quoted(name)} as its common name alone, without a subjectAltName, which Go and other "
                "clients no longer look at (RFC 9525 section 2)"
            )
        return None
    if name is not Missing.NOT_SENT or not (refusal_code(handshake) in UNSPECIFIC or asked_nothing(handshake)):
        return None
    address = handshake.server.address
    if case.meant.host and not is_address(case.meant.host):
        covered, wanted = covers(leaf, case.meant.host), quoted(case.meant.host)
    else:
        covered, wanted = covers(leaf, address), f"the address {address}"
    return None if covered else f"is for {names_text(leaf)}; the client sent no server name, and meant {wanted} perhaps"


def self_signed(case: Case) -> bool:
    """Whether the leaf is self-signed and none of the anchors given."""
    leaf = server_leaf(case.handshake)
    return leaf is not None and leaf.self_signed and leaf.der not in (case.meant.anchors or ())


LEAST_RSA_BITS = 2048
LEAST_EC_BITS = 224
WEAK_HASHES = frozenset(("md2", "md5", "sha1"))


def weaknesses(handshake: Handshake) -> tuple[str, ...]:
    """Clauses about weak keys and signatures of the server's chain.

    The signature of a self-signed certificate means nothing, so its hash does not count.
    """
    found = []
    for place, certificate in enumerate(server_chain(handshake)):
        subject = "the server certificate" if place == 0 else f"the certificate {quoted(certificate.subject)}"
        bits, kind = certificate.public_key_bits, certificate.public_key_type
        least = {"RSA": LEAST_RSA_BITS, "DSA": LEAST_RSA_BITS, "ECDSA": LEAST_EC_BITS}.get(kind)
        if bits is not None and least is not None and bits < least:
            found.append(f"the key of {subject} is {certificate.public_key}")
        if certificate.signature_hash in WEAK_HASHES and not certificate.self_issued:
            found.append(f"{subject} is signed with {certificate.signature_algorithm}")
    return tuple(found)


def stapled(handshake: Handshake) -> CertificateState | None:
    """What the response says that the server stapled to its leaf."""
    if resumed(handshake):
        return None
    return next((state for der in responses(handshake) if (state := decode_ocsp_response(der)) is not None), None)


def responses(handshake: Handshake) -> Iterator[bytes]:
    """The stapled responses: a message up to TLS 1.2, an extension of the leaf's entry from TLS 1.3 on."""
    for event in handshake.events:
        if event.side is Side.SERVER and isinstance(event.message, CertificateStatus):
            yield event.message.response
    message = handshake.server_certificates
    if isinstance(message, CertificateMessage) and message.entries:
        for extension in message.entries[0].extensions:
            if extension.type == ext.STATUS_REQUEST and isinstance(extension.body, bytes):
                yield extension.body


def explained(case: Case) -> bool:
    """Whether a fault of the certificate itself explains the client's alert, so that trust need not be doubted."""
    code = refusal_code(case.handshake)
    state = stapled(case.handshake)
    if state is not None and state.status == REVOKED and code != UNKNOWN_CA:
        return True
    if code == UNKNOWN_CA:
        return self_signed(case)
    if code == UNSUPPORTED_CERTIFICATE:
        return bool(weaknesses(case.handshake))
    faults = (expired(case), not_yet_valid(case), name_fault(case), self_signed(case), weaknesses(case.handshake))
    return any(faults)


# -- names of authorities -------------------------------------------------------------------------------------------

ROOT = re.compile(r"\broot\b", re.IGNORECASE)
INTERMEDIATE = re.compile(r"\b(intermediate|issuing|subordinate|sub[ -]?ca|signing|[ER]\d{1,2})\b", re.IGNORECASE)

COMMON_NAME = re.compile(r"(?:^|[,+])CN=(?P<value>(?:\\.|[^,+\\])*)")


def sounds_like_root(name: str) -> bool:
    """Whether an authority calls itself a root."""
    return ROOT.search(called(name)) is not None


def sounds_like_intermediate(name: str) -> bool:
    """Whether an authority calls itself what only authorities below a root are called."""
    return not sounds_like_root(name) and INTERMEDIATE.search(called(name)) is not None


def called(name: str) -> str:
    """The common name within a distinguished name; all of it where there is none.  RFC 4514 section 2."""
    found = COMMON_NAME.search(name)
    return found["value"] if found else name


# -- pairs ----------------------------------------------------------------------------------------------------------


def certificates_on_one_side(check: Check) -> ComparePair:
    """Compares a pair by what *check* says of each; what is no error is less than any difference.

    A warning about one side stays one only where the other side's certificate was seen, and is free of it; it is an
    error where that client left for it and the other one, with another certificate, went on.
    """

    def compare_pair(left: Case, right: Case) -> Finding | None:
        ours, theirs = check(left), check(right)
        if ours is None and theirs is None:
            return None
        if ours is not None and theirs is not None:
            return alike(ours, theirs, left, right)
        finding, case, other, side = (ours, left, right, "left") if ours is not None else (theirs, right, left, "right")
        assert finding is not None
        seen = bool(server_chain(other.handshake))
        said = told(finding, case, other)
        if finding.severity is Severity.WARNING and parted(case.handshake, other.handshake):
            return replace(finding, severity=Severity.ERROR, side=side, explanation=said)
        return replace(finding if seen else weakened(finding), side=side, explanation=said)

    return compare_pair


def parted(one: Handshake, other: Handshake) -> bool:
    """Whether one client left without a word at certificates of which the other, which went on, was shown others."""
    ours, theirs = ([each.der for each in server_chain(handshake)] for handshake in (one, other))
    return taken(one) is Taken.LEFT and taken(other) is Taken.ACCEPTED and bool(theirs) and ours != theirs


def alike(ours: Finding, theirs: Finding, left: Case, right: Case) -> Finding:
    """Both were shown such a certificate; one of them may have minded, and the other not."""
    weights = [each.severity or Severity.ERROR for each in (ours, theirs)]
    if weights[0] == weights[1]:
        said = f"Both alike. {label(left.handshake)}: {ours.explanation}"
        return replace(weakened(ours), side="both", explanation=said)
    mine = weights[0] > weights[1]
    worse, case, other = (ours, left, right) if mine else (theirs, right, left)
    said = f"{told(worse, case, other).removesuffix('.')}, with a certificate of the same fault."
    return replace(worse, side="left" if mine else "right", explanation=said)


def weakened(finding: Finding) -> Finding:
    """The same finding, a mere note where it is a warning."""
    return replace(finding, severity=Severity.INFO) if finding.severity is Severity.WARNING else finding
