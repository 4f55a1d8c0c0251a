"""What ended a handshake, and how it came out."""

from __future__ import annotations

from tlsinspect.conversation import Conversation
from tlsinspect.datagrams import Exchange
from tlsinspect.gathering import Gathered
from tlsinspect.model.handshake import Ending, EndingKind, Outcome, Transport
from tlsinspect.model.message import Alert
from tlsinspect.tls.completion import finishing_event, is_fatal
from tlsinspect.tls.survey import HANDSHAKE_MESSAGES, Survey

STALL_NS = 5_000_000_000  # of silence before the end of the capture make a stalled handshake
SYN_RETRIES = 2  # SYNs without an answer that make a stalled one at once


def first_ending(survey: Survey, transport: Transport) -> Ending | None:
    """The first fatal alert, FIN or RST, by the order of the frames."""
    first: Ending | None = None
    for event in survey.of(Alert):
        message = event.message
        if isinstance(message, Alert) and is_fatal(message, survey.events):
            frame = event.frames[-1]
            if first is None or frame < (first.frame or 0):
                first = Ending(EndingKind.ALERT, event.side, event.time_ns, frame, message)
    for kind, marks in ((EndingKind.FIN, transport.fins), (EndingKind.RST, transport.resets)):
        for mark in marks:
            if first is None or mark.frame < (first.frame or 0):
                first = Ending(kind, mark.side, mark.time_ns, mark.frame)
    return first


def is_silent(conversation: Conversation, transport: Transport, *, now_ns: int, final: bool) -> bool:
    """Whether a handshake that nothing ended has ended by silence; else it is the capture that ends."""
    retried = transport.syn_ack is None and transport.syn_count >= SYN_RETRIES
    return not final or retried or now_ns - conversation.last_ns >= STALL_NS


def outcome(conversation: Conversation, survey: Survey, ending: Ending | None, *, done: bool) -> Outcome:
    """How the handshake ended."""
    if (conversation.spoken or has_plain_octets(conversation)) and not survey.has(*HANDSHAKE_MESSAGES, Alert):
        return Outcome.NEVER_TLS
    if done:
        return Outcome.COMPLETED
    if ending is None:
        return Outcome.CUT
    return ENDINGS[ending.kind]


def has_plain_octets(conversation: Conversation) -> bool:
    """Whether octets were sent before TLS, or instead of it."""
    one, other = conversation.directions
    return bool(one.plain or other.plain)


ENDINGS = {
    EndingKind.ALERT: Outcome.REJECTED,
    EndingKind.FIN: Outcome.CLOSED,
    EndingKind.RST: Outcome.RESET,
    EndingKind.CLOSE: Outcome.CLOSED,
    EndingKind.SILENCE: Outcome.STALLED,
    EndingKind.CAPTURE_END: Outcome.CUT,
}


def end_of(
    survey: Survey, ending: Ending | None, conversation: Conversation | Exchange | Gathered, *, done: bool
) -> tuple[int, int]:
    """Time and frame of the event that completed or ended the handshake."""
    if done:
        finish = finishing_event(survey) or survey.events[-1]
        return finish.time_ns, finish.frames[-1]
    if ending is not None and ending.frame is not None:
        return ending.time_ns, ending.frame
    return conversation.last_ns, conversation.last_frame
