"""One handshake as it was seen: the value that every view, cause and format starts from."""

from __future__ import annotations

import enum
from typing import NamedTuple

from tlsinspect.model.frame import Defect, Endpoint, Missing, Side
from tlsinspect.model.message import (
    Alert,
    CertificateMessage,
    CertificateRequest,
    ClientHello,
    EncryptedExtensions,
    Message,
    NewSessionTicket,
    ServerHello,
    ServerKeyExchange,
)
from tlsinspect.model.value import value


class Outcome(enum.Enum):
    """How the handshake ended."""

    COMPLETED = "completed"  # both Finished, or application data in both directions
    REJECTED = "rejected"  # a fatal alert
    RESET = "reset"  # TCP RST before completion
    CLOSED = "closed"  # TCP FIN before completion, no alert
    STALLED = "stalled"  # no answer within the idle limit
    CUT = "cut"  # the capture ended first
    NEVER_TLS = "never-tls"  # nobody spoke TLS, such as after a refused STARTTLS

    __hash__ = object.__hash__  # as of Side: it stands in keys


class Visibility(enum.Enum):
    """How much of the handshake can be read."""

    CLEAR = "clear"  # nothing that matters is encrypted (TLS 1.2 and before)
    HIDDEN = "hidden"  # TLS 1.3 without keys: all after the ServerHello is encrypted
    DECRYPTED = "decrypted"  # opened with the keys given


class Event(NamedTuple):
    """One message on the wire.  A NamedTuple, as a handshake has a dozen of them."""

    side: Side
    time_ns: int  # time of the frame that completed it
    frames: tuple[int, ...]  # frames that carried it, the completing one last
    message: Message
    encrypted: bool = False  # it came in an encrypted record, opened with keys


class Mark(NamedTuple):
    """One TCP event that matters: a SYN, a FIN, a RST."""

    side: Side
    frame: int
    time_ns: int
    ttl: int = 0  # IPv4 TTL or IPv6 hop limit


@value(kw_only=True)
class Transport:
    """What TCP did below the handshake.  All None and 0 for UDP."""

    syn: Mark | None = None  # first SYN of the client
    syn_ack: Mark | None = None
    syn_count: int = 0  # SYNs of the client, retransmissions included
    fins: tuple[Mark, ...] = ()  # first FIN of each side, in wire order
    resets: tuple[Mark, ...] = ()  # RSTs, in wire order, at most four
    client_octets: int = 0  # TCP payload seen from the client, retransmissions not counted
    server_octets: int = 0
    client_acknowledged: int = 0  # octets of the client that the server acknowledged
    server_acknowledged: int = 0
    client_retransmissions: int = 0  # segments with octets that had passed before
    server_retransmissions: int = 0
    client_segments: tuple[int, ...] = ()  # payload sizes of the client's first segments, each once, at most eight
    client_ttl: int = 0  # of its first packet
    server_ttl: int = 0
    last_ns: int = 0  # time of the last packet of the conversation that was looked at


@value()
class Preamble:
    """The dialogue before TLS: STARTTLS, CONNECT, SOCKS, PROXY protocol, SSLRequest."""

    protocol: str  # "smtp", "http-connect", "proxy-v2", ...
    accepted: bool | None  # None when the answer is not in the capture
    details: tuple[tuple[str, str], ...] = ()  # such as ("target", "host:443"), ("reply", "454 ...")
    frames: tuple[int, ...] = ()


class EndingKind(enum.Enum):
    """What ended a connection first."""

    ALERT = "alert"
    FIN = "fin"
    RST = "rst"
    CLOSE = "close"  # a CONNECTION_CLOSE of QUIC that is no alert
    SILENCE = "silence"
    CAPTURE_END = "end of the capture"


@value()
class Ending:
    """The first event that ended the handshake, and whose it was."""

    kind: EndingKind
    side: Side | None  # None for silence and the end of the capture
    time_ns: int
    frame: int | None = None
    alert: Alert | None = None


@value(kw_only=True)
class Resumption:
    """Session resumption: what the client offered, and what the server took."""

    offered: tuple[str, ...] | Missing  # of "session_id", "session_ticket", "psk"
    accepted: str | Missing | None  # None when a full handshake was made


@value(kw_only=True)
class AlertSeen:
    """An alert with its sender and place."""

    side: Side
    alert: Alert
    frame: int
    time_ns: int
    encrypted: bool = False  # it was opened with keys


@value(kw_only=True)
class HttpExchange:
    """One HTTP request and its response, as far as their heads matter; no other field value is ever kept."""

    version: str  # "HTTP/1.0", "HTTP/1.1" or "HTTP/2"
    method: str = ""  # empty where the request was not seen
    host: str = ""  # Host or :authority, with its port; empty where there is none
    path: str = ""  # without query
    status: int | None = None  # None where no response was seen
    said: str = ""  # of certificates in the content of an error: "No required SSL certificate was sent"
    request_frame: int | None = None
    response_frame: int | None = None


@value(kw_only=True)
class Handshake:
    """One handshake.  Every field that may be absent says why by a Missing."""

    capture: str  # the capture as the user named it
    stream: int  # tcp.stream or udp.stream of Wireshark
    part: int = 1  # 1-based among the handshakes of the stream (renegotiation makes more than one)
    parts: int = 1  # how many handshakes the stream has, as far as known when it was emitted
    transport: str = "tcp"  # "tcp" or "udp"
    protocol: str = "tls"  # "tls", "dtls" or "quic"
    client: Endpoint
    server: Endpoint
    started_ns: int  # first packet of the connection that is in the capture
    ended_ns: int  # the event that completed or ended the handshake
    first_frame: int
    last_frame: int
    outcome: Outcome
    ending: Ending | None  # None when the handshake completed and nothing ended it after
    history: str  # a letter per message as in Zeek's ssl_history: "Csx", capitals from the client
    visibility: Visibility
    tcp: Transport = Transport()
    preamble: Preamble | None = None
    client_hellos: tuple[ClientHello, ...] = ()  # two after a HelloRetryRequest
    no_client_hello: Missing = Missing.NOT_SENT  # why client_hellos is empty, where it is
    hello_retry_request: ServerHello | Missing = Missing.NOT_SENT
    server_hello: ServerHello | Missing = Missing.NOT_SENT
    encrypted_extensions: EncryptedExtensions | Missing = Missing.NOT_SENT
    server_key_exchange: ServerKeyExchange | Missing = Missing.NOT_SENT
    certificate_request: CertificateRequest | Missing = Missing.NOT_SENT
    server_certificates: CertificateMessage | Missing = Missing.NOT_SENT
    client_certificates: CertificateMessage | Missing = Missing.NOT_SENT
    session_tickets: tuple[NewSessionTicket, ...] | Missing = ()
    resumption: Resumption
    alerts: tuple[AlertSeen, ...] = ()
    defects: tuple[Defect, ...] = ()
    http: tuple[HttpExchange, ...] | Missing = ()  # in the order of the requests, bounded; empty when none passed
    events: tuple[Event, ...] = ()  # the same facts in wire order with their frames, bounded
