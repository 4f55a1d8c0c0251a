"""The events of one handshake, sorted out once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Event
from tlsinspect.model.message import (
    CertificateMessage,
    ClientHello,
    EncryptedRecord,
    Gap,
    NewSessionTicket,
    PlainMessage,
    ProtectedPacket,
    ServerHello,
    ServerKeyExchange,
    UndecodedMessage,
)
from tlsinspect.tls import messages
from tlsinspect.tls.record import HANDSHAKE
from tlsinspect.tls.versions import is_tls13

T = TypeVar("T")
NONE: tuple[Event, ...] = ()
ENCRYPTED = (EncryptedRecord, ProtectedPacket)

# Any of them says that somebody tried to speak TLS.
HANDSHAKE_MESSAGES = (
    ClientHello,
    ServerHello,
    CertificateMessage,
    ServerKeyExchange,
    NewSessionTicket,
    UndecodedMessage,
    PlainMessage,
)


class Survey:
    """The events of one handshake in wire order, and by the kinds of their messages.

    Some twenty questions are asked of every handshake, most of them about kinds of messages that it does not have.
    """

    __slots__ = ("by_kind", "encrypted", "events", "tls13_hello")

    def __init__(self, events: Sequence[Event]) -> None:
        by_kind: dict[type, list[Event]] = {}
        encrypted = False
        for event in events:
            _, _, _, message, opened = event
            kind = type(message)
            if kind in by_kind:
                by_kind[kind].append(event)
            else:
                by_kind[kind] = [event]
            if opened:
                encrypted = True
        self.events = events
        self.by_kind = by_kind
        self.encrypted = encrypted  # whether a message came in a record that was opened
        self.tls13_hello = self._tls13_hello()  # the ServerHello that chose TLS 1.3, if one did

    def _tls13_hello(self) -> ServerHello | None:
        for event in self.by_kind.get(ServerHello, NONE):
            hello = event.message
            assert isinstance(hello, ServerHello)
            if not hello.hello_retry_request and is_tls13(hello.version):
                return hello
        return None

    def of(self, kind: type) -> Sequence[Event]:
        """The events whose messages are of one kind, in wire order."""
        return self.by_kind.get(kind, NONE)

    def has(self, *kinds: type) -> bool:
        """Whether there is a message of one of the kinds."""
        return not self.by_kind.keys().isdisjoint(kinds)

    def messages(self, kind: type[T], side: Side) -> list[T]:
        """The messages of one kind from one side, in wire order."""
        found = self.by_kind.get(kind)
        if found is None:
            return []
        return [event.message for event in found if event.side is side and isinstance(event.message, kind)]

    def plain(self, message_type: int, side: Side) -> bool:
        """Whether one side sent a message of which only the type is kept."""
        for event in self.of(PlainMessage):  # noqa: SIM110 - any() over a generator takes three times as long
            if is_plain(event, message_type, side):
                return True
        return False

    def undecoded(self, message_type: int, side: Side) -> UndecodedMessage | None:
        """The first message of a type from one side that could not be decoded."""
        for event in self.of(UndecodedMessage):
            message = event.message
            if isinstance(message, UndecodedMessage) and message.type == message_type and event.side is side:
                return message
        return None

    def hides(self, side: Side) -> bool:
        """Whether one side sent records that could not be opened."""
        return any(event.side is side for kind in ENCRYPTED for event in self.of(kind))

    def gaps(self, side: Side) -> bool:
        """Whether octets of one side are missing that may be of the handshake: behind its Finished there are none."""
        return Gap in self.by_kind and gaps(self.events, side)


def gaps(events: Sequence[Event], side: Side) -> bool:
    """The same for events in wire order."""
    for event in events:
        if event.side is side:
            if isinstance(event.message, Gap):
                return True
            if is_finish(event):
                return False
    return False


def is_plain(event: Event, message_type: int, side: Side) -> bool:
    """Whether an event is a message of which only the type is kept."""
    message = event.message
    return isinstance(message, PlainMessage) and message.type == message_type and event.side is side


def is_finish(event: Event) -> bool:
    """Whether an event is a Finished, or the record in which it must be (TLS 1.2 and before)."""
    message = event.message
    if isinstance(message, PlainMessage):
        return message.type == messages.FINISHED
    return isinstance(message, EncryptedRecord) and message.content_type == HANDSHAKE
