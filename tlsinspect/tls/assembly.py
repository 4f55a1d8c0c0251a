"""From the events of one handshake to what is known about it: a pure fold, without state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import NamedTuple, TypeVar

from tlsinspect.model.frame import Defect, Missing, Side
from tlsinspect.model.handshake import AlertSeen, Event, Resumption, Visibility
from tlsinspect.model.message import (
    Alert,
    ApplicationData,
    CertificateMessage,
    CertificateRequest,
    ChangeCipherSpec,
    ClientHello,
    EncryptedExtensions,
    EncryptedRecord,
    Extension,
    Gap,
    NewSessionTicket,
    OfferedPsks,
    PlainMessage,
    ServerHello,
    ServerKeyExchange,
    UndecodedMessage,
)
from tlsinspect.tls import messages
from tlsinspect.tls.extensions import PRE_SHARED_KEY, SESSION_TICKET, SUPPORTED_VERSIONS
from tlsinspect.tls.history import history
from tlsinspect.tls.keylog import CLIENT_HANDSHAKE, SERVER_HANDSHAKE, SERVER_TRAFFIC
from tlsinspect.tls.outline import Outline, outline_of
from tlsinspect.tls.survey import ENCRYPTED, Survey, gaps, is_plain
from tlsinspect.tls.versions import is_tls13

T = TypeVar("T")


class Assembled(NamedTuple):
    """What the events of one handshake say.  The fields are those of model.Handshake."""

    history: str
    visibility: Visibility
    client_hellos: tuple[ClientHello, ...]
    no_client_hello: Missing
    hello_retry_request: ServerHello | Missing
    server_hello: ServerHello | Missing
    encrypted_extensions: EncryptedExtensions | Missing
    server_key_exchange: ServerKeyExchange | Missing
    certificate_request: CertificateRequest | Missing
    server_certificates: CertificateMessage | Missing
    client_certificates: CertificateMessage | Missing
    session_tickets: tuple[NewSessionTicket, ...] | Missing
    resumption: Resumption
    alerts: tuple[AlertSeen, ...]
    defects: tuple[Defect, ...]


MOST_KEPT = 2048  # outlines of handshakes
_known: dict[tuple[Outline, bool, frozenset[str]], Assembled] = {}


def assemble(survey: Survey, *, ended: bool, keys: frozenset[str] = frozenset()) -> Assembled:
    """Folds the events of one handshake.

    *keys*: the labels of the secrets that there are for its records.  *ended*: the capture shows that nothing can
    come any more (a fatal alert, FIN, RST or silence, and nothing missing).  Only then does the absence of a message
    mean that it was not sent.  What does not depend on values is kept, by the outline of the handshake.
    """
    outline = outline_of(survey)
    if outline is None:
        return fold(survey, ended=ended, keys=keys)
    known = _known.get((outline, ended, keys))
    if known is not None:
        return with_values(known, survey)
    if len(_known) >= MOST_KEPT:
        _known.clear()
    _known[outline, ended, keys] = known = fold(survey, ended=ended, keys=keys)
    return known


def with_values(known: Assembled, survey: Survey) -> Assembled:
    """What is known of a handshake that has the same outline as another one: the same, with messages of its own."""
    server, client = Side.SERVER, Side.CLIENT
    return Assembled(
        history=known.history,
        visibility=known.visibility,
        client_hellos=tuple(survey.messages(ClientHello, client)),
        no_client_hello=known.no_client_hello,
        hello_retry_request=known.hello_retry_request,
        server_hello=own(known.server_hello, survey, ServerHello, server),
        encrypted_extensions=known.encrypted_extensions,  # none was opened
        server_key_exchange=own(known.server_key_exchange, survey, ServerKeyExchange, server),
        certificate_request=own(known.certificate_request, survey, CertificateRequest, server),
        server_certificates=own(known.server_certificates, survey, CertificateMessage, server),
        client_certificates=own(known.client_certificates, survey, CertificateMessage, client),
        session_tickets=tuple(survey.messages(NewSessionTicket, server)) or known.session_tickets,
        resumption=known.resumption,
        alerts=known.alerts,  # none was read
        defects=defects(survey.events),
    )


def own(known: T | Missing, survey: Survey, kind: type[T], side: Side) -> T | Missing:
    """The first message of a kind, where the other handshake had one."""
    return known if isinstance(known, Missing) else survey.messages(kind, side)[0]


def fold(survey: Survey, *, ended: bool, keys: frozenset[str]) -> Assembled:
    """The same for any handshake."""
    hellos = tuple(survey.messages(ClientHello, Side.CLIENT))
    servers = survey.messages(ServerHello, Side.SERVER)
    final = [hello for hello in servers if not hello.hello_retry_request]
    retries = [hello for hello in servers if hello.hello_retry_request]
    lost = Missing.NOT_SENT if ended and not survey.gaps(Side.SERVER) else Missing.LOST
    server_hello = final[0] if final else reason(survey, messages.SERVER_HELLO, Side.SERVER, lost)
    told = Missing.LOST if isinstance(server_hello, ServerHello) and not server_hello.version else server_hello
    resumption = Resumption(offered=offered(hellos, told), accepted=accepted(survey.events, hellos, told))
    view = Flight(survey, told, resumption.accepted, lost, keys=keys)
    return Assembled(
        history=history(survey.events),
        visibility=view.visibility,
        client_hellos=hellos,
        no_client_hello=no_client_hello(survey, ended=ended),
        hello_retry_request=retries[0] if retries else no_retry(survey) if final else lost,
        server_hello=server_hello,
        encrypted_extensions=view.tls13_only(EncryptedExtensions, messages.ENCRYPTED_EXTENSIONS),
        server_key_exchange=view.server_message(ServerKeyExchange, messages.SERVER_KEY_EXCHANGE),
        certificate_request=view.server_message(CertificateRequest, messages.CERTIFICATE_REQUEST),
        server_certificates=view.server_message(CertificateMessage, messages.CERTIFICATE),
        client_certificates=view.client_certificates(ended=ended),
        session_tickets=view.session_tickets(),
        resumption=resumption,
        alerts=alerts(survey),
        defects=defects(survey.events),
    )


def no_retry(survey: Survey) -> Missing:
    """Why there is no HelloRetryRequest before a ServerHello."""
    if not survey.has(Gap):
        return Missing.NOT_SENT
    before = takewhile(lambda event: not isinstance(event.message, ServerHello), survey.events)
    return Missing.LOST if gaps(tuple(before), Side.SERVER) else Missing.NOT_SENT


def reason(survey: Survey, message_type: int, side: Side, otherwise: Missing) -> Missing:
    """Why a message is not among the events: it may be there, and defective."""
    message = survey.undecoded(message_type, side)
    if message is None:
        return otherwise
    return Missing.LOST if is_cut(message) else Missing.MALFORMED


def is_cut(message: UndecodedMessage) -> bool:
    """Whether a message could not be decoded because part of it is not in the capture."""
    return "are in the capture" in message.defect.problem


def no_client_hello(survey: Survey, *, ended: bool) -> Missing:
    """Why there is no ClientHello: any message of TLS proves that there was one."""
    lost = not ended or survey.gaps(Side.CLIENT) or server_spoke(survey.events)
    return reason(survey, messages.CLIENT_HELLO, Side.CLIENT, Missing.LOST if lost else Missing.NOT_SENT)


def server_spoke(events: Sequence[Event]) -> bool:
    """Whether anything of the server is in the capture."""
    return any(event.side is Side.SERVER and not isinstance(event.message, Gap) for event in events)


class Flight:
    """What the server's and the client's messages after the ServerHello are, or why they are not known.

    Owns nothing; a view of the events.
    """

    def __init__(
        self,
        survey: Survey,
        server_hello: ServerHello | Missing,
        resumed: str | Missing | None,
        lost: Missing,
        *,
        keys: frozenset[str],
    ) -> None:
        self.survey = survey
        self.keys = keys
        self.lost = lost
        self.server_hello = server_hello
        self.resumed = isinstance(resumed, str)
        self.tls13 = isinstance(server_hello, ServerHello) and is_tls13(server_hello.version)
        self.visibility = self._visibility()
        self._why_absent = self._absent()  # asked for up to four messages

    def _visibility(self) -> Visibility:
        if self.survey.encrypted:
            return Visibility.DECRYPTED
        return Visibility.HIDDEN if self.tls13 else Visibility.CLEAR

    def server_message(self, kind: type[T], message_type: int) -> T | Missing:
        """A message of the server between its ServerHello and the end of its flight."""
        for message in self.survey.messages(kind, Side.SERVER):
            return message
        return reason(self.survey, message_type, Side.SERVER, self._why_absent)

    def tls13_only(self, kind: type[T], message_type: int) -> T | Missing:
        """The same for a message that only TLS 1.3 has."""
        if isinstance(self.server_hello, ServerHello) and not self.tls13:
            return Missing.NOT_SENT
        for message in self.survey.messages(kind, Side.SERVER):
            return message
        return reason(self.survey, message_type, Side.SERVER, self._absent_from_flight())

    def _absent(self) -> Missing:
        if self.resumed:
            return Missing.NOT_SENT  # RFC 8446 section 4.2.11, RFC 5246 section 7.3: no certificates pass
        return self._absent_from_flight()

    def _absent_from_flight(self) -> Missing:
        """Why a message is not there that the flight of a resumed session has, too."""
        if isinstance(self.server_hello, Missing):
            # Without the ServerHello it cannot be told whether the flight behind it would have been in clear.
            return Missing.NOT_SENT if self.server_hello is Missing.NOT_SENT else Missing.LOST
        if self.tls13 and not self._server_finished():
            return self.lost if SERVER_HANDSHAKE in self.keys else Missing.HIDDEN
        if self.tls13 and encrypted_records(self._flight(Side.SERVER), Side.SERVER):
            return Missing.LOST  # a record of the flight is cut
        if self._server_done() and not self.survey.gaps(Side.SERVER):
            return Missing.NOT_SENT
        return self.lost

    def _flight(self, side: Side) -> list[Event]:
        """The events up to the Finished of one side."""
        events = self.survey.events
        for at, event in enumerate(events):
            if is_plain(event, messages.FINISHED, side):
                return list(events[:at])
        return list(events)

    def _server_finished(self) -> bool:
        return self.survey.plain(messages.FINISHED, Side.SERVER)

    def _server_done(self) -> bool:
        """Whether the server's flight is over, so that what was not in it was not sent."""
        if self.tls13:
            return self._server_finished()
        if self.survey.plain(messages.SERVER_HELLO_DONE, Side.SERVER) or self.survey.has(ChangeCipherSpec):
            return True
        return any(self.survey.plain(messages.CLIENT_KEY_EXCHANGE, side) for side in Side)

    def client_certificates(self, *, ended: bool) -> CertificateMessage | Missing:
        """The client's Certificate, empty when it was asked and has none."""
        sent = self.survey.messages(CertificateMessage, Side.CLIENT)
        if sent:
            return sent[0]
        absent = Missing.NOT_SENT if ended and not self.survey.gaps(Side.CLIENT) else Missing.LOST
        if isinstance(self.server_hello, Missing):
            absent = self.server_hello  # without it, it cannot be told whether a Certificate would have been in clear
        elif self.resumed:
            absent = Missing.NOT_SENT
        elif self.tls13:
            if not self.survey.plain(messages.FINISHED, Side.CLIENT):
                hidden = self.survey.hides(Side.CLIENT) or not self._server_finished()
                absent = Missing.HIDDEN if hidden and CLIENT_HANDSHAKE not in self.keys else absent
            elif gaps(self._flight(Side.CLIENT), Side.CLIENT) or self._cut_flight():
                absent = Missing.LOST
            else:
                absent = Missing.NOT_SENT
        elif self._client_done() and not self.survey.gaps(Side.CLIENT):
            absent = Missing.NOT_SENT
        return reason(self.survey, messages.CERTIFICATE, Side.CLIENT, absent)

    def _cut_flight(self) -> bool:
        """Whether a record of the client after the server's Finished and before its own was not opened."""
        flight = self._flight(Side.CLIENT)
        at = next((at for at, event in enumerate(flight) if is_plain(event, messages.FINISHED, Side.SERVER)), 0)
        return encrypted_records(flight[at:], Side.CLIENT)

    def _client_done(self) -> bool:
        """Whether the client's flight has passed the place of its Certificate (TLS 1.2 and before)."""
        if self.survey.plain(messages.CLIENT_KEY_EXCHANGE, Side.CLIENT):
            return True
        return any(event.side is Side.CLIENT for event in self.survey.of(ChangeCipherSpec))

    def session_tickets(self) -> tuple[NewSessionTicket, ...] | Missing:
        """The tickets that the server issued; empty when it issued none as far as the capture goes."""
        issued = tuple(self.survey.messages(NewSessionTicket, Side.SERVER))
        if issued:
            return issued
        if isinstance(self.server_hello, Missing):
            return self.server_hello
        hidden = self.tls13 and (not self._server_finished() or self.survey.hides(Side.SERVER))
        if hidden and SERVER_TRAFFIC not in self.keys:
            return Missing.HIDDEN
        return Missing.LOST if hidden and self.lost is Missing.LOST else ()


def encrypted_records(events: Sequence[Event], side: Side) -> bool:
    """Whether one side sent records that could not be opened."""
    return any(event.side is side and isinstance(event.message, ENCRYPTED) for event in events)


def offered(hellos: tuple[ClientHello, ...], server_hello: ServerHello | Missing) -> tuple[str, ...] | Missing:
    """The sessions that the client offered to take up.

    A legacy_session_id beside a ticket only marks the answer (RFC 5077 section 3.4), and beside TLS 1.3 it is for
    middleboxes (RFC 8446 appendix D.4), so there it counts when the server took it up.
    """
    if not hellos:
        return Missing.LOST
    hello = hellos[0]
    if hello.defect is not None:
        return Missing.LOST
    kinds = []
    ticket = hello.body(SESSION_TICKET)
    if isinstance(hello.body(PRE_SHARED_KEY), OfferedPsks):
        kinds.append("psk")
    if isinstance(ticket, bytes) and ticket:
        kinds.append("session_ticket")
    elif hello.legacy_session_id:
        versions = hello.body(SUPPORTED_VERSIONS)
        compatibility = isinstance(versions, tuple) and any(is_tls13(version) for version in versions)
        if not compatibility or echoes(hello, server_hello):
            kinds.append("session_id")
    return tuple(kinds)


def echoes(hello: ClientHello, server_hello: ServerHello | Missing) -> bool:
    """Whether a server of TLS 1.2 or before answered with the client's session ID.  RFC 5246 section 7.4.1.3."""
    return (
        isinstance(server_hello, ServerHello)
        and not is_tls13(server_hello.version)
        and hello.legacy_session_id != b""
        and server_hello.legacy_session_id_echo == hello.legacy_session_id
    )


def accepted(
    events: Sequence[Event], hellos: tuple[ClientHello, ...], server_hello: ServerHello | Missing
) -> str | Missing | None:
    """By what the server resumed a session; None for a full handshake."""
    if isinstance(server_hello, Missing):
        return server_hello
    if is_tls13(server_hello.version):
        taken = server_hello.has(PRE_SHARED_KEY)
        return taken if isinstance(taken, Missing) else "psk" if taken else None
    if not hellos:
        return abbreviated(events, Missing.LOST, Missing.LOST)
    ticket = hellos[0].body(SESSION_TICKET)
    kind: str | Missing = "session_ticket" if isinstance(ticket, bytes) and ticket else "session_id"
    if ticket is Missing.LOST:
        kind = Missing.LOST
    if echoes(hellos[0], server_hello):
        return abbreviated(events, kind, kind)
    if kind == "session_ticket" and not hellos[0].legacy_session_id:
        # Such a client learns it from the next message only (RFC 5077 section 3.4).
        return abbreviated(events, Missing.LOST, kind)
    return None


def abbreviated(events: Sequence[Event], unknown: str | Missing, resumed: str | Missing) -> str | Missing | None:
    """What the message after the ServerHello says: a certificate or key exchange makes it a full handshake.

    Some servers echo a session ID and go on with a full handshake.
    """
    for event in events:
        if event.side is not Side.SERVER:
            continue
        match event.message:
            case CertificateMessage() | ServerKeyExchange() | PlainMessage(type=messages.SERVER_HELLO_DONE):
                return None
            case ChangeCipherSpec():
                return resumed
    return unknown


def alerts(survey: Survey) -> tuple[AlertSeen, ...]:
    """The alerts that could be read."""
    return tuple(
        [
            AlertSeen(
                side=event.side,
                alert=event.message,
                frame=event.frames[-1],
                time_ns=event.time_ns,
                encrypted=event.encrypted,
            )
            for event in survey.of(Alert)
            if isinstance(event.message, Alert)
        ]
    )


# Messages without a defect of their own, and without extensions.
NEVER_DEFECTIVE = frozenset(
    (EncryptedRecord, ApplicationData, ChangeCipherSpec, PlainMessage, ServerKeyExchange, Alert)
)


def defects(events: Sequence[Event]) -> tuple[Defect, ...]:
    """The departures from the specification in the messages, with the frames that carried them."""
    result: list[Defect] = []
    for event in events:
        message = event.message
        if type(message) in NEVER_DEFECTIVE or (
            isinstance(message, ClientHello | ServerHello) and message.shape is not None
        ):
            continue
        own = getattr(message, "defect", None)
        if isinstance(own, Defect):
            result.append(replace(own, frames=event.frames))
        extensions: tuple[Extension, ...] = getattr(message, "extensions", ())
        for extension in extensions:
            if extension.defect is not None:
                result.append(replace(extension.defect, frames=event.frames))
    return tuple(result)
