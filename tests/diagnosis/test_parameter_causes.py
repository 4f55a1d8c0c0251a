"""The causes of the stage parameters that say why nothing was in common: fires, near misses, pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.authorities import issue
from tests.support.handshakes import (
    STARTED_NS,
    TLS12,
    TLS13,
    alert_seen,
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
    cipher_different,
    cipher_no_overlap,
    extension_missing,
    extension_refused,
    group_no_overlap,
    signature_no_overlap,
    version_different,
    version_no_overlap,
)
from tlsinspect.diagnosis.engine import diagnose
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity
from tlsinspect.model.frame import Defect, Missing, Side
from tlsinspect.model.handshake import Ending, EndingKind, Event, Handshake, Outcome, Visibility
from tlsinspect.model.message import (
    ClientHello,
    EncryptedExtensions,
    EncryptedRecord,
    Extension,
    KeyShare,
    ServerHello,
    ServerKeyExchange,
)
from tlsinspect.tls import extensions as ext

VERSION, CIPHER = version_no_overlap.CAUSE, cipher_no_overlap.CAUSE
GROUP, SIGNATURE = group_no_overlap.CAUSE, signature_no_overlap.CAUSE
MISSING, REFUSED = extension_missing.CAUSE, extension_refused.CAUSE
NO_OVERLAP = (VERSION, CIPHER, GROUP, SIGNATURE)
TLS10, TLS11 = 0x0301, 0x0302

# What OpenSSL, Go and others offer when nobody narrows it, in short.
SUITES12 = (0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC009, 0xC013, 0x009C)
SUITES13 = (0x1301, 0x1302, 0x1303)
GROUPS = (0x001D, 0x0017, 0x0018)
SCHEMES = (0x0403, 0x0503, 0x0804, 0x0805, 0x0401, 0x0501)
ECDSA_SCHEMES, RSA_SCHEMES = (0x0403, 0x0503), (0x0804, 0x0805, 0x0401, 0x0501)


def ordinary(**overrides: Any) -> ClientHello:
    found = {
        "cipher_suites": (*SUITES13, *SUITES12),
        "supported_groups": GROUPS,
        "signature_algorithms": SCHEMES,
    } | overrides
    return client_hello(**found)


def ordinary12(**overrides: Any) -> ClientHello:
    return ordinary(**({"supported_versions": None, "cipher_suites": SUITES12} | overrides))


def case(value: Handshake) -> Case:
    return Case(handshake=value)


def refused(hello: ClientHello, alert: int = 40, **overrides: Any) -> Handshake:
    """The server answers the hello with an alert."""
    return rejected(alert, client_hellos=(hello,), **overrides)


def found(cause: Cause, value: Handshake) -> Finding:
    finding = cause.check(case(value))
    assert finding is not None
    return finding


def first(value: Handshake) -> str | None:
    findings = diagnose(case(value), CAUSES).findings
    return findings[0].code if findings else None


# -- handshake_failure right after the hello ------------------------------------------------------------------------

UNUSUAL = [
    pytest.param(ordinary12(legacy_version=TLS11, cipher_suites=(0xC009, 0xC013, 0x002F)), VERSION, id="TLS 1.1"),
    pytest.param(ordinary12(cipher_suites=(0x009E, 0x00FF)), CIPHER, id="one suite"),
    pytest.param(ordinary12(cipher_suites=(0xC009, 0xC013, 0xC00A, 0xC014, 0x002F)), CIPHER, id="CBC alone"),
    pytest.param(ordinary12(cipher_suites=(0x009C, 0x009D, 0x002F, 0x0035)), CIPHER, id="static RSA alone"),
    pytest.param(ordinary12(cipher_suites=(0x009E, 0x009F, 0x0033, 0x0039)), CIPHER, id="DHE alone"),
    pytest.param(ordinary12(cipher_suites=(0xC02B, 0xC02C, 0xCCA9, 0xC009)), CIPHER, id="ECDSA alone"),
    pytest.param(ordinary12(cipher_suites=SUITES13), CIPHER, id="suites of TLS 1.3 without TLS 1.3"),
    pytest.param(ordinary(cipher_suites=(0x1303,), supported_versions=(TLS13,)), CIPHER, id="one suite of TLS 1.3"),
    pytest.param(ordinary(supported_groups=(0x001D,)), GROUP, id="one group"),
    pytest.param(ordinary(supported_groups=(0x001A, 0x001B)), GROUP, id="Brainpool alone"),
    pytest.param(ordinary12(supported_groups=(0x0018,)), GROUP, id="one group in TLS 1.2"),
    pytest.param(ordinary(signature_algorithms=ECDSA_SCHEMES), SIGNATURE, id="ECDSA signatures alone"),
    pytest.param(ordinary12(signature_algorithms=RSA_SCHEMES), SIGNATURE, id="RSA signatures alone"),
    pytest.param(ordinary12(signature_algorithms=(0x0201, 0x0203)), SIGNATURE, id="SHA-1 alone"),
]


@pytest.mark.parametrize("alert", [40, 71])
@pytest.mark.parametrize(("hello", "cause"), UNUSUAL)
def test_the_most_unusual_part_of_the_offer_is_likely(hello: ClientHello, cause: Cause, alert: int) -> None:
    value = refused(hello, alert)

    assert [each.code for each in NO_OVERLAP if each.check(case(value))] == [cause.code]
    assert found(cause, value).certainty is Certainty.LIKELY
    assert "Not ruled out" in found(cause, value).explanation
    assert first(value) == cause.code


@pytest.mark.parametrize("hello", [ordinary(), ordinary12()])
@pytest.mark.parametrize("cause", NO_OVERLAP, ids=lambda cause: cause.code)
def test_nothing_is_said_of_an_ordinary_offer(cause: Cause, hello: ClientHello) -> None:
    assert cause.check(case(refused(hello))) is None


@pytest.mark.parametrize(("hello", "cause"), UNUSUAL)
def test_nothing_is_said_of_an_unusual_offer_that_was_accepted(hello: ClientHello, cause: Cause) -> None:
    assert cause.check(case(handshake(client_hellos=(hello,)))) is None


@pytest.mark.parametrize(("hello", "cause"), UNUSUAL)
def test_an_alert_that_names_something_else_is_not_about_the_offer(hello: ClientHello, cause: Cause) -> None:
    assert cause.check(case(refused(hello, 112))) is None


@pytest.mark.parametrize(("hello", "cause"), UNUSUAL)
def test_nothing_is_said_of_a_hello_that_is_cut(hello: ClientHello, cause: Cause) -> None:
    cut = replace(hello, defect=Defect("client_hello.extensions", "extensions says 119 octets, 60 remain"))

    assert cause.check(case(refused(cut))) is None


def test_what_else_is_unusual_is_not_ruled_out() -> None:
    hello = ordinary12(cipher_suites=(0xC02B,), signature_algorithms=ECDSA_SCHEMES)

    finding = found(CIPHER, refused(hello))

    assert "the client accepts signatures of ECDSA certificates alone" in finding.explanation


def test_a_missing_name_explains_more_than_an_offer_that_is_hardly_unusual() -> None:
    hello = ordinary12(server_name=None, signature_algorithms=RSA_SCHEMES)

    assert SIGNATURE.check(case(refused(hello))) is None


def test_insufficient_security_over_an_ordinary_offer_speaks_of_its_strength() -> None:
    assert "wants stronger parameters" in found(CIPHER, refused(ordinary(), 71)).explanation


def test_a_group_does_not_matter_where_no_suite_needs_one() -> None:
    hello = ordinary12(cipher_suites=(0x009C, 0x009D, 0x002F, 0x0035), supported_groups=(0x0100,))

    assert GROUP.check(case(refused(hello))) is None


def test_a_hello_retry_request_means_that_a_group_was_found() -> None:
    retry = server_hello(TLS13, hello_retry_request=True)

    assert GROUP.check(case(refused(ordinary(supported_groups=(0x001D,)), hello_retry_request=retry))) is None


# -- versions -------------------------------------------------------------------------------------------------------


def test_the_server_states_that_it_has_no_such_version() -> None:
    finding = found(VERSION, refused(ordinary12(), 70))

    assert finding.certainty is Certainty.STATED
    assert "offers nothing above TLS 1.2 (frame 4), and the server answered with" in finding.explanation


def test_the_offer_of_supported_versions_is_told() -> None:
    assert "offers TLS 1.3, TLS 1.2" in found(VERSION, refused(ordinary(), 70)).explanation


def test_openssl_says_internal_error_to_versions_that_need_sha1() -> None:
    value = refused(ordinary12(legacy_version=TLS11, cipher_suites=(0xC009, 0xC013, 0x002F)), 80)

    assert found(VERSION, value).certainty is Certainty.LIKELY
    assert first(value) == "version-no-overlap"
    assert VERSION.check(case(refused(ordinary12(), 80))) is None


def test_tls13_alone_is_likely_what_was_refused_where_nothing_else_is_unusual() -> None:
    hello = ordinary(supported_versions=(0x1A1A, TLS13))

    assert found(VERSION, refused(hello)).certainty is Certainty.LIKELY


def test_a_hello_that_is_not_in_the_capture_is_not_told() -> None:
    value = rejected(70, client_hellos=(), no_client_hello=Missing.LOST, events=())

    assert "cannot be seen" in found(VERSION, value).explanation


def test_the_client_refuses_an_older_version_than_it_wants() -> None:
    value = rejected(70, Side.CLIENT, server_hello=server_hello(TLS11))

    finding = found(VERSION, value)

    assert finding.certainty is Certainty.STATED
    assert "The server chose TLS 1.1" in finding.explanation
    assert "client_alert" in finding.evidence


# -- groups ---------------------------------------------------------------------------------------------------------


def test_java_says_unexpected_message_for_want_of_a_group() -> None:
    assert found(GROUP, refused(ordinary(supported_groups=(0x0018,)), 10)).certainty is Certainty.LIKELY
    assert GROUP.check(case(refused(ordinary(), 10))) is None


@pytest.mark.parametrize(("bits", "fires"), [(1024, True), (2048, False)])
def test_a_small_diffie_hellman_group_that_the_client_refused(bits: int, fires: bool) -> None:
    value = rejected(
        40, Side.CLIENT, server_hello=server_hello(), server_key_exchange=ServerKeyExchange(dh_prime_bits=bits)
    )

    assert (GROUP.check(case(value)) is not None) is fires


# -- signatures -----------------------------------------------------------------------------------------------------


def test_the_server_signed_with_what_was_not_offered() -> None:
    exchange = ServerKeyExchange(named_group=0x17, signature_algorithm=0x0201)
    value = rejected(
        47, Side.CLIENT, client_hellos=(ordinary12(),), server_hello=server_hello(), server_key_exchange=exchange
    )

    finding = found(SIGNATURE, value)

    assert finding.certainty is Certainty.SHOWN
    assert "rsa_pkcs1_sha1" in finding.explanation


def test_the_client_refuses_the_signatures_of_tls10() -> None:
    exchange = ServerKeyExchange(named_group=0x17)
    value = rejected(80, Side.CLIENT, server_hello=server_hello(TLS10), server_key_exchange=exchange)

    assert found(SIGNATURE, value).certainty is Certainty.LIKELY
    assert SIGNATURE.check(case(replace(value, server_hello=server_hello(TLS12)))) is None


def after_server_hello(hello: ClientHello, *octets: int) -> Handshake:
    """TLS 1.3 without keys: the server sends records of these sizes after its ServerHello and closes."""
    ending = Ending(EndingKind.FIN, Side.SERVER, STARTED_NS + 10**7, frame=9)
    value = tls13(client_hellos=(hello,), outcome=Outcome.CLOSED, ending=ending)
    records = tuple(
        Event(side=Side.SERVER, time_ns=STARTED_NS + 10**7, frames=(8,), message=EncryptedRecord(23, size))
        for size in octets
    )
    return elsewhere(value, events=(*value.events, *records))


@pytest.mark.parametrize("sizes", [(19,), (59, 35)])
def test_a_server_that_stops_before_its_certificate_has_none_that_fits(sizes: tuple[int, ...]) -> None:
    value = after_server_hello(ordinary(signature_algorithms=ECDSA_SCHEMES), *sizes)

    assert found(SIGNATURE, value).certainty is Certainty.LIKELY
    assert SIGNATURE.check(case(after_server_hello(ordinary(), *sizes))) is None


def test_a_server_that_sent_its_certificate_found_one() -> None:
    value = after_server_hello(ordinary(signature_algorithms=ECDSA_SCHEMES), 27, 739, 95, 53, 19)

    assert SIGNATURE.check(case(value)) is None


# -- extensions -----------------------------------------------------------------------------------------------------


def without(hello: ClientHello, *kinds: int) -> ClientHello:
    return replace(hello, extensions=tuple(each for each in hello.extensions if each.type not in kinds))


def test_the_missing_extensions_are_named() -> None:
    finding = found(MISSING, refused(without(ordinary(), ext.SUPPORTED_GROUPS, ext.KEY_SHARE), 109))

    assert finding.certainty is Certainty.STATED
    assert "has no supported_groups and no key_share" in finding.explanation


def test_an_extension_that_no_rule_demands_is_not_guessed() -> None:
    assert "it must be another extension" in found(MISSING, refused(ordinary(), 109)).explanation


def test_what_lies_behind_a_cut_is_not_called_missing() -> None:
    cut = replace(without(ordinary(), ext.KEY_SHARE), defect=Defect("client_hello.extensions", "cut"))

    assert "cannot be seen to its end" in found(MISSING, refused(cut, 109)).explanation


def test_a_hello_without_key_share_that_got_another_alert_is_not_judged() -> None:
    assert MISSING.check(case(refused(without(ordinary(), ext.KEY_SHARE), 40))) is None


def test_an_extension_that_was_not_offered_is_named() -> None:
    answer = server_hello(extensions=(Extension(ext.HEARTBEAT, b"\1"),))

    finding = found(REFUSED, rejected(110, Side.CLIENT, server_hello=answer))

    assert "the server sent heartbeat, which the client did not offer" in finding.explanation


def test_the_signalling_suite_asks_for_renegotiation_info() -> None:
    hello = client_hello(cipher_suites=(0xC02F, 0x00FF))
    answer = server_hello(extensions=(Extension(ext.RENEGOTIATION_INFO, b"\0"),))

    finding = found(REFUSED, rejected(110, Side.CLIENT, client_hellos=(hello,), server_hello=answer))

    assert "renegotiation_info" not in finding.explanation


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (server_hello(TLS13, legacy_session_id_echo=b"x"), "did not echo the client's legacy_session_id"),
        (server_hello(cipher_suite=0x009C), "chose TLS_RSA_WITH_AES_128_GCM_SHA256, which the client did not offer"),
        (
            server_hello(
                TLS13,
                legacy_session_id_echo=b"",
                extensions=(
                    Extension(ext.SUPPORTED_VERSIONS, b"", TLS13),
                    Extension(ext.KEY_SHARE, b"", KeyShare(0x18, 97)),
                ),
            ),
            "chose the group secp384r1",
        ),
    ],
)
def test_a_value_that_does_not_answer_the_hello_is_named(answer: ServerHello, text: str) -> None:
    assert text in found(REFUSED, rejected(47, Side.CLIENT, server_hello=answer)).explanation


def test_an_extension_hidden_in_encrypted_extensions_is_named() -> None:
    answer = server_hello(TLS13, legacy_session_id_echo=b"")
    more = EncryptedExtensions(extensions=(Extension(ext.HEARTBEAT, b"\1"),))
    value = rejected(110, Side.CLIENT, server_hello=answer, encrypted_extensions=more, visibility=Visibility.DECRYPTED)

    assert "heartbeat" in found(REFUSED, value).explanation


def test_a_malformed_extension_of_the_client_is_named() -> None:
    bad = Extension(ext.ALPN, b"\0", None, Defect("client_hello.extensions.alpn", "2 octets are wanted, 1 remains"))
    hello = replace(ordinary(), extensions=(*without(ordinary(), ext.ALPN).extensions, bad))

    assert "2 octets are wanted, 1 remains" in found(REFUSED, refused(hello, 50)).explanation


def test_an_illegal_parameter_that_cannot_be_seen_is_not_guessed() -> None:
    assert "which, the alert does not say" in found(REFUSED, refused(ordinary(), 47)).explanation


def test_a_client_that_fails_to_decode_something_later_is_not_about_the_hello() -> None:
    assert REFUSED.check(case(rejected(50, Side.CLIENT, server_hello=server_hello()))) is None


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
