"""client-cert-missing and client-cert-not-requested: where each fires, where it must not, and pairs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.client_auth import (
    ALICE,
    FINISHED,
    FORBIDDEN,
    NGINX_MISSING,
    accepted,
    answered_in_http,
    answered_with,
    closed_by_server,
    events_of,
    exchanges_in,
    found,
    hidden_flights,
    of_pair,
    refused,
    request,
    severity,
    silent,
)
from tests.support.handshakes import handshake, resumed
from tlsinspect.diagnosis.causes import (
    client_cert_missing,
    client_cert_not_requested,
)
from tlsinspect.diagnosis.rule import Certainty, Severity
from tlsinspect.model.frame import Defect, Missing, Side
from tlsinspect.model.handshake import Handshake, Outcome
from tlsinspect.model.message import (
    Alert,
    ApplicationData,
    CertificateMessage,
)

SILENT_ALERTS = (20, 51)  # of records and keys


# -- client-cert-missing --------------------------------------------------------------------------------------------

MISSING = client_cert_missing.CAUSE


@pytest.mark.parametrize(
    ("description", "certainty"),
    [
        (116, Certainty.STATED),
        (40, Certainty.SHOWN),
        (42, Certainty.SHOWN),  # JSSE, NSS
        (50, Certainty.LIKELY),  # gnutls-serv
        (49, Certainty.LIKELY),
    ],
)
def test_an_alert_after_an_empty_certificate_says_that_it_is_missing(description: int, certainty: Certainty) -> None:
    finding = found(MISSING, refused(description))

    assert severity(MISSING, finding) is Severity.ERROR
    assert finding.certainty is certainty


@pytest.mark.parametrize("description", SILENT_ALERTS)
def test_an_alert_about_records_is_not_blamed_on_the_missing_certificate(description: int) -> None:
    assert severity(MISSING, found(MISSING, refused(description))) is Severity.WARNING


def test_a_server_that_goes_on_without_a_certificate_is_a_warning() -> None:
    finding = found(MISSING, accepted())

    assert severity(MISSING, finding) is Severity.WARNING


def test_nginx_says_in_http_that_the_certificate_is_missing() -> None:
    finding = found(MISSING, answered_in_http(NGINX_MISSING))

    assert (severity(MISSING, finding), finding.certainty) == (Severity.ERROR, Certainty.STATED)


def test_a_plain_403_after_an_empty_certificate_is_likely_due_to_it() -> None:
    finding = found(MISSING, answered_in_http(FORBIDDEN))

    assert (severity(MISSING, finding), finding.certainty) == (Severity.ERROR, Certainty.LIKELY)


def test_a_fin_without_an_alert_after_an_empty_certificate_is_likely_due_to_it() -> None:
    finding = found(MISSING, closed_by_server())

    assert (severity(MISSING, finding), finding.certainty) == (Severity.ERROR, Certainty.LIKELY)
    assert "frame 20" in finding.explanation


def test_a_server_that_closes_long_after_the_handshake_refuses_nothing() -> None:
    done = ((Side.CLIENT, FINISHED), (Side.SERVER, FINISHED))
    late = closed_by_server(after_ms=60_000)

    finding = found(MISSING, answered_with((), *done, tcp=late.tcp))

    assert severity(MISSING, finding) is Severity.WARNING


def test_the_no_certificate_alert_of_ssl3_counts_as_an_empty_certificate() -> None:
    events = events_of((Side.CLIENT, Alert(1, 41)), (Side.SERVER, Alert(2, 40)))
    refusing = refused(40, client_certificates=Missing.NOT_SENT)

    finding = found(MISSING, replace(refusing, events=events))

    assert severity(MISSING, finding) is Severity.ERROR


def test_names_what_makes_clients_withhold_a_certificate() -> None:
    explanation = found(MISSING, refused(116)).explanation

    assert "Acme Root" in explanation
    assert "ecdsa_secp256r1_sha256" in explanation


def test_an_empty_certificate_is_told_without_the_request_that_was_cut() -> None:
    assert severity(MISSING, found(MISSING, refused(40, asked=Missing.LOST))) is Severity.ERROR


@pytest.mark.parametrize("absent", list(Missing))
def test_a_certificate_that_was_not_seen_is_not_called_missing(absent: Missing) -> None:
    assert silent(MISSING, handshake(client_certificates=absent, certificate_request=request()))


def test_a_certificate_that_was_cut_is_not_called_empty() -> None:
    cut = CertificateMessage(entries=(), defect=Defect("client_certificates", "500 octets, 20 are in the capture"))

    assert silent(MISSING, handshake(client_certificates=cut, certificate_request=request()))


def test_a_resumed_session_misses_no_certificate() -> None:
    assert silent(MISSING, resumed())


def test_the_flight_of_an_empty_certificate_and_a_refusal_are_likely_a_missing_one() -> None:
    finding = found(MISSING, hidden_flights((25, 69), (19,)))

    assert (severity(MISSING, finding), finding.certainty) == (Severity.ERROR, Certainty.LIKELY)


def test_the_flight_of_an_empty_certificate_that_is_served_is_a_warning() -> None:
    assert severity(MISSING, found(MISSING, hidden_flights((25, 69, 103), (298, 298, 400)))) is Severity.WARNING


@pytest.mark.parametrize(
    ("server", "told"),
    [
        ((19,), "it refused the client"),
        ((298, 298, 400), "the server went on"),
        ((), "what the server did next is not in the capture"),
    ],
)
def test_tells_what_the_server_did_after_a_hidden_empty_certificate(server: tuple[int, ...], told: str) -> None:
    assert told in found(MISSING, hidden_flights((25, 69, 103), server)).explanation


def test_the_flight_of_a_finished_alone_misses_nothing() -> None:
    assert silent(MISSING, hidden_flights((69, 103), (19,)))


def test_without_a_certificate_the_identity_that_was_meant_is_not_seen() -> None:
    assert severity(MISSING, found(MISSING, accepted(), identity="alice")) is Severity.ERROR


def test_no_certificate_is_missing_where_none_was_meant() -> None:
    assert silent(MISSING, accepted(), identity="none")


def test_a_pair_names_the_side_without_a_certificate() -> None:
    finding = of_pair(MISSING, accepted(ALICE), accepted())

    assert finding is not None
    assert (finding.side, severity(MISSING, finding)) == ("right", Severity.ERROR)
    assert "Had curl.pcap#0 sent one" in finding.explanation


def test_a_pair_of_which_both_went_on_without_a_certificate_does_not_differ() -> None:
    assert of_pair(MISSING, accepted(), accepted()) is None


def test_a_pair_of_which_both_were_refused_without_a_certificate_is_told_so() -> None:
    finding = of_pair(MISSING, refused(116), refused(116))

    assert finding is not None
    assert finding.side == "both"


def test_a_pair_without_keys_is_told_by_the_flights() -> None:
    finding = of_pair(MISSING, hidden_flights((25, 69, 103), (298, 400)), hidden_flights((491, 96, 69), (298, 400)))

    assert finding is not None
    assert (finding.side, finding.certainty) == ("left", Certainty.LIKELY)


# -- client-cert-not-requested --------------------------------------------------------------------------------------

NOT_REQUESTED = client_cert_not_requested.CAUSE


def test_a_full_handshake_without_a_request_is_a_remark() -> None:
    finding = found(NOT_REQUESTED, handshake())

    assert severity(NOT_REQUESTED, finding) is Severity.INFO


def test_words_about_a_certificate_in_a_refusal_make_it_an_error() -> None:
    asks = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 27\r\n\r\nclient certificate required"
    data = (Side.SERVER, ApplicationData(200))

    finding = found(NOT_REQUESTED, handshake(events=events_of(data), http=exchanges_in(asks)))

    assert severity(NOT_REQUESTED, finding) is Severity.ERROR


def test_a_plain_403_is_not_blamed_on_the_lack_of_a_request() -> None:
    data = (Side.SERVER, ApplicationData(80))
    value = handshake(events=events_of(data), http=exchanges_in(FORBIDDEN))

    assert severity(NOT_REQUESTED, found(NOT_REQUESTED, value)) is Severity.INFO


@pytest.mark.parametrize("unseen", [Missing.HIDDEN, Missing.LOST, Missing.MALFORMED])
def test_a_request_that_cannot_be_seen_is_not_called_absent(unseen: Missing) -> None:
    assert silent(NOT_REQUESTED, handshake(certificate_request=unseen))


def test_nothing_is_said_of_requests_in_a_resumed_session() -> None:
    assert silent(NOT_REQUESTED, resumed())


def test_nothing_is_said_of_requests_in_a_handshake_that_failed() -> None:
    assert silent(NOT_REQUESTED, handshake(outcome=Outcome.REJECTED))


def test_a_server_without_a_certificate_may_not_ask_for_one() -> None:
    assert silent(NOT_REQUESTED, handshake(server_certificates=Missing.NOT_SENT))


def test_nothing_is_said_where_a_later_handshake_of_the_connection_may_ask() -> None:
    assert silent(NOT_REQUESTED, handshake(parts=2))


def test_without_a_request_the_identity_that_was_meant_is_not_seen() -> None:
    assert severity(NOT_REQUESTED, found(NOT_REQUESTED, handshake(), identity="alice")) is Severity.ERROR


def test_a_pair_names_the_side_that_was_not_asked() -> None:
    finding = of_pair(NOT_REQUESTED, handshake(), accepted(ALICE))

    assert finding is not None
    assert (finding.side, severity(NOT_REQUESTED, finding)) == ("left", Severity.ERROR)
    assert "Had the server asked" in finding.explanation


@pytest.mark.parametrize(
    "other", [refused(45, ALICE), answered_in_http(FORBIDDEN, ALICE)], ids=["refused", "refused by HTTP"]
)
def test_the_side_that_was_not_asked_is_not_blamed_for_the_trouble_of_the_other(other: Handshake) -> None:
    finding = of_pair(NOT_REQUESTED, other, handshake())

    assert finding is not None
    assert severity(NOT_REQUESTED, finding) is Severity.INFO


def test_a_pair_of_which_one_resumed_is_not_about_requests() -> None:
    assert of_pair(NOT_REQUESTED, resumed(), accepted(ALICE)) is None
    assert of_pair(NOT_REQUESTED, handshake(), resumed()) is None


def test_a_pair_without_keys_is_likely_asked_on_the_side_with_room_for_a_certificate() -> None:
    asked = hidden_flights((491, 96, 69, 103), (298, 400))

    finding = of_pair(NOT_REQUESTED, hidden_flights((69, 103), (298, 400)), asked)

    assert finding is not None
    assert (finding.side, finding.certainty) == ("left", Certainty.LIKELY)
