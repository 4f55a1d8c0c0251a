"""Keys of packets, and what opens them.  RFC 9001 section 5."""

from __future__ import annotations

import hmac
from typing import NamedTuple

from tlsinspect import registry
from tlsinspect.model.frame import Side
from tlsinspect.quic.packet import LONG_HEADER, Packet
from tlsinspect.quic.versions import Version
from tlsinspect.tls.ciphers import AEADS, HASHES, decrypted, number_mask
from tlsinspect.tls.key_schedule import NONCE_OCTETS, hkdf_expand_label

SAMPLE = 16  # octets, RFC 9001 section 5.4.2
LONGEST_NUMBER = 4  # octets
INITIAL_SUITE = 0x1301  # TLS_AES_128_GCM_SHA256
INITIAL_LABELS = {Side.CLIENT: b"client in", Side.SERVER: b"server in"}


class Opened(NamedTuple):
    """A packet in clear."""

    number: int
    payload: bytes


class Protection:
    """The packets of one side under one secret.

    It owns the largest packet number seen, as long as the connection is followed.
    """

    __slots__ = ("_aead", "_encryption", "_hp", "_iv", "_largest")

    def __init__(self, cipher_suite: int, secret: bytes, version: Version) -> None:
        suite = registry.cipher_suite(cipher_suite)
        cipher = AEADS[suite.encryption]
        hash_name = HASHES[suite.mac_or_hash]
        label = version.label
        self._encryption = suite.encryption
        self._iv = hkdf_expand_label(secret, label + b"iv", b"", NONCE_OCTETS, hash_name=hash_name)
        self._hp = hkdf_expand_label(secret, label + b"hp", b"", cipher.key_octets, hash_name=hash_name)
        self._aead = cipher.load(hkdf_expand_label(secret, label + b"key", b"", cipher.key_octets, hash_name=hash_name))
        self._largest = -1

    def open(self, packet: Packet) -> Opened | None:
        """The payload in clear; None when this secret does not open it.  RFC 9001 sections 5.3 and 5.4."""
        octets, at = packet.octets, packet.number_at
        sample = octets[at + LONGEST_NUMBER : at + LONGEST_NUMBER + SAMPLE]
        if len(sample) < SAMPLE or packet.cut:
            return None
        mask = number_mask(self._encryption, self._hp, sample)
        first = octets[0] ^ mask[0] & (0x0F if octets[0] & LONG_HEADER else 0x1F)
        size = (first & 0x03) + 1
        low = int.from_bytes(octets[at : at + size], "big") ^ int.from_bytes(mask[1 : 1 + size], "big")
        number = whole_number(self._largest, low, 8 * size)
        header = bytes([first]) + octets[1:at] + low.to_bytes(size, "big")
        nonce = (int.from_bytes(self._iv, "big") ^ number).to_bytes(NONCE_OCTETS, "big")
        payload = decrypted(self._aead, nonce, octets[at + size :], header)
        if payload is None:
            return None
        self._largest = max(self._largest, number)
        return Opened(number, payload)


def protection(cipher_suite: int, secret: bytes, version: Version) -> Protection | None:
    """The protection under a traffic secret; None when the suite is none of those of QUIC."""
    suite = registry.cipher_suite(cipher_suite)
    if not suite.tls13 or suite.encryption not in AEADS or suite.mac_or_hash not in HASHES:
        return None
    return Protection(cipher_suite, secret, version)


def initial_protections(version: Version, destination: bytes) -> dict[Side, Protection]:
    """The protection of Initial packets, from the client's first Destination Connection ID.  RFC 9001 section 5.2."""
    secret = hmac.digest(version.salt, destination, "sha256")
    return {
        side: Protection(INITIAL_SUITE, hkdf_expand_label(secret, label, b"", 32, hash_name="sha256"), version)
        for side, label in INITIAL_LABELS.items()
    }


def whole_number(largest: int, low: int, bits: int) -> int:
    """The packet number next to the largest one whose low bits are given.  RFC 9000 appendix A.3."""
    expected = largest + 1
    span = 1 << bits
    number = expected & -span | low
    if number <= expected - span // 2 and number < (1 << 62) - span:
        return number + span
    if number > expected + span // 2 and number >= span:
        return number - span
    return number
