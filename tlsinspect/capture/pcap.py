"""The pcap format: a file header, then records.

draft-ietf-opsawg-pcap sections 4 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from tlsinspect.capture.window import Window, most_frame_octets
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import BATCH_HEADER_OCTETS, Batch, Frame

FILE_HEADER_OCTETS = 24
RECORD_HEADER_OCTETS = 16


class Variant(NamedTuple):
    """What a magic number says about the file."""

    byte_order: str
    nanoseconds: int  # in one unit of the fraction of a second
    record_header: int = RECORD_HEADER_OCTETS


VARIANTS = {
    b"\xa1\xb2\xc3\xd4": Variant(">", 1000),
    b"\xd4\xc3\xb2\xa1": Variant("<", 1000),
    b"\xa1\xb2\x3c\x4d": Variant(">", 1),
    b"\x4d\x3c\xb2\xa1": Variant("<", 1),
    # Alexey Kuznetzov's libpcap of 1999 adds interface index, protocol and packet type to each record header.
    b"\xa1\xb2\xcd\x34": Variant(">", 1000, 24),
    b"\x34\xcd\xb2\xa1": Variant("<", 1000, 24),
}


def pcap_frames(window: Window) -> Iterator[Frame | Batch]:
    """The frames of a pcap file that begins at the window; with Window.in_batches most of them together.

    Raises CaptureError when its header cannot be used.
    """
    octets = window.octets
    if len(octets) < FILE_HEADER_OCTETS:
        octets = window.advance(0, FILE_HEADER_OCTETS)
    if len(octets) < FILE_HEADER_OCTETS:
        raise CaptureError(
            f"{window.label} is cut inside its pcap header: {FILE_HEADER_OCTETS} octets are needed, "
            f"{len(octets)} remain."
        )
    variant = VARIANTS[octets[:4]]
    major, minor, _, _, snap_length, link = Struct(variant.byte_order + "HHIIII").unpack_from(octets, 4)
    if major != 2 and (major, minor) != (543, 0):
        raise CaptureError(f"{window.label} is a pcap file of version {major}.{minor}; only version 2 can be read.")
    # Files before 2.3, and those of DG/UX (543.0), hold the two lengths of a record in the other order; of 2.3 both
    # kinds exist, and there the smaller one is the captured length, as in libpcap.
    swapped = major == 543 or minor <= 3
    unsure = major == 2 and minor == 3
    limit = most_frame_octets(snap_length)
    return _records(window, variant, link & 0xFFFF, limit, swapped=swapped, unsure=unsure)


def _records(
    window: Window, variant: Variant, link_type: int, limit: int, *, swapped: bool, unsure: bool
) -> Iterator[Frame | Batch]:
    """The frames of the records after the file header.  One function: this loop runs for every frame."""
    header = variant.record_header
    in_batches = window.in_batches and header == BATCH_HEADER_OCTETS and not swapped
    order = variant.byte_order
    scale = variant.nanoseconds
    unpack = Struct(order + "IIII").unpack_from
    new = tuple.__new__  # a third cheaper than calling Frame
    octets = window.octets
    at = FILE_HEADER_OCTETS
    number = 0
    this_second, this_second_ns = -1, 0
    while True:
        end = len(octets)
        last = end - header
        if in_batches:
            starts, at = whole_records(octets, at, order, limit)
            if starts:
                yield Batch(octets, number + 1, link_type, starts, order, 1_000_000_000, scale, 0)
                number += len(starts)
        while at <= last:
            second, fraction, captured, wire = unpack(octets, at)
            if swapped and (captured > wire or not unsure):
                captured, wire = wire, captured
            body = at + header
            after = body + captured
            if after > end or captured > limit:
                break
            number += 1
            if second != this_second:
                this_second, this_second_ns = second, second * 1_000_000_000
            yield new(Frame, (number, this_second_ns + fraction * scale, link_type, octets[body:after], wire))
            at = after
        else:
            captured = 0
        if captured > limit:
            _stop_at_absurd_length(window, at, number + 1, captured, limit)
            return
        octets = window.advance(at, header + captured)
        at = 0
        if len(octets) < header + captured:
            _note_end(window, number + 1, header, captured)
            return


def whole_records(octets: bytes, at: int, byte_order: str, limit: int) -> tuple[list[int], int]:
    """Where the data of each record begins, from the one whose header is *at* on, and where the next header is.

    Records are those that are whole and no longer than *limit*.
    """
    captured = Struct(byte_order + "I").unpack_from
    starts = []
    start, end = at + RECORD_HEADER_OCTETS, len(octets)
    while start <= end:
        (length,) = captured(octets, start - 8)
        if length > limit or start + length > end:
            break
        starts.append(start)
        start += length + RECORD_HEADER_OCTETS
    return starts, start - RECORD_HEADER_OCTETS


def _stop_at_absurd_length(window: Window, at: int, number: int, captured: int, limit: int) -> None:
    """Notes a record length that can only be damage.  Raises CaptureError when it is the first record."""
    problem = f"says that it has {captured} octets, more than the {limit} that are possible in this capture"
    if number == 1:
        raise CaptureError(f"{window.label} is damaged: its first packet {problem}.")
    window.note(f"The capture is damaged: packet {number} {problem}. Reading ended there.", at, (number,), damage=True)


def _note_end(window: Window, number: int, header: int, captured: int) -> None:
    """Notes a cut last record, if octets remain at all."""
    remain = len(window.octets)
    if captured:
        announced = f"{captured} octets announced, {remain - header} remain"
        window.note(f"The last packet (number {number}) is cut: {announced}.", 0, (number,))
    elif remain:
        window.note_cut_header(number, header, 0)
