"""Records from the payload of one datagram.  RFC 6347 section 4.1, RFC 9147 section 4."""

from __future__ import annotations

from typing import NamedTuple

from tlsinspect.tls import messages
from tlsinspect.tls.versions import DTLS13

HEADER = 13  # octets: type, version, epoch, sequence_number, length
LARGEST = 2**14 + 2048  # RFC 5246 section 6.2.3
HANDSHAKE, APPLICATION_DATA, TLS12_CID, ACK = 22, 23, 25, 26
CONTENT_TYPES = frozenset((20, 21, HANDSHAKE, APPLICATION_DATA, 24, TLS12_CID, ACK))
VERSIONS = frozenset((b"\xfe\xff", b"\xfe\xfd", b"\xfe\xfc", b"\x01\x00"))  # the last is that of old OpenSSL
HANDSHAKE_HEADER = 12  # octets: type, length, message_seq, fragment_offset, fragment_length

# The bits of the first octet of a unified header.  RFC 9147 section 4.
UNIFIED, UNIFIED_MASK, CID_PRESENT, LONG_SEQUENCE, LENGTH_PRESENT, EPOCH_BITS = 0x20, 0xE0, 0x10, 0x08, 0x04, 0x03


class Record(NamedTuple):
    """One record, whole or as far as it was captured."""

    type: int  # application_data for those with a unified header, whose type is encrypted
    version: int
    epoch: int  # its two low bits in a unified header
    sequence: int  # in a unified header its low 8 or 16 bits, encrypted
    header: bytes
    fragment: bytes  # captured octets of the fragment
    octets: int  # length as the header says it; larger than len(fragment) when part is not in the capture

    @property
    def unified(self) -> bool:
        """Whether it has the header of DTLS 1.3, and is encrypted."""
        return self.header[0] & UNIFIED_MASK == UNIFIED

    @property
    def encrypted(self) -> bool:
        """Whether it is encrypted: epoch 0 alone is in clear."""
        return self.epoch > 0 or self.unified


def decode_records(payload: bytes, *, octets: int, cid_octets: int) -> list[Record]:
    """The records of one datagram, in order, up to the first octets that are none.

    *octets* is the length of the datagram on the wire; *cid_octets* that of the connection IDs that its sender uses.
    """
    records = []
    at = 0
    while at < len(payload):
        record = _unified(payload, at, octets, cid_octets) or _plain(payload, at, octets, cid_octets)
        if record is None:
            break
        records.append(record)
        at += len(record.header) + record.octets
    return records


def _plain(payload: bytes, at: int, end: int, cid_octets: int) -> Record | None:
    content_type = payload[at]
    size = HEADER + (cid_octets if content_type == TLS12_CID else 0)  # RFC 9146 section 4
    header = payload[at : at + size]
    if len(header) < size or content_type not in CONTENT_TYPES or header[1:3] not in VERSIONS:
        return None
    octets = int.from_bytes(header[-2:], "big")
    if octets > LARGEST or at + size + octets > end:
        return None
    start = at + size
    return Record(
        content_type,
        int.from_bytes(header[1:3], "big"),
        int.from_bytes(header[3:5], "big"),
        int.from_bytes(header[5:11], "big"),
        header,
        payload[start : start + octets],
        octets,
    )


def _unified(payload: bytes, at: int, end: int, cid_octets: int) -> Record | None:
    first = payload[at]
    if first & UNIFIED_MASK != UNIFIED:
        return None
    sequence_at = at + 1 + (cid_octets if first & CID_PRESENT else 0)
    sequence_octets = 2 if first & LONG_SEQUENCE else 1
    length_at = sequence_at + sequence_octets
    start = length_at + (2 if first & LENGTH_PRESENT else 0)
    if start > len(payload):
        return None
    octets = int.from_bytes(payload[length_at:start], "big") if first & LENGTH_PRESENT else end - start
    if start + octets > end:
        return None
    sequence = int.from_bytes(payload[sequence_at:length_at], "big")
    return Record(
        APPLICATION_DATA,
        DTLS13,
        first & EPOCH_BITS,
        sequence,
        payload[at:start],
        payload[start : start + octets],
        octets,
    )


def begins_handshake(payload: bytes, octets: int) -> bool:
    """Whether a datagram, of *octets* on the wire, begins with a handshake message in clear that makes sense."""
    if len(payload) < HEADER + HANDSHAKE_HEADER or payload[0] != HANDSHAKE:
        return False
    record = _plain(payload, 0, octets, 0)
    if record is None or record.epoch:
        return False
    length, offset, size = (int.from_bytes(record.fragment[at : at + 3], "big") for at in (1, 6, 9))
    fits = offset + size <= length and HANDSHAKE_HEADER + size <= record.octets
    return fits and record.fragment[0] in messages.NAMES
