"""The messages of a handshake by name, with what is worth saying about each in a line."""

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

# HandshakeType, RFC 8446 section 4, RFC 5246 section 7.4 and RFC 6347 section 4.3.2.
HANDSHAKE_TYPES = {
    0: "HelloRequest",
    1: "ClientHello",
    2: "ServerHello",
    3: "HelloVerifyRequest",
    4: "NewSessionTicket",
    5: "EndOfEarlyData",
    8: "EncryptedExtensions",
    11: "Certificate",
    12: "ServerKeyExchange",
    13: "CertificateRequest",
    14: "ServerHelloDone",
    15: "CertificateVerify",
    16: "ClientKeyExchange",
    20: "Finished",
    21: "CertificateURL",
    22: "CertificateStatus",
    23: "SupplementalData",
    24: "KeyUpdate",
    25: "CompressedCertificate",
    67: "NextProtocol",
    254: "message_hash",
}
CONTENT_TYPES = {20: "change_cipher_spec", 21: "alert", 22: "handshake", 23: "application_data", 24: "heartbeat"}


def message_name(message: Message) -> str:
    """The name of a message in the words of its RFC."""
    match message:
        case ServerHello(hello_retry_request=True):
            return "HelloRetryRequest"
        case CertificateMessage():
            return "Certificate"
        case PlainMessage(type=kind) | UndecodedMessage(type=kind):
            return HANDSHAKE_TYPES.get(kind, f"handshake message {kind}")
        case EncryptedRecord():
            return "encrypted record"
        case ProtectedPacket(kind=kind):
            return f"protected {kind} packet"
        case ApplicationData():
            return "application data"
        case PlainOctets():
            return "octets that are no TLS"
        case Gap():
            return "octets that are not in the capture"
        case _:
            return type(message).__name__


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
