"""QUIC handshakes, from frames to what is known about them."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.datagrams import (
    OTHER_RANDOM,
    RANDOM,
    V1,
    V2,
    Sent,
    client_hello,
    close_frame,
    crypto_frame,
    frame,
    frames,
    handshake_message,
    initial_keys,
    inspected,
    keys_of,
    long_packet,
    server_hello,
    short_packet,
    vector,
)
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import EndingKind, Handshake, Outcome, Visibility
from tlsinspect.model.message import Alert, CertificateMessage, EncryptedExtensions, Gap, ProtectedPacket, ServerHello
from tlsinspect.tls.keylog import Secrets

CLIENT, SERVER = Side.CLIENT, Side.SERVER
FIRST, CLIENT_ID, SERVER_ID = b"first-id", b"client", b"server-id"
HELLO = handshake_message(1, client_hello())
ANSWER = handshake_message(2, server_hello())
FLIGHT = (
    handshake_message(8, b"\0\0")
    + handshake_message(11, b"\0" + vector(3, vector(3, b"der") + b"\0\0"))
    + handshake_message(20, bytes(32))
)
SECRETS = {
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET": bytes(31) + b"\1",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET": bytes(31) + b"\2",
    "CLIENT_TRAFFIC_SECRET_0": bytes(31) + b"\3",
    "SERVER_TRAFFIC_SECRET_0": bytes(31) + b"\4",
}
KEYLOG = "".join(f"{label} {RANDOM.hex()} {secret.hex()}\n" for label, secret in SECRETS.items()).encode()
ENDS = {
    CLIENT: {"destination": SERVER_ID, "source": CLIENT_ID},
    SERVER: {"destination": CLIENT_ID, "source": SERVER_ID},
}


def initial(
    side: Side,
    payload: bytes,
    *,
    key_id: bytes = FIRST,
    to: bytes | None = None,
    version: int = V1,
    number: int = 0,
    token: bytes = b"",
) -> bytes:
    """An Initial packet; *key_id* is the client's first Destination Connection ID."""
    destination = to if to is not None else FIRST if side is CLIENT else CLIENT_ID
    source = ENDS[side]["source"]
    keys = initial_keys(key_id, side, version)
    return long_packet(
        keys, payload, destination=destination, source=source, version=version, number=number, token=token
    )


def handshake_packet(side: Side, payload: bytes, *, version: int = V1, number: int = 0) -> bytes:
    keys = keys_of(SECRETS[f"{side.name}_HANDSHAKE_TRAFFIC_SECRET"], version)
    return long_packet(keys, payload, kind=2, version=version, number=number, **ENDS[side])


def one_rtt(side: Side, payload: bytes, *, version: int = V1, number: int = 0) -> bytes:
    keys = keys_of(SECRETS[f"{side.name}_TRAFFIC_SECRET_0"], version)
    return short_packet(keys, payload, destination=ENDS[side]["destination"], number=number)


def conversation(version: int = V1) -> list[Sent]:
    """A whole handshake, and a little of what follows it."""
    return [
        (CLIENT, initial(CLIENT, crypto_frame(HELLO), version=version)),
        (
            SERVER,
            initial(SERVER, crypto_frame(ANSWER), version=version)
            + handshake_packet(SERVER, crypto_frame(FLIGHT), version=version),
        ),
        (
            CLIENT,
            handshake_packet(CLIENT, crypto_frame(handshake_message(20, bytes(32))), version=version)
            + one_rtt(CLIENT, b"\x08\x00question", version=version),
        ),
        (SERVER, one_rtt(SERVER, b"\x1e" + b"\x08\x00" + bytes(200), version=version)),
    ]


def one(sent: list[Sent], keylog: bytes = b"") -> Handshake:
    (handshake,) = inspected(frames(sent), Secrets(keylog))
    return handshake


@pytest.mark.parametrize("version", [V1, V2, 0xFF00001D, 0xFF000017])
def test_follows_a_handshake_without_keys(version: int) -> None:
    handshake = one(conversation(version))

    assert (handshake.transport, handshake.protocol, handshake.history) == ("udp", "quic", "Cs")
    assert (handshake.outcome, handshake.visibility) == (Outcome.COMPLETED, Visibility.HIDDEN)
    assert handshake.server_certificates is Missing.HIDDEN
    assert isinstance(handshake.server_hello, ServerHello)
    assert handshake.client_hellos[0].body(0) == "a.example"


@pytest.mark.parametrize("version", [V1, V2])
def test_reads_the_flight_of_the_server_with_keys(version: int) -> None:
    handshake = one(conversation(version), KEYLOG)

    assert (handshake.history, handshake.visibility) == ("CsoxfF", Visibility.DECRYPTED)
    assert isinstance(handshake.encrypted_extensions, EncryptedExtensions)
    assert isinstance(handshake.server_certificates, CertificateMessage)
    assert handshake.outcome is Outcome.COMPLETED


def test_says_when_the_keys_open_nothing() -> None:
    wrong = b"".join(line[:-2] + b"9\n" for line in KEYLOG.splitlines(keepends=True))

    assert [defect.where for defect in one(conversation(), wrong).defects] == ["keylog"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 60))
def test_sizes_and_order_of_crypto_frames_do_not_matter(seed: int, size: int) -> None:
    chance = random.Random(seed)
    pieces = [crypto_frame(HELLO[at : at + size], at) for at in range(0, len(HELLO), size)]
    chance.shuffle(pieces)
    half = len(pieces) // 2
    packets = [
        initial(CLIENT, bytes(3).join(part), number=number)
        for number, part in enumerate((pieces[:half], pieces[half:]))
    ]
    chance.shuffle(packets)

    handshake = one([*((CLIENT, packet) for packet in packets), *conversation()[1:]])
    assert handshake.client_hellos == one(conversation()).client_hellos
    assert handshake.outcome is Outcome.COMPLETED


def test_counts_each_message_that_was_sent_again_once() -> None:
    first, *rest = conversation()
    again = (CLIENT, initial(CLIENT, crypto_frame(HELLO), number=1))

    assert one([first, again, *rest]).history == "Cs"


def test_takes_a_crypto_error_for_an_alert() -> None:
    first, *_ = conversation()
    handshake = one([first, (SERVER, initial(SERVER, close_frame(0x100 + 120, b"no ALPN")))])

    assert handshake.outcome is Outcome.REJECTED
    assert [(seen.side, seen.alert, seen.frame) for seen in handshake.alerts] == [(SERVER, Alert(2, 120), 2)]


def test_takes_a_refusal_behind_the_handshake_with_keys() -> None:
    *begun, _ = conversation()
    sent: list[Sent] = [*begun, (SERVER, one_rtt(SERVER, close_frame(0x100 + 116)))]

    assert (one(sent, KEYLOG).outcome, one(sent, KEYLOG).alerts[0].alert) == (Outcome.REJECTED, Alert(2, 116))
    assert one(sent).outcome is Outcome.CUT  # a short packet may be anything


def test_names_the_error_of_another_close() -> None:
    first, *_ = conversation()
    handshake = one([first, (SERVER, initial(SERVER, close_frame(0x02, b"too busy")))])

    assert (handshake.outcome, handshake.ending and handshake.ending.kind) == (Outcome.CLOSED, EndingKind.CLOSE)
    assert "CONNECTION_REFUSED (0x2): too busy" in handshake.defects[0].problem


def test_follows_a_retry() -> None:
    first, *_ = conversation()
    retry = b"\xf0" + V1.to_bytes(4, "big") + vector(1, CLIENT_ID) + vector(1, b"retry-id") + b"token" + bytes(16)
    handshake = one(
        [
            first,
            (SERVER, retry),
            (
                CLIENT,
                initial(CLIENT, crypto_frame(HELLO), key_id=b"retry-id", to=b"retry-id", token=b"token", number=1),
            ),
            (SERVER, initial(SERVER, crypto_frame(ANSWER), key_id=b"retry-id")),
        ]
    )

    assert handshake.history == "Cs"
    assert handshake.preamble is not None
    assert (handshake.preamble.protocol, handshake.preamble.details) == (
        "quic-retry",
        (("retry", "token of 5 octets"),),
    )


def test_follows_a_version_negotiation() -> None:
    negotiation = b"\x80" + bytes(4) + vector(1, CLIENT_ID) + vector(1, FIRST) + V1.to_bytes(4, "big")
    other = handshake_message(1, client_hello(random=OTHER_RANDOM))
    handshake = one(
        [
            (CLIENT, initial(CLIENT, crypto_frame(HELLO), version=V2)),
            (SERVER, negotiation),
            (CLIENT, initial(CLIENT, crypto_frame(other))),
            (SERVER, initial(SERVER, crypto_frame(ANSWER))),
        ]
    )

    assert handshake.history == "Cs"
    assert handshake.client_hellos[0].random == OTHER_RANDOM  # the hello that was answered
    assert handshake.preamble is not None
    assert handshake.preamble.details == (("client_versions", "QUIC v2"), ("server_versions", "QUIC v1"))


def test_follows_a_server_that_answers_in_another_version() -> None:
    first, *_ = conversation(V1)

    assert one([first, (SERVER, initial(SERVER, crypto_frame(ANSWER), version=V2))]).history == "Cs"


def test_stalls_when_nobody_answers() -> None:
    sent = [
        frame(number, CLIENT, initial(CLIENT, crypto_frame(HELLO), number=number), time_ns=number * 10**9)
        for number in (1, 2, 4)
    ]
    later = frame(9, CLIENT, b"other", time_ns=80 * 10**9, client=1)

    (handshake,) = inspected([*sent, later])
    assert (handshake.outcome, handshake.history) == (Outcome.STALLED, "C")


def test_shows_the_answer_to_a_hello_that_the_snap_length_cut() -> None:
    (_, octets), *rest = conversation()
    whole = frame(1, CLIENT, octets)
    handshakes = inspected([whole._replace(data=whole.data[:-20]), *frames([(CLIENT, b""), *rest])[1:]])

    assert [handshake.history for handshake in handshakes] == ["s"]
    assert handshakes[0].no_client_hello is Missing.LOST
    assert handshakes[0].client.port == 50000


def test_tells_of_a_server_whose_client_is_not_in_the_capture() -> None:
    handshake = one([sent for sent in conversation() if sent[0] is SERVER])

    assert (handshake.server.port, handshake.server_hello, handshake.no_client_hello) == (
        443,
        Missing.LOST,
        Missing.LOST,
    )
    assert ProtectedPacket("Initial", len(initial(SERVER, crypto_frame(ANSWER)))) in [
        e.message for e in handshake.events
    ]


def test_passes_over_what_comes_without_an_initial_packet() -> None:
    assert inspected(frames(conversation()[2:])) == []


def test_numbers_a_second_connection_of_the_same_peers_as_part_two() -> None:
    other = crypto_frame(handshake_message(1, client_hello(random=OTHER_RANDOM)))
    sent = [*conversation(), (CLIENT, initial(CLIENT, other, key_id=b"other-id", to=b"other-id"))]

    first, second = inspected(frames(sent))
    assert [(each.stream, each.part, each.outcome) for each in (first, second)] == [
        (0, 1, Outcome.COMPLETED),
        (0, 2, Outcome.CUT),
    ]


def test_keeps_the_beginning_of_a_hello_that_never_became_whole() -> None:
    handshake = one([(CLIENT, initial(CLIENT, crypto_frame(HELLO[:-7])))])

    assert handshake.client_hellos[0].body(0) == "a.example"
    assert not any(isinstance(event.message, Gap) for event in handshake.events)


def test_says_what_is_wrong_with_a_frame() -> None:
    handshake = one([(CLIENT, initial(CLIENT, crypto_frame(HELLO) + b"\x06\x40"))])

    assert [(defect.where, defect.frames) for defect in handshake.defects] == [("quic.Initial", (1,))]


# -- properties


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=80)), max_size=8))
def test_any_octets_in_packets_that_open_raise_nothing(payloads: list[tuple[bool, bytes]]) -> None:
    sent: list[Sent] = [conversation()[0]]
    for number, (client, octets) in enumerate(payloads, 1):
        side = CLIENT if client else SERVER
        sent.append((side, initial(side, octets, number=number) + handshake_packet(side, octets, number=number)))

    assert len(inspected(frames(sent), Secrets(KEYLOG))) <= len(sent)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(HELLO)))
def test_any_octets_in_messages_raise_nothing(octets: bytes, at: int) -> None:
    changed = HELLO[:at] + octets + HELLO[at + len(octets) :]

    (handshake,) = inspected(frames([(CLIENT, initial(CLIENT, crypto_frame(changed)))]))
    assert handshake.protocol == "quic"


@pytest.mark.parametrize("keylog", [b"", KEYLOG], ids=["without keys", "with keys"])
def test_a_shorter_capture_changes_no_field(keylog: bytes) -> None:
    whole = one(conversation(), keylog)
    for count in range(1, 4):
        cut = one(conversation()[:count], keylog)

        assert cut.client_hellos == whole.client_hellos
        assert cut.server_hello in (whole.server_hello, Missing.LOST)
        assert cut.server_certificates in (whole.server_certificates, Missing.LOST)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32))
def test_order_of_datagrams_does_not_change_the_hellos(seed: int) -> None:
    first, *rest = conversation()
    random.Random(seed).shuffle(rest)
    known = one(conversation(), KEYLOG)

    handshake = one([first, *rest], KEYLOG)
    assert (handshake.client_hellos, handshake.server_hello) == (known.client_hellos, known.server_hello)
    assert handshake.server_certificates == known.server_certificates
