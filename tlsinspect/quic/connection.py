"""Both sides of one QUIC connection: datagrams in, events out.

Initial packets open with keys that follow from the client's first packet (RFC 9001 section 5.2); the others with
those of a key log.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tlsinspect.model.frame import Defect, Side
from tlsinspect.model.handshake import Event, Preamble
from tlsinspect.model.message import (
    Alert,
    ApplicationData,
    ClientHello,
    Message,
    PlainMessage,
    ProtectedPacket,
    ServerHello,
)
from tlsinspect.quic.crypto import CryptoStream
from tlsinspect.quic.frames import CRYPTO, Close, Crypto, Done, Stream, decode_frames
from tlsinspect.quic.opener import InitialKeys, Opener
from tlsinspect.quic.packet import Packet, decode_packets
from tlsinspect.quic.versions import Kind, version_name, version_of
from tlsinspect.tls import messages
from tlsinspect.tls.connection import MOST_DATA_EVENTS, MOST_EVENTS
from tlsinspect.tls.handshake import RawMessage
from tlsinspect.tls.keylog import Secrets
from tlsinspect.tls.messages import cut_message, decode_message
from tlsinspect.tls.versions import TLS13
from tlsinspect.wire import Malformed

CRYPTO_ERROR = 0x0100  # RFC 9000 section 20.1: and the alert in the low octet
FATAL = 2
MOST_WAITING = 16  # packets of one side that came before the ServerHello that their keys need
LEAST_FINISHED = 1 + 4 + 36 + 16  # octets of a packet with a Finished: number, frame, message and tag
LEAST_CONFIRMATION = 120  # octets of a 1-RTT packet that is longer than a CONNECTION_CLOSE with its reason

# RFC 9000 section 20.1.
ERRORS = (
    "NO_ERROR",
    "INTERNAL_ERROR",
    "CONNECTION_REFUSED",
    "FLOW_CONTROL_ERROR",
    "STREAM_LIMIT_ERROR",
    "STREAM_STATE_ERROR",
    "FINAL_SIZE_ERROR",
    "FRAME_ENCODING_ERROR",
    "TRANSPORT_PARAMETER_ERROR",
    "CONNECTION_ID_LIMIT_ERROR",
    "PROTOCOL_VIOLATION",
    "INVALID_TOKEN",
    "APPLICATION_ERROR",
    "CRYPTO_BUFFER_EXCEEDED",
    "KEY_UPDATE_ERROR",
    "AEAD_LIMIT_REACHED",
    "NO_VIABLE_PATH",
)
VERSION_NEGOTIATION_ERROR = 0x11  # RFC 9368 section 6


@dataclass(slots=True)
class Direction:
    """What one side has sent so far.  Owned by the connection, freed with it."""

    side: Side
    crypto: dict[Kind, CryptoStream] = field(default_factory=dict)
    finished: bool = False  # Finished was seen, or a packet that comes after it
    source: bytes = b""  # its connection ID
    data_events: int = 0
    waiting: list[tuple[Packet, int, int]] = field(default_factory=list)  # with frame and time


class Connection:
    """Folds the datagrams of both sides into events, in the order of the capture.

    Owns two directions and their keys; all is freed when the table of datagrams emits its handshake.
    """

    __slots__ = (
        "_behind",
        "_initial",
        "_notes",
        "_opener",
        "_restarted",
        "cipher_suite",
        "client",
        "closed",
        "confirmed",
        "defects",
        "events",
        "fatal",
        "server",
        "version",
    )

    protocol = "quic"

    def __init__(self, *, secrets: Secrets | None = None) -> None:
        self.events: list[Event] = []
        self.defects: list[Defect] = []
        self.client = Direction(Side.CLIENT)
        self.server = Direction(Side.SERVER)
        self.version = 0  # of TLS, 0 until the ServerHello
        self.cipher_suite = 0
        self.fatal = False  # a CONNECTION_CLOSE was seen
        self.closed: tuple[Side, int, int] | None = None  # who closed it without an alert; frame, time
        self._initial = InitialKeys()
        self._opener = Opener(secrets) if secrets is not None else None
        self._notes: list[tuple[str, tuple[tuple[str, str], ...], int]] = []  # Retry and Version Negotiation
        self._restarted = False  # the client begins once more, after a Retry or a Version Negotiation
        self._behind = False  # the server sent 1-RTT packets after the client did
        self.confirmed: tuple[int, int] | None = None  # time and frame of what showed that the handshake was completed

    @property
    def complete(self) -> bool:
        """Whether both sides have finished the handshake, as far as the packets show at once."""
        return self.client.finished and self.server.finished

    @property
    def keys_failed(self) -> bool:
        """Whether there are secrets for this connection, and none opened a packet."""
        return self._opener is not None and self._opener.failed > 0 and self._opener.opened == 0

    @property
    def keys(self) -> frozenset[str]:
        """The labels of the secrets that there are for this connection, but for those that open nothing."""
        return self._opener.labels if self._opener else frozenset()

    @property
    def completed(self) -> bool:
        """Whether the handshake was completed, and taken by both sides.

        "the TLS handshake is considered confirmed at the server when the handshake completes", at the client when a
        HANDSHAKE_DONE came (RFC 9001 section 4.1.2).  Without keys: after the client's Finished the server sent a
        1-RTT packet that cannot be a refusal, because it is long or the client went on.
        """
        return self.complete and self.confirmed is not None

    @property
    def preamble(self) -> Preamble | None:
        """What came before the handshake: a Retry, a Version Negotiation."""
        if not self._notes:
            return None
        name, _, _ = self._notes[0]
        details = tuple(detail for _, each, _ in self._notes for detail in each)
        return Preamble(name, True, details, tuple(frame for _, _, frame in self._notes))

    def feed(self, side: Side, payload: bytes, *, octets: int, frame: int, time_ns: int) -> None:
        """Takes the next datagram of one side; *octets* is its length on the wire."""
        direction, peer = self._both(side)
        for packet in decode_packets(payload, octets=octets, destination_octets=len(peer.source)):
            self._packet(direction, packet, frame, time_ns)

    def finish(self, time_ns: int) -> None:
        """Takes the messages that never became whole, as far as they were captured."""
        for direction in (self.client, self.server):
            for kind, stream in direction.crypto.items():
                for raw in stream.finish(time_ns):
                    self._raw(direction, raw, encrypted=kind is not Kind.INITIAL)
            for packet, frame, packet_ns in direction.waiting:
                self._unopened(direction, packet, frame, packet_ns)
            direction.waiting = []

    @property
    def identities(self) -> frozenset[bytes]:
        """What identity_of says of the datagrams that belong to this connection."""
        return frozenset((*self._initial.destinations, self.server.source))

    def begins_anew(self, payload: bytes) -> bool:
        """Whether a datagram of the client begins another connection than this one."""
        identity = identity_of(payload)
        if identity in self.identities or self._notes or not self.client.crypto:
            return False
        packets = decode_packets(payload, octets=len(payload), destination_octets=0)
        opened = InitialKeys().open(Side.CLIENT, packets[0]) if packets else None
        return opened is not None and not self._repeats_hello(opened)

    # -- packets

    def _both(self, side: Side) -> tuple[Direction, Direction]:
        return (self.client, self.server) if side is Side.CLIENT else (self.server, self.client)

    def _packet(self, direction: Direction, packet: Packet, frame: int, time_ns: int) -> None:
        if packet.kind is Kind.VERSION_NEGOTIATION:
            self._version_negotiation(direction, packet, frame)
        elif packet.kind is Kind.RETRY:
            if direction.side is Side.SERVER:
                detail = ("retry", f"token of {len(packet.token)} octets")
                self._notes.append(("quic-retry", (detail,), frame))
        elif packet.kind is Kind.INITIAL:
            self._initial_packet(direction, packet, frame, time_ns)
        else:
            if packet.kind is not Kind.ONE_RTT:
                direction.source = packet.source
            self._note_progress(direction, packet, (time_ns, frame))
            self._protected(direction, packet, frame, time_ns)

    def _version_negotiation(self, direction: Direction, packet: Packet, frame: int) -> None:
        if direction.side is Side.SERVER and not self.server.crypto:
            asked = ", ".join(version_name(code) for code in self._initial.versions)
            offered = ", ".join(version_name(code) for code in packet.versions)
            details = (("client_versions", asked), ("server_versions", offered))
            self._notes.append(("quic-version-negotiation", details, frame))

    def _initial_packet(self, direction: Direction, packet: Packet, frame: int, time_ns: int) -> None:
        direction.source = packet.source
        known = self._initial.count
        payload = self._initial.open(direction.side, packet)
        if payload is None:
            self._unopened(direction, packet, frame, time_ns)
            return
        if direction.side is Side.CLIENT and self._initial.count > known and self._notes:
            direction.crypto.pop(Kind.INITIAL, None)  # RFC 9000 sections 6.2 and 17.2.5.2: it begins once more
            self._restarted = True
        self._frames(direction, packet, payload, frame, time_ns)

    def _note_progress(self, direction: Direction, packet: Packet, place: tuple[int, int]) -> None:
        """What packets that cannot be opened say of the handshake."""
        if direction.side is Side.SERVER:
            self.server.finished = True  # its Finished is in the flight that begins with the first Handshake packet
            if packet.kind is Kind.ONE_RTT and self.client.finished:
                self._behind = True
                if packet.length >= LEAST_CONFIRMATION:
                    self.confirmed = self.confirmed or place
        elif packet.kind is Kind.ONE_RTT:
            self.client.finished = True
            if self._behind:
                self.confirmed = self.confirmed or place
        elif packet.kind is Kind.HANDSHAKE and packet.length - packet.number_at >= LEAST_FINISHED:
            self.client.finished = True

    def _protected(self, direction: Direction, packet: Packet, frame: int, time_ns: int) -> None:
        if self._opener is None or packet.cut:
            self._unopened(direction, packet, frame, time_ns)
        elif self._opener.ready:
            payload = self._opener.open(direction.side, packet)
            if payload is None:
                self._unopened(direction, packet, frame, time_ns)
            else:
                self._frames(direction, packet, payload, frame, time_ns)
        elif len(direction.waiting) < MOST_WAITING:
            direction.waiting.append((packet, frame, time_ns))
        else:
            self._unopened(direction, packet, frame, time_ns)

    def _unopened(self, direction: Direction, packet: Packet, frame: int, time_ns: int) -> None:
        self._data(direction, ProtectedPacket(packet.kind.value, packet.length), frame, time_ns)

    # -- what is in them

    def _frames(self, direction: Direction, packet: Packet, payload: bytes, frame: int, time_ns: int) -> None:
        encrypted = packet.kind is not Kind.INITIAL
        version = version_of(packet.version)
        try:
            for each in decode_frames(payload, crypto=version.crypto if version else CRYPTO):
                if isinstance(each, Crypto):
                    stream = direction.crypto.setdefault(packet.kind, CryptoStream())
                    for raw in stream.feed(each.offset, each.octets, frame, time_ns):
                        self._raw(direction, raw, encrypted=encrypted)
                elif isinstance(each, Close):
                    self._close(direction, each, frame, time_ns, encrypted=encrypted)
                elif isinstance(each, Stream):
                    self._data(direction, ApplicationData(each.octets), frame, time_ns)
                elif isinstance(each, Done) and direction.side is Side.SERVER:
                    self.client.finished = True
                    self.confirmed = self.confirmed or (time_ns, frame)
        except Malformed as error:
            where = f"quic.{packet.kind.value}"
            self.defects.append(Defect(where, error.problem, error.offset, (frame,)))

    def _raw(self, direction: Direction, raw: RawMessage, *, encrypted: bool) -> None:
        message = decode_message(raw.type, raw.body, side=direction.side, version=TLS13, cipher_suite=self.cipher_suite)
        if len(raw.body) < raw.octets:
            message = cut_message(message, raw)
        if isinstance(message, ClientHello) and self._restarted:
            self._restarted = False
            if any(event.message == message for event in self.events):
                return
            self.events = [event for event in self.events if not isinstance(event.message, ClientHello)]
        self._add(direction, message, raw.frames, raw.time_ns, encrypted=encrypted)
        match message:
            case ClientHello() if direction.side is Side.CLIENT and self._opener:
                self._opener.client_hello(message)
            case ServerHello() if direction.side is Side.SERVER:
                self._server_hello(message)
            case PlainMessage(type=messages.FINISHED):
                direction.finished = True

    def _server_hello(self, hello: ServerHello) -> None:
        self.version, self.cipher_suite = hello.version, hello.cipher_suite
        if self._opener is None or hello.hello_retry_request:
            return
        version = version_of(self._initial.versions[-1])
        assert version is not None
        self._opener.server_hello(hello, version)
        for direction in (self.client, self.server):
            waiting, direction.waiting = direction.waiting, []
            for packet, frame, time_ns in waiting:
                self._protected(direction, packet, frame, time_ns)

    def _repeats_hello(self, payload: bytes) -> bool:
        """Whether an Initial packet may hold the ClientHello that is known already."""
        randoms = {event.message.random for event in self.events if isinstance(event.message, ClientHello)}
        try:
            firsts = [each.octets for each in decode_frames(payload) if isinstance(each, Crypto) and each.offset == 0]
        except Malformed:
            return False
        return not randoms or any(octets[6:38] in randoms for octets in firsts)

    def _close(self, direction: Direction, close: Close, frame: int, time_ns: int, *, encrypted: bool) -> None:
        if self.fatal:
            return  # sent again for every packet that came
        self.fatal = True
        if not close.application and close.error >> 8 == CRYPTO_ERROR >> 8:
            alert = Alert(FATAL, close.error & 0xFF)
            self._add(direction, alert, (frame,), time_ns, encrypted=encrypted)
            return
        self.closed = direction.side, frame, time_ns
        if close.error or close.reason:
            reason = f": {close.reason}" if close.reason else ""
            problem = f"the {direction.side.value} closed the connection with {error_name(close)}{reason}"
            self.defects.append(Defect("quic.connection_close", problem, frames=(frame,)))

    def _data(self, direction: Direction, message: Message, frame: int, time_ns: int) -> None:
        if direction.data_events < MOST_DATA_EVENTS:
            direction.data_events += 1
            self._add(direction, message, (frame,), time_ns, encrypted=isinstance(message, ApplicationData))

    def _add(
        self, direction: Direction, message: Message, frames: tuple[int, ...], time_ns: int, *, encrypted: bool
    ) -> None:
        if len(self.events) < MOST_EVENTS:
            self.events.append(
                Event(side=direction.side, time_ns=time_ns, frames=frames, message=message, encrypted=encrypted)
            )


def error_name(close: Close) -> str:
    """The name of an error code, such as "PROTOCOL_VIOLATION (0xa)"."""
    number = f"0x{close.error:x}"
    if close.application:
        return f"the application's error {number}"
    if close.error == VERSION_NEGOTIATION_ERROR:
        return f"VERSION_NEGOTIATION_ERROR ({number})"
    return f"{ERRORS[close.error]} ({number})" if close.error < len(ERRORS) else f"the error {number}"


def identity_of(payload: bytes) -> bytes:
    """The Destination Connection ID of a datagram that begins with an Initial packet."""
    return payload[6 : 6 + payload[5]]


def first_side(payload: bytes) -> Side | None:
    """Who sends a datagram that begins with an Initial packet: the client when it opens as its first one."""
    packet = decode_packets(payload, octets=len(payload), destination_octets=0)
    if packet and (packet[0].token or InitialKeys().open(Side.CLIENT, packet[0]) is not None):
        return Side.CLIENT
    return None
