"""What the server chose."""

from __future__ import annotations

from tlsinspect import fingerprint, registry
from tlsinspect.fields import basis
from tlsinspect.fields.field import Compare, Field, Group
from tlsinspect.fields.frames import RETRY_FRAMES, SERVER_HELLO_FRAMES, frames_of
from tlsinspect.fields.names import named, names
from tlsinspect.fields.readers import (
    encrypted_extensions,
    of_key_exchange,
    of_server_hello,
    of_whole_server_hello,
    retried,
    retry_group,
    server_key_share,
)
from tlsinspect.model.frame import Missing
from tlsinspect.model.message import EncryptedExtensions, ServerKeyExchange

SERVER_HELLO: tuple[Field, ...] = (
    Field(
        path="hello_retry_request.group",
        title="Group asked for by HelloRetryRequest",
        group=Group.PARAMETERS,
        read=retry_group,
        compare=Compare.VALUE,
        frames=RETRY_FRAMES,
        wireshark="tls.handshake.extensions_key_share_selected_group",
        source="RFC 8446 section 4.1.4",
        basis=basis.answer,
    ),
    Field(
        path="server_hello.version",
        title="Version negotiated",
        group=Group.PARAMETERS,
        read=of_server_hello(lambda s: registry.version_name(s.version) if s.version else Missing.LOST),
        compare=Compare.VALUE,
        frames=SERVER_HELLO_FRAMES,
        wireshark="tls.handshake.version",
        source="RFC 8446 section 4.1.3",
        basis=basis.answer,
    ),
    Field(
        path="server_hello.cipher_suite",
        title="Cipher suite chosen",
        group=Group.PARAMETERS,
        read=of_server_hello(lambda s: registry.CIPHER_SUITES.name(s.cipher_suite)),
        compare=Compare.VALUE,
        frames=SERVER_HELLO_FRAMES,
        wireshark="tls.handshake.ciphersuite",
        source="RFC 8446 section 4.1.3",
        basis=basis.answer,
    ),
    Field(
        path="server_hello.key_share_group",
        title="Group of the server's key share",
        group=Group.PARAMETERS,
        read=of_server_hello(server_key_share),
        compare=Compare.VALUE,
        frames=SERVER_HELLO_FRAMES,
        wireshark="tls.handshake.extensions_key_share_group",
        source="RFC 8446 section 4.2.8",
        basis=basis.answer,
    ),
    Field(
        path="server_key_exchange.named_group",
        title="Group of the key exchange",
        group=Group.PARAMETERS,
        read=lambda h: named(registry.NAMED_GROUPS)(of_key_exchange(lambda k: k.named_group)(h)),
        compare=Compare.VALUE,
        frames=frames_of(ServerKeyExchange),
        wireshark="tls.handshake.server_named_curve",
        source="RFC 8422 section 5.4",
        basis=basis.answer,
    ),
    Field(
        path="server_key_exchange.signature_algorithm",
        title="Signature of the key exchange",
        group=Group.PARAMETERS,
        read=lambda h: named(registry.SIGNATURE_SCHEMES)(of_key_exchange(lambda k: k.signature_algorithm)(h)),
        compare=Compare.VALUE,
        frames=frames_of(ServerKeyExchange),
        wireshark="tls.handshake.sig_hash_alg",
        source="RFC 5246 section 7.4.3",
        basis=basis.answer,
    ),
    Field(
        path="server_hello.extensions",
        title="Extensions answered",
        group=Group.HELLO,
        read=of_whole_server_hello(lambda s: names(registry.EXTENSION_TYPES, (e.type for e in s.extensions))),
        compare=Compare.SET,
        frames=SERVER_HELLO_FRAMES,
        wireshark="tls.handshake.extension.type",
        source="RFC 8446 section 4.2",
        basis=basis.answer,
    ),
    Field(
        path="encrypted_extensions.extensions",
        title="Extensions answered under encryption",
        group=Group.HELLO,
        read=encrypted_extensions,
        compare=Compare.SET,
        frames=frames_of(EncryptedExtensions),
        wireshark="tls.handshake.extension.type",
        source="RFC 8446 section 4.3.1",
        basis=basis.answer,
    ),
    Field(
        path="server_hello.random",
        title="Server random",
        group=Group.HELLO,
        read=of_server_hello(lambda s: s.random.hex()),
        compare=Compare.EXPECTED,
        frames=SERVER_HELLO_FRAMES,
        wireshark="tls.handshake.random",
        source="RFC 8446 section 4.1.3",
    ),
    Field(
        path="server_hello.hello_retry_request",
        title="HelloRetryRequest sent",
        group=Group.PARAMETERS,
        read=retried,
        compare=Compare.VALUE,
        frames=lambda h: RETRY_FRAMES(h) or SERVER_HELLO_FRAMES(h),
        wireshark="tls.handshake.random",
        source="RFC 8446 section 4.1.4",
        basis=basis.answer,
    ),
    Field(
        path="server_hello.ja3s",
        title="JA3S",
        group=Group.HELLO,
        read=of_whole_server_hello(fingerprint.ja3s),
        compare=Compare.EXPECTED,  # follows from the values above
        frames=SERVER_HELLO_FRAMES,
        wireshark="tls.handshake.ja3s",
        source="",
        basis=basis.answer,
    ),
)
