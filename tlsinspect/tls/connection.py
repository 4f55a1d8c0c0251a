"""Both directions of one TLS connection: octets in, events out.

The one loop of the package is here: keys found by the hello messages open the records after them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tlsinspect.model.frame import Defect, Side
from tlsinspect.model.handshake import Event
from tlsinspect.model.message import (
    ApplicationData,
    ClientHello,
    EncryptedExtensions,
    EncryptedRecord,
    Gap,
    Message,
    PlainMessage,
    PlainOctets,
    ServerHello,
    UndecodedMessage,
)
from tlsinspect.net.reassembly import Chunk
from tlsinspect.tls import messages
from tlsinspect.tls.alert import decode_alerts
from tlsinspect.tls.extensions import EARLY_DATA
from tlsinspect.tls.handshake import MessageReader, RawMessage
from tlsinspect.tls.keylog import Secrets
from tlsinspect.tls.messages import (
    CHANGE,
    application_data,
    cut_message,
    decode_message,
    decode_sslv2_message,
    encrypted_record,
    plausible,
)
from tlsinspect.tls.opened_data import Data, OpenedData
from tlsinspect.tls.record import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    SSLV2_HELLO,
    Lost,
    Plain,
    Record,
    RecordReader,
)
from tlsinspect.tls.versions import TLS13, is_tls13

if TYPE_CHECKING:  # for types alone: it is needed where there are secrets
    from tlsinspect.tls.opener import Opener

MOST_EVENTS = 400  # of one connection; a handshake with every message in a record of its own has about 30
MOST_KEPT = 1 << 17  # octets kept to be read again, of connections whose secrets may come late
MOST_DATA_EVENTS = 24  # records of application data or of unknown content, per direction

_new = tuple.__new__  # a third of the time of Event(...), which goes through a function written in Python


@dataclass(slots=True)
class Direction:
    """What one side has sent so far.  Owned by the connection, freed with it."""

    side: Side
    records: RecordReader
    messages: MessageReader
    encrypted: bool = False  # a ChangeCipherSpec of TLS 1.2 or before has passed
    finished: bool = False  # Finished was seen, or the record in which it must be
    data_events: int = 0
    data_octets: int = 0  # application data, or encrypted records of TLS 1.3, on the wire
    opened: bool = False  # the message under way came in records that were opened
    adrift: bool = False  # after a loss: the next handshake fragment may begin inside of a message


class Connection:
    """Folds the octets of both directions into events, in the order of the capture.

    Owns two directions and their keys; all is freed when the flow emits its handshake.
    """

    __slots__ = (
        "_kept",
        "_kept_octets",
        "_opener",
        "_secrets",
        "_waiting",
        "cipher_suite",
        "client",
        "data",
        "defects",
        "early_data",
        "events",
        "hello_only",
        "server",
        "tls13",
        "version",
    )

    def __init__(self, *, secrets: Secrets | None = None) -> None:
        self.events: list[Event] = []
        self.defects: list[Defect] = []
        self.data: OpenedData | None = None  # None while nobody reads it
        self.client = Direction(Side.CLIENT, RecordReader(), MessageReader())
        self.server = Direction(Side.SERVER, RecordReader(), MessageReader())
        self.version = 0  # negotiated; 0 until the ServerHello
        self.tls13 = False  # it is TLS 1.3, or a draft of it
        self.cipher_suite = 0
        self.early_data = False  # the client announced 0-RTT data
        self.hello_only = True  # from the client nothing but hellos has come
        self._secrets = secrets
        self._opener = opener(secrets)
        self._kept: list[tuple[Side, Chunk]] = []  # what was fed, while secrets may come late
        self._kept_octets = 0
        self._waiting: list[Record] = []  # encrypted records of the client captured before the ServerHello

    @property
    def complete(self) -> bool:
        """Whether both sides have finished the handshake."""
        return self.client.finished and self.server.finished

    @property
    def keys(self) -> frozenset[str]:
        """The labels of the secrets that there are for this connection, but for those that open nothing."""
        return self._opener.labels if self._opener else frozenset()

    @property
    def keys_failed(self) -> bool:
        """Whether there are secrets for this connection, and none opened a record."""
        return self._opener is not None and self._opener.wrong

    @property
    def may_open(self) -> bool:
        """Whether there are secrets, or may be, that could open records."""
        return self._opener is not None

    @property
    def opens(self) -> bool:
        """Whether a record was opened."""
        return self._opener is not None and any(self._opener.opened.values())

    def feed(self, side: Side, chunk: Chunk) -> None:
        """Takes the next octets, or the next gap, of one side."""
        direction = self.client if side is Side.CLIENT else self.server
        if self._secrets is not None and self._secrets.growing:
            self._keep(side, chunk)
        self._items(direction, direction.records.feed(chunk))

    def read(self, direction: Direction, octets: bytes, frame: int, time_ns: int) -> None:
        """The same for the next octets of one direction, without a chunk around them."""
        if self._secrets is not None and self._secrets.growing:
            self._keep(direction.side, Chunk(octets, 0, frame, time_ns))
        self._items(direction, direction.records.read(octets, frame, time_ns))

    def _keep(self, side: Side, chunk: Chunk) -> None:
        if self._kept_octets < MOST_KEPT:
            self._kept.append((side, chunk))
            self._kept_octets += len(chunk.octets)

    def _items(self, direction: Direction, items: Iterable[Record | Lost | Plain]) -> None:
        for item in items:
            if type(item) is Record:
                content_type, _, fragment, octets, _, _ = item
                if content_type == APPLICATION_DATA and self._opener is None and len(fragment) == octets:
                    self._unopened(direction, item)  # what most records come to, at once
                else:
                    self._record(direction, item)
            elif isinstance(item, Lost):
                self._lost(direction, item)
            else:
                assert isinstance(item, Plain)
                self._plain(direction, item)

    def finish(self, time_ns: int) -> bool:
        """Takes the unfinished record and message of each side, as far as they were captured.

        Returns whether all was read again with secrets that came late: then *data* begins anew.
        """
        again = self._opener is not None and self._opener.late and self._kept_octets < MOST_KEPT
        if again:
            self._read_again()
        for direction in (self.client, self.server):
            for item in direction.records.finish():
                if isinstance(item, Record):
                    self._record(direction, item._replace(time_ns=time_ns), last=True)
            self._cut(direction, time_ns)
        for record in self._waiting:
            self._unopened(self.client, record)
        self._waiting = []
        return again

    def _read_again(self) -> None:
        """Starts over with the secrets that have come since, as far as the octets were kept."""
        again = Connection(secrets=self._secrets)
        again.data = None if self.data is None else OpenedData()
        for side, chunk in self._kept:
            again.feed(side, chunk)
        for name in self.__slots__:
            setattr(self, name, getattr(again, name))

    def _early(self, side: Side) -> bool:
        """Whether data that were opened are 0-RTT data, or may be."""
        before_finished = self._opener is not None and Side.CLIENT not in self._opener.finished_sides
        return side is Side.CLIENT and before_finished and (self.version == 0 or self.tls13)

    def _lost_data(self, direction: Direction, frame: int) -> None:
        """Notes that application data may have been in what is lost: after the ServerHello, or as 0-RTT data."""
        if self.data is not None and (self.version or self.early_data):
            self.data.lost(direction.side, frame)

    # -- items of the record layer

    def _plain(self, direction: Direction, item: Plain) -> None:
        self._add(direction, PlainOctets(item.octets), (item.frame,), item.time_ns)

    def _lost(self, direction: Direction, item: Lost) -> None:
        direction.adrift = True
        self._cut(direction, item.time_ns)
        self._add(direction, Gap(item.octets), (item.frame,), item.time_ns)
        self._lost_data(direction, item.frame)
        if self._opener:
            self._opener.lost(direction.side)

    def _record(self, direction: Direction, record: Record, *, last: bool = False) -> None:
        missing = record.octets - len(record.fragment)
        cut = missing > 0
        self._content(direction, record, cut=cut)
        if cut and not last:
            self._add(direction, Gap(missing), record.frames, record.time_ns)

    def _content(self, direction: Direction, record: Record, *, cut: bool) -> None:
        if record.type == SSLV2_HELLO:
            message = decode_sslv2_message(record.fragment)
            self._message(direction, message, record.frames, record.time_ns, encrypted=False)
        elif record.type == HANDSHAKE and not direction.encrypted:
            self._handshake_record(direction, record, cut=cut)
        elif record.type == ALERT and not cut and not direction.encrypted and decode_alerts(record.fragment):
            self._alerts(direction, record.fragment, record, encrypted=False)
        elif record.type == CHANGE_CIPHER_SPEC and record.octets == 1:
            self._change_cipher_spec(direction, record)
        elif cut:
            if self._opener:
                self._opener.skip(direction.side)
            self._unopened(direction, record)
        else:
            self._protected(direction, record)

    def _handshake_record(self, direction: Direction, record: Record, *, cut: bool) -> None:
        fragment = record.fragment
        if direction.messages.empty and not plausible(fragment):
            # The ChangeCipherSpec before it is not in the capture: this is an encrypted message.
            self._encrypted_from_here(direction)
            self._protected(direction, record)
            return
        direction.opened = direction.adrift = False
        for raw in direction.messages.feed(fragment, record.frames, record.time_ns):
            self._raw(direction, raw, encrypted=False)
        if cut:
            self._cut(direction, record.time_ns)

    def _cut(self, direction: Direction, time_ns: int) -> None:
        for raw in direction.messages.cut(time_ns):
            self._raw(direction, raw, encrypted=direction.opened)

    def _raw(self, direction: Direction, raw: RawMessage, *, encrypted: bool) -> None:
        version = TLS13 if self.tls13 else self.version
        message = decode_message(
            raw.type, raw.body, side=direction.side, version=version, cipher_suite=self.cipher_suite
        )
        if len(raw.body) < raw.octets:
            message = cut_message(message, raw)
        self._message(direction, message, raw.frames, raw.time_ns, encrypted=encrypted)

    def _message(
        self, direction: Direction, message: Message, frames: tuple[int, ...], time_ns: int, *, encrypted: bool
    ) -> None:
        self._add(direction, message, frames, time_ns, encrypted=encrypted)
        if len(self.events) >= MOST_EVENTS:
            return  # nor are any more keys made: a flood of hellos would have them made again and again
        if isinstance(message, PlainMessage):
            self._plain_message(direction, message.type)
        elif isinstance(message, ClientHello) and direction.side is Side.CLIENT:
            self._client_hello(message)
        elif isinstance(message, ServerHello) and direction.side is Side.SERVER:
            self._server_hello(message)
        elif isinstance(message, EncryptedExtensions) and self.data is not None:
            self.data.judge_early(accepted=message.has(EARLY_DATA) is True)

    def _plain_message(self, direction: Direction, message_type: int) -> None:
        if message_type == messages.FINISHED:
            direction.finished = True
            if self._opener:
                self._opener.finished(direction.side)
        elif message_type == messages.CLIENT_KEY_EXCHANGE:
            self.hello_only = False
        elif message_type == messages.KEY_UPDATE and self._opener:
            self._opener.key_update(direction.side)

    def _client_hello(self, hello: ClientHello) -> None:
        if self.complete:  # renegotiation: the second handshake of this connection
            self.client.finished = self.server.finished = False
            self.hello_only = True
        self.early_data = hello.has(EARLY_DATA) is True
        if self._opener:
            self._opener.client_hello(hello)

    def _server_hello(self, hello: ServerHello) -> None:
        self.version = hello.version
        self.tls13 = is_tls13(hello.version)
        self.cipher_suite = hello.cipher_suite
        if hello.hello_retry_request:
            if self.data is not None:
                self.data.judge_early(accepted=False)
            return
        if self._opener:
            self._opener.server_hello(hello)
        self._open_waiting()

    def _open_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for record in waiting:
            self._protected(self.client, record)

    def _alerts(self, direction: Direction, octets: bytes, record: Record, *, encrypted: bool) -> None:
        for alert in decode_alerts(octets):
            self._add(direction, alert, record.frames, record.time_ns, encrypted=encrypted)

    def _change_cipher_spec(self, direction: Direction, record: Record, *, encrypted: bool = False) -> None:
        self._add(direction, CHANGE, record.frames, record.time_ns, encrypted=encrypted)
        if len(self.events) >= MOST_EVENTS:
            return
        # In TLS 1.3 it means nothing (RFC 8446 section 5); a client sends it there before 0-RTT data, too.
        early = self.version == 0 and direction.side is Side.CLIENT and self.hello_only
        if self.tls13 or (early and any_hello(self.events)):
            return
        self._encrypted_from_here(direction)

    def _encrypted_from_here(self, direction: Direction) -> None:
        """The records of a side are protected from now on (TLS 1.2 and before)."""
        direction.encrypted = True
        if self._opener:
            self._opener.change_cipher_spec(direction.side)

    # -- encrypted records

    def _protected(self, direction: Direction, record: Record) -> None:
        """A record that is encrypted, or application data before anything is known."""
        client = direction.side is Side.CLIENT
        if client and self._opener and self.version == 0 and not self.early_data and record.type == APPLICATION_DATA:
            if len(self._waiting) < MOST_DATA_EVENTS:
                self._waiting.append(record)
            return
        if direction.adrift and not direction.encrypted and not self.tls13 and self._opener:
            self._encrypted_from_here(direction)  # the ChangeCipherSpec is lost
        opened = self._opener.open(direction.side, record) if self._opener else None
        if opened is None:
            self._unopened(direction, record)
            return
        content_type, octets = opened
        if content_type == HANDSHAKE and direction.adrift and direction.messages.empty and not plausible(octets):
            self._unopened(direction, record)  # the rest of a message whose beginning is lost
            return
        direction.opened, direction.adrift = True, False
        if self._opener and direction.side in self._opener.finished_sides:
            direction.finished = True
        if content_type == HANDSHAKE:
            for raw in direction.messages.feed(octets, record.frames, record.time_ns):
                self._raw(direction, raw, encrypted=True)
        elif content_type == ALERT:
            self._alerts(direction, octets, record, encrypted=True)
        elif content_type == CHANGE_CIPHER_SPEC:
            self._change_cipher_spec(direction, record, encrypted=True)
        else:
            if octets and self.data is not None:
                early = self._early(direction.side)
                self.data.add(Data(direction.side, octets, record.frames[-1]), early=early)
            direction.data_octets += record.octets
            if direction.data_events < MOST_DATA_EVENTS:
                direction.data_events += 1
                self._add(direction, application_data(record.octets), record.frames, record.time_ns, encrypted=True)

    def _unopened(self, direction: Direction, record: Record) -> None:
        content_type, _, _, octets, frames, time_ns = record
        if not direction.messages.empty:  # it may hold the rest of the message under way
            self._cut(direction, time_ns)
        direction.adrift = True
        if self.data is not None:
            self._lost_data(direction, frames[-1])
        if self.tls13:
            # Which record holds the Finished cannot be told; records of the client before those of the server are
            # 0-RTT data.
            direction.finished = direction.side is Side.SERVER or self.server.finished
        if content_type == HANDSHAKE:  # TLS 1.2 and before: the first after ChangeCipherSpec is the Finished
            direction.finished = True
        message: ApplicationData | EncryptedRecord
        if self.tls13 or content_type != APPLICATION_DATA:
            message = encrypted_record(content_type, octets)
        else:
            message = application_data(octets)
        direction.data_octets += octets
        if direction.data_events < MOST_DATA_EVENTS and len(self.events) < MOST_EVENTS:
            direction.data_events += 1
            self.events.append(_new(Event, (direction.side, time_ns, frames, message, False)))

    def _add(
        self,
        direction: Direction,
        message: Message,
        frames: tuple[int, ...],
        time_ns: int,
        *,
        encrypted: bool = False,
    ) -> None:
        if len(self.events) < MOST_EVENTS:
            self.events.append(_new(Event, (direction.side, time_ns, frames, message, encrypted)))


def opener(secrets: Secrets | None) -> Opener | None:
    """What opens records; None where no secrets are, nor can come."""
    if secrets is None or not (secrets or secrets.growing):
        return None
    from tlsinspect.tls.opener import Opener

    return Opener(secrets)


def any_hello(events: list[Event]) -> bool:
    """Whether a ClientHello was seen, whole or in part."""
    for event in events:
        message = event.message
        if type(message) is ClientHello:
            return True
        if isinstance(message, UndecodedMessage) and message.type == messages.CLIENT_HELLO:
            return True
    return False
