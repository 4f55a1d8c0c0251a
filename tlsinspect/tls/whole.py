"""A connection of which every octet is there, read at once: what nearly all of a capture's are.

The events are those of `tls.connection`, which reads octets as they come.  What asks for more than the messages that
nearly all handshakes have (renegotiation, a HelloRetryRequest, 0-RTT data, a record that is not whole) is left to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct

from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Event
from tlsinspect.model.message import Message, UndecodedMessage
from tlsinspect.tls import messages
from tlsinspect.tls.client_hello import decode_sound_client_hello
from tlsinspect.tls.connection import MOST_DATA_EVENTS, MOST_EVENTS
from tlsinspect.tls.messages import CHANGE, application_data, decode_message, encrypted_record
from tlsinspect.tls.record import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, HEADER, HEARTBEAT, LARGEST
from tlsinspect.tls.server_hello import decode_sound_server_hello
from tlsinspect.tls.versions import is_tls13

MESSAGE_HEADER = 4  # octets: type, length
SIDES = (Side.CLIENT, Side.SERVER)
NO_FRAMES: tuple[int, ...] = ()

_header = Struct(">BBBH").unpack_from
_new = tuple.__new__

Payload = tuple[bool, bytes, int, int]  # whether the server sent it, its octets, its frame and time


def events_of(payloads: Iterable[Payload]) -> list[Event] | None:
    """The events of a connection, from all its octets in the order of the capture, none missing and none twice.

    None where `Connection` has to be asked.  One function: this loop runs for every record.
    """
    hellos = Hellos()
    events: list[Event] = []
    pending, held = [b"", b""], [NO_FRAMES, NO_FRAMES]  # the beginning of the record under way, and its frames
    encrypted = [False, False]  # a ChangeCipherSpec of TLS 1.2 or before has passed
    data_events = [0, 0]
    message: Message
    for server, payload, frame, time_ns in payloads:
        data = payload
        frames: tuple[int, ...] = (frame,)
        if pending[server]:
            data = pending[server] + payload
            frames = (*held[server], frame)
        at, end = 0, len(data)
        while at + HEADER <= end:
            content_type, major, _, size = _header(data, at)
            if major != 3 or size > LARGEST:
                return None
            start = at + HEADER
            after = start + size
            if after > end:
                break
            if content_type == APPLICATION_DATA or encrypted[server]:
                if not hellos.version or not ALERT <= content_type <= HEARTBEAT:
                    return None
                if data_events[server] < MOST_DATA_EVENTS:
                    data_events[server] += 1
                    if content_type == APPLICATION_DATA and not hellos.tls13:
                        message = application_data(size)
                    else:
                        message = encrypted_record(content_type, size)
                    events.append(_new(Event, (SIDES[server], time_ns, frames, message, False)))
            elif content_type == HANDSHAKE:
                found = hellos.messages(server, data, start, after)
                if not found:
                    return None
                for message in found:
                    events.append(_new(Event, (SIDES[server], time_ns, frames, message, False)))
            elif content_type == CHANGE_CIPHER_SPEC and size == 1 and hellos.version:
                encrypted[server] = not hellos.tls13
                events.append(_new(Event, (SIDES[server], time_ns, frames, CHANGE, False)))
            else:
                return None
            at = after
            frames = (frame,)
        pending[server] = data[at:] if at < end else b""
        held[server] = frames
    return None if pending[0] or pending[1] or len(events) >= MOST_EVENTS else events


class Hellos:
    """What the hellos of one connection have settled so far."""

    __slots__ = ("cipher_suite", "greeted", "tls13", "version")

    def __init__(self) -> None:
        self.version = 0  # negotiated; 0 until the ServerHello
        self.tls13 = False
        self.cipher_suite = 0
        self.greeted = False  # the ClientHello has come

    def messages(self, server: bool, data: bytes, at: int, end: int) -> list[Message] | None:
        """The messages in clear of one record, each of them whole."""
        found: list[Message] = []
        while at < end:
            start = at + MESSAGE_HEADER
            if start > end:
                return None
            message_type = data[at]
            after = start + (data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3])
            if after > end:
                return None
            message = self._message(server, message_type, data[start:after])
            if message is None:
                return None
            found.append(message)
            at = after
        return found

    def _message(self, server: bool, message_type: int, body: bytes) -> Message | None:
        """One message, if it is one of those that nearly all connections have."""
        if message_type == messages.CLIENT_HELLO:
            if server or self.greeted:
                return None
            self.greeted = True
            return decode_sound_client_hello(body)
        if message_type == messages.SERVER_HELLO:
            hello = decode_sound_server_hello(body) if server and self.greeted and not self.version else None
            if hello is None or hello.hello_retry_request:
                return None
            self.version, self.cipher_suite = hello.version, hello.cipher_suite
            self.tls13 = is_tls13(hello.version)
            return hello
        if self.tls13 or not self.version or message_type not in IN_CLEAR:
            return None
        side = SIDES[server]
        message = decode_message(message_type, body, side=side, version=self.version, cipher_suite=self.cipher_suite)
        return None if isinstance(message, UndecodedMessage) else message


# What passes in clear behind the ServerHello of TLS 1.2 and before, but for what begins or ends a handshake.
IN_CLEAR = frozenset(
    (
        messages.NEW_SESSION_TICKET,
        messages.CERTIFICATE,
        messages.SERVER_KEY_EXCHANGE,
        messages.CERTIFICATE_REQUEST,
        messages.SERVER_HELLO_DONE,
        messages.CERTIFICATE_VERIFY,
        messages.CLIENT_KEY_EXCHANGE,
        messages.CERTIFICATE_STATUS,
    )
)
