"""Records of DTLS in one datagram."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.datagrams import client_hello, dtls_message, record
from tlsinspect.dtls.record import begins_handshake, decode_records

HELLO = dtls_message(1, client_hello(version=0xFEFD, cookie=b""), seq=0)


def begins(payload: bytes) -> bool:
    return begins_handshake(payload, len(payload))


def decoded(payload: bytes, *, octets: int | None = None, cid_octets: int = 0) -> list[tuple[int, int, int, int]]:
    records = decode_records(payload, octets=octets or len(payload), cid_octets=cid_octets)
    return [(each.type, each.epoch, each.sequence, len(each.fragment)) for each in records]


def test_reads_epoch_and_number_of_each_record_of_a_datagram() -> None:
    payload = record(20, b"\1", sequence=3) + record(22, bytes(40), epoch=1, sequence=7)

    assert decoded(payload) == [(20, 0, 3, 1), (22, 1, 7, 40)]


def test_stops_at_octets_that_are_no_record() -> None:
    assert decoded(record(21, b"\2\x28") + b"\x80" * 20) == [(21, 0, 0, 2)]


def test_stops_at_a_record_longer_than_its_datagram() -> None:
    assert decoded(record(22, bytes(40))[:-1]) == []


def test_keeps_the_captured_part_of_a_record_that_the_snap_length_cut() -> None:
    payload = record(22, bytes(40))

    (cut,) = decode_records(payload[:30], octets=len(payload), cid_octets=0)
    assert (len(cut.fragment), cut.octets) == (17, 40)


def test_skips_the_connection_id_of_dtls_12() -> None:
    payload = record(25, bytes(10), epoch=1)

    assert decoded(payload[:11] + b"cid" + payload[11:], cid_octets=3) == [(25, 1, 0, 10)]


def test_reads_unified_headers_of_every_shape() -> None:
    payload = b"\x2e\x01\x02\x00\x03abc" + b"\x3f" + b"id" + b"\x00\x05\x00\x01z" + b"\x22\x09" + bytes(18)

    assert decoded(payload, cid_octets=2) == [(23, 2, 0x0102, 3), (23, 3, 5, 1), (23, 2, 9, 18)]


def test_takes_a_datagram_for_dtls_by_its_first_message() -> None:
    assert begins(HELLO)
    assert not begins(HELLO[:24])
    assert not begins(dtls_message(99, b"", seq=0))
    assert not begins(dtls_message(1, client_hello(), seq=0, epoch=1))
    assert not begins(b"\x16\x03\x03" + HELLO[3:])


@given(st.binary(max_size=300), st.integers(0, 300), st.integers(0, 20))
def test_reads_any_octets(payload: bytes, more: int, cid_octets: int) -> None:
    records = decode_records(payload, octets=len(payload) + more, cid_octets=cid_octets)

    assert sum(len(each.header) + len(each.fragment) for each in records) <= len(payload)
    assert begins(payload) in (True, False)
