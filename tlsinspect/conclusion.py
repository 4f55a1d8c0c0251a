"""From a conversation that is over to its handshakes: what happened, and what ended it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tlsinspect.conversation import Conversation
from tlsinspect.datagrams import Exchange
from tlsinspect.ending import ENDINGS, STALL_NS, end_of, first_ending, has_plain_octets, is_silent, outcome
from tlsinspect.gathering import Gathered, sound
from tlsinspect.model.frame import Defect, Missing, Side
from tlsinspect.model.handshake import (
    Ending,
    EndingKind,
    Event,
    Handshake,
    HttpExchange,
    Outcome,
    Transport,
)
from tlsinspect.model.message import (
    ApplicationData,
    ClientHello,
    EncryptedRecord,
    Gap,
    PlainMessage,
    PlainOctets,
)
from tlsinspect.net.transport import endpoints
from tlsinspect.tls import messages
from tlsinspect.tls.assembly import Assembled, assemble
from tlsinspect.tls.completion import completed
from tlsinspect.tls.connection import Connection
from tlsinspect.tls.keylog import CLIENT_TRAFFIC, MASTER_SECRET, SERVER_TRAFFIC
from tlsinspect.tls.record import ALERT, APPLICATION_DATA, is_header
from tlsinspect.tls.survey import HANDSHAKE_MESSAGES, Survey
from tlsinspect.tls.whole import events_of
from tlsinspect.transport import transport_of, unseen_octets

if TYPE_CHECKING:
    from tlsinspect.datagrams import DatagramConnection


# Ports where TLS is what is meant: a connection there that never came so far is a TLS connection that failed.
TLS_PORTS = frozenset((443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 5061, 5671, 6443, 6514, 8443, 8883, 9443))
# What servers say to plain HTTP on a TLS port: nginx, Apache, Go, Jetty and Tomcat.
PLAIN_HTTP_REFUSED = (
    b"plain HTTP request was sent to HTTPS port",
    b"speaking plain HTTP to an SSL-enabled server port",
    b"Client sent an HTTP request to an HTTPS server",
    b"requires TLS",
)


def conclude(conversation: Conversation, *, name: str, now_ns: int, final: bool, plain: bool) -> list[Handshake]:
    """The handshakes of a conversation, in order; none when nobody tried to speak TLS, unless *plain*.

    *final*: the capture ends here, at *now_ns*; otherwise the conversation is over by its own events.
    """
    conversation.finish()
    events = conversation.connection.events if conversation.connection is not None else []
    events = with_plain_octets(conversation, in_wire_order(events_before(conversation) + events))
    whole = Survey(events)
    if not plain and not worth_telling(conversation, whole):
        return []
    transport = transport_of(conversation)
    again = whole.has(ClientHello) and all(whole.plain(messages.FINISHED, side) for side in Side)
    surveys = [Survey(part) for part in split(events)] if again else [whole]
    return [
        handshake(conversation, part, transport, name=name, now_ns=now_ns, final=final, place=(index, len(surveys)))
        for index, part in enumerate(surveys, 1)
    ]


def conclude_exchange(exchange: Exchange, *, name: str, now_ns: int, final: bool) -> Handshake:
    """The handshake of an exchange over UDP; *final* as above."""
    connection = exchange.connection
    connection.finish(exchange.last_ns)
    events = in_wire_order(connection.events)
    survey = Survey(events)
    done = connection.completed
    ending = first_ending(survey, NO_TCP)
    if ending is None and connection.closed is not None:
        side, frame, time_ns = connection.closed
        ending = Ending(EndingKind.CLOSE, side, time_ns, frame)
    if ending is None and not done:
        quiet = not final or now_ns - exchange.last_ns >= STALL_NS
        ending = Ending(EndingKind.SILENCE if quiet else EndingKind.CAPTURE_END, None, exchange.last_ns)
    over = ending is not None and ending.kind is not EndingKind.CAPTURE_END
    end_ns, end_frame = end_of(survey, ending, exchange, done=done and bool(events))
    if done and connection.confirmed is not None:
        end_ns, end_frame = connection.confirmed
    source, destination = endpoints(exchange.key)
    client, server = (destination, source) if exchange.client == 1 else (source, destination)
    return Handshake(
        capture=name,
        stream=exchange.number,
        part=exchange.part,
        parts=exchange.peers.parts,
        transport="udp",
        protocol=connection.protocol,
        client=client,
        server=server,
        started_ns=exchange.started_ns,
        ended_ns=end_ns,
        first_frame=exchange.first_frame,
        last_frame=end_frame,
        outcome=Outcome.COMPLETED if done else ENDINGS[ending.kind] if ending is not None else Outcome.CUT,
        ending=ending,
        preamble=connection.preamble,
        events=tuple(events),
        **assembled(assemble(survey, ended=over, keys=connection.keys), connection),
    )


NO_TCP = Transport()


def conclude_sound(gathered: Gathered, *, name: str) -> Handshake | None:
    """The one handshake of a connection that was opened and closed, and is whole in the capture.

    None where anything is out of the ordinary: then it has to be read segment by segment, and comes to the same where
    it is not.
    """
    found = sound(gathered)
    if found is None:
        return None
    transport, payloads = found
    events = events_of(payloads)
    if not events:
        return None
    survey = Survey(events)
    ending = first_ending(survey, transport)
    assert ending is not None  # a FIN at the least
    done = completed(survey, transport, quiet=True)
    end_ns, end_frame = end_of(survey, ending, gathered, done=done)
    client, server = endpoints(gathered.key)
    *_, first_frame, first_ns = gathered.packets[0]
    return Handshake(
        capture=name,
        stream=gathered.number,
        client=client,
        server=server,
        started_ns=first_ns,
        ended_ns=end_ns,
        first_frame=first_frame,
        last_frame=end_frame,
        outcome=Outcome.COMPLETED if done else ENDINGS[ending.kind],
        ending=ending,
        tcp=transport,
        http=Missing.HIDDEN if data_passed(survey) else (),
        events=tuple(events),
        **assemble(survey, ended=True)._asdict(),
    )


def worth_telling(conversation: Conversation, survey: Survey) -> bool:
    """Whether somebody tried to speak TLS."""
    if survey.has(*HANDSHAKE_MESSAGES):
        return True
    if conversation.refused:
        return True
    server_port = endpoints(conversation.key)[0 if conversation.client == 1 else 1].port
    client = conversation.directions[conversation.client or 0]
    server = conversation.directions[1 - (conversation.client or 0)]
    if conversation.connection is None and server.plain and refuses_plain(client.plain, server.plain):
        return True
    silent = not conversation.directions[0].sizes and not conversation.directions[1].sizes
    attempted = conversation.syn is not None and silent and (conversation.syn_ack is None or conversation.resets)
    return bool(attempted) and server_port in TLS_PORTS


def refuses_plain(client: bytes, server: bytes) -> bool:
    """Whether the first octets of a server say that it wanted TLS: in plain text, or in an alert to what was none."""
    return any(text in server for text in PLAIN_HTTP_REFUSED) or bool(
        client and is_header(server) and server[0] == ALERT
    )


def events_before(conversation: Conversation) -> list[Event]:
    """The octets that are missing before it was known what is spoken."""
    one, other = conversation.directions
    if not one.gaps and not other.gaps:
        return []
    return [
        Event(side=conversation.side(index), time_ns=gap.time_ns, frames=(gap.frame,), message=Gap(gap.gap))
        for index, direction in enumerate(conversation.directions)
        for gap in direction.gaps
    ]


def in_wire_order(events: list[Event]) -> list[Event]:
    """The events by the frames that completed them.

    What was held behind lost octets is delivered late.  Within a direction the order stays: a message that a
    retransmission completed stands before those that came earlier and follow it.
    """
    last = 0
    for event in events:
        frames = event.frames
        if not frames or frames[-1] < last:
            return sorted_by_frames(events)
        last = frames[-1]
    return events


def sorted_by_frames(events: list[Event]) -> list[Event]:
    """The same for events of which some were delivered late."""
    latest = {Side.CLIENT: 0, Side.SERVER: 0}
    places = []
    for event in events:
        latest[event.side] = max(latest[event.side], event.frames[-1] if event.frames else 0)
        places.append(latest[event.side])
    return [event for _, event in sorted(zip(places, events, strict=True), key=lambda pair: pair[0])]


def with_plain_octets(conversation: Conversation, events: list[Event]) -> list[Event]:
    """Puts what was said before TLS in front, where no dialogue explains it, or what was said instead of TLS."""
    if conversation.preamble is not None and conversation.preamble.accepted:
        return events
    if not has_plain_octets(conversation):
        return events
    found = []
    for index, direction in enumerate(conversation.directions):
        if direction.plain:
            frames = tuple(dict.fromkeys(direction.plain_frames))
            time_ns = events[0].time_ns if events else conversation.last_ns
            found.append(
                Event(
                    side=conversation.side(index), time_ns=time_ns, frames=frames, message=PlainOctets(direction.plain)
                )
            )
    return sorted(found, key=lambda event: event.frames) + events


def split(events: Sequence[Event]) -> Iterator[list[Event]]:
    """The events of each handshake of a connection: a ClientHello after both Finished begins another."""
    part: list[Event] = []
    finished: set[Side] = set()
    for event in events:
        if isinstance(event.message, ClientHello) and len(finished) == 2:
            yield part
            part, finished = [], set()
        part.append(event)
        if isinstance(event.message, PlainMessage) and event.message.type == messages.FINISHED:
            finished.add(event.side)
    if part:
        yield part


def handshake(
    conversation: Conversation,
    survey: Survey,
    transport: Transport,
    *,
    name: str,
    now_ns: int,
    final: bool,
    place: tuple[int, int],
) -> Handshake:
    """One handshake of a conversation; *place* is its number among them and how many there are."""
    part, parts = place
    events = survey.events
    last = part == parts
    ending = first_ending(survey, transport) if last else None
    quiet = is_silent(conversation, transport, now_ns=now_ns, final=final)
    done = completed(survey, transport, quiet=quiet)
    if ending is None and last and not done:
        ending = Ending(EndingKind.SILENCE if quiet else EndingKind.CAPTURE_END, None, conversation.last_ns)
    over = ending is not None and ending.kind is not EndingKind.CAPTURE_END
    connection = conversation.connection
    keys = connection.keys if connection is not None else NO_KEYS
    known = assemble(survey, ended=over and not unseen_octets(conversation), keys=keys)
    done = done or (bool(events) and not last)
    end_ns, end_frame = end_of(survey, ending, conversation, done=done)
    source, destination = endpoints(conversation.key)
    client, server = (destination, source) if conversation.client == 1 else (source, destination)
    start = (conversation.started_ns, conversation.first_frame)
    if part > 1:
        start = (events[0].time_ns, events[0].frames[0])
    return Handshake(
        capture=name,
        stream=conversation.number,
        part=part,
        parts=parts,
        client=client,
        server=server,
        started_ns=start[0],
        ended_ns=end_ns,
        first_frame=start[1],
        last_frame=end_frame,
        outcome=outcome(conversation, survey, ending, done=done),
        ending=ending,
        tcp=transport,
        preamble=conversation.preamble,
        http=http(conversation, survey, start=start[1] if part > 1 else 0, last=last, over=over),
        events=tuple(events),
        **assembled(known, connection),
    )


NO_KEYS: frozenset[str] = frozenset()
OPEN_DATA = frozenset((MASTER_SECRET, CLIENT_TRAFFIC, SERVER_TRAFFIC))  # labels of the secrets of application data


def http(
    conversation: Conversation, survey: Survey, *, start: int, last: bool, over: bool
) -> tuple[HttpExchange, ...] | Missing:
    """The HTTP exchanges from one frame on, to the end of these events or, for the last handshake, to the end."""
    exchanges = conversation.http
    if isinstance(exchanges, Missing):
        if exchanges is Missing.LOST or data_passed(survey):
            keys = conversation.connection.keys if conversation.connection is not None else NO_KEYS
            return Missing.LOST if conversation.reads_http and keys & OPEN_DATA else exchanges
        whole = over and not survey.has(Gap) and not unseen_octets(conversation)
        return () if whole else Missing.LOST
    end = max((number for event in survey.events for number in event.frames), default=0)
    return tuple(
        each
        for each in exchanges
        if start <= (each.request_frame or each.response_frame or 0) and (last or (each.request_frame or 0) <= end)
    )


def data_passed(survey: Survey) -> bool:
    """Whether there are records that hold application data, or may."""
    if survey.has(ApplicationData):
        return True
    for event in survey.of(EncryptedRecord):
        if isinstance(event.message, EncryptedRecord) and event.message.content_type == APPLICATION_DATA:
            return True
    return False


def assembled(known: Assembled, connection: Connection | DatagramConnection | None) -> dict[str, Any]:
    """The fields that the events say, and the defects that the connection has beside them."""
    values = known._asdict()
    if connection is not None and (connection.defects or connection.keys_failed):
        values["defects"] = (*known.defects, *connection.defects)
        if connection.keys_failed:
            problem = "the secrets for this connection do not open its records"
            values["defects"] += (Defect("keylog", problem),)
    return values
