"""Handshake messages with the names of RFC 8446.  Values only; code points are plain integers."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime

from tlsinspect.model.frame import Defect, Missing
from tlsinspect.model.value import value


class Shape:
    """Stands for what the hellos of one program have in common; one object for all of them, compared by identity.

    That is all but random, session ID, server_name, tickets, PSKs, cookies, padding, ECH, transport parameters of QUIC,
    and the octets of the key shares.
    """

    __slots__ = ()


@value()
class Extension:
    """One extension of a message.  RFC 8446 section 4.2."""

    type: int
    data: bytes  # extension_data as captured
    body: object = None  # decoded form; None when no decoder knows the type or the data is defective
    defect: Defect | None = None


class ExtensionBlock:
    """What messages with extensions share."""

    __slots__ = ()

    extensions: tuple[Extension, ...]
    defect: Defect | None

    def body(self, extension_type: int) -> object:
        """The decoded body of the first extension of that type, or the reason why there is none."""
        for extension in self.extensions:
            if extension.type == extension_type:
                return Missing.MALFORMED if extension.defect else extension.body
        return Missing.LOST if self.defect else Missing.NOT_SENT

    def has(self, extension_type: int) -> bool | Missing:
        """Whether an extension of that type was sent; LOST when the block could not be read to its end."""
        for extension in self.extensions:
            if extension.type == extension_type:
                return True
        return Missing.LOST if self.defect else False


@value()
class KeyShare:
    """One KeyShareEntry; the key itself is of no use here.  RFC 8446 section 4.2.8."""

    group: int
    octets: int  # length of key_exchange


@value()
class PskIdentity:
    """One identity of a client's pre_shared_key extension.  RFC 8446 section 4.2.11."""

    identity: bytes
    obfuscated_ticket_age: int  # milliseconds plus ticket_age_add, modulo 2**32


@value()
class OfferedPsks:
    """The pre_shared_key extension of a ClientHello.  RFC 8446 section 4.2.11."""

    identities: tuple[PskIdentity, ...]
    binders: tuple[bytes, ...]


@value()
class EncryptedClientHello:
    """The outer form of the encrypted_client_hello extension (GREASE looks the same).  RFC 9849 section 5."""

    type: int  # 0 outer, 1 inner
    kdf_id: int = 0
    aead_id: int = 0
    config_id: int = 0
    enc: bytes = b""
    payload_octets: int = 0


@value(kw_only=True)
class ClientHello(ExtensionBlock):
    """RFC 8446 section 4.1.2; the layout is that of every version since SSL 3.0."""

    legacy_version: int
    random: bytes  # 32 octets; 16 to 32 in an SSL 2.0 compatible hello
    legacy_session_id: bytes  # 0 to 32 octets
    cipher_suites: tuple[int, ...]  # in the order of preference sent
    legacy_compression_methods: bytes
    extensions: tuple[Extension, ...]
    defect: Defect | None = None  # the extension block stopped making sense here
    sslv2_framing: bool = False  # sent as an SSL 2.0 record (RFC 5246 appendix E.2)
    shape: Shape | None = field(default=None, init=False, repr=False, compare=False)  # None: stands for itself


@value(kw_only=True)
class ServerHello(ExtensionBlock):
    """ServerHello, or HelloRetryRequest when *random* is the value of RFC 8446 section 4.1.3."""

    legacy_version: int
    random: bytes
    legacy_session_id_echo: bytes
    cipher_suite: int
    legacy_compression_method: int
    extensions: tuple[Extension, ...]
    defect: Defect | None = None
    hello_retry_request: bool = False
    version: int = 0  # negotiated: supported_versions when sent, else legacy_version; 0 when a cut leaves it open
    shape: Shape | None = field(default=None, init=False, repr=False, compare=False)  # None: stands for itself


@value(kw_only=True)
class EncryptedExtensions(ExtensionBlock):
    """RFC 8446 section 4.3.1."""

    extensions: tuple[Extension, ...]
    defect: Defect | None = None


@value(kw_only=True)
class CertificateRequest(ExtensionBlock):
    """RFC 8446 section 4.3.2 and RFC 5246 section 7.4.4 in one shape."""

    certificate_types: tuple[int, ...] = ()  # TLS 1.2 and before
    signature_algorithms: tuple[int, ...] = ()  # empty before TLS 1.2, where they are implied
    certificate_authorities: tuple[bytes, ...] = ()  # DER of each DistinguishedName
    request_context: bytes = b""  # TLS 1.3; not empty in post-handshake authentication
    extensions: tuple[Extension, ...] = ()  # TLS 1.3
    defect: Defect | None = None


@value()
class CertificateEntry:
    """One certificate as sent, with its TLS 1.3 extensions.  RFC 8446 section 4.4.2."""

    der: bytes
    extensions: tuple[Extension, ...] = ()


@value(kw_only=True)
class CertificateMessage:
    """Certificate: the chain, leaf first; empty when a client has none to send."""

    entries: tuple[CertificateEntry, ...]
    request_context: bytes = b""
    compression: int | None = None  # algorithm of RFC 8879, when it came as CompressedCertificate
    defect: Defect | None = None


@value()
class CertificateVerify:
    """RFC 8446 section 4.4.3; before TLS 1.2 there is no algorithm and it is None."""

    algorithm: int | None


@value()
class ServerKeyExchange:
    """What of it names a choice.  RFC 8422 section 5.4, RFC 5246 section 7.4.3."""

    named_group: int | None = None  # ECDHE
    dh_prime_bits: int | None = None  # DHE
    signature_algorithm: int | None = None  # TLS 1.2


@value(kw_only=True)
class NewSessionTicket(ExtensionBlock):
    """RFC 8446 section 4.6.1 and RFC 5077 section 3.3 in one shape."""

    lifetime_seconds: int
    ticket: bytes
    age_add: int | None = None  # TLS 1.3
    nonce: bytes = b""  # TLS 1.3
    extensions: tuple[Extension, ...] = ()
    defect: Defect | None = None


@value()
class CertificateStatus:
    """A stapled OCSP response.  RFC 6066 section 8."""

    response: bytes  # DER of OCSPResponse


@value()
class PlainMessage:
    """A message of which only the type matters here: server_hello_done, client_key_exchange, finished, ..."""

    type: int  # HandshakeType
    octets: int  # length of the body


@value()
class UndecodedMessage:
    """A handshake message that could not be decoded; its octets are kept."""

    type: int
    octets: bytes
    defect: Defect


@value()
class Alert:
    """RFC 8446 section 6."""

    level: int  # 1 warning, 2 fatal
    description: int


@value()
class ChangeCipherSpec:
    """RFC 5246 section 7.1; in TLS 1.3 a leftover that means nothing (RFC 8446 section 5)."""


@value()
class EncryptedRecord:
    """A record that could not be opened."""

    content_type: int  # outer type: 23 for all of TLS 1.3
    octets: int  # length of the encrypted fragment, as in the record header


@value()
class ProtectedPacket:
    """A packet of QUIC that could not be opened.  RFC 9001 section 5."""

    kind: str  # "Initial", "0-RTT", "Handshake" or "1-RTT"
    octets: int  # length of the packet, its header included


@value()
class ApplicationData:
    """Application data that was opened, or that passed in a TLS 1.2 record of that type."""

    octets: int  # length of the fragment on the wire
    plaintext: bytes | None = None  # the opened octets, where they are kept


@value()
class PlainOctets:
    """Octets on the connection that are no TLS record."""

    octets: bytes  # the first of them, 256 at most


@value()
class Gap:
    """Octets of the stream that are not in the capture."""

    octets: int


Message = (
    ClientHello
    | ServerHello
    | EncryptedExtensions
    | CertificateRequest
    | CertificateMessage
    | CertificateVerify
    | ServerKeyExchange
    | NewSessionTicket
    | CertificateStatus
    | PlainMessage
    | UndecodedMessage
    | Alert
    | ChangeCipherSpec
    | EncryptedRecord
    | ProtectedPacket
    | ApplicationData
    | PlainOctets
    | Gap
)


@value(kw_only=True)
class Certificate:
    """An X.509 certificate, decoded as far as it can be.  RFC 5280 section 4.1."""

    der: bytes
    sha256: str  # hex of the digest of *der*
    subject: str  # RFC 4514 text
    issuer: str  # RFC 4514 text
    subject_der: bytes  # the Name as encoded, to compare with certificate_authorities
    issuer_der: bytes
    serial_number: str  # hex, lower case, without leading zeros; "-" in front when negative
    not_before: datetime | None  # aware, UTC
    not_after: datetime | None
    subject_common_name: str | None
    subject_alt_names: tuple[str, ...]  # all of them as text, in order
    dns_names: tuple[str, ...]  # the dNSName entries among them
    ip_addresses: tuple[str, ...]  # the iPAddress entries among them
    public_key: str  # "RSA 2048", "ECDSA P-256", "Ed25519", ...
    public_key_type: str  # "RSA", "ECDSA", "Ed25519", "Ed448", "DSA", or the OID
    public_key_bits: int | None
    signature_algorithm: str  # such as "sha256WithRSAEncryption" or "ecdsa-with-SHA256"
    signature_hash: str | None  # "sha256", "sha1", "md5", ...; None where it is part of the algorithm
    self_issued: bool  # subject equals issuer
    self_signed: bool  # self-issued, and its own key made the signature
    is_ca: bool | None  # basicConstraints; None when absent
    key_usage: tuple[str, ...] | None  # digitalSignature, keyCertSign, ...; None when absent
    extended_key_usage: tuple[str, ...] | None  # serverAuth, clientAuth, or the OID; None when absent
    subject_key_identifier: str | None  # hex
    authority_key_identifier: str | None  # hex
    defects: tuple[str, ...] = ()  # what could not be decoded, one sentence each
