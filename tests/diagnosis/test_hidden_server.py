"""What the sizes of records tell of servers, on the sizes of real ones whose truth is known."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.client_auth import events_of
from tests.support.handshakes import TLS13, client_hello, handshake, server_hello, tls13
from tlsinspect.diagnosis.hidden import ClientFlight, client_flight
from tlsinspect.diagnosis.hidden_server import (
    HiddenTickets,
    asked,
    chain_fits,
    observations,
    server_flight,
    ticket_text,
    tickets,
)
from tlsinspect.fields import certificates
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Handshake, Resumption
from tlsinspect.model.message import Certificate, EncryptedRecord, Extension, Gap, Message, OfferedPsks, PskIdentity
from tlsinspect.tls import extensions as ext

SIDES = {"C": Side.CLIENT, "S": Side.SERVER}
FLIGHT = ((Side.SERVER, 1300), (Side.SERVER, 96), (Side.SERVER, 69))  # Certificate, CertificateVerify, Finished
SENT = {
    ClientFlight.FINISHED_ALONE: "-",
    ClientFlight.EMPTY_CERTIFICATE: "empty",
    ClientFlight.CERTIFICATE: "cert",
}


@dataclass(frozen=True)
class Row:
    server: str
    truth: dict[str, str]
    records: tuple[tuple[Side, int], ...]

    @property
    def handshake(self) -> Handshake:
        """The same without keys."""
        hello = server_hello(TLS13, cipher_suite=int(self.truth["suite"], 16))
        identity = PskIdentity(bytes(int(self.truth["offered"])), 0)
        offer = Extension(ext.PRE_SHARED_KEY, b"", OfferedPsks((identity,), ()))
        plain = client_hello()
        offered = self.truth["offered"] != "0"
        client = client_hello(extensions=(*plain.extensions, offer)) if offered else plain
        resumed = "psk" if self.truth["asked"] == "resumed" else None
        messages: list[tuple[Side, Message]] = [(Side.CLIENT, client), (Side.SERVER, hello)]
        messages += [(side, EncryptedRecord(23, size)) for side, size in self.records]
        return tls13(
            client_hellos=(client,),
            server_hello=hello,
            events=events_of(*messages),
            resumption=Resumption(offered=("psk",) if offered else (), accepted=resumed),
        )


def rows() -> list[Row]:
    found = []
    for line in (Path(__file__).parent / "data" / "record_sizes.txt").read_text().splitlines():
        if not line.startswith("#"):
            server, _, *words = line.split()
            truth = dict(word.split("=") for word in words if "=" in word)
            records = tuple((SIDES[word[0]], int(word[1:])) for word in words if "=" not in word)
            found.append(Row(server, truth, records))
    return found


ROWS = rows()
FULL = [row for row in ROWS if row.truth["asked"] != "resumed"]


def test_says_of_every_full_handshake_whether_the_server_asked() -> None:
    said = [(row, asked(row.handshake)) for row in FULL]

    assert [row for row, request in said if request != (row.truth["asked"] == "asked")] == []


def test_says_about_how_long_the_chain_is_or_at_most() -> None:
    said = [(server_flight(row.handshake), int(row.truth["chain"])) for row in FULL]

    assert [chain for flight, chain in said if flight is None] == []
    assert [
        (flight, chain)
        for flight, chain in said
        if flight and flight.records > 1 and abs(flight.chain_octets - chain) > 16
    ] == []
    assert [
        (flight, chain) for flight, chain in said if flight and flight.records == 1 and flight.chain_octets < chain
    ] == []


def test_says_what_the_client_sent() -> None:
    said = [(row.truth["sent"], flight.kind) for row in FULL if (flight := client_flight(row.handshake))]

    assert len(said) > 0.9 * len(FULL)
    assert [(sent, kind) for sent, kind in said if SENT[kind] != sent] == []


def test_counts_tickets_where_two_are_alike() -> None:
    said = [(row, found) for row in FULL if (found := tickets(row.handshake))]

    assert len(said) > 0.5 * len(FULL)
    several = [(row, found) for row, found in said if found.count]
    assert [row for row, found in several if found.count != int(row.truth["tickets"])] == []
    assert [row for row, found in several if abs(found.octets - int(row.truth["ticket"])) > 8] == []
    assert [row for row, found in said if not found.count and not int(row.truth["tickets"])] == []


def test_sees_the_client_identity_in_a_ticket_by_its_size() -> None:
    carrying = [row for row in ROWS if row.truth["asked"] == "resumed" and int(row.truth["offered"]) > 500]
    said = [row for row in carrying if ticket_text(row.handshake)]

    assert {row.server for row in said} >= {"openssl", "nginx", "haproxy", "gnutls", "node", "apache"}
    assert {row.server for row in said} >= {"go", "envoy", "bun", "nss", "rustls20", "traefik"}
    assert [row.server for row in carrying if row not in said and row.server != "java"] == []


def test_says_nothing_of_the_tickets_of_java_and_of_small_ones() -> None:
    without = [row for row in ROWS if row.server == "java" or int(row.truth["offered"]) < 300]

    assert [row for row in without if row.truth["asked"] == "resumed" and ticket_text(row.handshake)] == []


@pytest.mark.parametrize(
    ("client", "request_seen"),
    [((69,), False), ((25, 69), True), ((491, 96, 69), True), ((), None)],
)
def test_tells_a_request_in_a_flight_of_one_record_by_the_clients_flight(
    client: tuple[int, ...], request_seen: bool | None
) -> None:
    row = Row("nss", FULL[0].truth, ((Side.SERVER, 2167), *((Side.CLIENT, size) for size in client)))
    flight = server_flight(row.handshake)

    assert flight is not None
    assert (flight.asked, flight.chain_octets, flight.records) == (None, 2001, 1)
    assert asked(row.handshake) is request_seen
    assert "certificates of at most 2001 octets" in observations(row.handshake)


def test_says_nothing_where_the_two_flights_contradict() -> None:
    row = Row("padded", FULL[0].truth, ((Side.SERVER, 23), (Side.SERVER, 87), *FLIGHT, (Side.CLIENT, 69)))

    assert asked(row.handshake) is None


def test_takes_one_record_that_nobody_asked_for_for_tickets() -> None:
    flight = ((Side.SERVER, 23), *FLIGHT)
    early = Row("go", FULL[0].truth, (*flight, (Side.SERVER, 139), (Side.CLIENT, 69), (Side.CLIENT, 73)))
    late = Row("wolfssl", FULL[0].truth, (*flight, (Side.CLIENT, 69), (Side.SERVER, 209), (Side.CLIENT, 73)))
    answer = Row("none", FULL[0].truth, (*flight, (Side.CLIENT, 69), (Side.CLIENT, 73), (Side.SERVER, 276)))
    settings = Row("h2", FULL[0].truth, (*flight, (Side.CLIENT, 69), (Side.SERVER, 69), (Side.CLIENT, 73)))

    assert [tickets(row.handshake) for row in (early, late, answer, settings)] == [
        HiddenTickets(None, 122),
        HiddenTickets(None, 192),
        None,
        None,
    ]


def test_says_nothing_when_octets_of_the_server_are_missing() -> None:
    handshake = FULL[0].handshake
    lossy = events_of(*((event.side, event.message) for event in handshake.events), (Side.SERVER, Gap(100)))

    assert server_flight(tls13(server_hello=handshake.server_hello, events=lossy)) is None


@pytest.mark.parametrize(
    ("asked", "sent", "words"),
    [
        ("asked", "empty", ("asked for a client certificate", "answered with an empty Certificate")),
        ("asked", "cert", ("asked for a client certificate", "answered with a certificate")),
        ("-", "-", ("asked for no client certificate", "answered with its Finished alone")),
    ],
)
def test_tells_it_in_a_sentence(asked: str, sent: str, words: tuple[str, ...]) -> None:
    row = next(row for row in FULL if (row.truth["asked"], row.truth["sent"]) == (asked, sent))
    told = observations(row.handshake)

    assert told.startswith(" Likely, by the number and the sizes of the records, ")
    assert [word for word in words if word not in told] == []


def chain_of(*octets: int) -> tuple[Certificate, ...]:
    (leaf, *_) = certificates(handshake().server_certificates)
    return tuple(replace(leaf, der=bytes(each)) for each in octets)


@pytest.mark.parametrize(
    ("sizes", "chain", "fits"),
    [
        ((23, 471, 96, 69), (441,), True),
        ((23, 87, 1945, 281, 69), (805, 600, 500), True),  # 5 octets between one certificate and the next
        ((23, 471, 96, 69), (440,), False),
        ((23, 471, 96, 69), (442,), False),
        ((608,), (441,), None),  # a flight in one record: at most about that long
        ((608,), (460,), False),
        ((23, 471), (441,), None),
    ],
)
def test_says_whether_a_chain_seen_elsewhere_fits(sizes: tuple[int, ...], chain: tuple[int, ...], fits: bool) -> None:
    records = (*((Side.SERVER, size) for size in sizes), (Side.CLIENT, 69))

    assert chain_fits(Row("any", FULL[0].truth, records).handshake, chain_of(*chain)) is fits


@pytest.mark.parametrize(
    ("kind", "octets", "fits"),
    [
        (ext.STATUS_REQUEST, 400, None),
        (ext.STATUS_REQUEST, 442, False),
        (ext.SIGNED_CERTIFICATE_TIMESTAMP, 400, None),
        (ext.COMPRESS_CERTIFICATE, 441, None),
    ],
)
def test_says_no_chain_fits_or_not_where_an_extension_changes_its_length(
    kind: int, octets: int, fits: bool | None
) -> None:
    value = Row("any", FULL[0].truth, ((Side.SERVER, 23), (Side.SERVER, 471), *FLIGHT[1:])).handshake
    hello = value.client_hellos[0]
    offer = client_hello(
        extensions=(*(each for each in hello.extensions if each.type != kind), Extension(kind, b"", b""))
    )

    assert chain_fits(replace(value, client_hellos=(offer,)), chain_of(octets)) is fits
