"""What several causes ask about a handshake, and how they put values into sentences."""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.fields import certificates
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import AlertSeen, EndingKind, Handshake, Outcome
from tlsinspect.model.message import Certificate, CertificateMessage, ServerHello

FATAL = 2
MOST_QUOTED = 120  # characters of a name from the wire in a sentence


def fatal_alert(handshake: Handshake, side: Side | None = None) -> AlertSeen | None:
    """The first fatal alert, of one side or of either."""
    for seen in handshake.alerts:
        if seen.alert.level == FATAL and side in (None, seen.side):
            return seen
    return None


def ending_alert(handshake: Handshake, side: Side | None = None) -> AlertSeen | None:
    """The fatal alert that ended the handshake; one that only follows a FIN or RST of the peer is no cause."""
    ending = handshake.ending
    if ending is None or ending.kind is not EndingKind.ALERT:
        return None
    seen = fatal_alert(handshake)
    return seen if seen is not None and side in (None, seen.side) else None


def alert_text(seen: AlertSeen) -> str:
    """Such as "unrecognized_name(112)"."""
    return f"{registry.ALERTS.name(seen.alert.description)}({seen.alert.description})"


def at_frame(number: int | None) -> str:
    """Such as " (frame 6)"; empty when the frame is not known."""
    return f" (frame {number})" if number else ""


def quoted(text: str) -> str:
    """Text from the wire as part of a sentence: in quotation marks, and no longer than a line."""
    short = text if len(text) <= MOST_QUOTED else text[: MOST_QUOTED - 1] + "…"
    return f"'{short}'"


def completed(handshake: Handshake) -> bool:
    """Whether both sides finished the handshake."""
    return handshake.outcome is Outcome.COMPLETED


def failed(handshake: Handshake) -> bool:
    """Whether the handshake ended before it was complete, and the capture shows so."""
    return handshake.outcome not in (Outcome.COMPLETED, Outcome.CUT)


def resumed(handshake: Handshake) -> bool:
    """Whether the server took up an earlier session, so that no certificates passed."""
    return isinstance(handshake.resumption.accepted, str)


def answered(handshake: Handshake) -> bool:
    """Whether the server sent a ServerHello (a HelloRetryRequest does not count)."""
    return isinstance(handshake.server_hello, ServerHello)


def leaf(message: CertificateMessage | Missing) -> Certificate | Missing | None:
    """The first certificate of a chain; None when the message was sent empty."""
    chain = certificates(message)
    if isinstance(chain, Missing):
        return chain
    return chain[0] if chain else None


def client_identity(handshake: Handshake) -> str | None | Missing:
    """The subject that the client proved in this handshake; None when it sent no certificate.

    Of a resumed handshake it says nothing: its identity is that of the session's first handshake.
    """
    if handshake.client_certificates is Missing.NOT_SENT:
        return None
    certificate = leaf(handshake.client_certificates)
    return certificate.subject if isinstance(certificate, Certificate) else certificate


def identity_text(identity: str | None | Missing) -> str:
    """An identity in a sentence."""
    match identity:
        case None:
            return "no client certificate"
        case Missing():
            return "a client identity that is not visible in the capture"
        case subject:
            return f"the client certificate {quoted(subject)}"
