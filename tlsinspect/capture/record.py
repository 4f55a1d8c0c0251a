"""Frames -> a pcapng file that Wireshark opens.

draft-ietf-opsawg-pcapng sections 3 and 4.
"""

from __future__ import annotations

from struct import Struct
from typing import BinaryIO

from tlsinspect.capture.embedded import DECRYPTION_SECRETS, TLS_KEY_LOG
from tlsinspect.capture.pcapng import ENHANCED_PACKET, IF_TSRESOL, INTERFACE_DESCRIPTION, SECTION_HEADER
from tlsinspect.model.frame import Frame

BYTE_ORDER_MAGIC = 0x1A2B3C4D
UNKNOWN_SECTION_LENGTH = -1
SHB_USERAPPL, IF_NAME, END_OF_OPTIONS = 4, 2, 0  # option codes; SHB_USERAPPL names the application that writes
NANOSECONDS = 9  # if_tsresol: time stamps in units of 10**-9 seconds

BLOCK_HEADER = Struct("<II")
BLOCK_END = Struct("<I")
SECTION_FIELDS = Struct("<IHHq")
INTERFACE_FIELDS = Struct("<HHI")
PACKET_HEADER = Struct("<IIIIIII")
SECRETS_FIELDS = Struct("<II")
OPTION = Struct("<HH")


class PcapngWriter:
    """Writes one pcapng section, little-endian, with times in nanoseconds.

    Each block is one call of `stream.write`, so that a killed process loses at most the last block.  Owns the
    numbers of the interfaces that it has described; the stream stays the caller's, to flush and to close.
    """

    def __init__(self, stream: BinaryIO, *, application: str = "tlsinspect") -> None:
        self._stream = stream
        self._interfaces: dict[tuple[int, str | None], int] = {}
        fields = SECTION_FIELDS.pack(BYTE_ORDER_MAGIC, 1, 0, UNKNOWN_SECTION_LENGTH)
        self._write_block(SECTION_HEADER, fields + _options((SHB_USERAPPL, application.encode())))

    def write(self, frame: Frame, *, interface: str | None = None) -> None:
        """Writes *frame*, after a description of its interface when link type and name are new together."""
        self._stream.write(self.block(frame, interface))

    def block(self, frame: Frame, interface: str | None) -> bytes:
        """The block of *frame*, to be written next; the description of a new interface is written at once.

        A time before 1970 is written as 1970: the format counts up from there.
        """
        index = self._interfaces.get((frame.link_type, interface))
        if index is None:
            index = self.describe(frame.link_type, interface)
        time_ns = max(frame.time_ns, 0)
        captured = len(frame.data)
        padding = -captured % 4
        total = PACKET_HEADER.size + captured + padding + BLOCK_END.size
        high, low = time_ns >> 32, time_ns & 0xFFFFFFFF
        header = PACKET_HEADER.pack(ENHANCED_PACKET, total, index, high, low, captured, frame.wire_length)
        return b"".join((header, frame.data, bytes(padding), BLOCK_END.pack(total)))

    def write_key_log(self, text: bytes) -> None:
        """Writes a TLS key log.  Wireshark uses it for the frames that follow.  Draft section 4.7."""
        self._write_block(DECRYPTION_SECRETS, SECRETS_FIELDS.pack(TLS_KEY_LOG, len(text)) + text)

    def flush(self) -> None:
        """Flushes the stream."""
        self._stream.flush()

    def describe(self, link_type: int, name: str | None) -> int:
        """The number of a new interface, whose Interface Description Block is written here.

        Without any, a file without frames has no link type, and Wireshark does not know what it is.
        """
        options = [] if name is None else [(IF_NAME, name.encode("utf-8", "surrogateescape"))]
        options.append((IF_TSRESOL, bytes([NANOSECONDS])))
        self._write_block(INTERFACE_DESCRIPTION, INTERFACE_FIELDS.pack(link_type, 0, 0) + _options(*options))
        return self._interfaces.setdefault((link_type, name), len(self._interfaces))

    def _write_block(self, kind: int, body: bytes) -> None:
        """Writes one block of that type, padded to 32 bits, in a single call."""
        body = _padded(body)
        total = BLOCK_HEADER.size + len(body) + BLOCK_END.size
        self._stream.write(BLOCK_HEADER.pack(kind, total) + body + BLOCK_END.pack(total))


def _options(*options: tuple[int, bytes]) -> bytes:
    """Options, with the one that ends them.  Draft section 3.5."""
    octets = [OPTION.pack(code, len(value)) + _padded(value) for code, value in options]
    return b"".join([*octets, OPTION.pack(END_OF_OPTIONS, 0)])


def _padded(octets: bytes) -> bytes:
    """Octets padded with zeros to a multiple of four."""
    return octets + bytes(-len(octets) % 4)
