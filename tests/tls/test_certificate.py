import zlib

import brotli
import pytest
import zstandard

from tests.support.octets import extension, vector
from tlsinspect.model.frame import Side
from tlsinspect.model.message import CertificateMessage, CertificateRequest, CertificateStatus, UndecodedMessage
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.certificate import (
    BROTLI,
    LARGEST_UNCOMPRESSED,
    ZLIB,
    ZSTD,
    decode_certificate,
    decode_certificate_request,
    decode_certificate_status,
)
from tlsinspect.tls.messages import CERTIFICATE, COMPRESSED_CERTIFICATE, decode_message
from tlsinspect.wire import Cursor, Malformed

LEAF, ISSUER = b"leaf" * 20, b"issuer" * 20
OLD = vector(3, vector(3, LEAF), vector(3, ISSUER))
STAPLE = vector(2, extension(ext.STATUS_REQUEST, b"\1" + vector(3, b"ocsp")))
NEW = vector(1, b"ctx") + vector(3, vector(3, LEAF), STAPLE, vector(3, ISSUER), vector(2))


@pytest.mark.parametrize("version", [0x0301, 0x0303, 0])
def test_decodes_a_chain_of_tls12(version: int) -> None:
    message = decode_certificate(Cursor(OLD), version=version, where="server_certificates")

    assert [entry.der for entry in message.entries] == [LEAF, ISSUER]
    assert message.defect is None


@pytest.mark.parametrize("version", [0x0304, 0])
def test_decodes_a_chain_of_tls13(version: int) -> None:
    message = decode_certificate(Cursor(NEW), version=version, where="server_certificates")

    assert [entry.der for entry in message.entries] == [LEAF, ISSUER]
    assert message.request_context == b"ctx"
    assert [item.body for item in message.entries[0].extensions] == [b"ocsp"]
    assert message.defect is None


@pytest.mark.parametrize(("body", "version"), [(b"\0\0\0", 0x0303), (b"\0\0\0\0", 0x0304), (b"\0\0\0\0", 0)])
def test_an_empty_chain_has_no_entries(body: bytes, version: int) -> None:
    message = decode_certificate(Cursor(body), version=version, where="client_certificates")

    assert CertificateMessage(entries=()) == message


@pytest.mark.parametrize(("body", "version"), [(OLD, 0x0303), (NEW, 0x0304)])
def test_a_cut_chain_keeps_its_whole_entries(body: bytes, version: int) -> None:
    whole = decode_certificate(Cursor(body), version=version, where="server_certificates").entries
    for size in range(len(body)):
        message = decode_message(CERTIFICATE, body[:size], side=Side.SERVER, version=version)
        if isinstance(message, UndecodedMessage):
            assert size < 3 + 4
            continue
        assert isinstance(message, CertificateMessage)
        assert message.defect is not None
        assert message.defect.where == "server_certificates"
        assert [entry.der for entry in whole][: len(message.entries)] == [entry.der for entry in message.entries]
    last = decode_certificate(Cursor(body[:-1]), version=version, where="server_certificates")

    assert len(last.entries) >= 1


def compressed(algorithm: int, octets: bytes, size: int) -> bytes:
    return algorithm.to_bytes(2, "big") + size.to_bytes(3, "big") + vector(3, octets)


COMPRESS = {
    ZLIB: zlib.compress,
    BROTLI: brotli.compress,
    ZSTD: zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("algorithm", COMPRESS)
def test_decompresses_a_chain(algorithm: int) -> None:
    body = compressed(algorithm, COMPRESS[algorithm](NEW), len(NEW))
    message = decode_message(COMPRESSED_CERTIFICATE, body, side=Side.CLIENT, version=0x0304)

    assert isinstance(message, CertificateMessage)
    assert [entry.der for entry in message.entries] == [LEAF, ISSUER]
    assert (algorithm, b"ctx", None) == (message.compression, message.request_context, message.defect)


@pytest.mark.parametrize("algorithm", COMPRESS)
@pytest.mark.parametrize("announced", [len(NEW) - 1, len(NEW) + 1])
def test_refuses_a_chain_of_another_length_than_announced(algorithm: int, announced: int) -> None:
    body = compressed(algorithm, COMPRESS[algorithm](NEW), announced)
    message = decode_message(COMPRESSED_CERTIFICATE, body, side=Side.CLIENT, version=0x0304)

    assert isinstance(message, UndecodedMessage)
    assert message.defect.where == "client_certificates"
    assert f"uncompressed_length says {announced} octets" in message.defect.problem


@pytest.mark.parametrize("algorithm", COMPRESS)
def test_does_not_unpack_more_than_announced(algorithm: int) -> None:
    body = compressed(algorithm, COMPRESS[algorithm](bytes(2**22)), 1000)
    message = decode_message(COMPRESSED_CERTIFICATE, body, side=Side.SERVER, version=0x0304)

    assert isinstance(message, UndecodedMessage)
    assert "decompression gives more than 1000" in message.defect.problem


@pytest.mark.parametrize("algorithm", COMPRESS)
def test_keeps_octets_that_cannot_be_decompressed(algorithm: int) -> None:
    body = compressed(algorithm, b"\xff" * 40, 1000)
    message = decode_message(COMPRESSED_CERTIFICATE, body, side=Side.SERVER, version=0x0304)

    assert isinstance(message, UndecodedMessage)
    assert message.defect.problem == "compressed_certificate_message cannot be decompressed"


def test_names_an_unknown_compression_and_one_that_is_too_large() -> None:
    unknown = decode_message(COMPRESSED_CERTIFICATE, compressed(9, b"", 1), side=Side.SERVER, version=0x0304)
    large = decode_message(
        COMPRESSED_CERTIFICATE, compressed(ZLIB, b"", LARGEST_UNCOMPRESSED + 1), side=Side.SERVER, version=0x0304
    )

    assert isinstance(unknown, UndecodedMessage)
    assert unknown.defect.problem == "algorithm 9 is none of zlib (1), brotli (2) and zstd (3)"
    assert isinstance(large, UndecodedMessage)
    assert "more than 1048576 are not read" in large.defect.problem


NAME = bytes.fromhex("300b3109300706035504030c00")  # CN= without a value
TYPES, ALGORITHMS, AUTHORITIES = vector(1, b"\1\x40"), vector(2, b"\4\3\4\1"), vector(2, vector(2, NAME))


@pytest.mark.parametrize("version", [0x0303, 0])
def test_decodes_a_certificate_request_of_tls12(version: int) -> None:
    request = decode_certificate_request(Cursor(TYPES + ALGORITHMS + AUTHORITIES), version=version)
    expected = CertificateRequest(
        certificate_types=(1, 64), signature_algorithms=(0x0403, 0x0401), certificate_authorities=(NAME,)
    )

    assert expected == request


@pytest.mark.parametrize("version", [0x0302, 0x0301, 0x0300, 0])
def test_decodes_a_certificate_request_before_tls12(version: int) -> None:
    request = decode_certificate_request(Cursor(TYPES + AUTHORITIES), version=version)

    assert CertificateRequest(certificate_types=(1, 64), certificate_authorities=(NAME,)) == request


@pytest.mark.parametrize("version", [0x0304, 0])
def test_decodes_a_certificate_request_of_tls13(version: int) -> None:
    block = vector(2, extension(13, ALGORITHMS), extension(47, AUTHORITIES))
    request = decode_certificate_request(Cursor(vector(1) + block), version=version)

    assert request.signature_algorithms == (0x0403, 0x0401)
    assert request.certificate_authorities == (NAME,)
    assert request.certificate_types == ()
    assert [item.type for item in request.extensions] == [13, 47]


def test_a_cut_certificate_request_is_malformed() -> None:
    body = TYPES + ALGORITHMS + AUTHORITIES
    for size in range(len(body)):
        with pytest.raises(Malformed):
            decode_certificate_request(Cursor(body[:size]), version=0x0303)


def test_decodes_a_stapled_response() -> None:
    assert CertificateStatus(b"ocsp") == decode_certificate_status(Cursor(b"\1" + vector(3, b"ocsp")))


def test_takes_the_first_of_several_stapled_responses() -> None:
    body = b"\2" + vector(3, vector(3, b"leaf"), vector(3, b"issuer"))

    assert CertificateStatus(b"leaf") == decode_certificate_status(Cursor(body))
