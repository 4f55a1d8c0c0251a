"""Sessions: what names them, offered and issued."""

from __future__ import annotations

from tlsinspect.fields import basis
from tlsinspect.fields.field import Compare, Field, Group
from tlsinspect.fields.frames import CLIENT_HELLO_FRAMES, SERVER_HELLO_FRAMES, all_frames_of
from tlsinspect.fields.readers import (
    body,
    of_client_hello,
    of_server_hello,
    psk_identity_lengths,
    ticket_length,
    tickets,
)
from tlsinspect.model.frame import Missing
from tlsinspect.model.message import NewSessionTicket
from tlsinspect.tls import extensions as ext

RESUMPTION: tuple[Field, ...] = (
    Field(
        path="client_hello.session_id",
        title="Session ID offered",
        group=Group.RESUMPTION,
        read=of_client_hello(lambda c: c.legacy_session_id.hex()),
        compare=Compare.EXPECTED,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.session_id",
        source="RFC 5246 section 7.4.1.2",
    ),
    Field(
        path="client_hello.session_ticket_length",
        title="Session ticket offered (octets)",
        group=Group.RESUMPTION,
        read=body(ext.SESSION_TICKET, ticket_length),
        compare=Compare.EXPECTED,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.extension.len",
        source="RFC 5077 section 3.2",
    ),
    Field(
        path="client_hello.psk_identity_lengths",
        title="PSK identities offered (octets)",
        group=Group.RESUMPTION,
        read=body(ext.PRE_SHARED_KEY, psk_identity_lengths),
        compare=Compare.EXPECTED,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.extensions.psk.identity.identity_length",
        source="RFC 8446 section 4.2.11",
    ),
    Field(
        path="server_hello.session_id",
        title="Session ID answered",
        group=Group.RESUMPTION,
        read=of_server_hello(lambda s: s.legacy_session_id_echo.hex()),
        compare=Compare.EXPECTED,
        frames=SERVER_HELLO_FRAMES,
        wireshark="tls.handshake.session_id",
        source="RFC 5246 section 7.4.1.3",
    ),
    Field(
        path="resumption.offered",
        title="Session offered",
        group=Group.RESUMPTION,
        read=lambda h: h.resumption.offered,
        compare=Compare.SET,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="",
        source="RFC 8446 section 2.2",
        basis=basis.session,
    ),
    Field(
        path="resumption.accepted",
        title="Session resumed by",
        group=Group.RESUMPTION,
        read=lambda h: Missing.NOT_SENT if h.resumption.accepted is None else h.resumption.accepted,
        compare=Compare.VALUE,
        frames=SERVER_HELLO_FRAMES,
        wireshark="",
        source="RFC 8446 section 2.2",
        basis=basis.session,
    ),
    Field(
        path="session_tickets",
        title="Tickets issued (octets)",
        group=Group.RESUMPTION,
        read=tickets,
        compare=Compare.EXPECTED,
        frames=all_frames_of(NewSessionTicket),
        wireshark="tls.handshake.session_ticket_length",
        source="RFC 8446 section 4.6.1",
        basis=basis.session,
    ),
)
