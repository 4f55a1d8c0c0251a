"""What the client offered."""

from __future__ import annotations

from tlsinspect import fingerprint, registry
from tlsinspect.fields import basis
from tlsinspect.fields.field import Compare, Field, Group
from tlsinspect.fields.frames import CLIENT_HELLO_FRAMES
from tlsinspect.fields.names import key_share_groups, named, names, versions
from tlsinspect.fields.readers import body, of_client_hello, of_whole_client_hello, presence
from tlsinspect.model.frame import Missing
from tlsinspect.tls import extensions as ext

JA4_TRANSPORT = {"tls": "tcp", "dtls": "dtls", "quic": "quic"}

CLIENT_HELLO: tuple[Field, ...] = (
    Field(
        path="client_hello.legacy_version",
        title="Legacy version",
        group=Group.HELLO,
        read=of_client_hello(lambda c: registry.version_name(c.legacy_version)),
        compare=Compare.VALUE,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.version",
        source="RFC 8446 section 4.1.2",
        basis=basis.client_hello_shape,
    ),
    Field(
        path="client_hello.random",
        title="Client random",
        group=Group.HELLO,
        read=of_client_hello(lambda c: c.random.hex()),
        compare=Compare.EXPECTED,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.random",
        source="RFC 8446 section 4.1.2",
    ),
    Field(
        path="client_hello.supported_versions",
        title="Versions offered",
        group=Group.PARAMETERS,
        read=body(ext.SUPPORTED_VERSIONS, versions),
        compare=Compare.ORDERED,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.extensions.supported_version",
        source="RFC 8446 section 4.2.1",
        basis=basis.client_hello_shape,
    ),
    Field(
        path="client_hello.cipher_suites",
        title="Cipher suites offered",
        group=Group.PARAMETERS,
        read=of_client_hello(lambda c: names(registry.CIPHER_SUITES, c.cipher_suites)),
        compare=Compare.ORDERED,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.ciphersuite",
        source="RFC 8446 section 4.1.2",
        basis=basis.client_hello_shape,
    ),
    Field(
        path="client_hello.supported_groups",
        title="Groups offered",
        group=Group.PARAMETERS,
        read=body(ext.SUPPORTED_GROUPS, named(registry.NAMED_GROUPS)),
        compare=Compare.ORDERED,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.extensions_supported_group",
        source="RFC 8446 section 4.2.7",
        basis=basis.client_hello_shape,
    ),
    Field(
        path="client_hello.key_share_groups",
        title="Key shares sent",
        group=Group.PARAMETERS,
        read=body(ext.KEY_SHARE, key_share_groups),
        compare=Compare.ORDERED,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.extensions_key_share_group",
        source="RFC 8446 section 4.2.8",
        basis=basis.client_hello_shape,
    ),
    Field(
        path="client_hello.signature_algorithms",
        title="Signature algorithms offered",
        group=Group.PARAMETERS,
        read=body(ext.SIGNATURE_ALGORITHMS, named(registry.SIGNATURE_SCHEMES)),
        compare=Compare.ORDERED,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.sig_hash_alg",
        source="RFC 8446 section 4.2.3",
        basis=basis.client_hello_shape,
    ),
    Field(
        path="client_hello.extensions",
        title="Extensions offered",
        group=Group.HELLO,
        read=of_whole_client_hello(lambda c: names(registry.EXTENSION_TYPES, (e.type for e in c.extensions))),
        compare=Compare.SET,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.extension.type",
        source="RFC 8446 section 4.2",
        basis=basis.client_hello_shape,
    ),
    Field(
        path="client_hello.post_handshake_auth",
        title="Post-handshake authentication offered",
        group=Group.CLIENT_AUTHENTICATION,
        read=presence(ext.POST_HANDSHAKE_AUTH),
        compare=Compare.VALUE,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.extension.type",
        source="RFC 8446 section 4.2.6",
        basis=basis.client_hello_shape,
    ),
    Field(
        path="client_hello.ja3",
        title="JA3",
        group=Group.HELLO,
        read=of_whole_client_hello(lambda c: fingerprint.ja3(c) or Missing.NOT_SENT),
        compare=Compare.VALUE,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.ja3",
        source="",
        basis=basis.client_hello_shape,
    ),
    Field(
        path="client_hello.ja3_text",
        title="JA3 text",
        group=Group.HELLO,
        read=of_whole_client_hello(lambda c: fingerprint.ja3_text(c) or Missing.NOT_SENT),
        compare=Compare.EXPECTED,  # the digest above says it already
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.ja3_full",
        source="",
        basis=basis.client_hello_shape,
    ),
    Field(
        path="client_hello.ja4",
        title="JA4",
        group=Group.HELLO,
        read=lambda h: of_whole_client_hello(lambda c: fingerprint.ja4(c, transport=JA4_TRANSPORT[h.protocol]))(h),
        compare=Compare.VALUE,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.ja4",
        source="",
        basis=basis.client_hello_shape,
    ),
)
