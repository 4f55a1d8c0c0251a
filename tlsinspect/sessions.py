"""Which handshake resumed the session of which earlier one, within a capture and across several."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Generic, NamedTuple, TypeVar

from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Handshake, Outcome, Visibility
from tlsinspect.model.message import EncryptedRecord, OfferedPsks, ProtectedPacket, ServerHello
from tlsinspect.tls.extensions import PRE_SHARED_KEY, SESSION_TICKET
from tlsinspect.tls.versions import is_tls13

SHOWN, LIKELY = "shown", "likely"
# A NewSessionTicket of TLS 1.3 around its ticket: handshake header 4, lifetime 4, age_add 4, nonce 1 or more, length 2,
# extensions 2 or more, content type 1, tag 8 or 16 octets (RFC 8446 sections 4.6.1 and 5.2).
LEAST_AROUND_TICKET = 26
TICKET_LIFETIME_NS = 7 * 24 * 3600 * 1_000_000_000  # RFC 8446 section 4.6.1: seven days at the most
MOST_LIKELY = 64  # of one client and server; the session that is resumed is nearly always one of the latest
MOST_SESSIONS = 20_000  # the latest, with some 500 octets for each
LONGEST_NAME = 32  # octets of a session ID; a ticket has hundreds

Name = bytes  # of a session on the wire: its kind, and its octets or their digest
Peers = tuple[str, str, int, str]
S = TypeVar("S")


class Trace(NamedTuple, Generic[S]):
    """What of a handshake tells where sessions come from, without the handshake itself."""

    subject: S  # what stands for the handshake: itself, or its name
    started_ns: int
    peers: Peers | None  # whose hidden tickets it issued or took up; None: it has to do with none
    issued: tuple[Name, ...]
    offered: tuple[tuple[Name, str], ...]  # and how a match is put into words
    taken_up: bool  # the session that it offered
    by_psk: bool  # and that by a PSK
    ticket_octets: int  # of the first PSK identity that the client offered
    room_octets: int  # for a ticket, in the largest hidden record that may carry one; 0: nothing hidden was issued


class Source(NamedTuple, Generic[S]):
    """Where a session that was offered came from."""

    handshake: S  # the connection that issued the session, the latest link of a chain
    first: S  # the handshake at the beginning of the chain; when it is a full one its identities are the session's
    certainty: str  # "shown" or "likely"
    reason: str  # a sentence: the same ticket octets, the same session ID, the same peers and sizes, ...


Origin = Source[Handshake]


class HandshakeName(NamedTuple):
    """Which handshake, as it is named on the command line."""

    capture: str
    stream: int
    part: int


class Lineage(Generic[S]):
    """The sessions that were issued, by what names them on the wire.

    Owns the traces of handshakes that issued one: between half of *most* and *most* of the latest.  They are kept in
    two generations; when the younger has half of *most*, the older is freed and the younger takes its place.
    """

    def __init__(self, *, most: int = MOST_SESSIONS) -> None:
        self._half = max(most // 2, 1)
        self._issued: tuple[dict[Name, Trace[S]], dict[Name, Trace[S]]] = ({}, {})  # the older, the younger
        self._peers: tuple[dict[Peers, list[Trace[S]]], dict[Peers, list[Trace[S]]]] = ({}, {})
        self._hidden = 0  # of the younger generation
        self._firsts: dict[int, tuple[Trace[S], S]] = {}  # by identity; with the trace, so that it stays that one's

    def add(self, trace: Trace[S]) -> None:
        """Remembers the sessions that a handshake issued.  Add traces in the order of their start."""
        for name in trace.issued:
            older, younger = self._issued
            if name not in older:
                younger.setdefault(name, trace)
                if len(younger) >= self._half:
                    self._issued = (younger, {})
        if trace.room_octets and trace.peers is not None:
            traces = self._peers[1].setdefault(trace.peers, [])
            traces.append(trace)
            del traces[:-MOST_LIKELY]
            self._hidden += 1
            if self._hidden >= self._half:
                self._peers = (self._peers[1], {})
                self._hidden = 0

    def source(self, trace: Trace[S]) -> Source[S] | None:
        """Where the session that a handshake offered, whether it was taken up or not, came from.

        None when it offered none, or when the issuing connection is not known.
        """
        found = self._by_octets(trace)
        if found is not None:
            return Source(found[0].subject, self._first(found[0]), SHOWN, found[1])
        if trace.by_psk:
            found = self._by_peers(trace)
            if found is not None:
                return Source(found[0].subject, self._first(found[0]), LIKELY, found[1])
        return None

    def _first(self, trace: Trace[S]) -> S:
        """The beginning of a chain of resumptions."""
        passed = {id(trace.subject): trace}
        first = trace.subject
        while trace.taken_up:
            known = self._firsts.get(id(trace))
            if known is not None:
                first = known[1]
                break
            found = self._by_octets(trace) or self._by_peers(trace)
            if found is None or id(found[0].subject) in passed:
                break
            trace, first = found[0], found[0].subject
            passed[id(first)] = trace
        if len(self._firsts) > self._half:
            self._firsts.clear()
        for each in passed.values():  # or a client that takes up each session's ticket makes its chain be walked anew
            self._firsts[id(each)] = (each, first)
        return first

    def _by_octets(self, trace: Trace[S]) -> tuple[Trace[S], str] | None:
        """By the octets that name the session: exact, as far as the octets are seen when it is issued."""
        for name, reason in trace.offered:
            issuer = self._issued[0].get(name) or self._issued[1].get(name)
            if issuer is not None and issuer.subject is not trace.subject and issuer.started_ns <= trace.started_ns:
                return issuer, reason
        return None

    def _by_peers(self, trace: Trace[S]) -> tuple[Trace[S], str] | None:
        """TLS 1.3 without keys: the latest connection of the same peers that can have issued the ticket."""
        if trace.peers is None or not trace.by_psk:
            return None
        octets = trace.ticket_octets
        latest = [each for traces in self._peers for each in traces.get(trace.peers, ())][-MOST_LIKELY:]
        candidates = [
            each
            for each in latest
            if each.subject is not trace.subject
            and 0 < trace.started_ns - each.started_ns < TICKET_LIFETIME_NS
            and each.room_octets >= octets
        ]
        if not candidates:
            return None
        others = len(candidates) - 1
        reason = (
            f"The same client and server; it is the latest of their earlier connections in which the server sent a "
            f"record that can hold a ticket of {octets} octets" + (f" ({others} more could be it)." if others else ".")
        )
        return candidates[-1], reason


class Sessions:
    """The sessions that handshakes issued, for those who look at the handshakes again.

    Owns the handshakes that issued one: the latest *most* of them at the most.
    """

    def __init__(self, *, most: int = MOST_SESSIONS) -> None:
        self._lineage: Lineage[Handshake] = Lineage(most=most)

    def add(self, handshake: Handshake) -> None:
        """Remembers the sessions that a handshake issued.  Add handshakes in the order of their start."""
        self._lineage.add(trace_of(handshake, handshake))

    def origin(self, handshake: Handshake) -> Origin | None:
        """Where the session that *handshake* offered, whether it was taken up or not, came from.

        None when it offered none, or when the issuing connection is not in the captures.
        """
        return self._lineage.source(trace_of(handshake, handshake))


def trace_of(handshake: Handshake, subject: S) -> Trace[S]:
    """The trace of a handshake, for which *subject* stands."""
    resumption = handshake.resumption
    offers = resumption.offered not in ((), Missing.LOST)
    room = room_for_ticket(handshake) if may_issue_hidden(handshake) else 0
    by_psk = offers and resumption.accepted == "psk"
    return Trace(
        subject,
        handshake.started_ns,
        peers_of(handshake) if room or by_psk else None,
        tuple(issued(handshake)),
        tuple(offered(handshake)) if offers else (),
        isinstance(resumption.accepted, str),
        by_psk,
        len(offered_identity(handshake) or b"") if by_psk else 0,
        room,
    )


def name_of(kind: bytes, octets: bytes) -> Name:
    """The name of a session, short also where its octets are many."""
    return kind + (octets if len(octets) <= LONGEST_NAME else blake2b(octets, digest_size=LONGEST_NAME).digest())


TICKET, SESSION_ID = b"t", b"s"


def issued(handshake: Handshake) -> Iterator[Name]:
    """The names of the sessions that a handshake issued."""
    hello = handshake.server_hello
    tickets = handshake.session_tickets
    if isinstance(tickets, tuple):
        yield from (name_of(TICKET, each.ticket) for each in tickets if each.ticket)
    if handshake.resumption.accepted is not None or not isinstance(hello, ServerHello):
        return
    if hello.legacy_session_id_echo and not is_tls13(hello.version):
        yield name_of(SESSION_ID, hello.legacy_session_id_echo)


def offered(handshake: Handshake) -> Iterator[tuple[Name, str]]:
    """The names of the sessions that a client offered, and how a match is put into words."""
    if not handshake.client_hellos:
        return
    hello = handshake.client_hellos[0]
    psks = hello.body(PRE_SHARED_KEY)
    if isinstance(psks, OfferedPsks):
        reason = "The PSK identity has the octets of the ticket that was issued there."
        yield from ((name_of(TICKET, each.identity), reason) for each in psks.identities)
    ticket = hello.body(SESSION_TICKET)
    if isinstance(ticket, bytes) and ticket:
        yield name_of(TICKET, ticket), "The session ticket has the octets of the one that was issued there."
    if hello.legacy_session_id:
        yield name_of(SESSION_ID, hello.legacy_session_id), "The session ID is the one that was issued there."


def offered_identity(handshake: Handshake) -> bytes | None:
    """The first PSK identity that a client offered."""
    body = handshake.client_hellos[0].body(PRE_SHARED_KEY) if handshake.client_hellos else None
    return body.identities[0].identity if isinstance(body, OfferedPsks) and body.identities else None


def peers_of(handshake: Handshake) -> Peers:
    """Client address, server address and port, and the protocol: no ticket of TLS is offered in QUIC."""
    return handshake.client.address, handshake.server.address, handshake.server.port, handshake.protocol


def may_issue_hidden(handshake: Handshake) -> bool:
    """Whether a handshake may have issued tickets that cannot be read."""
    return handshake.visibility is Visibility.HIDDEN and handshake.outcome is Outcome.COMPLETED


def room_for_ticket(handshake: Handshake) -> int:
    """Octets of a ticket that the largest record holds which the server sent encrypted, after the client's.

    Servers may put several tickets into one record, so a shorter one fits as well.
    """
    behind, most = False, 0
    for event in handshake.events:
        match event.message:
            case EncryptedRecord(content_type=23, octets=octets) | ProtectedPacket(kind="1-RTT", octets=octets):
                if event.side is Side.CLIENT:
                    behind = True
                elif behind:
                    most = max(most, octets)
    return max(most - LEAST_AROUND_TICKET, 0)
