"""hello-retry, fallback-detected and renegotiation-legacy: where each fires, where it must not, and pairs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.client_auth import case, events_of
from tests.support.handshakes import (
    STARTED_NS,
    TLS12,
    TLS13,
    alert_seen,
    client_hello,
    elsewhere,
    handshake,
    rejected,
    server_hello,
    tls13,
)
from tlsinspect.diagnosis.causes import fallback_detected, hello_retry, renegotiation_legacy
from tlsinspect.diagnosis.rule import Cause, Certainty, Finding, Severity
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import Alert, Extension, ServerHello
from tlsinspect.tls import extensions as ext

RETRY = hello_retry.CAUSE
FALLBACK = fallback_detected.CAUSE
RENEGOTIATION = renegotiation_legacy.CAUSE
SECP256R1 = 0x0017


def found(cause: Cause, value: Handshake) -> Finding:
    finding = cause.check(case(value))
    assert finding is not None
    return finding


def severity(cause: Cause, finding: Finding) -> Severity:
    return cause.severity if finding.severity is None else finding.severity


def of_pair(cause: Cause, left: Handshake, right: Handshake) -> Finding | None:
    assert cause.compare is not None
    return cause.compare(case(left), case(elsewhere(right, capture="curl.pcap")))


# -- hello-retry ----------------------------------------------------------------------------------------------------

ASKED = server_hello(TLS13, hello_retry_request=True, extensions=(Extension(ext.KEY_SHARE, b"", SECP256R1),))
RETRIED = {"client_hellos": (client_hello(), client_hello(key_share_groups=(SECP256R1,)))}


def test_a_hello_retry_request_is_a_remark_with_the_groups() -> None:
    finding = found(RETRY, tls13(hello_retry_request=ASKED, **RETRIED))

    assert severity(RETRY, finding) is Severity.INFO
    assert "x25519" in finding.explanation
    assert "secp256r1" in finding.explanation


def test_a_hello_retry_request_for_the_cookie_alone_names_no_group() -> None:
    cookie = server_hello(TLS13, hello_retry_request=True, extensions=())

    assert "a second ClientHello" in found(RETRY, tls13(hello_retry_request=cookie, **RETRIED)).explanation


def test_a_handshake_without_a_hello_retry_request_has_no_remark() -> None:
    assert RETRY.check(case(tls13())) is None
    assert RETRY.check(case(tls13(hello_retry_request=Missing.LOST))) is None


def test_a_client_that_refuses_the_hello_retry_request_states_it() -> None:
    finding = found(RETRY, rejected(47, Side.CLIENT, hello_retry_request=ASKED))

    assert (severity(RETRY, finding), finding.certainty) == (Severity.ERROR, Certainty.STATED)


def test_an_alert_after_the_second_hello_is_not_about_the_retry() -> None:
    finding = found(RETRY, rejected(40, Side.CLIENT, hello_retry_request=ASKED, **RETRIED))

    assert severity(RETRY, finding) is Severity.INFO


def test_a_pair_names_the_side_that_had_to_retry() -> None:
    finding = of_pair(RETRY, tls13(hello_retry_request=ASKED, **RETRIED), tls13())

    assert finding is not None
    assert finding.side == "left"


# -- fallback-detected ----------------------------------------------------------------------------------------------


def marked(sentinel: bytes, version: int = TLS12) -> ServerHello:
    return server_hello(version, random=bytes(24) + sentinel)


def test_inappropriate_fallback_is_stated() -> None:
    hello = client_hello(supported_versions=None, cipher_suites=(0xC02F, 0x5600))

    finding = found(FALLBACK, rejected(86, client_hellos=(hello,)))

    assert finding.certainty is Certainty.STATED
    assert "TLS_FALLBACK_SCSV" in finding.explanation


def test_the_downgrade_mark_and_the_refusal_of_the_client_are_shown() -> None:
    finding = found(FALLBACK, rejected(47, Side.CLIENT, server_hello=marked(b"DOWNGRD\x01")))

    assert (severity(FALLBACK, finding), finding.certainty) == (Severity.ERROR, Certainty.SHOWN)


def test_the_downgrade_mark_that_the_client_does_not_mind_is_a_warning() -> None:
    finding = found(FALLBACK, handshake(server_hello=marked(b"DOWNGRD\x01")))

    assert severity(FALLBACK, finding) is Severity.WARNING


def test_the_mark_below_tls12_counts_for_a_client_that_offers_tls12() -> None:
    hello = client_hello(supported_versions=None)
    value = rejected(47, Side.CLIENT, client_hellos=(hello,), server_hello=marked(b"DOWNGRD\x00", 0x0301))

    assert severity(FALLBACK, found(FALLBACK, value)) is Severity.ERROR


def test_the_mark_is_right_for_a_client_that_offers_no_tls13() -> None:
    hello = client_hello(supported_versions=None)

    assert FALLBACK.check(case(handshake(client_hellos=(hello,), server_hello=marked(b"DOWNGRD\x01")))) is None


def test_illegal_parameter_without_the_mark_is_something_else() -> None:
    assert FALLBACK.check(case(rejected(47, Side.CLIENT, server_hello=server_hello()))) is None


def test_a_pair_names_the_side_that_fell_back() -> None:
    finding = of_pair(FALLBACK, handshake(), rejected(86))

    assert finding is not None
    assert finding.side == "right"


# -- renegotiation-legacy -------------------------------------------------------------------------------------------

INSISTS = client_hello(cipher_suites=(0xC02F, 0x00FF))
SECURE = server_hello(extensions=(Extension(ext.RENEGOTIATION_INFO, b"\0", b""),))


def after_server_hello(**overrides: Any) -> Handshake:
    """The client refuses the ServerHello."""
    return rejected(
        40,
        Side.CLIENT,
        **(
            {"client_hellos": (INSISTS,), "server_hello": server_hello(), "client_certificates": Missing.NOT_SENT}
            | overrides
        ),
    )


def test_a_client_that_insists_on_secure_renegotiation_ends_the_handshake() -> None:
    finding = found(RENEGOTIATION, after_server_hello())

    assert (severity(RENEGOTIATION, finding), finding.certainty) == (Severity.ERROR, Certainty.SHOWN)


def test_a_server_without_secure_renegotiation_that_is_accepted_is_a_warning() -> None:
    assert severity(RENEGOTIATION, found(RENEGOTIATION, handshake(client_hellos=(INSISTS,)))) is Severity.WARNING


@pytest.mark.parametrize(
    "value",
    [
        after_server_hello(server_hello=SECURE),
        handshake(client_hellos=(INSISTS,), server_hello=SECURE),
        handshake(),  # the client did not offer it
        tls13(client_hellos=(INSISTS,)),
        rejected(40, Side.SERVER, client_hellos=(INSISTS,)),
    ],
    ids=["refused for another reason", "answered", "not offered", "tls13", "before the answer"],
)
def test_secure_renegotiation_that_is_there_or_not_due_is_no_cause(value: Handshake) -> None:
    assert RENEGOTIATION.check(case(value)) is None


def test_no_renegotiation_is_stated_with_what_followed() -> None:
    refusal = alert_seen(100, Side.SERVER, level=1, frame=11, time_ns=STARTED_NS)
    end = alert_seen(40, Side.CLIENT, frame=12, time_ns=STARTED_NS + 1)
    value = rejected(
        40,
        Side.CLIENT,
        alerts=(refusal, end),
        events=events_of((Side.SERVER, Alert(1, 100)), (Side.CLIENT, Alert(2, 40))),
    )

    finding = found(RENEGOTIATION, value)

    assert (severity(RENEGOTIATION, finding), finding.certainty) == (Severity.ERROR, Certainty.STATED)
    assert "frame 12" in finding.explanation


def test_no_renegotiation_that_ended_nothing_is_a_warning() -> None:
    refusal = alert_seen(100, Side.CLIENT, level=1)

    assert severity(RENEGOTIATION, found(RENEGOTIATION, handshake(alerts=(refusal,)))) is Severity.WARNING


def test_a_pair_names_the_side_that_insists() -> None:
    finding = of_pair(RENEGOTIATION, after_server_hello(), handshake())

    assert finding is not None
    assert finding.side == "left"
