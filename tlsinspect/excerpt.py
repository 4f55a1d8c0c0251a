"""Which frames belong to handshakes: a recording that leaves out what was said under their protection."""

from __future__ import annotations

from tlsinspect.conversation import FIN, RST, SYN, Conversation
from tlsinspect.model.frame import Frame
from tlsinspect.net.transport import Segment
from tlsinspect.tls.versions import is_tls13

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23  # content types
# An alert of TLS 1.3 in its record: header 5, alert 2, content type 1, tag 8 or 16 (RFC 8446 section 5.2).
ALERT_OCTETS = (16, 24)
MOST_OF_FIRST_ANSWER = 4096  # octets of a frame


class Excerpt:
    """Decides frame by frame, after the inspector has taken each.

    Owns, of each TLS 1.3 connection under way, whether the first answer after the client's Finished has passed: only
    by that is a completed handshake told from a refused one, as both look alike without keys.
    """

    def __init__(self) -> None:
        self._answered: dict[int, bool] = {}

    def of(self, frame: Frame, segment: Segment | None, conversation: Conversation | None) -> Frame | None:
        """The frame, or the part of it that belongs to a handshake; None when there is none.

        *segment* is what it carries, *conversation* the one that this belongs to, unless it is over.
        """
        if segment is None:
            return None
        if segment.flags & SYN or (conversation is not None and is_before_completion(conversation, frame)):
            return frame
        if conversation is not None and conversation.connection is not None:
            if is_handshake_or_alert(segment.payload):
                return frame
            if self._is_first_answer(segment, conversation):
                return cut(frame, min(len(frame.data), MOST_OF_FIRST_ANSWER))
        if segment.flags & (FIN | RST):
            return without_payload(frame, segment)
        return None

    def forget(self, number: int) -> None:
        """Frees what is known of a conversation that is over."""
        self._answered.pop(number, None)

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


def without_payload(frame: Frame, segment: Segment) -> Frame:
    """The headers of a frame."""
    if not segment.payload:
        return frame
    return cut(frame, frame.data.rindex(segment.payload))


def cut(frame: Frame, octets: int) -> Frame:
    """The beginning of a frame, as a snap length would have left it."""
    return frame._replace(data=frame.data[:octets])
