"""Certificates written element by element, so that each can break its rule.  X.690, RFC 5280 section 4.1."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

INTEGER, BIT_STRING, OCTET_STRING, NULL, OID, UTF8, PRINTABLE, IA5 = 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x13, 0x16
UTC_TIME, GENERALIZED_TIME, SEQUENCE, SET = 0x17, 0x18, 0x30, 0x31
BMP, T61, UNIVERSAL = 0x1E, 0x14, 0x1C
VERSION, EXTENSIONS, DNS_NAME, IP_ADDRESS = 0xA0, 0xA3, 0x82, 0x87
RSA_KEY = bytes.fromhex("2a864886f70d010101")
EC_KEY = bytes.fromhex("2a8648ce3d0201")
ECDSA_SHA256 = bytes.fromhex("2a8648ce3d040302")
COMMON_NAME = bytes.fromhex("550403")
SUBJECT_ALT_NAME = bytes.fromhex("551d11")


def element(tag: int, *contents: bytes) -> bytes:
    """One element in DER."""
    content = b"".join(contents)
    return bytes([tag]) + length(len(content)) + content


def length(size: int) -> bytes:
    """The octets of a length."""
    if size < 128:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def integer(value: int) -> bytes:
    """An INTEGER in as few octets as it needs."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def name(text: bytes, *, tag: int = UTF8) -> bytes:
    """A Name of one common name."""
    return element(SEQUENCE, element(SET, element(SEQUENCE, element(OID, COMMON_NAME), element(tag, text))))


def algorithm(identifier: bytes, *parameters: bytes) -> bytes:
    """An AlgorithmIdentifier."""
    return element(SEQUENCE, element(OID, identifier), *parameters)


def validity(begin: bytes = b"200101000000Z", end: bytes = b"400101000000Z", *, tag: int = UTC_TIME) -> bytes:
    """A Validity."""
    return element(SEQUENCE, element(tag, begin), element(tag, end))


def rsa_key(modulus: int, exponent: int) -> bytes:
    """A SubjectPublicKeyInfo for RSA."""
    key = element(SEQUENCE, integer(modulus), integer(exponent))
    return element(SEQUENCE, algorithm(RSA_KEY, element(NULL)), element(BIT_STRING, b"\0", key))


def ec_key(curve: bytes, point: bytes) -> bytes:
    """A SubjectPublicKeyInfo for a named curve."""
    return element(SEQUENCE, algorithm(EC_KEY, element(OID, curve)), element(BIT_STRING, b"\0", point))


def extension(identifier: bytes, value: bytes) -> bytes:
    """One Extension."""
    return element(SEQUENCE, element(OID, identifier), element(OCTET_STRING, value))


def alt_names(*names: bytes) -> bytes:
    """The extension subjectAltName."""
    return extension(SUBJECT_ALT_NAME, element(SEQUENCE, *names))


def dns(text: bytes) -> bytes:
    """A dNSName."""
    return element(DNS_NAME, text)


KEY: Final = ec.generate_private_key(ec.SECP256R1()).public_key()
KEY_INFO: Final = KEY.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def certificate(
    *extensions: bytes,
    version: bytes = element(VERSION, element(INTEGER, b"\2")),
    serial: bytes = element(INTEGER, b"\1\2"),
    signature: bytes = algorithm(ECDSA_SHA256),
    issuer: bytes = name(b"CA"),
    dates: bytes = validity(),
    subject: bytes = name(b"a.example"),
    key: bytes = KEY_INFO,
) -> bytes:
    """A certificate whose signature is none."""
    block = [element(EXTENSIONS, element(SEQUENCE, *extensions))] if extensions else []
    tbs = element(SEQUENCE, version, serial, signature, issuer, dates, subject, key, *block)
    return element(SEQUENCE, tbs, signature, element(BIT_STRING, b"\0", element(SEQUENCE, integer(1), integer(1))))
