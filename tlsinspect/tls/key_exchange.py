"""Decoding of ServerKeyExchange and CertificateVerify."""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.model.message import CertificateVerify, ServerKeyExchange
from tlsinspect.wire import Cursor

TLS_1_2 = 0x0303
NAMED_CURVE = 3  # ECCurveType, RFC 8422 section 5.4
UNSIGNED = frozenset({"anon", "PSK"})  # authentication without a signature over the parameters


def decode_server_key_exchange(body: bytes, *, cipher_suite: int, version: int) -> ServerKeyExchange:
    """What of ServerKeyExchange names a choice: the group, the size of the prime, the signature algorithm.

    The layout depends on the suite; for suite 0 (unknown) only what can be nothing but ECDHE is decoded, and for
    key exchanges without such a choice (PSK, SRP, explicit curves) nothing is.  Export RSA has the algorithm alone.
    RFC 8422 section 5.4, RFC 5246 section 7.4.3, RFC 4346 section 7.4.3, RFC 4279 sections 2 and 3, RFC 5489 section 2.

    Raises Malformed.
    """
    suite = registry.cipher_suite(cipher_suite)
    key_exchange = suite.key_exchange
    if cipher_suite == 0 and _is_named_curve(body):
        key_exchange = "ECDHE"
    octets = Cursor(body)
    if key_exchange in {"DHE_PSK", "ECDHE_PSK"}:
        octets.vector(2, "psk_identity_hint")
    signed = version != 0 and cipher_suite != 0 and suite.authentication not in UNSIGNED
    if key_exchange in {"ECDHE", "ECDHE_PSK"} or (key_exchange == "ECDH" and suite.authentication == "anon"):
        if octets.uint(1, "curve_type") != NAMED_CURVE:
            return ServerKeyExchange()
        named_group = octets.uint(2, "named_curve")
        octets.vector(1, "public")
        return ServerKeyExchange(
            named_group=named_group, signature_algorithm=_signature(octets, version) if signed else None
        )
    if key_exchange in {"DHE", "DHE_PSK"} or (key_exchange == "DH" and suite.authentication == "anon"):
        prime = octets.vector(2, "dh_p").rest()
        octets.vector(2, "dh_g")
        octets.vector(2, "dh_Ys")
        return ServerKeyExchange(
            dh_prime_bits=int.from_bytes(prime, "big").bit_length(),
            signature_algorithm=_signature(octets, version) if signed else None,
        )
    if key_exchange == "RSA" and suite.export:
        octets.vector(2, "rsa_modulus")
        octets.vector(2, "rsa_exponent")
        return ServerKeyExchange(signature_algorithm=_signature(octets, version))
    return ServerKeyExchange()


def _signature(octets: Cursor, version: int) -> int | None:
    algorithm = octets.uint(2, "signature_algorithm") if version >= TLS_1_2 else None
    octets.vector(2, "signature")
    return algorithm


def _is_named_curve(body: bytes) -> bool:
    # The groups of TLS 1.2 are below 0x80; a DHE body that begins with 3 has a prime of 768 octets or more, whose
    # first octet (the third of the body) is 0x80 or above.
    return len(body) > 4 and body[0] == NAMED_CURVE and body[1] == 0 and body[2] < 0x80 and len(body) >= 4 + body[3]


def decode_certificate_verify(body: Cursor, *, version: int) -> CertificateVerify:
    """RFC 8446 section 4.4.3, RFC 5246 section 7.4.8; version 0 (unknown) takes the layout that fits."""
    without_algorithm = body.filled_by(2) if version == 0 else version < TLS_1_2
    algorithm = None if without_algorithm else body.uint(2, "algorithm")
    body.vector(2, "signature")
    body.end("certificate_verify")
    return CertificateVerify(algorithm)
