"""Causes of the stage transport: where they speak, where they keep silent, and which side of a pair they name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.endings import SECOND, case, connection, ended, hidden, plain, with_messages
from tests.support.handshakes import (
    MILLISECOND,
    STARTED_NS,
    alert_seen,
    client_hello,
    handshake,
    rejected,
    server_hello,
)
from tlsinspect.diagnosis.causes import (
    capture_incomplete,
    client_gave_up,
    hello_closed,
    hello_reset,
    hello_split_dropped,
    hello_unanswered,
    not_tls_client,
    not_tls_server,
    server_gave_up,
    starttls_refused,
    tcp_no_answer,
    tcp_refused,
    version_no_overlap,
)
from tlsinspect.diagnosis.rule import Cause, Certainty, Severity
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Ending, EndingKind, Event, Handshake, Mark, Outcome, Preamble, Transport
from tlsinspect.model.message import CertificateRequest, EncryptedRecord, Gap, PlainMessage, ProtectedPacket

RST, FIN, SILENCE = EndingKind.RST, EndingKind.FIN, EndingKind.SILENCE
REFUSED = connection(
    outcome=Outcome.RESET,
    ending=Ending(RST, Side.SERVER, STARTED_NS, frame=2),
    resets=(Mark(Side.SERVER, 2, STARTED_NS, 57),),
)
SPLIT = ended(
    SILENCE,
    None,
    tcp={
        "client_octets": 1988,
        "client_acknowledged": 1448,
        "client_segments": (1448, 540),
        "client_retransmissions": 2,
    },
)
MIDWAY = {"server_hello": server_hello(), "server_certificates": Missing.NOT_SENT}
HTTP_TO_TLS = with_messages(
    connection(outcome=Outcome.NEVER_TLS, client_octets=80),
    plain(Side.CLIENT, b"GET / HTTP/1.1\r\nHost: a.example\r\n"),
    plain(Side.SERVER, b"HTTP/1.1 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port"),
)
TLS_TO_HTTP = with_messages(
    ended(FIN, Side.SERVER), plain(Side.SERVER, b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n")
)
STARTTLS = replace(
    connection(outcome=Outcome.NEVER_TLS, client_octets=8),
    preamble=Preamble("postgresql", accepted=False, details=(("reply", "N"),), frames=(4, 6)),
)
IN_MIDDLE_BY_CLIENT = ended(FIN, Side.CLIENT, after_ns=SECOND, **MIDWAY)
IN_MIDDLE_BY_SERVER = ended(FIN, Side.SERVER, **MIDWAY)

FIRING = {
    "tcp-no-answer": (tcp_no_answer.CAUSE, connection(syn_count=4)),
    "tcp-refused": (tcp_refused.CAUSE, REFUSED),
    "not-tls-client": (not_tls_client.CAUSE, HTTP_TO_TLS),
    "not-tls-server": (not_tls_server.CAUSE, TLS_TO_HTTP),
    "starttls-refused": (starttls_refused.CAUSE, STARTTLS),
    "hello-unanswered": (hello_unanswered.CAUSE, ended(FIN, Side.CLIENT, after_ns=2 * SECOND)),
    "hello-reset": (hello_reset.CAUSE, ended(RST, Side.SERVER)),
    "hello-closed": (hello_closed.CAUSE, ended(FIN, Side.SERVER)),
    "hello-split-dropped": (hello_split_dropped.CAUSE, SPLIT),
    "client-gave-up": (client_gave_up.CAUSE, IN_MIDDLE_BY_CLIENT),
    "server-gave-up": (server_gave_up.CAUSE, IN_MIDDLE_BY_SERVER),
}
ONE_SIDED = {
    "client-gave-up when the server's direction was not captured": (
        client_gave_up.CAUSE,
        ended(
            FIN,
            Side.CLIENT,
            after_ns=SECOND,
            server_hello=Missing.LOST,
            tcp={"syn_ack": None, "server_ttl": 0},
        ),
    ),
    "server-gave-up when the client's direction was not captured": (
        server_gave_up.CAUSE,
        ended(FIN, Side.SERVER, client_hellos=(), tcp={"client_octets": 0, "server_octets": 900}, **MIDWAY),
    ),
    "server-gave-up when octets are missing": (
        server_gave_up.CAUSE,
        with_messages(IN_MIDDLE_BY_SERVER, (Side.CLIENT, Gap(500))),
    ),
}
NEAR_MISSES = ONE_SIDED | {
    "tcp-no-answer when the answer was a RST": (tcp_no_answer.CAUSE, REFUSED),
    "tcp-no-answer when the client sent data": (tcp_no_answer.CAUSE, connection(syn_count=1, client_octets=10)),
    "tcp-refused when nothing came back": (tcp_refused.CAUSE, connection(syn_count=3)),
    "not-tls-client when a dialogue before TLS was refused": (not_tls_client.CAUSE, STARTTLS),
    "not-tls-client when a hello was sent": (not_tls_client.CAUSE, TLS_TO_HTTP),
    "not-tls-server when the client spoke first": (not_tls_server.CAUSE, HTTP_TO_TLS),
    "not-tls-server when the answer is an SSL 2.0 hello": (
        not_tls_server.CAUSE,
        with_messages(ended(FIN, Side.SERVER), plain(Side.SERVER, b"\x83\xb4\x04\x00\x01\x00\x02")),
    ),
    "starttls-refused when it was granted": (
        starttls_refused.CAUSE,
        replace(handshake(), preamble=Preamble("smtp", accepted=True)),
    ),
    "hello-unanswered when the client left at once": (hello_unanswered.CAUSE, ended(FIN, Side.CLIENT)),
    "hello-unanswered when the server's direction was not captured": (
        hello_unanswered.CAUSE,
        ended(SILENCE, None, tcp={"syn_ack": None, "server_ttl": 0, "client_acknowledged": 0}),
    ),
    "hello-unanswered when a part of the hello was lost": (hello_unanswered.CAUSE, SPLIT),
    "hello-unanswered when the capture simply ends": (hello_unanswered.CAUSE, ended(EndingKind.CAPTURE_END, None)),
    "hello-reset when an alert came first": (hello_reset.CAUSE, rejected(40)),
    "hello-reset when it was the client": (hello_reset.CAUSE, ended(RST, Side.CLIENT)),
    "hello-reset after the ServerHello": (hello_reset.CAUSE, ended(RST, Side.SERVER, **MIDWAY)),
    "hello-closed when it was a RST": (hello_closed.CAUSE, ended(RST, Side.SERVER)),
    "hello-closed when the answer was plain text": (hello_closed.CAUSE, TLS_TO_HTTP),
    "hello-split-dropped when all was acknowledged": (
        hello_split_dropped.CAUSE,
        replace(SPLIT, tcp=replace(SPLIT.tcp, client_acknowledged=1988)),
    ),
    "hello-split-dropped when nothing was sent again": (
        hello_split_dropped.CAUSE,
        replace(SPLIT, tcp=replace(SPLIT.tcp, client_retransmissions=0)),
    ),
    "client-gave-up when it said why": (client_gave_up.CAUSE, rejected(48, Side.CLIENT, **MIDWAY)),
    "client-gave-up when an encrypted record may say why": (
        client_gave_up.CAUSE,
        hidden(
            (23, 700, 80, 53), (19,), outcome=Outcome.CLOSED, ending=Ending(FIN, Side.CLIENT, STARTED_NS + SECOND, 9)
        ),
    ),
    "client-gave-up when it waited for an answer": (client_gave_up.CAUSE, ended(FIN, Side.CLIENT, after_ns=2 * SECOND)),
    "server-gave-up before its ServerHello": (server_gave_up.CAUSE, ended(FIN, Side.SERVER)),
    "server-gave-up when it was the client": (server_gave_up.CAUSE, IN_MIDDLE_BY_CLIENT),
}


@pytest.mark.parametrize(("cause", "value"), FIRING.values(), ids=FIRING)
def test_names_the_cause(cause: Cause, value: Handshake) -> None:
    finding = cause.check(case(value))

    assert finding is not None
    assert (finding.severity or cause.severity) is Severity.ERROR


@pytest.mark.parametrize(("cause", "value"), NEAR_MISSES.values(), ids=NEAR_MISSES)
def test_keeps_silent_about(cause: Cause, value: Handshake) -> None:
    assert cause.check(case(value)) is None


@pytest.mark.parametrize(("cause", "value"), FIRING.values(), ids=FIRING)
def test_names_the_side_of_a_pair_that_has_the_trouble(cause: Cause, value: Handshake) -> None:
    assert cause.compare is not None
    left = cause.compare(case(value), case(handshake()))
    right = cause.compare(case(handshake()), case(value))

    assert (left and left.side, right and right.side) == ("left", "right")


@pytest.mark.parametrize(("cause", "value"), FIRING.values(), ids=FIRING)
def test_says_that_both_of_a_pair_have_the_trouble(cause: Cause, value: Handshake) -> None:
    assert cause.compare is not None
    finding = cause.compare(case(value), case(value))

    assert finding is not None
    assert finding.side == "both"


def test_one_unanswered_syn_is_a_warning_as_the_capture_may_end_too_soon() -> None:
    finding = tcp_no_answer.check(case(connection(syn_count=1)))

    assert finding is not None
    assert (finding.severity, finding.certainty) == (Severity.WARNING, Certainty.LIKELY)


def test_quotes_what_the_client_said_instead_of_a_hello() -> None:
    finding = not_tls_client.check(case(HTTP_TO_TLS))

    assert finding is not None
    assert "'GET / HTTP/1.1'" in finding.explanation
    assert finding.certainty is Certainty.STATED


def test_quotes_what_the_server_said_instead_of_a_hello() -> None:
    finding = not_tls_server.check(case(TLS_TO_HTTP))

    assert finding is not None
    assert "'HTTP/1.1 400 Bad Request'" in finding.explanation


def test_calls_an_alert_of_the_client_the_answer_to_plain_text() -> None:
    value = replace(TLS_TO_HTTP, alerts=(alert_seen(10, Side.CLIENT, frame=9),))

    finding = not_tls_server.check(case(value))

    assert finding is not None
    assert "The client's alert is its answer to that." in finding.explanation


def test_calls_a_late_alert_of_the_client_a_consequence_of_the_close() -> None:
    value = replace(ended(FIN, Side.SERVER), alerts=(alert_seen(50, Side.CLIENT, frame=8),))

    finding = hello_closed.check(case(value))

    assert finding is not None
    assert "as a consequence" in finding.explanation


def test_says_that_another_machine_may_have_sent_the_reset() -> None:
    finding = hello_reset.check(case(ended(RST, Side.SERVER, ttl=250)))

    assert finding is not None
    assert "has TTL 250, the server's other packets have 57" in finding.explanation


def test_does_not_suspect_another_machine_when_the_hop_counts_agree() -> None:
    finding = hello_reset.check(case(ended(RST, Side.SERVER)))

    assert finding is not None
    assert "TTL" not in finding.explanation


def test_names_the_missing_server_name_first_among_the_reasons_for_a_reset() -> None:
    value = ended(RST, Side.SERVER, client_hellos=(client_hello(None),))

    finding = hello_reset.check(case(value))

    assert finding is not None
    assert "in order: the hello carries no server name" in finding.explanation


def test_counts_the_segments_of_the_hello_without_their_retransmissions() -> None:
    finding = hello_split_dropped.check(case(SPLIT))

    assert finding is not None
    assert "took 2 segments (1448 + 540 octets)" in finding.explanation


def test_waits_for_a_hello_that_was_never_acknowledged() -> None:
    value = ended(SILENCE, None, tcp={"client_acknowledged": 0, "client_retransmissions": 5})

    finding = hello_unanswered.check(case(value))

    assert finding is not None
    assert "never acknowledged (5 retransmissions)" in finding.explanation


def test_takes_a_long_wait_for_a_time_limit_of_the_client() -> None:
    finding = client_gave_up.check(case(IN_MIDDLE_BY_CLIENT))

    assert finding is not None
    assert "time limit" in finding.explanation


def test_recalls_the_certificate_that_the_server_had_asked_for() -> None:
    value = replace(IN_MIDDLE_BY_SERVER, certificate_request=CertificateRequest())

    finding = server_gave_up.check(case(value))

    assert finding is not None
    assert "gRPC servers close so" in finding.explanation


def test_a_client_that_goes_silent_after_the_flight_of_the_server_is_likely_the_one() -> None:
    value = with_messages(ended(SILENCE, None, **MIDWAY), (Side.SERVER, PlainMessage(14, 0)))

    finding = client_gave_up.check(case(value))

    assert finding is not None
    assert finding.certainty is Certainty.LIKELY
    assert server_gave_up.check(case(value)) is None


def test_a_server_that_goes_silent_after_the_flight_of_the_client_is_likely_the_one() -> None:
    value = with_messages(ended(SILENCE, None, **MIDWAY), (Side.CLIENT, EncryptedRecord(22, 40)))

    finding = server_gave_up.check(case(value))

    assert finding is not None
    assert finding.certainty is Certainty.LIKELY
    assert client_gave_up.check(case(value)) is None


def test_says_how_long_the_client_waited() -> None:
    finding = hello_unanswered.check(case(ended(FIN, Side.CLIENT, after_ns=2 * SECOND + 4 * MILLISECOND)))

    assert finding is not None
    assert "closed the connection after 2.0 s" in finding.explanation


def test_a_client_that_cancels_says_so() -> None:
    value = replace(IN_MIDDLE_BY_CLIENT, alerts=(alert_seen(90, Side.CLIENT, level=1),))

    finding = client_gave_up.check(case(value))

    assert finding is not None
    assert (finding.certainty, "user_canceled(90)" in finding.explanation) == (Certainty.STATED, True)


def test_a_close_notify_instead_of_a_hello_is_no_reason() -> None:
    value = replace(ended(FIN, Side.SERVER), alerts=(alert_seen(0, level=1),))

    finding = hello_closed.check(case(value))

    assert finding is not None
    assert "with nothing but a close_notify" in finding.explanation


def test_an_alert_that_cannot_be_read_may_say_why_the_client_left() -> None:
    value = with_messages(IN_MIDDLE_BY_CLIENT, (Side.CLIENT, EncryptedRecord(21, 26)))

    assert client_gave_up.check(case(value)) is None


def test_a_server_that_closes_before_the_hello_did_not_judge_it() -> None:
    finding = hello_closed.check(case(ended(FIN, Side.SERVER, after_ns=0)))

    assert finding is not None
    assert "before the ClientHello (frame 4) was there" in finding.explanation


def test_a_client_that_could_not_read_the_answer_did_not_give_up() -> None:
    value = with_messages(ended(RST, Side.CLIENT), plain(Side.SERVER, b"220 mail.example ESMTP"))

    assert client_gave_up.check(case(value)) is None


@pytest.mark.parametrize(("last_frame", "severity"), [(9, None), (1, Severity.WARNING)])
def test_an_unanswered_hello_over_udp_counts_when_it_was_sent_again(last_frame: int, severity: Severity | None) -> None:
    value = replace(ended(SILENCE, None), transport="udp", protocol="quic", tcp=Transport(), last_frame=last_frame)

    finding = hello_unanswered.check(case(value))

    assert finding is not None
    assert (finding.severity, finding.certainty) == (severity, Certainty.LIKELY)


def test_a_version_negotiation_of_quic_is_an_answer() -> None:
    noted = Preamble("quic-version-negotiation", accepted=True, frames=(9,))
    value = replace(
        ended(SILENCE, None), transport="udp", protocol="quic", tcp=Transport(), last_frame=9, preamble=noted
    )

    assert hello_unanswered.check(case(value)) is None


def test_a_refused_starttls_is_the_cause_where_the_client_went_on_all_the_same() -> None:
    value = with_messages(ended(FIN, Side.CLIENT), plain(Side.SERVER, b"220 mx\r\n454 no TLS\r\n"))
    value = replace(value, preamble=STARTTLS.preamble)

    finding = starttls_refused.check(case(value))

    assert finding is not None
    assert "sent its ClientHello all the same" in finding.explanation
    assert not_tls_server.check(case(value)) is None


def test_a_refused_starttls_is_no_cause_where_tls_was_spoken_after_it() -> None:
    value = replace(handshake(), preamble=STARTTLS.preamble)

    assert starttls_refused.check(case(value)) is None


def test_an_alert_behind_the_close_of_the_other_side_is_no_reason_for_it() -> None:
    late = replace(alert_seen(50, Side.CLIENT), frame=9)
    value = replace(IN_MIDDLE_BY_SERVER, alerts=(late,))

    assert server_gave_up.check(case(value)) is not None
    assert server_gave_up.check(case(replace(value, alerts=(replace(late, frame=5),)))) is None


def test_of_the_direction_of_the_server_alone_a_close_is_no_failure() -> None:
    tcp = replace(IN_MIDDLE_BY_SERVER.tcp, client_octets=0, server_octets=2000)
    value = replace(IN_MIDDLE_BY_SERVER, client_hellos=(), tcp=tcp)

    finding = capture_incomplete.check(case(value))

    assert finding is not None
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(("frames", "said"), [((3, 4), True), ((4,), False)])
def test_the_size_of_the_hello_is_named_only_where_it_took_several_segments(
    frames: tuple[int, ...], said: bool
) -> None:
    value = ended(RST, Side.SERVER, tcp={"client_octets": 207})  # an alert of the client followed
    event = Event(Side.CLIENT, STARTED_NS, frames, value.client_hellos[0])

    finding = hello_reset.check(case(replace(value, events=(event,))))

    assert finding is not None
    assert ("more than one segment" in finding.explanation) is said


def negotiated(*hello_frames: int, offered: str = "QUIC v2", **overrides: Any) -> Handshake:
    """The server answered the Initial of frame 8 with a Version Negotiation."""
    details = (("client_versions", "QUIC v1"), ("server_versions", offered))
    noted = Preamble("quic-version-negotiation", accepted=True, details=details, frames=(9,))
    value = ended(SILENCE, None, **overrides)
    hellos = tuple(Event(Side.CLIENT, STARTED_NS, (frame,), value.client_hellos[0]) for frame in hello_frames)
    return replace(value, transport="udp", protocol="quic", tcp=Transport(), preamble=noted, events=hellos)


def test_a_server_of_quic_without_the_version_asked_for_is_told() -> None:
    finding = version_no_overlap.check(case(negotiated(8)))

    assert finding is not None
    assert (finding.severity, finding.certainty) == (None, Certainty.SHOWN)
    assert "asked for QUIC v1" in finding.explanation
    assert "(frame 9) that offers QUIC v2, and the client did not begin again" in finding.explanation


def test_a_capture_that_ends_at_a_version_negotiation_shows_a_warning() -> None:
    finding = version_no_overlap.check(case(replace(negotiated(8), outcome=Outcome.CUT)))

    assert finding is not None
    assert (finding.severity, finding.certainty) == (Severity.WARNING, Certainty.LIKELY)


@pytest.mark.parametrize(
    "value", [negotiated(8, 10), negotiated(8, offered="QUIC v2, QUIC v1")], ids=["begun again", "not to be heeded"]
)
def test_a_version_negotiation_that_ends_nothing_is_not_told(value: Handshake) -> None:
    assert version_no_overlap.check(case(value)) is None


def test_a_packet_of_quic_that_cannot_be_opened_is_an_answer() -> None:
    value = replace(ended(SILENCE, None), transport="udp", protocol="quic", tcp=Transport(), last_frame=9)

    assert hello_unanswered.check(case(with_messages(value, (Side.SERVER, ProtectedPacket("Initial", 1200))))) is None


def test_a_close_of_quic_right_after_the_hello_is_one() -> None:
    value = replace(ended(FIN, Side.SERVER), ending=Ending(EndingKind.CLOSE, Side.SERVER, STARTED_NS + 10**7, frame=6))

    assert hello_closed.check(case(value)) is not None


def test_a_client_that_closed_behind_its_request_did_not_give_up() -> None:
    # gnutls-cli 3.7.9 with a client certificate that HAProxy refuses: request, close_notify, the server's alert, FIN.
    refused = hidden((53, 105, 899, 97, 69), (437, 97, 69, 55, 19), late=(19,))
    shape = ended(FIN, Side.CLIENT)
    value = replace(refused, outcome=shape.outcome, ending=shape.ending, tcp=shape.tcp)

    assert client_gave_up.check(case(value)) is None
    assert client_gave_up.check(case(replace(value, events=value.events[:-3]))) is not None
