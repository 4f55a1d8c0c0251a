"""A handshake in letters, as Zeek's ssl_history has them."""

from __future__ import annotations

from collections.abc import Sequence

from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Event
from tlsinspect.model.message import (
    Alert,
    CertificateMessage,
    CertificateRequest,
    CertificateStatus,
    CertificateVerify,
    ChangeCipherSpec,
    ClientHello,
    EncryptedExtensions,
    Message,
    NewSessionTicket,
    PlainMessage,
    ServerHello,
    ServerKeyExchange,
    UndecodedMessage,
)
from tlsinspect.tls import messages

# Zeek's letters; a message of the client has the capital (Zeek, base/protocols/ssl, ssl_history).
LETTERS: dict[type, str] = {
    ClientHello: "c",
    ServerHello: "s",
    NewSessionTicket: "t",
    CertificateMessage: "x",
    ServerKeyExchange: "k",
    CertificateRequest: "r",
    CertificateVerify: "y",
    CertificateStatus: "u",
    ChangeCipherSpec: "i",
    EncryptedExtensions: "o",
    Alert: "l",
}
LETTERS_BY_TYPE = {
    messages.HELLO_REQUEST: "h",
    messages.CLIENT_HELLO: "c",
    messages.SERVER_HELLO: "s",
    messages.HELLO_VERIFY_REQUEST: "v",
    messages.NEW_SESSION_TICKET: "t",
    messages.CERTIFICATE: "x",
    messages.COMPRESSED_CERTIFICATE: "x",
    messages.SERVER_KEY_EXCHANGE: "k",
    messages.CERTIFICATE_REQUEST: "r",
    messages.SERVER_HELLO_DONE: "n",
    messages.CERTIFICATE_VERIFY: "y",
    messages.CLIENT_KEY_EXCHANGE: "g",
    messages.FINISHED: "f",
    messages.CERTIFICATE_URL: "w",
    messages.CERTIFICATE_STATUS: "u",
    messages.SUPPLEMENTAL_DATA: "a",
    messages.END_OF_EARLY_DATA: "e",
    messages.ENCRYPTED_EXTENSIONS: "o",
    messages.KEY_UPDATE: "p",
    messages.MESSAGE_HASH: "m",
}


OF_SEVERAL = frozenset((ServerHello, PlainMessage, UndecodedMessage))


def history(events: Sequence[Event]) -> str:
    """A letter per message that can be read, as in Zeek's ssl_history; letters of the client are capitals."""
    letters = []
    for event in events:
        side, _, _, message, _ = event
        kind = type(message)
        if kind in LETTERS or kind in OF_SEVERAL:
            letter = letter_of(message) if kind in OF_SEVERAL else LETTERS[kind]
            letters.append(letter.upper() if side is Side.CLIENT else letter)
    return "".join(letters)


def letter_of(message: Message) -> str:
    """The letter of a message whose kind has more than one, in lower case."""
    if isinstance(message, PlainMessage | UndecodedMessage):
        return LETTERS_BY_TYPE.get(message.type, "z")
    return "j" if isinstance(message, ServerHello) and message.hello_retry_request else LETTERS[ServerHello]
