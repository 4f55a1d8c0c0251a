"""Decoding of ClientHello, also in its SSL 2.0 framing."""

from __future__ import annotations

from functools import lru_cache

from tlsinspect.model.message import ClientHello
from tlsinspect.tls.extensions import CLIENT_HELLO, decode_extensions
from tlsinspect.wire import Cursor, Malformed

SSLV2_CLIENT_HELLO = 1  # msg_type


def decode_client_hello(body: Cursor, *, dtls: bool = False) -> ClientHello:
    """RFC 8446 section 4.1.2; the layout is that of every version since SSL 3.0.

    In *dtls* the cookie of a HelloVerifyRequest stands in front of cipher_suites (RFC 6347 section 4.2.1).

    Raises Malformed when the part before the extensions cannot be read.  A problem inside the extensions is kept
    in the result, and the extensions before it are kept with it.
    """
    legacy_version = body.uint(2, "legacy_version")
    random = body.take(32, "random")
    legacy_session_id = body.vector(1, "legacy_session_id").rest()
    if dtls:
        body.vector(1, "cookie")
    suites = body.vector(2, "cipher_suites")
    cipher_suites = suites.uints(2, "cipher_suite") if len(suites) % 2 else _cipher_suites(suites.rest())
    legacy_compression_methods = body.vector(1, "legacy_compression_methods").rest()
    extensions, defect = decode_extensions(body, CLIENT_HELLO)
    return ClientHello(
        legacy_version=legacy_version,
        random=random,
        legacy_session_id=legacy_session_id,
        cipher_suites=cipher_suites,
        legacy_compression_methods=legacy_compression_methods,
        extensions=extensions,
        defect=defect,
    )


@lru_cache(maxsize=512)
def _cipher_suites(octets: bytes) -> tuple[int, ...]:
    # Kept, as one client program offers the same list in every hello.
    return Cursor(octets).uints(2, "cipher_suite")


def decode_sslv2_client_hello(body: bytes) -> ClientHello:
    """A ClientHello in SSL 2.0 framing, from msg_type on (without the two octets of msg_length).

    A cipher_spec whose first octet is 0 is the TLS suite in the other two; any other is an SSL 2.0 kind and stays
    an integer of 24 bits.  RFC 5246 appendix E.2.

    Raises Malformed when it is no such hello.
    """
    octets = Cursor(body)
    msg_type = octets.uint(1, "msg_type")
    if msg_type != SSLV2_CLIENT_HELLO:
        raise Malformed(f"msg_type is {msg_type}, {SSLV2_CLIENT_HELLO} is expected", 0)
    version = octets.uint(2, "version")
    cipher_spec_length = octets.uint(2, "cipher_spec_length")
    session_id_length = octets.uint(2, "session_id_length")
    challenge_length = octets.uint(2, "challenge_length")
    cipher_specs = Cursor(octets.take(cipher_spec_length, "cipher_specs")).uints(3, "cipher_spec")
    session_id = octets.take(session_id_length, "session_id")
    challenge = octets.take(challenge_length, "challenge")
    octets.end("client_hello")
    return ClientHello(
        legacy_version=version,
        random=challenge,
        legacy_session_id=session_id,
        cipher_suites=cipher_specs,
        legacy_compression_methods=b"",
        extensions=(),
        sslv2_framing=True,
    )
