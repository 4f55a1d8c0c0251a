import hashlib
import hmac
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.decrepit.ciphers import algorithms as decrepit
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from tests.support.conversation import ANSWER, QUESTION, Conversation, Record, contexts, talk
from tests.support.openssl_pair import talk_with_key_update
from tlsinspect import registry
from tlsinspect.model.frame import Side
from tlsinspect.model.message import ClientHello, ServerHello
from tlsinspect.tls.key_schedule import key_block
from tlsinspect.tls.keylog import (
    CLIENT_HANDSHAKE,
    CLIENT_TRAFFIC,
    MASTER_SECRET,
    SERVER_HANDSHAKE,
    SERVER_TRAFFIC,
    Secrets,
)
from tlsinspect.tls.messages import decode_message
from tlsinspect.tls.protection import Opened, RecordProtection, Tls13Protection, tls12_protection, tls13_protection

CHANGE_CIPHER_SPEC, HANDSHAKE, APPLICATION_DATA, FINISHED = 20, 22, 23, 20
SAID = {Side.CLIENT: QUESTION, Side.SERVER: ANSWER}


def hellos(conversation: Conversation) -> tuple[ClientHello, ServerHello]:
    found = []
    for side in Side:
        fragment = conversation.records(side)[0].fragment
        body = fragment[4 : 4 + int.from_bytes(fragment[1:4], "big")]
        found.append(decode_message(fragment[0], body, side=side, version=0))
    client, server = found
    assert isinstance(client, ClientHello)
    assert isinstance(server, ServerHello)
    return client, server


def protected(conversation: Conversation, side: Side) -> Iterator[Record]:
    """The records of *side* after its ChangeCipherSpec."""
    found = iter(conversation.records(side))
    for record in found:
        if record.type == CHANGE_CIPHER_SPEC:
            break
    return found


def all_opened(protection: RecordProtection, found: Iterator[Record]) -> list[Opened]:
    opened = []
    for record in found:
        clear = protection.open(record.type, record.version, record.fragment)
        assert clear is not None
        opened.append(clear)
    return opened


def check_tls12(conversation: Conversation, version: int, *, encrypt_then_mac: bool) -> None:
    client, server = hellos(conversation)
    (master_secret,) = Secrets(conversation.keylog).find(client.random, MASTER_SECRET)

    def protection(side: Side, secret: bytes) -> RecordProtection:
        found = tls12_protection(
            version,
            server.cipher_suite,
            secret,
            client.random,
            server.random,
            side,
            encrypt_then_mac=encrypt_then_mac and server.has(22) is True,
        )
        assert found is not None
        return found

    for side in Side:
        opened = all_opened(protection(side, master_secret), protected(conversation, side))
        heard = b"".join(clear.octets for clear in opened if clear.content_type == APPLICATION_DATA)

        assert (opened[0].content_type, opened[0].octets[0], len(opened[0].octets)) == (HANDSHAKE, FINISHED, 16)
        assert SAID[side] == heard
        wrong = protection(side, master_secret[::-1])
        for record in protected(conversation, side):
            assert wrong.open(record.type, record.version, record.fragment) is None


def suites_of_tls12() -> list[tuple[str, int]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:COMPLEMENTOFALL:-PSK:-SRP:@SECLEVEL=0")
    return [
        (cipher["name"], cipher["id"] & 0xFFFF) for cipher in context.get_ciphers() if cipher["protocol"] != "TLSv1.3"
    ]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("credentials")


@pytest.mark.parametrize(("name", "code"), [suite for suite in suites_of_tls12() if "ARIA" not in suite[0]])
def test_opens_every_suite_that_openssl_has_for_tls12(name: str, code: int, folder: Path, tmp_path: Path) -> None:
    client, server = contexts(folder, name, ssl.TLSVersion.TLSv1_2)
    conversation = talk(client, server, tmp_path / "keys.log")

    assert code == hellos(conversation)[1].cipher_suite
    check_tls12(conversation, 0x0303, encrypt_then_mac=True)


@pytest.mark.parametrize("name", ["AES128-SHA", "AES256-SHA256", "ECDHE-RSA-AES256-SHA384", "CAMELLIA128-SHA"])
def test_opens_block_ciphers_that_authenticate_the_plaintext(name: str, folder: Path, tmp_path: Path) -> None:
    client, server = contexts(folder, name, ssl.TLSVersion.TLSv1_2, encrypt_then_mac=False)
    conversation = talk(client, server, tmp_path / "keys.log")

    assert hellos(conversation)[1].has(22) is False
    check_tls12(conversation, 0x0303, encrypt_then_mac=False)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.parametrize("name", ["AES128-SHA", "ECDHE-RSA-AES256-SHA", "NULL-MD5"])
@pytest.mark.parametrize("encrypt_then_mac", [True, False])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_opens_tls10_and_tls11(
    version: ssl.TLSVersion, name: str, encrypt_then_mac: bool, folder: Path, tmp_path: Path
) -> None:
    client, server = contexts(folder, name, version, encrypt_then_mac=encrypt_then_mac)
    conversation = talk(client, server, tmp_path / "keys.log")

    check_tls12(conversation, int(version), encrypt_then_mac=encrypt_then_mac)


@pytest.mark.parametrize(
    "name",
    [
        "TLS_RSA_WITH_ARIA_128_GCM_SHA256",
        "TLS_RSA_EXPORT_WITH_RC4_40_MD5",
        "OLD_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_GCM_SHA256",
    ],
)
def test_says_that_a_suite_is_not_supported(name: str) -> None:
    code = registry.CIPHER_SUITES.code(name)
    assert code is not None

    assert None is tls12_protection(0x0303, code, bytes(48), bytes(32), bytes(32), Side.CLIENT, encrypt_then_mac=False)


@pytest.mark.parametrize("name", ["TLS_RSA_WITH_SEED_CBC_SHA", "TLS_RSA_WITH_IDEA_CBC_SHA", "TLS_RSA_WITH_RC4_128_SHA"])
def test_says_that_this_openssl_has_no_ciphers_of_old(name: str) -> None:
    code = registry.CIPHER_SUITES.code(name)
    program = (
        "from tlsinspect.tls.protection import tls12_protection as p; from tlsinspect.model.frame import Side;"
        f"print(p(0x0301, {code}, bytes(48), bytes(32), bytes(32), Side.CLIENT, encrypt_then_mac=False))"
    )
    without_legacy = {**os.environ, "CRYPTOGRAPHY_OPENSSL_NO_LEGACY": "1"}

    assert subprocess.check_output([sys.executable, "-c", program], env=without_legacy, text=True) == "None\n"


@pytest.mark.parametrize("version", [0x0002, 0x0304, 0xFEFD])
def test_says_that_a_version_is_not_supported(version: int) -> None:
    assert None is tls12_protection(
        version, 0x002F, bytes(48), bytes(32), bytes(32), Side.CLIENT, encrypt_then_mac=False
    )


SUITES_OF_TLS13 = [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_CCM_SHA256",
    "TLS_AES_128_CCM_8_SHA256",
]
LABELS = {Side.CLIENT: (CLIENT_HANDSHAKE, CLIENT_TRAFFIC), Side.SERVER: (SERVER_HANDSHAKE, SERVER_TRAFFIC)}
KEY_UPDATE = 24


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")
@pytest.mark.parametrize("name", SUITES_OF_TLS13)
def test_opens_tls13_before_and_after_a_key_update(name: str, folder: Path) -> None:
    conversation = talk_with_key_update(folder, name, "-cipher", "ALL:@SECLEVEL=0")
    hello, answer = hellos(conversation)
    secrets = Secrets(conversation.keylog)

    assert registry.CIPHER_SUITES.code(name) == answer.cipher_suite
    for side, expected in ((Side.CLIENT, [b"hello\n", b"again\n"]), (Side.SERVER, [b"olleh\n", b"niaga\n"])):
        (handshake_secret,), (traffic_secret,) = (secrets.find(hello.random, label) for label in LABELS[side])
        handshake = tls13_protection(answer.cipher_suite, handshake_secret)
        traffic = tls13_protection(answer.cipher_suite, traffic_secret)
        assert handshake is not None
        assert traffic is not None
        messages, said, updates = b"", [], 0
        for record in protected(conversation, side):
            opened = handshake.open(*record)
            if opened is not None:
                messages += opened.octets
                continue
            opened = traffic.open(*record)  # that the other secret failed has changed nothing
            assert opened is not None
            if opened.content_type == APPLICATION_DATA:
                said.append(opened.octets)
            elif opened.octets[0] == KEY_UPDATE:
                traffic = traffic.updated()
                updates += 1

        assert (expected, 1) == (said, updates)
        assert types_of(messages)[-1] == FINISHED
        wrong = tls13_protection(answer.cipher_suite, traffic_secret[::-1])
        assert wrong is not None
        assert {None} == {wrong.open(*record) for record in protected(conversation, side)}


def types_of(messages: bytes) -> list[int]:
    found = []
    while messages:
        found.append(messages[0])
        messages = messages[4 + int.from_bytes(messages[1:4], "big") :]
    return found


@pytest.mark.parametrize("name", ["TLS_SHA256_SHA256", "TLS_SM4_GCM_SM3", "TLS_RSA_WITH_AES_128_GCM_SHA256"])
def test_says_that_a_suite_of_tls13_is_not_supported(name: str) -> None:
    code = registry.CIPHER_SUITES.code(name)
    assert code is not None

    assert None is tls13_protection(code, bytes(32))


def sealed(protection: Tls13Protection, inner: bytes, *, additional_data: bytes | None) -> bytes:
    """A first record, sealed with the key that the protection opens it with."""
    assert isinstance(protection._aead, AESGCM)
    return protection._aead.encrypt(protection._iv, inner, additional_data)


def test_drops_the_padding_of_tls13() -> None:
    protection = tls13_protection(0x1301, bytes(32))
    assert protection is not None
    fragment = sealed(protection, b"said\0\x17" + bytes(5), additional_data=b"\x17\3\3\0\x1b")

    assert Opened(23, b"said\0") == protection.open(23, 0x0303, fragment)


def test_a_record_of_padding_alone_does_not_open() -> None:
    protection = tls13_protection(0x1301, bytes(32))
    assert protection is not None
    fragment = sealed(protection, bytes(11), additional_data=b"\x17\3\3\0\x1b")

    assert None is protection.open(23, 0x0303, fragment)


@pytest.mark.parametrize(("draft", "authenticated"), [(24, b""), (25, b"\x17\3\1\0\x15"), (0, b"\x17\3\1\0\x15")])
def test_authenticates_the_record_header_since_draft_25(draft: int, authenticated: bytes) -> None:
    protection = tls13_protection(0x1301, bytes(32), draft=draft)
    assert protection is not None
    fragment = sealed(protection, b"said\x17", additional_data=authenticated)

    assert Opened(23, b"said") == protection.open(23, 0x0301, fragment)


# Suites that today's OpenSSL no longer speaks: sealed here as RFC 5246 section 6.2.3 says.
BLOCKS = {
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA": (decrepit.TripleDES, 24, 8),
    "TLS_RSA_WITH_IDEA_CBC_SHA": (decrepit.IDEA, 16, 8),
    "TLS_RSA_WITH_SEED_CBC_SHA": (decrepit.SEED, 16, 16),
}
MASTER = bytes(range(48))
RANDOMS = {"client_random": b"c" * 32, "server_random": b"s" * 32}


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0303])
def test_opens_block_ciphers_of_old(name: str, version: int) -> None:
    algorithm, key_octets, block = BLOCKS[name]
    code = registry.CIPHER_SUITES.code(name)
    assert code is not None
    octets = key_block(MASTER, 2 * (20 + key_octets + block), version=version, hash_name="sha256", **RANDOMS)
    mac_key, key = octets[:20], octets[40 : 40 + key_octets]
    iv = octets[40 + 2 * key_octets :][:block]
    protection = tls12_protection(version, code, MASTER, b"c" * 32, b"s" * 32, Side.CLIENT, encrypt_then_mac=False)
    assert protection is not None
    encryptor = Cipher(algorithm(key), modes.CBC(iv)).encryptor()

    for sequence, text in enumerate([b"first", b"second" * 9, b""]):
        plain = text + mac_of(mac_key, sequence, 23, version, text)
        padding = block - 1 - len(plain) % block
        ciphertext = encryptor.update(plain + bytes([padding] * (padding + 1)))
        if version >= 0x0302:  # each record brings its IV: what the chain of TLS 1.0 ends with is as good as any
            ciphertext, iv = iv + ciphertext, ciphertext[-block:]

        assert Opened(23, text) == protection.open(23, version, ciphertext)


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0303])
def test_opens_rc4_also_after_a_record_that_did_not_open(version: int) -> None:
    code = registry.CIPHER_SUITES.code("TLS_RSA_WITH_RC4_128_SHA")
    assert code is not None
    octets = key_block(MASTER, 2 * (20 + 16), version=version, hash_name="sha256", **RANDOMS)
    mac_key, key = octets[20:40], octets[56:72]  # those of the server
    protection = tls12_protection(version, code, MASTER, b"c" * 32, b"s" * 32, Side.SERVER, encrypt_then_mac=False)
    assert protection is not None
    encryptor = Cipher(decrepit.ARC4(key), mode=None).encryptor()

    for sequence, text in enumerate([b"first", b"second" * 9, b""]):
        fragment = encryptor.update(text + mac_of(mac_key, sequence, 23, version, text))

        assert None is protection.open(23, version, b"x" + fragment)
        assert Opened(23, text) == protection.open(23, version, fragment)


def mac_of(key: bytes, sequence: int, content_type: int, version: int, text: bytes) -> bytes:
    start = sequence.to_bytes(8, "big") + bytes([content_type])
    size = len(text).to_bytes(2, "big")
    if version > 0x0300:
        return hmac.digest(key, start + version.to_bytes(2, "big") + size + text, "sha1")
    inner = hashlib.sha1(key + b"\x36" * 40 + start + size + text).digest()
    return hashlib.sha1(key + b"\x5c" * 40 + inner).digest()


SOME_SUITES = [0x009C, 0xC09C, 0xCCA8, 0x002F, 0x0005, 0x0002, 0x000A, 0x003D]


@given(
    st.sampled_from(SOME_SUITES),
    st.sampled_from([0x0300, 0x0301, 0x0302, 0x0303]),
    st.booleans(),
    st.binary(max_size=100),
    st.integers(0, 255),
)
def test_random_octets_do_not_open(
    suite: int, version: int, encrypt_then_mac: bool, fragment: bytes, content_type: int
) -> None:
    protection = tls12_protection(
        version, suite, MASTER, b"c" * 32, b"s" * 32, Side.SERVER, encrypt_then_mac=encrypt_then_mac
    )
    if protection is None:  # an AEAD before TLS 1.2
        assert registry.cipher_suite(suite).aead
    else:
        assert None is protection.open(content_type, version, fragment)


@given(st.sampled_from([0x1301, 0x1302, 0x1303, 0x1304, 0x1305]), st.binary(max_size=100), st.integers(0, 255))
def test_random_octets_do_not_open_in_tls13(suite: int, fragment: bytes, content_type: int) -> None:
    protection = tls13_protection(suite, bytes(32))
    assert protection is not None

    assert None is protection.open(content_type, 0x0303, fragment)
