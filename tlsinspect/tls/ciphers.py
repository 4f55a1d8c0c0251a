"""The ciphers and MACs that protect records, by the names that cipher suites call them.

RFC 5246 appendix C, RFC 8446 appendix B.4 and the documents named below.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol


class Aead(Protocol):
    """An AEAD of the cryptography package, with its key."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The plaintext.  Raises InvalidTag."""
        ...


class AeadCipher(NamedTuple):
    """What has to be known of an AEAD to use it."""

    key_octets: int
    tag_octets: int
    explicit_nonce: bool  # in TLS 1.2 a part of the nonce is sent with each record
    load: Callable[[bytes], Aead]


def _gcm(key: bytes) -> Aead:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _ccm(key: bytes) -> Aead:
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

    return AESCCM(key)


def _ccm_8(key: bytes) -> Aead:
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

    return AESCCM(key, tag_length=8)


def _chacha20(key: bytes) -> Aead:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    return ChaCha20Poly1305(key)


# By the encryption in the name of the suite.  RFC 5288, RFC 6655, RFC 7905, RFC 8446 appendix B.4.
AEADS: Mapping[str, AeadCipher] = {
    "AES_128_GCM": AeadCipher(16, 16, True, _gcm),
    "AES_256_GCM": AeadCipher(32, 16, True, _gcm),
    "AES_128_CCM": AeadCipher(16, 16, True, _ccm),
    "AES_256_CCM": AeadCipher(32, 16, True, _ccm),
    "AES_128_CCM_8": AeadCipher(16, 8, True, _ccm_8),
    "AES_256_CCM_8": AeadCipher(32, 8, True, _ccm_8),
    "CHACHA20_POLY1305": AeadCipher(32, 16, False, _chacha20),
}


def decrypted(aead: Aead, nonce: bytes, sealed: bytes, additional_data: bytes) -> bytes | None:
    """The plaintext; None when the tag does not fit."""
    from cryptography.exceptions import InvalidTag

    try:
        return aead.decrypt(nonce, sealed, additional_data)
    except InvalidTag:
        return None


def number_mask(encryption: str, key: bytes, sample: bytes) -> bytes:
    """The octets that hide a packet number of QUIC or a record number of DTLS 1.3; *sample* has 16 octets.

    RFC 9001 sections 5.4.3 and 5.4.4, RFC 9147 section 4.2.3.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    if encryption == "CHACHA20_POLY1305":
        return Cipher(algorithms.ChaCha20(key, sample), mode=None).encryptor().update(bytes(5))
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(sample)  # noqa: S305 - one block, as it says


class BlockCipher(NamedTuple):
    """What has to be known of a block cipher to use it in CBC mode."""

    key_octets: int
    block_octets: int
    decrypt: Callable[[bytes, bytes, bytes], bytes]  # of key, IV and ciphertext


def rc4(key: bytes) -> Callable[[bytes], bytes]:
    """What decrypts the next octets of a stream, from its start on."""
    from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
    from cryptography.hazmat.primitives.ciphers import Cipher

    return Cipher(ARC4(key), mode=None).decryptor().update


def _cbc(name: str) -> Callable[[bytes, bytes, bytes], bytes]:
    def decrypt(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
        from cryptography.hazmat.decrepit.ciphers import algorithms as decrepit
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        algorithm = getattr(decrepit, name, None) or getattr(algorithms, name)
        return Cipher(algorithm(key), modes.CBC(iv)).decryptor().update(ciphertext)

    return decrypt


def _des(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    return _cbc("TripleDES")(key * 3, iv, ciphertext)  # three times the same key is DES


# RFC 5246 appendix C, RFC 5469, RFC 5932, RFC 4162.
BLOCK_CIPHERS: Mapping[str, BlockCipher] = {
    "AES_128_CBC": BlockCipher(16, 16, _cbc("AES")),
    "AES_256_CBC": BlockCipher(32, 16, _cbc("AES")),
    "3DES_EDE_CBC": BlockCipher(24, 8, _cbc("TripleDES")),
    "DES_CBC": BlockCipher(8, 8, _des),
    "IDEA_CBC": BlockCipher(16, 8, _cbc("IDEA")),
    "CAMELLIA_128_CBC": BlockCipher(16, 16, _cbc("Camellia")),
    "CAMELLIA_256_CBC": BlockCipher(32, 16, _cbc("Camellia")),
    "SEED_CBC": BlockCipher(16, 16, _cbc("SEED")),
}
STREAM_KEY_OCTETS: Mapping[str, int] = {"RC4_128": 16, "NULL": 0}


def block_cipher_works(cipher: BlockCipher) -> bool:
    """Whether the OpenSSL below the cryptography package has the cipher; some builds leave the old ones out."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        cipher.decrypt(bytes(range(cipher.key_octets)), bytes(cipher.block_octets), b"")
    except UnsupportedAlgorithm:
        return False
    return True


def stream_cipher_works(name: str) -> bool:
    """The same for a cipher of STREAM_KEY_OCTETS."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        if STREAM_KEY_OCTETS[name]:
            rc4(bytes(STREAM_KEY_OCTETS[name]))
    except UnsupportedAlgorithm:
        return False
    return True


HASHES: Mapping[str, str] = {"MD5": "md5", "SHA": "sha1", "SHA256": "sha256", "SHA384": "sha384"}


def digest_octets(name: str) -> int:
    """The length of a MAC, by the name of its hash in the suite."""
    return hashlib.new(HASHES[name], usedforsecurity=False).digest_size


def record_header(content_type: int, version: int, octets: int) -> bytes:
    """The header of a record, which most MACs and AEADs cover."""
    return bytes([content_type]) + version.to_bytes(2, "big") + octets.to_bytes(2, "big")


class Mac(NamedTuple):
    """The MAC of suites without AEAD.  RFC 5246 section 6.2.3.1, RFC 6101 section 5.2.3.1."""

    key: bytes
    hash_name: str
    ssl3: bool

    @property
    def octets(self) -> int:
        """Its length."""
        return hashlib.new(self.hash_name, usedforsecurity=False).digest_size

    def fits(self, mac: bytes, octets: bytes, *, sequence: int, content_type: int, version: int) -> bool:
        """Whether *mac* is the MAC of a record."""
        if self.ssl3:
            return hmac.compare_digest(mac, self._of_ssl3(octets, sequence=sequence, content_type=content_type))
        text = sequence.to_bytes(8, "big") + record_header(content_type, version, len(octets)) + octets
        return hmac.compare_digest(mac, hmac.digest(self.key, text, self.hash_name))

    def _of_ssl3(self, octets: bytes, *, sequence: int, content_type: int) -> bytes:
        padding = 48 if self.hash_name == "md5" else 40
        text = sequence.to_bytes(8, "big") + bytes([content_type]) + len(octets).to_bytes(2, "big") + octets
        inner = hashlib.new(self.hash_name, self.key + b"\x36" * padding + text, usedforsecurity=False).digest()
        return hashlib.new(self.hash_name, self.key + b"\x5c" * padding + inner, usedforsecurity=False).digest()
