"""Decoding of ServerHello, HelloRetryRequest and EncryptedExtensions."""

from __future__ import annotations

from tlsinspect.model.message import EncryptedExtensions, ServerHello
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
    selected = [extension.body for extension in extensions if extension.type == SUPPORTED_VERSIONS]
    return ServerHello(
        legacy_version=legacy_version,
        random=random,
        legacy_session_id_echo=legacy_session_id_echo,
        cipher_suite=cipher_suite,
        legacy_compression_method=legacy_compression_method,
        extensions=extensions,
        defect=defect,
        hello_retry_request=retry,
        version=selected[0] if selected and isinstance(selected[0], int) else legacy_version,
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
