"""What the sizes of encrypted records tell of the server's flight and tickets in TLS 1.3 without keys.

Facts, each from captures of real programs:

- OpenSSL, Go, GnuTLS, JSSE, Bouncy Castle, wolfSSL, Erlang and rustls 0.20 write one record for each message of the
  flight: EncryptedExtensions, CertificateRequest when they ask, Certificate, CertificateVerify, Finished (RFC 8446
  section 2, figure 1).  BoringSSL (Envoy, gRPC, Bun), NSS and rustls 0.23 write the flight into one record: that bounds
  the length of the chain, and only the client's flight tells whether a certificate was asked for.
- The NewSessionTickets of OpenSSL (2), GnuTLS (2) and Erlang (3) are records of one size.  Go, NSS, wolfSSL and JSSE
  send one; BoringSSL and rustls 0.23 put two into one record.  Go and GnuTLS send them right behind their flight when
  they asked for no certificate, all others after the client's flight.
- Tickets have 100 to 250 octets without a client identity, and more by the client's chain with one where it is part of
  the session: not so with wolfSSL and rustls 0.23.  Tickets of JSSE have over 700 octets in any case.

All of it is *likely*, never *shown*.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from tlsinspect.diagnosis.facts import hello_of, hidden, resumed
from tlsinspect.diagnosis.hidden import ClientFlight, client_flight, frames_of, is_record
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Event, Handshake
from tlsinspect.model.message import Certificate, EncryptedRecord, Gap, OfferedPsks, ServerHello
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.completion import finished_sizes

RECORD_OVERHEAD = 17  # content type and tag
PADDING = 16  # of JSSE
# EncryptedExtensions, Certificate, CertificateVerify, Finished; one more with a CertificateRequest.
RECORDS_WITHOUT_REQUEST = 4
SMALLEST_CERTIFICATE, SMALLEST_VERIFY, LARGEST_VERIFY = 200, 80, 600
CERTIFICATE_OVERHEAD = 4 + 1 + 3 + 3 + 2  # header, context and list of the message; length and extensions of the leaf
CERTIFICATE_ENTRY_OCTETS = 3 + 2  # length and extensions of each further certificate
# EncryptedExtensions without content and a CertificateVerify with a signature of P-256, where all is in one record.
LEAST_BESIDE_CERTIFICATE = 6 + 4 + 4 + 70
TICKET_OVERHEAD = 4 + 4 + 4 + 1 + 8 + 2 + 2  # header, lifetime, age_add, nonce, lengths
SMALLEST_TICKET, LARGEST_TICKET = 60, 4096
# Smaller ones that come alone and unasked may be anything, such as the SETTINGS of HTTP/2.
SMALLEST_TICKET_ALONE = 120
# No ticket that was seen without a client identity is so large, but for those of JSSE.
TICKET_WITH_IDENTITY = 450


@dataclass(frozen=True, slots=True)
class HiddenServerFlight:
    """The server's flight, as its record sizes tell."""

    asked: bool | None  # a CertificateRequest is in it; None where one record holds all
    chain_octets: int  # about; of the certificates that the server sent.  At most, where one record holds all
    padded: bool  # by 16 octets, as JSSE does
    records: int  # how many it consists of
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HiddenTickets:
    """The tickets that the server issued, as the sizes and places of records tell."""

    count: int | None  # None where one record may hold several
    octets: int  # of each ticket; of the record where that may hold several


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
                return HiddenServerFlight(asked, chain, padding > 0, count, frames_of(records[:count]))
    if len(sizes) != 1:
        return None
    chain = sizes[0] - finished(handshake) - LEAST_BESIDE_CERTIFICATE - CERTIFICATE_OVERHEAD
    return HiddenServerFlight(None, chain, False, 1, frames_of(records)) if chain >= SMALLEST_CERTIFICATE else None


def is_flight(sizes: Sequence[int], finished_octets: int) -> bool:
    """Whether records end with a Certificate, a CertificateVerify and a Finished."""
    certificate, verify, last = sizes[-3:]
    return (
        last == finished_octets and certificate >= SMALLEST_CERTIFICATE and SMALLEST_VERIFY <= verify <= LARGEST_VERIFY
    )


def asked(handshake: Handshake) -> bool | None:
    """Whether the server asked for a client certificate, by its flight or by the client's; None where nothing tells.

    A client sends a Certificate, be it an empty one, when it was asked, and only then (RFC 8446 section 4.4.2).
    """
    server, client = server_flight(handshake), client_flight(handshake)
    told = {server.asked} - {None} if server is not None else set()
    if client is not None:
        told.add(client.kind is not ClientFlight.FINISHED_ALONE)
    return told.pop() if len(told) == 1 else None  # two that contradict tell nothing


def tickets(handshake: Handshake) -> HiddenTickets | None:
    """The tickets that the server likely issued; None where the sizes tell nothing.

    They are records of one size that come first behind the server's flight, or one record there for which the client
    had not asked.
    """
    flight = server_flight(handshake)
    if flight is None or flight.padded:
        return None
    behind = server_records(handshake, before_client=False)[flight.records :]
    sizes = [octets_of(event) for event in behind]
    if not sizes or not SMALLEST_TICKET <= sizes[0] <= LARGEST_TICKET:
        return None
    alike = len(list(takewhile(lambda size: size == sizes[0], sizes)))
    if alike > 1:
        return HiddenTickets(alike, sizes[0] - RECORD_OVERHEAD - TICKET_OVERHEAD)
    if sizes[0] >= SMALLEST_TICKET_ALONE and unasked(handshake, behind[0]):
        return HiddenTickets(None, sizes[0] - RECORD_OVERHEAD)
    return None


def unasked(handshake: Handshake, record: Event) -> bool:
    """Whether a record of the server came before the client can have sent a request: it sent its flight at most."""
    flight = client_flight(handshake)
    if flight is None:
        return False
    before = takewhile(lambda event: event is not record, handshake.events)
    sent = sum(is_record(event) and event.side is Side.CLIENT for event in before)
    return sent <= flight.count


def chain_fits(handshake: Handshake, chain: Sequence[Certificate]) -> bool | None:
    """Whether the encrypted chain of a handshake can be the one that was seen elsewhere; None where nothing tells.

    A chain that the server compresses (RFC 8879) is shorter; a stapled OCSP response or certificate timestamps make its
    message longer.
    """
    flight, hello = server_flight(handshake), hello_of(handshake)
    if flight is None or hello is None or not chain or hello.has(ext.COMPRESS_CERTIFICATE) is not False:
        return None
    octets = sum(len(each.der) + CERTIFICATE_ENTRY_OCTETS for each in chain) - CERTIFICATE_ENTRY_OCTETS
    longer = flight.chain_octets - octets
    if flight.asked is None:
        return False if longer < 0 else None  # the most that it can be
    if longer < 0 or longer == 0:
        return longer == 0
    added = any(hello.has(kind) is not False for kind in (ext.STATUS_REQUEST, ext.SIGNED_CERTIFICATE_TIMESTAMP))
    return None if added else False


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
    found = [*server_texts(handshake)]
    client = client_flight(handshake)
    if client is not None:
        found.append(f"the client answered with {CLIENT_TEXT[client.kind]} ({client.text})")
    issued = tickets(handshake)
    if issued is not None:
        found.append(issued_text(handshake, issued))
    if not found:
        return ""
    return f" Likely, by the number and the sizes of the records, {'; '.join(found)}."


def server_texts(handshake: Handshake) -> Iterator[str]:
    """Whether the server asked, and how long its chain is."""
    flight, request = server_flight(handshake), asked(handshake)
    if request is not None:
        yield f"the server asked for {'a' if request else 'no'} client certificate"
    if flight is not None:
        about = "at most" if flight.asked is None else "about"
        yield f"the server sent certificates of {about} {flight.chain_octets} octets"


def issued_text(handshake: Handshake, issued: HiddenTickets) -> str:
    """The tickets in a clause; those that are larger by a chain carry the client's certificate."""
    if issued.count is None:
        return f"the server issued a session ticket or several in one record ({issued.octets} octets)"
    client = client_flight(handshake)
    proved = client is not None and client.kind is ClientFlight.CERTIFICATE
    identity = ", which carry a client certificate" if proved and issued.octets >= TICKET_WITH_IDENTITY else ""
    return f"the server issued {issued.count} tickets of {issued.octets} octets{identity}"


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
