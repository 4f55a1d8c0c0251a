"""What is worth saying about each message of a handshake in a line."""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.model.handshake import Event, Handshake
from tlsinspect.model.message import (
    Alert,
    ApplicationData,
    CertificateMessage,
    CertificateRequest,
    CertificateStatus,
    CertificateVerify,
    ChangeCipherSpec,
    ClientHello,
    EncryptedExtensions,
    EncryptedRecord,
    Gap,
    Message,
    NewSessionTicket,
    PlainMessage,
    PlainOctets,
    ProtectedPacket,
    ServerHello,
    ServerKeyExchange,
    UndecodedMessage,
)
from tlsinspect.report import words
from tlsinspect.tls.extensions import SERVER_NAME

CONTENT_TYPES = {20: "change_cipher_spec", 21: "alert", 22: "handshake", 23: "application_data", 24: "heartbeat"}


def message_detail(message: Message) -> str:
    """What is worth saying about a message beside its name; may be empty."""
    match message:
        case ClientHello():
            name = message.body(SERVER_NAME)
            return f"server name {words.value_text(name)}; {len(message.cipher_suites)} cipher suites"
        case ServerHello():
            return f"{registry.version_name(message.version)}, {registry.CIPHER_SUITES.name(message.cipher_suite)}"
        case CertificateMessage():
            found = words.leaf(message)
            length = len(message.entries)
            return "empty" if found is None else f"{words.identity_or_missing(found)}, {length} in the chain"
        case CertificateRequest():
            return f"{len(message.certificate_authorities)} authorities named"
        case CertificateVerify(algorithm=int(algorithm)):
            return registry.SIGNATURE_SCHEMES.name(algorithm)
        case ServerKeyExchange(named_group=int(group)):
            return registry.NAMED_GROUPS.name(group)
        case NewSessionTicket():
            return f"{len(message.ticket)} octets, lifetime {message.lifetime_seconds} s"
        case CertificateStatus():
            return f"OCSP response of {len(message.response)} octets"
        case Alert():
            return f"{LEVELS.get(message.level, 'level ' + str(message.level))} {words.alert_name(message)}"
        case UndecodedMessage():
            return f"malformed: {message.defect.problem}"
        case EncryptedRecord():
            return f"{CONTENT_TYPES.get(message.content_type, str(message.content_type))}, {message.octets} octets"
        case ApplicationData() | ProtectedPacket() | Gap():
            return f"{message.octets} octets"
        case PlainOctets():
            return words.shortened(message.octets.decode("ascii", "backslashreplace"), 60)
        case PlainMessage() | ChangeCipherSpec() | EncryptedExtensions() | _:
            return ""


LEVELS = {1: "warning", 2: "fatal"}


def last_message(handshake: Handshake) -> Event | None:
    """The last message before the handshake ended."""
    end = handshake.ending.time_ns if handshake.ending else handshake.ended_ns
    before = [e for e in handshake.events if e.time_ns <= end and not isinstance(e.message, Alert | Gap)]
    return before[-1] if before else None
