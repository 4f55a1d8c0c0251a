"""The format of Microsoft Network Monitor 2 and 3.

CAPTUREFILE_HEADER_VALUES and FRAME of Netmon.h, and "Capture File Format" in the help of Network Monitor 3.4.
"""

from __future__ import annotations

from calendar import timegm
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from tlsinspect.capture.window import MOST_OCTETS, Window
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame

MAGIC = b"GMBU"
FILE_HEADER_OCTETS = 72  # of what is documented
PADDED_HEADER_OCTETS = 128  # as version 2.0 has it, with zeros behind the documented part
HEADER = Struct("<4sBBH8HI")  # signature, minor and major version, network, SYSTEMTIME, where the frame table begins
RECORD = Struct("<QII")  # microseconds since the start, length on the wire, captured length
NETWORK = Struct("<H")
UTC = Struct("<Q")
UTC_AT = 6  # behind the network and the number of the process
TRAILER_OCTETS = {0: 0, 1: 2, 2: 6, 3: 15}  # by the minor version: network, process, time in UTC and time zone

UNIX_EPOCH = 116_444_736_000_000_000  # 1970, in units of 100 ns since 1601
EARLIEST_NS, LATEST_NS = -(1 << 63), (1 << 63) - 1

# Network of Network Monitor -> LINKTYPE_; 0 stands for Ethernet in captures of VPN connections.
LINK_TYPES = {0: 1, 1: 1, 2: 6, 3: 10, 7: 101, 8: 101, 9: 101}
PCAP_NETWORKS = range(0xE000, 0xF000)  # a LINKTYPE_ and 0xE000
NO_LINK_TYPE = 1 << 16  # of what is no frame: filters, names of interfaces


class Layout(NamedTuple):
    """What the header says of the frames."""

    start_ns: int
    link_type: int
    end: int  # where the frames end, in the file
    trailer_octets: int


def netmon_frames(window: Window) -> Iterator[Frame]:
    """The frames of a capture that begins at the window.  Raises CaptureError when its header cannot be used."""
    octets = window.advance(0, PADDED_HEADER_OCTETS)
    if len(octets) < HEADER.size:
        raise CaptureError(
            f"{window.label} is cut inside its Network Monitor header: {HEADER.size} octets are needed, "
            f"{len(octets)} remain."
        )
    _, minor, major, network, *start, end = HEADER.unpack_from(octets)
    if major != 2 or minor not in TRAILER_OCTETS:
        raise CaptureError(
            f"{window.label} is a Network Monitor capture of version {major}.{minor}; only 2.0 to 2.3 can be read."
        )
    link_type = link_type_of(network)
    if link_type == NO_LINK_TYPE and not minor:
        raise CaptureError(f"{window.label} is a Network Monitor capture of network {network}, which cannot be read.")
    padded = not any(octets[FILE_HEADER_OCTETS:PADDED_HEADER_OCTETS])
    layout = Layout(nanoseconds_of(start), link_type, end, TRAILER_OCTETS[minor])
    return _records(window, PADDED_HEADER_OCTETS if padded else FILE_HEADER_OCTETS, layout)


def link_type_of(network: int) -> int:
    """The LINKTYPE_ of a network."""
    return network - PCAP_NETWORKS.start if network in PCAP_NETWORKS else LINK_TYPES.get(network, NO_LINK_TYPE)


def nanoseconds_of(system_time: list[int]) -> int:
    """The time of a SYSTEMTIME, which says in no time zone; 0 when it is none."""
    year, month, _, day, hour, minute, second, millisecond = system_time
    if not 1970 <= year < 2200 or not 1 <= month <= 12:
        return 0
    return (timegm((year, month, day, hour, minute, second)) * 1000 + millisecond) * 1_000_000


def _records(window: Window, at: int, layout: Layout) -> Iterator[Frame]:
    """The frames, which stand one behind the other up to the frame table."""
    start_ns, file_link_type, end, trailer_octets = layout
    octets = window.octets
    number = 0
    while window.offset + at < end:
        if len(octets) < at + RECORD.size:
            octets = window.advance(at, RECORD.size)
            at = 0
        number += 1
        remain = len(octets) - at
        if remain < RECORD.size:
            window.note_cut_header(number, RECORD.size, at)
            return
        microseconds, wire, captured = RECORD.unpack_from(octets, at)
        if captured > MOST_OCTETS:
            problem = f"packet {number} says that it has {captured} octets"
            if number == 1:
                raise CaptureError(f"{window.label} is damaged: {problem}.")
            window.note(f"The capture is damaged: {problem}. Reading ended there.", at, (number,))
            return
        record = RECORD.size + captured + trailer_octets
        if remain < record:
            octets = window.advance(at, record)
            at = 0
            if len(octets) < record:
                cut = f"{record - RECORD.size} octets announced, {len(octets) - RECORD.size} remain"
                window.note(f"The last packet (number {number}) is cut: {cut}.", 0, (number,))
                return
        body = at + RECORD.size
        trailer = body + captured
        time_ns = start_ns + microseconds * 1000
        link_type = file_link_type
        if trailer_octets:
            link_type = link_type_of(NETWORK.unpack_from(octets, trailer)[0])
        if trailer_octets > UTC_AT:
            time_ns = (UTC.unpack_from(octets, trailer + UTC_AT)[0] - UNIX_EPOCH) * 100
        time_ns = min(max(time_ns, EARLIEST_NS), LATEST_NS)
        yield Frame(number, time_ns, link_type, octets[body:trailer], wire)
        at += record
