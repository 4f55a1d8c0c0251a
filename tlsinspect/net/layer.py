"""What one header says about the next: the value that every row of the LAYERS table returns."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import NamedTuple


class Network(NamedTuple):
    """What an IP header says about both ends."""

    addresses: bytes  # source address + destination address, 8 or 32 octets
    ttl: int  # IPv4 TTL or IPv6 hop limit


class Fragment(NamedTuple):
    """Where the octets after an IP header stand in a fragmented datagram."""

    identification: tuple[int, int]  # the Identification, and the protocol where it belongs to it (IPv4), else -1
    offset: int  # octets
    more: bool  # more fragments follow


class Inner(NamedTuple):
    """What a header announces: the kind of the next header, where it starts, and where its octets end."""

    kind: tuple[str, int]
    at: int
    end: int  # on the wire; beyond the captured octets when the snap length cut the frame
    network: Network | None = None  # of an IP header
    fragment: Fragment | None = None  # of an IP header, when it carries part of a datagram


# Reads one header of the octets from the second argument on; the third is where they end on the wire. None: the
# header is none of this kind, or hides what follows. Raises IndexError or struct.error when the capture cut it.
Layer = Callable[[bytes, int, int], Inner | None]

uint16 = Struct(">H").unpack_from
uint32 = Struct(">I").unpack_from

ETHERNET = ("link", 1)
IPV4 = ("ethertype", 0x0800)
IPV6 = ("ethertype", 0x86DD)
LLC = ("llc", 0)
PPP = ("link", 9)
LEAST_ETHERTYPE = 0x0600  # a smaller value is a length (IEEE 802.3 section 3.2.6)


def ip(data: bytes, at: int, end: int) -> Inner | None:
    """An IP header without a word before it that tells the version: its first four bits do."""
    version = data[at] >> 4
    if version == 4:
        return Inner(IPV4, at, end)
    if version == 6:
        return Inner(IPV6, at, end)
    return None


def ethertype(data: bytes, at: int, end: int) -> Inner:
    """What follows a field of two octets that is an EtherType or the length of an LLC frame.

    IEEE 802.3 section 3.2.6.
    """
    (number,) = uint16(data, at)
    if number < LEAST_ETHERTYPE:
        return Inner(LLC, at + 2, min(end, at + 2 + number) if number else end)
    return Inner(("ethertype", number), at + 2, end)
