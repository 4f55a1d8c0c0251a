"""What happened to the client's Certificate: what was sent, and how the server took it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tlsinspect import fields
from tlsinspect.diagnosis.facts import FATAL, alert_text, at_frame, completed
from tlsinspect.diagnosis.http import Reply, first_reply, replies
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import AlertSeen, EndingKind, Event, Handshake
from tlsinspect.model.message import (
    Alert,
    ApplicationData,
    Certificate,
    CertificateMessage,
    CertificateRequest,
    EncryptedRecord,
    NewSessionTicket,
)

WARNING = 1
NO_CERTIFICATE = (
    41  # SSL 3.0: "no_certificate", a warning in the place of an empty Certificate (RFC 6101 section 5.4.2)
)

BAD_CERTIFICATE, UNSUPPORTED_CERTIFICATE, CERTIFICATE_REVOKED = 42, 43, 44
CERTIFICATE_EXPIRED, CERTIFICATE_UNKNOWN, UNKNOWN_CA, ACCESS_DENIED = 45, 46, 48, 49
HANDSHAKE_FAILURE, DECODE_ERROR, CERTIFICATE_REQUIRED = 40, 50, 116
# These speak of a certificate, so after the client's they speak of that one.
ABOUT_CERTIFICATES = frozenset((42, 43, 44, 45, 46, 48, 49, 116))
# These speak of keys and records, so they say nothing of a certificate.
ABOUT_RECORDS = frozenset((20, 21, 22, 51))

REFUSING_STATUSES = frozenset((403, 495, 496))  # 401 asks for a password or a token
BAD_REQUEST = 400
NGINX_MISSING = "No required SSL certificate was sent"
NGINX_ERROR = "The SSL certificate error"
PROMPTLY_NS = 1_500_000_000  # a server that closes later may just have waited for a request


class Answer(enum.Enum):
    """How the server took the client's Certificate."""

    ALERT = "refused it with a fatal alert"
    CLOSED = "closed the connection without an alert"
    HTTP = "completed the handshake and refused in HTTP"
    ACCEPTED = "completed the handshake"
    UNKNOWN = "the capture does not say"


@dataclass(frozen=True, slots=True)
class Reaction:
    """How the server took the client's Certificate, and by what that shows."""

    answer: Answer
    alert: AlertSeen | None = None
    reply: Reply | None = None
    frame: int | None = None  # of the FIN or RST

    @property
    def refused(self) -> bool:
        """Whether the server did not go on with this client."""
        return self.answer in (Answer.ALERT, Answer.CLOSED, Answer.HTTP)

    @property
    def code(self) -> int | None:
        """The description of the alert."""
        return self.alert.alert.description if self.alert else None

    @property
    def vague(self) -> bool:
        """Whether it may be about anything: access_denied, handshake_failure or a mere FIN."""
        return self.answer is Answer.CLOSED or self.code in (ACCESS_DENIED, HANDSHAKE_FAILURE)

    def fits(self, alerts: frozenset[int]) -> bool:
        """Whether it is a refusal, and its alert, if it is one, is among those."""
        return self.code in alerts if self.answer is Answer.ALERT else self.refused

    @property
    def text(self) -> str:
        """A clause with "the server" as its subject."""
        match self.answer:
            case Answer.ALERT if self.alert:
                return f"the server answered with the alert {alert_text(self.alert)}{at_frame(self.alert.frame)}"
            case Answer.CLOSED:
                return f"the server closed the connection without an alert{at_frame(self.frame)}"
            case Answer.HTTP if self.reply:
                said = next((f' "{text}"' for text in (NGINX_MISSING, NGINX_ERROR) if text in self.reply.text), "")
                return (
                    f"the server completed the handshake and answered HTTP {self.reply.status}{said}"
                    f"{at_frame(self.reply.frame)}"
                )
            case Answer.ACCEPTED:
                return "the server completed the handshake"
            case _:
                return "the capture does not show how the server took that"


def requested(handshake: Handshake) -> bool:
    """Whether a CertificateRequest was seen, or its answer was: a client sends Certificate only when asked.

    RFC 5246 section 7.4.6, RFC 8446 section 4.4.2.
    """
    return isinstance(handshake.certificate_request, CertificateRequest) or certificate_event(handshake) is not None


def sent_none(handshake: Handshake) -> bool:
    """Whether the client answered a CertificateRequest without a certificate."""
    message = handshake.client_certificates
    if isinstance(message, CertificateMessage):
        return not message.entries and message.defect is None
    return any(is_no_certificate(event) for event in handshake.events)


def sent_chain(handshake: Handshake) -> tuple[Certificate, ...]:
    """The certificates that the client sent, leaf first; empty when it sent none or they are not known."""
    chain = fields.certificates(handshake.client_certificates)
    return () if isinstance(chain, Missing) else chain


def accepted_authorities(handshake: Handshake) -> tuple[bytes, ...]:
    """The DER of the names in certificate_authorities; empty when none are listed or the request is not known."""
    request = handshake.certificate_request
    if not isinstance(request, CertificateRequest) or request.defect is not None:
        return ()
    return request.certificate_authorities


def certificate_event(handshake: Handshake) -> Event | None:
    """The client's Certificate, or the no_certificate alert that SSL 3.0 has in its place."""
    for event in handshake.events:
        if event.side is not Side.CLIENT:
            continue
        if isinstance(event.message, CertificateMessage) or is_no_certificate(event):
            return event
    return None


def is_no_certificate(event: Event) -> bool:
    """Whether an event is SSL 3.0's no_certificate of the client."""
    message = event.message
    return (
        isinstance(message, Alert)
        and event.side is Side.CLIENT
        and message.level == WARNING
        and message.description == NO_CERTIFICATE
    )


def reaction(handshake: Handshake) -> Reaction:
    """How the server took the client's Certificate."""
    place = certificate_event(handshake)
    if place is None:
        return Reaction(Answer.UNKNOWN)
    seen = refusing_alert(handshake, place)
    if seen is not None:
        return Reaction(Answer.ALERT, alert=seen)
    if any(alert.alert.level == FATAL and alert.time_ns >= place.time_ns for alert in handshake.alerts):
        return Reaction(Answer.UNKNOWN)
    closed = closing_frame(handshake, place)
    if closed is not None:
        return Reaction(Answer.CLOSED, frame=closed)
    if not completed(handshake):
        return Reaction(Answer.UNKNOWN)
    reply = refusing_reply(handshake)
    if reply is not None:
        return Reaction(Answer.HTTP, reply=reply)
    return Reaction(Answer.ACCEPTED)


def refusing_alert(handshake: Handshake, place: Event) -> AlertSeen | None:
    """The server's fatal alert after the client's Certificate, when it answers that."""
    for seen in handshake.alerts:
        if seen.alert.level != FATAL or seen.time_ns < place.time_ns:
            continue
        if seen.side is Side.CLIENT or seen.alert.description in ABOUT_RECORDS:
            return None
        if served_before(handshake, seen.time_ns):
            return None
        if seen.alert.description not in ABOUT_CERTIFICATES and closed_before(handshake, seen.time_ns):
            return None  # GnuTLS says unexpected_message when the client has gone
        return seen
    return None


def served_before(handshake: Handshake, time_ns: int) -> bool:
    """Whether the server had sent application data by then: it had let the client in."""
    return any(
        event.side is Side.SERVER and isinstance(event.message, ApplicationData) and event.time_ns < time_ns
        for event in handshake.events
    )


def closed_before(handshake: Handshake, time_ns: int) -> bool:
    """Whether the client had closed or reset the connection by then."""
    ending = handshake.ending
    return (
        ending is not None
        and ending.side is Side.CLIENT
        and ending.kind in (EndingKind.FIN, EndingKind.RST)
        and ending.time_ns < time_ns
    )


def closing_frame(handshake: Handshake, place: Event) -> int | None:
    """The frame in which the server closed after the client's Certificate, first and without any further word.

    gRPC servers refuse a client so, and Node does so after its Finished.
    """
    marks = sorted((*handshake.tcp.fins, *handshake.tcp.resets), key=lambda mark: mark.time_ns)
    if not marks or marks[0].side is not Side.SERVER:
        return None
    last_of_client = max(event.time_ns for event in handshake.events if event.side is Side.CLIENT)
    if marks[0].time_ns - last_of_client > PROMPTLY_NS:
        return None
    spoke = any(
        event.side is Side.SERVER
        and event.time_ns >= place.time_ns
        and isinstance(event.message, ApplicationData | NewSessionTicket | EncryptedRecord | Alert)
        and not is_finished_record(event)
        for event in handshake.events
    )
    return None if spoke else marks[0].frame


def is_finished_record(event: Event) -> bool:
    """Whether an encrypted record is the Finished of TLS 1.2 and before, by its content type."""
    return isinstance(event.message, EncryptedRecord) and event.message.content_type == 22


def refusing_reply(handshake: Handshake) -> Reply | None:
    """The first HTTP reply, when it refuses and that may be due to the client's certificate or to there being none."""
    reply = first_reply(handshake)
    if reply is None:
        return None
    about = reply.status == BAD_REQUEST and speaks_of_certificates(handshake)
    return reply if about or reply.status in REFUSING_STATUSES else None


def speaks_of_certificates(handshake: Handshake) -> bool:
    """Whether what the server said in HTTP has the word certificate."""
    return any("certificate" in reply.text.lower() for reply in replies(handshake))
