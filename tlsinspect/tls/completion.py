"""Whether a handshake was completed, as far as the records show."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

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
from tlsinspect.tls.survey import Survey, is_finish
from tlsinspect.tls.versions import is_tls13

FATAL = 2
CLOSE_NOTIFY, USER_CANCELED = 0, 90
JSSE_PADDING = 16  # zeros that Java puts behind every encrypted handshake message and alert


def completed(survey: Survey, transport: Transport, *, quiet: bool = False) -> bool:
    """Whether both sides finished, and neither refused right after.

    *quiet*: nothing more came for long.  Until then, a server may still refuse the client's last flight.
    """
    hello = survey.tls13_hello
    if hello is not None:
        at = client_finished_at(survey, hello)
        if at is None or refused_after_finished(survey):
            return False
        return taken_by_server(survey, at, hello, transport, quiet=quiet)
    if len({event.side for event in survey.events if is_finish(event)}) == 2:
        return not refused_after_finished(survey)
    return len({event.side for event in survey.of(ApplicationData)}) == 2


def finishing_event(survey: Survey) -> Event | None:
    """The event that completed the handshake: the later Finished, as far as it can be told."""
    if survey.tls13_hello is not None:
        at = client_finished_at(survey, survey.tls13_hello)
        return None if at is None else survey.events[at]
    for event in reversed(survey.events):
        if is_finish(event):
            return event
    return None


def refused_after_finished(survey: Survey) -> bool:
    """Whether a fatal alert that could be read came before any application data of the server."""
    if not survey.has(Alert):
        return False
    for event in survey.events:
        ticket = isinstance(event.message, NewSessionTicket) and event.encrypted
        if event.side is Side.SERVER and (ticket or isinstance(event.message, ApplicationData)):
            return False
        if isinstance(event.message, Alert) and is_fatal(event.message, survey.events):
            return True
    return False


def taken_by_server(survey: Survey, at: int, hello: ServerHello, transport: Transport, *, quiet: bool) -> bool:
    """Whether the server took the Finished of the client in TLS 1.3, which is the event *at*.

    It comes last, and a server that does not like the client's certificate says so after it (RFC 8446 section
    4.4.2.4).  Without keys, a record as long as a Finished must have come from the client, and then from the server
    something else than a record as short as an alert before the end.
    """
    silent = True
    for event in survey.events[at + 1 :]:
        if event.side is Side.SERVER:
            if not may_be_alert(event, hello.cipher_suite):
                return True
            silent = False
    if not silent:
        return False
    marks = (*transport.fins, *transport.resets)
    closed = min(marks, key=lambda mark: mark.frame).side if marks else None
    return closed is Side.CLIENT or (closed is None and quiet)


def client_finished_at(survey: Survey, hello: ServerHello) -> int | None:
    """The place of the client's Finished in TLS 1.3, or of the first record that is long enough to hold it."""
    least = finished_sizes(hello.cipher_suite)[0]
    answered = False  # the server has sent encrypted records, so that records of the client are not 0-RTT data
    for at, event in enumerate(survey.events):
        message = event.message
        if event.side is Side.SERVER:
            answered = answered or isinstance(message, EncryptedRecord)
        elif isinstance(message, EncryptedRecord):
            if answered and message.octets >= least:
                return at
        elif (isinstance(message, PlainMessage) and message.type == messages.FINISHED) or (
            isinstance(message, ApplicationData) and not offers_early_data(survey)
        ):
            return at
    return None


def offers_early_data(survey: Survey) -> bool:
    """Whether a ClientHello announces 0-RTT data."""
    hellos = [event.message for event in survey.of(ClientHello)]
    return any(isinstance(hello, ClientHello) and hello.has(EARLY_DATA) is True for hello in hellos)


def may_be_alert(event: Event, suite: int) -> bool:
    """Whether an event of the server is an alert, or a record as long as one: plain, or padded by JSSE.

    RFC 8446 sections 6 and 5.2: level and description, content type and tag.
    """
    if isinstance(event.message, Alert):
        return True
    size = 2 + 1 + tag_octets(suite)
    return isinstance(event.message, EncryptedRecord) and event.message.octets in (size, size + JSSE_PADDING)


@lru_cache(maxsize=256)  # for each record or handshake, and there are some ten suites
def finished_sizes(suite: int) -> tuple[int, ...]:
    """Length of the record that holds a Finished, in octets: plain, and padded by JSSE with 16 zeros.

    RFC 8446 sections 4.4.4 and 5.2: header, verify_data, content type and tag.
    """
    digest = 48 if cipher_suite(suite).mac_or_hash == "SHA384" else 32
    size = 4 + digest + 1 + tag_octets(suite)
    return (size, size + JSSE_PADDING)


@lru_cache(maxsize=256)
def tag_octets(suite: int) -> int:
    """Length of the authentication tag of a TLS 1.3 suite in octets.  RFC 8446 appendix B.4."""
    return 8 if CIPHER_SUITES.name(suite).endswith("_CCM_8_SHA256") else 16


def is_fatal(alert: Alert, events: Sequence[Event]) -> bool:
    """Whether an alert ends the connection as a failure.

    In TLS 1.3 all but close_notify and user_canceled do, whatever their level (RFC 8446 section 6).
    """
    if alert.description in (CLOSE_NOTIFY, USER_CANCELED):
        return False
    tls13 = any(isinstance(event.message, ServerHello) and is_tls13(event.message.version) for event in events)
    return alert.level == FATAL or tls13
