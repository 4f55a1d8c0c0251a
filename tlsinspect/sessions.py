"""Which handshake resumed the session of which earlier one, within a capture and across several."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

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

Key = tuple[str, bytes]  # kind, and the octets that name the session


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a session that was offered came from."""

    handshake: Handshake  # the connection that issued the session, the latest link of a chain
    first: (
        Handshake  # the handshake at the beginning of the chain; when it is a full one its identities are the session's
    )
    certainty: str  # "shown" or "likely"
    reason: str  # a sentence: the same ticket octets, the same session ID, the same peers and sizes, ...


class Sessions:
    """The sessions that were issued, by what names them on the wire.

    Owns the handshakes that issued one, the latest *most* of them; the oldest is freed first.
    """

    def __init__(self, *, most: int = 100_000) -> None:
        self._most = most
        self._issued: OrderedDict[Key, Handshake] = OrderedDict()
        self._peers: OrderedDict[tuple[str, str, int, str], list[Handshake]] = OrderedDict()

    def add(self, handshake: Handshake) -> None:
        """Remembers the sessions that a handshake issued.  Add handshakes in the order of their start."""
        for key in issued(handshake):
            self._issued.setdefault(key, handshake)
            if len(self._issued) > self._most:
                self._issued.popitem(last=False)
        if may_issue_hidden(handshake):
            peers = self._peers.setdefault(peers_of(handshake), [])
            peers.append(handshake)
            del peers[:-64]  # the session that is resumed is nearly always one of the latest
            if len(self._peers) > self._most:
                self._peers.popitem(last=False)

    def origin(self, handshake: Handshake) -> Origin | None:
        """Where the session that *handshake* offered, whether it was taken up or not, came from.

        None when it offered none, or when the issuing connection is not in the captures.
        """
        if handshake.resumption.offered in ((), Missing.LOST):
            return None
        found = self._by_octets(handshake)
        if found is not None:
            issuer, reason = found
            return Origin(issuer, self._first(issuer), SHOWN, reason)
        if handshake.resumption.accepted == "psk":
            likely = self._by_peers(handshake)
            if likely is not None:
                issuer, reason = likely
                return Origin(issuer, self._first(issuer), LIKELY, reason)
        return None

    def _first(self, handshake: Handshake) -> Handshake:
        """The beginning of a chain of resumptions."""
        seen = {id(handshake)}
        while isinstance(handshake.resumption.accepted, str):
            found = self._by_octets(handshake) or self._by_peers(handshake)
            if found is None or id(found[0]) in seen:
                break
            handshake = found[0]
            seen.add(id(handshake))
        return handshake

    def _by_octets(self, handshake: Handshake) -> tuple[Handshake, str] | None:
        """By the octets that name the session: exact, as far as the octets are seen when it is issued."""
        for (kind, octets), reason in offered(handshake):
            issuer = self._issued.get((kind, octets))
            if issuer is not None and issuer is not handshake and issuer.started_ns <= handshake.started_ns:
                return issuer, reason
        return None

    def _by_peers(self, handshake: Handshake) -> tuple[Handshake, str] | None:
        """TLS 1.3 without keys: the latest connection of the same peers that can have issued the ticket."""
        length = len(offered_identity(handshake) or b"")
        candidates = [
            each
            for each in self._peers.get(peers_of(handshake), ())
            if each is not handshake
            and each.started_ns < handshake.started_ns
            and handshake.started_ns - each.started_ns < TICKET_LIFETIME_NS
            and fits_ticket(each, length)
        ]
        if not candidates:
            return None
        others = len(candidates) - 1
        reason = (
            f"The same client and server; it is the latest of their earlier connections in which the server sent a "
            f"record that can hold a ticket of {length} octets" + (f" ({others} more could be it)." if others else ".")
        )
        return candidates[-1], reason


def issued(handshake: Handshake) -> list[Key]:
    """The names of the sessions that a handshake issued."""
    keys: list[Key] = []
    hello = handshake.server_hello
    tickets = handshake.session_tickets
    if isinstance(tickets, tuple):
        keys += [("ticket", ticket.ticket) for ticket in tickets]
    if handshake.resumption.accepted is None and isinstance(hello, ServerHello) and not is_tls13(hello.version):
        keys.append(("session_id", hello.legacy_session_id_echo))
    return [(kind, octets) for kind, octets in keys if octets]


def offered(handshake: Handshake) -> list[tuple[Key, str]]:
    """The names of the sessions that a client offered, and how a match is put into words."""
    if not handshake.client_hellos:
        return []
    hello = handshake.client_hellos[0]
    found: list[tuple[Key, str]] = []
    psks = hello.body(PRE_SHARED_KEY)
    if isinstance(psks, OfferedPsks):
        reason = "The PSK identity has the octets of the ticket that was issued there."
        found += [(("ticket", each.identity), reason) for each in psks.identities]
    ticket = hello.body(SESSION_TICKET)
    if isinstance(ticket, bytes) and ticket:
        found.append((("ticket", ticket), "The session ticket has the octets of the one that was issued there."))
    if hello.legacy_session_id:
        found.append((("session_id", hello.legacy_session_id), "The session ID is the one that was issued there."))
    return found


def offered_identity(handshake: Handshake) -> bytes | None:
    """The first PSK identity that a client offered."""
    body = handshake.client_hellos[0].body(PRE_SHARED_KEY) if handshake.client_hellos else None
    return body.identities[0].identity if isinstance(body, OfferedPsks) and body.identities else None


def peers_of(handshake: Handshake) -> tuple[str, str, int, str]:
    """Client address, server address and port, and the protocol: no ticket of TLS is offered in QUIC."""
    return handshake.client.address, handshake.server.address, handshake.server.port, handshake.protocol


def may_issue_hidden(handshake: Handshake) -> bool:
    """Whether a handshake may have issued tickets that cannot be read."""
    return handshake.visibility is Visibility.HIDDEN and handshake.outcome is Outcome.COMPLETED


def fits_ticket(handshake: Handshake, length: int) -> bool:
    """Whether the server sent an encrypted record, after the client's, that can hold a ticket of that length.

    Servers may put several tickets into one record, so a longer one fits as well.
    """
    behind = False
    for event in handshake.events:
        match event.message:
            case EncryptedRecord(content_type=23, octets=octets) | ProtectedPacket(kind="1-RTT", octets=octets):
                if event.side is Side.CLIENT:
                    behind = True
                elif behind and octets >= length + LEAST_AROUND_TICKET:
                    return True
    return False
