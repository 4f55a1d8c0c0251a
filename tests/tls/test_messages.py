import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsinspect.model.frame import Side
from tlsinspect.model.message import CertificateRequest, Message, PlainMessage, ServerKeyExchange, UndecodedMessage
from tlsinspect.tls import messages
from tlsinspect.tls.messages import DECODERS, decode_message, decode_sslv2_message, message_name

VERSIONS = [0, 0x0300, 0x0301, 0x0303, 0x0304]


@pytest.mark.parametrize("kind", [0, 5, 14, 16, 20, 23, 24, 67, 254, 99])
def test_a_message_that_matters_by_its_type_keeps_its_length(kind: int) -> None:
    assert PlainMessage(kind, 3) == decode_message(kind, b"abc", side=Side.SERVER, version=0x0303)


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        (messages.CLIENT_HELLO, "client_hello"),
        (messages.SERVER_HELLO, "server_hello"),
        (messages.NEW_SESSION_TICKET, "new_session_ticket"),
        (messages.CERTIFICATE, "server_certificates"),
        (messages.COMPRESSED_CERTIFICATE, "server_certificates"),
        (messages.CERTIFICATE_REQUEST, "certificate_request"),
        (messages.CERTIFICATE_VERIFY, "certificate_verify"),
        (messages.CERTIFICATE_STATUS, "certificate_status"),
    ],
)
def test_a_message_that_cannot_be_decoded_says_where(kind: int, where: str) -> None:
    message = decode_message(kind, b"\xff", side=Side.SERVER, version=0x0303)

    assert isinstance(message, UndecodedMessage)
    assert (kind, b"\xff", where) == (message.type, message.octets, message.defect.where)


def test_passes_the_cipher_suite_on() -> None:
    body = b"\3\0\x17\x01\x04"
    message = decode_message(12, body, side=Side.SERVER, version=0x0301, cipher_suite=0xC018)  # ECDH_anon

    assert ServerKeyExchange(23) == message


def test_passes_the_version_on() -> None:
    message = decode_message(13, b"\1\1\0\0", side=Side.SERVER, version=0x0301)

    assert CertificateRequest(certificate_types=(1,)) == message


def test_names_message_types() -> None:
    assert message_name(1) == "client_hello"
    assert message_name(99) == "unassigned 99"


@given(
    st.sampled_from([*sorted(DECODERS), 3, 255]),
    st.binary(max_size=120),
    st.sampled_from(VERSIONS),
    st.sampled_from([0, 0x1301, 0xC02F, 0x009E, 0xC035, 0xC018, 0xFFFF]),
)
def test_random_octets_raise_nothing(kind: int, body: bytes, version: int, suite: int) -> None:
    message = decode_message(kind, body, side=Side.CLIENT, version=version, cipher_suite=suite)

    assert isinstance(message, Message)


@given(st.binary(max_size=120))
def test_random_octets_in_sslv2_framing_raise_nothing(octets: bytes) -> None:
    assert isinstance(decode_sslv2_message(octets), Message)
