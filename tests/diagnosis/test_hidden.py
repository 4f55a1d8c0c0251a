"""What the sizes of encrypted records tell; the sizes are those of OpenSSL, JSSE and NSS."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.client_auth import hidden_flights
from tests.support.handshakes import TLS13, client_hello, server_hello, tls13
from tlsinspect.diagnosis.facts import hidden_refusal
from tlsinspect.diagnosis.hidden import ClientFlight, client_flight, refused_after_flight
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Mark, Resumption, Transport
from tlsinspect.model.message import Extension
from tlsinspect.tls import extensions as ext


@pytest.mark.parametrize(
    ("sizes", "kind"),
    [
        ((69, 103), ClientFlight.FINISHED_ALONE),
        ((85, 115), ClientFlight.FINISHED_ALONE),  # JSSE pads with 16 zeros
        ((25, 69, 103), ClientFlight.EMPTY_CERTIFICATE),
        ((41, 85), ClientFlight.EMPTY_CERTIFICATE),
        ((77, 103), ClientFlight.EMPTY_CERTIFICATE),  # NSS: both messages in one record
        ((491, 96, 69), ClientFlight.CERTIFICATE),
        ((640,), ClientFlight.CERTIFICATE),
    ],
)
def test_tells_the_client_flight_from_its_sizes_with_sha384(sizes: tuple[int, ...], kind: ClientFlight) -> None:
    flight = client_flight(hidden_flights(sizes, ()))

    assert flight is not None
    assert flight.kind is kind


@pytest.mark.parametrize("size", [25, 41])
def test_sees_an_empty_certificate_that_is_refused_before_the_finished_comes(size: int) -> None:
    handshake = hidden_flights((size,), (19,))
    flight = client_flight(handshake)

    assert flight is not None
    assert (flight.kind, flight.whole) == (ClientFlight.EMPTY_CERTIFICATE, False)
    assert flight.reasoning.endswith("the size of an empty Certificate alone")
    assert refused_after_flight(handshake)


def test_takes_the_finished_of_a_sha256_suite_for_53_octets() -> None:
    hello = server_hello(TLS13, cipher_suite=0x1301)

    flight = client_flight(hidden_flights((25, 53), (), server_hello=hello))

    assert flight is not None
    assert flight.sizes == (25, 53)


@pytest.mark.parametrize("sizes", [(), (19,), (25, 103), (103, 69)])
def test_says_nothing_of_sizes_that_fit_no_flight(sizes: tuple[int, ...]) -> None:
    assert client_flight(hidden_flights(sizes, ())) is None


def test_says_nothing_of_a_resumed_handshake() -> None:
    resumed = hidden_flights((69,), (), resumption=Resumption(offered=("psk",), accepted="psk"))

    assert client_flight(resumed) is None


def test_says_nothing_when_early_data_comes_before_the_flight() -> None:
    hello = client_hello()
    early = client_hello(extensions=(*hello.extensions, Extension(ext.EARLY_DATA, b"", b"")))

    assert client_flight(hidden_flights((69,), (), client_hellos=(early,))) is None


def test_says_nothing_of_a_handshake_without_encrypted_records() -> None:
    assert client_flight(tls13()) is None


def test_takes_a_next_record_of_an_alert_size_for_a_refusal() -> None:
    assert refused_after_flight(hidden_flights((25, 69), (19,)))


def test_takes_a_fin_without_any_record_for_a_refusal() -> None:
    closed = Transport(fins=(Mark(Side.SERVER, frame=20, time_ns=1),))

    assert refused_after_flight(hidden_flights((25, 69), (), tcp=closed))


def test_takes_tickets_after_the_flight_for_going_on() -> None:
    closed = Transport(fins=(Mark(Side.SERVER, frame=20, time_ns=1),))

    assert not refused_after_flight(hidden_flights((25, 69), (298, 298, 19), tcp=closed))


@pytest.mark.parametrize(
    ("client", "server", "refused"),
    [
        ((25, 69, 52, 19), (19,), True),  # gnutls-cli closes when its input ends; HAProxy refuses
        ((25, 69, 52, 19), (250, 250, 4459, 19), False),
        ((25, 69, 19), (19,), False),  # nothing was asked for: the server may just answer the close_notify
    ],
)
def test_takes_an_alert_for_the_answer_to_a_request(
    client: tuple[int, ...], server: tuple[int, ...], refused: bool
) -> None:
    assert refused_after_flight(hidden_flights(client, server)) is refused


def test_takes_no_alert_for_a_refusal_when_the_other_side_had_closed_before_it() -> None:
    handshake = hidden_flights((41,), (19,))
    closed = Transport(fins=(Mark(Side.CLIENT, frame=9, time_ns=handshake.events[-1].time_ns - 1),))

    assert hidden_refusal(handshake) is Side.SERVER
    assert hidden_refusal(replace(handshake, tcp=closed)) is None
