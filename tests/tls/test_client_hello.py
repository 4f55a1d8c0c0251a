import ssl

import pytest

from tests.support.octets import vector
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.message import ClientHello, KeyShare, UndecodedMessage
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.client_hello import decode_client_hello, decode_sslv2_client_hello
from tlsinspect.tls.messages import decode_message, decode_sslv2_message
from tlsinspect.wire import Cursor, Malformed


def hello_of_openssl() -> bytes:
    """The ClientHello body that Python's own TLS library sends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(incoming, outgoing, server_hostname="a.example")
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()[5 + 4 :]  # after the record header and the handshake header


def test_decodes_the_hello_of_openssl() -> None:
    hello = decode_client_hello(Cursor(hello_of_openssl()))

    assert hello.defect is None
    assert hello.legacy_version == 0x0303
    assert len(hello.random) == 32
    assert 0xC02F in hello.cipher_suites
    assert {0x1301, 0x1302, 0x1303} <= set(hello.cipher_suites)
    assert hello.legacy_compression_methods == b"\0"
    assert hello.body(ext.SERVER_NAME) == "a.example"
    assert hello.body(ext.ALPN) == ("h2", "http/1.1")
    assert hello.body(ext.SUPPORTED_VERSIONS) == (0x0304, 0x0303)
    assert hello.body(ext.PSK_KEY_EXCHANGE_MODES) == (1,)
    shares = hello.body(ext.KEY_SHARE)
    assert isinstance(shares, tuple)
    assert all(isinstance(share, KeyShare) for share in shares)


def test_a_hello_cut_before_its_extensions_is_malformed() -> None:
    body = hello_of_openssl()
    session_id = body[34]
    suites = int.from_bytes(body[35 + session_id : 37 + session_id], "big")
    start = 37 + session_id + suites + 2
    for size in range(start):
        with pytest.raises(Malformed):
            decode_client_hello(Cursor(body[:size]))


def test_cutting_a_hello_only_removes() -> None:
    body = hello_of_openssl()
    whole = decode_client_hello(Cursor(body))
    for size in range(len(body)):
        message = decode_message(1, body[:size], side=Side.CLIENT, version=0)
        if isinstance(message, UndecodedMessage):
            assert body[:size] == message.octets
            continue
        assert isinstance(message, ClientHello)
        assert whole.extensions[: len(message.extensions)] == message.extensions
        assert message.defect is not None or message.extensions == ()
        for extension in whole.extensions[len(message.extensions) :]:
            if message.defect is not None:
                assert Missing.LOST is message.body(extension.type)


def test_an_odd_list_of_cipher_suites_is_malformed() -> None:
    body = b"\3\3" + bytes(32) + vector(1) + vector(2, b"\x13\x01\x13") + vector(1, b"\0")

    with pytest.raises(Malformed, match="3 octets are not a multiple of 2 at octet 37"):
        decode_client_hello(Cursor(body))


# RFC 5246 appendix E.2: TLS suites begin with 0, SSL 2.0 kinds do not.
SSLV2_HELLO = b"\1\3\1" + b"\0\x09\0\0\0\x10" + b"\0\0\x35\0\xc0\x13\x01\0\x80" + bytes(range(16))


def test_decodes_a_hello_in_sslv2_framing() -> None:
    hello = decode_sslv2_client_hello(SSLV2_HELLO)

    assert hello.sslv2_framing
    assert hello.legacy_version == 0x0301
    assert hello.cipher_suites == (0x0035, 0xC013, 0x010080)
    assert bytes(range(16)) == hello.random
    assert hello.legacy_session_id == b""
    assert hello.extensions == ()


def test_reads_the_session_id_of_a_hello_in_sslv2_framing() -> None:
    hello = decode_sslv2_client_hello(b"\1\0\2" + b"\0\3\0\x10\0\x10" + b"\1\0\x80" + b"s" * 16 + b"c" * 16)

    assert (hello.legacy_session_id, hello.random) == (b"s" * 16, b"c" * 16)


def test_a_cut_hello_in_sslv2_framing_is_kept_as_octets() -> None:
    for size in range(len(SSLV2_HELLO)):
        message = decode_sslv2_message(SSLV2_HELLO[:size])

        assert isinstance(message, UndecodedMessage)
        assert SSLV2_HELLO[:size] == message.octets


def test_other_sslv2_messages_are_no_hello() -> None:
    message = decode_sslv2_message(b"\4" + SSLV2_HELLO[1:])

    assert isinstance(message, UndecodedMessage)
    assert message.defect.problem == "msg_type is 4, 1 is expected"
