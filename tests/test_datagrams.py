"""The table of UDP conversations: their numbers, when each handshake is over, and what is held."""

import random
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.captures import CORPORA
from tests.support.datagrams import (
    MS,
    OTHER_RANDOM,
    Sent,
    client_hello,
    crypto_frame,
    dtls_message,
    frame,
    frames,
    handshake_message,
    initial_keys,
    inspected,
    long_packet,
    record,
    server_hello,
)
from tlsinspect.capture.file import open_capture
from tlsinspect.conversation import Limits
from tlsinspect.datagrams import Datagrams
from tlsinspect.inspector import Inspector
from tlsinspect.model.frame import Frame, Side
from tlsinspect.model.handshake import Handshake, Outcome
from tlsinspect.net.packet import Datagram, PacketDecoder, Quoted

CLIENT, SERVER = Side.CLIENT, Side.SERVER
SECOND = 1000 * MS
HELLO = dtls_message(1, client_hello(version=0xFEFD, cookie=b""), seq=0)
ANSWER = dtls_message(2, server_hello(version=0xFEFD, suite=0xC02F, selected=None), seq=0)
REFUSAL = record(21, b"\x02\x28")
QUIC_HELLO = long_packet(
    initial_keys(b"first-id", CLIENT),
    crypto_frame(handshake_message(1, client_hello())),
    destination=b"first-id",
    source=b"abc",
)
COMPLETE: list[Sent] = [
    (CLIENT, HELLO),
    (SERVER, ANSWER),
    (CLIENT, record(22, bytes(40), epoch=1)),
    (SERVER, record(22, bytes(40), epoch=1)),
]


def decoded(each: Frame) -> Datagram:
    datagram = PacketDecoder().decode(each)
    assert isinstance(datagram, Datagram)
    return datagram


def test_numbers_every_conversation_whatever_is_spoken_on_it() -> None:
    sent = [
        frame(1, CLIENT, b"dns", client=1000),
        frame(2, CLIENT, b"\x00\x01 stun", client=1001),
        frame(3, SERVER, b"dns", client=1000),
        frame(4, CLIENT, HELLO, client=1002),
        frame(5, CLIENT, QUIC_HELLO, client=1001),
    ]

    assert [(each.stream, each.protocol) for each in inspected(sent)] == [(2, "dtls"), (1, "quic")]


def test_begins_a_handshake_at_its_first_datagram() -> None:
    (handshake,) = inspected(frames([(SERVER, b"\x00\x01 stun"), (CLIENT, b"\x00\x01 stun"), (CLIENT, HELLO)]))

    assert (handshake.first_frame, handshake.started_ns, handshake.client.port) == (3, 3 * MS, 50000)


def test_returns_a_completed_handshake_after_the_time_for_late_alerts() -> None:
    inspector = Inspector()
    for each in frames(COMPLETE):
        assert not inspector.feed(each)

    late = frame(9, CLIENT, record(23, b"x", epoch=1), time_ns=4 * MS + 2 * SECOND)
    after = frame(10, CLIENT, record(23, b"x", epoch=1), time_ns=4 * MS + 2 * SECOND + 1)
    assert not inspector.feed(late)
    (handshake,) = inspector.feed(after)
    assert handshake.outcome is Outcome.COMPLETED
    assert inspector.finish() == []


def test_returns_a_completed_handshake_after_much_application_data() -> None:
    data = [frame(number, SERVER, record(23, bytes(14000), epoch=1)) for number in range(5, 30)]
    inspector = Inspector()

    found = [handshake for each in [*frames(COMPLETE), *data] for handshake in inspector.feed(each)]
    assert [handshake.outcome for handshake in found] == [Outcome.COMPLETED]


def test_returns_a_refused_handshake_soon() -> None:
    inspector = Inspector()
    for each in frames([(CLIENT, HELLO), (SERVER, REFUSAL)]):
        inspector.feed(each)

    assert [handshake.outcome for handshake in inspector.expire(2 * MS + 200 * MS + 1)] == [Outcome.REJECTED]


def test_passes_over_what_a_handshake_that_is_over_sends_again() -> None:
    again = [frame(number, CLIENT, HELLO, time_ns=number * SECOND) for number in (100, 101)]

    assert len(inspected([*frames(COMPLETE), *again])) == 1


def test_begins_another_handshake_after_one_that_is_over() -> None:
    other = dtls_message(1, client_hello(version=0xFEFD, cookie=b"", random=OTHER_RANDOM), seq=0)

    found = inspected([*frames(COMPLETE), frame(9, CLIENT, other, time_ns=100 * SECOND)])
    assert [(each.stream, each.part) for each in found] == [(0, 1), (0, 2)]


def test_follows_the_clock_of_the_capture_over_a_fault() -> None:
    year = 365 * 24 * 3600 * SECOND
    first, *rest = frames(COMPLETE)
    moved = [each._replace(time_ns=each.time_ns + year) for each in rest]

    assert [each.outcome for each in inspected([first, *moved])] == [Outcome.COMPLETED]


def test_gives_the_oldest_of_too_many_conversations_up() -> None:
    inspector = Inspector(limits=Limits(most_flows=10))
    found = []
    for number in range(1, 31):
        found += inspector.feed(frame(number, CLIENT, HELLO, client=number))

    assert [handshake.stream for handshake in found] == list(range(20))
    assert inspector.evicted == 20
    assert [handshake.stream for handshake in inspector.finish()] == list(range(20, 30))


def test_asks_for_nothing_but_the_first_octet_of_a_foreign_conversation() -> None:
    table = Datagrams(limits=Limits())
    datagram = decoded(frame(1, CLIENT, b"dns"))
    table.feed(datagram, 1, MS)

    assert table.feed(datagram, 2, 2 * MS) == ()
    assert list(table.finish()) == []


# -- properties


def summary(handshakes: list[Handshake]) -> list[tuple[object, ...]]:
    return [(each.stream, each.part, each.outcome, each.history, each.last_frame, each.events) for each in handshakes]


def mixed(seed: int) -> list[Frame]:
    """Datagrams of several handshakes and of others, mixed, changed, left out, some of them long after the others."""
    chance = random.Random(seed)
    pool = [*COMPLETE, (SERVER, REFUSAL), (CLIENT, QUIC_HELLO), (CLIENT, b"dns"), (SERVER, b"\xc0" + bytes(20))]
    found, now = [], 0
    for number in range(1, chance.randrange(2, 40)):
        side, payload = chance.choice(pool)
        now += chance.choice((MS, MS, MS, SECOND, 61 * SECOND))
        octets = bytearray(payload)
        if chance.random() < 0.3:
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        if chance.random() < 0.1:
            octets = octets[: chance.randrange(len(octets))]
        found.append(frame(number, side, bytes(octets), time_ns=now, client=chance.choice((1, 1, 2))))
    return found


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1 << 32))
def test_expiry_after_each_frame_changes_nothing(seed: int) -> None:
    taken = mixed(seed)
    often = Inspector()
    found = []
    for each in taken:
        found += often.feed(each)
        found += often.expire(each.time_ns)
    found += often.finish()

    assert summary(found) == summary(inspected(taken))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=120)), max_size=12), st.integers(0, 3))
def test_reads_any_datagrams(payloads: list[tuple[bool, bytes]], kind: int) -> None:
    start = (b"", HELLO, QUIC_HELLO[:60], QUIC_HELLO)[kind]
    sent: list[Sent] = [
        (CLIENT, start),
        *((CLIENT if client else SERVER, start[:9] + octets) for client, octets in payloads),
    ]

    assert len(inspected(frames(sent))) <= len(sent)


# -- against tshark

NUMBERED = (
    "ntop__dtls.pcap",  # GTP
    "cisco__geneve.pcap",
    "Lekensteyn__webrtc-freeswitch.pcapng",
    "AlexeyVasilev__01_vxlan_inner_ipv4_tcp.pcap",
    "ntop__quic_interop_V.pcapng",
    "ntop__stun.pcap",
)


def our_numbers(name: str) -> dict[int, list[int]]:
    decoder, table = PacketDecoder(), Datagrams(limits=Limits())
    found: dict[int, list[int]] = {}
    with open_capture(CORPORA / name) as capture:
        for each in capture:
            packet = decoder.decode(each)
            seen = [*decoder.passed]
            decoder.passed.clear()
            if isinstance(packet, Datagram) or (isinstance(packet, Quoted) and packet.protocol == 17):
                seen.append(packet.key)
            for key in dict.fromkeys(seen):
                table.mention(key)
                found.setdefault(each.number, []).append(table.number_of(key))
    return found


def numbers_of_tshark(name: str) -> dict[int, list[int]]:
    command = [
        "tshark",
        "-n",
        "-r",
        str(CORPORA / name),
        "-Y",
        "udp",
        "-T",
        "fields",
        "-e",
        "frame.number",
        "-e",
        "udp.stream",
    ]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = (line.split("\t") for line in output.splitlines())
    return {int(number): [int(stream) for stream in streams.split(",")] for number, streams in rows}


@pytest.mark.skipif(not CORPORA.exists() or shutil.which("tshark") is None, reason="no corpora, or no tshark")
@pytest.mark.parametrize("name", NUMBERED)
def test_numbers_conversations_as_tshark_does(name: str) -> None:
    assert our_numbers(name) == numbers_of_tshark(name)
