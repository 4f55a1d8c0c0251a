"""How one input of octets holds a conversation: what each side sent, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tlsinspect.model.frame import Side

FROM_SERVER, IS_GAP = 1, 2
MOST_PIECE = 0xFFFF
SEPARATOR = b"\0\n"  # between a key log and the pieces


class Piece(NamedTuple):
    """What one side sent at once, or octets of it that are missing."""

    side: Side
    octets: bytes
    missing: int = 0
    flags: int = 0  # the whole octet, for targets that read more from it


def decode_pieces(data: bytes) -> Iterator[Piece]:
    """The pieces of an input: an octet of flags, two of length, the octets.  The last one may be cut."""
    at = 0
    while len(data) - at >= 3:
        flags, size = data[at], int.from_bytes(data[at + 1 : at + 3], "big")
        side = Side.SERVER if flags & FROM_SERVER else Side.CLIENT
        at += 3
        if flags & IS_GAP:
            yield Piece(side, b"", size or 1, flags)
            continue
        yield Piece(side, data[at : at + size], 0, flags)
        at += size


def encode_pieces(pieces: Iterable[Piece]) -> bytes:
    """An input that decodes to these pieces."""
    parts = []
    for piece in pieces:
        flags = piece.flags & ~(FROM_SERVER | IS_GAP) | (piece.side is Side.SERVER)
        if piece.missing:
            parts.append(bytes([flags | IS_GAP]) + min(piece.missing, MOST_PIECE).to_bytes(2, "big"))
        for at in range(0, len(piece.octets), MOST_PIECE):
            octets = piece.octets[at : at + MOST_PIECE]
            parts.append(bytes([flags]) + len(octets).to_bytes(2, "big") + octets)
    return b"".join(parts)


def with_key_log(key_log: bytes, pieces: bytes) -> bytes:
    """An input of a key log and pieces."""
    return key_log + SEPARATOR + pieces


def split_key_log(data: bytes) -> tuple[bytes, bytes]:
    """The key log and the pieces of an input; without a separator all of it is pieces."""
    key_log, separator, rest = data.partition(SEPARATOR)
    return (key_log, rest) if separator else (b"", data)
