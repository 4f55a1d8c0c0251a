"""Which frames belong to handshakes: a recording that leaves out what was said under their protection."""

from __future__ import annotations

from collections import OrderedDict

from tlsinspect.conversation import FIN, RST, SYN, Conversation
from tlsinspect.model.frame import Frame
from tlsinspect.net.transport import Datagram, Segment, reverse
from tlsinspect.tls.record import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE
from tlsinspect.tls.versions import is_tls13

# An alert of TLS 1.3 in its record: header 5, alert 2, content type 1, tag 8 or 16 (RFC 8446 section 5.2).
ALERT_OCTETS = (16, 24)
UNIFIED_HEADER, HANDSHAKE_EPOCH = 0x20, 2  # of encrypted records of DTLS 1.3: 001 and five bits, the last two the epoch
LEAST_HEADERS = 34  # octets: Ethernet and IPv4
MOST_DATAGRAMS = 8  # encrypted ones after a handshake, of each direction
MOST_REMEMBERED = 100_000  # directions of QUIC and DTLS
MOST_OF_FIRST_ANSWER = 4096  # octets of a frame


class Excerpt:
    """Decides frame by frame, after the inspector has taken each.

    Of every stream the headers of the first packet are kept, so that tcp.stream and udp.stream stay what they were.

    Owns, of each TLS 1.3 connection under way, whether the first answer after the client's Finished has passed: only
    by that is a completed handshake told from a refused one, as both look alike without keys.  Of QUIC and DTLS it
    owns how many of the first encrypted datagrams are still kept in each direction, for the same reason.
    """

    def __init__(self) -> None:
        self._answered: dict[int, bool] = {}
        self._left: OrderedDict[bytes, int] = OrderedDict()

    def of(self, frame: Frame, segment: Segment | Datagram | None, conversation: Conversation | None) -> Frame | None:
        """The frame, or the part of it that belongs to a handshake; None when there is none.

        *segment* is what it carries, *conversation* the TCP connection that this belongs to, unless it is over.
        """
        if segment is None:
            return None
        if isinstance(segment, Datagram):
            return self._of_datagram(frame, segment)
        if segment.flags & SYN or (conversation is not None and is_before_completion(conversation, frame)):
            return frame
        if conversation is not None and conversation.connection is not None:
            if is_handshake_or_alert(segment.payload):
                return frame
            if self._is_first_answer(segment, conversation):
                return cut(frame, min(len(frame.data), MOST_OF_FIRST_ANSWER))
        begins = conversation is not None and conversation.first_frame == frame.number
        if begins or segment.flags & (FIN | RST):
            return without_payload(frame, segment)
        return None

    def forget(self, number: int) -> None:
        """Frees what is known of a conversation that is over."""
        self._answered.pop(number, None)

    def _of_datagram(self, frame: Frame, datagram: Datagram) -> Frame | None:
        key, other = datagram.key, reverse(datagram.key)
        first = key not in self._left
        if is_handshake_datagram(datagram.payload):
            self._left[key] = self._left[other] = MOST_DATAGRAMS
        elif first:
            self._left[key] = self._left[other] = 0
        elif self._left[key]:
            self._left[key] -= 1
        else:
            return None
        while len(self._left) > MOST_REMEMBERED:
            self._left.popitem(last=False)
        return without_payload(frame, datagram) if first and not self._left[key] else frame

    def _is_first_answer(self, segment: Segment, conversation: Conversation) -> bool:
        connection = conversation.connection
        if connection is None or not is_tls13(connection.version) or not segment.payload:
            return False
        sent_by = 0 if segment.key == conversation.key else 1
        if sent_by == conversation.client or self._answered.get(conversation.number):
            return False
        self._answered[conversation.number] = True
        return True


def is_before_completion(conversation: Conversation, frame: Frame) -> bool:
    """Whether a handshake may still come or is under way; the frame that completes it counts."""
    if conversation.spoken:
        return False
    return conversation.completed_ns is None or conversation.completed_ns == frame.time_ns


def is_handshake_or_alert(payload: bytes) -> bool:
    """Whether the first record of a segment says that it is no application data, or is as long as an alert."""
    if len(payload) < 5 or payload[1] != 3:
        return False
    if payload[0] == APPLICATION_DATA:
        return len(payload) in ALERT_OCTETS
    return payload[0] in (CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE)


def is_handshake_datagram(payload: bytes) -> bool:
    """Whether a datagram begins with a QUIC packet with a long header, or a DTLS record of a handshake or alert.

    RFC 9000 section 17.2, RFC 6347 section 4.1, RFC 9147 section 4.
    """
    if not payload:
        return False
    first = payload[0]
    if first & 0x80:
        return True
    if first & 0xE0 == UNIFIED_HEADER:
        return first & 3 == HANDSHAKE_EPOCH
    return first in (CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE) and payload[1:2] == b"\xfe"


def without_payload(frame: Frame, segment: Segment | Datagram) -> Frame:
    """The headers of a frame."""
    if not segment.payload:
        return frame
    at = frame.data.rfind(segment.payload)
    return cut(frame, at if at >= 0 else LEAST_HEADERS)  # the payload of fragments is in no single frame


def cut(frame: Frame, octets: int) -> Frame:
    """The beginning of a frame, as a snap length would have left it."""
    return frame._replace(data=frame.data[:octets])
