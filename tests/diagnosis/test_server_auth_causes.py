"""The causes of the stage server-auth: where each fires, the near miss where it must not, and pairs."""

from __future__ import annotations

import pytest

from tests.support.authorities import BEGIN, Issued, issue, ocsp_response, with_sha1
from tests.support.handshakes import (
    STARTED_NS,
    TLS13,
    chain,
    client_hello,
    elsewhere,
    handshake,
    rejected,
    server_hello,
    tls13,
)
from tests.support.server_certificates import (
    ALL,
    AUTHORITY_RSA,
    BELOW,
    DAY,
    EXPIRED,
    EXPIRED_CAUSE,
    FOR_CLIENTS,
    FUTURE,
    ISSUING,
    LEAF,
    MISMATCH,
    NAME,
    NOT_YET,
    OTHER_NAME,
    REVOKED,
    ROOT,
    SELF,
    SELF_SIGNED,
    SHA1,
    SMALL,
    UNTRUSTED,
    WEAK,
    accepted,
    case,
    first_error,
    found,
    hung_up,
    left,
    refused,
    severity,
)
from tlsinspect.diagnosis.rule import Cause, Certainty, Severity
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Event, Handshake, Resumption
from tlsinspect.model.message import CertificateEntry, CertificateMessage, CertificateStatus, Extension
from tlsinspect.tls import extensions as ext

# -- which fault explains the alert ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alert", "certificate", "code"),
    [
        (45, EXPIRED, "server-cert-expired"),
        (42, EXPIRED, "server-cert-expired"),
        (46, EXPIRED, "server-cert-expired"),
        (48, EXPIRED, "server-cert-untrusted"),
        (42, FUTURE, "server-cert-not-yet-valid"),
        (45, FUTURE, "server-cert-not-yet-valid"),
        (42, OTHER_NAME, "server-cert-name-mismatch"),
        (46, OTHER_NAME, "server-cert-name-mismatch"),
        (48, OTHER_NAME, "server-cert-untrusted"),
        (48, SELF_SIGNED, "server-cert-self-signed"),
        (46, SELF_SIGNED, "server-cert-self-signed"),
        (42, SMALL, "server-cert-weak"),
        (43, SMALL, "server-cert-weak"),
        (42, SHA1, "server-cert-weak"),
        (43, FOR_CLIENTS, "server-cert-untrusted"),
        (44, LEAF, "server-cert-revoked"),
        (48, LEAF, "server-cert-untrusted"),
        (46, LEAF, "server-cert-untrusted"),
        (48, BELOW, "server-cert-chain-incomplete"),
        (42, BELOW, "server-cert-chain-incomplete"),
    ],
)
def test_the_fault_that_fits_the_alert_comes_first(alert: int, certificate: Issued | bytes, code: str) -> None:
    assert first_error(refused(alert, certificate)) == code


@pytest.mark.parametrize(
    "certificate", [EXPIRED, FUTURE, OTHER_NAME, SELF_SIGNED, SMALL, SHA1, FOR_CLIENTS, LEAF, BELOW]
)
def test_what_the_client_accepted_is_no_error(certificate: Issued | bytes) -> None:
    assert first_error(accepted(certificate)) is None


@pytest.mark.parametrize("value", [accepted(LEAF), accepted(BELOW), accepted(BELOW, ISSUING), tls13()])
@pytest.mark.parametrize("cause", ALL, ids=lambda cause: cause.code)
def test_nothing_is_said_of_a_good_certificate(cause: Cause, value: Handshake) -> None:
    assert cause.check(case(value)) is None


@pytest.mark.parametrize("cause", ALL, ids=lambda cause: cause.code)
def test_nothing_is_said_of_an_alert_of_the_server(cause: Cause) -> None:
    value = rejected(48, Side.SERVER, server_hello=server_hello(), server_certificates=chain(LEAF.der))

    assert cause.check(case(value)) is None


@pytest.mark.parametrize("cause", ALL, ids=lambda cause: cause.code)
def test_nothing_is_said_of_a_resumed_handshake(cause: Cause) -> None:
    resumption = Resumption(offered=("session_ticket",), accepted="session_ticket")

    assert cause.check(case(refused(46, resumption=resumption))) is None


@pytest.mark.parametrize(
    ("alert", "cause"), [(45, EXPIRED_CAUSE), (44, REVOKED), (48, UNTRUSTED), (42, UNTRUSTED), (46, UNTRUSTED)]
)
def test_without_keys_the_alert_in_clear_is_what_is_known(alert: int, cause: Cause) -> None:
    value = refused(alert, server_hello=server_hello(TLS13))

    finding = found(cause, value)

    assert finding.certainty is Certainty.STATED
    assert [each.code for each in ALL if each.check(case(value))] == [cause.code]


def test_a_cut_capture_still_shows_what_the_client_said() -> None:
    value = refused(48, server_hello=Missing.LOST, server_certificates=Missing.LOST)

    assert found(UNTRUSTED, value).certainty is Certainty.STATED


def test_a_handshake_that_the_server_ended_is_not_blamed_on_its_certificate() -> None:
    value = rejected(40, server_hello=server_hello(), server_certificates=chain(EXPIRED.der))

    assert severity(EXPIRED_CAUSE, value) is Severity.WARNING
    assert "Nothing in the capture shows that this client minded" in found(EXPIRED_CAUSE, value).explanation


# -- expired, not yet valid -----------------------------------------------------------------------------------------


def test_both_times_are_told() -> None:
    finding = found(EXPIRED_CAUSE, refused(45, EXPIRED))

    assert finding.certainty is Certainty.STATED
    assert "expired at 2026-01-02 00:00:00Z, before the connection at 2026-11-23 09:00:00Z" in finding.explanation
    assert "certificate_expired(45) (frame 5)" in finding.explanation


def test_an_expired_certificate_is_judged_at_the_time_given() -> None:
    at = BEGIN + DAY / 2

    assert EXPIRED_CAUSE.check(case(accepted(EXPIRED), at=at)) is None


def test_an_expired_alert_over_a_valid_leaf_points_at_the_clock() -> None:
    finding = found(EXPIRED_CAUSE, refused(45, LEAF))

    assert "the clock of the client differs" in finding.explanation


def test_an_expired_intermediate_explains_the_alert() -> None:
    old = issue("Old Issuing CA", ROOT, begin=BEGIN, end=BEGIN + DAY)
    leaf = issue(NAME, old, dns_names=[NAME])

    finding = found(EXPIRED_CAUSE, refused(45, leaf, old))

    assert "'CN=Old Issuing CA' above the leaf expired" in finding.explanation


def test_an_expired_certificate_above_the_leaf_that_nobody_minded_is_not_told() -> None:
    old = issue("Old Root", begin=BEGIN, end=BEGIN + DAY)

    assert EXPIRED_CAUSE.check(case(accepted(LEAF, old))) is None


def test_a_capture_whose_clock_was_never_set_judges_no_dates() -> None:
    value = elsewhere(accepted(FUTURE), started_ns=5 * 10**9)

    assert NOT_YET.check(case(value)) is None


def test_a_client_that_closes_without_a_request_may_have_minded() -> None:
    finding = found(EXPIRED_CAUSE, left(EXPIRED))

    assert (severity(EXPIRED_CAUSE, left(EXPIRED)), finding.certainty) == (Severity.ERROR, Certainty.LIKELY)
    assert "a probe that only connects looks the same" in finding.explanation


def test_a_client_that_hangs_up_at_the_certificate_may_have_minded() -> None:
    assert severity(SELF, hung_up(SELF_SIGNED)) is Severity.ERROR
    assert found(SELF, hung_up(SELF_SIGNED)).certainty is Certainty.LIKELY


def test_a_client_that_has_a_session_with_the_server_took_it_as_it_is() -> None:
    value = accepted(EXPIRED, resumption=Resumption(offered=("session_ticket",), accepted=None))

    assert severity(EXPIRED_CAUSE, value) is Severity.INFO


# -- names ----------------------------------------------------------------------------------------------------------


def test_both_names_are_told() -> None:
    finding = found(MISMATCH, refused(42, OTHER_NAME))

    assert finding.certainty is Certainty.SHOWN
    assert "is for 'b.example', and the client asked for 'a.example'" in finding.explanation
    assert ("host", NAME) in finding.fill


def test_a_common_name_alone_is_why_go_refuses() -> None:
    authority_like = issue(NAME, ROOT)  # without a subjectAltName

    finding = found(MISMATCH, refused(42, authority_like))

    assert finding.certainty is Certainty.LIKELY
    assert "common name alone" in finding.explanation


def test_a_common_name_alone_is_fine_where_nobody_minds() -> None:
    assert MISMATCH.check(case(accepted(issue(NAME, ROOT)))) is None


def test_without_a_server_name_the_address_may_be_what_was_meant() -> None:
    value = refused(42, LEAF, client_hellos=(client_hello(None),))

    finding = found(MISMATCH, value)

    assert finding.certainty is Certainty.LIKELY
    assert "meant the address 10.0.0.2 perhaps" in finding.explanation


def test_without_a_server_name_a_client_that_left_is_a_warning_at_most() -> None:
    value = elsewhere(left(LEAF), client_hellos=(client_hello(None),))

    assert severity(MISMATCH, value) is Severity.WARNING
    assert MISMATCH.check(case(elsewhere(hung_up(LEAF), client_hellos=(client_hello(None),)))) is None


def test_without_a_server_name_nothing_is_said_of_a_client_that_went_on() -> None:
    assert MISMATCH.check(case(accepted(LEAF, client_hellos=(client_hello(None),)))) is None


# -- keys and signatures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("certificate", "text"),
    [(SMALL, "The key of the server certificate is RSA 1024"), (SHA1, "signed with sha1WithRSAEncryption")],
)
def test_names_what_is_weak(certificate: Issued | bytes, text: str) -> None:
    finding = found(WEAK, refused(42, certificate))

    assert text in finding.explanation
    assert finding.certainty is Certainty.LIKELY
    assert "Not ruled out" in finding.explanation


def test_the_signature_of_a_self_signed_certificate_is_not_weak() -> None:
    assert WEAK.check(case(accepted(LEAF, with_sha1(AUTHORITY_RSA)))) is None


# -- revocation -----------------------------------------------------------------------------------------------------


def stapled(value: Handshake, *, revoked: bool) -> Handshake:
    """The same handshake with a CertificateStatus message of TLS 1.2."""
    message = CertificateStatus(ocsp_response(LEAF, ROOT, revoked=revoked))
    event = Event(side=Side.SERVER, time_ns=STARTED_NS, frames=(6,), message=message)
    return elsewhere(value, events=(*value.events, event))


def test_a_stapled_response_shows_the_revocation() -> None:
    finding = found(REVOKED, stapled(refused(46, LEAF), revoked=True))

    assert (finding.certainty, finding.severity) == (Certainty.SHOWN, Severity.ERROR)
    assert "was revoked at 2026-01-01 00:00:00Z (keyCompromise)" in finding.explanation


def test_a_stapled_response_of_tls13_stands_in_the_entry() -> None:
    staple = Extension(ext.STATUS_REQUEST, b"", ocsp_response(LEAF, ROOT, revoked=True))
    message = CertificateMessage(entries=(CertificateEntry(LEAF.der, (staple,)),))

    assert severity(REVOKED, handshake(server_certificates=message)) is Severity.WARNING


def test_a_good_response_says_nothing() -> None:
    assert REVOKED.check(case(stapled(accepted(LEAF), revoked=False))) is None


def test_a_revocation_explains_the_refusal_so_that_trust_is_not_doubted() -> None:
    assert UNTRUSTED.check(case(stapled(refused(42, LEAF), revoked=True))) is None


def test_the_client_states_the_revocation() -> None:
    assert found(REVOKED, refused(44, LEAF)).certainty is Certainty.STATED
