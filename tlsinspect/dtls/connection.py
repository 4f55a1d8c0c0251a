"""Both sides of one DTLS connection: datagrams in, events out.  RFC 6347, RFC 9147."""

from __future__ import annotations

from dataclasses import dataclass, field

from tlsinspect.dtls.fragments import FragmentReader, Whole, decode_fragments
from tlsinspect.dtls.opener import Opener
from tlsinspect.dtls.record import (
    ACK,
    APPLICATION_DATA,
    HANDSHAKE,
    HANDSHAKE_HEADER,
    HEADER,
    Record,
    decode_records,
)
from tlsinspect.model.frame import Defect, Side
from tlsinspect.model.handshake import Event, Preamble, Transport
from tlsinspect.model.message import (
    ApplicationData,
    ChangeCipherSpec,
    ClientHello,
    EncryptedRecord,
    Message,
    PlainMessage,
    ServerHello,
)
from tlsinspect.tls import messages
from tlsinspect.tls.alert import decode_alerts
from tlsinspect.tls.completion import completed, is_fatal, refused_after_finished
from tlsinspect.tls.connection import MOST_DATA_EVENTS, MOST_EVENTS
from tlsinspect.tls.keylog import Secrets
from tlsinspect.tls.messages import cut_message, decode_message
from tlsinspect.tls.record import ALERT, CHANGE_CIPHER_SPEC
from tlsinspect.tls.survey import Survey
from tlsinspect.tls.versions import DTLS10, TLS12, TLS13, is_tls13

TLS11 = 0x0302
CONNECTION_ID = 54  # ExtensionType, RFC 9146 section 3
RANDOM = 32  # octets
ALERT_RECORD = 2 + 1 + 16  # octets of an alert in DTLS 1.3: level, description, content type, tag
HANDSHAKE_EPOCH = 2  # RFC 9147 section 6.1


@dataclass(slots=True)
class Direction:
    """What one side has sent so far.  Owned by the connection, freed with it."""

    side: Side
    messages: FragmentReader = field(default_factory=FragmentReader)
    finished: bool = False  # Finished was seen, or the record in which it must be
    changed: bool = False  # a ChangeCipherSpec was seen
    data_events: int = 0
    data_octets: int = 0  # application data, or encrypted records of DTLS 1.3, on the wire
    cid_octets: int = 0  # of the connection IDs in the records that it sends


class Connection:
    """Folds the datagrams of both sides into events, in the order of the capture.

    Owns two directions and their keys; all is freed when the table of datagrams emits its handshake.
    """

    __slots__ = ("_opener", "cipher_suite", "client", "confirmed", "defects", "events", "fatal", "server", "version")

    protocol = "dtls"
    preamble: Preamble | None = None
    closed: tuple[Side, int, int] | None = None  # DTLS is closed by alerts

    def __init__(self, *, secrets: Secrets | None = None) -> None:
        self.events: list[Event] = []
        self.defects: list[Defect] = []
        self.client = Direction(Side.CLIENT)
        self.server = Direction(Side.SERVER)
        self.version = 0  # negotiated, a code of DTLS; 0 until the ServerHello
        self.cipher_suite = 0
        self.fatal = False  # a fatal alert was seen
        self._opener = Opener(secrets) if secrets is not None else None
        self.confirmed: tuple[int, int] | None = None  # time and frame in which the server took a Finished of DTLS 1.3

    @property
    def complete(self) -> bool:
        """Whether both sides have finished the handshake, as far as the records show at once."""
        return self.client.finished and self.server.finished

    @property
    def keys_failed(self) -> bool:
        """Whether there are secrets for this connection, and none opened a record."""
        return self._opener is not None and self._opener.failed > 0 and self._opener.opened == 0

    @property
    def keys(self) -> frozenset[str]:
        """The labels of the secrets that there are for this connection, but for those that open nothing."""
        return self._opener.labels if self._opener else frozenset()

    @property
    def completed(self) -> bool:
        """Whether the handshake was completed, and taken by both sides."""
        if not is_tls13(self.version):
            return completed(Survey(self.events), Transport())
        return self.client.finished and self.confirmed is not None and not refused_after_finished(Survey(self.events))

    def feed(self, side: Side, payload: bytes, *, octets: int, frame: int, time_ns: int) -> None:
        """Takes the next datagram of one side; *octets* is its length on the wire."""
        direction = self.client if side is Side.CLIENT else self.server
        for record in decode_records(payload, octets=octets, cid_octets=direction.cid_octets):
            self._record(direction, record, frame, time_ns)

    def finish(self, time_ns: int) -> None:
        """Takes the messages that never became whole, as far as they were captured."""
        for direction in (self.client, self.server):
            for whole in direction.messages.finish(time_ns):
                self._whole(direction, whole)

    @property
    def identities(self) -> frozenset[bytes]:
        """What identity_of says of the datagrams that begin this handshake."""
        hellos = (event.message for event in self.events if event.side is Side.CLIENT)
        return frozenset(hello.random for hello in hellos if isinstance(hello, ClientHello))

    def begins_anew(self, payload: bytes) -> bool:
        """Whether a datagram of the client begins another handshake than this one.  RFC 6347 section 4.2.8."""
        identity = identity_of(payload)
        return bool(identity and self.identities and identity not in self.identities)

    def _record(self, direction: Direction, record: Record, frame: int, time_ns: int) -> None:
        if record.encrypted:
            self._protected(direction, record, frame, time_ns)
        else:
            self._content(direction, record.type, record.fragment, record, frame, time_ns)

    def _content(
        self, direction: Direction, content_type: int, octets: bytes, record: Record, frame: int, time_ns: int
    ) -> None:
        """What a record has in it, in clear or opened."""
        encrypted = record.encrypted
        if content_type == HANDSHAKE:
            fragments, problem = decode_fragments(octets)
            for fragment in fragments:
                for whole in direction.messages.feed(fragment, frame, time_ns, encrypted=encrypted):
                    self._whole(direction, whole)
            if problem and len(record.fragment) == record.octets:
                self.defects.append(Defect("dtls.handshake", problem, frames=(frame,)))
        elif content_type == ALERT:
            for alert in decode_alerts(octets):
                self._add(direction, alert, (frame,), time_ns, encrypted=encrypted)
                self.fatal = self.fatal or is_fatal(alert, self.events)
        elif content_type == CHANGE_CIPHER_SPEC:
            if direction.changed and not encrypted:
                return  # sent again; in clear there is only one
            direction.changed = True
            self._add(direction, ChangeCipherSpec(), (frame,), time_ns, encrypted=encrypted)
        elif content_type != ACK:
            self._data(direction, ApplicationData(record.octets, octets if encrypted else None), frame, time_ns)

    def _whole(self, direction: Direction, whole: Whole) -> None:
        raw = whole.raw
        message = decode_message(
            raw.type, raw.body, side=direction.side, version=self._layout, cipher_suite=self.cipher_suite, dtls=True
        )
        if len(raw.body) < raw.octets:
            message = cut_message(message, raw)
        self._add(direction, message, raw.frames, raw.time_ns, encrypted=whole.encrypted)
        match message:
            case ClientHello() if direction.side is Side.CLIENT:
                self.server.cid_octets = cid_octets(message)
                if self._opener:
                    self._opener.client_hello(message)
            case ServerHello() if direction.side is Side.SERVER:
                self.version, self.cipher_suite = message.version, message.cipher_suite
                self.client.cid_octets = cid_octets(message)
                if self._opener and not message.hello_retry_request:
                    self._opener.server_hello(message)
            case PlainMessage(type=messages.FINISHED):
                direction.finished = True

    @property
    def _layout(self) -> int:
        """The version of TLS whose layouts the messages have."""
        if is_tls13(self.version):
            return TLS13
        if self.version == 0:
            return 0
        return TLS11 if self.version in (DTLS10, 0x0100) else TLS12

    def _protected(self, direction: Direction, record: Record, frame: int, time_ns: int) -> None:
        if is_tls13(self.version):
            self._note_taken(direction, record, (time_ns, frame))
        whole = len(record.fragment) == record.octets
        opened = self._opener.open(direction.side, record, self._layout) if self._opener and whole else None
        if opened is not None:
            self._content(direction, opened.content_type, opened.octets, record, frame, time_ns)
            return
        if record.unified:
            direction.finished = direction.side is Side.SERVER or self.server.finished
        elif record.type == HANDSHAKE:
            direction.finished = True
        message: Message = EncryptedRecord(record.type, record.octets)
        if record.type == APPLICATION_DATA and not record.unified:
            message = ApplicationData(record.octets)
        self._data(direction, message, frame, time_ns)

    def _note_taken(self, direction: Direction, record: Record, place: tuple[int, int]) -> None:
        """The server has to acknowledge the client's Finished, in a record longer than an alert.

        RFC 9147 sections 5.8.4 and 7.
        """
        taken = record.epoch > HANDSHAKE_EPOCH and record.octets > ALERT_RECORD
        if direction.side is Side.SERVER and self.client.finished and taken:
            self.confirmed = self.confirmed or place

    def _data(self, direction: Direction, message: Message, frame: int, time_ns: int) -> None:
        octets = message.octets if isinstance(message, ApplicationData | EncryptedRecord) else 0
        direction.data_octets += octets
        if direction.data_events < MOST_DATA_EVENTS:
            direction.data_events += 1
            encrypted = isinstance(message, ApplicationData) and message.plaintext is not None
            self._add(direction, message, (frame,), time_ns, encrypted=encrypted)

    def _add(
        self, direction: Direction, message: Message, frames: tuple[int, ...], time_ns: int, *, encrypted: bool = False
    ) -> None:
        if len(self.events) < MOST_EVENTS:
            self.events.append(
                Event(side=direction.side, time_ns=time_ns, frames=frames, message=message, encrypted=encrypted)
            )


def cid_octets(hello: ClientHello | ServerHello) -> int:
    """The length of the connection ID that the peer of a hello's sender has to use.  RFC 9146 section 3."""
    return next((each.data[0] for each in hello.extensions if each.type == CONNECTION_ID and each.data), 0)


SERVER_MESSAGES = frozenset(
    (messages.SERVER_HELLO, messages.HELLO_VERIFY_REQUEST, messages.SERVER_KEY_EXCHANGE, messages.SERVER_HELLO_DONE)
)


def first_side(payload: bytes) -> Side | None:
    """Who sends a datagram that begins a handshake, told by the type of its first message; None where both may."""
    message_type = payload[HEADER]
    if message_type in (messages.CLIENT_HELLO, messages.CLIENT_KEY_EXCHANGE):
        return Side.CLIENT
    return Side.SERVER if message_type in SERVER_MESSAGES else None


def identity_of(payload: bytes) -> bytes:
    """The client's random, which is the same in both hellos of one handshake; empty when it is not there.

    For a datagram that begins a handshake.
    """
    at = HEADER + HANDSHAKE_HEADER + 2
    offset = payload[HEADER + 6 : HEADER + 9]
    if payload[HEADER] != messages.CLIENT_HELLO or offset != bytes(3):
        return b""
    random = payload[at : at + RANDOM]
    return random if len(random) == RANDOM else b""
