"""A ring of blocks that the kernel fills with frames: many of them for one call of the system.

packet(7), and networking/packet_mmap in the documentation of Linux: PACKET_RX_RING with TPACKET_V3.
"""

from __future__ import annotations

import mmap
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from struct import Struct

from tlsinspect.model.frame import Frame

SOL_PACKET, PACKET_RX_RING, PACKET_VERSION, PACKET_STATISTICS = 263, 5, 10, 6
TPACKET_V3 = 2
VLAN_VALID, TPID_VALID = 1 << 4, 1 << 6  # tp_status
LINUX_SLL2 = 276

BLOCK_OCTETS = 256 << 10  # a frame has to fit into one
BLOCKS = (256, 64, 16)  # as many as there is memory for: 64 MiB, which keep what comes while this process does not run
FRAME_OCTETS = 2048  # the kernel asks for it, and does not use it in this version
MOST_BLOCKS_AT_ONCE = 4
PATIENCE_MS = 20  # after which the kernel hands over a block that is not full
BLOCK_STATUS_AT = 8  # tpacket_block_desc: version and offset, then tpacket_hdr_v1
FOR_KERNEL, FOR_USER = 0, 1
ADDRESS_AT = 48  # of struct sockaddr_ll, behind struct tpacket3_hdr

ring_request = Struct("=IIIIIII").pack
block_header = Struct("=III").unpack_from  # status, frames, where the first is
frame_header = Struct("=IIIIIIHHIIH").unpack_from
link_address = Struct("=2xHiHBB8s").unpack_from
uint32 = Struct("=I")
statistics = Struct("=III").unpack
sll2_header = Struct(">HxxIHBB8s").pack
vlan_tag = Struct(">HH").pack


class PacketRing:
    """The ring of one packet socket, which stays the caller's.

    Owns the memory that is shared with the kernel.  Raises OSError where the kernel has no such rings.
    """

    def __init__(self, packets: socket.socket, link_type: int, snaplen: int) -> None:
        self._socket = packets
        self._link_type = link_type
        self._snaplen = snaplen
        self._next = 0  # block
        packets.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V3)
        self._blocks = allocated(packets)
        self._area = mmap.mmap(packets.fileno(), self._blocks * BLOCK_OCTETS)

    def frames(self, number: int) -> Iterator[Frame]:
        """The frames of the blocks that the kernel has handed over, numbered from *number* on.

        Raises OSError when the interface went down or away.
        """
        area, link_type, snaplen = self._area, self._link_type, self._snaplen
        for turn in range(MOST_BLOCKS_AT_ONCE):
            start = self._next * BLOCK_OCTETS
            status, count, offset = block_header(area, start + BLOCK_STATUS_AT)
            if not status & FOR_USER:
                if turn == 0:
                    self._raise_error()
                return
            at = start + offset
            for _ in range(count):
                step, seconds, rest_ns, octets, wire_length, flags, mac, _, _, tci, tpid = frame_header(area, at)
                data = area[at + mac : at + mac + octets]
                if link_type == LINUX_SLL2 or flags & VLAN_VALID:
                    tag = vlan_tag(tpid if flags & TPID_VALID else 0x8100, tci) if flags & VLAN_VALID else b""
                    if link_type == LINUX_SLL2:
                        data, added = cooked(data, tag, *link_address(area, at + ADDRESS_AT))
                    else:  # the kernel keeps the tag beside the frame
                        data, added = data[:12] + tag + data[12:], len(tag)
                    wire_length += added
                if len(data) > snaplen:
                    data = data[:snaplen]
                yield Frame(number, seconds * 1_000_000_000 + rest_ns, link_type, data, wire_length)
                number += 1
                at += step
            uint32.pack_into(area, start + BLOCK_STATUS_AT, FOR_KERNEL)
            self._next = (self._next + 1) % self._blocks

    def counted(self) -> tuple[int, int]:
        """How many frames came since the last call, and how many of them found no room."""
        received, dropped, _ = statistics(self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 12))
        return received, dropped

    def close(self) -> None:
        """Frees the memory."""
        self._area.close()

    def _raise_error(self) -> None:
        """Raises what made the socket readable though there are no frames."""
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))


def allocated(packets: socket.socket) -> int:
    """How many blocks the kernel has made for a socket.  Raises OSError when it makes none."""
    for blocks in BLOCKS[:-1]:
        with suppress(OSError):
            make(packets, blocks)
            return blocks
    make(packets, BLOCKS[-1])
    return BLOCKS[-1]


def make(packets: socket.socket, blocks: int) -> None:
    """Asks for a ring."""
    frames = blocks * BLOCK_OCTETS // FRAME_OCTETS
    packets.setsockopt(
        SOL_PACKET, PACKET_RX_RING, ring_request(BLOCK_OCTETS, blocks, FRAME_OCTETS, frames, PATIENCE_MS, 0, 0)
    )


def cooked(
    data: bytes, tag: bytes, protocol: int, index: int, hardware: int, kind: int, octets: int, address: bytes
) -> tuple[bytes, int]:
    """A frame behind a LINKTYPE_LINUX_SLL2 header, and how much longer that made it.

    *protocol* is as it stands in struct sockaddr_ll, in the byte order of the network.
    """
    protocol = socket.ntohs(protocol)
    if tag:
        data, protocol = tag[2:] + protocol.to_bytes(2, "big") + data, int.from_bytes(tag[:2], "big")
    header = sll2_header(protocol, index, hardware, kind, octets, address)
    return header + data, len(header) + len(tag)
