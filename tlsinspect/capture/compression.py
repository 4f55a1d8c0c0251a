"""Compressed captures, recognised by content and decompressed as a stream in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, NamedTuple, cast

from tlsinspect.capture.window import CHUNK_OCTETS, SourceCut, SourceError

# zstd frames that ask for a larger window are refused: `zstd --long=27` is the largest that zstd opens unasked.
ZSTD_WINDOW_OCTETS = 1 << 27

# What expands further than this is no capture: those of all zeros come near it, real ones to about a tenth.
MOST_EXPANSION = 250  # times the compressed octets
UNQUESTIONED_OCTETS = 256 << 20  # decompressed, before anybody asks how far they expanded


class Compression(NamedTuple):
    """A way to compress a capture."""

    name: str
    magic: bytes
    decompress: Callable[[Iterator[bytes]], Iterator[bytes]]  # chunks -> chunks of at most CHUNK_OCTETS


def compression_of(head: bytes) -> Compression | None:
    """The compression that a stream beginning with *head* is in, or None."""
    return next((compression for compression in COMPRESSIONS if head.startswith(compression.magic)), None)


def decompressed(compression: Compression, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The decompressed octets of a stream, until they are too many for what they came from."""
    taken = given = 0

    def counted() -> Iterator[bytes]:
        nonlocal taken
        for chunk in chunks:
            taken += len(chunk)
            yield chunk

    for octets in compression.decompress(counted()):
        given += len(octets)
        if given > UNQUESTIONED_OCTETS and given > MOST_EXPANSION * taken:
            raise SourceError(
                f"The {compression.name} data expands to more than {MOST_EXPANSION} times its size "
                f"({taken:,} octets to {given:,}); decompress it first if it shall be read all the same."
            )
        yield octets


def _gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The contents of all gzip members, one after the other.  RFC 1952 section 2.2."""
    import zlib

    pending = b""
    while pending := _next_member("gzip", GZIP_MAGIC, pending, chunks):
        decoder = zlib.decompressobj(wbits=31)
        while True:
            try:
                octets = decoder.decompress(pending, CHUNK_OCTETS)
            except zlib.error as error:
                raise SourceError(f"The gzip data is damaged ({error}).") from error
            pending = decoder.unconsumed_tail
            if octets:
                yield octets
            elif decoder.eof:
                break
            elif not pending and not (pending := next(chunks, b"")):
                raise SourceCut("The gzip data is cut: it ends inside a member.")
        pending = decoder.unused_data


def _decompress_lz4(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The contents of all LZ4 frames, one after the other."""
    import lz4.frame

    pending = b""
    while pending := _next_member("lz4", LZ4_MAGIC, pending, chunks):
        decoder = lz4.frame.LZ4FrameDecompressor()
        while True:
            try:
                octets = decoder.decompress(pending, CHUNK_OCTETS)
            except RuntimeError as error:
                raise SourceError(f"The lz4 data is damaged ({error}).") from error
            pending = b""  # the decoder keeps what it has not used
            if octets:
                yield octets
            if decoder.eof:  # looked at before the next call, which would begin a new frame
                break
            if not octets and decoder.needs_input and not (pending := next(chunks, b"")):
                raise SourceCut("The lz4 data is cut: it ends inside a frame.")
        pending = decoder.unused_data or b""


def _decompress_zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The contents of all zstd frames, one after the other.  RFC 8878 section 3.1.

    A cut stream ends early without a word from the library; the reader of the capture inside then finds a cut frame.
    """
    import zstandard

    decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_OCTETS)
    reader = decoder.stream_reader(cast("IO[bytes]", _Readable(chunks)), read_across_frames=True)
    while True:
        try:
            octets = reader.read1(CHUNK_OCTETS)
        except zstandard.ZstdError as error:
            raise SourceError(f"The zstd data is damaged ({error}).") from error
        if not octets:
            return
        yield octets


class _Readable:
    """Chunks as the readable object that zstandard wants."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def read(self, size: int = -1) -> bytes:
        """The next chunk, whatever its size; nothing at the end."""
        return next(self._chunks, b"")


def _next_member(name: str, magic: bytes, pending: bytes, chunks: Iterator[bytes]) -> bytes:
    """The first octets of the next member or frame, or nothing at the end.  Zeros may pad a member (tape blocks)."""
    pending = pending.lstrip(b"\0")
    while len(pending) < len(magic) and (chunk := next(chunks, b"")):
        pending = (pending + chunk).lstrip(b"\0")
    if pending and not pending.startswith(magic):
        raise SourceError(f"Octets that are no {name} data follow the {name} data ({pending[:4].hex(' ')}).")
    return pending


GZIP_MAGIC = b"\x1f\x8b"
LZ4_MAGIC = b"\x04\x22\x4d\x18"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"

COMPRESSIONS = (
    Compression("gzip", GZIP_MAGIC, _gunzip),
    Compression("zstd", ZSTD_MAGIC, _decompress_zstd),
    Compression("lz4", LZ4_MAGIC, _decompress_lz4),
)
