"""Building captures octet by octet, in every format and byte order.

pcap: draft-ietf-opsawg-pcap sections 4 and 5.  pcapng: draft-ietf-opsawg-pcapng sections 3 and 4.  snoop: RFC 1761.
Network Monitor: Netmon.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tlsinspect.model.frame import Frame

CORPORA = Path(__file__).resolve().parents[2] / ".." / "shared" / "corpora"

ETHERNET = 1
SECOND_NS = 1_000_000_000
START_NS = 1_700_000_000 * SECOND_NS

# Three frames whose lengths leave 0, 1 and 3 octets of padding; the last one is cut by the snap length.
FRAMES = (
    Frame(1, START_NS, ETHERNET, bytes(range(60)), 60),
    Frame(2, START_NS + 1_234_000, ETHERNET, b"\xab" * 63, 63),
    Frame(3, START_NS + 2 * SECOND_NS + 999_999_000, ETHERNET, b"\x01\x00\xff" * 7, 1500),
)


def pcap(
    frames: Iterable[Frame] = FRAMES,
    *,
    byte_order: str = "<",
    magic: int = 0xA1B2C3D4,
    version: tuple[int, int] = (2, 4),
    snap_length: int = 262_144,
    link: int = ETHERNET,
) -> bytes:
    """A pcap file.  The magic also chooses the unit of time and the length of the record header."""
    unit_ns = 1 if magic == 0xA1B23C4D else 1000
    more = bytes(8) if magic == 0xA1B2CD34 else b""
    octets = [struct.pack(byte_order + "IHHiIII", magic, *version, 0, 0, snap_length, link)]
    for frame in frames:
        second, rest_ns = divmod(frame.time_ns, SECOND_NS)
        lengths = len(frame.data), frame.wire_length
        octets.append(struct.pack(byte_order + "IIII", second, rest_ns // unit_ns, *lengths) + more + frame.data)
    return b"".join(octets)


def block(kind: int, body: bytes, byte_order: str = "<") -> bytes:
    """One pcapng block: type, length, body padded to 32 bits, length again."""
    body += bytes(-len(body) % 4)
    total = len(body) + 12
    return struct.pack(byte_order + "II", kind, total) + body + struct.pack(byte_order + "I", total)


def section(byte_order: str = "<", *, major: int = 1) -> bytes:
    """A Section Header Block of unknown section length."""
    return block(0x0A0D0D0A, struct.pack(byte_order + "IHHq", 0x1A2B3C4D, major, 0, -1), byte_order)


def interface(
    byte_order: str = "<",
    *,
    link_type: int = ETHERNET,
    snap_length: int = 0,
    resolution: int | None = None,
    offset_seconds: int | None = None,
) -> bytes:
    """An Interface Description Block, with if_tsresol (9) and if_tsoffset (14) where given."""
    body = struct.pack(byte_order + "HHI", link_type, 0, snap_length)
    body += struct.pack(byte_order + "HH", 2, 5) + b"eth0\0\0\0\0"  # if_name, padded
    if resolution is not None:
        body += struct.pack(byte_order + "HHBxxx", 9, 1, resolution)
    if offset_seconds is not None:
        body += struct.pack(byte_order + "HHq", 14, 8, offset_seconds)
    return block(1, body + bytes(4), byte_order)


def enhanced_packet(frame: Frame, byte_order: str = "<", *, index: int = 0, stamp: int | None = None) -> bytes:
    """An Enhanced Packet Block, in microseconds unless the time stamp is given."""
    stamp = frame.time_ns // 1000 if stamp is None else stamp
    fields = index, stamp >> 32, stamp & 0xFFFFFFFF, len(frame.data), frame.wire_length
    return block(6, struct.pack(byte_order + "IIIII", *fields) + frame.data, byte_order)


def obsolete_packet(frame: Frame, byte_order: str = "<", *, index: int = 0) -> bytes:
    """The obsolete Packet Block, in microseconds, with 7 drops."""
    stamp = frame.time_ns // 1000
    fields = index, 7, stamp >> 32, stamp & 0xFFFFFFFF, len(frame.data), frame.wire_length
    return block(2, struct.pack(byte_order + "HHIIII", *fields) + frame.data, byte_order)


def simple_packet(frame: Frame, byte_order: str = "<") -> bytes:
    """A Simple Packet Block."""
    return block(3, struct.pack(byte_order + "I", frame.wire_length) + frame.data, byte_order)


def secrets(text: bytes, byte_order: str = "<", *, kind: int = 0x544C534B) -> bytes:
    """A Decryption Secrets Block; the type of the secrets is a TLS key log unless given."""
    return block(10, struct.pack(byte_order + "II", kind, len(text)) + text, byte_order)


def pcapng(frames: Iterable[Frame] = FRAMES, byte_order: str = "<") -> bytes:
    """A pcapng file of one section and one interface with times in microseconds."""
    packets = b"".join(enhanced_packet(frame, byte_order) for frame in frames)
    return section(byte_order) + interface(byte_order) + packets


def snoop(frames: Iterable[Frame] = FRAMES, *, version: int = 2, datalink: int = 4) -> bytes:
    """A snoop file."""
    octets = [b"snoop\0\0\0" + struct.pack(">II", version, datalink)]
    for frame in frames:
        data = frame.data + bytes(-len(frame.data) % 4)
        second, rest_ns = divmod(frame.time_ns, SECOND_NS)
        record = 24 + len(data)
        fields = frame.wire_length, len(frame.data), record, 0, second, rest_ns // 1000
        octets.append(struct.pack(">IIIIII", *fields) + data)
    return b"".join(octets)


def netmon(
    frames: Iterable[Frame] = FRAMES,
    *,
    minor: int = 0,
    major: int = 2,
    network: int = 1,
    networks: Mapping[int, int] | None = None,
    padded: bool = True,
    start: Sequence[int] = (2023, 11, 2, 14, 22, 13, 20, 0),
) -> bytes:
    """A capture of Network Monitor; *networks* are those of single frames from version 2.1 on."""
    header_octets = 128 if padded else 72
    records, places = b"", []
    for frame in frames:
        places.append(header_octets + len(records))
        microseconds = (frame.time_ns - START_NS) // 1000
        utc = frame.time_ns // 100 + 116_444_736_000_000_000
        own = (networks or {}).get(frame.number, network)
        trailer = struct.pack("<HIQB", own, 0, utc, 0)[: (0, 2, 6, 15)[minor]]
        records += struct.pack("<QII", microseconds, frame.wire_length, len(frame.data)) + frame.data + trailer
    end = header_octets + len(records)
    header = struct.pack("<4sBBH8HII", b"GMBU", minor, major, network, *start, end, 4 * len(places))
    return header.ljust(header_octets, b"\0") + records + struct.pack(f"<{len(places)}I", *places)
