"""What of the events of a handshake decides what is known about it, apart from the values themselves.

Few programs talk to few servers in a capture, so that few outlines occur among thousands of handshakes.
"""

from __future__ import annotations

from collections.abc import Hashable

from tlsinspect.model.frame import Side
from tlsinspect.model.message import (
    ApplicationData,
    CertificateMessage,
    CertificateRequest,
    CertificateStatus,
    CertificateVerify,
    ChangeCipherSpec,
    ClientHello,
    EncryptedRecord,
    NewSessionTicket,
    OfferedPsks,
    PlainMessage,
    ServerHello,
    ServerKeyExchange,
)
from tlsinspect.tls.extensions import PRE_SHARED_KEY, SESSION_TICKET
from tlsinspect.tls.survey import Survey

Outline = tuple[Hashable, ...]

BY_KIND = frozenset(
    (
        ApplicationData,
        CertificateMessage,
        CertificateRequest,
        CertificateStatus,
        CertificateVerify,
        ChangeCipherSpec,
        NewSessionTicket,
        ServerKeyExchange,
    )
)


def outline_of(survey: Survey) -> Outline | None:
    """Equal for handshakes that differ in values alone; None for one in which anything is out of the ordinary.

    Equal are whose messages are of equal kinds from the same sides, hellos of equal shape, the same sessions offered
    and taken up.
    """
    if survey.encrypted:
        return None
    parts: list[Hashable] = []
    add = parts.append
    session_id = b""  # that the client offered
    for side, _, _, message, _ in survey.events:
        kind: type = type(message)
        add(side is Side.CLIENT)
        if kind in BY_KIND:
            add(kind)
        elif isinstance(message, EncryptedRecord):
            add(kind)
            add(message.content_type)
        elif isinstance(message, PlainMessage):
            add(kind)
            add(message.type)
        elif isinstance(message, ClientHello):
            if message.shape is None or session_id:
                return None
            session_id = message.legacy_session_id
            ticket = message.body(SESSION_TICKET)
            add(message.shape)
            add(bool(session_id))
            add(isinstance(ticket, bytes) and ticket != b"")
            add(isinstance(message.body(PRE_SHARED_KEY), OfferedPsks))
        elif isinstance(message, ServerHello):
            if message.shape is None or message.hello_retry_request:
                return None
            add(message.shape)
            add(message.legacy_session_id_echo == session_id)
        else:
            return None
    return tuple(parts)
