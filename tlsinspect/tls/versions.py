"""Version code points that the protocol branches on."""

from __future__ import annotations

SSL20 = 0x0002
SSL30 = 0x0300
TLS12 = 0x0303
TLS13 = 0x0304
DTLS10 = 0xFEFF
DTLS12 = 0xFEFD
DTLS13 = 0xFEFC


def is_tls13(version: int) -> bool:
    """Whether a negotiated version is TLS 1.3, DTLS 1.3, or a draft of the former, which had its own code point.

    RFC 8446 section 4.2.1; drafts are 0x7f00 plus their number, and 0x7e00 plus a number in experiments of 2017.
    """
    return version in (TLS13, DTLS13) or version >> 8 in (0x7F, 0x7E)


def draft_of(version: int) -> int:
    """The number of the TLS 1.3 draft that a version stands for; 0 for the RFC."""
    return version & 0xFF if version >> 8 == 0x7F else 0
