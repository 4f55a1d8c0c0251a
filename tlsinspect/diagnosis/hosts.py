"""Which host a server chose for each of a pair of handshakes, as far as the octets show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tlsinspect.diagnosis.facts import (
    alert_text,
    at_frame,
    completed,
    ending_alert,
    failed,
    hello_of,
    hidden,
    label,
    leaf,
    resumed,
    server_name,
)
from tlsinspect.diagnosis.names import names_text
from tlsinspect.diagnosis.pairs import OUTCOME_TEXT, meaningful_paths, titles
from tlsinspect.diagnosis.rule import Case
from tlsinspect.fields import read
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import Certificate, CertificateRequest, EncryptedRecord, ServerHello
from tlsinspect.tls import extensions as ext


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that the server did otherwise for *one* than for *other*."""

    sentence: str
    counterfactual: str  # what the server would have done for *one*, after "the server would have "
    evidence: tuple[str, ...]


def effects(one: Handshake, other: Handshake) -> tuple[Effect, ...]:
    """What shows that the server chose another host, the most telling first; *one* is the side in question."""
    return (*requests(one, other), *certificates(one, other), *refusals(one, other), *flights(one, other))


def requests(one: Handshake, other: Handshake) -> Iterator[Effect]:
    """A client certificate was asked for on one side alone."""
    if resumed(one) or resumed(other) or isinstance(one.server_hello, Missing):
        return
    match one.certificate_request, other.certificate_request:
        case Missing.NOT_SENT, CertificateRequest():
            yield Effect(
                f"the server asked {label(other)} for a client certificate and {label(one)} for none",
                "chosen the host that asks for a client certificate",
                ("certificate_request",),
            )
        case CertificateRequest(), Missing.NOT_SENT if isinstance(other.server_hello, ServerHello):
            yield Effect(
                f"the server asked {label(one)} for a client certificate and {label(other)} for none",
                "chosen the host that asks for no client certificate",
                ("certificate_request",),
            )


def certificates(one: Handshake, other: Handshake) -> Iterator[Effect]:
    """The server showed certificates for other names."""
    ours, theirs = leaf(one.server_certificates), leaf(other.server_certificates)
    if isinstance(ours, Certificate) and isinstance(theirs, Certificate) and not same_host(ours, theirs):
        yield Effect(
            f"the server showed {label(one)} a certificate for {names_text(ours)} and {label(other)} one for "
            f"{names_text(theirs)}",
            f"chosen the host with the certificate for {names_text(theirs)}",
            ("server_certificates",),
        )


def same_host(ours: Certificate, theirs: Certificate) -> bool:
    """Whether two certificates are for the same names: renewed, or of another key type."""
    return ours.subject == theirs.subject and set(ours.subject_alt_names) == set(theirs.subject_alt_names)


# Alerts with which servers answer a hello for want of a host; the others are about something else in it.
ABOUT_HOSTS = frozenset((40, 42, 46, 49, 80, 112))


def refusals(one: Handshake, other: Handshake) -> Iterator[Effect]:
    """The server refused *one* at its hello, closed it or left it unanswered, and completed *other*."""
    ending = one.ending
    by_client = ending is not None and ending.side is Side.CLIENT
    if not failed(one) or not completed(other) or by_client or one.server_hello is not Missing.NOT_SENT:
        return
    seen = ending_alert(one, Side.SERVER)
    if seen is not None and seen.alert.description not in ABOUT_HOSTS:
        return
    how = (
        f"was refused with the alert {alert_text(seen)}{at_frame(seen.frame)}"
        if seen is not None
        else OUTCOME_TEXT[one.outcome]
    )
    yield Effect(
        f"{label(one)} {how}, and {label(other)} completed its handshake",
        "gone on with the handshake",
        ("outcome", *(("server_alert",) if seen is not None else ())),
    )


# -- TLS 1.3 without keys: the sizes of the records -----------------------------------------------------------------

NOTICEABLE_OCTETS = 32  # the flights of one host differ by less: length of an ECDSA signature, hash of the suite
SIZE_MATTERS = (ext.COMPRESS_CERTIFICATE, ext.STATUS_REQUEST, ext.SIGNED_CERTIFICATE_TIMESTAMP)


def flights(one: Handshake, other: Handshake) -> Iterator[Effect]:
    """The encrypted records of the server's flights have other sizes, which another host explains."""
    ours, theirs = flight(one), flight(other)
    offer, offered = hello_of(one), hello_of(other)
    if not ours or not theirs or offer is None or offered is None:
        return
    if any(offer.has(kind) != offered.has(kind) for kind in SIZE_MATTERS):
        return
    if len(ours) == len(theirs) and all(abs(a - b) <= NOTICEABLE_OCTETS for a, b in zip(ours, theirs, strict=True)):
        return
    yield Effect(
        f"the encrypted flights of the server have other sizes ({sizes(ours)} octets for {label(one)}, {sizes(theirs)} "
        f"for {label(other)}), as other certificates or a request for a client certificate would give",
        "sent the other flight",
        ("server_certificates", "certificate_request"),
    )


def flight(handshake: Handshake) -> tuple[int, ...]:
    """Octets of the encrypted records of the server's flight but the first, in which the ALPN stands.

    Empty where they cannot be seen or where a session was resumed.
    """
    if not hidden(handshake) or resumed(handshake):
        return ()
    found: list[int] = []
    begun = False
    for event in handshake.events:
        match event.side, event.message:
            case Side.SERVER, ServerHello(hello_retry_request=False):
                begun = True
            case Side.SERVER, EncryptedRecord(content_type=23, octets=octets) if begun:
                found.append(octets)
            case Side.CLIENT, EncryptedRecord() if begun:
                break
    return tuple(found[1:]) if len(found) > 2 else tuple(found)


def sizes(octets: tuple[int, ...]) -> str:
    """Sizes in a sentence."""
    return "+".join(str(each) for each in octets)


# -- what else could be to blame ------------------------------------------------------------------------------------

# What follows when another host is chosen, and what differs whenever the name does: it explains nothing by itself.
FOLLOWS_FROM_THE_HOST = frozenset(
    (
        "client_hello.server_name",
        "client_hello.ja3",
        "client_hello.ja4",
        "server_hello.version",
        "server_hello.cipher_suite",
        "server_hello.alpn",
        "server_hello.extensions",
        "server_hello.key_share_group",
        "server_hello.hello_retry_request",
        "hello_retry_request.group",
        "server_key_exchange.named_group",
        "server_key_exchange.signature_algorithm",
        "server_certificates",
        "certificate_request",
        "certificate_request.certificate_authorities",
        "certificate_request.signature_algorithms",
        "client_certificates",
        "client_alert",
        "server_alert",
        "outcome",
    )
)
# Extensions whose presence follows from fields that are compared by themselves, or from the length of the hello.
TOLD_ELSEWHERE = {
    "client_hello.server_name": "server_name",
    "client_hello.alpn": "application_layer_protocol_negotiation",
}
PADDING = "padding"


def confounders(left: Case, right: Case, *, besides: str = "client_hello.server_name") -> str:
    """What else than the field *besides* differs and could make a server choose otherwise; empty when nothing does."""
    paths = meaningful_paths(left, right) - FOLLOWS_FROM_THE_HOST - {besides}
    if besides != "client_hello.server_name" and server_name(left.handshake) != server_name(right.handshake):
        paths |= {"client_hello.server_name"}
    ours, theirs = (read(case.handshake, "client_hello.extensions") for case in (left, right))
    match ours, theirs:
        case tuple(), tuple() if set(ours) ^ set(theirs) <= {TOLD_ELSEWHERE[besides], PADDING}:
            paths -= {"client_hello.extensions"}
    found = titles(paths)
    if left.handshake.server != right.handshake.server:
        place = f"the server's address ({left.handshake.server}, {right.handshake.server})"
        found = f"{place}, {found}" if found else place
    return found


def would(one: Handshake, other: Handshake) -> str:
    """How far what a server did for *other* tells what it does for *one*: two servers may differ in anything."""
    return "would" if one.server == other.server else "might"


def likewise(found: str) -> str:
    """A sentence about what else differs; empty when there is nothing."""
    return f" Not ruled out, as they differ too: {found}." if found else ""
