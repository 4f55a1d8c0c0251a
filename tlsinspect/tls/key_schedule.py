"""From secrets to keys: HKDF of TLS 1.3, the PRF of TLS 1.0 to 1.2, the key block of SSL 3.0.

RFC 8446 section 7, RFC 5246 sections 5 and 6.3, RFC 2246 section 5, RFC 6101 section 6.2.2.
Names of hash functions are those of hashlib.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

SSL_3_0 = 0x0300
TLS_1_2 = 0x0303
LAST_DRAFT_WITH_LONG_LABELS = 19  # draft-ietf-tls-tls13-20 shortened them
NONCE_OCTETS = 12  # iv_length of every AEAD of TLS 1.3


class TrafficKey(NamedTuple):
    """What protects the records of one direction.  RFC 8446 section 7.3."""

    key: bytes
    iv: bytes


def hkdf_expand_label(
    secret: bytes, label: bytes, context: bytes, length: int, *, hash_name: str, draft: int = 0, dtls: bool = False
) -> bytes:
    """HKDF-Expand-Label.  *draft* is the number of a draft of TLS 1.3, 0 for the RFC.

    RFC 8446 section 7.1, RFC 5869 section 2.3, RFC 9147 section 5.9.
    """
    prefix = b"TLS 1.3, " if 0 < draft <= LAST_DRAFT_WITH_LONG_LABELS else b"tls13 "
    full_label = (b"dtls13" if dtls else prefix) + label
    info = length.to_bytes(2, "big") + bytes([len(full_label)]) + full_label + bytes([len(context)]) + context
    output = block = b""
    counter = 1
    while len(output) < length:
        block = hmac.digest(secret, block + info + bytes([counter]), hash_name)
        output += block
        counter += 1
    return output[:length]


def traffic_key(secret: bytes, *, key_octets: int, hash_name: str, draft: int = 0) -> TrafficKey:
    """The key and the IV that a traffic secret gives.  RFC 8446 section 7.3."""
    return TrafficKey(
        hkdf_expand_label(secret, b"key", b"", key_octets, hash_name=hash_name, draft=draft),
        hkdf_expand_label(secret, b"iv", b"", NONCE_OCTETS, hash_name=hash_name, draft=draft),
    )


def next_traffic_secret(secret: bytes, *, hash_name: str, draft: int = 0) -> bytes:
    """The secret after a KeyUpdate.  RFC 8446 section 7.2."""
    label = b"application traffic secret" if 0 < draft <= LAST_DRAFT_WITH_LONG_LABELS else b"traffic upd"
    return hkdf_expand_label(secret, label, b"", len(secret), hash_name=hash_name, draft=draft)


def prf(secret: bytes, label: bytes, seed: bytes, length: int, *, version: int, hash_name: str) -> bytes:
    """The PRF of TLS 1.0 to 1.2; before TLS 1.2 it is made of MD5 and SHA-1 and *hash_name* is not used.

    RFC 5246 section 5, RFC 2246 section 5.
    """
    if version >= TLS_1_2:
        return _p_hash(secret, label + seed, length, hash_name=hash_name)
    half = (len(secret) + 1) // 2  # the halves share the middle octet of a secret of odd length
    of_md5 = _p_hash(secret[:half], label + seed, length, hash_name="md5")
    of_sha1 = _p_hash(secret[len(secret) - half :], label + seed, length, hash_name="sha1")
    return bytes(one ^ other for one, other in zip(of_md5, of_sha1, strict=True))


def _p_hash(secret: bytes, seed: bytes, length: int, *, hash_name: str) -> bytes:
    output, chained = b"", seed
    while len(output) < length:
        chained = hmac.digest(secret, chained, hash_name)
        output += hmac.digest(secret, chained + seed, hash_name)
    return output[:length]


def key_block(
    master_secret: bytes,
    length: int,
    *,
    client_random: bytes,
    server_random: bytes,
    version: int,
    hash_name: str,
) -> bytes:
    """The octets that the keys of both directions are cut from.  RFC 5246 section 6.3, RFC 6101 section 6.2.2."""
    seed = server_random + client_random
    if version > SSL_3_0:
        return prf(master_secret, b"key expansion", seed, length, version=version, hash_name=hash_name)
    output = b""
    counter = 1
    while len(output) < length:  # "A", "BB", "CCC", ...
        salt = bytes([0x40 + counter]) * counter
        inner = hashlib.sha1(salt + master_secret + seed, usedforsecurity=False).digest()
        output += hashlib.md5(master_secret + inner, usedforsecurity=False).digest()
        counter += 1
    return output[:length]
