from cryptography.x509 import ocsp

from tests.support.authorities import BEGIN, issue, ocsp_response
from tlsinspect.tls.ocsp import CertificateState, decode_ocsp_response

ROOT = issue("Test Root")
LEAF = issue("a.example", ROOT, dns_names=["a.example"])
SERIAL = f"{LEAF.certificate.serial_number:x}"


def test_reads_when_and_why_a_certificate_was_revoked() -> None:
    state = decode_ocsp_response(ocsp_response(LEAF, ROOT, revoked=True))

    assert state == CertificateState("revoked", SERIAL, BEGIN, "keyCompromise")


def test_reads_that_a_certificate_is_good() -> None:
    assert decode_ocsp_response(ocsp_response(LEAF, ROOT, revoked=False)) == CertificateState("good", SERIAL)


def test_a_responder_that_refuses_says_nothing_of_the_certificate() -> None:
    refusal = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    from cryptography.hazmat.primitives.serialization import Encoding

    assert decode_ocsp_response(refusal.public_bytes(Encoding.DER)) is None


def test_octets_that_are_no_response_say_nothing() -> None:
    assert decode_ocsp_response(b"\x30\x03\x0a\x01\x00") is None
    assert decode_ocsp_response(b"") is None
