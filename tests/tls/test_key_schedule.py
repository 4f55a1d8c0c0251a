import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from tlsinspect.tls.key_schedule import (
    TrafficKey,
    hkdf_expand_label,
    key_block,
    next_traffic_secret,
    prf,
    traffic_key,
)

# RFC 8448 section 3: traffic secrets of TLS_AES_128_GCM_SHA256, with the key and the IV expanded from each.
RFC_8448 = [
    (
        "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21",
        "dbfaa693d1762c5b666af5d950258d01",
        "5bd3c71b836e0b76bb73265f",
    ),
    (
        "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
        "3fce516009c21727d0f2e4e86ee403bc",
        "5d313eb2671276ee13000b30",
    ),
    (
        "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
        "17422dda596ed5d9acd890e3c63f5051",
        "5b78923dee08579033e523d9",
    ),
    (
        "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
        "9f02283b6c9c07efc26bb9f2ac92e356",
        "cf782b88dd83549aadf1e984",
    ),
]


@pytest.mark.parametrize(("secret", "key", "iv"), RFC_8448)
def test_expands_the_traffic_keys_of_rfc_8448(secret: str, key: str, iv: str) -> None:
    expected = TrafficKey(bytes.fromhex(key), bytes.fromhex(iv))

    assert expected == traffic_key(bytes.fromhex(secret), key_octets=16, hash_name="sha256")


def test_expands_as_another_implementation_of_hkdf_does() -> None:
    info = b"\x00\x64" + b"\x0btls13 label" + b"\x07context"
    expected = HKDFExpand(hashes.SHA384(), 100, info).derive(b"s" * 48)

    assert expected == hkdf_expand_label(b"s" * 48, b"label", b"context", 100, hash_name="sha384")


@pytest.mark.parametrize(("draft", "label"), [(18, b"TLS 1.3, key"), (20, b"tls13 key"), (0, b"tls13 key")])
def test_the_labels_were_longer_until_draft_19(draft: int, label: bytes) -> None:
    info = b"\x00\x10" + bytes([len(label)]) + label + b"\0"
    expected = HKDFExpand(hashes.SHA256(), 16, info).derive(bytes(32))

    assert expected == traffic_key(bytes(32), key_octets=16, hash_name="sha256", draft=draft).key


def test_the_next_secret_has_the_length_of_the_hash() -> None:
    secret = next_traffic_secret(bytes(48), hash_name="sha384")

    assert hkdf_expand_label(bytes(48), b"traffic upd", b"", 48, hash_name="sha384") == secret


def test_the_prf_of_tls12_chains_the_hmac() -> None:
    seed = b"label" + b"seed"
    first = hmac.digest(b"secret", seed, "sha256")
    second = hmac.digest(b"secret", first, "sha256")
    expected = hmac.digest(b"secret", first + seed, "sha256") + hmac.digest(b"secret", second + seed, "sha256")

    assert expected[:50] == prf(b"secret", b"label", b"seed", 50, version=0x0303, hash_name="sha256")


def test_the_prf_before_tls12_shares_the_middle_octet_of_an_odd_secret() -> None:
    seed = b"label" + b"seed"

    def p_hash(secret: bytes, name: str) -> bytes:
        return hmac.digest(secret, hmac.digest(secret, seed, name) + seed, name)

    expected = bytes(one ^ other for one, other in zip(p_hash(b"abc", "md5"), p_hash(b"cde", "sha1"), strict=False))

    assert expected == prf(b"abcde", b"label", b"seed", 16, version=0x0301, hash_name="sha256")


def test_the_key_block_of_ssl3_is_made_of_salted_digests() -> None:
    inputs = b"m" * 48 + b"s" * 32 + b"c" * 32
    expected = b"".join(
        hashlib.md5(b"m" * 48 + hashlib.sha1(salt + inputs).digest()).digest() for salt in (b"A", b"BB", b"CCC")
    )

    assert expected[:40] == key_block(
        b"m" * 48, 40, client_random=b"c" * 32, server_random=b"s" * 32, version=0x0300, hash_name="sha256"
    )
