"""What the sizes of encrypted records tell of client authentication in TLS 1.3 without keys.

Facts, each from captures of real programs:

- The client's flight after the server's Finished is `Finished` alone when no certificate was requested, an empty
  `Certificate` and `Finished` when one was requested and the client has none to send, and `Certificate`,
  `CertificateVerify`, `Finished` when it sent one (RFC 8446 section 2, figure 1, and section 4.4.2).
- An empty Certificate has 8 octets (4 of header, 1 of request context length, 3 of list length), a Finished 4 and
  the length of the hash.  A record adds the content type and the tag, 16 octets but for the CCM_8 suites: 25 and 53
  with SHA-256, 25 and 69 with SHA-384 (RFC 8446 section 5.2).
- JSSE pads each record with 16 zeros.  BoringSSL, NSS and rustls 0.23 put the whole flight into one record.  OpenSSL,
  Go, GnuTLS, s2n-tls, wolfSSL, Erlang, Bouncy Castle and rustls 0.20 write a record for each message and pad nothing.
- JSSE sends each message in a segment of its own, so that OpenSSL and Go refuse its empty Certificate before they have
  its Finished.

All of it is *likely*, never *shown*: a client may pad its records as it pleases (RFC 8446 section 5.4).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import lru_cache

from tlsinspect import registry
from tlsinspect.diagnosis.facts import alert_octets, encrypted_records, hello_of, hidden, hidden_refusal, resumed
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Event, Handshake
from tlsinspect.model.message import EncryptedRecord, Gap, ServerHello
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.record import APPLICATION_DATA

EMPTY_CERTIFICATE_OCTETS = 8
HEADER_OCTETS = 4
CONTENT_TYPE_OCTETS = 1
PADDINGS = (0, 16)
HASH_OCTETS = {"SHA256": 32, "SHA384": 48}
# No certificate that is in use is so small; a raw public key (RFC 7250) would be.
SMALLEST_CERTIFICATE_RECORD = 200


class ClientFlight(enum.Enum):
    """What the client's flight after the server's Finished is made of."""

    FINISHED_ALONE = "a Finished alone"
    EMPTY_CERTIFICATE = "an empty Certificate and a Finished"
    CERTIFICATE = "a Certificate, a CertificateVerify and a Finished"


@dataclass(frozen=True, slots=True)
class HiddenFlight:
    """The client's flight, as its record sizes tell."""

    kind: ClientFlight
    sizes: tuple[int, ...]  # octets of the records that it consists of
    frames: tuple[int, ...]  # the frames that carried them

    count: int  # of the records of the whole flight, of which *sizes* may be the first alone
    whole: bool = True  # False for an empty Certificate without a Finished, refused before that came

    @property
    def text(self) -> str:
        """Such as "records of 25 and 69 octets"."""
        noun = "a record of" if len(self.sizes) == 1 else "records of"
        return f"{noun} {' and '.join(str(size) for size in self.sizes)} octets"

    @property
    def reasoning(self) -> str:
        """Such as "records of 25 and 69 octets, the sizes of an empty Certificate and a Finished"."""
        parts = self.kind.value if self.whole else "an empty Certificate alone"
        return f"{self.text}, the size{'' if len(self.sizes) == 1 else 's'} of {parts}"


def client_flight(handshake: Handshake) -> HiddenFlight | None:
    """The client's flight of a hidden full handshake; None where the sizes tell nothing, as in DTLS."""
    if handshake.protocol != "tls" or not hidden(handshake):
        return None
    if resumed(handshake) or early_data(handshake) or lossy(handshake):
        return None
    records = [event for event in handshake.events if is_record(event) and event.side is Side.CLIENT]
    sizes = encrypted_records(handshake, Side.CLIENT)
    for kind, expected in expectations(handshake.server_hello):
        if sizes[: len(expected)] == expected:
            return HiddenFlight(kind, expected, frames_of(records[: len(expected)]), len(expected))
    if len(sizes) == 1 and sizes[0] in empty_sizes(handshake.server_hello):
        return HiddenFlight(ClientFlight.EMPTY_CERTIFICATE, sizes, frames_of(records), 1, whole=False)
    if sizes and sizes[0] >= SMALLEST_CERTIFICATE_RECORD:
        finished = tuple(flight[0] for kind, flight in expectations(handshake.server_hello) if len(flight) == 1)
        count = 3 if len(sizes) >= 3 and sizes[2] in finished else 1  # BoringSSL and rustls put all into one record
        return HiddenFlight(ClientFlight.CERTIFICATE, sizes[:1], frames_of(records[:1]), count)
    return None


def refused_after_flight(handshake: Handshake) -> bool:
    """Whether the server's next record after the client's flight has the size of an alert, or there is none and it
    closed: a server that goes on sends its tickets or its answer first."""
    if hidden_refusal(handshake) is Side.SERVER or answered_with_alerts_alone(handshake):
        return True
    marks = sorted((*handshake.tcp.fins, *handshake.tcp.resets), key=lambda mark: mark.time_ns)
    return bool(marks) and marks[0].side is Side.SERVER and not goes_on(handshake)


def answered_with_alerts_alone(handshake: Handshake) -> bool:
    """Whether the client sent a request behind its flight and the server answered with nothing longer than an alert.

    The client may have closed meanwhile, as gnutls-cli does: a server that accepts sends tickets or an answer.
    """
    flight = client_flight(handshake)
    if flight is None:
        return False
    records = [event for event in handshake.events if is_record(event)]
    start = next((at for at, event in enumerate(records) if event.side is Side.CLIENT), len(records))
    sizes = {
        side: [
            event.message.octets
            for event in records[start:]
            if event.side is side and isinstance(event.message, EncryptedRecord)
        ]
        for side in Side
    }
    alerts = alert_octets(handshake)
    request = any(size not in alerts for size in sizes[Side.CLIENT][len(flight.sizes) :])
    return request and bool(sizes[Side.SERVER]) and alerts.issuperset(sizes[Side.SERVER])


def goes_on(handshake: Handshake) -> bool:
    """Whether the server sent any record after the client's flight."""
    flight_seen = False
    for event in handshake.events:
        if not is_record(event):
            continue
        if event.side is Side.CLIENT:
            flight_seen = True
        elif flight_seen:
            return True
    return False


def expectations(hello: object) -> tuple[tuple[ClientFlight, tuple[int, ...]], ...]:
    """The sizes of the flights without a certificate, with the suite that was negotiated."""
    return _expectations(hello.cipher_suite) if isinstance(hello, ServerHello) else ()


@lru_cache(maxsize=64)
def _expectations(cipher_suite: int) -> tuple[tuple[ClientFlight, tuple[int, ...]], ...]:
    suite = registry.cipher_suite(cipher_suite)
    if suite.mac_or_hash not in HASH_OCTETS:
        return ()
    overhead = CONTENT_TYPE_OCTETS + (8 if suite.encryption.endswith("_8") else 16)
    finished = HEADER_OCTETS + HASH_OCTETS[suite.mac_or_hash]
    empty = EMPTY_CERTIFICATE_OCTETS
    found: list[tuple[ClientFlight, tuple[int, ...]]] = []
    for padding in PADDINGS:
        around = overhead + padding
        found.append((ClientFlight.FINISHED_ALONE, (finished + around,)))
        found.append((ClientFlight.EMPTY_CERTIFICATE, (empty + around, finished + around)))
    found.append((ClientFlight.EMPTY_CERTIFICATE, (empty + finished + overhead,)))
    return tuple(found)


def empty_sizes(hello: object) -> tuple[int, ...]:
    """The octets of a record with an empty Certificate, plain and padded; no other first record is as long."""
    return tuple(sizes[0] for kind, sizes in expectations(hello) if kind is ClientFlight.EMPTY_CERTIFICATE)[
        : len(PADDINGS)
    ]


def early_data(handshake: Handshake) -> bool:
    """Whether the client announced 0-RTT data, whose records come before its flight."""
    hello = hello_of(handshake)
    return hello is not None and hello.has(ext.EARLY_DATA) is True


def lossy(handshake: Handshake) -> bool:
    """Whether octets of the client are not in the capture."""
    return any(isinstance(event.message, Gap) and event.side is Side.CLIENT for event in handshake.events)


def is_record(event: Event) -> bool:
    """Whether an event is an encrypted record of TLS 1.3."""
    return isinstance(event.message, EncryptedRecord) and event.message.content_type == APPLICATION_DATA


def frames_of(events: list[Event]) -> tuple[int, ...]:
    """The frames of several events, each once."""
    return tuple(dict.fromkeys(number for event in events for number in event.frames))
