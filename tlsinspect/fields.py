"""The catalogue: everything that can be known about a handshake, declared once.

`show`, `diff`, JSON and its schema, the evidence of findings, the cross-check with tshark and the reference page all
read FIELDS.  Code points become names here, at the edge, and nowhere below.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from tlsinspect import fingerprint, registry
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Handshake, HttpExchange
from tlsinspect.model.message import (
    Alert,
    Certificate,
    CertificateMessage,
    CertificateRequest,
    ClientHello,
    EncryptedExtensions,
    KeyShare,
    NewSessionTicket,
    OfferedPsks,
    ServerHello,
    ServerKeyExchange,
)
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.versions import is_tls13
from tlsinspect.tls.x509 import decode_certificate, name_text


class Compare(enum.Enum):
    """How two values of a field are compared."""

    VALUE = "equal or not"
    SET = "which elements one has and the other has not; order does not matter"
    ORDERED = "elements and their order"
    EXPECTED = "differs between any two handshakes: random, ports, times"


class Group(enum.Enum):
    """The part of the exchange that a field belongs to, in the order of the exchange."""

    TRANSPORT = "transport"
    HELLO = "hello"
    ROUTING = "routing"
    PARAMETERS = "parameters"
    SERVER_CERTIFICATE = "server certificate"
    CLIENT_AUTHENTICATION = "client authentication"
    RESUMPTION = "resumption"
    OUTCOME = "outcome"


Value = object  # what JSON can hold, or a Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that can be known about a handshake."""

    path: str  # API and JSON name, also what a cause's looks_at refers to
    title: str  # heading on the screen
    group: Group
    read: Callable[[Handshake], Value]  # the value as JSON shows it, or a Missing
    compare: Compare
    frames: Callable[[Handshake], tuple[int, ...]]  # frames that carried it
    wireshark: str  # display-filter name, "" when Wireshark has none
    source: str  # RFC and section


# -- where a value stands -------------------------------------------------------------------------------------------


def client_hello(handshake: Handshake) -> ClientHello | Missing:
    """The first ClientHello, or why there is none."""
    return handshake.client_hellos[0] if handshake.client_hellos else handshake.no_client_hello


def of_whole_client_hello(read: Callable[[ClientHello], Value]) -> Callable[[Handshake], Value]:
    """Reads what only a hello that is there to its end can say."""
    return of_client_hello(lambda hello: Missing.LOST if hello.defect else read(hello))


def of_client_hello(read: Callable[[ClientHello], Value]) -> Callable[[Handshake], Value]:
    """Reads from the first ClientHello, or says why there is none."""

    def value(handshake: Handshake) -> Value:
        hello = client_hello(handshake)
        return hello if isinstance(hello, Missing) else read(hello)

    return value


def of_server_hello(read: Callable[[ServerHello], Value]) -> Callable[[Handshake], Value]:
    """Reads from the ServerHello, or says why there is none."""

    def value(handshake: Handshake) -> Value:
        hello = handshake.server_hello
        return hello if isinstance(hello, Missing) else read(hello)

    return value


def of_whole_server_hello(read: Callable[[ServerHello], Value]) -> Callable[[Handshake], Value]:
    """Reads what only a ServerHello that is there to its end can say."""
    return of_server_hello(lambda hello: Missing.LOST if hello.defect else read(hello))


def of_request(read: Callable[[CertificateRequest], Value]) -> Callable[[Handshake], Value]:
    """Reads from the CertificateRequest, or says why there is none."""

    def value(handshake: Handshake) -> Value:
        request = handshake.certificate_request
        return request if isinstance(request, Missing) else read(request)

    return value


def of_key_exchange(read: Callable[[ServerKeyExchange], int | None]) -> Callable[[Handshake], int | Missing]:
    """Reads from the ServerKeyExchange; None there means that the suite has no such choice."""

    def value(handshake: Handshake) -> int | Missing:
        message = handshake.server_key_exchange
        if isinstance(message, Missing):
            return message
        found = read(message)
        return Missing.NOT_SENT if found is None else found

    return value


def frames_of(*kinds: type, side: Side | None = None) -> Callable[[Handshake], tuple[int, ...]]:
    """The frames of the first message of one of those kinds."""

    def frames(handshake: Handshake) -> tuple[int, ...]:
        for event in handshake.events:
            if isinstance(event.message, kinds) and side in (None, event.side):
                return event.frames
        return ()

    return frames


def all_frames_of(*kinds: type) -> Callable[[Handshake], tuple[int, ...]]:
    """The frames of all messages of those kinds."""

    def frames(handshake: Handshake) -> tuple[int, ...]:
        found = [number for event in handshake.events if isinstance(event.message, kinds) for number in event.frames]
        return tuple(dict.fromkeys(found))

    return frames


CLIENT_HELLO_FRAMES = frames_of(ClientHello)


def hello_frames(*, retry: bool) -> Callable[[Handshake], tuple[int, ...]]:
    """The frames of the ServerHello, or of the HelloRetryRequest before it, which has the same form."""

    def frames(handshake: Handshake) -> tuple[int, ...]:
        for event in handshake.events:
            if isinstance(event.message, ServerHello) and event.message.hello_retry_request is retry:
                return event.frames
        return ()

    return frames


SERVER_HELLO_FRAMES = hello_frames(retry=False)
RETRY_FRAMES = hello_frames(retry=True)


def chosen_alpn_frames(handshake: Handshake) -> tuple[int, ...]:
    """The frames of the message that names the chosen protocol: EncryptedExtensions where there is one."""
    return frames_of(EncryptedExtensions)(handshake) or SERVER_HELLO_FRAMES(handshake)


def alert_frames(side: Side) -> Callable[[Handshake], tuple[int, ...]]:
    """The frame of the first fatal alert of one side."""

    def frames(handshake: Handshake) -> tuple[int, ...]:
        fatal = (seen.frame for seen in handshake.alerts if seen.side is side and seen.alert.level == 2)
        return tuple(islice(fatal, 1))

    return frames


NO_FRAMES: Callable[[Handshake], tuple[int, ...]] = lambda handshake: ()  # noqa: E731 - a table entry


# -- code points to names -------------------------------------------------------------------------------------------


def names(table: registry.Registry, codes: Iterable[int]) -> tuple[str, ...]:
    """The names of code points, GREASE left out: it says nothing (RFC 8701)."""
    return _names(table, tuple(codes))


@lru_cache(maxsize=4096)  # clients offer the same lists in every hello
def _names(table: registry.Registry, codes: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(table.name(code) for code in codes if not registry.is_grease(code))


def named(table: registry.Registry) -> Callable[[object], Value]:
    """Turns a code point or a tuple of them into names; passes a Missing on."""

    def present(value: object) -> Value:
        if isinstance(value, Missing):
            return value
        if isinstance(value, tuple):
            return names(table, value)
        return table.name(value) if isinstance(value, int) else Missing.MALFORMED

    return present


def versions(value: object) -> Value:
    """Names of protocol versions, GREASE left out."""
    if isinstance(value, tuple):
        return tuple(registry.version_name(code) for code in value if not registry.is_grease(code))
    return value


def body(extension_type: int, present: Callable[[object], Value] = lambda value: value) -> Callable[[Handshake], Value]:
    """Reads an extension of the first ClientHello."""
    return of_client_hello(lambda hello: present(hello.body(extension_type)))


def presence(extension_type: int) -> Callable[[Handshake], Value]:
    """Whether the first ClientHello has an extension."""
    return of_client_hello(lambda hello: hello.has(extension_type))


def key_share_groups(value: object) -> Value:
    """Names of the groups for which the client sent a share."""
    if isinstance(value, tuple):
        return names(registry.NAMED_GROUPS, (share.group for share in value if isinstance(share, KeyShare)))
    return value


def psk_identity_lengths(value: object) -> Value:
    """Length of each PSK identity in octets."""
    if isinstance(value, OfferedPsks):
        return tuple(len(identity.identity) for identity in value.identities)
    return value


def ticket_length(value: object) -> Value:
    """Length of the ticket in octets; 0 asks for one."""
    return len(value) if isinstance(value, bytes) else value


# -- reads that need more than one message --------------------------------------------------------------------------


def chosen_alpn(handshake: Handshake) -> Value:
    """The protocol that the server chose: in ServerHello, from TLS 1.3 on in EncryptedExtensions."""
    hello = handshake.server_hello
    if isinstance(hello, Missing):
        return hello
    if not hello.version:
        return Missing.LOST
    if not is_tls13(hello.version):
        return hello.body(ext.ALPN)
    encrypted = handshake.encrypted_extensions
    return encrypted if isinstance(encrypted, Missing) else encrypted.body(ext.ALPN)


def encrypted_extensions(handshake: Handshake) -> Value:
    """Extension types of EncryptedExtensions; in TLS 1.2 and before there is no such message."""
    encrypted = handshake.encrypted_extensions
    if isinstance(encrypted, Missing):
        return encrypted
    return names(registry.EXTENSION_TYPES, (extension.type for extension in encrypted.extensions))


def server_key_share(hello: ServerHello) -> Value:
    """The group of the server's key share."""
    share = hello.body(ext.KEY_SHARE)
    return registry.NAMED_GROUPS.name(share.group) if isinstance(share, KeyShare) else share


def retried(handshake: Handshake) -> Value:
    """Whether a HelloRetryRequest came: not known where octets before the ServerHello are missing."""
    retry = handshake.hello_retry_request
    if retry is Missing.LOST:
        return retry
    return isinstance(retry, ServerHello) or of_server_hello(lambda s: False)(handshake)


def retry_group(handshake: Handshake) -> Value:
    """The group that a HelloRetryRequest asks for."""
    retry = handshake.hello_retry_request
    return retry if isinstance(retry, Missing) else named(registry.NAMED_GROUPS)(retry.body(ext.KEY_SHARE))


def certificates(message: CertificateMessage | Missing) -> tuple[Certificate, ...] | Missing:
    """The chain decoded, leaf first; one that is cut or malformed on the way is not known."""
    if isinstance(message, Missing):
        return message
    return Missing.LOST if message.defect else tuple(decode_certificate(entry.der) for entry in message.entries)


def certificate_object(certificate: Certificate) -> dict[str, Value]:
    """A certificate as JSON shows it."""
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial_number": certificate.serial_number,
        "not_before": certificate.not_before and certificate.not_before.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "not_after": certificate.not_after and certificate.not_after.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "subject_alt_names": certificate.subject_alt_names,
        "public_key": certificate.public_key,
        "signature_algorithm": certificate.signature_algorithm,
        "sha256": certificate.sha256,
        "self_signed": certificate.self_signed,
    }


@lru_cache(maxsize=4096)  # as many as decode_certificate keeps
def _certificate_object(der: bytes) -> dict[str, Value]:
    return certificate_object(decode_certificate(der))


def chain(side: Side) -> Callable[[Handshake], Value]:
    """The certificates of one side as JSON shows them."""

    def value(handshake: Handshake) -> Value:
        message = handshake.server_certificates if side is Side.SERVER else handshake.client_certificates
        found = certificates(message)
        return found if isinstance(found, Missing) else tuple(_certificate_object(each.der) for each in found)

    return value


def authorities(request: CertificateRequest) -> Value:
    """The names of the authorities that the server accepts."""
    return tuple(name_text(name) for name in request.certificate_authorities)


def tickets(handshake: Handshake) -> Value:
    """Length of each NewSessionTicket's ticket in octets."""
    found = handshake.session_tickets
    return found if isinstance(found, Missing) else tuple(len(ticket.ticket) for ticket in found)


def alert_objects(handshake: Handshake) -> Value:
    """Alerts in wire order as JSON shows them."""
    return tuple(
        {
            "from": seen.side.value,
            "level": {1: "warning", 2: "fatal"}.get(seen.alert.level, f"level {seen.alert.level}"),
            "code": seen.alert.description,
            "description": registry.ALERTS.name(seen.alert.description),
        }
        for seen in handshake.alerts
    )


def alert_of(side: Side) -> Callable[[Handshake], Value]:
    """The first fatal alert of one side."""

    def value(handshake: Handshake) -> Value:
        for seen in handshake.alerts:
            if seen.side is side and seen.alert.level == 2:
                return registry.ALERTS.name(seen.alert.description)
        return Missing.NOT_SENT

    return value


def marks(read: str, side: Side) -> Callable[[Handshake], tuple[int, ...]]:
    """Frames of the FINs or RSTs of one side."""
    return lambda handshake: tuple(mark.frame for mark in getattr(handshake.tcp, read) if mark.side is side)


def closing(read: str, side: Side) -> Callable[[Handshake], Value]:
    """Whether one side sent a FIN or a RST while the handshake was looked at."""
    return lambda handshake: bool(marks(read, side)(handshake))


def of_http(read: Callable[[HttpExchange], Value]) -> Callable[[Handshake], Value]:
    """Reads from the first HTTP exchange, or says why there is none."""

    def value(handshake: Handshake) -> Value:
        if isinstance(handshake.http, Missing):
            return handshake.http
        return read(handshake.http[0]) if handshake.http else Missing.NOT_SENT

    return value


def http_heads(present: Callable[[HttpExchange], Value | None]) -> Callable[[Handshake], Value]:
    """Reads from each HTTP exchange; what is None there is left out."""

    def value(handshake: Handshake) -> Value:
        if isinstance(handshake.http, Missing):
            return handshake.http
        return tuple(found for found in map(present, handshake.http) if found is not None)

    return value


def http_request(each: HttpExchange) -> Value | None:
    """A request as JSON shows it."""
    if not each.method:
        return None
    return {"version": each.version, "method": each.method, "host": each.host or None, "path": each.path or None}


def http_said(each: HttpExchange) -> Value:
    """What the content of an error says of certificates; one that is cut may have said more."""
    if each.said:
        return each.said
    return Missing.LOST if each.status is None or each.status >= 400 else Missing.NOT_SENT


def http_frames(name: str) -> Callable[[Handshake], tuple[int, ...]]:
    """The frame of the first request or response."""

    def frames(handshake: Handshake) -> tuple[int, ...]:
        first = None if isinstance(handshake.http, Missing) or not handshake.http else getattr(handshake.http[0], name)
        return () if first is None else (first,)

    return frames


def has_request(handshake: Handshake) -> Value:
    """Whether the server asked for a client certificate."""
    request = handshake.certificate_request
    return False if request is Missing.NOT_SENT else request if isinstance(request, Missing) else True


# -- the catalogue --------------------------------------------------------------------------------------------------


JA4_TRANSPORT = {"tls": "tcp", "dtls": "dtls", "quic": "quic"}

FIELDS: tuple[Field, ...] = (
    Field(
        path="tcp.syn_count",
        title="Connection attempts (SYN)",
        group=Group.TRANSPORT,
        read=lambda h: h.tcp.syn_count,
        compare=Compare.EXPECTED,
        frames=lambda h: (h.tcp.syn.frame,) if h.tcp.syn else (),
        wireshark="",
        source="RFC 9293 section 3.5",
    ),
    Field(
        path="tcp.client_fin",
        title="Client closed (FIN)",
        group=Group.TRANSPORT,
        read=closing("fins", Side.CLIENT),
        compare=Compare.EXPECTED,
        frames=marks("fins", Side.CLIENT),
        wireshark="",
        source="RFC 9293 section 3.6",
    ),
    Field(
        path="tcp.server_fin",
        title="Server closed (FIN)",
        group=Group.TRANSPORT,
        read=closing("fins", Side.SERVER),
        compare=Compare.EXPECTED,
        frames=marks("fins", Side.SERVER),
        wireshark="",
        source="RFC 9293 section 3.6",
    ),
    Field(
        path="tcp.client_reset",
        title="Client reset (RST)",
        group=Group.TRANSPORT,
        read=closing("resets", Side.CLIENT),
        compare=Compare.EXPECTED,
        frames=marks("resets", Side.CLIENT),
        wireshark="",
        source="RFC 9293 section 3.5.2",
    ),
    Field(
        path="tcp.server_reset",
        title="Server reset (RST)",
        group=Group.TRANSPORT,
        read=closing("resets", Side.SERVER),
        compare=Compare.EXPECTED,
        frames=marks("resets", Side.SERVER),
        wireshark="",
        source="RFC 9293 section 3.5.2",
    ),
    Field(
        path="preamble.protocol",
        title="Dialogue before TLS",
        group=Group.TRANSPORT,
        read=lambda h: h.preamble.protocol if h.preamble else Missing.NOT_SENT,
        compare=Compare.VALUE,
        frames=lambda h: h.preamble.frames if h.preamble else (),
        wireshark="",
        source="",
    ),
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
    ),
    Field(
        path="client_hello.legacy_version",
        title="Legacy version",
        group=Group.HELLO,
        read=of_client_hello(lambda c: registry.version_name(c.legacy_version)),
        compare=Compare.VALUE,
        frames=CLIENT_HELLO_FRAMES,
        wireshark="tls.handshake.version",
        source="RFC 8446 section 4.1.2",
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
    ),
    Field(
        path="hello_retry_request.group",
        title="Group asked for by HelloRetryRequest",
        group=Group.PARAMETERS,
        read=retry_group,
        compare=Compare.VALUE,
        frames=RETRY_FRAMES,
        wireshark="tls.handshake.extensions_key_share_selected_group",
        source="RFC 8446 section 4.1.4",
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
    ),
    Field(
        path="server_certificates",
        title="Server certificate",
        group=Group.SERVER_CERTIFICATE,
        read=chain(Side.SERVER),
        compare=Compare.VALUE,
        frames=frames_of(CertificateMessage, side=Side.SERVER),
        wireshark="tls.handshake.certificate",
        source="RFC 8446 section 4.4.2",
    ),
    Field(
        path="certificate_request",
        title="Client certificate requested",
        group=Group.CLIENT_AUTHENTICATION,
        read=has_request,
        compare=Compare.VALUE,
        frames=frames_of(CertificateRequest),
        wireshark="tls.handshake.type",
        source="RFC 8446 section 4.3.2",
    ),
    Field(
        path="certificate_request.certificate_authorities",
        title="Authorities accepted",
        group=Group.CLIENT_AUTHENTICATION,
        read=of_request(authorities),
        compare=Compare.SET,
        frames=frames_of(CertificateRequest),
        wireshark="tls.handshake.dname",
        source="RFC 8446 section 4.2.4",
    ),
    Field(
        path="certificate_request.signature_algorithms",
        title="Signature algorithms asked for",
        group=Group.CLIENT_AUTHENTICATION,
        read=of_request(lambda r: names(registry.SIGNATURE_SCHEMES, r.signature_algorithms)),
        compare=Compare.ORDERED,
        frames=frames_of(CertificateRequest),
        wireshark="tls.handshake.sig_hash_alg",
        source="RFC 8446 section 4.2.3",
    ),
    Field(
        path="client_certificates",
        title="Client certificate",
        group=Group.CLIENT_AUTHENTICATION,
        read=chain(Side.CLIENT),
        compare=Compare.VALUE,
        frames=frames_of(CertificateMessage, side=Side.CLIENT),
        wireshark="tls.handshake.certificate",
        source="RFC 8446 section 4.4.2",
    ),
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
    ),
    Field(
        path="http.host",
        title="HTTP host",
        group=Group.OUTCOME,
        read=of_http(lambda each: each.host or (Missing.NOT_SENT if each.method else Missing.LOST)),
        compare=Compare.VALUE,
        frames=http_frames("request_frame"),
        wireshark="http.host",  # http2.headers.authority in HTTP/2
        source="RFC 9110 section 7.2",
    ),
    Field(
        path="http.status",
        title="HTTP status",
        group=Group.OUTCOME,
        read=of_http(lambda each: Missing.LOST if each.status is None else each.status),
        compare=Compare.VALUE,
        frames=http_frames("response_frame"),
        wireshark="http.response.code",  # http2.headers.status in HTTP/2
        source="RFC 9110 section 15",
    ),
    Field(
        path="http.said",
        title="HTTP error about certificates",
        group=Group.OUTCOME,
        read=of_http(http_said),
        compare=Compare.VALUE,
        frames=http_frames("response_frame"),
        wireshark="",
        source="RFC 9110 section 15.5",
    ),
    Field(
        path="http.requests",
        title="HTTP requests",
        group=Group.OUTCOME,
        read=http_heads(http_request),
        compare=Compare.EXPECTED,  # the first is told above, the others are further uses of the connection
        frames=http_frames("request_frame"),
        wireshark="",
        source="RFC 9110 section 3.4",
    ),
    Field(
        path="http.responses",
        title="HTTP statuses",
        group=Group.OUTCOME,
        read=http_heads(lambda each: each.status),
        compare=Compare.EXPECTED,
        frames=http_frames("response_frame"),
        wireshark="",
        source="RFC 9110 section 15",
    ),
    Field(
        path="client_alert",
        title="Alert from the client",
        group=Group.OUTCOME,
        read=alert_of(Side.CLIENT),
        compare=Compare.VALUE,
        frames=alert_frames(Side.CLIENT),
        wireshark="tls.alert_message.desc",
        source="RFC 8446 section 6",
    ),
    Field(
        path="server_alert",
        title="Alert from the server",
        group=Group.OUTCOME,
        read=alert_of(Side.SERVER),
        compare=Compare.VALUE,
        frames=alert_frames(Side.SERVER),
        wireshark="tls.alert_message.desc",
        source="RFC 8446 section 6",
    ),
    Field(
        path="alerts",
        title="Alerts",
        group=Group.OUTCOME,
        read=alert_objects,
        compare=Compare.EXPECTED,  # the two fields above say it already
        frames=all_frames_of(Alert),
        wireshark="tls.alert_message.desc",
        source="RFC 8446 section 6",
    ),
    Field(
        path="history",
        title="Messages",
        group=Group.OUTCOME,
        read=lambda h: h.history,
        compare=Compare.EXPECTED,
        frames=NO_FRAMES,
        wireshark="",
        source="",
    ),
    Field(
        path="outcome",
        title="Outcome",
        group=Group.OUTCOME,
        read=lambda h: h.outcome.value,
        compare=Compare.VALUE,
        frames=lambda h: (h.ending.frame,) if h.ending and h.ending.frame else (),
        wireshark="",
        source="",
    ),
)

BY_PATH = {field.path: field for field in FIELDS}
UNSEEN = frozenset((Missing.HIDDEN, Missing.LOST, Missing.MALFORMED))  # there may be a value, and it is not known


def read(handshake: Handshake, path: str) -> Value:
    """The value of one field; KeyError for a path that is not in the catalogue."""
    return BY_PATH[path].read(handshake)
