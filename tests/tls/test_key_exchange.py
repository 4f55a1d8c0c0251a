import pytest

from tests.support.octets import vector
from tlsinspect import registry
from tlsinspect.model.message import CertificateVerify, ServerKeyExchange
from tlsinspect.tls.key_exchange import decode_certificate_verify, decode_server_key_exchange
from tlsinspect.wire import Cursor, Malformed

CURVE = b"\3\0\x1d" + vector(1, bytes(32))
PRIME = vector(2, b"\x80" + bytes(255)) + vector(2, b"\2") + vector(2, bytes(256))
SIGNATURE = vector(2, bytes(64))
HINT = vector(2, b"hint")


@pytest.mark.parametrize(
    ("suite", "version", "body", "expected"),
    [
        (
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            0x0303,
            CURVE + b"\4\1" + SIGNATURE,
            ServerKeyExchange(29, None, 0x0401),
        ),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", 0x0301, CURVE + SIGNATURE, ServerKeyExchange(29)),
        ("TLS_ECDH_anon_WITH_AES_128_CBC_SHA", 0x0303, CURVE, ServerKeyExchange(29)),
        ("TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", 0x0303, HINT + CURVE, ServerKeyExchange(29)),
        (
            "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
            0x0303,
            PRIME + b"\4\1" + SIGNATURE,
            ServerKeyExchange(None, 2048, 0x0401),
        ),
        ("TLS_DHE_DSS_WITH_AES_128_CBC_SHA", 0x0302, PRIME + SIGNATURE, ServerKeyExchange(None, 2048)),
        ("TLS_DH_anon_WITH_AES_128_CBC_SHA", 0x0303, PRIME, ServerKeyExchange(None, 2048)),
        ("TLS_DHE_PSK_WITH_AES_128_CBC_SHA", 0x0303, HINT + PRIME, ServerKeyExchange(None, 2048)),
    ],
)
def test_decodes_by_the_suite(suite: str, version: int, body: bytes, expected: ServerKeyExchange) -> None:
    code = registry.CIPHER_SUITES.code(suite)
    assert code is not None

    assert expected == decode_server_key_exchange(body, cipher_suite=code, version=version)
    for size in range(len(body)):
        with pytest.raises(Malformed):
            decode_server_key_exchange(body[:size], cipher_suite=code, version=version)


@pytest.mark.parametrize("suite", ["TLS_PSK_WITH_AES_128_CBC_SHA", "TLS_SRP_SHA_WITH_AES_128_CBC_SHA"])
def test_names_nothing_where_the_suite_leaves_no_choice(suite: str) -> None:
    code = registry.CIPHER_SUITES.code(suite)
    assert code is not None

    assert ServerKeyExchange() == decode_server_key_exchange(HINT, cipher_suite=code, version=0x0303)


def test_an_explicit_curve_has_no_name() -> None:
    body = b"\1" + CURVE[1:]

    assert ServerKeyExchange() == decode_server_key_exchange(body, cipher_suite=0xC013, version=0x0303)


def test_recognises_a_named_curve_without_the_suite() -> None:
    assert ServerKeyExchange(29) == decode_server_key_exchange(CURVE + SIGNATURE, cipher_suite=0, version=0)


def test_does_not_take_a_prime_of_6144_bits_for_a_curve() -> None:
    body = vector(2, b"\xff" * 768) + vector(2, b"\2") + vector(2, bytes(768))

    assert ServerKeyExchange() == decode_server_key_exchange(body, cipher_suite=0, version=0)


@pytest.mark.parametrize(("version", "expected"), [(0x0303, 0x0804), (0x0304, 0x0804), (0, 0x0804)])
def test_decodes_a_certificate_verify_with_algorithm(version: int, expected: int) -> None:
    body = Cursor(b"\x08\x04" + SIGNATURE)

    assert CertificateVerify(expected) == decode_certificate_verify(body, version=version)


@pytest.mark.parametrize("version", [0x0301, 0])
def test_decodes_a_certificate_verify_before_tls12(version: int) -> None:
    assert CertificateVerify(None) == decode_certificate_verify(Cursor(SIGNATURE), version=version)
