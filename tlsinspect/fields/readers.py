"""The functions that read the values of fields from a handshake, as the catalogue names them.

Each gives what JSON can hold, or the Missing that says why there is no value.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from tlsinspect import registry
from tlsinspect.fields.field import Value
from tlsinspect.fields.frames import marks
from tlsinspect.fields.names import named, names
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Handshake, HttpExchange
from tlsinspect.model.message import (
    Certificate,
    CertificateMessage,
    CertificateRequest,
    ClientHello,
    KeyShare,
    OfferedPsks,
    ServerHello,
    ServerKeyExchange,
)
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.versions import is_tls13
from tlsinspect.tls.x509 import decode_certificate, name_text

# -- where a value stands -------------------------------------------------------------------------------------------


def client_hello(handshake: Handshake) -> ClientHello | Missing:
    """The first ClientHello, or why there is none."""
    return handshake.client_hellos[0] if handshake.client_hellos else handshake.no_client_hello


def of_client_hello(read: Callable[[ClientHello], Value]) -> Callable[[Handshake], Value]:
    """Reads from the first ClientHello, or says why there is none."""

    def value(handshake: Handshake) -> Value:
        hellos = handshake.client_hellos
        return read(hellos[0]) if hellos else handshake.no_client_hello

    return value


def of_whole_client_hello(read: Callable[[ClientHello], Value]) -> Callable[[Handshake], Value]:
    """Reads what only a hello that is there to its end can say."""
    return of_client_hello(lambda hello: Missing.LOST if hello.defect else read(hello))


def body(extension_type: int, present: Callable[[object], Value] = lambda value: value) -> Callable[[Handshake], Value]:
    """Reads an extension of the first ClientHello."""
    return of_client_hello(lambda hello: present(hello.body(extension_type)))


def presence(extension_type: int) -> Callable[[Handshake], Value]:
    """Whether the first ClientHello has an extension."""
    return of_client_hello(lambda hello: hello.has(extension_type))


def of_server_hello(read: Callable[[ServerHello], Value]) -> Callable[[Handshake], Value]:
    """Reads from the ServerHello, or says why there is none."""

    def value(handshake: Handshake) -> Value:
        hello = handshake.server_hello
        return hello if isinstance(hello, Missing) else read(hello)

    return value


def of_whole_server_hello(read: Callable[[ServerHello], Value]) -> Callable[[Handshake], Value]:
    """Reads what only a ServerHello that is there to its end can say."""
    return of_server_hello(lambda hello: Missing.LOST if hello.defect else read(hello))


def of_key_exchange(read: Callable[[ServerKeyExchange], int | None]) -> Callable[[Handshake], int | Missing]:
    """Reads from the ServerKeyExchange; None there means that the suite has no such choice."""

    def value(handshake: Handshake) -> int | Missing:
        message = handshake.server_key_exchange
        if isinstance(message, Missing):
            return message
        found = read(message)
        return Missing.NOT_SENT if found is None else found

    return value


def of_request(read: Callable[[CertificateRequest], Value]) -> Callable[[Handshake], Value]:
    """Reads from the CertificateRequest, or says why there is none."""

    def value(handshake: Handshake) -> Value:
        request = handshake.certificate_request
        return request if isinstance(request, Missing) else read(request)

    return value


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


# -- the hello messages and what follows them -----------------------------------------------------------------------


def psk_identity_lengths(value: object) -> Value:
    """Length of each PSK identity in octets."""
    if isinstance(value, OfferedPsks):
        return tuple(len(identity.identity) for identity in value.identities)
    return value


def ticket_length(value: object) -> Value:
    """Length of the ticket in octets; 0 asks for one."""
    return len(value) if isinstance(value, bytes) else value


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


def tickets(handshake: Handshake) -> Value:
    """Length of each NewSessionTicket's ticket in octets."""
    found = handshake.session_tickets
    return found if isinstance(found, Missing) else tuple(len(ticket.ticket) for ticket in found)


# -- certificates ---------------------------------------------------------------------------------------------------


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
        "not_before": certificate.not_before and utc_text(certificate.not_before),
        "not_after": certificate.not_after and utc_text(certificate.not_after),
        "subject_alt_names": certificate.subject_alt_names,
        "public_key": certificate.public_key,
        "signature_algorithm": certificate.signature_algorithm,
        "sha256": certificate.sha256,
        "self_signed": certificate.self_signed,
        "defects": certificate.defects,
    }


def utc_text(moment: datetime) -> str:
    """RFC 3339; the year has four digits, whatever it is."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0")


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


def has_request(handshake: Handshake) -> Value:
    """Whether the server asked for a client certificate."""
    request = handshake.certificate_request
    return False if request is Missing.NOT_SENT else request if isinstance(request, Missing) else True


def authorities(request: CertificateRequest) -> Value:
    """The names of the authorities that the server accepts."""
    return tuple(name_text(name) for name in request.certificate_authorities)


# -- how it ended ---------------------------------------------------------------------------------------------------


def closing(read: str, side: Side) -> Callable[[Handshake], Value]:
    """Whether one side sent a FIN or a RST while the handshake was looked at."""
    return lambda handshake: bool(marks(read, side)(handshake))


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
