"""The causes of the stage server-auth: where each fires, the near miss where it must not, and pairs."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.authorities import BEGIN, END, Issued, issue, ocsp_response, rsa_key, with_sha1
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
from tlsinspect.diagnosis.causes import (
    CAUSES,
    server_cert_chain_incomplete,
    server_cert_expired,
    server_cert_name_mismatch,
    server_cert_not_yet_valid,
    server_cert_revoked,
    server_cert_self_signed,
    server_cert_untrusted,
    server_cert_weak,
)
from tlsinspect.diagnosis.engine import diagnose
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Meant, Severity
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Ending, EndingKind, Event, Handshake, Outcome, Resumption
from tlsinspect.model.message import CertificateEntry, CertificateMessage, CertificateStatus, Extension
from tlsinspect.tls import extensions as ext

DAY = datetime.timedelta(days=1)
NAME = "a.example"
ROOT = issue("Test Root")
ISSUING = issue("Test Issuing CA", ROOT)
LEAF = issue(NAME, ROOT, dns_names=[NAME])
BELOW = issue(NAME, ISSUING, dns_names=[NAME])
EXPIRED = issue(NAME, ROOT, dns_names=[NAME], begin=BEGIN, end=BEGIN + DAY)
FUTURE = issue(NAME, ROOT, dns_names=[NAME], begin=END - DAY, end=END)
OTHER_NAME = issue("b.example", ROOT, dns_names=["b.example"])
SELF_SIGNED = issue(NAME, dns_names=[NAME])
SMALL = issue(NAME, ROOT, dns_names=[NAME], key=rsa_key(1024))
AUTHORITY_RSA = issue("Old Root", key=rsa_key(2048))
SHA1 = with_sha1(issue(NAME, AUTHORITY_RSA, dns_names=[NAME]))
FOR_CLIENTS = issue(NAME, ROOT, dns_names=[NAME], usage=ExtendedKeyUsageOID.CLIENT_AUTH)

EXPIRED_CAUSE = server_cert_expired.CAUSE
NOT_YET = server_cert_not_yet_valid.CAUSE
MISMATCH = server_cert_name_mismatch.CAUSE
SELF = server_cert_self_signed.CAUSE
WEAK = server_cert_weak.CAUSE
REVOKED = server_cert_revoked.CAUSE
INCOMPLETE = server_cert_chain_incomplete.CAUSE
UNTRUSTED = server_cert_untrusted.CAUSE
ALL = (EXPIRED_CAUSE, NOT_YET, MISMATCH, SELF, WEAK, REVOKED, INCOMPLETE, UNTRUSTED)


def case(value: Handshake, *, ca: Issued | None = None, **meant: Any) -> Case:
    return Case(handshake=value, meant=Meant(anchors=None if ca is None else (ca.der,), **meant))


def ders(certificates: tuple[Issued | bytes, ...]) -> tuple[bytes, ...]:
    return tuple(each if isinstance(each, bytes) else each.der for each in certificates)


def refused(alert: int, *certificates: Issued | bytes, **overrides: Any) -> Handshake:
    """The client answers the certificate with an alert."""
    message = chain(*ders(certificates)) if certificates else Missing.HIDDEN
    found = {"server_hello": server_hello(), "server_certificates": message} | overrides
    return rejected(alert, Side.CLIENT, **found)


def accepted(*certificates: Issued | bytes, **overrides: Any) -> Handshake:
    return handshake(server_certificates=chain(*ders(certificates)), **overrides)


def left(*certificates: Issued | bytes) -> Handshake:
    """The client completes the handshake and closes without a request."""
    return accepted(*certificates, ending=Ending(EndingKind.FIN, Side.CLIENT, STARTED_NS + 10**7, frame=9))


def hung_up(*certificates: Issued | bytes) -> Handshake:
    """The client closes in the middle of the handshake, without an alert."""
    ending = Ending(EndingKind.FIN, Side.CLIENT, STARTED_NS + 10**7, frame=9)
    return accepted(*certificates, outcome=Outcome.CLOSED, ending=ending)


def found(cause: Cause, value: Handshake | Case) -> Finding:
    finding = cause.check(value if isinstance(value, Case) else case(value))
    assert finding is not None
    return finding


def severity(cause: Cause, value: Handshake) -> Severity:
    finding = found(cause, value)
    return cause.severity if finding.severity is None else finding.severity


def first_error(value: Handshake | Case) -> str | None:
    diagnosis = diagnose(value if isinstance(value, Case) else case(value), CAUSES)
    return next((each.code for each in diagnosis.findings if each.severity is Severity.ERROR), None)


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


# -- trust ----------------------------------------------------------------------------------------------------------


def test_with_the_anchors_given_a_missing_intermediate_is_shown() -> None:
    finding = found(INCOMPLETE, case(refused(48, BELOW), ca=ROOT))

    assert finding.certainty is Certainty.SHOWN
    assert "ends below 'CN=Test Issuing CA'" in finding.explanation


def test_without_anchors_a_missing_intermediate_is_likely_by_its_name() -> None:
    finding = found(INCOMPLETE, refused(48, BELOW))

    assert finding.certainty is Certainty.LIKELY
    assert "Not ruled out: a root that the client does not know" in finding.explanation


def test_with_the_anchors_given_a_whole_chain_means_that_the_client_has_others() -> None:
    value = case(refused(48, BELOW, ISSUING), ca=ROOT)

    assert INCOMPLETE.check(value) is None
    assert "which is among the anchors given with --ca" in found(UNTRUSTED, value).explanation


def test_a_root_that_is_no_anchor_is_untrusted() -> None:
    value = case(refused(48, LEAF, ROOT), ca=ISSUING)

    assert INCOMPLETE.check(value) is None
    assert "ends in the root 'CN=Test Root'" in found(UNTRUSTED, value).explanation


def test_with_the_anchors_given_an_issuer_that_may_be_a_root_is_no_missing_intermediate() -> None:
    strange = issue(NAME, issue("Strange CA"), dns_names=[NAME])
    value = case(refused(48, strange), ca=ROOT)

    assert INCOMPLETE.check(value) is None
    assert "issued by 'CN=Strange CA', which is none of the anchors given" in found(UNTRUSTED, value).explanation


def test_an_issuer_of_the_organization_of_an_anchor_is_a_missing_intermediate() -> None:
    root = issue("Casebook Anchor", organization="Casebook")
    leaf = issue(NAME, issue("Casebook CA 7", root, organization="Casebook"), dns_names=[NAME])

    assert found(INCOMPLETE, case(refused(48, leaf), ca=root)).certainty is Certainty.SHOWN
    assert INCOMPLETE.check(case(refused(48, leaf))) is None


def test_an_issuer_that_calls_itself_a_root_is_no_missing_intermediate() -> None:
    assert INCOMPLETE.check(case(refused(48, LEAF))) is None
    assert INCOMPLETE.check(case(refused(48, LEAF), ca=SELF_SIGNED)) is None


def test_with_the_anchors_given_an_accepted_chain_that_does_not_reach_them_is_a_warning() -> None:
    value = case(accepted(BELOW), ca=ROOT)

    assert found(INCOMPLETE, value).severity is Severity.WARNING
    assert found(UNTRUSTED, case(accepted(LEAF), ca=AUTHORITY_RSA)).severity is Severity.WARNING


def test_a_self_signed_certificate_that_is_an_anchor_is_good() -> None:
    assert SELF.check(case(accepted(SELF_SIGNED), ca=SELF_SIGNED)) is None


def test_an_unknown_authority_and_a_client_that_left_is_a_warning() -> None:
    assert severity(UNTRUSTED, left(LEAF)) is Severity.WARNING
    assert severity(INCOMPLETE, left(BELOW)) is Severity.WARNING


def test_an_extended_key_usage_that_is_not_for_servers_is_named() -> None:
    assert "is clientAuth, without serverAuth" in found(UNTRUSTED, refused(43, FOR_CLIENTS)).explanation


# -- pairs ----------------------------------------------------------------------------------------------------------

PAIRS = [
    (EXPIRED_CAUSE, refused(45, EXPIRED)),
    (NOT_YET, refused(42, FUTURE)),
    (MISMATCH, refused(42, OTHER_NAME)),
    (SELF, refused(48, SELF_SIGNED)),
    (WEAK, refused(42, SMALL)),
    (REVOKED, refused(44, LEAF)),
    (INCOMPLETE, refused(48, BELOW)),
    (UNTRUSTED, refused(48, LEAF)),
]


@pytest.mark.parametrize(("cause", "value"), [pytest.param(*each, id=each[0].code) for each in PAIRS])
def test_the_side_that_was_refused_is_named(cause: Cause, value: Handshake) -> None:
    assert cause.compare is not None
    good = elsewhere(accepted(LEAF), stream=1)

    ours, theirs = cause.compare(case(value), case(good)), cause.compare(case(good), case(value))

    assert ours is not None
    assert theirs is not None
    assert (ours.side, theirs.side) == ("left", "right")
    assert "nginx.pcap#1 completed its handshake." in ours.explanation


@pytest.mark.parametrize("cause", ALL, ids=lambda cause: cause.code)
def test_nothing_is_said_of_two_good_certificates(cause: Cause) -> None:
    assert cause.compare is not None
    assert cause.compare(case(accepted(LEAF)), case(accepted(LEAF))) is None


def test_what_both_accepted_alike_is_a_note() -> None:
    assert EXPIRED_CAUSE.compare is not None

    finding = EXPIRED_CAUSE.compare(case(accepted(EXPIRED)), case(accepted(EXPIRED)))

    assert finding is not None
    assert (finding.severity, finding.side) == (Severity.INFO, "both")


def test_what_one_accepted_and_the_other_hides_is_a_note() -> None:
    assert EXPIRED_CAUSE.compare is not None

    finding = EXPIRED_CAUSE.compare(case(accepted(EXPIRED)), case(tls13()))

    assert finding is not None
    assert finding.severity is Severity.INFO


def test_one_client_refuses_what_the_other_accepts() -> None:
    assert SELF.compare is not None
    other = replace(accepted(SELF_SIGNED), stream=1)

    finding = SELF.compare(case(refused(48, SELF_SIGNED)), case(other))

    assert finding is not None
    assert (finding.severity, finding.side) == (Severity.ERROR, "left")
    assert finding.explanation.endswith("completed its handshake, with a certificate of the same fault.")
