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
    """Where a block may begin, by the secrets type in it."""
    for layout, _ in LAYOUTS:
        mark = layout.pack(0, 0, TLS_KEY_LOG, 0)[8:12]
        at = start
        before = b""
        while at < end:
            file.seek(at)
            chunk = before + file.read(min(CHUNK_OCTETS, end - at))
            base = at - len(before)
            found = chunk.find(mark)
            while found >= 0:
                if base + found - 8 >= start:
                    yield base + found - 8
                found = chunk.find(mark, found + 1)
            if len(chunk) == len(before):
                break  # the file became shorter meanwhile
            at = base + len(chunk)
            before = chunk[-(len(mark) - 1) :]


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
