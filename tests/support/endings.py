"""Handshakes that ended otherwise than by an alert, for tests of causes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.support.handshakes import MILLISECOND, STARTED_NS, handshake, tls13
from tlsinspect.diagnosis.rule import Case, Meant
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Ending, EndingKind, Event, Handshake, Mark, Outcome, Transport
from tlsinspect.model.message import EncryptedRecord, Message, PlainOctets

SECOND = 1000 * MILLISECOND
SYN = Mark(Side.CLIENT, 1, STARTED_NS, 64)
SYN_ACK = Mark(Side.SERVER, 2, STARTED_NS, 57)
OUTCOMES = {
    EndingKind.FIN: Outcome.CLOSED,
    EndingKind.RST: Outcome.RESET,
    EndingKind.SILENCE: Outcome.STALLED,
    EndingKind.CAPTURE_END: Outcome.CUT,
}


def case(value: Handshake, *, host: str | None = None) -> Case:
    """A handshake as a cause gets it."""
    return Case(handshake=value, meant=Meant(host=host))


def transport(**overrides: Any) -> Transport:
    """A connection that stands, with a hello of 200 octets that was acknowledged."""
    found: dict[str, Any] = {
        "syn": SYN,
        "syn_ack": SYN_ACK,
        "syn_count": 1,
        "client_octets": 200,
        "client_acknowledged": 200,
        "client_segments": (200,),
        "client_ttl": 64,
        "server_ttl": 57,
        "last_ns": STARTED_NS + SECOND,
    }
    return Transport(**(found | overrides))


def ended(
    kind: EndingKind,
    side: Side | None,
    *,
    after_ns: int = 8 * MILLISECOND,
    ttl: int = 57,
    tcp: dict[str, Any] | None = None,
    **overrides: Any,
) -> Handshake:
    """A handshake that ended in this way after its ClientHello."""
    time_ns = STARTED_NS + after_ns
    marks: dict[str, Any] = {}
    if side is not None and kind in (EndingKind.FIN, EndingKind.RST):
        marks = {"fins" if kind is EndingKind.FIN else "resets": (Mark(side, 6, time_ns, ttl),)}
    found: dict[str, Any] = {
        "outcome": OUTCOMES[kind],
        "ending": Ending(kind, side, time_ns, frame=6 if side else None),
        "ended_ns": time_ns,
        "server_hello": Missing.NOT_SENT,
        "server_certificates": Missing.NOT_SENT,
        "history": "C",
        "tcp": transport(**(marks | (tcp or {}))),
    }
    return handshake(**(found | overrides))


def connection(*, outcome: Outcome = Outcome.STALLED, ending: Ending | None = None, **tcp: Any) -> Handshake:
    """A TCP connection on which no hello was sent."""
    found: dict[str, Any] = {"syn_ack": None, "client_octets": 0, "client_acknowledged": 0, "client_segments": ()}
    return handshake(
        outcome=outcome,
        ending=ending,
        client_hellos=(),
        server_hello=Missing.NOT_SENT,
        server_certificates=Missing.NOT_SENT,
        history="",
        events=(),
        tcp=transport(**(found | tcp)),
    )


def with_messages(value: Handshake, *messages: tuple[Side, Message]) -> Handshake:
    """The same handshake with more messages behind the others, a frame and a millisecond each."""
    frame = max((event.frames[-1] for event in value.events), default=3)
    last_ns = max((event.time_ns for event in value.events), default=STARTED_NS)
    more = tuple(
        Event(side=side, time_ns=last_ns + place * MILLISECOND, frames=(frame + place,), message=message)
        for place, (side, message) in enumerate(messages, 1)
    )
    return replace(value, events=value.events + more)


def plain(side: Side, text: bytes) -> tuple[Side, PlainOctets]:
    """Octets that are no TLS."""
    return side, PlainOctets(text)


def hidden(server: Sequence[int], client: Sequence[int], *, late: Sequence[int] = (), **overrides: Any) -> Handshake:
    """A TLS 1.3 handshake without keys, by the sizes of its records: both flights, and what the server says then."""
    value = tls13(**overrides)
    hellos = replace(value, events=value.events[:2])
    records = (
        *((Side.SERVER, EncryptedRecord(23, octets)) for octets in server),
        *((Side.CLIENT, EncryptedRecord(23, octets)) for octets in client),
        *((Side.SERVER, EncryptedRecord(23, octets)) for octets in late),
    )
    return with_messages(hellos, *records)
