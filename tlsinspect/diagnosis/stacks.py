"""Which software a ClientHello fits: only ever *likely*, since settings change hellos and libraries are shared.

The shapes were read off captures of the real programs: nginx 1.22, curl 7.88, HAProxy 2.6, OpenSSL 3.0 and 3.5, Go 1.19
and 1.27, Java 17, Node 20 and 24, Python 3.11, GnuTLS 3.7, NSS 3.87, Chromium 156 and Safari's profile of curl_cffi.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tlsinspect import registry
from tlsinspect.model.message import ClientHello
from tlsinspect.tls.extensions import (
    ALPN,
    APPLICATION_SETTINGS,
    APPLICATION_SETTINGS_OLD,
    POST_HANDSHAKE_AUTH,
    SERVER_NAME,
    SESSION_TICKET,
    SUPPORTED_VERSIONS,
)

# The order in which each library writes its extensions; a client leaves some out.
OPENSSL = (65281, 0, 11, 10, 35, 13172, 16, 22, 23, 49, 13, 43, 45, 51, 28, 27, 21, 42, 41)
GNUTLS = (5, 10, 11, 13, 22, 23, 35, 51, 43, 49, 16, 65281, 0, 45, 28, 44, 42, 21, 41)
GO = (0, 5, 10, 11, 35, 13, 50, 65281, 16, 18, 43, 44, 51, 42, 45, 41)
GO_NEWER = (0, 11, 65281, 23, 18, 65037, 5, 10, 35, 13, 50, 16, 43, 44, 51, 42, 45, 41)
JSSE = (0, 1, 5, 10, 11, 16, 17, 23, 35, 13, 43, 44, 45, 50, 51, 65281, 47, 41)
NSS = (0, 23, 65281, 10, 11, 35, 16, 5, 34, 18, 51, 43, 13, 45, 28, 27, 65037, 21, 41)


@dataclass(frozen=True, slots=True)
class Stack:
    """A kind of client, and the products whose settings change it, the likeliest first."""

    text: str  # as in "The hello fits ..."
    products: tuple[str, ...]  # names as the fixes of causes use them


Test = Callable[[ClientHello, tuple[int, ...]], bool]


def has(*types: int) -> Test:
    """Whether all these extensions are there."""
    return lambda hello, order: set(types) <= set(order)


def lacks(*types: int) -> Test:
    """Whether none of these extensions is there."""
    return lambda hello, order: not set(types) & set(order)


def suites(*counts: int) -> Test:
    """Whether the hello has one of these numbers of cipher suites, as the program's defaults have."""
    return lambda hello, order: len(hello.cipher_suites) in counts


def written_by(library: Sequence[int]) -> Test:
    """Whether the extensions come in the order of a library, and there are enough of them to tell."""
    place = {extension_type: at for at, extension_type in enumerate(library)}

    def test(hello: ClientHello, order: tuple[int, ...]) -> bool:
        places = [place.get(extension_type, -1) for extension_type in order]
        return len(places) >= 5 and -1 not in places and places == sorted(places)

    return test


def greased(hello: ClientHello, order: tuple[int, ...]) -> bool:
    """Whether reserved code points stand among the suites (RFC 8701), as BoringSSL's browsers put them."""
    return any(registry.is_grease(suite) for suite in hello.cipher_suites)


NODE_SUITES = (59, 52)
STACKS: tuple[tuple[tuple[Test, ...], Stack], ...] = (
    ((greased, has(APPLICATION_SETTINGS)), Stack("Chrome or Chromium", ("browser",))),
    ((greased, has(APPLICATION_SETTINGS_OLD)), Stack("Chrome or Chromium", ("browser",))),
    ((greased,), Stack("Safari, or another client with BoringSSL", ("browser",))),
    (
        (written_by(OPENSSL), suites(18)),
        Stack("Python's ssl module", ("Python",)),
    ),
    (
        (written_by(OPENSSL), suites(*NODE_SUITES)),
        Stack("Node.js", ("Node",)),
    ),
    (
        (written_by(OPENSSL), has(ALPN), lacks(SESSION_TICKET), has(POST_HANDSHAKE_AUTH)),
        Stack("curl with OpenSSL", ("curl",)),
    ),
    (
        (written_by(OPENSSL), has(ALPN), lacks(SESSION_TICKET, SUPPORTED_VERSIONS)),
        Stack("curl with OpenSSL, limited to TLS 1.2", ("curl",)),
    ),
    (
        (written_by(OPENSSL), lacks(ALPN, SUPPORTED_VERSIONS), has(SESSION_TICKET), suites(28)),
        Stack(
            "nginx up to 1.23.3 as a client, or another program with OpenSSL that is limited to TLS 1.2",
            ("nginx", "OpenSSL", "HAProxy"),
        ),
    ),
    (
        (written_by(OPENSSL), lacks(ALPN, SESSION_TICKET), has(SUPPORTED_VERSIONS)),
        Stack("HAProxy as a client, or another program with OpenSSL", ("HAProxy", "OpenSSL", "nginx")),
    ),
    (
        (written_by(OPENSSL), lacks(ALPN, SERVER_NAME), has(SESSION_TICKET)),
        Stack("nginx as a client, or another program with OpenSSL", ("nginx", "OpenSSL", "HAProxy")),
    ),
    (
        (written_by(OPENSSL), lacks(ALPN), has(SESSION_TICKET)),
        Stack("a program with OpenSSL, such as nginx as a client or s_client", ("nginx", "OpenSSL", "HAProxy")),
    ),
    ((written_by(OPENSSL),), Stack("a program with OpenSSL", ("OpenSSL", "nginx", "curl"))),
    ((written_by(GNUTLS), lacks(18)), Stack("a program with GnuTLS", ("GnuTLS",))),
    ((written_by(JSSE), has(17)), Stack("Java (JSSE)", ("Java",))),
    ((written_by(GO_NEWER), has(18)), Stack("a Go program", ("Go", "Caddy", "Traefik"))),
    ((written_by(GO), has(18)), Stack("a Go program", ("Go", "Caddy", "Traefik"))),
    ((written_by(NSS), has(34)), Stack("Firefox", ("browser",))),
    ((written_by(NSS), has(28, 65281)), Stack("a program with NSS", ("NSS",))),
)


def client_stack(hello: ClientHello) -> Stack | None:
    """The software that a hello fits; None when it fits none, or is not in the capture to its end."""
    if hello.defect is not None:
        return None
    order = tuple(each.type for each in hello.extensions if not registry.is_grease(each.type))
    for tests, stack in STACKS:
        if all(test(hello, order) for test in tests):
            return stack
    return None
