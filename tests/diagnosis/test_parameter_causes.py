"""The causes of the stage parameters that say why nothing was in common: fires, near misses, pairs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.handshakes import (
    STARTED_NS,
    TLS12,
    TLS13,
    client_hello,
    elsewhere,
    handshake,
    rejected,
    server_hello,
    tls13,
)
from tests.support.offers import (
    CIPHER,
    ECDSA_SCHEMES,
    GROUP,
    MISSING,
    NO_OVERLAP,
    REFUSED,
    RSA_SCHEMES,
    SIGNATURE,
    TLS10,
    TLS11,
    UNUSUAL,
    VERSION,
    case,
    first,
    found,
    ordinary,
    ordinary12,
    refused,
    without,
)
from tlsinspect.diagnosis.rule import Cause, Certainty
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

# -- handshake_failure right after the hello ------------------------------------------------------------------------


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
