"""Decoding of Certificate, CompressedCertificate, CertificateRequest and CertificateStatus."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from tlsinspect.model.frame import Defect
from tlsinspect.model.message import CertificateEntry, CertificateMessage, CertificateRequest, CertificateStatus
from tlsinspect.tls.extensions import (
    CERTIFICATE,
    CERTIFICATE_AUTHORITIES,
    CERTIFICATE_REQUEST,
    SIGNATURE_ALGORITHMS,
    codes,
    decode_extension_block,
    decode_extensions,
    distinguished_names,
    trailing,
)
from tlsinspect.wire import Cursor, Malformed

TLS_1_2 = 0x0303
TLS_1_3 = 0x0304
ZLIB, BROTLI, ZSTD = 1, 2, 3  # CertificateCompressionAlgorithm, RFC 8879 section 7.3
LARGEST_UNCOMPRESSED = 2**20  # octets; a longer chain is not decompressed
MOST_EXPANSION = 64  # times its compressed size; keys and signatures hardly compress, so chains reach about three
LEAST_COMPRESSED = 64  # octets; fewer are nothing that could cost anything
MOST_CERTIFICATES = 256  # of one chain; real ones have up to ten
ZSTD_WINDOW_OCTETS = 1 << 23  # RFC 8878 section 3.1.1.1.2 has decoders take eight megabytes
MOST_KEPT, LARGEST_KEPT = 256, 1 << 14  # messages, and octets of each; a chain has 2 to 6 KiB
OCSP_MULTI = 2  # CertificateStatusType, RFC 6961 section 2.2


class _Kept:
    """The certificate messages that were read last, by layout and octets.

    A server sends the same chain in every handshake, and what is made of it further on is kept by the identity of the
    message.  Owns at most MOST_KEPT of LARGEST_KEPT octets; then it begins anew.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[int, bytes], CertificateMessage] = {}

    def read(self, data: bytes, version: int, where: str) -> CertificateMessage:
        """The message with that body.  Raises Malformed as decode_certificate does."""
        key = version, data
        found = self._known.get(key)
        if found is None:
            found = decode_certificate(Cursor(data), version=version, where=where)
            if len(data) <= LARGEST_KEPT and is_sound(found):
                if len(self._known) >= MOST_KEPT:
                    self._known.clear()
                self._known[key] = found
        return found


read_certificate = _Kept().read  # as decode_certificate; equal ones give the same object


def is_sound(message: CertificateMessage) -> bool:
    """Whether there is no defect in it, which would name the side that sent it."""
    return message.defect is None and all(
        extension.defect is None for entry in message.entries for extension in entry.extensions
    )


def decode_certificate(body: Cursor, *, version: int, where: str) -> CertificateMessage:
    """RFC 8446 section 4.4.2, RFC 5246 section 7.4.2.  Version 0 (unknown) takes the layout that fits.

    A list that is cut keeps its whole entries, with the defect; *where* is the field path of the chain.
    """
    with_extensions = version == TLS_1_3 or (version == 0 and not body.filled_by(3) and body.filled_by(1, 3))
    request_context = body.vector(1, "certificate_request_context").rest() if with_extensions else b""
    entries: list[CertificateEntry] = []
    defect: Defect | None = None
    start = body.offset
    size = body.uint(3, "length of certificate_list")
    if size > len(body):
        defect = Defect(where, f"certificate_list says {size} octets, {len(body)} remain", start)
    block = Cursor(body.take(min(size, len(body)), "certificate_list"))
    try:
        while len(block):
            if len(entries) == MOST_CERTIFICATES:
                raise Malformed(f"more than {MOST_CERTIFICATES} certificates are not read", block.offset)
            der = block.vector(3, "cert_data").rest()
            extensions, problem = decode_extension_block(block, CERTIFICATE) if with_extensions else ((), None)
            entries.append(CertificateEntry(der, extensions))
            defect = defect or problem
    except Malformed as error:
        defect = defect or Defect(where, error.problem, start + 3 + error.offset)
    return CertificateMessage(
        entries=tuple(entries),
        request_context=request_context,
        defect=defect or trailing(body, where),
    )


def decode_compressed_certificate(body: Cursor, *, version: int, where: str) -> CertificateMessage:
    """A Certificate in compressed form.  RFC 8879 section 4.

    Raises Malformed when it cannot be decompressed to the length that it announces, or is longer than
    LARGEST_UNCOMPRESSED.
    """
    algorithm = body.uint(2, "algorithm")
    size = body.uint(3, "uncompressed_length")
    compressed = body.vector(3, "compressed_certificate_message")
    start = compressed.offset
    if size > LARGEST_UNCOMPRESSED:
        raise Malformed(f"uncompressed_length is {size} octets, more than {LARGEST_UNCOMPRESSED} are not read", 2)
    if size > MOST_EXPANSION * max(len(compressed), LEAST_COMPRESSED):
        raise Malformed(f"uncompressed_length is {size} octets, more than {MOST_EXPANSION} times those that came", 2)
    decompress = DECOMPRESSORS.get(algorithm)
    if decompress is None:
        raise Malformed(f"algorithm {algorithm} is none of zlib (1), brotli (2) and zstd (3)", 0)
    octets = decompress(compressed.rest(), size + 1)
    if octets is None:
        raise Malformed("compressed_certificate_message cannot be decompressed", start)
    if len(octets) != size:
        more = "more than " if len(octets) > size else ""
        raise Malformed(
            f"uncompressed_length says {size} octets, decompression gives {more}{min(len(octets), size)}", 2
        )
    certificate = decode_certificate(Cursor(octets), version=version, where=where)
    return replace(
        certificate,
        compression=algorithm,
        defect=certificate.defect or trailing(body, where),
    )


def _zlib(octets: bytes, limit: int) -> bytes | None:
    try:
        return zlib.decompressobj().decompress(octets, limit)
    except zlib.error:
        return None


def _brotli(octets: bytes, limit: int) -> bytes | None:
    import brotli

    try:
        return bytes(brotli.Decompressor().process(octets, output_buffer_limit=limit))
    except brotli.error:
        return None


def _zstd(octets: bytes, limit: int) -> bytes | None:
    import zstandard

    try:
        return zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_OCTETS).stream_reader(octets).read(limit)
    except zstandard.ZstdError:
        return None


# The octets without compression, cut at a limit; None when they cannot be decompressed.
DECOMPRESSORS: Mapping[int, Callable[[bytes, int], bytes | None]] = {ZLIB: _zlib, BROTLI: _brotli, ZSTD: _zstd}


def decode_certificate_request(body: Cursor, *, version: int) -> CertificateRequest:
    """RFC 8446 section 4.3.2, RFC 5246 section 7.4.4, RFC 2246 section 7.4.4.

    Version 0 (unknown) takes the layout that fits.  What TLS 1.3 says in extensions stands in the same fields.
    """
    if version == TLS_1_3 or (version == 0 and body.filled_by(1, 2) and body.peek()[0] == 0):
        return _certificate_request_of_tls13(body)
    certificate_types = body.vector(1, "certificate_types").uints(1, "certificate_type")
    signature_algorithms: tuple[int, ...] = ()
    if version == TLS_1_2 or (version == 0 and body.filled_by(2, 2)):
        signature_algorithms = codes(body)
    certificate_authorities = distinguished_names(body)
    return CertificateRequest(
        certificate_types=certificate_types,
        signature_algorithms=signature_algorithms,
        certificate_authorities=certificate_authorities,
        defect=trailing(body, "certificate_request"),
    )


def _certificate_request_of_tls13(body: Cursor) -> CertificateRequest:
    request_context = body.vector(1, "certificate_request_context").rest()
    extensions, defect = decode_extensions(body, CERTIFICATE_REQUEST)
    request = CertificateRequest(request_context=request_context, extensions=extensions, defect=defect)
    algorithms = request.body(SIGNATURE_ALGORITHMS)
    authorities = request.body(CERTIFICATE_AUTHORITIES)
    return replace(
        request,
        signature_algorithms=algorithms if isinstance(algorithms, tuple) else (),
        certificate_authorities=authorities if isinstance(authorities, tuple) else (),
    )


def decode_certificate_status(body: Cursor) -> CertificateStatus:
    """The stapled OCSP response; of several (ocsp_multi) the first, that of the leaf.

    RFC 6066 section 8, RFC 6961 section 2.2.
    """
    status_type = body.uint(1, "status_type")
    response = body.vector(3, "ocsp_response")
    if status_type == OCSP_MULTI:
        response = response.vector(3, "ocsp_response")
    body.end("certificate_status")
    return CertificateStatus(response.rest())
