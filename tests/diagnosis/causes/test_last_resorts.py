"""Causes of the stages capture and any, and the fingerprint: what is said when nothing better is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.endings import case, ended, hidden, with_messages
from tests.support.handshakes import (
    STARTED_NS,
    certificate_der,
    chain,
    client_hello,
    handshake,
    rejected,
    server_hello,
    tls13,
)
from tlsinspect.diagnosis.causes import (
    CAUSES,
    alert_other,
    capture_incomplete,
    decryption_keys_missing,
    fingerprint_different,
)
from tlsinspect.diagnosis.engine import diagnose, explain
from tlsinspect.diagnosis.rule import Certainty, Finding, Severity
from tlsinspect.fields import certificates
from tlsinspect.model.frame import Defect, Endpoint, Missing, Side
from tlsinspect.model.handshake import Ending, EndingKind, Handshake, Outcome
from tlsinspect.model.message import EncryptedRecord, Gap, UndecodedMessage

SUITES = tuple(range(0xC02B, 0xC031))
ORDINARY = client_hello(
    cipher_suites=(0x1301, 0x1302, 0x1303, *SUITES), signature_algorithms=(0x0403, 0x0804, 0x0401, 0x0503)
)
CUT_HELLO = UndecodedMessage(1, b"", Defect("client_hello", "the message has 154 octets, 21 are in the capture"))
CUT = with_messages(rejected(40, client_hellos=(), events=()), (Side.CLIENT, CUT_HELLO))
CLOSED = {"outcome": Outcome.CLOSED, "ending": Ending(EndingKind.FIN, Side.SERVER, STARTED_NS + 10**9, frame=12)}
FLIGHT = (27, 739, 95, 53)


def said(finding: Finding | None) -> tuple[Severity | None, Certainty, str | None]:
    """What of a finding matters for its rank; None where the cause's own severity stands."""
    assert finding is not None
    return finding.severity, finding.certainty, finding.side


# -- capture-incomplete ---------------------------------------------------------------------------------------------


def test_a_cut_hello_before_a_refusal_is_an_error() -> None:
    finding = capture_incomplete.check(case(CUT))

    assert said(finding) == (None, Certainty.SHOWN, None)
    assert finding is not None
    assert "the message has 154 octets, 21 are in the capture" in finding.explanation


def test_a_handshake_that_is_not_in_the_capture_to_its_end_is_a_warning() -> None:
    finding = capture_incomplete.check(case(ended(EndingKind.CAPTURE_END, None)))

    assert said(finding)[0] is Severity.WARNING


def test_lost_octets_are_counted() -> None:
    value = with_messages(ended(EndingKind.FIN, Side.SERVER), (Side.SERVER, Gap(1400)), (Side.SERVER, Gap(5)))

    finding = capture_incomplete.check(case(value))

    assert finding is not None
    assert "1405 octets of the stream were not captured" in finding.explanation


@pytest.mark.parametrize(
    ("tcp", "side"),
    [
        ({"client_octets": 0, "server_octets": 900}, "the server's"),
        ({"syn_ack": None, "server_ttl": 0}, "the client's"),
    ],
)
def test_says_which_direction_alone_was_captured(tcp: dict[str, object], side: str) -> None:
    finding = capture_incomplete.check(case(ended(EndingKind.SILENCE, None, tcp=tcp)))

    assert finding is not None
    assert f"only {side} direction was captured" in finding.explanation.lower()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(with_messages(handshake(), (Side.SERVER, Gap(1400))), id="completed"),
        pytest.param(rejected(40), id="refused in full view"),
    ],
)
def test_finds_nothing_incomplete(value: Handshake) -> None:
    assert capture_incomplete.check(case(value)) is None


def test_names_the_side_whose_capture_is_incomplete() -> None:
    compare = capture_incomplete.CAUSE.compare
    assert compare is not None

    assert said(compare(case(handshake()), case(CUT)))[2] == "right"


# -- decryption-keys-missing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (hidden(FLIGHT, (19,), **CLOSED), "one record of 19 octets, the size of an alert, instead of its Finished"),
        (hidden(FLIGHT, (35,), **CLOSED), "one record of 35 octets"),
        (hidden(FLIGHT, (25, 53, 103), late=(19,), **CLOSED), "answered the client's flight with a record of 19"),
        (hidden((19,), (), **CLOSED), "right after its ServerHello"),
        (hidden(FLIGHT, (), **CLOSED), "The server closed the connection (frame 12)"),
        (hidden(FLIGHT, (53, 103), late=(19,)), "answered the client's flight with a record of 19"),
    ],
)
def test_tells_what_shows_of_an_encrypted_end(value: Handshake, text: str) -> None:
    finding = decryption_keys_missing.check(case(value))

    assert finding is not None
    assert text in finding.explanation


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(hidden(FLIGHT, (53, 103), late=(250, 19)), id="tickets came before the close"),
        pytest.param(hidden(FLIGHT, (53, 19), late=(19,)), id="the client closed first"),
        pytest.param(tls13(), id="completed"),
        pytest.param(handshake(), id="TLS 1.2"),
        pytest.param(ended(EndingKind.RST, Side.SERVER), id="no ServerHello"),
        pytest.param(
            rejected(48, Side.CLIENT, server_hello=server_hello(0x0304), server_certificates=Missing.HIDDEN),
            id="the alert is in clear",
        ),
    ],
)
def test_does_not_ask_for_keys(value: Handshake) -> None:
    assert decryption_keys_missing.check(case(value)) is None


def test_names_the_side_that_needs_keys() -> None:
    finding = decryption_keys_missing.compare(case(hidden(FLIGHT, (19,), **CLOSED)), case(tls13()))

    assert said(finding) == (None, Certainty.LIKELY, "left")


@pytest.mark.parametrize(
    ("server", "client", "told"),
    [
        ((23, 1300, 96, 53), (53, 103), "it had likely asked for no client certificate, it refused something else"),
        ((23, 87, 1300, 96, 53), (25, 53, 103), "most often the client certificate or the lack of one."),
        ((23, 87, 1300, 96, 53), (77, 103), "most often the client certificate or the lack of one."),
        ((23, 700), (53, 103), "it had likely asked for no client certificate"),
        ((23, 700), (99, 103), "or the lack of one, or just closed."),
    ],
)
def test_tells_what_an_alert_after_the_flight_may_mean(
    server: tuple[int, ...], client: tuple[int, ...], told: str
) -> None:
    finding = decryption_keys_missing.check(case(hidden(server, client, late=(19,), **CLOSED)))

    assert finding is not None
    assert finding.certainty is Certainty.LIKELY
    assert told in finding.explanation


def test_knows_the_alerts_of_suites_with_short_tags() -> None:
    hello = server_hello(0x0304, cipher_suite=0x1305)
    finding = decryption_keys_missing.check(case(hidden((15, 640, 88, 45), (11,), server_hello=hello, **CLOSED)))

    assert finding is not None
    assert "one record of 11 octets, the size of an alert, instead of its Finished" in finding.explanation


def test_two_that_look_alike_without_keys_may_differ_behind_the_encryption() -> None:
    finding = decryption_keys_missing.compare(case(tls13()), case(tls13(capture="curl.pcap")))

    assert said(finding) == (Severity.WARNING, Certainty.SHOWN, "both")


def test_compares_an_encrypted_chain_with_one_that_was_seen() -> None:
    seen = handshake(capture="curl.pcap")
    octets = len(certificates(seen.server_certificates)[0].der)
    alike, other = (hidden((23, size + 30, 96, 53), (53, 103), late=(250,)) for size in (octets, octets + 7))

    same = decryption_keys_missing.compare(case(alike), case(seen))
    another = decryption_keys_missing.compare(case(seen), case(other))

    assert said(same) == (Severity.INFO, Certainty.LIKELY, "left")
    assert said(another) == (Severity.WARNING, Certainty.LIKELY, "right")
    assert another is not None
    assert "likely it is another one" in another.explanation


def test_two_that_differ_in_view_need_keys_less() -> None:
    other = tls13(client_hellos=(client_hello(alpn=None),))

    finding = decryption_keys_missing.compare(case(tls13()), case(other))

    assert said(finding)[0] is Severity.INFO


def test_two_in_clear_need_no_keys() -> None:
    assert decryption_keys_missing.compare(case(handshake()), case(handshake())) is None


# -- alert-other ----------------------------------------------------------------------------------------------------


def codes(value: Handshake) -> list[str]:
    """The codes of all findings on a handshake."""
    return [each.code for each in diagnose(case(value), CAUSES).findings]


def test_names_an_alert_that_nothing_else_explains() -> None:
    value = rejected(20, client_hellos=(ORDINARY,), server_hello=server_hello())

    assert codes(value)[0] == "alert-other"


def test_leaves_an_alert_to_the_cause_that_explains_it() -> None:
    assert "alert-other" not in codes(rejected(112, client_hellos=(ORDINARY,)))


def test_leaves_an_alert_of_a_pair_to_the_cause_that_explains_it() -> None:
    found = explain(case(rejected(112, client_hellos=(ORDINARY,))), case(handshake()), CAUSES)

    assert "alert-other" not in [each.code for each in found.findings]


def test_an_alert_of_one_of_a_pair_names_its_side() -> None:
    compare = alert_other.CAUSE.compare
    assert compare is not None

    assert said(compare(case(handshake()), case(rejected(20))))[2] == "right"


@pytest.mark.parametrize(
    ("hello", "text"),
    [
        (client_hello(cipher_suites=(0x002F,), supported_versions=None), "few cipher suites"),
        (replace(ORDINARY, cipher_suites=(0x1301, *SUITES)), "few cipher suites"),
        (client_hello(cipher_suites=ORDINARY.cipher_suites, supported_groups=(0x1D,)), "offers one group (x25519)"),
        (client_hello(None, cipher_suites=ORDINARY.cipher_suites), "the client sends no server name"),
        (client_hello(supported_versions=(0x0302,)), "the client offers nothing above TLS 1.1"),
    ],
)
def test_names_what_of_the_offer_may_be_to_blame_for_a_handshake_failure(hello: object, text: str) -> None:
    finding = alert_other.check(case(rejected(40, client_hellos=(hello,))))

    assert finding is not None
    assert text in finding.explanation


def test_says_after_which_message_the_alert_came() -> None:
    value = rejected(20, server_hello=server_hello(), server_certificates=chain(certificate_der()), events=())
    value = with_messages(value, (Side.CLIENT, EncryptedRecord(22, 40)))

    finding = alert_other.check(case(value))

    assert finding is not None
    assert "after the client's encrypted record" in finding.explanation


@pytest.mark.parametrize("description", [0, 90])
def test_a_closure_is_no_refusal(description: int) -> None:
    assert alert_other.check(case(rejected(description))) is None


def test_an_alert_after_the_close_of_the_peer_is_no_cause() -> None:
    value = replace(rejected(50, Side.CLIENT), ending=Ending(EndingKind.FIN, Side.SERVER, STARTED_NS, frame=4))

    assert alert_other.check(case(value)) is None


# -- fingerprint-different ------------------------------------------------------------------------------------------


FILTERED = ended(EndingKind.RST, Side.SERVER, client_hellos=(client_hello(cipher_suites=(0x1302, 0xC030)),))


def test_another_fingerprint_may_explain_a_reset_when_nothing_else_differs() -> None:
    finding = fingerprint_different.compare(case(handshake()), case(FILTERED))

    assert said(finding) == (None, Certainty.LIKELY, "right")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param(FILTERED, FILTERED, id="both failed"),
        pytest.param(handshake(), handshake(client_hellos=(ORDINARY,)), id="both completed"),
        pytest.param(handshake(client_hellos=FILTERED.client_hellos), FILTERED, id="the same hello"),
        pytest.param(handshake(client_hellos=(client_hello("b.example"),)), FILTERED, id="another name"),
        pytest.param(handshake(client_hellos=(client_hello(alpn=None),)), FILTERED, id="another ALPN"),
        pytest.param(handshake(server=Endpoint("10.0.0.9", 443)), FILTERED, id="another server"),
        pytest.param(handshake(), rejected(112, client_hellos=FILTERED.client_hellos), id="the server said why"),
    ],
)
def test_does_not_blame_the_fingerprint(left: Handshake, right: Handshake) -> None:
    assert fingerprint_different.compare(case(left), case(right)) is None


def test_one_handshake_has_no_other_fingerprint() -> None:
    assert fingerprint_different.check(case(FILTERED)) is None
