"""DTLS handshakes, from frames to what is known about them."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.datagrams import (
    OTHER_RANDOM,
    RANDOM,
    Sent,
    client_hello,
    dtls_message,
    fragments,
    frame,
    frames,
    inspected,
    record,
    server_hello,
)
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import EndingKind, Handshake, Outcome, Visibility
from tlsinspect.model.message import Alert, CertificateMessage, ClientHello, PlainMessage, ServerHello

CLIENT, SERVER = Side.CLIENT, Side.SERVER
HELLO = client_hello(version=0xFEFD, cookie=b"")
HELLO_WITH_COOKIE = client_hello(version=0xFEFD, cookie=b"cookie of the server")
CHAIN = b"\0\0\x06\0\0\x03der"
CHANGE_CIPHER_SPEC = record(20, b"\1", sequence=9)
FINISHED = record(22, bytes(40), epoch=1)
FLIGHT = dtls_message(2, server_hello(version=0xFEFD, suite=0xC02F, selected=None), seq=1) + b"".join(
    [record(22, part) for part in fragments(11, CHAIN, seq=2, size=4)] + [dtls_message(14, b"", seq=3)]
)
HANDSHAKE: list[Sent] = [
    (CLIENT, dtls_message(1, HELLO, seq=0)),
    (SERVER, dtls_message(3, b"\xfe\xff\x14cookie of the server", seq=0)),
    (CLIENT, dtls_message(1, HELLO_WITH_COOKIE, seq=1)),
    (SERVER, FLIGHT),
    (CLIENT, dtls_message(16, b"\0" * 33, seq=2) + CHANGE_CIPHER_SPEC + FINISHED),
    (SERVER, CHANGE_CIPHER_SPEC + FINISHED),
]


def one(sent: list[Sent]) -> Handshake:
    (handshake,) = inspected(frames(sent))
    return handshake


def test_follows_a_handshake_with_hello_verify_request() -> None:
    handshake = one(HANDSHAKE)

    assert handshake.history == "CvCsxnGIi"
    assert (handshake.transport, handshake.protocol, handshake.outcome) == ("udp", "dtls", Outcome.COMPLETED)
    assert (handshake.visibility, handshake.stream, handshake.client.port) == (Visibility.CLEAR, 0, 50000)
    assert isinstance(handshake.server_hello, ServerHello)
    assert handshake.server_hello.version == 0xFEFD
    assert isinstance(handshake.server_certificates, CertificateMessage)
    assert [entry.der for entry in handshake.server_certificates.entries] == [b"der"]


def test_skips_the_cookie_of_a_client_hello() -> None:
    first, second = one(HANDSHAKE).client_hellos

    assert first == second
    assert first.body(0) == "a.example"


def test_counts_each_message_that_was_sent_again_once() -> None:
    assert one([each for sent in HANDSHAKE for each in (sent, sent)]).history == one(HANDSHAKE).history


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(16, 120))
def test_sizes_and_order_of_the_fragments_of_a_flight_do_not_matter(seed: int, size: int) -> None:
    body = server_hello(version=0xFEFD, suite=0xC02F, selected=None)
    messages = ((2, body, 1), (11, CHAIN, 2), (14, b"", 3))
    parts = [record(22, part) for kind, octets, seq in messages for part in fragments(kind, octets, seq=seq, size=size)]
    random.Random(seed).shuffle(parts)
    shuffled = one([*HANDSHAKE[:3], *((SERVER, part) for part in parts), *HANDSHAKE[4:]])

    known = one(HANDSHAKE)
    assert shuffled.server_hello == known.server_hello
    assert shuffled.server_certificates == known.server_certificates
    assert sorted(shuffled.history) == sorted(known.history)


def test_takes_a_fatal_alert_for_a_refusal() -> None:
    handshake = one([HANDSHAKE[0], (SERVER, record(21, b"\x02\x28"))])

    assert handshake.outcome is Outcome.REJECTED
    assert [(seen.side, seen.alert) for seen in handshake.alerts] == [(SERVER, Alert(2, 40))]


def test_stalls_when_nobody_answers() -> None:
    sent = [frame(number, CLIENT, HANDSHAKE[0][1], time_ns=number * 10**9) for number in (1, 2, 4, 8)]
    later = frame(9, CLIENT, b"other", time_ns=80 * 10**9, client=1)

    (handshake,) = inspected([*sent, later])
    assert (handshake.outcome, handshake.last_frame) == (Outcome.STALLED, 8)
    assert handshake.server_hello is Missing.NOT_SENT


def test_is_cut_when_the_capture_ends_first() -> None:
    handshake = one(HANDSHAKE[:4])

    assert handshake.outcome is Outcome.CUT
    assert handshake.ending is not None
    assert handshake.ending.kind is EndingKind.CAPTURE_END


def test_tells_the_sides_by_the_first_message() -> None:
    handshake = one(HANDSHAKE[3:])

    assert (handshake.client.port, handshake.server.port) == (50000, 443)
    assert handshake.no_client_hello is Missing.LOST


def test_keeps_the_beginning_of_a_message_that_never_became_whole() -> None:
    parts = fragments(1, HELLO, seq=0, size=len(HELLO) - 7)
    handshake = one([(CLIENT, record(22, parts[0]))])

    assert handshake.history == "C"
    assert handshake.client_hellos[0].body(0) == "a.example"
    assert "are in the capture" in handshake.defects[0].problem


def test_numbers_a_second_handshake_of_the_same_peers_as_part_two() -> None:
    again = dtls_message(1, client_hello(version=0xFEFD, cookie=b"", random=OTHER_RANDOM), seq=0)

    first, second = inspected(frames([*HANDSHAKE, (CLIENT, again)]))
    assert [(each.stream, each.part, each.outcome) for each in (first, second)] == [
        (0, 1, Outcome.COMPLETED),
        (0, 2, Outcome.CUT),
    ]
    assert [hello.random for hello in (*first.client_hellos, *second.client_hellos)] == [RANDOM, RANDOM, OTHER_RANDOM]


def test_hides_what_follows_the_server_hello_of_dtls_13() -> None:
    more = b"\0\x33\0\0"
    sealed = b"\x2e\0\0" + (61).to_bytes(2, "big") + bytes(61)
    acknowledgement = b"\x2f\0\0" + (35).to_bytes(2, "big") + bytes(35)
    sent: list[Sent] = [
        (CLIENT, dtls_message(1, client_hello(version=0xFEFD, cookie=b"", more=more), seq=0)),
        (SERVER, dtls_message(2, server_hello(version=0xFEFD, selected=0xFEFC), seq=0) + sealed),
        (CLIENT, sealed),
        (SERVER, acknowledgement),
    ]

    handshake = one(sent)
    assert (handshake.visibility, handshake.outcome) == (Visibility.HIDDEN, Outcome.COMPLETED)
    assert handshake.server_certificates is Missing.HIDDEN
    assert one(sent[:3]).outcome is Outcome.CUT


def test_does_not_take_an_alert_for_the_acknowledgement_of_the_finished() -> None:
    sealed = b"\x2e\0\0" + (61).to_bytes(2, "big") + bytes(61)
    refusal = b"\x2f\0\0" + (19).to_bytes(2, "big") + bytes(19)
    answer = dtls_message(2, server_hello(version=0xFEFD, selected=0xFEFC), seq=0) + sealed

    assert one([HANDSHAKE[0], (SERVER, answer), (CLIENT, sealed), (SERVER, refusal)]).outcome is not Outcome.COMPLETED


def test_keeps_a_client_hello_of_the_server() -> None:
    handshake = one([HANDSHAKE[0], (SERVER, dtls_message(1, client_hello(random=OTHER_RANDOM, cookie=b""), seq=0))])

    assert handshake.history == "Cc"
    assert [type(event.message) for event in handshake.events] == [ClientHello, ClientHello]


def test_says_what_is_wrong_with_a_fragment() -> None:
    part = bytearray(fragments(11, CHAIN, seq=2)[0])
    part[11] = 200  # fragment_length

    handshake = one([HANDSHAKE[0], (SERVER, FLIGHT), (SERVER, record(22, bytes(part)))])
    assert [(defect.where, defect.frames) for defect in handshake.defects] == [("dtls.handshake", (3,))]


def test_knows_only_the_type_of_messages_that_say_nothing_more() -> None:
    assert PlainMessage(3, 23) in [event.message for event in one(HANDSHAKE).events]


# -- properties


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(20, 26), st.integers(0, 3), st.binary(max_size=80)), max_size=8))
def test_any_octets_in_records_raise_nothing(contents: list[tuple[bool, int, int, bytes]]) -> None:
    sent: list[Sent] = [HANDSHAKE[0]]
    for sequence, (client, kind, epoch, octets) in enumerate(contents, 1):
        sent.append((CLIENT if client else SERVER, record(kind, octets, epoch=epoch, sequence=sequence)))

    assert len(inspected(frames(sent))) <= len(sent)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(HELLO)), st.integers(1, 20))
def test_any_octets_in_messages_raise_nothing(octets: bytes, at: int, kind: int) -> None:
    changed = HELLO[:at] + octets + HELLO[at + len(octets) :]

    assert len(inspected(frames([HANDSHAKE[0], (SERVER, dtls_message(kind, changed, seq=1))]))) == 1


def test_a_shorter_capture_changes_no_field() -> None:
    whole = one(HANDSHAKE)
    for count in range(3, 6):
        cut = one(HANDSHAKE[:count])

        assert cut.client_hellos == whole.client_hellos
        assert cut.server_hello in (whole.server_hello, Missing.LOST)
        assert cut.server_certificates in (whole.server_certificates, Missing.LOST)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32))
def test_order_of_datagrams_does_not_change_the_messages(seed: int) -> None:
    rest = HANDSHAKE[3:]
    random.Random(seed).shuffle(rest)
    known = one(HANDSHAKE)

    handshake = one([*HANDSHAKE[:3], *rest])
    assert (handshake.client_hellos, handshake.server_hello) == (known.client_hellos, known.server_hello)
    assert handshake.server_certificates == known.server_certificates
