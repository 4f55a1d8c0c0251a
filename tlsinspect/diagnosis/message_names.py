"""The messages of a handshake by name, in the words of their RFCs."""

from __future__ import annotations

from tlsinspect.model.message import (
    Alert,
    ApplicationData,
    CertificateMessage,
    EncryptedRecord,
    Gap,
    Message,
    PlainMessage,
    PlainOctets,
    ProtectedPacket,
    ServerHello,
    UndecodedMessage,
)

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
        case Alert():
            return "alert"
        case ApplicationData():
            return "application data"
        case PlainOctets():
            return "octets that are no TLS"
        case Gap():
            return "octets that are not in the capture"
        case _:
            return type(message).__name__
