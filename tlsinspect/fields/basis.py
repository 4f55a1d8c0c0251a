"""What the values of fields follow from.

Most of what a handshake says, thousands of others say as well: the programs of a site send the same hellos, its servers
the same chains.  A basis is what decides the values of some fields, small and cheap to get: where two handshakes have
an equal one, those fields have equal values, and need not be read, named, hashed or written again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import CertificateMessage, ClientHello, ExtensionBlock, ServerHello
from tlsinspect.tls import extensions as ext

Basis = Callable[[Handshake], Hashable]  # None there: it will hardly come again

# Extensions that differ from one hello of a program to the next.
OWN = frozenset(
    (
        ext.SERVER_NAME,
        ext.PADDING,
        ext.SESSION_TICKET,
        ext.PRE_SHARED_KEY,
        ext.COOKIE,
        ext.QUIC_TRANSPORT_PARAMETERS,
        ext.ENCRYPTED_CLIENT_HELLO,
    )
)


def client_hello_shape(handshake: Handshake) -> Hashable:
    """The first ClientHello but for what is its own, and the protocol, which JA4 names."""
    if not handshake.client_hellos:
        return handshake.no_client_hello
    hello = handshake.client_hellos[0]
    shape = hello.shape
    return (handshake.protocol, client_shape(hello) if shape is None else shape)


def client_shape(hello: ClientHello) -> Hashable:
    """What stands for the shape of a hello that has none: one with defects, or in SSL 2.0 framing."""
    return hello.legacy_version, hello.cipher_suites, hello.sslv2_framing, block(hello)


def block(message: ExtensionBlock) -> Hashable:
    """The extensions of a message but for what is its own; ALPN's octets, too, as JA4 reads them."""
    return message.defect is None, *[
        (each.type, each.defect is None)
        if each.type in OWN
        else (each.type, each.defect is None, each.body, each.data if each.type == ext.ALPN else b"")
        for each in message.extensions
    ]


def answer(handshake: Handshake) -> Hashable:
    """What the server chose, but for its random and session ID."""
    encrypted = handshake.encrypted_extensions
    return (
        server_shape(handshake.server_hello),
        server_shape(handshake.hello_retry_request),
        encrypted if isinstance(encrypted, Missing) else block(encrypted),
        handshake.server_key_exchange,
    )


def server_shape(hello: ServerHello | Missing) -> Hashable:
    """A ServerHello or HelloRetryRequest but for its random and session ID."""
    if isinstance(hello, Missing):
        return hello
    shape = hello.shape
    if shape is not None:
        return shape
    return hello.legacy_version, hello.cipher_suite, hello.hello_retry_request, hello.version, block(hello)


def request(handshake: Handshake) -> Hashable:
    """The CertificateRequest."""
    return handshake.certificate_request


def server_chain(handshake: Handshake) -> Hashable:
    """The certificates of the server."""
    return chain_octets(handshake.server_certificates)


def client_chain(handshake: Handshake) -> Hashable:
    """The certificates of the client."""
    return chain_octets(handshake.client_certificates)


def chain_octets(message: CertificateMessage | Missing) -> Hashable:
    """The octets of a chain, which are equal more often than the message around them."""
    if isinstance(message, Missing):
        return message
    return message.defect is None, *[entry.der for entry in message.entries]


def transport(handshake: Handshake) -> Hashable:
    """Which packets opened and closed the TCP connection."""
    tcp = handshake.tcp
    return tcp.syn_count, tuple([mark.side for mark in tcp.fins]), tuple([mark.side for mark in tcp.resets])


def session(handshake: Handshake) -> Hashable:
    """Which kinds of session were offered and taken up, and the sizes of the tickets."""
    tickets = handshake.session_tickets
    sizes = tickets if isinstance(tickets, Missing) else tuple([len(each.ticket) for each in tickets])
    return handshake.resumption.offered, handshake.resumption.accepted, sizes


def http(handshake: Handshake) -> Hashable:
    """Why there is no HTTP; the requests themselves differ."""
    return None if handshake.http and not isinstance(handshake.http, Missing) else handshake.http


def ending(handshake: Handshake) -> Hashable:
    """The messages, the alerts and the outcome."""
    alerts = [(seen.side, seen.alert.level, seen.alert.description) for seen in handshake.alerts]
    return handshake.history, handshake.outcome, *alerts
