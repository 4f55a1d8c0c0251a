"""Handshake messages from their octets: the table from HandshakeType to decoder, which never raises.

RFC 8446 section 4, RFC 5246 section 7.4, IANA's TLS HandshakeType list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from tlsinspect.model.frame import Defect, Side
from tlsinspect.model.message import (
    ApplicationData,
    CertificateMessage,
    CertificateRequest,
    ChangeCipherSpec,
    ClientHello,
    EncryptedRecord,
    Message,
    NewSessionTicket,
    PlainMessage,
    ServerHello,
    UndecodedMessage,
)
from tlsinspect.tls.certificate import (
    decode_certificate_request,
    decode_certificate_status,
    decode_compressed_certificate,
    read_certificate,
)
from tlsinspect.tls.client_hello import decode_client_hello, decode_sound_client_hello, decode_sslv2_client_hello
from tlsinspect.tls.extensions import SUPPORTED_VERSIONS
from tlsinspect.tls.handshake import LARGEST, RawMessage
from tlsinspect.tls.key_exchange import decode_certificate_verify, decode_server_key_exchange
from tlsinspect.tls.server_hello import (
    decode_encrypted_extensions,
    decode_old_hello_retry_request,
    decode_server_hello,
    decode_sound_server_hello,
)
from tlsinspect.tls.session_ticket import decode_new_session_ticket
from tlsinspect.tls.versions import TLS12
from tlsinspect.wire import Cursor, Malformed

# HandshakeType
HELLO_REQUEST = 0
CLIENT_HELLO = 1
SERVER_HELLO = 2
HELLO_VERIFY_REQUEST = 3
NEW_SESSION_TICKET = 4
END_OF_EARLY_DATA = 5
HELLO_RETRY_REQUEST = 6
ENCRYPTED_EXTENSIONS = 8
CERTIFICATE = 11
SERVER_KEY_EXCHANGE = 12
CERTIFICATE_REQUEST = 13
SERVER_HELLO_DONE = 14
CERTIFICATE_VERIFY = 15
CLIENT_KEY_EXCHANGE = 16
FINISHED = 20
CERTIFICATE_URL = 21
CERTIFICATE_STATUS = 22
SUPPLEMENTAL_DATA = 23
KEY_UPDATE = 24
COMPRESSED_CERTIFICATE = 25
NEXT_PROTOCOL = 67
MESSAGE_HASH = 254

NAMES: Mapping[int, str] = {
    HELLO_REQUEST: "hello_request",
    CLIENT_HELLO: "client_hello",
    SERVER_HELLO: "server_hello",
    HELLO_VERIFY_REQUEST: "hello_verify_request",
    NEW_SESSION_TICKET: "new_session_ticket",
    END_OF_EARLY_DATA: "end_of_early_data",
    HELLO_RETRY_REQUEST: "hello_retry_request",
    ENCRYPTED_EXTENSIONS: "encrypted_extensions",
    CERTIFICATE: "certificate",
    SERVER_KEY_EXCHANGE: "server_key_exchange",
    CERTIFICATE_REQUEST: "certificate_request",
    SERVER_HELLO_DONE: "server_hello_done",
    CERTIFICATE_VERIFY: "certificate_verify",
    CLIENT_KEY_EXCHANGE: "client_key_exchange",
    FINISHED: "finished",
    CERTIFICATE_URL: "certificate_url",
    CERTIFICATE_STATUS: "certificate_status",
    SUPPLEMENTAL_DATA: "supplemental_data",
    KEY_UPDATE: "key_update",
    COMPRESSED_CERTIFICATE: "compressed_certificate",
    NEXT_PROTOCOL: "next_protocol",
    MESSAGE_HASH: "message_hash",
}


class Context(NamedTuple):
    """What decides the layout of a message; 0 where it is not known."""

    side: Side  # that sent the message
    version: int  # 0x0304 for the drafts of TLS 1.3 too
    cipher_suite: int
    dtls: bool


# The types that are not here say by their type all that matters.
DECODERS: Mapping[int, Callable[[Cursor, Context], Message]] = {
    CLIENT_HELLO: lambda body, now: decode_client_hello(body, dtls=now.dtls),
    SERVER_HELLO: lambda body, _: decode_server_hello(body),
    NEW_SESSION_TICKET: lambda body, now: decode_new_session_ticket(body, version=now.version),
    HELLO_RETRY_REQUEST: lambda body, _: decode_old_hello_retry_request(body),
    ENCRYPTED_EXTENSIONS: lambda body, _: decode_encrypted_extensions(body),
    CERTIFICATE: lambda body, now: read_certificate(body.peek(), now.version, _chain(now.side)),
    SERVER_KEY_EXCHANGE: lambda body, now: decode_server_key_exchange(
        body.peek(), cipher_suite=now.cipher_suite, version=now.version
    ),
    CERTIFICATE_REQUEST: lambda body, now: decode_certificate_request(body, version=now.version),
    CERTIFICATE_VERIFY: lambda body, now: decode_certificate_verify(body, version=now.version),
    CERTIFICATE_STATUS: lambda body, _: decode_certificate_status(body),
    COMPRESSED_CERTIFICATE: lambda body, now: decode_compressed_certificate(
        body, version=now.version, where=_chain(now.side)
    ),
}

# Hellos in which nothing is wrong, which are nearly all; None comes back for the others.
SOUND: Mapping[int, Callable[[bytes], Message | None]] = {
    CLIENT_HELLO: decode_sound_client_hello,
    SERVER_HELLO: decode_sound_server_hello,
}


def message_name(message_type: int) -> str:
    """IANA's name of a HandshakeType."""
    return NAMES.get(message_type, f"unassigned {message_type}")


def decode_message(
    message_type: int, body: bytes, *, side: Side, version: int, cipher_suite: int = 0, dtls: bool = False
) -> Message:
    """The handshake message with that type and body; one that cannot be decoded keeps its octets and says why.

    *version* is the negotiated one, 0 when it is not known: then the layout that fits is taken.  *side* sent it.
    In *dtls* it is the version of TLS that the negotiated one is based on.
    """
    if message_type in SOUND and not dtls:
        message = SOUND[message_type](body)
        if message is not None:
            return message
    decode = DECODERS.get(message_type)
    if decode is None:
        return plain_message(message_type, len(body))
    try:
        return decode(Cursor(body), Context(side, version, cipher_suite, dtls))
    except Malformed as error:
        where = _chain(side) if message_type in CHAINS else message_name(message_type)
        return UndecodedMessage(message_type, body, Defect(where, error.problem, error.offset))


plain_message = lru_cache(maxsize=1024)(PlainMessage)  # most are of a few lengths
encrypted_record = lru_cache(maxsize=4096)(EncryptedRecord)  # by type and length, in which many are equal
application_data = lru_cache(maxsize=4096)(ApplicationData)
CHANGE = ChangeCipherSpec()  # one is like the other
CHAINS = frozenset({CERTIFICATE, COMPRESSED_CERTIFICATE})  # sent by both sides


def _chain(side: Side) -> str:
    return f"{side.value}_certificates"


def decode_sslv2_message(octets: bytes) -> ClientHello | UndecodedMessage:
    """A ClientHello in SSL 2.0 framing, from msg_type on.  RFC 5246 appendix E.2."""
    try:
        return decode_sslv2_client_hello(octets)
    except Malformed as error:
        return UndecodedMessage(CLIENT_HELLO, octets, Defect("client_hello", error.problem, error.offset))


def plausible(fragment: bytes) -> bool:
    """Whether a handshake fragment begins with a message header that makes sense in clear."""
    if not fragment or fragment[0] not in NAMES:
        return False
    return len(fragment) < 4 or fragment[1] << 16 | fragment[2] << 8 | fragment[3] <= LARGEST


def cut_message(message: Message, raw: RawMessage) -> Message:
    """A message of which only the beginning is in the capture, marked as such."""
    problem = f"the message has {raw.octets} octets, {len(raw.body)} are in the capture"
    defect = Defect(message_name(raw.type), problem, len(raw.body), raw.frames)
    if isinstance(message, UndecodedMessage):
        return UndecodedMessage(message.type, message.octets, defect)
    if isinstance(message, PlainMessage):
        return PlainMessage(message.type, raw.octets)
    if isinstance(message, ServerHello):
        # supported_versions may stand in what is missing (RFC 8446 section 4.2.1).
        seen = message.has(SUPPORTED_VERSIONS) is True or message.legacy_version != TLS12
        return replace(message, defect=defect, version=message.version if seen else 0)
    if isinstance(message, ClientHello | CertificateMessage | CertificateRequest | NewSessionTicket):
        return replace(message, defect=defect)
    return UndecodedMessage(raw.type, raw.body, defect)  # what could be read of it would be a guess
