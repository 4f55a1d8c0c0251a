"""The causes of the stage parameters in pairs, and the two that need one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.authorities import issue
from tests.support.handshakes import (
    STARTED_NS,
    alert_seen,
    chain,
    handshake,
    server_hello,
    tls13,
)
from tests.support.offers import (
    CIPHER,
    GROUP,
    MISSING,
    NO_OVERLAP,
    REFUSED,
    SIGNATURE,
    SUITES12,
    UNUSUAL,
    case,
    ordinary,
    ordinary12,
    refused,
    without,
)
from tlsinspect.diagnosis.causes import (
    CAUSES,
    cipher_different,
    cipher_no_overlap,
    fingerprint_different,
    group_no_overlap,
    signature_no_overlap,
    version_different,
)
from tlsinspect.diagnosis.engine import explain
from tlsinspect.diagnosis.rule import Cause, Certainty, Severity
from tlsinspect.model.frame import Defect, Side
from tlsinspect.model.handshake import Ending, EndingKind, Handshake, Outcome
from tlsinspect.model.message import (
    ClientHello,
    ServerKeyExchange,
)
from tlsinspect.tls import extensions as ext

# -- pairs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hello", "cause"), UNUSUAL)
def test_the_side_with_the_unusual_offer_is_named(hello: ClientHello, cause: Cause) -> None:
    assert cause.compare is not None
    bad, good = refused(hello), handshake(client_hellos=(ordinary(),), stream=1)

    ours, theirs = cause.compare(case(bad), case(good)), cause.compare(case(good), case(bad))

    assert ours is not None
    assert theirs is not None
    assert (ours.side, theirs.side) == ("left", "right")


@pytest.mark.parametrize("cause", [*NO_OVERLAP, MISSING, REFUSED], ids=lambda cause: cause.code)
def test_nothing_is_said_of_two_that_completed(cause: Cause) -> None:
    assert cause.compare is not None
    assert cause.compare(case(handshake()), case(tls13())) is None


def test_a_suite_that_the_server_chose_for_the_other_is_what_is_missing() -> None:
    hello = ordinary12(cipher_suites=(0xC02B, 0xC02F, 0x009C, 0x002F))
    good = handshake(client_hellos=(ordinary12(),), server_hello=server_hello(cipher_suite=0xC030), stream=1)

    finding = cipher_no_overlap.compare(case(refused(hello)), case(good))

    assert finding is not None
    assert (finding.side, finding.certainty) == ("left", Certainty.LIKELY)
    assert "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" in finding.explanation


def test_a_group_that_the_server_chose_for_the_other_is_what_is_missing() -> None:
    exchange = ServerKeyExchange(named_group=0x0018, signature_algorithm=0x0403)
    good = handshake(client_hellos=(ordinary12(),), server_key_exchange=exchange)

    finding = group_no_overlap.compare(case(good), case(refused(ordinary12(supported_groups=(0x001D, 0x0017)))))

    assert finding is not None
    assert finding.side == "right"
    assert "secp384r1" in finding.explanation


def test_a_signature_that_the_other_got_is_what_is_missing() -> None:
    exchange = ServerKeyExchange(named_group=0x0017, signature_algorithm=0x0501)
    leaf = issue("a.example", dns_names=["a.example"])
    good = handshake(client_hellos=(ordinary12(),), server_key_exchange=exchange, server_certificates=chain(leaf.der))
    hello = ordinary12(signature_algorithms=(0x0403, 0x0804, 0x0401))

    finding = signature_no_overlap.compare(case(refused(hello)), case(good))

    assert finding is not None
    assert "rsa_pkcs1_sha384 with a certificate of ECDSA P-256" in finding.explanation


@pytest.mark.parametrize("cause", [CIPHER, GROUP, SIGNATURE], ids=lambda cause: cause.code)
def test_another_server_name_explains_more_than_the_choice_for_the_other(cause: Cause) -> None:
    assert cause.compare is not None
    exchange = ServerKeyExchange(named_group=0x0018, signature_algorithm=0x0501)
    good = handshake(server_hello=server_hello(cipher_suite=0xC030), server_key_exchange=exchange)
    bad = refused(ordinary12(server_name="b.example", cipher_suites=(*SUITES12[:3], 0x009C), supported_groups=(29, 23)))

    assert cause.compare(case(bad), case(good)) is None


def test_a_fingerprint_is_not_blamed_beside_what_the_server_cannot_have_in_common() -> None:
    hello = ordinary12(cipher_suites=(0xC02B, 0xC02F, 0x009C, 0x002F))
    good = handshake(client_hellos=(ordinary12(),), server_hello=server_hello(cipher_suite=0xC030), stream=1)
    left, right = case(refused(hello)), case(good)

    found = explain(left, right, CAUSES).findings

    assert fingerprint_different.CAUSE.compare(left, right) is not None
    assert [each.code for each in found if each.severity is Severity.ERROR] == ["cipher-no-overlap"]


# -- version-different and cipher-different -------------------------------------------------------------------------


def test_the_versions_chosen_are_a_warning_and_the_suites_follow() -> None:
    left = case(handshake(client_hellos=(ordinary12(),)))
    right = case(tls13(client_hellos=(ordinary(),), stream=1))

    version, cipher = version_different.compare(left, right), cipher_different.compare(left, right)

    assert version is not None
    assert cipher is not None
    assert (version.severity, version.certainty, version.side) == (Severity.WARNING, Certainty.SHOWN, "both")
    assert cipher.severity is Severity.INFO
    assert "chose TLS 1.2 for the one and TLS 1.3 for the other as the offers differ" in version.explanation


def test_offers_of_versions_that_led_to_the_same_are_a_note() -> None:
    left = case(handshake(client_hellos=(ordinary12(),)))
    right = case(handshake(client_hellos=(ordinary(),)))

    finding = version_different.compare(left, right)

    assert finding is not None
    assert finding.severity is Severity.INFO


def test_equal_versions_are_not_told() -> None:
    assert version_different.compare(case(handshake()), case(handshake())) is None


def test_versions_of_a_hello_that_is_cut_are_not_compared() -> None:
    cut = without(replace(ordinary(), defect=Defect("client_hello.extensions", "cut")), ext.SUPPORTED_VERSIONS)

    assert version_different.compare(case(handshake()), case(handshake(client_hellos=(cut,)))) is None


def closed_at_hello(hello: ClientHello, **overrides: Any) -> Handshake:
    ending = Ending(EndingKind.FIN, Side.SERVER, STARTED_NS + 10**7, frame=6)
    return refused(hello, alerts=(), outcome=Outcome.CLOSED, ending=ending, **overrides)


def test_a_server_that_closes_at_an_old_version_alone_is_likely_about_that() -> None:
    bad = closed_at_hello(ordinary12())

    finding = version_different.compare(case(bad), case(tls13(client_hellos=(ordinary(),))))

    assert finding is not None
    assert (finding.severity, finding.side, finding.certainty) == (None, "left", Certainty.LIKELY)


def test_a_version_is_not_blamed_where_the_server_chose_one_that_both_offer() -> None:
    bad = closed_at_hello(ordinary12())

    finding = version_different.compare(case(bad), case(handshake(client_hellos=(ordinary(),))))

    assert finding is not None
    assert finding.severity is Severity.INFO


def test_a_version_is_not_blamed_where_the_names_differ() -> None:
    bad = closed_at_hello(ordinary12(server_name=None))

    finding = version_different.compare(case(bad), case(tls13(client_hellos=(ordinary(),))))

    assert finding is not None
    assert finding.severity is Severity.INFO


def test_suites_chosen_otherwise_are_a_warning() -> None:
    left = case(handshake(client_hellos=(ordinary12(),)))
    right = case(handshake(client_hellos=(ordinary12(),), server_hello=server_hello(cipher_suite=0xC030)))

    finding = cipher_different.compare(left, right)

    assert finding is not None
    assert finding.severity is Severity.WARNING
    assert "Both clients offer the same 9 cipher suites" in finding.explanation


def test_suites_offered_in_another_order_are_a_note() -> None:
    other = ordinary12(cipher_suites=SUITES12[::-1])

    finding = cipher_different.compare(
        case(handshake(client_hellos=(ordinary12(),))), case(handshake(client_hellos=(other,)))
    )

    assert finding is not None
    assert finding.severity is Severity.INFO
    assert "in another order" in finding.explanation


def test_grease_and_signals_are_no_difference_of_suites() -> None:
    other = ordinary12(cipher_suites=(0x1A1A, *SUITES12, 0x00FF))

    assert (
        cipher_different.compare(
            case(handshake(client_hellos=(ordinary12(),))), case(handshake(client_hellos=(other,)))
        )
        is None
    )


def test_suites_are_to_blame_where_nothing_else_differs() -> None:
    bad = closed_at_hello(ordinary12(cipher_suites=SUITES12[:6]))

    finding = cipher_different.compare(case(bad), case(handshake(client_hellos=(ordinary12(),))))

    assert finding is not None
    assert (finding.severity, finding.side) == (None, "left")


def test_suites_are_not_to_blame_where_other_things_differ_too() -> None:
    bad = closed_at_hello(ordinary12(cipher_suites=SUITES12[:6], alpn=("h3",)))

    finding = cipher_different.compare(case(bad), case(handshake(client_hellos=(ordinary12(),))))

    assert finding is not None
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize("module", [version_different, cipher_different])
def test_one_handshake_alone_differs_from_nothing(module: Any) -> None:
    assert module.CAUSE.check(case(refused(ordinary12(), alerts=(alert_seen(40),)))) is None
