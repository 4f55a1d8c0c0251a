"""Extension bodies: one function each, and the table that says in which message they stand.

RFC 8446 section 4.2.  The same extension has another body in each message, so the table is keyed by both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tlsinspect import registry
from tlsinspect.model.frame import Defect
from tlsinspect.model.message import EncryptedClientHello, Extension, KeyShare, OfferedPsks, PskIdentity
from tlsinspect.wire import Cursor, Malformed

# The messages that carry extensions, by HandshakeType (hello_retry_request_RESERVED for HelloRetryRequest).
CLIENT_HELLO = 1
SERVER_HELLO = 2
NEW_SESSION_TICKET = 4
HELLO_RETRY_REQUEST = 6
ENCRYPTED_EXTENSIONS = 8
CERTIFICATE = 11
CERTIFICATE_REQUEST = 13

WHERE: Mapping[int, str] = {
    CLIENT_HELLO: "client_hello",
    SERVER_HELLO: "server_hello",
    NEW_SESSION_TICKET: "new_session_ticket",
    HELLO_RETRY_REQUEST: "hello_retry_request",
    ENCRYPTED_EXTENSIONS: "encrypted_extensions",
    CERTIFICATE: "certificate",
    CERTIFICATE_REQUEST: "certificate_request",
}

# ExtensionType, with IANA's names.
SERVER_NAME = 0
MAX_FRAGMENT_LENGTH = 1
STATUS_REQUEST = 5
SUPPORTED_GROUPS = 10
EC_POINT_FORMATS = 11
SIGNATURE_ALGORITHMS = 13
USE_SRTP = 14
HEARTBEAT = 15
ALPN = 16
SIGNED_CERTIFICATE_TIMESTAMP = 18
PADDING = 21
ENCRYPT_THEN_MAC = 22
EXTENDED_MASTER_SECRET = 23
COMPRESS_CERTIFICATE = 27
RECORD_SIZE_LIMIT = 28
DELEGATED_CREDENTIAL = 34
SESSION_TICKET = 35
KEY_SHARE_OLD = 40  # key_share until draft 22 of TLS 1.3
PRE_SHARED_KEY = 41
EARLY_DATA = 42
SUPPORTED_VERSIONS = 43
COOKIE = 44
PSK_KEY_EXCHANGE_MODES = 45
CERTIFICATE_AUTHORITIES = 47
POST_HANDSHAKE_AUTH = 49
SIGNATURE_ALGORITHMS_CERT = 50
KEY_SHARE = 51
QUIC_TRANSPORT_PARAMETERS = 57
NEXT_PROTOCOL_NEGOTIATION = 13172
APPLICATION_SETTINGS_OLD = 17513
APPLICATION_SETTINGS = 17613
ENCRYPTED_CLIENT_HELLO = 0xFE0D
RENEGOTIATION_INFO = 0xFF01

HOST_NAME = 0  # NameType


def decode_extensions(body: Cursor, message: int) -> tuple[tuple[Extension, ...], Defect | None]:
    """The extensions that end a message, up to the first that overruns, and what is wrong with the block.

    *message* is one of the constants above.  Without any octet there are no extensions: SSL 3.0 and some TLS 1.0
    clients send no block at all.
    """
    extensions, defect = decode_extension_block(body, message)
    return extensions, defect or trailing(body, WHERE[message])


def decode_extension_block(body: Cursor, message: int) -> tuple[tuple[Extension, ...], Defect | None]:
    """The same for a block that other octets of the message follow, as in Certificate."""
    if not len(body):
        return (), None
    where = f"{WHERE[message]}.extensions"
    found: list[Extension] = []
    defect = None
    try:
        block = body.vector(2, "extensions")
    except Malformed as error:  # a cut message: read what is there
        defect = Defect(where, error.problem, error.offset)
        block = body
    try:
        while len(block):
            header = block.uint(4, "extension_type and length")
            extension_type = header >> 16
            octets = block.take(header & 0xFFFF, "extension_data")
            found.append(decode_extension(extension_type, octets, message, offset=block.offset - len(octets)))
    except Malformed as error:
        defect = defect or Defect(where, error.problem, error.offset)
    return tuple(found), defect


def trailing(body: Cursor, where: str) -> Defect | None:
    """The defect of octets after the end of a message, if there are any."""
    if not len(body):
        return None
    return Defect(where, f"{len(body)} octets after the end of {where}", body.offset)


def decode_extension(extension_type: int, octets: bytes, message: int, *, offset: int) -> Extension:
    """One extension.  One whose body cannot be decoded keeps its octets and says why.

    *offset* is where extension_data begins in the message.
    """
    decode = BODIES.get((message, extension_type))
    if decode is None:
        return Extension(extension_type, octets)
    data = Cursor(octets)
    try:
        body = decode(data)
        data.end("extension_data")
    except Malformed as error:
        where = f"{WHERE[message]}.extensions.{registry.EXTENSION_TYPES.name(extension_type)}"
        return Extension(extension_type, octets, defect=Defect(where, error.problem, offset + error.offset))
    return Extension(extension_type, octets, body)


def present(body: Cursor) -> bool:
    """True: an extension that says everything by being there has no octets."""
    return True


def opaque(body: Cursor) -> bytes:
    """The octets as they are."""
    return body.rest()


def opaque_or_present(body: Cursor) -> bytes | bool:
    """The octets, or True where an empty extension asks for them."""
    return body.rest() or True


def one_octet(body: Cursor) -> int:
    """A single code of one octet."""
    return body.uint(1, "extension_data")


def two_octets(body: Cursor) -> int:
    """A single code or number of two octets."""
    return body.uint(2, "extension_data")


def server_name(body: Cursor) -> str:
    """The first host_name of ServerNameList; octets beyond ASCII are written as \\xNN.  RFC 6066 section 3."""
    names = body.vector(2, "server_name_list")
    found: list[bytes] = []
    while len(names):
        name_type = names.uint(1, "name_type")
        name = names.vector(2, "server_name").rest()
        if name_type == HOST_NAME:
            found.append(name)
    if not found:
        raise Malformed("server_name_list has no host_name", names.offset)
    return found[0].decode("ascii", "backslashreplace")


def status_type(body: Cursor) -> int:
    """The CertificateStatusType that the client asks for.  RFC 6066 section 8."""
    kind = body.uint(1, "status_type")
    body.rest()  # responder_id_list and request_extensions, for the responder
    return kind


def stapled_response(body: Cursor) -> bytes:
    """DER of the OCSPResponse that a TLS 1.3 certificate brings along.  RFC 8446 section 4.4.2.1."""
    body.uint(1, "status_type")
    return body.vector(3, "ocsp_response").rest()


def short_codes(body: Cursor) -> tuple[int, ...]:
    """Codes of one octet each, such as ECPointFormat.  RFC 8422 section 5.1.2, RFC 8446 section 4.2.9."""
    return body.vector(1, "list").uints(1, "code")


def codes(body: Cursor) -> tuple[int, ...]:
    """NamedGroup or SignatureScheme codes in order of preference.  RFC 8446 sections 4.2.3 and 4.2.7."""
    return body.vector(2, "list").uints(2, "code")


def codes_in_short_list(body: Cursor) -> tuple[int, ...]:
    """Versions or certificate compression algorithms.  RFC 8446 section 4.2.1, RFC 8879 section 3."""
    return body.vector(1, "list").uints(2, "code")


def srtp_profiles(body: Cursor) -> tuple[int, ...]:
    """SRTPProtectionProfile codes; the MKI is passed over.  RFC 5764 section 4.1.1."""
    profiles = codes(body)
    body.vector(1, "srtp_mki")
    return profiles


def protocol_names(body: Cursor) -> tuple[str, ...]:
    """Protocols in order of preference; octets beyond ASCII are written as \\xNN.  RFC 7301 section 3.1."""
    return unframed_protocol_names(body.vector(2, "protocol_name_list"))


def unframed_protocol_names(names: Cursor) -> tuple[str, ...]:
    """Names one after the other, as Next Protocol Negotiation sends them (draft-agl-tls-nextprotoneg-04)."""
    found = []
    while len(names):
        found.append(names.vector(1, "protocol_name").rest().decode("ascii", "backslashreplace"))
    return tuple(found)


def chosen_protocol(body: Cursor) -> str:
    """The one protocol that the server selects.  RFC 7301 section 3.1."""
    names = protocol_names(body)
    if len(names) != 1:
        raise Malformed(f"protocol_name_list of a server has {len(names)} names, 1 is expected", 0)
    return names[0]


def padding(body: Cursor) -> int:
    """How many octets of padding.  RFC 7685 section 3."""
    return len(body.rest())


def offered_psks(body: Cursor) -> OfferedPsks:
    """RFC 8446 section 4.2.11."""
    identities = []
    block = body.vector(2, "identities")
    while len(block):
        identity = block.vector(2, "identity").rest()
        identities.append(PskIdentity(identity, block.uint(4, "obfuscated_ticket_age")))
    binders = []
    block = body.vector(2, "binders")
    while len(block):
        binders.append(block.vector(1, "binder").rest())
    return OfferedPsks(tuple(identities), tuple(binders))


def max_early_data_size(body: Cursor) -> int:
    """Octets of early data that a ticket allows.  RFC 8446 section 4.6.1."""
    return body.uint(4, "max_early_data_size")


def cookie(body: Cursor) -> bytes:
    """RFC 8446 section 4.2.2."""
    return body.vector(2, "cookie").rest()


def distinguished_names(body: Cursor) -> tuple[bytes, ...]:
    """DER of each DistinguishedName.  RFC 8446 section 4.2.4, RFC 5246 section 7.4.4."""
    names = body.vector(2, "certificate_authorities")
    found = []
    while len(names):
        found.append(names.vector(2, "distinguished_name").rest())
    return tuple(found)


def key_share_entry(body: Cursor) -> KeyShare:
    """The share of one group.  RFC 8446 section 4.2.8."""
    group = body.uint(2, "group")
    return KeyShare(group, len(body.vector(2, "key_exchange")))


def key_shares(body: Cursor) -> tuple[KeyShare, ...]:
    """A client's shares in order of preference.  RFC 8446 section 4.2.8."""
    shares = body.vector(2, "client_shares")
    found = []
    while len(shares):
        found.append(key_share_entry(shares))
    return tuple(found)


def encrypted_client_hello(body: Cursor) -> EncryptedClientHello:
    """ECHClientHello.  RFC 9849 section 5."""
    kind = body.uint(1, "type")
    if kind == 1:
        return EncryptedClientHello(kind)
    return EncryptedClientHello(
        kind,
        kdf_id=body.uint(2, "kdf_id"),
        aead_id=body.uint(2, "aead_id"),
        config_id=body.uint(1, "config_id"),
        enc=body.vector(2, "enc").rest(),
        payload_octets=len(body.vector(2, "payload")),
    )


def renegotiated_connection(body: Cursor) -> bytes:
    """Empty in a first handshake.  RFC 5746 section 3.2."""
    return body.vector(1, "renegotiated_connection").rest()


BODIES: Mapping[tuple[int, int], Callable[[Cursor], object]] = {
    (CLIENT_HELLO, SERVER_NAME): server_name,
    (CLIENT_HELLO, MAX_FRAGMENT_LENGTH): one_octet,
    (CLIENT_HELLO, STATUS_REQUEST): status_type,
    (CLIENT_HELLO, SUPPORTED_GROUPS): codes,
    (CLIENT_HELLO, EC_POINT_FORMATS): short_codes,
    (CLIENT_HELLO, SIGNATURE_ALGORITHMS): codes,
    (CLIENT_HELLO, USE_SRTP): srtp_profiles,
    (CLIENT_HELLO, HEARTBEAT): one_octet,
    (CLIENT_HELLO, ALPN): protocol_names,
    (CLIENT_HELLO, SIGNED_CERTIFICATE_TIMESTAMP): opaque_or_present,
    (CLIENT_HELLO, PADDING): padding,
    (CLIENT_HELLO, ENCRYPT_THEN_MAC): present,
    (CLIENT_HELLO, EXTENDED_MASTER_SECRET): present,
    (CLIENT_HELLO, COMPRESS_CERTIFICATE): codes_in_short_list,
    (CLIENT_HELLO, RECORD_SIZE_LIMIT): two_octets,
    (CLIENT_HELLO, DELEGATED_CREDENTIAL): codes,
    (CLIENT_HELLO, SESSION_TICKET): opaque,
    (CLIENT_HELLO, KEY_SHARE_OLD): key_shares,
    (CLIENT_HELLO, PRE_SHARED_KEY): offered_psks,
    (CLIENT_HELLO, EARLY_DATA): present,
    (CLIENT_HELLO, SUPPORTED_VERSIONS): codes_in_short_list,
    (CLIENT_HELLO, COOKIE): cookie,
    (CLIENT_HELLO, PSK_KEY_EXCHANGE_MODES): short_codes,
    (CLIENT_HELLO, CERTIFICATE_AUTHORITIES): distinguished_names,
    (CLIENT_HELLO, POST_HANDSHAKE_AUTH): present,
    (CLIENT_HELLO, SIGNATURE_ALGORITHMS_CERT): codes,
    (CLIENT_HELLO, KEY_SHARE): key_shares,
    (CLIENT_HELLO, QUIC_TRANSPORT_PARAMETERS): opaque,
    (CLIENT_HELLO, NEXT_PROTOCOL_NEGOTIATION): present,
    (CLIENT_HELLO, APPLICATION_SETTINGS_OLD): protocol_names,
    (CLIENT_HELLO, APPLICATION_SETTINGS): protocol_names,
    (CLIENT_HELLO, ENCRYPTED_CLIENT_HELLO): encrypted_client_hello,
    (CLIENT_HELLO, RENEGOTIATION_INFO): renegotiated_connection,
    (SERVER_HELLO, SERVER_NAME): present,
    (SERVER_HELLO, MAX_FRAGMENT_LENGTH): one_octet,
    (SERVER_HELLO, STATUS_REQUEST): present,
    (SERVER_HELLO, SUPPORTED_GROUPS): codes,  # RFC 8422 does not allow it; some servers send it all the same
    (SERVER_HELLO, EC_POINT_FORMATS): short_codes,
    (SERVER_HELLO, USE_SRTP): srtp_profiles,
    (SERVER_HELLO, HEARTBEAT): one_octet,
    (SERVER_HELLO, ALPN): chosen_protocol,
    (SERVER_HELLO, SIGNED_CERTIFICATE_TIMESTAMP): opaque_or_present,
    (SERVER_HELLO, ENCRYPT_THEN_MAC): present,
    (SERVER_HELLO, EXTENDED_MASTER_SECRET): present,
    (SERVER_HELLO, RECORD_SIZE_LIMIT): two_octets,
    (SERVER_HELLO, SESSION_TICKET): opaque,
    (SERVER_HELLO, KEY_SHARE_OLD): key_share_entry,
    (SERVER_HELLO, PRE_SHARED_KEY): two_octets,
    (SERVER_HELLO, SUPPORTED_VERSIONS): two_octets,
    (SERVER_HELLO, KEY_SHARE): key_share_entry,
    (SERVER_HELLO, NEXT_PROTOCOL_NEGOTIATION): unframed_protocol_names,
    (SERVER_HELLO, RENEGOTIATION_INFO): renegotiated_connection,
    (HELLO_RETRY_REQUEST, KEY_SHARE_OLD): two_octets,
    (HELLO_RETRY_REQUEST, SUPPORTED_VERSIONS): two_octets,
    (HELLO_RETRY_REQUEST, COOKIE): cookie,
    (HELLO_RETRY_REQUEST, KEY_SHARE): two_octets,
    (HELLO_RETRY_REQUEST, ENCRYPTED_CLIENT_HELLO): opaque,
    (ENCRYPTED_EXTENSIONS, SERVER_NAME): present,
    (ENCRYPTED_EXTENSIONS, MAX_FRAGMENT_LENGTH): one_octet,
    (ENCRYPTED_EXTENSIONS, SUPPORTED_GROUPS): codes,
    (ENCRYPTED_EXTENSIONS, USE_SRTP): srtp_profiles,
    (ENCRYPTED_EXTENSIONS, HEARTBEAT): one_octet,
    (ENCRYPTED_EXTENSIONS, ALPN): chosen_protocol,
    (ENCRYPTED_EXTENSIONS, RECORD_SIZE_LIMIT): two_octets,
    (ENCRYPTED_EXTENSIONS, EARLY_DATA): present,
    (ENCRYPTED_EXTENSIONS, QUIC_TRANSPORT_PARAMETERS): opaque,
    (ENCRYPTED_EXTENSIONS, ENCRYPTED_CLIENT_HELLO): opaque,
    (CERTIFICATE, STATUS_REQUEST): stapled_response,
    (CERTIFICATE, SIGNED_CERTIFICATE_TIMESTAMP): opaque,
    (CERTIFICATE_REQUEST, STATUS_REQUEST): present,
    (CERTIFICATE_REQUEST, SIGNATURE_ALGORITHMS): codes,
    (CERTIFICATE_REQUEST, SIGNED_CERTIFICATE_TIMESTAMP): opaque_or_present,
    (CERTIFICATE_REQUEST, COMPRESS_CERTIFICATE): codes_in_short_list,
    (CERTIFICATE_REQUEST, DELEGATED_CREDENTIAL): codes,
    (CERTIFICATE_REQUEST, CERTIFICATE_AUTHORITIES): distinguished_names,
    (CERTIFICATE_REQUEST, SIGNATURE_ALGORITHMS_CERT): codes,
    (NEW_SESSION_TICKET, EARLY_DATA): max_early_data_size,
}
