"""Whether octets are the beginning of a TLS connection."""

from __future__ import annotations

from tlsinspect.tls.record import HANDSHAKE
from tlsinspect.wire import Cursor

ALERT = 21  # ContentType, RFC 8446 section 5.1
MOST_FRAGMENT_OCTETS = (1 << 14) + 2048  # RFC 5246 section 6.2.3

# HandshakeType: what a side can send before anything is encrypted, and a little after.
# RFC 8446 section 4, RFC 5246 section 7.4; 6 is the HelloRetryRequest of TLS 1.3 drafts.
FIRST_MESSAGES = frozenset({0, 1, 2, 4, 6, 8, 11, 12, 13, 14, 15, 16, 20, 22})


def looks_like_tls(octets: bytes) -> bool | None:
    """Whether a side that sends these octets begins TLS with them; None when they are too few to tell.

    A handshake record, an alert in clear (RFC 8446 section 5.1), or a ClientHello in SSL 2.0 framing (RFC 5246
    appendix E.2).
    """
    if not octets:
        return None
    if octets[0] in (HANDSHAKE, ALERT):
        return _looks_like_record(octets)
    if octets[0] & 0x80:
        return _looks_like_sslv2_client_hello(octets)
    return False


def _looks_like_record(octets: bytes) -> bool | None:
    if octets[1:2] not in (b"", b"\x03") or octets[2:3] > b"\x04":
        return False
    if len(octets) < 6:
        return None
    record = Cursor(octets)
    content_type = record.uint(1, "type")
    record.take(2, "legacy_record_version")
    length = record.uint(2, "length")
    first = record.uint(1, "fragment")
    if content_type == HANDSHAKE:
        return 0 < length <= MOST_FRAGMENT_OCTETS and first in FIRST_MESSAGES
    return length == 2 and first in (1, 2)  # AlertLevel


def _looks_like_sslv2_client_hello(octets: bytes) -> bool | None:
    if octets[2:3] not in (b"", b"\x01") or octets[3:4] not in (b"", b"\x00", b"\x03"):
        return False
    if len(octets) < 11:
        return None
    hello = Cursor(octets)
    msg_length = hello.uint(2, "msg_length") & 0x7FFF
    hello.take(1, "msg_type")
    version = hello.uint(2, "version")
    cipher_spec_length = hello.uint(2, "cipher_spec_length")
    session_id_length = hello.uint(2, "session_id_length")
    challenge_length = hello.uint(2, "challenge_length")
    return (
        (version == 0x0002 or 0x0300 <= version <= 0x0304)
        and cipher_spec_length % 3 == 0
        and cipher_spec_length > 0
        and 16 <= challenge_length <= 32
        and msg_length == 9 + cipher_spec_length + session_id_length + challenge_length
    )
