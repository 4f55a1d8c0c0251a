"""What a server or a proxy routes by."""

from __future__ import annotations

from tlsinspect.fields import basis
from tlsinspect.fields.field import Compare, Field, Group
from tlsinspect.fields.frames import CLIENT_HELLO_FRAMES, chosen_alpn_frames
from tlsinspect.fields.readers import body, chosen_alpn, presence
from tlsinspect.tls import extensions as ext

ROUTING: tuple[Field, ...] = (
    Field(
        path="client_hello.server_name",
        title="Server name",
        group=Group.ROUTING,
        read=body(ext.SERVER_NAME),
        compare=Compare.VALUE,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.extensions_server_name",
        source="RFC 6066 section 3",
    ),
    Field(
        path="client_hello.alpn",
        title="Application protocols offered",
        group=Group.ROUTING,
        read=body(ext.ALPN),
        compare=Compare.ORDERED,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.extensions_alpn_str",
        source="RFC 7301 section 3.1",
        basis=basis.client_hello_shape,
    ),
    Field(
        path="server_hello.alpn",
        title="Application protocol chosen",
        group=Group.ROUTING,
        read=chosen_alpn,
        compare=Compare.VALUE,
        frames=chosen_alpn_frames,
        wireshark="tls.handshake.extensions_alpn_str",
        source="RFC 7301 section 3.1",
        basis=basis.answer,
    ),
    Field(
        path="client_hello.encrypted_client_hello",
        title="Encrypted ClientHello offered (or GREASE)",
        group=Group.ROUTING,
        read=presence(ext.ENCRYPTED_CLIENT_HELLO),
        compare=Compare.VALUE,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.extension.type",
        source="RFC 9849 section 5",
        basis=basis.client_hello_shape,
    ),
)
