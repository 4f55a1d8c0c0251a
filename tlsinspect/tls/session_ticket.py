"""Decoding of NewSessionTicket."""

from __future__ import annotations

from tlsinspect.model.message import NewSessionTicket
from tlsinspect.tls.extensions import NEW_SESSION_TICKET, decode_extensions, trailing
from tlsinspect.wire import Cursor

TLS_1_3 = 0x0304


def decode_new_session_ticket(body: Cursor, *, version: int) -> NewSessionTicket:
    """RFC 8446 section 4.6.1, RFC 5077 section 3.3.  Version 0 (unknown) takes the layout that fits."""
    lifetime_seconds = body.uint(4, "ticket_lifetime")
    if version == TLS_1_3 or (version == 0 and not body.filled_by(2)):
        age_add = body.uint(4, "ticket_age_add")
        nonce = body.vector(1, "ticket_nonce").rest()
        ticket = body.vector(2, "ticket").rest()
        extensions, defect = decode_extensions(body, NEW_SESSION_TICKET)
        return NewSessionTicket(
            lifetime_seconds=lifetime_seconds,
            ticket=ticket,
            age_add=age_add,
            nonce=nonce,
            extensions=extensions,
            defect=defect,
        )
    ticket = body.vector(2, "ticket").rest()
    return NewSessionTicket(
        lifetime_seconds=lifetime_seconds, ticket=ticket, defect=trailing(body, "new_session_ticket")
    )
