"""The snoop format of Solaris.  RFC 1761."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from tlsinspect.capture.window import MOST_OCTETS, Window
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame

MAGIC = b"snoop\0\0\0"
FILE_HEADER_OCTETS = 16
RECORD = Struct(">IIIIII")

# RFC 1761 datalink type -> LINKTYPE_.  IEEE 802.3 and Ethernet are one LINKTYPE.
LINK_TYPES = {0: 1, 2: 6, 4: 1, 8: 10}


def snoop_frames(window: Window) -> Iterator[Frame]:
    """The frames of a snoop file that begins at the window.  Raises CaptureError when its header cannot be used."""
    octets = window.advance(0, FILE_HEADER_OCTETS)
    if len(octets) < FILE_HEADER_OCTETS:
        raise CaptureError(
            f"{window.label} is cut inside its snoop header: {FILE_HEADER_OCTETS} octets are needed, "
            f"{len(octets)} remain."
        )
    version, datalink = Struct(">II").unpack_from(octets, 8)
    if version != 2:
        raise CaptureError(f"{window.label} is a snoop file of version {version}; only version 2 can be read.")
    if datalink not in LINK_TYPES:
        raise CaptureError(f"{window.label} is a snoop file of datalink type {datalink}, which cannot be read.")
    return _records(window, LINK_TYPES[datalink])


def _records(window: Window, link_type: int) -> Iterator[Frame]:
    """The frames of the records after the file header.  RFC 1761, packet record format."""
    octets = window.octets
    at = FILE_HEADER_OCTETS
    number = 0
    while True:
        if len(octets) < at + RECORD.size:
            octets = window.advance(at, RECORD.size)
            at = 0
            if not octets:
                return
        number += 1
        remain = len(octets) - at
        if remain < RECORD.size:
            window.note_cut_header(number, RECORD.size, at)
            return
        wire, captured, record, _, second, microsecond = RECORD.unpack_from(octets, at)
        if captured > record - RECORD.size or record > MOST_OCTETS:
            problem = f"packet {number} says that it has {captured} octets in a record of {record}"
            if number == 1:
                raise CaptureError(f"{window.label} is damaged: {problem}.")
            window.note(f"The capture is damaged: {problem}. Reading ended there.", at, (number,), damage=True)
            return
        if remain < record:
            octets = window.advance(at, record)
            at = 0
            if len(octets) < RECORD.size + captured:
                cut = f"{captured} octets announced, {len(octets) - RECORD.size} remain"
                window.note(f"The last packet (number {number}) is cut: {cut}.", 0, (number,))
                return
        body = at + RECORD.size
        time_ns = second * 1_000_000_000 + microsecond * 1000
        yield Frame(number, time_ns, link_type, octets[body : body + captured], wire)
        at = min(at + record, len(octets))  # the padding of the last record may be missing
