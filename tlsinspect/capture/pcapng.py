"""The pcapng format: sections of blocks, each block with its type and its length at both ends.

draft-ietf-opsawg-pcapng sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from tlsinspect.capture.embedded import DECRYPTION_SECRETS, TLS_KEY_LOG
from tlsinspect.capture.window import MOST_OCTETS, Window
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Batch, Frame

SECTION_HEADER = 0x0A0D0D0A  # reads the same in both byte orders
INTERFACE_DESCRIPTION = 1
PACKET = 2  # obsolete
SIMPLE_PACKET = 3
ENHANCED_PACKET = 6
# systemd Journal Export and Custom Blocks hold no frame, yet Wireshark gives each a frame number.
NUMBERED_WITHOUT_FRAME = frozenset({9, 0x0BAD, 0x40000BAD})

BYTE_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
IF_TSRESOL, IF_TSOFFSET = 9, 14  # option codes

# What 64 bits hold, from 1677 to 2262: a time beyond is damage, and is taken for the nearest of these.
EARLIEST_NS, LATEST_NS = -(1 << 63), (1 << 63) - 1

BLOCK_HEADER_OCTETS = 8
SMALLEST_BLOCK_OCTETS = 12
SMALLEST_SECTION_HEADER_OCTETS = 28
# Octets of the block that are no frame data: header, fixed fields and the second length.
ENHANCED_PACKET_OCTETS = 32
SIMPLE_PACKET_OCTETS = 16
PACKET_DATA_OFFSET = 28  # in Enhanced Packet Blocks and in the obsolete Packet Block


class Layout:
    """The structures of blocks in one byte order."""

    __slots__ = ("byte_order", "enhanced", "int64", "interface", "obsolete", "option", "two", "uint16", "uint32")

    def __init__(self, byte_order: str) -> None:
        self.byte_order = byte_order
        self.two = Struct(byte_order + "II")  # block type and length; secrets type and length; version and so on
        self.enhanced = Struct(byte_order + "IIIIIII")  # type, length, interface, time high and low, captured, wire
        self.obsolete = Struct(byte_order + "IIHHIIII")  # the same with a count of drops after a shorter interface
        self.interface = Struct(byte_order + "HHI")  # link type, reserved, snap length
        self.option = Struct(byte_order + "HH")  # code, length
        self.uint16 = Struct(byte_order + "H")
        self.uint32 = Struct(byte_order + "I")
        self.int64 = Struct(byte_order + "q")


LAYOUTS = {byte_order: Layout(byte_order) for byte_order in BYTE_ORDERS.values()}


class Interface(NamedTuple):
    """What an Interface Description Block says about the frames of one interface."""

    link_type: int  # LINKTYPE_ value
    snap_length: int  # octets, 0 without limit
    multiplier: int  # nanoseconds of a time stamp t: t * multiplier // divisor + offset_ns
    divisor: int
    offset_ns: int


class BlockError(Exception):
    """A block that contradicts itself.  Never leaves the module."""


def pcapng_frames(window: Window) -> Iterator[Frame | Batch]:
    """The frames of a pcapng file that begins at the window; with Window.in_batches most of them together.

    Raises CaptureError when its header cannot be used.
    """
    octets = window.advance(0, SMALLEST_SECTION_HEADER_OCTETS)
    if len(octets) < SMALLEST_SECTION_HEADER_OCTETS:
        raise CaptureError(
            f"{window.label} is cut inside its pcapng section header: {SMALLEST_SECTION_HEADER_OCTETS} octets are "
            f"needed, {len(octets)} remain."
        )
    try:
        _section_layout(octets, 0)
    except BlockError as damage:
        raise CaptureError(f"{window.label} cannot be read: {damage}.") from damage
    return _frames(window)


def _frames(window: Window) -> Iterator[Frame | Batch]:
    """The frames of all sections.

    The inner loop takes Enhanced Packet Blocks that are whole and in order, which is nearly all of a capture;
    everything else goes through `_whole_block` and one branch below.
    """
    octets = window.octets
    at = 0
    number = 0
    new = tuple.__new__  # a third cheaper than calling Frame
    layout = LAYOUTS["<"]
    interfaces: list[Interface] = []
    in_batches = window.in_batches
    while True:
        unpack, uint32 = layout.enhanced.unpack_from, layout.uint32.unpack_from
        end = len(octets)
        last = end - ENHANCED_PACKET_OCTETS
        this_index, this_high = -1, 0  # what base_ns and the rest are of
        link_type, multiplier, divisor, base_ns, offset_ns = 0, 0, 1, 0, 0
        starts: list[int] = []  # of the batch under way
        while at <= last:
            kind, total, index, high, low, captured, wire = unpack(octets, at)
            after = at + total
            if (
                kind != ENHANCED_PACKET
                or after > end
                or captured + ENHANCED_PACKET_OCTETS > total
                or uint32(octets, after - 4)[0] != total
            ):
                break
            if index != this_index or high != this_high:
                if index >= len(interfaces):
                    break
                if starts:
                    yield _batch(octets, number, link_type, starts, layout, multiplier, offset_ns)
                    starts = []
                this_index, this_high = index, high
                link_type, _, multiplier, divisor, offset_ns = interfaces[index]
                base_ns = (high << 32) * multiplier + offset_ns * divisor
                if not EARLIEST_NS <= base_ns // divisor <= LATEST_NS - (multiplier << 32):
                    break
            number += 1
            body = at + PACKET_DATA_OFFSET
            if in_batches and divisor == 1:
                starts.append(body)
                at = after
                continue
            time_ns = base_ns + low * multiplier
            if divisor != 1:
                time_ns //= divisor
            yield new(Frame, (number, time_ns, link_type, octets[body : body + captured], wire))
            at = after
        if starts:
            yield _batch(octets, number, link_type, starts, layout, multiplier, offset_ns)
        try:
            if (block := _whole_block(window, at, number + 1, layout)) is None:
                return
            kind, layout, total, at = block
            octets = window.octets
            if kind == SECTION_HEADER:
                interfaces.clear()
            elif kind == INTERFACE_DESCRIPTION:
                interfaces.append(_interface(octets[at : at + total], layout))
            elif kind in PACKET_READERS:
                frame = PACKET_READERS[kind](octets[at : at + total], layout, interfaces, number + 1)
                number += 1
                yield frame
            elif kind == DECRYPTION_SECRETS:
                _keep_secrets(octets[at : at + total], layout, window, at)
            elif kind in NUMBERED_WITHOUT_FRAME:
                number += 1
        except BlockError as damage:
            if not number:
                raise CaptureError(f"{window.label} is damaged: {damage}.") from damage
            window.note(
                f"The capture is damaged after packet {number}: {damage}. Reading ended there.",
                at,
                (number,),
                damage=True,
            )
            return
        at += total


def _batch(
    octets: bytes, last: int, link_type: int, starts: list[int], layout: Layout, multiplier: int, offset_ns: int
) -> Batch:
    """Enhanced Packet Blocks of one interface up to number *last*: before the data stand what a batch has there."""
    first = last - len(starts) + 1
    return Batch(octets, first, link_type, starts, layout.byte_order, multiplier << 32, multiplier, offset_ns)


def _whole_block(window: Window, at: int, number: int, layout: Layout) -> tuple[int, Layout, int, int] | None:
    """Type, layout, length and position of the block at *at*, all of it in the window, or None at the end.

    *number* is the one that the next frame would have.  Raises BlockError when the length cannot be true.
    """
    octets = window.octets
    if len(octets) < at + SMALLEST_BLOCK_OCTETS:
        octets, at = window.advance(at, SMALLEST_BLOCK_OCTETS), 0
    remain = len(octets) - at
    if remain < SMALLEST_BLOCK_OCTETS:
        if remain:
            needs = f"a block needs {SMALLEST_BLOCK_OCTETS} octets, {remain} remain"
            window.note(f"The capture is cut after packet {number - 1}: {needs}.", at)
        return None
    kind, total = layout.two.unpack_from(octets, at)
    if kind == SECTION_HEADER:
        layout = _section_layout(octets, at)
        total = layout.uint32.unpack_from(octets, at + 4)[0]
    if not SMALLEST_BLOCK_OCTETS <= total <= MOST_OCTETS:
        raise BlockError(f"a block of type 0x{kind:08x} says that it has {total} octets")
    said, total = total, total + 3 & ~3  # some writers leave the padding out of the length; Wireshark reads them
    if len(octets) < at + total:
        octets, at = window.advance(at, total), 0
        if len(octets) < total:
            what = f"The last packet (number {number})" if kind in PACKET_READERS else "The last block"
            window.note(f"{what} is cut: a block of {total} octets announced, {len(octets)} remain.", 0)
            return None
    if (again := layout.uint32.unpack_from(octets, at + total - 4)[0]) != said:
        raise BlockError(f"a block of type 0x{kind:08x} says first that it has {said} octets, then {again}")
    return kind, layout, total, at


def _section_layout(octets: bytes, at: int) -> Layout:
    """The layout that the section header at *at* announces.  Draft section 4.1."""
    magic = octets[at + 8 : at + 12]
    if magic not in BYTE_ORDERS:
        raise BlockError(f"its section header has the byte-order magic {magic.hex(' ')}, which means no byte order")
    layout = LAYOUTS[BYTE_ORDERS[magic]]
    version = octets[at + 12 : at + 16]
    if len(version) == 4 and (major := layout.option.unpack(version)[0]) != 1:
        raise BlockError(f"it has a pcapng section of version {major}; only version 1 can be read")
    return layout


def _interface(block: bytes, layout: Layout) -> Interface:
    """The interface that a whole Interface Description Block describes.  Draft section 4.2."""
    if len(block) < 20:
        raise BlockError(f"an Interface Description Block needs 20 octets and has {len(block)}")
    link_type, _, snap_length = layout.interface.unpack_from(block, BLOCK_HEADER_OCTETS)
    multiplier, divisor, offset_ns = 1000, 1, 0  # microseconds when nothing is said
    at, end = 16, len(block) - 4
    while at + 4 <= end:
        code, length = layout.option.unpack_from(block, at)
        value = block[at + 4 : min(at + 4 + length, end)]
        if code == IF_TSRESOL and len(value) == 1:
            multiplier, divisor = _resolution(value[0])
        elif code == IF_TSOFFSET and len(value) == 8:
            offset_ns = layout.int64.unpack(value)[0] * 1_000_000_000
        at += 4 + (length + 3 & ~3)
    return Interface(link_type, snap_length, multiplier, divisor, offset_ns)


def _resolution(tsresol: int) -> tuple[int, int]:
    """Multiplier and divisor that turn a time stamp into nanoseconds.  Draft section 4.2, if_tsresol."""
    exponent = tsresol & 0x7F
    if tsresol & 0x80:
        return 1_000_000_000, 1 << exponent
    return (10 ** (9 - exponent), 1) if exponent <= 9 else (1, 10 ** (exponent - 9))


def _enhanced_packet(block: bytes, layout: Layout, interfaces: list[Interface], number: int) -> Frame:
    """The frame of an Enhanced Packet Block.  Draft section 4.3."""
    if len(block) < ENHANCED_PACKET_OCTETS:
        raise BlockError(f"packet {number} has a block of {len(block)} octets, too short for its type")
    _, _, index, high, low, captured, wire = layout.enhanced.unpack_from(block)
    return _timed_frame(block, number, _known(interfaces, index, number), high << 32 | low, captured, wire)


def _obsolete_packet(block: bytes, layout: Layout, interfaces: list[Interface], number: int) -> Frame:
    """The frame of an obsolete Packet Block.  Draft appendix A."""
    if len(block) < ENHANCED_PACKET_OCTETS:
        raise BlockError(f"packet {number} has a block of {len(block)} octets, too short for its type")
    _, _, index, _, high, low, captured, wire = layout.obsolete.unpack_from(block)
    return _timed_frame(block, number, _known(interfaces, index, number), high << 32 | low, captured, wire)


def _timed_frame(block: bytes, number: int, interface: Interface, stamp: int, captured: int, wire: int) -> Frame:
    """The frame of a block that has a time stamp and says how much was captured."""
    if captured > len(block) - ENHANCED_PACKET_OCTETS:
        raise BlockError(f"packet {number} says that it has {captured} octets in a block of {len(block)}")
    time_ns = stamp * interface.multiplier // interface.divisor + interface.offset_ns
    time_ns = min(max(time_ns, EARLIEST_NS), LATEST_NS)
    octets = block[PACKET_DATA_OFFSET : PACKET_DATA_OFFSET + captured]
    return Frame(number, time_ns, interface.link_type, octets, wire)


def _simple_packet(block: bytes, layout: Layout, interfaces: list[Interface], number: int) -> Frame:
    """The frame of a Simple Packet Block, which has no time: 0.  Draft section 4.4."""
    if len(block) < SIMPLE_PACKET_OCTETS:
        raise BlockError(f"packet {number} has a block of {len(block)} octets, too short for its type")
    interface = _known(interfaces, 0, number)
    wire = layout.uint32.unpack_from(block, BLOCK_HEADER_OCTETS)[0]
    captured = min(wire, interface.snap_length or wire)
    if captured > len(block) - SIMPLE_PACKET_OCTETS:
        raise BlockError(f"packet {number} says that it has {captured} octets in a block of {len(block)}")
    return Frame(number, 0, interface.link_type, block[12 : 12 + captured], wire)


def _known(interfaces: list[Interface], index: int, number: int) -> Interface:
    """The interface with that index in this section."""
    if index >= len(interfaces):
        raise BlockError(f"packet {number} is of interface {index}, the section describes {len(interfaces)}")
    return interfaces[index]


def _keep_secrets(block: bytes, layout: Layout, window: Window, at: int) -> None:
    """Adds the TLS key log of a Decryption Secrets Block to the window's; other secrets are passed over."""
    if len(block) < 20:
        raise BlockError(f"a Decryption Secrets Block needs 20 octets and has {len(block)}")
    secrets_type, length = layout.two.unpack_from(block, BLOCK_HEADER_OCTETS)
    if length > len(block) - 20:
        raise BlockError(f"a Decryption Secrets Block of {len(block)} octets says that it has {length} of secrets")
    known_from = window.secrets_known_from
    if secrets_type == TLS_KEY_LOG and (known_from is None or window.offset + at < known_from):
        window.key_logs.append(block[16 : 16 + length])


PACKET_READERS = {
    ENHANCED_PACKET: _enhanced_packet,
    SIMPLE_PACKET: _simple_packet,
    PACKET: _obsolete_packet,
}
