"""Which handshake resumed from which, where only sizes and peers tell."""

from dataclasses import replace

import pytest

from tests.support.handshakes import client_hello, handshake
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Event, Handshake, Resumption, Visibility
from tlsinspect.model.message import EncryptedRecord, Extension, OfferedPsks, ProtectedPacket, PskIdentity
from tlsinspect.sessions import LIKELY, HandshakeName, Lineage, Sessions, Trace
from tlsinspect.tls.extensions import PRE_SHARED_KEY

TICKET = bytes(180)
PSKS = OfferedPsks((PskIdentity(TICKET, 1000),), (bytes(32),))
MESSAGES = {"quic": ProtectedPacket("1-RTT", 300), "tls": EncryptedRecord(23, 300), "dtls": EncryptedRecord(23, 300)}


def issuing(protocol: str) -> Handshake:
    """A hidden handshake whose server sent something that can hold the ticket."""
    sides = (Side.CLIENT, Side.SERVER)
    events = tuple(Event(side=side, time_ns=1, frames=(1,), message=MESSAGES[protocol]) for side in sides)
    return handshake(stream=0, protocol=protocol, visibility=Visibility.HIDDEN, events=events)


def resuming(protocol: str) -> Handshake:
    hello = client_hello()
    hello = replace(hello, extensions=(*hello.extensions, Extension(PRE_SHARED_KEY, b"", PSKS)))
    taken = Resumption(offered=("psk",), accepted="psk")
    later = issuing(protocol).started_ns + 10**9
    return handshake(stream=1, protocol=protocol, started_ns=later, client_hellos=(hello,), resumption=taken)


@pytest.mark.parametrize("protocol", ["tls", "dtls", "quic"])
def test_finds_a_likely_origin_among_the_same_peers(protocol: str) -> None:
    sessions = Sessions()
    sessions.add(issuing(protocol))

    origin = sessions.origin(resuming(protocol))
    assert origin is not None
    assert (origin.handshake.stream, origin.certainty) == (0, LIKELY)


def test_takes_no_ticket_of_tls_for_one_of_quic() -> None:
    sessions = Sessions()
    sessions.add(issuing("tls"))

    assert sessions.origin(resuming("quic")) is None


def issuer_of(number: int) -> Trace[HandshakeName]:
    peers = (f"client {number}", "server", 443, "tls")
    name = HandshakeName("capture.pcap", number, 1)
    return Trace(name, number, peers, (b"s%d" % number,), (), False, False, 0, 500)


def test_knows_the_latest_sessions_and_forgets_the_oldest() -> None:
    lineage: Lineage[HandshakeName] = Lineage(most=20)
    for number in range(100):
        lineage.add(issuer_of(number))

    asked = [issuer_of(1000)._replace(offered=((b"s%d" % number, "why"),)) for number in range(100)]
    known = [source.handshake.stream for source in map(lineage.source, asked) if source is not None]

    assert known == list(range(100 - len(known), 100))
    assert 10 <= len(known) <= 20
