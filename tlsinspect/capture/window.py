"""The octets of a capture that are in memory: a window that slides over the stream."""

from __future__ import annotations

from collections.abc import Iterator

from tlsinspect.model.frame import Defect

# Large enough that the calls cost little, small enough to stay in the cache of the processor: 10 % faster than 256 KiB.
CHUNK_OCTETS = 65_536

# Wireshark reads no frame above 262,144 octets for nearly all link types; a larger snap length raises the limit.
USUAL_FRAME_OCTETS = 262_144
MOST_OCTETS = 16 * 1024 * 1024  # of one frame or one block, whatever the capture says


class SourceError(Exception):
    """The octets stop here for a reason worth telling.  Never leaves the package."""


class SourceCut(SourceError):
    """The octets stop here as their end is not there, which is usual for a capture that was interrupted."""


class Window:
    """A window that slides over the octets of one capture.

    Owns the octets from the reading position to the last read; `advance` frees those before the position.  It also
    collects what the reader of a format finds beside frames: defects and key logs.
    """

    def __init__(self, chunks: Iterator[bytes], label: str, defects: list[Defect], key_logs: list[bytes]) -> None:
        self._chunks = chunks
        self.label = label  # what sentences call the capture: its name, or "Standard input"
        self.defects = defects
        self.key_logs = key_logs
        self.octets = b""
        self.offset = 0  # of octets[0], from the start of the capture once decompressed
        self.closed = False
        self.damaged = False  # reading ended before the end, at octets that contradict themselves or cannot be read
        self.in_batches = False  # whether readers may give frames that follow each other together
        self.secrets_known_from: int | None = None  # the offset from which on all key logs were taken in before

    def advance(self, at: int, need: int) -> bytes:
        """The octets from *at* on: at least *need* of them, fewer only when the capture ends before."""
        parts = [self.octets[at:]]
        there = len(parts[0])
        self.offset += at
        try:
            while there < need and (chunk := next(self._chunks, b"")):
                parts.append(chunk)
                there += len(chunk)
        except SourceError as damage:
            self.note(str(damage), there, damage=not isinstance(damage, SourceCut))
        self.octets = b"".join(parts)
        return self.octets

    def rest(self) -> Iterator[bytes]:
        """The chunks that have not been read yet, for who decompresses them."""
        return self._chunks

    def note(self, problem: str, at: int, frames: tuple[int, ...] = (), *, damage: bool = False) -> None:
        """Keeps a defect found *at* octets into the window, unless it only follows from a known one."""
        if not self.closed and not self.defects:
            self.damaged = damage
            self.defects.append(Defect("capture", problem, self.offset + at, frames))

    def note_cut_header(self, number: int, needs: int, at: int) -> None:
        """Keeps that the capture ends *at* octets into the window, within the header of a packet."""
        cut = f"its header needs {needs} octets, {len(self.octets) - at} remain"
        self.note(f"The last packet (number {number}) is cut: {cut}.", at, (number,))


def most_frame_octets(snap_length: int) -> int:
    """The octets above which the length of a frame is taken for damage, under a snap length (0: none is known)."""
    return min(MOST_OCTETS, max(USUAL_FRAME_OCTETS, snap_length))
