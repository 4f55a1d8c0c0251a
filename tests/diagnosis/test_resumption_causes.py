"""The causes of the stage resumption: where each fires, where it must not, and what it says of a pair."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.client_auth import (
    accepted,
    answered_in_http,
    case,
    certificate,
    exchanges_in,
    hidden_flights,
    refused,
)
from tests.support.handshakes import client_hello, elsewhere, handshake, rejected, resumed, server_hello
from tlsinspect.diagnosis.causes import (
    resumption_refused,
    session_resumed,
    session_resumed_other_identity,
    session_resumed_other_name,
)
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Severity
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake, Resumption
from tlsinspect.sessions import Origin

ALICE = certificate("Acme/alice", "Acme/Acme Root")
BOB = certificate("Acme/bob", "Acme/Acme Root")
TICKET = "The client offers the ticket that stream 0 was issued."

RESUMED = session_resumed.CAUSE
OTHER_NAME = session_resumed_other_name.CAUSE
OTHER_IDENTITY = session_resumed_other_identity.CAUSE
REFUSED = resumption_refused.CAUSE


def of(first: Handshake, value: Handshake | None = None, certainty: str = "shown", **meant: Any) -> Case:
    """A handshake that offers the session of *first*."""
    value = resumed() if value is None else value
    return replace(case(value, **meant), origin=Origin(first, first, certainty, TICKET))


def full(first: Handshake, capture: str = "curl.pcap") -> Case:
    """A full handshake of another capture."""
    return case(elsewhere(first, capture=capture))


def found(cause: Cause, value: Case) -> Finding:
    finding = cause.check(value)
    assert finding is not None
    return finding


def severity(cause: Cause, finding: Finding) -> Severity:
    return cause.severity if finding.severity is None else finding.severity


def of_pair(cause: Cause, left: Case, right: Case) -> Finding | None:
    assert cause.compare is not None
    return cause.compare(left, right)


# -- session-resumed ------------------------------------------------------------------------------------------------


def test_a_resumed_session_without_client_authentication_is_a_remark() -> None:
    finding = found(RESUMED, of(handshake()))

    assert severity(RESUMED, finding) is Severity.INFO
    assert "stream 0" in finding.explanation


def test_a_resumed_session_says_whose_identity_the_server_sees() -> None:
    finding = found(RESUMED, of(accepted(ALICE)))

    assert severity(RESUMED, finding) is Severity.WARNING
    assert "The identity that the server sees is that of stream 0: 'CN=alice,O=Acme'" in finding.explanation


def test_a_resumed_session_says_that_the_server_sees_no_certificate() -> None:
    finding = found(RESUMED, of(accepted()))

    assert severity(RESUMED, finding) is Severity.WARNING
    assert "was asked for a certificate and sent none" in finding.explanation


FORBIDDEN = exchanges_in(b"HTTP/1.1 403 Forbidden\r\n\r\n")


def test_a_403_on_a_session_with_an_identity_is_likely_due_to_it() -> None:
    value = resumed(http=FORBIDDEN)

    finding = found(RESUMED, of(accepted(), value))

    assert (severity(RESUMED, finding), finding.certainty) == (Severity.ERROR, Certainty.LIKELY)


def test_a_403_on_a_session_without_client_authentication_is_not_blamed_on_it() -> None:
    value = resumed(http=FORBIDDEN)

    assert severity(RESUMED, found(RESUMED, of(handshake(), value))) is Severity.INFO


def test_a_session_of_another_capture_is_named_by_its_capture() -> None:
    finding = found(RESUMED, of(elsewhere(accepted(ALICE), capture="before.pcap", stream=7)))

    assert "before.pcap#7" in finding.explanation


def test_a_session_from_before_the_capture_has_an_unknown_identity() -> None:
    finding = found(RESUMED, case(resumed()))

    assert severity(RESUMED, finding) is Severity.INFO
    assert "which the capture does not show" in finding.explanation


def test_a_session_whose_first_handshake_was_itself_resumed_has_an_unknown_identity() -> None:
    finding = found(RESUMED, of(resumed(stream=0)))

    assert "which the capture does not show" in finding.explanation


def test_a_likely_origin_is_told_with_its_reason() -> None:
    finding = found(RESUMED, of(hidden_flights((489, 96, 69), (746,)), certainty="likely"))

    assert "as is likely (the client offers" in finding.explanation
    assert "likely a certificate, whose subject cannot be read" in finding.explanation


@pytest.mark.parametrize("accepted_by", [None, Missing.LOST])
def test_a_full_handshake_or_an_unknown_one_is_not_resumed(accepted_by: Missing | None) -> None:
    value = handshake(resumption=Resumption(offered=("session_ticket",), accepted=accepted_by))

    assert RESUMED.check(of(handshake(), value)) is None


def test_a_pair_names_the_side_that_resumed() -> None:
    finding = of_pair(RESUMED, full(accepted(ALICE)), of(accepted(ALICE)))

    assert finding is not None
    assert (finding.side, severity(RESUMED, finding)) == ("right", Severity.WARNING)


def test_a_pair_of_which_both_resumed_does_not_differ_by_that() -> None:
    assert of_pair(RESUMED, of(handshake()), of(handshake())) is None


# -- session-resumed-other-name -------------------------------------------------------------------------------------


def named(name: str | None, **overrides: Any) -> Handshake:
    return resumed(client_hellos=(client_hello(name),), **overrides)


@pytest.mark.parametrize("name", ["b.example", None])
def test_a_session_of_another_name_or_of_none_is_a_warning(name: str | None) -> None:
    finding = found(OTHER_NAME, of(handshake(), named(name)))

    assert (severity(OTHER_NAME, finding), finding.certainty) == (Severity.WARNING, Certainty.SHOWN)
    assert "'a.example'" in finding.explanation


@pytest.mark.parametrize("name", ["a.example", "A.Example."])
def test_a_session_of_the_same_name_is_none_of_another(name: str) -> None:
    assert OTHER_NAME.check(of(handshake(), named(name))) is None


def test_a_name_that_was_cut_is_not_called_another() -> None:
    assert OTHER_NAME.check(of(handshake(client_hellos=(), no_client_hello=Missing.LOST), named("b.example"))) is None


def test_a_likely_origin_makes_another_name_likely() -> None:
    assert found(OTHER_NAME, of(handshake(), named("b.example"), "likely")).certainty is Certainty.LIKELY


def test_a_421_on_a_session_of_another_name_is_an_error() -> None:
    value = named("b.example", http=exchanges_in(b"HTTP/1.1 421 Misdirected Request\r\n\r\n"))

    assert severity(OTHER_NAME, found(OTHER_NAME, of(handshake(), value))) is Severity.ERROR


def denied(name: str, *offered: str) -> Handshake:
    """access_denied right after a hello that offers a session, as nginx 1.27.4 answers."""
    return rejected(
        49, client_hellos=(client_hello(name),), resumption=Resumption(offered=offered, accepted=Missing.NOT_SENT)
    )


def test_access_denied_after_the_offer_of_another_name_is_an_error() -> None:
    finding = found(OTHER_NAME, of(handshake(), denied("b.example", "psk")))

    assert (severity(OTHER_NAME, finding), finding.certainty) == (Severity.ERROR, Certainty.SHOWN)


def test_access_denied_after_an_offer_from_nowhere_is_likely_of_another_name() -> None:
    finding = found(OTHER_NAME, case(denied("b.example", "psk")))

    assert (severity(OTHER_NAME, finding), finding.certainty) == (Severity.ERROR, Certainty.LIKELY)


def test_access_denied_after_the_offer_of_the_same_name_is_something_else() -> None:
    assert OTHER_NAME.check(of(handshake(), denied("a.example", "psk"))) is None


def test_access_denied_without_an_offer_is_something_else() -> None:
    assert OTHER_NAME.check(case(denied("b.example"))) is None


def test_a_pair_names_the_side_with_the_session_of_another_name() -> None:
    other = full(handshake(client_hellos=(client_hello("b.example"),)))

    finding = of_pair(OTHER_NAME, of(handshake(), named("b.example")), other)

    assert finding is not None
    assert finding.side == "left"
    assert "made a full handshake, as curl.pcap#0 did" in finding.explanation


# -- session-resumed-other-identity ---------------------------------------------------------------------------------


@pytest.mark.parametrize("meant", ["none", "bob", "CN=bob,O=Acme"])
def test_an_inherited_identity_that_was_not_meant_is_an_error(meant: str) -> None:
    finding = found(OTHER_IDENTITY, of(accepted(ALICE), identity=meant))

    assert (severity(OTHER_IDENTITY, finding), finding.certainty) == (Severity.ERROR, Certainty.SHOWN)


def test_no_inherited_identity_where_one_was_meant_is_an_error() -> None:
    assert severity(OTHER_IDENTITY, found(OTHER_IDENTITY, of(accepted(), identity="alice"))) is Severity.ERROR


@pytest.mark.parametrize("meant", ["alice", "CN=alice,O=Acme"])
def test_the_inherited_identity_that_was_meant_is_right(meant: str) -> None:
    assert OTHER_IDENTITY.check(of(accepted(ALICE), identity=meant)) is None


def test_no_inherited_identity_where_none_was_meant_is_right() -> None:
    assert OTHER_IDENTITY.check(of(handshake(), identity="none")) is None


def test_nothing_is_meant_without_the_option() -> None:
    assert OTHER_IDENTITY.check(of(accepted(ALICE))) is None


def test_an_identity_that_cannot_be_read_is_not_called_another() -> None:
    assert OTHER_IDENTITY.check(of(hidden_flights((489, 96, 69), (746,)), identity="bob")) is None


@pytest.mark.parametrize(("client", "meant"), [((489, 96, 69), "none"), ((25, 69), "bob"), ((69,), "bob")])
def test_record_sizes_tell_that_another_identity_was_likely_inherited(client: tuple[int, ...], meant: str) -> None:
    finding = found(OTHER_IDENTITY, of(hidden_flights(client, (746,)), identity=meant))

    assert (severity(OTHER_IDENTITY, finding), finding.certainty) == (Severity.ERROR, Certainty.LIKELY)


@pytest.mark.parametrize(("client", "meant"), [((489, 96, 69), "bob"), ((25, 69), "none"), ((30,), "none")])
def test_record_sizes_that_fit_what_was_meant_are_no_error(client: tuple[int, ...], meant: str) -> None:
    assert OTHER_IDENTITY.check(of(hidden_flights(client, (746,)), identity=meant)) is None


def test_a_likely_origin_makes_another_identity_likely() -> None:
    finding = found(OTHER_IDENTITY, of(accepted(ALICE), None, "likely", identity="none"))

    assert finding.certainty is Certainty.LIKELY


@pytest.mark.parametrize("first", [accepted(ALICE), accepted(), handshake()], ids=["alice", "asked", "not asked"])
def test_a_pair_of_an_inherited_and_a_proved_identity_is_an_error(first: Handshake) -> None:
    finding = of_pair(OTHER_IDENTITY, of(first), full(accepted(BOB)))

    assert finding is not None
    assert (finding.side, severity(OTHER_IDENTITY, finding)) == ("left", Severity.ERROR)
    assert "bob" in finding.explanation


def test_a_pair_of_an_inherited_identity_and_none_is_an_error() -> None:
    finding = of_pair(OTHER_IDENTITY, full(accepted()), of(accepted(ALICE)))

    assert finding is not None
    assert finding.side == "right"


def test_a_pair_of_the_same_identity_is_right() -> None:
    assert of_pair(OTHER_IDENTITY, of(accepted(ALICE)), full(accepted(ALICE))) is None
    assert of_pair(OTHER_IDENTITY, of(handshake()), full(handshake())) is None


def test_a_pair_in_which_by_record_sizes_one_sent_a_certificate_is_likely_an_error() -> None:
    with_one, without = hidden_flights((489, 96, 69), (746,)), hidden_flights((25, 69), (298,))
    finding = of_pair(OTHER_IDENTITY, of(without), full(with_one))

    assert finding is not None
    assert (finding.certainty, severity(OTHER_IDENTITY, finding)) == (Certainty.LIKELY, Severity.ERROR)
    assert "with a client certificate, as is likely by its record sizes (a record of 489 octets)" in finding.explanation


def test_a_pair_in_which_by_record_sizes_both_sent_a_certificate_is_right() -> None:
    hidden = hidden_flights((489, 96, 69), (746,))

    assert of_pair(OTHER_IDENTITY, of(hidden), full(hidden)) is None
    assert of_pair(OTHER_IDENTITY, of(hidden), full(accepted(BOB))) is None


def test_a_session_from_before_the_capture_is_likely_of_another_identity() -> None:
    finding = of_pair(OTHER_IDENTITY, case(resumed()), full(accepted(ALICE)))

    assert finding is not None
    assert (finding.certainty, severity(OTHER_IDENTITY, finding)) == (Certainty.LIKELY, Severity.WARNING)


def test_a_pair_of_two_sessions_of_two_identities_is_an_error() -> None:
    finding = of_pair(OTHER_IDENTITY, of(accepted(ALICE)), of(accepted(BOB)))

    assert finding is not None
    assert finding.side == "both"


# -- resumption-refused ---------------------------------------------------------------------------------------------


def offering(*offered: str, **overrides: Any) -> Handshake:
    return handshake(**({"resumption": Resumption(offered=offered, accepted=None)} | overrides))


@pytest.mark.parametrize("kind", ["psk", "session_ticket"])
def test_a_full_handshake_after_the_offer_of_a_session_is_a_remark(kind: str) -> None:
    assert severity(REFUSED, found(REFUSED, case(offering(kind)))) is Severity.INFO


def test_names_the_other_name_of_the_session() -> None:
    value = offering("session_ticket", client_hellos=(client_hello("b.example"),))

    assert "sessions of different names apart" in found(REFUSED, of(handshake(), value)).explanation


def test_a_session_id_that_nobody_issued_is_no_offer() -> None:
    assert REFUSED.check(case(offering("session_id"))) is None


def test_a_session_id_that_the_server_issued_is_an_offer() -> None:
    assert severity(REFUSED, found(REFUSED, of(handshake(), offering("session_id")))) is Severity.INFO


@pytest.mark.parametrize("offered", [(), Missing.LOST])
def test_nothing_is_refused_where_nothing_was_offered(offered: tuple[str, ...] | Missing) -> None:
    assert REFUSED.check(case(handshake(resumption=Resumption(offered=offered, accepted=None)))) is None


def test_a_resumed_session_is_not_refused() -> None:
    assert REFUSED.check(case(resumed())) is None


def failing(description: int = 80) -> Handshake:
    return rejected(description, resumption=Resumption(offered=("session_ticket",), accepted=Missing.NOT_SENT))


def test_internal_error_after_the_offer_of_a_session_is_likely_due_to_it() -> None:
    finding = found(REFUSED, case(failing()))

    assert (severity(REFUSED, finding), finding.certainty) == (Severity.WARNING, Certainty.LIKELY)


def test_another_alert_after_the_offer_of_a_session_is_something_else() -> None:
    assert REFUSED.check(case(failing(112))) is None


def test_a_pair_of_which_only_the_offer_of_a_session_failed_is_an_error() -> None:
    finding = of_pair(REFUSED, case(failing()), full(handshake()))

    assert finding is not None
    assert (finding.side, severity(REFUSED, finding)) == ("left", Severity.ERROR)


def test_a_pair_names_the_side_whose_session_was_refused() -> None:
    finding = of_pair(REFUSED, case(resumed()), case(offering("session_ticket")))

    assert finding is not None
    assert finding.side == "right"


# -- all of them ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [RESUMED, OTHER_NAME, OTHER_IDENTITY, REFUSED], ids=lambda cause: cause.code)
@pytest.mark.parametrize(
    "healthy",
    [
        case(handshake()),
        case(accepted(ALICE)),
        of(accepted(ALICE)),
        of(accepted()),
        of(handshake(), named("b.example")),
        case(resumed(server_hello=server_hello(0x0304))),
        case(answered_in_http(b"HTTP/1.1 200 OK\r\n\r\n", ALICE)),
    ],
    ids=range(7),
)
def test_a_completed_handshake_has_no_error(cause: Cause, healthy: Case) -> None:
    finding = cause.check(healthy)

    assert finding is None or severity(cause, finding) < Severity.ERROR


def test_a_refused_client_certificate_is_none_of_resumption() -> None:
    causes = (RESUMED, OTHER_NAME, OTHER_IDENTITY, REFUSED)

    assert [cause.check(case(refused(48, ALICE))) for cause in causes] == [None] * 4
