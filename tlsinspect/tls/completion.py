"""Whether a handshake was completed, as far as the records show."""

from __future__ import annotations

from collections.abc import Sequence

from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Event, Transport
from tlsinspect.model.message import (
    Alert,
    ApplicationData,
    ClientHello,
    EncryptedRecord,
    NewSessionTicket,
    PlainMessage,
    ServerHello,
)
from tlsinspect.registry import CIPHER_SUITES, cipher_suite
from tlsinspect.tls import messages
from tlsinspect.tls.extensions import EARLY_DATA
from tlsinspect.tls.versions import is_tls13

FATAL = 2
CLOSE_NOTIFY, USER_CANCELED = 0, 90
HANDSHAKE = 22  # content type
JSSE_PADDING = 16  # zeros that Java puts behind every encrypted handshake message and alert


def completed(events: Sequence[Event], transport: Transport, *, quiet: bool = False) -> bool:
    """Whether both sides finished, and neither refused right after.

    *quiet*: nothing more came for long.  Until then, a server may still refuse the client's last flight.
    """
    for event in events:
        hello = event.message
        if isinstance(hello, ServerHello) and not hello.hello_retry_request and is_tls13(hello.version):
            return completed_tls13(events, hello, transport, quiet=quiet)
    sides = {event.side for event in events if is_finish(event)}
    if len(sides) == 2:
        return not refused_after_finished(events)
    return {event.side for event in events if isinstance(event.message, ApplicationData)} == set(Side)


def refused_after_finished(events: Sequence[Event]) -> bool:
    """Whether a fatal alert that could be read came before any application data of the server."""
    for event in events:
        ticket = isinstance(event.message, NewSessionTicket) and event.encrypted
        if event.side is Side.SERVER and (ticket or isinstance(event.message, ApplicationData)):
            return False
        if isinstance(event.message, Alert) and is_fatal(event.message, events):
            return True
    return False


def completed_tls13(events: Sequence[Event], hello: ServerHello, transport: Transport, *, quiet: bool) -> bool:
    """Whether a TLS 1.3 handshake was completed and taken by the server.

    The client's Finished comes last, and a server that does not like the client's certificate says so after it
    (RFC 8446 section 4.4.2.4).  Without keys, a record as long as a Finished must have come from the client, and
    then from the server something else than a record as short as an alert before the end.
    """
    if refused_after_finished(events):
        return False
    client_at = client_finished_at(events, hello)
    if client_at is None:
        return False
    behind = [event for event in events[client_at + 1 :] if event.side is Side.SERVER]
    if any(not may_be_alert(event, hello.cipher_suite) for event in behind):
        return True
    closed = next((each.side for each in sorted((*transport.fins, *transport.resets), key=lambda m: m.frame)), None)
    return not behind and (closed is Side.CLIENT or (closed is None and quiet))


def client_finished_at(events: Sequence[Event], hello: ServerHello) -> int | None:
    """The place of the client's Finished in TLS 1.3, or of the first record that is long enough to hold it."""
    sizes = finished_sizes(hello.cipher_suite)
    early = any(isinstance(event.message, ClientHello) and event.message.has(EARLY_DATA) is True for event in events)
    for at, event in enumerate(events):
        message = event.message
        if event.side is Side.CLIENT:
            finished = isinstance(message, PlainMessage) and message.type == messages.FINISHED
            finished = finished or (isinstance(message, ApplicationData) and not early)
            hidden = isinstance(message, EncryptedRecord) and message.octets >= min(sizes)
            if finished or (hidden and seen_server_flight(events[:at])):
                return at
    return None


def finishing_event(events: Sequence[Event]) -> Event | None:
    """The event that completed the handshake: the later Finished, as far as it can be told."""
    for event in events:
        hello = event.message
        if isinstance(hello, ServerHello) and not hello.hello_retry_request and is_tls13(hello.version):
            at = client_finished_at(events, hello)
            return None if at is None else events[at]
    return next((event for event in reversed(events) if is_finish(event)), None)


def seen_server_flight(events: Sequence[Event]) -> bool:
    """Whether the server has sent encrypted records, so that records of the client are not 0-RTT data."""
    return any(isinstance(event.message, EncryptedRecord) and event.side is Side.SERVER for event in events)


def may_be_alert(event: Event, suite: int) -> bool:
    """Whether an event of the server is an alert, or a record as long as one: plain, or padded by JSSE.

    RFC 8446 sections 6 and 5.2: level and description, content type and tag.
    """
    if isinstance(event.message, Alert):
        return True
    size = 2 + 1 + tag_octets(suite)
    return isinstance(event.message, EncryptedRecord) and event.message.octets in (size, size + JSSE_PADDING)


def finished_sizes(suite: int) -> tuple[int, ...]:
    """Length of the record that holds a Finished, in octets: plain, and padded by JSSE with 16 zeros.

    RFC 8446 sections 4.4.4 and 5.2: header, verify_data, content type and tag.
    """
    digest = 48 if cipher_suite(suite).mac_or_hash == "SHA384" else 32
    size = 4 + digest + 1 + tag_octets(suite)
    return (size, size + JSSE_PADDING)


def tag_octets(suite: int) -> int:
    """Length of the authentication tag of a TLS 1.3 suite in octets.  RFC 8446 appendix B.4."""
    return 8 if CIPHER_SUITES.name(suite).endswith("_CCM_8_SHA256") else 16


def is_finish(event: Event) -> bool:
    """Whether an event is a Finished, or the record in which it must be (TLS 1.2 and before)."""
    message = event.message
    if isinstance(message, PlainMessage):
        return message.type == messages.FINISHED
    return isinstance(message, EncryptedRecord) and message.content_type == HANDSHAKE


def is_fatal(alert: Alert, events: Sequence[Event]) -> bool:
    """Whether an alert ends the connection as a failure.

    In TLS 1.3 all but close_notify and user_canceled do, whatever their level (RFC 8446 section 6).
    """
    if alert.description in (CLOSE_NOTIFY, USER_CANCELED):
        return False
    tls13 = any(isinstance(event.message, ServerHello) and is_tls13(event.message.version) for event in events)
    return alert.level == FATAL or tls13
