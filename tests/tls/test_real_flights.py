"""The decoders on what OpenSSL sends in TLS 1.2: every message of the server's first flight, and the client's."""

import ssl
from pathlib import Path

import pytest

from tests.support.conversation import Conversation, contexts, credentials, talk
from tlsinspect.model.frame import Side
from tlsinspect.model.message import (
    CertificateMessage,
    CertificateRequest,
    CertificateVerify,
    ClientHello,
    Message,
    NewSessionTicket,
    PlainMessage,
    ServerHello,
    ServerKeyExchange,
    UndecodedMessage,
)
from tlsinspect.tls.messages import (
    CLIENT_KEY_EXCHANGE,
    SERVER_HELLO_DONE,
    decode_message,
)

HANDSHAKE, CHANGE_CIPHER_SPEC = 22, 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("credentials")


def in_clear(conversation: Conversation, side: Side, *, version: int) -> list[Message]:
    """The messages before the ChangeCipherSpec of *side*."""
    octets = b""
    for record in conversation.records(side):
        if record.type == CHANGE_CIPHER_SPEC:
            break
        assert record.type == HANDSHAKE
        octets += record.fragment
    found: list[Message] = []
    suite = 0
    while octets:
        size = int.from_bytes(octets[1:4], "big")
        message = decode_message(octets[0], octets[4 : 4 + size], side=side, version=version, cipher_suite=suite)
        suite = message.cipher_suite if isinstance(message, ServerHello) else suite
        found.append(message)
        octets = octets[4 + size :]
    return found


def test_decodes_a_full_handshake_with_a_client_certificate(folder: Path, tmp_path: Path) -> None:
    files, _ = credentials(folder)
    client, server = contexts(folder, "ECDHE-RSA-AES128-GCM-SHA256", ssl.TLSVersion.TLSv1_2)
    server.load_verify_locations(files[0])
    server.verify_mode = ssl.CERT_REQUIRED
    client.load_cert_chain(files[0])
    conversation = talk(client, server, tmp_path / "keys.log")
    pem = files[0].read_text()
    der = ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERTIFICATE") :])
    sent = in_clear(conversation, Side.SERVER, version=0x0303)
    answered = in_clear(conversation, Side.CLIENT, version=0x0303)

    assert [ServerHello, CertificateMessage, ServerKeyExchange, CertificateRequest, PlainMessage, NewSessionTicket] == [
        type(message) for message in sent
    ]
    _, chain, key_exchange, request, done, ticket = sent
    assert isinstance(chain, CertificateMessage)
    assert [entry.der for entry in chain.entries] == [der]
    assert isinstance(key_exchange, ServerKeyExchange)
    assert key_exchange.named_group in {0x001D, 0x0017}
    assert key_exchange.signature_algorithm == 0x0804  # rsa_pss_rsae_sha256
    assert isinstance(request, CertificateRequest)
    assert request.certificate_authorities == ()  # the ssl module sends no names
    assert 0x0403 in request.signature_algorithms
    assert PlainMessage(SERVER_HELLO_DONE, 0) == done
    assert isinstance(ticket, NewSessionTicket)
    assert ticket.lifetime_seconds == 7200
    assert [ClientHello, CertificateMessage, PlainMessage, CertificateVerify] == [type(item) for item in answered]
    assert isinstance(answered[2], PlainMessage)
    assert answered[2].type == CLIENT_KEY_EXCHANGE
    assert CertificateVerify(0x0804) == answered[3]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2])
@pytest.mark.parametrize("suite", ["DHE-RSA-AES128-SHA", "DHE-DSS-AES128-SHA", "ADH-AES128-SHA"])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_reads_the_size_of_the_prime(suite: str, version: ssl.TLSVersion, folder: Path, tmp_path: Path) -> None:
    client, server = contexts(folder, suite, version)
    sent = in_clear(talk(client, server, tmp_path / "keys.log"), Side.SERVER, version=int(version))
    (key_exchange,) = (message for message in sent if isinstance(message, ServerKeyExchange))
    signed_with_algorithm = version == ssl.TLSVersion.TLSv1_2 and not suite.startswith("ADH")

    assert key_exchange.dh_prime_bits == 2048
    assert (key_exchange.signature_algorithm is not None) == signed_with_algorithm


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_finds_the_layout_when_the_version_is_not_known(version: ssl.TLSVersion, folder: Path, tmp_path: Path) -> None:
    files, _ = credentials(folder)
    client, server = contexts(folder, "ECDHE-RSA-AES128-SHA", version)
    server.load_verify_locations(files[0])
    server.verify_mode = ssl.CERT_REQUIRED
    client.load_cert_chain(files[0])
    conversation = talk(client, server, tmp_path / "keys.log")

    for side in Side:
        known = in_clear(conversation, side, version=int(version))
        guessed = in_clear(conversation, side, version=0)

        assert not [message for message in known if isinstance(message, UndecodedMessage)]
        assert [item for item in known if not isinstance(item, ServerKeyExchange)] == [
            item for item in guessed if not isinstance(item, ServerKeyExchange)
        ]
