"""What the sizes of encrypted records tell of the server's flight and tickets in TLS 1.3 without keys.

Facts, each from captures of real programs (OpenSSL, nginx, HAProxy, Apache, Node, GnuTLS, JSSE):

- All of them write one record for each message of the flight: EncryptedExtensions, CertificateRequest when they ask,
  Certificate, CertificateVerify, Finished (RFC 8446 section 2, figure 1).  NSS writes the flight into one record: then
  nothing is told here.
- A NewSessionTicket of OpenSSL and of GnuTLS has the same size as the next one, and there are two after a full
  handshake.  Their tickets have 208 to 246 octets without a client identity, and about 40 more than the client's chain
  with one: it is part of the session.  Tickets of JSSE have over 1000 octets in any case.

All of it is *likely*, never *shown*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tlsinspect.diagnosis.facts import hello_of, hidden, resumed
from tlsinspect.diagnosis.hidden import ClientFlight, client_flight, frames_of, is_record
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Event, Handshake
from tlsinspect.model.message import EncryptedRecord, Gap, OfferedPsks, ServerHello
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.completion import finished_sizes

RECORD_OVERHEAD = 17  # content type and tag
PADDING = 16  # of JSSE
# EncryptedExtensions, Certificate, CertificateVerify, Finished; one more with a CertificateRequest.
RECORDS_WITHOUT_REQUEST = 4
SMALLEST_CERTIFICATE, SMALLEST_VERIFY, LARGEST_VERIFY = 200, 80, 600
CERTIFICATE_OVERHEAD = 4 + 1 + 3 + 3 + 2  # header, context and list of the message; length and extensions of the leaf
TICKET_OVERHEAD = 4 + 4 + 4 + 1 + 8 + 2 + 2  # header, lifetime, age_add, nonce, lengths
SMALLEST_TICKET, LARGEST_TICKET = 150, 4096
# No ticket that was seen without a client identity is so large, but for those of JSSE.
TICKET_WITH_IDENTITY = 450


@dataclass(frozen=True, slots=True)
class HiddenServerFlight:
    """The server's flight, as its record sizes tell."""

    asked: bool  # a CertificateRequest is in it
    chain_octets: int  # about; of the certificates that the server sent
    padded: bool  # by 16 octets, as JSSE does
    frames: tuple[int, ...]


def server_flight(handshake: Handshake) -> HiddenServerFlight | None:
    """The server's flight of a hidden full handshake; None where the sizes tell nothing."""
    if handshake.protocol != "tls" or not hidden(handshake) or resumed(handshake) or lost_of_server(handshake):
        return None
    records = server_records(handshake, before_client=True)
    sizes = [octets_of(event) for event in records]
    for padding in (0, PADDING):
        for count in (RECORDS_WITHOUT_REQUEST, RECORDS_WITHOUT_REQUEST + 1):
            if len(sizes) >= count and is_flight(sizes[:count], finished(handshake) + padding):
                chain = sizes[count - 3] - RECORD_OVERHEAD - padding - CERTIFICATE_OVERHEAD
                asked = count > RECORDS_WITHOUT_REQUEST
                return HiddenServerFlight(asked, chain, padding > 0, frames_of(records[:count]))
    return None


def is_flight(sizes: Sequence[int], finished_octets: int) -> bool:
    """Whether records end with a Certificate, a CertificateVerify and a Finished."""
    certificate, verify, last = sizes[-3:]
    return (
        last == finished_octets and certificate >= SMALLEST_CERTIFICATE and SMALLEST_VERIFY <= verify <= LARGEST_VERIFY
    )


def tickets(handshake: Handshake) -> tuple[int, ...]:
    """The octets of the tickets that the server likely issued; empty where the sizes tell nothing.

    Two records of one size that come first behind the server's flight.
    """
    flight = server_flight(handshake)
    if flight is None or flight.padded:
        return ()
    count = RECORDS_WITHOUT_REQUEST + flight.asked
    sizes = [octets_of(event) for event in server_records(handshake, before_client=False)][count : count + 2]
    if len(sizes) < 2 or sizes[0] != sizes[1] or not SMALLEST_TICKET <= sizes[0] <= LARGEST_TICKET:
        return ()
    return tuple(size - RECORD_OVERHEAD - TICKET_OVERHEAD for size in sizes)


def offered_ticket(handshake: Handshake) -> int:
    """The octets of the ticket that the client offers; 0 when it offers none that can be seen."""
    hello = hello_of(handshake)
    if hello is None:
        return 0
    psks, ticket = hello.body(ext.PRE_SHARED_KEY), hello.body(ext.SESSION_TICKET)
    if isinstance(psks, OfferedPsks) and psks.identities:
        return len(psks.identities[0].identity)
    return len(ticket) if isinstance(ticket, bytes) else 0


def ticket_text(handshake: Handshake) -> str:
    """A sentence about the client identity in a resumed ticket, as its size tells; empty where it tells nothing."""
    octets = offered_ticket(handshake)
    if not octets or jsse_server(handshake):
        return ""
    if octets >= TICKET_WITH_IDENTITY:
        return (
            f" The ticket has {octets} octets, where servers of OpenSSL and GnuTLS need about 200 without a client "
            "certificate: likely it carries one. (Tickets of Java servers are that large in any case.)"
        )
    return ""


def jsse_server(handshake: Handshake) -> bool:
    """Whether the server's Finished is padded as by JSSE."""
    sizes = [octets_of(event) for event in server_records(handshake, before_client=True)]
    return finished(handshake) + PADDING in sizes and finished(handshake) not in sizes


def observations(handshake: Handshake) -> str:
    """Sentences about what likely passed, as the sizes of the records tell; empty where they tell nothing."""
    found = []
    server, client = server_flight(handshake), client_flight(handshake)
    if server is not None:
        asked = "asked for a client certificate" if server.asked else "asked for no client certificate"
        found.append(f"the server {asked} and sent certificates of about {server.chain_octets} octets")
    if client is not None:
        found.append(f"the client answered with {CLIENT_TEXT[client.kind]} ({client.text})")
    issued = tickets(handshake)
    if issued:
        identity = ", which carry a client certificate" if issued[0] >= TICKET_WITH_IDENTITY else ""
        found.append(f"the server issued {len(issued)} tickets of {issued[0]} octets{identity}")
    if not found:
        return ""
    return f" Likely, by the number and the sizes of the records, {'; '.join(found)}."


CLIENT_TEXT = {
    ClientFlight.FINISHED_ALONE: "its Finished alone",
    ClientFlight.EMPTY_CERTIFICATE: "an empty Certificate",
    ClientFlight.CERTIFICATE: "a certificate",
}


def server_records(handshake: Handshake, *, before_client: bool) -> list[Event]:
    """The encrypted records of the server: all, or those before the first of the client."""
    found: list[Event] = []
    for event in handshake.events:
        if not is_record(event):
            continue
        if event.side is Side.SERVER:
            found.append(event)
        elif before_client:
            break
    return found


def finished(handshake: Handshake) -> int:
    """Octets of a record with a Finished; 0 where the suite is not known."""
    hello = handshake.server_hello
    return finished_sizes(hello.cipher_suite)[0] if isinstance(hello, ServerHello) else 0


def octets_of(event: Event) -> int:
    """The octets of an encrypted record."""
    return event.message.octets if isinstance(event.message, EncryptedRecord) else 0


def lost_of_server(handshake: Handshake) -> bool:
    """Whether octets of the server are not in the capture."""
    return any(isinstance(event.message, Gap) and event.side is Side.SERVER for event in handshake.events)
