"""Frames from the payload of a packet that was opened.  RFC 9000 section 19.

Only those that carry the handshake, or end the connection, come out; the others are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tlsinspect.quic.packet import varint
from tlsinspect.wire import Cursor

PADDING = b"\0"
ACK, ACK_ECN, CRYPTO, NEW_TOKEN, NEW_CONNECTION_ID, HANDSHAKE_DONE = 0x02, 0x03, 0x06, 0x07, 0x18, 0x1E
STREAM, LAST_STREAM = 0x08, 0x0F
CONNECTION_CLOSE, APPLICATION_CLOSE = 0x1C, 0x1D
DATAGRAM, DATAGRAM_WITH_LENGTH = 0x30, 0x31  # RFC 9221
HAS_OFFSET, HAS_LENGTH = 0x04, 0x02  # bits of the type of STREAM

# How many integers follow the type of the frames that consist of integers.
INTEGERS = {
    0x01: 0,  # PING
    0x04: 3,  # RESET_STREAM
    0x05: 2,  # STOP_SENDING
    0x10: 1,  # MAX_DATA
    0x11: 2,  # MAX_STREAM_DATA
    0x12: 1,  # MAX_STREAMS
    0x13: 1,
    0x14: 1,  # DATA_BLOCKED
    0x15: 2,  # STREAM_DATA_BLOCKED
    0x16: 1,  # STREAMS_BLOCKED
    0x17: 1,
    0x19: 1,  # RETIRE_CONNECTION_ID
}
CHALLENGES = (0x1A, 0x1B)  # PATH_CHALLENGE, PATH_RESPONSE


class Crypto(NamedTuple):
    """Octets of the handshake."""

    offset: int
    octets: bytes


class Close(NamedTuple):
    """The end of the connection, with its reason."""

    error: int
    reason: str
    application: bool  # the error is one of the protocol above


class Stream(NamedTuple):
    """Octets of the application."""

    octets: int


class Done(NamedTuple):
    """The server confirms the handshake.  RFC 9000 section 19.20."""


def decode_frames(payload: bytes, *, crypto: int = CRYPTO) -> Iterator[Crypto | Close | Stream | Done]:
    """The frames that matter, in order; *crypto* is the type of CRYPTO.  Raises Malformed at octets that are none."""
    cursor = Cursor(payload)
    while len(cursor):
        if cursor.peek()[:1] == PADDING:  # a packet may have a thousand of them
            cursor.take(len(cursor) - len(cursor.peek().lstrip(PADDING)), "padding")
            continue
        kind = varint(cursor, "frame type")
        if kind == crypto:
            offset = varint(cursor, "offset")
            yield Crypto(offset, cursor.take(varint(cursor, "length"), "crypto data"))
        elif kind in (CONNECTION_CLOSE, APPLICATION_CLOSE):
            yield _close(cursor, kind)
        elif STREAM <= kind <= LAST_STREAM:
            yield _stream(cursor, kind)
        elif kind == HANDSHAKE_DONE:
            yield Done()
        elif not _passed(cursor, kind):
            return  # an extension: its length is not known


def _close(cursor: Cursor, kind: int) -> Close:
    error = varint(cursor, "error code")
    if kind == CONNECTION_CLOSE:
        varint(cursor, "frame type")
    reason = cursor.take(varint(cursor, "reason phrase length"), "reason phrase")
    return Close(error, reason.decode("utf-8", "replace"), kind == APPLICATION_CLOSE)


def _stream(cursor: Cursor, kind: int) -> Stream:
    varint(cursor, "stream ID")
    if kind & HAS_OFFSET:
        varint(cursor, "offset")
    size = varint(cursor, "length") if kind & HAS_LENGTH else len(cursor)
    return Stream(len(cursor.take(size, "stream data")))


def _passed(cursor: Cursor, kind: int) -> bool:
    """Passes over a frame; whether its length was known."""
    if kind in INTEGERS:
        for _ in range(INTEGERS[kind]):
            varint(cursor, "integer")
    elif kind in (ACK, ACK_ECN):
        for _ in range(2):
            varint(cursor, "integer")
        for _ in range(2 * varint(cursor, "ACK range count") + 1 + (3 if kind == ACK_ECN else 0)):
            varint(cursor, "integer")
    elif kind == NEW_TOKEN:
        cursor.take(varint(cursor, "token length"), "token")
    elif kind == NEW_CONNECTION_ID:
        for _ in range(2):
            varint(cursor, "integer")
        cursor.vector(1, "connection ID")
        cursor.take(16, "stateless reset token")
    elif kind in CHALLENGES:
        cursor.take(8, "data")
    elif kind in (DATAGRAM, DATAGRAM_WITH_LENGTH):
        cursor.take(varint(cursor, "length") if kind == DATAGRAM_WITH_LENGTH else len(cursor), "datagram data")
    else:
        return False
    return True
