import pytest

from tests.support.octets import extension, vector
from tlsinspect.model.message import KeyShare
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.server_hello import (
    HELLO_RETRY_REQUEST_RANDOM,
    decode_encrypted_extensions,
    decode_old_hello_retry_request,
    decode_server_hello,
)
from tlsinspect.wire import Cursor, Malformed

RANDOM = bytes(range(32))
VERSION = extension(ext.SUPPORTED_VERSIONS, b"\3\4")
SHARE = extension(ext.KEY_SHARE, b"\x00\x1d" + vector(2, bytes(32)))


def test_decodes_a_server_hello_of_tls13() -> None:
    body = b"\3\3" + RANDOM + vector(1, b"s" * 32) + b"\x13\x01\0" + vector(2, VERSION, SHARE)
    hello = decode_server_hello(Cursor(body))

    assert (hello.legacy_version, hello.version) == (0x0303, 0x0304)
    assert hello.random == RANDOM
    assert hello.legacy_session_id_echo == b"s" * 32
    assert (hello.cipher_suite, hello.legacy_compression_method) == (0x1301, 0)
    assert KeyShare(29, 32) == hello.body(ext.KEY_SHARE)
    assert not hello.hello_retry_request
    assert hello.defect is None


def test_the_version_is_the_legacy_version_when_no_extension_says_otherwise() -> None:
    hello = decode_server_hello(Cursor(b"\3\1" + RANDOM + vector(1) + b"\x00\x2f\0"))

    assert hello.version == 0x0301
    assert hello.extensions == ()


def test_keeps_the_version_of_a_draft_as_sent() -> None:
    draft = vector(2, extension(ext.SUPPORTED_VERSIONS, b"\x7f\x1c"))
    hello = decode_server_hello(Cursor(b"\3\3" + RANDOM + vector(1) + b"\x13\x01\0" + draft))

    assert hello.version == 0x7F1C


def test_recognises_a_hello_retry_request_by_its_random() -> None:
    block = vector(2, VERSION, extension(ext.KEY_SHARE, b"\0\x17"), extension(ext.COOKIE, vector(2, b"crumbs")))
    hello = decode_server_hello(Cursor(b"\3\3" + HELLO_RETRY_REQUEST_RANDOM + vector(1) + b"\x13\x01\0" + block))

    assert hello.hello_retry_request
    assert hello.body(ext.KEY_SHARE) == 23
    assert hello.body(ext.COOKIE) == b"crumbs"
    assert hello.version == 0x0304


def test_decodes_the_shorter_server_hello_of_old_drafts() -> None:
    share = extension(ext.KEY_SHARE_OLD, b"\x00\x1d" + vector(2, bytes(32)))
    hello = decode_server_hello(Cursor(b"\x7f\x12" + RANDOM + b"\x13\x02" + vector(2, share)))

    assert (hello.version, hello.cipher_suite) == (0x7F12, 0x1302)
    assert KeyShare(29, 32) == hello.body(ext.KEY_SHARE_OLD)


@pytest.mark.parametrize(("start", "suite"), [(b"\x7f\x12", 0), (b"\x7f\x15\x13\x01", 0x1301)])
def test_decodes_the_hello_retry_request_message_of_old_drafts(start: bytes, suite: int) -> None:
    hello = decode_old_hello_retry_request(Cursor(start + vector(2, extension(ext.KEY_SHARE_OLD, b"\0\x17"))))

    assert hello.hello_retry_request
    assert suite == hello.cipher_suite
    assert hello.body(ext.KEY_SHARE_OLD) == 23


def test_a_server_hello_cut_before_its_extensions_is_malformed() -> None:
    body = b"\3\3" + RANDOM + vector(1, b"s" * 32) + b"\x13\x01\0"
    for size in range(len(body)):
        with pytest.raises(Malformed):
            decode_server_hello(Cursor(body[:size]))


def test_decodes_encrypted_extensions() -> None:
    body = vector(2, extension(ext.SERVER_NAME, b""), extension(ext.ALPN, vector(2, vector(1, b"h2"))))
    message = decode_encrypted_extensions(Cursor(body))

    assert (message.body(ext.SERVER_NAME), message.body(ext.ALPN)) == (True, "h2")
