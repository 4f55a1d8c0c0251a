"""Decoding of ClientHello, also in its SSL 2.0 framing."""

from __future__ import annotations

from functools import lru_cache

from tlsinspect.model.message import ClientHello
from tlsinspect.tls.extension_block import BlockReader, shape_of
from tlsinspect.tls.extensions import CLIENT_HELLO, decode_extensions
from tlsinspect.wire import Cursor, Malformed

SSLV2_CLIENT_HELLO = 1  # msg_type
SESSION_ID_AT = 34  # behind legacy_version and random

_blocks = BlockReader(CLIENT_HELLO)


def decode_sound_client_hello(data: bytes) -> ClientHello | None:
    """The same as decode_client_hello for a hello in which nothing is wrong, in a tenth of the time; None for others.

    RFC 8446 section 4.1.2.
    """
    try:
        suites_at = SESSION_ID_AT + 1 + data[SESSION_ID_AT]
        compression_at = suites_at + 2 + (data[suites_at] << 8 | data[suites_at + 1])
        extensions_at = compression_at + 1 + data[compression_at]
    except IndexError:
        return None
    if data[suites_at + 1] & 1 or extensions_at > len(data):
        return None
    block = _blocks.read(data, extensions_at)
    if block is None:
        return None
    extensions, marks = block
    parameters = data[suites_at:extensions_at]
    cipher_suites, legacy_compression_methods = _parameters(parameters)
    hello = ClientHello(
        legacy_version=data[0] << 8 | data[1],
        random=data[2:SESSION_ID_AT],
        legacy_session_id=data[SESSION_ID_AT + 1 : suites_at],
        cipher_suites=cipher_suites,
        legacy_compression_methods=legacy_compression_methods,
        extensions=extensions,
    )
    object.__setattr__(hello, "shape", shape_of(data[:2] + parameters, marks))
    return hello


@lru_cache(maxsize=512)
def _parameters(octets: bytes) -> tuple[tuple[int, ...], bytes]:
    """The cipher_suites and legacy_compression_methods.  Kept, as one program offers the same in every hello."""
    body = Cursor(octets)
    return body.vector(2, "cipher_suites").uints(2, "cipher_suite"), body.vector(1, "compression_methods").rest()


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
    cipher_suites = body.vector(2, "cipher_suites").uints(2, "cipher_suite")
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
