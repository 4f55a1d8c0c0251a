"""The causes of the stage server-auth: whom a client trusts, and pairs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.authorities import issue
from tests.support.handshakes import (
    elsewhere,
    tls13,
)
from tests.support.server_certificates import (
    ALL,
    AUTHORITY_RSA,
    BELOW,
    EXPIRED,
    EXPIRED_CAUSE,
    FOR_CLIENTS,
    FUTURE,
    INCOMPLETE,
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
    SMALL,
    UNTRUSTED,
    WEAK,
    accepted,
    case,
    found,
    hung_up,
    left,
    refused,
    severity,
)
from tlsinspect.diagnosis.rule import Cause, Certainty, Severity
from tlsinspect.model.handshake import Handshake

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


def test_words_outside_of_the_common_name_make_no_intermediate() -> None:
    authority = issue("Old Certification Authority", organization="Secure Signing")
    leaf = issue(NAME, authority, dns_names=[NAME])

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

PLAIN = issue("Server CA 1", ROOT)
PLAIN_NAMED = issue(NAME, PLAIN, dns_names=[NAME])
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


def test_a_client_that_left_where_the_other_went_on_with_another_certificate_is_an_error() -> None:
    assert UNTRUSTED.compare is not None

    finding = UNTRUSTED.compare(case(hung_up(LEAF)), case(elsewhere(accepted(BELOW, ISSUING), stream=1)))

    assert finding is not None
    assert (finding.severity, finding.certainty, finding.side) == (Severity.ERROR, Certainty.LIKELY, "left")


def test_a_client_that_left_where_the_other_went_on_with_the_same_certificate_is_no_error() -> None:
    assert UNTRUSTED.compare is not None

    finding = UNTRUSTED.compare(case(hung_up(LEAF)), case(elsewhere(accepted(LEAF), stream=1)))

    assert finding is not None
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize("went", [refused(48, PLAIN_NAMED), hung_up(PLAIN_NAMED)], ids=["refused", "left"])
def test_an_intermediate_that_the_other_was_sent_is_missing_whatever_its_name(went: Handshake) -> None:
    assert INCOMPLETE.compare is not None
    assert INCOMPLETE.check(case(went)) is None
    whole = elsewhere(accepted(PLAIN_NAMED, PLAIN), stream=1)

    finding = INCOMPLETE.compare(case(whole), case(went))

    assert finding is not None
    assert (finding.severity, finding.certainty, finding.side) == (None, Certainty.SHOWN, "right")
    assert "ends below 'CN=Server CA 1'" in finding.explanation


def test_a_root_that_the_other_was_sent_is_no_missing_intermediate() -> None:
    assert INCOMPLETE.compare is not None
    assert INCOMPLETE.compare(case(refused(48, LEAF)), case(elsewhere(accepted(LEAF, ROOT), stream=1))) is None
