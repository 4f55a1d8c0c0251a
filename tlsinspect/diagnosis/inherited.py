"""What a resumed handshake inherits: the names and the identity of the handshake that made the session."""

from __future__ import annotations

from tlsinspect.diagnosis.client_auth import requested
from tlsinspect.diagnosis.facts import client_identity, label, leaf, quoted, resumed, server_name
from tlsinspect.diagnosis.hidden import ClientFlight, client_flight
from tlsinspect.diagnosis.hidden_server import ticket_text
from tlsinspect.diagnosis.names import same_name
from tlsinspect.diagnosis.rule import Case, Certainty
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import Certificate
from tlsinspect.sessions import Origin

NOBODY = "none"  # --identity none: no client certificate was meant


def seen_identity(case: Case) -> str | Missing | None:
    """The subject under which the server knows the client of this handshake; None for no certificate.

    A resumed session keeps the identity of its first handshake: no certificate passes again (RFC 8446 section 2.2).
    """
    if not resumed(case.handshake):
        return client_identity(case.handshake)
    first = origin_first(case)
    return client_identity(first) if first is not None else Missing.LOST


def seen_certificate(case: Case) -> Certificate | Missing | None:
    """The leaf certificate behind that identity; None for no certificate."""
    handshake = origin_first(case) if resumed(case.handshake) else case.handshake
    if handshake is None:
        return Missing.LOST
    if handshake.client_certificates is Missing.NOT_SENT:
        return None
    return leaf(handshake.client_certificates)


def sent_certificate(case: Case) -> bool | None:
    """Whether the client behind the identity of this handshake sent a certificate; None where nothing tells.

    Of an encrypted handshake the sizes of its records tell.
    """
    certificate = seen_certificate(case)
    if not isinstance(certificate, Missing):
        return certificate is not None
    handshake = origin_first(case) if resumed(case.handshake) else case.handshake
    flight = client_flight(handshake) if handshake is not None else None
    return flight.kind is ClientFlight.CERTIFICATE if flight is not None else None


def origin_first(case: Case) -> Handshake | None:
    """The full handshake that made the session; None when it is not in the captures."""
    origin = case.origin
    return None if origin is None or resumed(origin.first) else origin.first


def names_identity(certificate: Certificate | None, identity: str) -> bool:
    """Whether an identity as the user wrote it is that of a certificate: its subject, common or alternative name."""
    wanted = identity.strip().casefold()
    if certificate is None or wanted == NOBODY:
        return certificate is None and wanted == NOBODY
    known = (certificate.subject, certificate.subject_common_name or "", *certificate.subject_alt_names)
    plain = (name.partition(":")[2] for name in certificate.subject_alt_names)  # "DNS:a.example" has a kind in front
    return any(wanted == each.casefold() for each in (*known, *certificate.dns_names, *plain) if each)


def name_differs(case: Case) -> bool:
    """Whether the hello asks for another server name than the one for which the session was made, or one has none."""
    first = origin_first(case)
    if first is None:
        return False
    now, then = server_name(case.handshake), server_name(first)
    if isinstance(now, str) and isinstance(then, str):
        return not same_name(now, then)
    known = all(each is Missing.NOT_SENT or isinstance(each, str) for each in (now, then))
    return known and now is not then


def certainty_of(origin: Origin) -> Certainty:
    """How sure it is where the session comes from."""
    return Certainty.SHOWN if origin.certainty == "shown" else Certainty.LIKELY


def place(case: Case, other: Handshake) -> str:
    """How to name another handshake beside that of the case: by its stream where both are of one capture."""
    if other.capture != case.handshake.capture or other.transport != case.handshake.transport:
        return label(other)
    return f"stream {other.stream}" + (f".{other.part}" if other.parts > 1 else "")


def origin_text(case: Case) -> str:
    """A clause about where the session comes from, such as "the session made in nginx.pcap#0"."""
    first = origin_first(case)
    origin = case.origin
    if origin is None:
        return "a session made before the capture, or outside of it"
    if first is None:
        return (
            f"a session that {place(case, origin.handshake)} had itself resumed, whose first handshake is not captured"
        )
    through = "" if origin.handshake == first else f" and renewed in {place(case, origin.handshake)}"
    doubt = "" if certainty_of(origin) is Certainty.SHOWN else f", as is likely ({known_by(origin)})"
    return f"the session made in {place(case, first)}{through}{doubt}"


def known_by(origin: Origin) -> str:
    """The reason why a session is taken to come from there, as a part of a sentence."""
    return origin.reason[:1].lower() + origin.reason[1:].rstrip(".")


def inherited_text(case: Case) -> str:
    """A sentence about the identity that the server sees in a resumed handshake."""
    first = origin_first(case)
    if first is None:
        unknown = "The server sees the identity of that session's first handshake, which the capture does not show."
        return unknown + ticket_text(case.handshake)
    identity = client_identity(first)
    match identity:
        case None:
            how = "was asked for a certificate and sent none" if requested(first) else "was asked for no certificate"
            return f"The server sees no client certificate: the client of {place(case, first)} {how}."
        case Missing():
            return hidden_text(case, first)
        case subject:
            return f"The identity that the server sees is that of {place(case, first)}: {quoted(subject)}."


def hidden_text(case: Case, first: Handshake) -> str:
    """The same where the first handshake is encrypted, as far as the sizes of its records tell."""
    flight = client_flight(first)
    if flight is None:
        unknown = f"The server sees the identity of {place(case, first)}, which cannot be read there."
        return unknown + ticket_text(case.handshake)
    if flight.kind is ClientFlight.CERTIFICATE:
        what = "a certificate, whose subject cannot be read without keys"
    else:
        what = "no client certificate"
    return f"The server sees the identity of {place(case, first)}: by its record sizes ({flight.text}) likely {what}."


def authenticated(case: Case) -> bool:
    """Whether the client of the session's first handshake was asked who it is, as far as that shows."""
    first = origin_first(case)
    if first is None:
        return False
    flight = client_flight(first)
    return requested(first) or (flight is not None and flight.kind is not ClientFlight.FINISHED_ALONE)
