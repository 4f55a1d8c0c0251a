"""The causes that look at the client certificate itself: where each fires, where it must not, and pairs; and all
of the stage on healthy handshakes."""

from __future__ import annotations

import pytest

from tests.support.client_auth import (
    ALICE,
    BOB,
    FINISHED,
    FORBIDDEN,
    ISSUING,
    MALLORY,
    NEW,
    NGINX_ERROR,
    OLD,
    ROBOT,
    SERVER_ONLY,
    accepted,
    answered_in_http,
    answered_with,
    case,
    certificate,
    closed_by_server,
    found,
    hidden_flights,
    of_pair,
    refused,
    request,
    severity,
    silent,
)
from tests.support.handshakes import handshake, resumed, server_hello
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
from tlsinspect.diagnosis.rule import Cause, Certainty, Severity
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import (
    Alert,
    ApplicationData,
    CertificateVerify,
)

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
