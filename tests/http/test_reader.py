"""What an HttpReader makes of HTTP/1.1 and HTTP/2 that comes whole, split anywhere, or with a loss."""

from itertools import pairwise

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsinspect.http.reader import HttpReader
from tlsinspect.http.two import PREFACE
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import HttpExchange

CLIENT, SERVER = Side.CLIENT, Side.SERVER
NGINX_400 = b"<html><head><title>400 No required SSL certificate was sent</title></head></html>"
ONE = {
    CLIENT: b"POST /a?token=secret HTTP/1.1\r\nHost: a.example:8443\r\nCookie: s=secret\r\nContent-Length: 19\r\n\r\n"
    b"GET /n HTTP/1.1\r\n\r\nHEAD /b HTTP/1.1\r\nhost:b.example\r\n\r\n"
    b"GET http://user:secret@c.example/c?x HTTP/1.1\r\nHost: c.example\r\n\r\n",
    SERVER: b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;x\r\nHTTP/\r\n0\r\nA: b\r\n\r\n"
    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\n"
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" + NGINX_400,
}
EXCHANGES = [
    ("POST", "a.example:8443", "/a", 200, ""),
    ("HEAD", "b.example", "/b", 403, ""),
    ("GET", "c.example", "/c", 400, "No required SSL certificate was sent"),
]


def told(reader: HttpReader) -> list[tuple[str, str, str, int | None, str]]:
    return [(each.method, each.host, each.path, each.status, each.said) for each in reader.exchanges()]


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def two() -> dict[Side, bytes]:
    """Requests for two hosts; padding, priority, a continuation, a push, an interim response and trailers."""
    client, server = hpack.Encoder(), hpack.Encoder()

    def request(host: str, path: str) -> bytes:
        head = [(":method", "GET"), (":scheme", "https"), (":authority", host), (":path", path), ("cookie", "secret")]
        return client.encode(head)

    first, second = request("a.example", "/a?secret"), request("b.example", "/b")
    return {
        CLIENT: PREFACE
        + frame(4, 0, 0, b"")
        + frame(1, 0x8 | 0x20, 1, b"\x02" + bytes(5) + first[:7] + bytes(2))
        + frame(9, 0x4, 1, first[7:])
        + frame(1, 0x5, 3, second),
        SERVER: frame(4, 0, 0, bytes(6))
        + frame(5, 0x4, 1, (2).to_bytes(4, "big") + server.encode([(":method", "GET"), (":path", "/pushed")]))
        + frame(1, 0x4, 3, server.encode([(":status", "103")]))
        + frame(1, 0x4, 3, server.encode([(":status", "421"), ("server", "nginx")]))
        + frame(0, 0, 3, b"The client certificate of this connection is another")
        + frame(1, 0x4, 1, server.encode([(":status", "200")]))
        + frame(0, 0, 1, bytes(20_000))
        + frame(1, 0x5, 1, server.encode([("grpc-status", "0")])),
    }


EXCHANGES_OF_TWO = [
    ("GET", "a.example", "/a", 200, ""),
    ("GET", "b.example", "/b", 421, "The client certificate of this connection is another"),
]


@given(st.data())
@pytest.mark.parametrize(("octets", "expected"), [(ONE, EXCHANGES), (two(), EXCHANGES_OF_TWO)])
def test_records_may_end_anywhere(
    octets: dict[Side, bytes], expected: list[tuple[str, str, str, int, str]], data: st.DataObject
) -> None:
    reader = HttpReader()
    for side in Side:
        step = data.draw(st.integers(1, 400))
        cuts = [0, data.draw(st.integers(0, step)), *range(step, len(octets[side]), step), len(octets[side])]
        for start, end in pairwise(sorted(cuts)):
            reader.feed(side, octets[side][start:end], 1)

    assert told(reader) == expected


@given(st.binary(max_size=300), st.sampled_from((b"", b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", PREFACE)))
def test_takes_any_octets(octets: bytes, begin: bytes) -> None:
    reader = HttpReader()
    for side in Side:
        reader.feed(side, begin + octets, 1)
        reader.feed(side, frame(4, 0, 0, b"") + octets, 2)
        reader.lost(side)
        reader.feed(side, octets, 3)

    assert all(isinstance(each, HttpExchange) for each in reader.exchanges())


def test_pairs_nothing_behind_a_loss() -> None:
    reader = HttpReader()
    reader.feed(CLIENT, b"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n", 1)
    reader.feed(SERVER, b"HTTP/1.1 204 No Content\r\n\r\n", 2)
    reader.lost(CLIENT)
    reader.feed(CLIENT, b"rest of a content", 3)
    reader.feed(CLIENT, b"GET /c HTTP/1.1\r\nHost: c.example\r\n\r\n", 4)
    reader.feed(SERVER, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 5)

    assert told(reader) == [
        ("GET", "a.example", "/a", 204, ""),
        ("GET", "c.example", "/c", None, ""),
        ("", "", "", 403, ""),
    ]


def test_says_what_a_cut_head_says() -> None:
    reader = HttpReader()
    reader.feed(CLIENT, b"GET /a HTTP/1.1\r\nHost: a.example\r\nAccept: te", 7)

    assert told(reader) == [("GET", "a.example", "/a", None, "")]


def test_stops_where_another_protocol_begins() -> None:
    reader = HttpReader()
    reader.feed(CLIENT, b"GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\r\n", 1)
    reader.feed(SERVER, b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x05HTTP/", 2)
    reader.feed(SERVER, b"HTTP/1.1 403 Forbidden\r\n\r\n", 3)

    assert told(reader) == [("GET", "a.example", "/chat", 101, "")]


@pytest.mark.parametrize(
    ("client", "server"), [(b"EHLO a.example\r\n", b"220 mail\r\n"), (b"\x30\x0c\x02", b"\x30\x0c")]
)
def test_leaves_other_protocols_alone(client: bytes, server: bytes) -> None:
    reader = HttpReader()
    reader.feed(CLIENT, client * 300, 1)
    reader.feed(SERVER, server * 600, 2)

    assert reader.exchanges() == ()
    assert reader.done


def test_keeps_no_more_than_its_bound() -> None:
    reader = HttpReader()
    for number in range(200):
        reader.feed(CLIENT, b"GET / HTTP/1.1\r\nHost: %d.example\r\n\r\n" % number, 1)

    assert len(reader.exchanges()) == 64
    assert reader.done


def test_a_chunk_of_negative_size_ends_reading() -> None:
    reader = HttpReader()
    reader.feed(Side.CLIENT, b"GET /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 1)
    reader.feed(Side.CLIENT, b"-5\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\n", 2)

    assert [exchange.path for exchange in reader.exchanges()] == ["/one"]


def test_the_line_about_a_certificate_ends_where_markup_begins() -> None:
    reader = HttpReader()
    reader.feed(Side.CLIENT, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1)
    content = b"<p>certificates</p><b>Your certificate is not welcome</b>"
    reader.feed(Side.SERVER, b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content), 2)

    assert [exchange.said for exchange in reader.exchanges()] == ["Your certificate is not welcome"]
