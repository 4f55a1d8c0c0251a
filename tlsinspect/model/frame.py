"""What is captured, and where it came from."""

from __future__ import annotations

import enum
from typing import NamedTuple

from tlsinspect.model.value import value


class Frame(NamedTuple):
    """One captured frame.  A NamedTuple, as one is made for every frame of a capture."""

    number: int  # 1-based position in the capture, as Wireshark counts
    time_ns: int  # nanoseconds since the Unix epoch
    link_type: int  # LINKTYPE_ value
    data: bytes  # captured octets
    wire_length: int  # octets on the wire; larger than len(data) when the snap length cut the frame


class Batch(NamedTuple):
    """Consecutive frames of one link type, in the memory that they were read into.

    Before the octets of each frame stand four numbers of 32 bits: two of its time, the captured octets and those on the
    wire.  Its time in nanoseconds is the first times *major_ns*, the second times *minor_ns*, and *offset_ns*.
    """

    octets: bytes
    first: int  # number of the first frame; the others follow
    link_type: int  # LINKTYPE_ value
    starts: list[int]  # where the octets of each frame begin
    byte_order: str  # of the four numbers, as in the module struct
    major_ns: int
    minor_ns: int
    offset_ns: int


BATCH_HEADER_OCTETS = 16


@value()
class Endpoint:
    """One end of a conversation."""

    address: str  # IPv4 dotted quad, or IPv6 in its RFC 5952 form without brackets
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class Side(enum.Enum):
    """Who sent something."""

    CLIENT = "client"
    SERVER = "server"

    __hash__ = object.__hash__  # Enum's own is written in Python, and every segment looks something up by side

    @property
    def other(self) -> Side:
        """The peer."""
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT


class Missing(enum.Enum):
    """Why a field has no value.  The reasons are never interchangeable in a diagnosis."""

    NOT_SENT = "not sent"
    HIDDEN = "hidden"  # encrypted, and no keys were given
    LOST = "lost"  # not in the capture: cut, or packets are missing
    MALFORMED = "malformed"  # sent, but it cannot be decoded

    __hash__ = object.__hash__  # as of Side: it stands in keys


@value()
class Defect:
    """One departure from a specification, kept as evidence instead of raised."""

    where: str  # field path, such as "client_hello.extensions"
    problem: str  # a sentence with both numbers, such as "extensions says 119 octets, 60 remain"
    offset: int = 0  # octets from the start of the message, or of the file for a capture
    frames: tuple[int, ...] = ()  # frames that carried those octets
