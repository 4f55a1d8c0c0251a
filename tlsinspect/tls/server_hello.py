"""Decoding of ServerHello, HelloRetryRequest and EncryptedExtensions."""

from __future__ import annotations

from tlsinspect.model.message import EncryptedExtensions, Extension, ServerHello
from tlsinspect.tls.extension_block import BlockReader, shape_of
from tlsinspect.tls.extensions import (
    ENCRYPTED_EXTENSIONS,
    HELLO_RETRY_REQUEST,
    SERVER_HELLO,
    SUPPORTED_VERSIONS,
    decode_extensions,
)
from tlsinspect.wire import Cursor

# SHA-256 of "HelloRetryRequest": the random that makes a ServerHello one.  RFC 8446 section 4.1.3.
HELLO_RETRY_REQUEST_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")

DRAFT = 0x7F  # first octet of the versions of TLS 1.3 drafts; the second is the number of the draft
SESSION_ID_AT = 34  # behind legacy_version and random

_blocks = {retry: BlockReader(HELLO_RETRY_REQUEST if retry else SERVER_HELLO) for retry in (False, True)}


def decode_sound_server_hello(data: bytes) -> ServerHello | None:
    """The same as decode_server_hello for a hello in which nothing is wrong, in a tenth of the time; None for others.

    RFC 8446 section 4.1.3.
    """
    if len(data) <= SESSION_ID_AT or data[0] == DRAFT:
        return None
    suite_at = SESSION_ID_AT + 1 + data[SESSION_ID_AT]
    extensions_at = suite_at + 3
    if extensions_at > len(data):
        return None
    random = data[2:SESSION_ID_AT]
    retry = random == HELLO_RETRY_REQUEST_RANDOM
    block = _blocks[retry].read(data, extensions_at)
    if block is None:
        return None
    extensions, marks = block
    legacy_version = data[0] << 8 | data[1]
    hello = ServerHello(
        legacy_version=legacy_version,
        random=random,
        legacy_session_id_echo=data[SESSION_ID_AT + 1 : suite_at],
        cipher_suite=data[suite_at] << 8 | data[suite_at + 1],
        legacy_compression_method=data[suite_at + 2],
        extensions=extensions,
        hello_retry_request=retry,
        version=selected_version(extensions, legacy_version),
    )
    object.__setattr__(hello, "shape", shape_of(data[:2] + data[suite_at:extensions_at], (retry, *marks)))
    return hello


def selected_version(extensions: tuple[Extension, ...], legacy_version: int) -> int:
    """The version that the server chose.  RFC 8446 section 4.2.1."""
    for extension in extensions:
        if extension.type == SUPPORTED_VERSIONS:
            return extension.body if isinstance(extension.body, int) else legacy_version
    return legacy_version


def decode_server_hello(body: Cursor) -> ServerHello:
    """RFC 8446 section 4.1.3, RFC 5246 section 7.4.1.3; and the shorter form of TLS 1.3 until draft 21.

    Raises Malformed when the part before the extensions cannot be read.
    """
    legacy_version = body.uint(2, "legacy_version")
    random = body.take(32, "random")
    if legacy_version >> 8 == DRAFT:  # draft-ietf-tls-tls13-21 section 4.1.3: neither session nor compression
        legacy_session_id_echo, legacy_compression_method = b"", 0
        cipher_suite = body.uint(2, "cipher_suite")
    else:
        legacy_session_id_echo = body.vector(1, "legacy_session_id_echo").rest()
        cipher_suite = body.uint(2, "cipher_suite")
        legacy_compression_method = body.uint(1, "legacy_compression_method")
    retry = random == HELLO_RETRY_REQUEST_RANDOM
    extensions, defect = decode_extensions(body, HELLO_RETRY_REQUEST if retry else SERVER_HELLO)
    return ServerHello(
        legacy_version=legacy_version,
        random=random,
        legacy_session_id_echo=legacy_session_id_echo,
        cipher_suite=cipher_suite,
        legacy_compression_method=legacy_compression_method,
        extensions=extensions,
        defect=defect,
        hello_retry_request=retry,
        version=selected_version(extensions, legacy_version),
    )


def decode_old_hello_retry_request(body: Cursor) -> ServerHello:
    """The HelloRetryRequest that was a message of its own until draft 21 of TLS 1.3.

    draft-ietf-tls-tls13-21 section 4.1.4.  It has no random; cipher_suite came with draft 19 and is 0 before.
    """
    version = body.uint(2, "server_version")
    cipher_suite = body.uint(2, "cipher_suite") if version >= 0x7F13 else 0
    extensions, defect = decode_extensions(body, HELLO_RETRY_REQUEST)
    return ServerHello(
        legacy_version=version,
        random=b"",
        legacy_session_id_echo=b"",
        cipher_suite=cipher_suite,
        legacy_compression_method=0,
        extensions=extensions,
        defect=defect,
        hello_retry_request=True,
        version=version,
    )


def decode_encrypted_extensions(body: Cursor) -> EncryptedExtensions:
    """RFC 8446 section 4.3.1."""
    extensions, defect = decode_extensions(body, ENCRYPTED_EXTENSIONS)
    return EncryptedExtensions(extensions=extensions, defect=defect)
