"""What another program says of each field of the catalogue.

Code points become names by our registries here as in `fields`, so that codes are compared and never the wording of two
programs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tlsinspect import registry
from tlsinspect.crosscheck.shown import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CLIENT_HELLO,
    COMPRESSED_CERTIFICATE,
    ENCRYPTED_EXTENSIONS,
    FATAL,
    HTTP,
    NEW_SESSION_TICKET,
    SERVER_HELLO,
    SERVER_KEY_EXCHANGE,
    View,
    first,
    hexadecimal,
    number,
    trees,
    values,
)
from tlsinspect.fields import Value, names
from tlsinspect.model.frame import Missing, Side
from tlsinspect.tls import extensions as ext


@dataclass(frozen=True, slots=True)
class Undisclosed:
    """The other program shows that there is a value, and not the value."""

    reason: str


# -- texts to values ------------------------------------------------------------------------------------------------

Present = Callable[[list[str]], Value]


def text(texts: list[str]) -> Value:
    """The first text."""
    return texts[0] if texts else Missing.NOT_SENT


def numbers(texts: list[str]) -> Value:
    """All numbers."""
    return tuple(map(number, texts))


def one_number(texts: list[str]) -> Value:
    """The first number."""
    return number(texts[0]) if texts else Missing.NOT_SENT


def code(table: registry.Registry) -> Present:
    """The name of the first code."""
    return lambda texts: table.name(number(texts[0])) if texts else Missing.NOT_SENT


def codes(table: registry.Registry) -> Present:
    """The names of all codes."""
    return lambda texts: names(table, map(number, texts))


def version(texts: list[str]) -> Value:
    """The name of the first version."""
    return registry.version_name(number(texts[0])) if texts else Missing.NOT_SENT


def versions(texts: list[str]) -> Value:
    """The names of all versions."""
    found = map(number, texts)
    return tuple(registry.version_name(each) for each in found if not registry.is_grease(each))


# -- one read per field ---------------------------------------------------------------------------------------------

Read = Callable[[View], Value]


def of(kind: int, name: str, present: Present, *, extension: int | None = None) -> Read:
    """Reads a field of the first message of a kind, or of one extension of it."""

    def value(view: View) -> Value:
        tree = view.message(kind)
        if tree is not None and extension is not None:
            tree = view.extension(tree, extension)
        return Missing.NOT_SENT if tree is None else present(values(tree, view.name(name)))

    return value


def client_random(view: View) -> Value:
    """The random of the ClientHello; tshark does not show the challenge of one in SSL 2.0 framing."""
    tree = view.message(CLIENT_HELLO)
    if tree is None:
        return Missing.NOT_SENT
    if SSL2_CHALLENGE in tree:
        return Undisclosed("tshark does not show the challenge of an SSL 2.0 hello")
    return hexadecimal(values(tree, view.name("tls.handshake.random")))


def cipher_suites(view: View) -> Value:
    """The suites of the ClientHello, in three octets each in SSL 2.0 framing.  RFC 5246 appendix E.2."""
    tree = view.message(CLIENT_HELLO)
    if tree is None:
        return Missing.NOT_SENT
    name = "tls.handshake.cipherspec" if SSL2_CHALLENGE in tree else view.name("tls.handshake.ciphersuite")
    return codes(registry.CIPHER_SUITES)(values(tree, name))


SSL2_CHALLENGE = "tls.handshake.challenge"


def has_extension(extension: int) -> Read:
    """Whether the ClientHello has an extension."""

    def value(view: View) -> Value:
        tree = view.message(CLIENT_HELLO)
        return Missing.NOT_SENT if tree is None else view.extension(tree, extension) is not None

    return value


def server_version(view: View) -> Value:
    """The version that the ServerHello selects."""
    tree = view.server_hello()
    if tree is None:
        return Missing.NOT_SENT
    selected = values(tree, view.name("tls.handshake.extensions.supported_version"))
    return version(selected or values(tree, view.name("tls.handshake.version")))


def server_protocol(view: View) -> Value:
    """The protocol that the ServerHello or EncryptedExtensions selects."""
    for tree in (view.server_hello(), view.message(ENCRYPTED_EXTENSIONS)):
        found = values(tree, view.name("tls.handshake.extensions_alpn_str")) if tree is not None else []
        if found:
            return found[0]
    return Missing.NOT_SENT


def extension_set(kind: int) -> Read:
    """The extension types of a message, without their order.

    tshark's JSON puts trees of one label together, so that their order is not always that of the wire.
    """

    def value(view: View) -> Value:
        tree = view.message(kind)
        if tree is None:
            return Missing.NOT_SENT
        types = map(number, values(tree, view.name("tls.handshake.extension.type")))
        return tuple(sorted(names(registry.EXTENSION_TYPES, types)))

    return value


def retry_group(view: View) -> Value:
    """The group that the HelloRetryRequest asks for."""
    tree = view.retry_request()
    if tree is None:
        return Missing.NOT_SENT
    return code(registry.NAMED_GROUPS)(values(tree, view.name("tls.handshake.extensions_key_share_selected_group")))


def retried(view: View) -> Value:
    """Whether there was a HelloRetryRequest."""
    if view.retry_request() is not None:
        return True
    return Missing.NOT_SENT if view.server_hello() is None else False


def request_schemes(view: View) -> Value:
    """The signature algorithms of the CertificateRequest: an extension from TLS 1.3 on, a list of its own before."""
    tree = view.message(CERTIFICATE_REQUEST)
    if tree is None:
        return Missing.NOT_SENT
    return codes(registry.SIGNATURE_SCHEMES)(
        values(view.extension(tree, ext.SIGNATURE_ALGORITHMS) or tree, view.name("tls.handshake.sig_hash_alg"))
    )


def request_authorities(view: View) -> Value:
    """The attribute values of each name that the CertificateRequest accepts."""
    tree = view.message(CERTIFICATE_REQUEST)
    if tree is None:
        return Missing.NOT_SENT
    if any(view.name("tls.handshake.dnames_truncated") in each for each in trees(tree)):
        return Undisclosed("tshark leaves out a part of a long list")
    return tuple(
        tuple(sorted(attribute_values(each)))
        for node in trees(tree)
        for each in listed(node.get(view.name("tls.handshake.dname")))
    )


def listed(node: object) -> list[object]:
    """One or several values of one name."""
    return node if isinstance(node, list) else [] if node is None else [node]


def attribute_values(node: object) -> Iterator[str]:
    """The texts of the attributes of a name; what says their types and counts is left out."""
    for tree in trees(node):
        for name, value in tree.items():
            if name.startswith("x509sat.") and name not in CHOICES:
                yield from (each for each in listed(value) if isinstance(each, str))


CHOICES = frozenset(("x509sat.DirectoryString", "x509sat.syntax"))  # numbers of the choice that follows


def has_request(view: View) -> Value:
    """Whether the server sent a CertificateRequest."""
    return Missing.NOT_SENT if view.message(CERTIFICATE_REQUEST) is None else True


def certificate_digests(side: Side) -> Read:
    """SHA-256 of each certificate that one side sent."""

    def value(view: View) -> Value:
        for tree in view.all(CERTIFICATE, COMPRESSED_CERTIFICATE, side=side):
            found = values(tree, view.name("tls.handshake.certificate"))
            if not found and first(tree, view.name("tls.handshake.type")) == str(COMPRESSED_CERTIFICATE):
                return Undisclosed("this tshark does not decompress the certificate")
            return tuple(hashlib.sha256(bytes.fromhex(each.replace(":", ""))).hexdigest() for each in found)
        return Missing.NOT_SENT

    return value


def ticket_lengths(view: View) -> Value:
    """The length of each ticket issued."""
    # DTLS sends a message again, under its number, when no answer comes.
    found = {
        first(tree, "dtls.handshake.message_seq") or place: first(
            tree, view.name("tls.handshake.session_ticket_length")
        )
        for place, tree in enumerate(view.all(NEW_SESSION_TICKET))
    }
    if not all(found.values()):
        return Undisclosed("tshark does not show the length of a ticket")
    return tuple(map(number, found.values())) or Missing.NOT_SENT


def fatal_alert(side: Side) -> Read:
    """The first fatal alert of one side."""

    def value(view: View) -> Value:
        found = (what for sender, level, what in view.alerts() if sender is side and level == FATAL)
        described = next(found, None)
        return Missing.NOT_SENT if described is None else registry.ALERTS.name(described)

    return value


def alerts(view: View) -> Value:
    """Sender, level and code of every alert in clear."""
    return tuple((side.value, level, what) for side, level, what in view.alerts())


def http(side: Side, *wanted: str, present: Present = text) -> Read:
    """The first value of a field of HTTP that one side sent inside of TLS; its name depends on the version of HTTP."""

    def value(view: View) -> Value:
        trees_ = view.all(HTTP, side=side)
        return present(next((found for tree in trees_ for name in wanted if (found := values(tree, name))), []))

    return value


READS: Mapping[str, Read] = {
    "client_hello.server_name": of(
        CLIENT_HELLO, "tls.handshake.extensions_server_name", text, extension=ext.SERVER_NAME
    ),
    "client_hello.alpn": of(CLIENT_HELLO, "tls.handshake.extensions_alpn_str", tuple, extension=ext.ALPN),
    "client_hello.encrypted_client_hello": has_extension(ext.ENCRYPTED_CLIENT_HELLO),
    "client_hello.legacy_version": of(CLIENT_HELLO, "tls.handshake.version", version),
    "client_hello.random": client_random,
    "client_hello.supported_versions": of(
        CLIENT_HELLO, "tls.handshake.extensions.supported_version", versions, extension=ext.SUPPORTED_VERSIONS
    ),
    "client_hello.cipher_suites": cipher_suites,
    "client_hello.supported_groups": of(
        CLIENT_HELLO,
        "tls.handshake.extensions_supported_group",
        codes(registry.NAMED_GROUPS),
        extension=ext.SUPPORTED_GROUPS,
    ),
    "client_hello.key_share_groups": of(
        CLIENT_HELLO, "tls.handshake.extensions_key_share_group", codes(registry.NAMED_GROUPS), extension=ext.KEY_SHARE
    ),
    "client_hello.signature_algorithms": of(
        CLIENT_HELLO,
        "tls.handshake.sig_hash_alg",
        codes(registry.SIGNATURE_SCHEMES),
        extension=ext.SIGNATURE_ALGORITHMS,
    ),
    "client_hello.extensions": extension_set(CLIENT_HELLO),
    "client_hello.post_handshake_auth": has_extension(ext.POST_HANDSHAKE_AUTH),
    "client_hello.ja3": of(CLIENT_HELLO, "tls.handshake.ja3", text),
    "client_hello.ja3_text": of(CLIENT_HELLO, "tls.handshake.ja3_full", text),
    "client_hello.ja4": of(CLIENT_HELLO, "tls.handshake.ja4", text),
    "client_hello.session_id": of(CLIENT_HELLO, "tls.handshake.session_id", hexadecimal),
    "client_hello.session_ticket_length": of(
        CLIENT_HELLO, "tls.handshake.extension.len", one_number, extension=ext.SESSION_TICKET
    ),
    "client_hello.psk_identity_lengths": of(
        CLIENT_HELLO, "tls.handshake.extensions.psk.identity.identity_length", numbers, extension=ext.PRE_SHARED_KEY
    ),
    "hello_retry_request.group": retry_group,
    "server_hello.version": server_version,
    "server_hello.cipher_suite": of(SERVER_HELLO, "tls.handshake.ciphersuite", code(registry.CIPHER_SUITES)),
    "server_hello.key_share_group": of(
        SERVER_HELLO, "tls.handshake.extensions_key_share_group", code(registry.NAMED_GROUPS), extension=ext.KEY_SHARE
    ),
    "server_hello.extensions": extension_set(SERVER_HELLO),
    "encrypted_extensions.extensions": extension_set(ENCRYPTED_EXTENSIONS),
    "server_hello.random": of(SERVER_HELLO, "tls.handshake.random", hexadecimal),
    "server_hello.session_id": of(SERVER_HELLO, "tls.handshake.session_id", hexadecimal),
    "server_hello.hello_retry_request": retried,
    "server_hello.alpn": server_protocol,
    "server_hello.ja3s": of(SERVER_HELLO, "tls.handshake.ja3s", text),
    "server_key_exchange.named_group": of(
        SERVER_KEY_EXCHANGE, "tls.handshake.server_named_curve", code(registry.NAMED_GROUPS)
    ),
    "server_key_exchange.signature_algorithm": of(
        SERVER_KEY_EXCHANGE, "tls.handshake.sig_hash_alg", code(registry.SIGNATURE_SCHEMES)
    ),
    "server_certificates": certificate_digests(Side.SERVER),
    "certificate_request": has_request,
    "certificate_request.certificate_authorities": request_authorities,
    "certificate_request.signature_algorithms": request_schemes,
    "client_certificates": certificate_digests(Side.CLIENT),
    "session_tickets": ticket_lengths,
    "client_alert": fatal_alert(Side.CLIENT),
    "server_alert": fatal_alert(Side.SERVER),
    "alerts": alerts,
    "http.host": http(Side.CLIENT, "http2.headers.authority", "http.host"),
    "http.status": http(Side.SERVER, "http2.headers.status", "http.response.code", present=one_number),
}
