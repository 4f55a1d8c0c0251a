"""The versions of QUIC whose Initial packets can be opened, and how they differ."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What a packet is.  RFC 9000 section 17.2."""

    INITIAL = "Initial"
    ZERO_RTT = "0-RTT"
    HANDSHAKE = "Handshake"
    RETRY = "Retry"
    VERSION_NEGOTIATION = "Version Negotiation"
    ONE_RTT = "1-RTT"  # has the short header


class Version(NamedTuple):
    """How a version protects and names its packets."""

    name: str
    salt: bytes  # of the Initial secret, RFC 9001 section 5.2
    label: bytes  # in front of "key", "iv" and "hp"
    kinds: tuple[Kind, ...]  # by the two bits of the long packet type
    crypto: int = 0x06  # type of the CRYPTO frame


KINDS = (Kind.INITIAL, Kind.ZERO_RTT, Kind.HANDSHAKE, Kind.RETRY)
KINDS_OF_V2 = (Kind.RETRY, Kind.INITIAL, Kind.ZERO_RTT, Kind.HANDSHAKE)  # RFC 9369 section 3.2

SALT_OF_DRAFT_23 = bytes.fromhex("c3eef712c72ebb5a11a7d2432bb46365bef9f502")
SALT_OF_DRAFT_29 = bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899")
SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")  # RFC 9001 section 5.2, as since draft 33
SALT_OF_V2 = bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9")  # RFC 9369 section 3.3.1
SALT_OF_T050 = bytes.fromhex("7ff579e5acd072915580304c43a2367c60488310")
SALT_OF_T051 = bytes.fromhex("7a4edef4e7ccee5fa4506c19124fc8ccda6e033d")


def _draft(number: int) -> Version:
    salt = SALT_OF_DRAFT_23 if number < 29 else SALT_OF_DRAFT_29 if number < 33 else SALT
    return Version(f"QUIC draft {number}", salt, b"quic ", KINDS)


# Facebook's and Google's own versions are those that captures show in numbers.
VERSIONS: dict[int, Version] = {
    0x00000001: Version("QUIC v1", SALT, b"quic ", KINDS),
    0x6B3343CF: Version("QUIC v2", SALT_OF_V2, b"quicv2 ", KINDS_OF_V2),
    **{0xFF000000 | number: _draft(number) for number in range(23, 35)},
    0xFACEB002: Version("mvfst draft 27", SALT_OF_DRAFT_23, b"quic ", KINDS),
    0x54303530: Version("Google T050", SALT_OF_T050, b"quic ", KINDS, 0x08),
    0x54303531: Version("Google T051", SALT_OF_T051, b"quic ", KINDS, 0x08),
}


def version_of(code: int) -> Version | None:
    """A version that can be read; None for others.

    Versions like 0x?a?a?a?a ask for Version Negotiation (RFC 9000 section 15); programs that send them protect the
    packets as in draft 29.
    """
    return VERSIONS.get(code) or (FORCED if is_reserved(code) else None)


FORCED = Version("reserved", SALT_OF_DRAFT_29, b"quic ", KINDS)


def is_reserved(code: int) -> bool:
    """Whether no server speaks this version.  RFC 9000 section 15."""
    return code & 0x0F0F0F0F == 0x0A0A0A0A


def version_name(code: int) -> str:
    """The name of a version, such as "QUIC v1"."""
    if is_reserved(code):
        return f"reserved 0x{code:08x}"
    known = VERSIONS.get(code)
    return known.name if known else f"0x{code:08x}"
