"""What several causes ask about a handshake, and how they put values into sentences."""

from __future__ import annotations

from tlsinspect import fields, registry
from tlsinspect.fields import certificates
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import AlertSeen, Ending, EndingKind, Event, Handshake, Outcome, Visibility
from tlsinspect.model.message import (
    Alert,
    ApplicationData,
    Certificate,
    CertificateMessage,
    ChangeCipherSpec,
    ClientHello,
    EncryptedRecord,
    Gap,
    PlainMessage,
    PlainOctets,
    ServerHello,
)
from tlsinspect.tls.completion import JSSE_PADDING, tag_octets

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
    if ending is None or ending.kind is not EndingKind.ALERT or side not in (None, ending.side):
        return None
    same_place = [seen for seen in handshake.alerts if seen.frame == ending.frame and seen.side is ending.side]
    return next((seen for seen in same_place if seen.alert == ending.alert), fatal_alert(handshake, ending.side))


CLOSES = frozenset((EndingKind.FIN, EndingKind.CLOSE))  # in good order, by TCP and by QUIC
LEAVES = CLOSES | {EndingKind.RST}


def left_text(ending: Ending) -> str:
    """What a side did to the connection, such as "reset"."""
    return "closed" if ending.kind in CLOSES else "reset"


def refusing_alert(handshake: Handshake) -> bool:
    """Whether an alert other than a closure was sent, or a record that is one and cannot be read.

    What comes behind a FIN or RST of the other side is no more than its answer to that.
    """
    ending = handshake.ending
    last = ending.frame if ending is not None and ending.kind in LEAVES and ending.frame else None
    refusals = [seen.frame for seen in handshake.alerts if seen.alert.description not in CLOSURE_ALERTS]
    refusals += [
        event.frames[-1]
        for event in handshake.events
        if isinstance(event.message, EncryptedRecord) and event.message.content_type == ALERT_RECORD and event.frames
    ]
    return any(last is None or frame <= last for frame in refusals)


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
    """Whether the handshake ended before it was complete, and the capture shows so.

    Of the server's direction alone only an alert shows it: the client's Finished would not be in the capture.
    """
    if handshake.outcome in (Outcome.COMPLETED, Outcome.CUT):
        return False
    tcp, ending = handshake.tcp, handshake.ending
    return not tcp.server_octets or bool(tcp.client_octets) or (ending is not None and ending.kind is EndingKind.ALERT)


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


def client_identity(handshake: Handshake) -> str | Missing | None:
    """The subject that the client proved in this handshake; None when it sent no certificate.

    Of a resumed handshake it says nothing: its identity is that of the session's first handshake.
    """
    if handshake.client_certificates is Missing.NOT_SENT:
        return None
    certificate = leaf(handshake.client_certificates)
    return certificate.subject if isinstance(certificate, Certificate) else certificate


def identity_text(identity: str | Missing | None) -> str:
    """An identity in a sentence."""
    match identity:
        case None:
            return "no client certificate"
        case Missing():
            return "a client identity that is not visible in the capture"
        case subject:
            return f"the client certificate {quoted(subject)}"


# -- the course of the handshake ------------------------------------------------------------------------------------

ALERT_CONTENT_OCTETS = 2 + 1  # level and description, and the content type in TLS 1.3
APPLICATION_RECORD = 23  # the outer content type of every encrypted record of TLS 1.3
ALERT_RECORD = 21  # the outer content type of an alert in TLS 1.2 and before
CLOSURE_ALERTS = frozenset((0, 90))  # close_notify and user_canceled end a connection, they refuse nothing


def label(handshake: Handshake) -> str:
    """How a user names a handshake, such as "nginx.pcap#0"."""
    part = f".{handshake.part}" if handshake.parts > 1 else ""
    return f"{handshake.capture}#{handshake.stream}{part}"


def hello_of(handshake: Handshake) -> ClientHello | None:
    """The first ClientHello, when it is in the capture."""
    return handshake.client_hellos[0] if handshake.client_hellos else None


def server_name(handshake: Handshake) -> str | Missing:
    """The server name of the first ClientHello, or why there is none."""
    value = fields.read(handshake, "client_hello.server_name")
    return value if isinstance(value, (str, Missing)) else Missing.MALFORMED


def offered_alpn(handshake: Handshake) -> tuple[str, ...] | Missing:
    """The application protocols that the client offers, or why there are none."""
    value = fields.read(handshake, "client_hello.alpn")
    return value if isinstance(value, (tuple, Missing)) else Missing.MALFORMED


def name_text(name: str | Missing) -> str:
    """A server name, or its absence, in a sentence."""
    match name:
        case Missing.NOT_SENT:
            return "no server name"
        case Missing():
            return "a server name that cannot be read"
        case text:
            return f"the server name {quoted(text)}"


def hello_time_ns(handshake: Handshake) -> int:
    """When the last ClientHello was complete; the start of the connection when that is not known."""
    times = [event.time_ns for event in handshake.events if isinstance(event.message, ClientHello)]
    return times[-1] if times else handshake.started_ns


def hello_frame(handshake: Handshake) -> int | None:
    """The frame that completed the last ClientHello."""
    frames = [event.frames for event in handshake.events if isinstance(event.message, ClientHello) and event.frames]
    return frames[-1][-1] if frames else None


def last_message(handshake: Handshake, before_ns: int) -> Event | None:
    """The last message of either side before a time."""
    return next((event for event in reversed(handshake.events) if event.time_ns <= before_ns and event.frames), None)


def silent_side(handshake: Handshake) -> Side | None:
    """The side from which the next message is due, in a handshake in clear that stopped without anybody closing."""
    if handshake.outcome is not Outcome.STALLED or not answered(handshake) or hidden(handshake):
        return None
    if not handshake.events or any(isinstance(event.message, Gap) for event in handshake.events):
        return None
    last = handshake.events[-1]
    if last.side is Side.CLIENT:
        return Side.SERVER
    complete = isinstance(last.message, PlainMessage) and last.message.type == SERVER_HELLO_DONE
    return Side.CLIENT if complete and handshake.tcp.client_ttl else None


def last_before_alert(handshake: Handshake, seen: AlertSeen) -> Event | None:
    """The last message before an alert."""
    before = [event for event in handshake.events if not isinstance(event.message, Alert) and event.frames]
    return next((event for event in reversed(before) if event.frames[-1] <= seen.frame), None)


SERVER_HELLO_DONE = 14  # HandshakeType


def waited(from_ns: int, until_ns: int) -> str:
    """A span of time in a sentence, such as "3.2 s" or "4 ms"."""
    span = max(0, until_ns - from_ns)
    if span >= 10**9:
        return f"{span / 1e9:.1f} s"
    return f"{span // 10**6} ms" if span >= 10**6 else f"{span // 1000} µs"


def unanswered(handshake: Handshake) -> bool:
    """Whether a ClientHello was sent and the server said nothing in TLS: no ServerHello, no alert, no plain text."""
    if handshake.server_hello not in (Missing.NOT_SENT, Missing.LOST):  # of most handshakes, and the cheapest to see
        return False
    if hello_of(handshake) is None or plain_octets(handshake, Side.SERVER) or fatal_alert(handshake, Side.SERVER):
        return False
    server = (event.message for event in handshake.events if event.side is Side.SERVER)
    if not all(isinstance(message, (Alert, ChangeCipherSpec, ServerHello)) for message in server):
        return False
    if handshake.server_hello is Missing.LOST:
        return nothing_was_said(handshake)
    return True


def in_full_view(handshake: Handshake) -> bool:
    """Whether both directions are in the capture and no octets of them are missing before the end."""
    if any(isinstance(event.message, Gap) for event in handshake.events):
        return False
    tcp = handshake.tcp
    both = (tcp.client_octets and (tcp.server_octets or tcp.syn_ack or tcp.server_ttl)) or handshake.transport == "udp"
    return bool(both) and handshake.server_hello is not Missing.LOST


def nothing_was_said(handshake: Handshake) -> bool:
    """Whether the server's direction is in the capture and, as far as the capture goes, nothing followed the hello."""
    if not handshake.tcp.syn_ack and not handshake.tcp.server_ttl:
        return False
    followed = (event for event in handshake.events if not isinstance(event.message, (ClientHello, Alert)))
    return next(followed, None) is None


def refused_at_hello(handshake: Handshake) -> AlertSeen | None:
    """The fatal alert with which the server answered the ClientHello instead of a ServerHello."""
    seen = ending_alert(handshake, Side.SERVER)
    return seen if seen is not None and handshake.server_hello is Missing.NOT_SENT else None


def plain_octets(handshake: Handshake, side: Side) -> bytes:
    """The first octets of one side that were no TLS records; empty when there were none."""
    for event in handshake.events:
        if event.side is side and isinstance(event.message, PlainOctets):
            return event.message.octets
    return b""


def plain_frame(handshake: Handshake, side: Side) -> int | None:
    """The frame of those octets."""
    for event in handshake.events:
        if event.side is side and isinstance(event.message, PlainOctets):
            return event.frames[-1] if event.frames else None
    return None


def first_line(octets: bytes) -> str:
    """The first line of plain text, octets beyond ASCII written as \\xNN."""
    return octets.splitlines()[0].decode("ascii", "backslashreplace") if octets.strip() else octets.hex(" ")


def encrypted_records(handshake: Handshake, side: Side) -> tuple[int, ...]:
    """Octets of each record of TLS 1.3 from one side that could not be opened, in wire order."""
    return tuple(
        event.message.octets
        for event in handshake.events
        if event.side is side
        and isinstance(event.message, EncryptedRecord)
        and event.message.content_type == APPLICATION_RECORD
    )


def alert_octets(handshake: Handshake) -> frozenset[int]:
    """The octets of a record of TLS 1.3 that holds an alert, plain and padded as by JSSE, with the suite in use.

    RFC 8446 sections 5.2 and 6.
    """
    hello = handshake.server_hello
    octets = ALERT_CONTENT_OCTETS + tag_octets(hello.cipher_suite if isinstance(hello, ServerHello) else 0)
    return frozenset((octets, octets + JSSE_PADDING))


def hidden(handshake: Handshake) -> bool:
    """Whether all after the ServerHello is encrypted and was not opened."""
    return handshake.visibility is Visibility.HIDDEN and answered(handshake)


def hidden_refusal(handshake: Handshake) -> Side | None:
    """The side whose encrypted record has the size of an alert, at a place where only an alert makes sense.

    That is instead of the Finished (which has at least 53 octets), or of the server as its very next record after
    the client's flight, before any ticket or answer, where the client has not closed.  The sizes are those of TLS over
    TCP: DTLS has longer headers and acknowledgements.
    """
    if not hidden(handshake) or handshake.protocol != "tls":
        return None
    alert = hidden_alert(handshake)
    if alert is None:
        return None
    # Programs with OpenSSL send decode_error(50) when the other side has closed in the middle of the handshake.
    marks = (*handshake.tcp.fins, *handshake.tcp.resets)
    left_before = any(mark.side is not alert.side and mark.time_ns < alert.time_ns for mark in marks)
    return None if left_before else alert.side


def hidden_alert(handshake: Handshake) -> Event | None:
    """The first encrypted record that can be nothing but an alert, by its size and its place."""
    alerts = alert_octets(handshake)
    records = [
        event
        for event in handshake.events
        if isinstance(event.message, EncryptedRecord) and event.message.content_type == APPLICATION_RECORD
    ]
    small = [isinstance(event.message, EncryptedRecord) and event.message.octets in alerts for event in records]
    client, server = ([at for at, event in enumerate(records) if event.side is side] for side in Side)
    if client and small[client[0]]:
        return records[client[0]]
    if len(server) == 1 and small[server[0]]:
        return records[server[0]]
    behind = [at for at in server if client and at > client[0]]
    if not behind or not small[behind[0]] or any(small[at] for at in client if at < behind[0]):
        return None
    return records[behind[0]]


def asked_nothing(handshake: Handshake) -> bool:
    """Whether the handshake completed and the client then closed before it sent or got any application data.

    Clients that check the certificate after the handshake (curl, Node, nginx) do so to refuse it.  False where
    encryption hides what passed.
    """
    if not completed(handshake) or hidden(handshake):
        return False
    ending = handshake.ending
    for event in handshake.events:
        if ending is not None and ending.time_ns < event.time_ns:
            break  # such as what the server says in answer to the client's FIN: a close_notify, or HTTP 400
        if isinstance(event.message, ApplicationData):
            return False
        if isinstance(event.message, Alert) or (
            isinstance(event.message, EncryptedRecord) and event.message.content_type == ALERT_RECORD
        ):
            return event.side is Side.CLIENT
    return ending is not None and ending.side is Side.CLIENT


def reset_by_middlebox(handshake: Handshake) -> str:
    """A sentence when a RST in the server's name has another TTL than the server's packets; else empty."""
    server_ttl = handshake.tcp.server_ttl
    for mark in handshake.tcp.resets:
        if mark.side is Side.SERVER and mark.ttl and server_ttl and mark.ttl != server_ttl:
            return (
                f" The RST{at_frame(mark.frame)} has TTL {mark.ttl}, the server's other packets have {server_ttl}: "
                "another machine on the path, such as a firewall, may have sent it."
            )
    return ""
