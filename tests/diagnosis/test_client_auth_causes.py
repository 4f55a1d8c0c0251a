"""The causes of the stage client-auth: where each fires, where it must not, and what it says of a pair."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.client_auth import (
    FINISHED,
    accepted,
    answered_in_http,
    answered_with,
    case,
    certificate,
    closed_by_server,
    events_of,
    hidden_flights,
    refused,
    request,
)
from tests.support.handshakes import elsewhere, handshake, resumed, server_hello
from tlsinspect.diagnosis.causes import (
    client_cert_chain_incomplete,
    client_cert_different,
    client_cert_expired,
    client_cert_issuer_not_accepted,
    client_cert_missing,
    client_cert_not_requested,
    client_cert_revoked,
    client_cert_unsuitable,
    client_cert_untrusted,
)
from tlsinspect.diagnosis.rule import Cause, Certainty, Finding, Severity
from tlsinspect.model.frame import Defect, Missing, Side
from tlsinspect.model.handshake import Handshake, Outcome
from tlsinspect.model.message import (
    Alert,
    ApplicationData,
    CertificateMessage,
    CertificateVerify,
)

ALICE = certificate("Acme/alice", "Acme/Acme Root")
BOB = certificate("Acme/bob", "Acme/Acme Root")
ROBOT = certificate("Acme/robot", "Acme/Acme Issuing 1")
ISSUING = certificate("Acme/Acme Issuing 1", "Acme/Acme Root", usages=None)
MALLORY = certificate("Acme/mallory", "Zeta Corp/Zeta CA")
OLD = certificate("Acme/old", "Acme/Acme Root", expires_in_days=-10)
NEW = certificate("Acme/new", "Acme/Acme Root", begins_in_days=10)
SERVER_ONLY = certificate("Acme/svc", "Acme/Acme Root", usages=("serverAuth",))
NGINX_MISSING = b"HTTP/1.1 400 Bad Request\r\n\r\n<h1>400 Bad Request</h1>No required SSL certificate was sent"
NGINX_ERROR = b"HTTP/1.1 400 Bad Request\r\n\r\n<h1>400 Bad Request</h1>The SSL certificate error"
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
SILENT_ALERTS = (20, 51)  # of records and keys

CAUSES = (
    client_cert_chain_incomplete,
    client_cert_different,
    client_cert_expired,
    client_cert_issuer_not_accepted,
    client_cert_missing,
    client_cert_not_requested,
    client_cert_revoked,
    client_cert_unsuitable,
    client_cert_untrusted,
)


def found(cause: Cause, value: Handshake, **meant: str) -> Finding:
    finding = cause.check(case(value, **meant))
    assert finding is not None
    return finding


def silent(cause: Cause, value: Handshake, **meant: str) -> bool:
    return cause.check(case(value, **meant)) is None


def severity(cause: Cause, finding: Finding) -> Severity:
    return cause.severity if finding.severity is None else finding.severity


def of_pair(cause: Cause, left: Handshake, right: Handshake) -> Finding | None:
    assert cause.compare is not None
    return cause.compare(case(left), case(elsewhere(right, capture="curl.pcap")))


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
    data = (Side.SERVER, ApplicationData(200, asks))

    finding = found(NOT_REQUESTED, handshake(events=events_of(data)))

    assert severity(NOT_REQUESTED, finding) is Severity.ERROR


def test_a_plain_403_is_not_blamed_on_the_lack_of_a_request() -> None:
    data = (Side.SERVER, ApplicationData(80, FORBIDDEN))

    assert severity(NOT_REQUESTED, found(NOT_REQUESTED, handshake(events=events_of(data)))) is Severity.INFO


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


def test_a_pair_of_which_one_resumed_is_not_about_requests() -> None:
    assert of_pair(NOT_REQUESTED, resumed(), accepted(ALICE)) is None
    assert of_pair(NOT_REQUESTED, handshake(), resumed()) is None


def test_a_pair_without_keys_is_likely_asked_on_the_side_with_room_for_a_certificate() -> None:
    asked = hidden_flights((491, 96, 69, 103), (298, 400))

    finding = of_pair(NOT_REQUESTED, hidden_flights((69, 103), (298, 400)), asked)

    assert finding is not None
    assert (finding.side, finding.certainty) == ("left", Certainty.LIKELY)


# -- client-cert-untrusted ------------------------------------------------------------------------------------------

UNTRUSTED = client_cert_untrusted.CAUSE


@pytest.mark.parametrize("description", [48, 46, 42])
def test_an_alert_about_the_certificate_states_that_it_was_refused(description: int) -> None:
    finding = found(UNTRUSTED, refused(description, MALLORY))

    assert finding.certainty is Certainty.STATED


@pytest.mark.parametrize("description", [49, 40])
def test_an_alert_about_anything_is_likely_about_the_certificate(description: int) -> None:
    assert found(UNTRUSTED, refused(description, MALLORY)).certainty is Certainty.LIKELY


def test_nginx_says_in_http_that_the_certificate_is_refused() -> None:
    assert found(UNTRUSTED, answered_in_http(NGINX_ERROR, MALLORY)).certainty is Certainty.STATED


def test_a_plain_403_does_not_refuse_the_certificate() -> None:
    assert silent(UNTRUSTED, answered_in_http(FORBIDDEN, ALICE))


def test_the_visible_flaw_explains_an_alert_that_does_not_say_why() -> None:
    assert silent(UNTRUSTED, refused(42, OLD))
    assert silent(UNTRUSTED, refused(42, SERVER_ONLY))


def test_unknown_ca_stands_beside_a_visible_flaw() -> None:
    assert found(UNTRUSTED, refused(48, OLD)).certainty is Certainty.STATED


def test_unknown_ca_of_the_client_is_about_the_certificate_of_the_server() -> None:
    by_client = answered_with((MALLORY,), (Side.CLIENT, Alert(2, 48)))

    assert silent(UNTRUSTED, by_client)


def test_an_alert_after_the_server_has_served_the_client_is_not_about_its_certificate() -> None:
    served = ((Side.CLIENT, FINISHED), (Side.SERVER, FINISHED), (Side.SERVER, ApplicationData(90)))

    assert silent(UNTRUSTED, answered_with((MALLORY,), *served, (Side.SERVER, Alert(2, 42))))


def test_a_certificate_that_was_accepted_is_not_untrusted() -> None:
    assert silent(UNTRUSTED, accepted(ALICE))


def test_a_pair_names_the_side_whose_certificate_was_refused() -> None:
    finding = of_pair(UNTRUSTED, accepted(ALICE), refused(48, MALLORY))

    assert finding is not None
    assert finding.side == "right"


# -- client-cert-issuer-not-accepted --------------------------------------------------------------------------------

NOT_ACCEPTED = client_cert_issuer_not_accepted.CAUSE


def test_an_issuer_outside_of_the_list_explains_unknown_ca() -> None:
    finding = found(NOT_ACCEPTED, refused(48, MALLORY))

    assert (severity(NOT_ACCEPTED, finding), finding.certainty) == (Severity.ERROR, Certainty.SHOWN)
    assert "Zeta CA" in finding.explanation


def test_an_issuer_outside_of_the_list_is_a_note_where_the_handshake_completed() -> None:
    finding = found(NOT_ACCEPTED, accepted(MALLORY))

    assert severity(NOT_ACCEPTED, finding) is Severity.WARNING


def test_an_issuer_outside_of_the_list_is_likely_why_a_server_closes_without_an_alert() -> None:
    finding = found(NOT_ACCEPTED, closed_by_server(MALLORY))

    assert (severity(NOT_ACCEPTED, finding), finding.certainty) == (Severity.ERROR, Certainty.LIKELY)


def test_an_alert_about_the_validity_is_not_blamed_on_the_issuer() -> None:
    assert severity(NOT_ACCEPTED, found(NOT_ACCEPTED, refused(45, MALLORY))) is Severity.WARNING


def test_an_issuer_in_the_list_is_accepted() -> None:
    assert silent(NOT_ACCEPTED, refused(48, ALICE))


def test_a_chain_that_leads_to_the_list_is_accepted() -> None:
    assert silent(NOT_ACCEPTED, refused(48, ROBOT, ISSUING))


def test_an_intermediate_that_is_itself_in_the_list_is_accepted() -> None:
    assert silent(NOT_ACCEPTED, refused(48, ROBOT, asked=request("Acme/Acme Issuing 1")))


def test_an_empty_list_accepts_every_issuer() -> None:
    assert silent(NOT_ACCEPTED, refused(48, MALLORY, asked=request()))


def test_a_pair_names_the_side_whose_issuer_is_not_in_the_list() -> None:
    finding = of_pair(NOT_ACCEPTED, refused(48, MALLORY), accepted(ALICE))

    assert finding is not None
    assert finding.side == "left"


# -- client-cert-chain-incomplete -----------------------------------------------------------------------------------

INCOMPLETE = client_cert_chain_incomplete.CAUSE


def test_a_leaf_alone_whose_issuer_is_of_a_listed_organization_likely_lacks_its_intermediate() -> None:
    finding = found(INCOMPLETE, refused(48, ROBOT))

    assert finding.certainty is Certainty.LIKELY
    assert "Acme Issuing 1" in finding.explanation


def test_an_issuer_of_another_organization_is_no_missing_intermediate() -> None:
    assert silent(INCOMPLETE, refused(48, MALLORY))


def test_an_issuer_that_is_a_root_by_its_name_is_no_missing_intermediate() -> None:
    assert silent(INCOMPLETE, refused(48, certificate("Acme/robot", "Acme/Other Root")))


def test_a_whole_chain_lacks_nothing() -> None:
    assert silent(INCOMPLETE, refused(48, ROBOT, ISSUING))


def test_a_leaf_alone_that_was_accepted_is_a_warning() -> None:
    assert severity(INCOMPLETE, found(INCOMPLETE, accepted(ROBOT))) is Severity.WARNING


def test_a_pair_shows_the_intermediate_that_one_side_did_not_send() -> None:
    finding = of_pair(INCOMPLETE, accepted(ROBOT, ISSUING), refused(48, ROBOT))

    assert finding is not None
    assert (finding.side, finding.certainty) == ("right", Certainty.SHOWN)
    assert "Had curl.pcap#0 sent the intermediate" in finding.explanation


# -- client-cert-expired --------------------------------------------------------------------------------------------

EXPIRED = client_cert_expired.CAUSE


def test_the_server_states_that_the_certificate_expired() -> None:
    assert found(EXPIRED, refused(45, OLD)).certainty is Certainty.STATED


def test_says_so_when_an_expired_certificate_looks_valid() -> None:
    finding = found(EXPIRED, refused(45, ALICE))

    assert "clock" in finding.explanation


@pytest.mark.parametrize(("der", "word"), [(OLD, "expired"), (NEW, "not valid before")])
def test_a_certificate_outside_of_its_validity_explains_bad_certificate(der: bytes, word: str) -> None:
    finding = found(EXPIRED, refused(42, der))

    assert (severity(EXPIRED, finding), finding.certainty) == (Severity.ERROR, Certainty.SHOWN)
    assert word in finding.explanation


def test_an_expired_certificate_that_was_accepted_is_a_warning() -> None:
    assert severity(EXPIRED, found(EXPIRED, accepted(OLD))) is Severity.WARNING


def test_an_expired_certificate_explains_a_refusal_in_http() -> None:
    assert severity(EXPIRED, found(EXPIRED, answered_in_http(NGINX_ERROR, OLD))) is Severity.ERROR


def test_an_expired_certificate_does_not_explain_unknown_ca() -> None:
    assert severity(EXPIRED, found(EXPIRED, refused(48, OLD))) is Severity.WARNING


def test_an_intermediate_that_expired_counts_too() -> None:
    expired = certificate("Acme/Acme Issuing 1", "Acme/Acme Root", usages=None, expires_in_days=-1)

    assert "Acme Issuing 1" in found(EXPIRED, refused(42, ROBOT, expired)).explanation


def test_a_valid_certificate_did_not_expire() -> None:
    assert silent(EXPIRED, refused(42, ALICE))
    assert silent(EXPIRED, accepted(ALICE))


def test_an_alert_that_follows_an_empty_certificate_is_not_about_its_validity() -> None:
    assert silent(EXPIRED, refused(45))


def test_a_pair_names_the_side_whose_certificate_expired() -> None:
    finding = of_pair(EXPIRED, refused(45, OLD), accepted(ALICE))

    assert finding is not None
    assert finding.side == "left"


# -- client-cert-unsuitable -----------------------------------------------------------------------------------------

UNSUITABLE = client_cert_unsuitable.CAUSE


def test_the_server_states_that_the_certificate_is_unsuitable() -> None:
    finding = found(UNSUITABLE, refused(43, SERVER_ONLY))

    assert finding.certainty is Certainty.STATED
    assert "without clientAuth" in finding.explanation


def test_the_server_may_find_it_unsuitable_where_the_leaf_looks_well() -> None:
    assert "authority above it" in found(UNSUITABLE, refused(43, ALICE)).explanation


def test_a_certificate_for_servers_alone_explains_bad_certificate() -> None:
    finding = found(UNSUITABLE, refused(42, SERVER_ONLY))

    assert (severity(UNSUITABLE, finding), finding.certainty) == (Severity.ERROR, Certainty.SHOWN)


def test_a_certificate_for_servers_alone_that_was_accepted_is_a_warning() -> None:
    assert severity(UNSUITABLE, found(UNSUITABLE, accepted(SERVER_ONLY))) is Severity.WARNING


def test_a_key_usage_without_digital_signature_is_unsuitable() -> None:
    der = certificate("Acme/alice", "Acme/Acme Root", digital_signature=False)

    assert "digitalSignature" in found(UNSUITABLE, refused(42, der)).explanation


def test_a_key_that_certificate_types_does_not_allow_is_unsuitable() -> None:
    rsa_only = request("Acme/Acme Root", certificate_types=(1,))

    assert "certificate_types" in found(UNSUITABLE, refused(42, ALICE, asked=rsa_only)).explanation


def test_a_signature_that_was_not_asked_for_is_unsuitable() -> None:
    verify, alert = (Side.CLIENT, CertificateVerify(0x0603)), (Side.SERVER, Alert(2, 47))

    finding = found(UNSUITABLE, answered_with((ALICE,), verify, alert))

    assert "ecdsa_secp521r1_sha512" in finding.explanation


def test_a_certificate_for_clients_is_suitable() -> None:
    assert silent(UNSUITABLE, refused(42, ALICE))
    assert silent(UNSUITABLE, accepted(certificate("Acme/any", "Acme/Acme Root", usages=None)))


def test_a_pair_names_the_side_with_the_unsuitable_certificate() -> None:
    finding = of_pair(UNSUITABLE, accepted(ALICE), refused(43, SERVER_ONLY))

    assert finding is not None
    assert finding.side == "right"


# -- client-cert-revoked --------------------------------------------------------------------------------------------

REVOKED = client_cert_revoked.CAUSE


def test_the_server_states_that_the_certificate_is_revoked() -> None:
    finding = found(REVOKED, refused(44, ALICE))

    assert finding.certainty is Certainty.STATED
    assert "c0ffee" in finding.explanation


def test_certificate_revoked_of_the_client_is_about_the_certificate_of_the_server() -> None:
    assert silent(REVOKED, answered_with((ALICE,), (Side.CLIENT, Alert(2, 44))))


def test_a_pair_names_the_side_whose_certificate_is_revoked() -> None:
    finding = of_pair(REVOKED, refused(44, ALICE), accepted(BOB))

    assert finding is not None
    assert finding.side == "left"


# -- client-cert-different ------------------------------------------------------------------------------------------

DIFFERENT = client_cert_different.CAUSE


def test_a_pair_of_two_clients_names_both() -> None:
    finding = of_pair(DIFFERENT, accepted(ALICE), accepted(BOB))

    assert finding is not None
    assert severity(DIFFERENT, finding) is Severity.ERROR
    assert "alice" in finding.explanation
    assert "bob" in finding.explanation


def test_a_renewed_certificate_of_the_same_client_is_a_warning() -> None:
    renewed = certificate("Acme/alice", "Acme/Acme Root", expires_in_days=200)

    finding = of_pair(DIFFERENT, accepted(ALICE), accepted(renewed))

    assert finding is not None
    assert severity(DIFFERENT, finding) is Severity.WARNING


@pytest.mark.parametrize("flawed", [OLD, SERVER_ONLY, MALLORY], ids=["expired", "unsuitable", "other issuer"])
def test_a_flaw_of_one_certificate_explains_more_than_the_difference(flawed: bytes) -> None:
    finding = of_pair(DIFFERENT, accepted(flawed), accepted(ALICE))

    assert finding is not None
    assert severity(DIFFERENT, finding) is Severity.WARNING


def test_a_pair_with_the_same_certificate_does_not_differ() -> None:
    assert of_pair(DIFFERENT, accepted(ALICE), accepted(ALICE)) is None


def test_a_pair_of_which_one_sent_none_is_not_about_different_certificates() -> None:
    assert of_pair(DIFFERENT, accepted(ALICE), accepted()) is None


def test_flights_of_different_sizes_likely_hold_different_certificates() -> None:
    finding = of_pair(DIFFERENT, hidden_flights((491, 96, 69), (298,)), hidden_flights((489, 97, 69), (298,)))

    assert finding is not None
    assert (finding.certainty, severity(DIFFERENT, finding)) == (Certainty.LIKELY, Severity.WARNING)


def test_flights_of_the_same_size_show_no_difference() -> None:
    assert of_pair(DIFFERENT, hidden_flights((491, 96, 69), ()), hidden_flights((491, 97, 69), ())) is None


@pytest.mark.parametrize("meant", ["alice", "CN=alice,O=Acme", "ALICE"])
def test_the_identity_that_was_meant_may_be_a_common_name_or_a_subject(meant: str) -> None:
    assert silent(DIFFERENT, accepted(ALICE), identity=meant)


@pytest.mark.parametrize("meant", ["bob", "none"])
def test_another_identity_than_the_one_that_was_meant_is_an_error(meant: str) -> None:
    assert severity(DIFFERENT, found(DIFFERENT, accepted(ALICE), identity=meant)) is Severity.ERROR


# -- all of them ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", CAUSES, ids=lambda module: module.CAUSE.code)
@pytest.mark.parametrize(
    "healthy",
    [
        handshake(),
        accepted(ALICE),
        accepted(),
        accepted(MALLORY),
        accepted(OLD),
        resumed(),
        hidden_flights((69, 103), (298, 400)),
        hidden_flights((25, 69, 103), (298, 400)),
        hidden_flights((491, 96, 69, 103), (298, 400)),
        handshake(server_hello=server_hello(0x0304)),
    ],
    ids=range(10),
)
def test_a_completed_handshake_has_no_error(module: object, healthy: Handshake) -> None:
    cause: Cause = module.CAUSE  # type: ignore[attr-defined]
    finding = cause.check(case(healthy))

    assert finding is None or severity(cause, finding) < Severity.ERROR
