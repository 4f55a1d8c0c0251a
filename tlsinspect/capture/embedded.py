"""The key logs inside a pcapng file, found before its packets are read: they may stand behind what they open.

draft-ietf-opsawg-pcapng section 4.7 wants a Decryption Secrets Block before the packets, and tshark needs it there; a
program that captures and learns the secrets by and by writes it later.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import BinaryIO

from tlsinspect.capture.window import MOST_OCTETS

DECRYPTION_SECRETS = 10  # block type
TLS_KEY_LOG = 0x544C534B  # secrets type
MOST_SEARCHED = 64 * 1024 * 1024  # octets at the end of a file; what stands before is met in its place
CHUNK_OCTETS = 1 << 20
HEAD_OCTETS = 16  # of a block: type, length, secrets type, length of the secrets
FIXED_OCTETS = HEAD_OCTETS + 4  # with the length again at the end
BEFORE_MARK, MARK_OCTETS = 8, 4  # the secrets type and what stands before it
MARKS = tuple(TLS_KEY_LOG.to_bytes(MARK_OCTETS, order) for order in ("little", "big"))
LAYOUTS = tuple((Struct(order + "IIII"), Struct(order + "I")) for order in "<>")


def key_logs_in(file: BinaryIO) -> tuple[list[bytes], int]:
    """The texts of the key logs in the last octets of a regular file, and the offset from which on none was missed.

    Leaves the position of the file where it was.
    """
    position = file.tell()
    end = file.seek(0, 2)
    start = max(0, end - MOST_SEARCHED)
    try:
        return [text for at in marks(file, start, end) if (text := key_log_at(file, at, end)) is not None], start
    finally:
        file.seek(position)


def marks(file: BinaryIO, start: int, end: int) -> Iterator[int]:
    """Where a block may begin, by the secrets type in it, in the order of the file."""
    at, before = start, b""
    while at < end:
        file.seek(at)
        new = file.read(min(CHUNK_OCTETS, end - at))
        if not new:
            return  # the file became shorter meanwhile
        chunk = before + new
        base = at - len(before) - BEFORE_MARK
        found = sorted(base + place for mark in MARKS for place in places(chunk, mark))
        yield from (place for place in found if place >= start)
        at += len(new)
        before = chunk[-(MARK_OCTETS - 1) :]


def places(octets: bytes, mark: bytes) -> Iterator[int]:
    """Where a mark stands in some octets."""
    place = octets.find(mark)
    while place >= 0:
        yield place
        place = octets.find(mark, place + 1)


def key_log_at(file: BinaryIO, at: int, end: int) -> bytes | None:
    """The text of the key log whose block begins there; None where something else does."""
    file.seek(at)
    head = file.read(HEAD_OCTETS)
    if len(head) < HEAD_OCTETS:
        return None
    for layout, length in LAYOUTS:
        kind, total, secrets_type, octets = layout.unpack(head)
        fits = FIXED_OCTETS <= total <= min(MOST_OCTETS, end - at) and octets <= total - FIXED_OCTETS
        if kind == DECRYPTION_SECRETS and secrets_type == TLS_KEY_LOG and fits:
            body = file.read(total - HEAD_OCTETS)
            if len(body) == total - HEAD_OCTETS and length.unpack(body[-4:])[0] == total:
                return body[:octets]
    return None
