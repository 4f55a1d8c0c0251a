"""The reader on dialogues written out octet by octet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsinspect.model.frame import Side
from tlsinspect.preamble.dialogues import DIALOGUES
from tlsinspect.preamble.reader import PreambleReader, State
from tlsinspect.preamble.start import looks_like_tls

# The first octets of a record with a ClientHello, and of one with a ServerHello.
CLIENT_HELLO = b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03"
SERVER_HELLO = b"\x16\x03\x03\x00\x5a\x02\x00\x00\x56\x03\x03"
SSLV2_CLIENT_HELLO = b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(21 + 16)

LDAP_OID = b"1.3.6.1.4.1.1466.20037"
LDAP_REQUEST = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + LDAP_OID
POSTGRESQL_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
POSTGRESQL_GSSENC_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x30"
MYSQL_GREETING = b"\x4a\x00\x00\x00\x0a8.0.36\x00" + bytes(66)
MYSQL_SSL_REQUEST = b"\x20\x00\x00\x01\x05\xae\xff\x01" + bytes(28)
RDP_REQUEST = b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00"
RDP_CONFIRM = b"\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x00\x08\x00\x01\x00\x00\x00"
RDP_FAILURE = b"\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x03\x00\x08\x00\x02\x00\x00\x00"
PROXY_V2 = (
    b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0f"
    + b"\xc0\x00\x02\x01"
    + b"\xc6\x33\x64\x02"
    + b"\xdc\x04\x01\xbb\x04\x00\x00"
)


def _run(*turns):
    """The last verdict after turns such as "C" and b"octets" each in a frame of its own, numbered from 1."""
    reader, verdict = PreambleReader(), None
    for number, (letter, octets) in enumerate(turns, 1):
        side = Side.CLIENT if letter == "C" else Side.SERVER
        verdict = reader.feed(side, octets, number, number * 1000)
    return verdict


def _both(turns):
    """The same turns in one piece each, and octet by octet."""
    return _run(*turns), _run(*((letter, bytes((octet,))) for letter, octets in turns for octet in octets))


ACCEPTED = {
    "smtp": [
        ("S", b"220-mail.example ESMTP\r\n220 ready\r\n"),
        ("C", b"EHLO a.example\r\n"),
        ("S", b"250-mail.example\r\n250 STARTTLS\r\n"),
        ("C", b"STARTTLS\r\n"),
        ("S", b"220-Go\r\n220 ahead\r\n"),
    ],
    "pop3": [("S", b"+OK hi\r\n"), ("C", b"STLS\r\n"), ("S", b"+OK begin\r\n")],
    "imap": [
        ("S", b"* OK ready\r\n"),
        ("C", b"a CAPABILITY\r\nb STARTTLS\r\n"),
        ("S", b"* CAPABILITY IMAP4rev1 STARTTLS\r\na OK done\r\nb OK begin\r\n"),
    ],
    "ftp": [("S", b"220 ftp\r\n"), ("C", b"AUTH TLS\r\n"), ("S", b"234 begin\r\n")],
    "irc": [("C", b"STARTTLS\r\n"), ("S", b":irc.example NOTICE * :hello\r\n:irc.example 670 * :begin\r\n")],
    "nntp": [("S", b"200 news\r\n"), ("C", b"STARTTLS\r\n"), ("S", b"382 begin\r\n")],
    "sieve": [("S", b'"IMPLEMENTATION" "x"\r\nOK\r\n'), ("C", b"STARTTLS\r\n"), ("S", b"OK\r\n")],
    "xmpp": [
        ("C", b"<?xml version='1.0'?><stream:stream to='a.example'>"),
        ("S", b"<?xml version='1.0'?><stream:stream><stream:features><starttls/></stream:features>"),
        ("C", b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'></starttls>"),
        ("S", b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
    ],
    "ldap": [("C", LDAP_REQUEST), ("S", b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00")],
    "postgresql": [
        ("C", POSTGRESQL_GSSENC_REQUEST),
        ("S", b"N"),
        ("C", POSTGRESQL_SSL_REQUEST),
        ("S", b"S"),
    ],
    "mysql": [("S", MYSQL_GREETING), ("C", MYSQL_SSL_REQUEST)],
    "rdp": [("C", RDP_REQUEST), ("S", RDP_CONFIRM)],
    "http-upgrade": [
        ("C", b"OPTIONS * HTTP/1.1\r\nHost: a.example\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n"),
        ("S", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.0, HTTP/1.1\r\nConnection: Upgrade\r\n\r\n"),
    ],
    "http-connect": [
        ("C", b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n"),
        ("S", b"HTTP/1.1 200 OK\r\n\r\n"),
    ],
    "socks4": [("C", b"\x04\x01\x01\xbb\xc0\x00\x02\x01me\x00"), ("S", b"\x00\x5a" + bytes(6))],
    "socks5": [
        ("C", b"\x05\x01\x02"),
        ("S", b"\x05\x02"),
        ("C", b"\x01\x02me\x03pwd"),
        ("S", b"\x01\x00"),
        ("C", b"\x05\x01\x00\x03\x09a.example\x01\xbb"),
        ("S", b"\x05\x00\x00\x01" + bytes(6)),
    ],
    "proxy-v1": [("C", b"PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n")],
    "proxy-v2": [("C", PROXY_V2)],
}


def test_every_dialogue_of_the_table_is_tested():
    assert {dialogue.name for dialogue in DIALOGUES} == set(ACCEPTED)


@pytest.mark.parametrize("name", ACCEPTED)
def test_tls_begins_where_the_dialogue_ends(name):
    for verdict in _both([*ACCEPTED[name], ("C", CLIENT_HELLO)]):
        preamble = verdict.preamble

        assert (verdict.state, preamble.protocol, preamble.accepted) == (State.TLS, name, True)
        assert CLIENT_HELLO.startswith(verdict.client)


@pytest.mark.parametrize("name", [each.name for each in DIALOGUES if not each.tunnel and each.accepted])
def test_octets_behind_the_answer_belong_to_tls(name):
    *before, (letter, answer) = ACCEPTED[name]

    verdict = _run(*before, (letter, answer + SERVER_HELLO))

    assert (verdict.state, verdict.client, verdict.server) == (State.TLS, b"", SERVER_HELLO)


REFUSED = {
    "smtp": (
        [("S", b"220 hi\r\n"), ("C", b"STARTTLS\r\n"), ("S", b"454 TLS not available\r\n")],
        "454 TLS not available",
    ),
    "pop3": ([("S", b"+OK hi\r\n"), ("C", b"STLS\r\n"), ("S", b"-ERR no\r\n")], "-ERR no"),
    "imap": ([("S", b"* OK hi\r\n"), ("C", b"x STARTTLS\r\n"), ("S", b"x BAD what\r\n")], "BAD what"),
    "ftp": ([("S", b"220 hi\r\n"), ("C", b"AUTH TLS\r\n"), ("S", b"530 no\r\n")], "530 no"),
    "irc": ([("C", b"STARTTLS\r\n"), ("S", b":irc 691 * :no\r\n")], "691 * :no"),
    "nntp": ([("S", b"200 hi\r\n"), ("C", b"STARTTLS\r\n"), ("S", b"580 no\r\n")], "580 no"),
    "sieve": ([("S", b'"STARTTLS"\r\nOK\r\n'), ("C", b"STARTTLS\r\n"), ("S", b"NO no\r\n")], "NO no"),
    "xmpp": ([("C", b"<stream:stream><starttls/>"), ("S", b"<stream:stream><failure/>")], "failure"),
    "ldap": (
        [("C", LDAP_REQUEST), ("S", b"\x30\x0e\x02\x01\x01\x78\x09\x0a\x01\x34\x04\x00\x04\x02no")],
        "resultCode 52 no",
    ),
    "postgresql": ([("C", POSTGRESQL_SSL_REQUEST), ("S", b"N")], "N"),
    "rdp": ([("C", RDP_REQUEST), ("S", RDP_FAILURE)], "SSL_NOT_ALLOWED_BY_SERVER"),
    "http-upgrade": ([ACCEPTED["http-upgrade"][0], ("S", b"HTTP/1.1 200 OK\r\n\r\n")], "200 OK"),
    "http-connect": (
        [ACCEPTED["http-connect"][0], ("S", b"HTTP/1.1 403 Forbidden\r\n\r\n")],
        "403 Forbidden",
    ),
    "socks4": ([ACCEPTED["socks4"][0], ("S", b"\x00\x5b" + bytes(6))], "0x5b request rejected or failed"),
    "socks5": (
        [*ACCEPTED["socks5"][:5], ("S", b"\x05\x05\x00\x01" + bytes(6))],
        "0x05 connection refused",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_reports_a_refusal_with_the_words_of_the_server(name):
    turns, reply = REFUSED[name]

    for verdict in _both(turns):
        assert (verdict.state, verdict.preamble.protocol, verdict.preamble.accepted) == (State.REFUSED, name, False)
        assert dict(verdict.preamble.details)["reply"] == reply


def test_socks5_without_a_common_method_is_a_refusal():
    verdict = _run(("C", b"\x05\x01\x00"), ("S", b"\x05\xff"))

    assert verdict.state is State.REFUSED
    assert verdict.preamble.details == (("reply", "no acceptable authentication method"),)


def test_an_ldap_refusal_with_a_matched_name_is_one_too():
    verdict = _run(("C", LDAP_REQUEST), ("S", b"\x30\x10\x02\x01\x01\x78\x0b\x0a\x01\x02\x04\x04dc=a\x04\x00"))

    assert (verdict.state, verdict.preamble.details) == (State.REFUSED, (("reply", "resultCode 2"),))


def test_a_refusal_stays_while_the_client_goes_on_in_clear():
    verdict = _run(("C", POSTGRESQL_SSL_REQUEST), ("S", b"N"), ("C", b"\x00\x00\x00\x20\x00\x03\x00\x00user\x00me\x00"))

    assert (verdict.state, verdict.preamble.accepted) == (State.REFUSED, False)


def test_a_second_request_may_succeed_after_a_refusal():
    connect = b"CONNECT a.example:443 HTTP/1.1\r\n\r\n"
    verdict = _run(
        ("C", connect),
        ("S", b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\nauth"),
        ("C", connect),
        ("S", b"HTTP/1.1 200 OK\r\n\r\n"),
        ("C", CLIENT_HELLO),
    )

    assert verdict.state is State.TLS
    assert verdict.preamble.details == (("target", "a.example:443"), ("reply", "200 OK"))


def test_the_answer_is_open_until_it_comes():
    verdict = _run(("S", b"220 hi\r\n"), ("C", b"STARTTLS\r\n"))

    assert (verdict.state, verdict.preamble.accepted, verdict.preamble.frames) == (State.UNDECIDED, None, (2,))


def test_a_client_hello_counts_more_than_a_missing_answer():
    verdict = _run(("S", b"220 hi\r\n"), ("C", b"STARTTLS\r\n"), ("C", CLIENT_HELLO))

    assert (verdict.state, verdict.preamble.accepted, verdict.client) == (State.TLS, None, CLIENT_HELLO)


def test_an_answer_to_another_command_is_not_taken_for_the_answer():
    verdict = _run(("C", b"a CAPABILITY\r\nb STARTTLS\r\n"), ("S", b"* OK hi\r\na OK done\r\n"))

    assert (verdict.state, verdict.preamble.accepted) == (State.UNDECIDED, None)


def test_tells_tls_from_the_first_octets():
    assert _run(("C", CLIENT_HELLO)) == (State.TLS, None, CLIENT_HELLO, b"", 1000)


def test_puts_a_client_hello_together_that_came_octet_by_octet():
    verdict = _run(*(("C", bytes((octet,))) for octet in CLIENT_HELLO))

    assert (verdict.state, verdict.client) == (State.TLS, CLIENT_HELLO[:6])


def test_finds_tls_behind_a_dialogue_that_nobody_knows():
    verdict = _run(("S", b"HELLO from a private protocol\n"), ("C", b"TLS please\n"), ("C", CLIENT_HELLO))

    assert (verdict.state, verdict.preamble, verdict.client) == (State.TLS, None, CLIENT_HELLO)


def test_a_tunnel_may_hold_another_dialogue():
    turns = [
        ("C", b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 25\r\n" + ACCEPTED["http-connect"][0][1]),
        ("S", ACCEPTED["http-connect"][1][1]),
        *ACCEPTED["smtp"],
    ]

    for verdict in _both(turns):
        assert (verdict.state, verdict.preamble.protocol) == (State.TLS, "smtp")
        assert verdict.preamble.details == (
            ("via", "proxy-v1"),
            ("source", "192.0.2.1:56324"),
            ("destination", "192.0.2.2:25"),
            ("via", "http-connect"),
            ("target", "a.example:443"),
            ("reply", "200 OK"),
            ("reply", "220 ahead"),
        )


def test_a_proxy_header_and_the_client_hello_may_share_a_segment():
    verdict = _run(("C", PROXY_V2 + CLIENT_HELLO))

    assert (verdict.state, verdict.client) == (State.TLS, CLIENT_HELLO)
    assert verdict.preamble.details == (
        ("source", "192.0.2.1:56324"),
        ("destination", "198.51.100.2:443"),
        ("tlv_octets", "3"),
    )


@pytest.mark.parametrize(
    ("request_", "target"),
    [
        (b"\x05\x01\x00\x01\xc0\x00\x02\x01\x01\xbb", "192.0.2.1:443"),
        (b"\x05\x01\x00\x03\x03abc\x01\xbb", "abc:443"),
        (b"\x05\x01\x00\x04" + bytes(15) + b"\x01\x01\xbb", "[::1]:443"),
    ],
)
def test_socks5_names_its_target(request_, target):
    verdict = _run(("C", b"\x05\x01\x00"), ("S", b"\x05\x00"), ("C", request_))

    assert verdict.preamble.details == (("target", target),)


def test_socks4a_names_its_host():
    verdict = _run(("C", b"\x04\x01\x01\xbb\x00\x00\x00\x01\x00a.example\x00"))

    assert verdict.preamble.details == (("target", "a.example:443"),)


def test_an_http_request_in_clear_is_not_tls():
    verdict = _run(("C", b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"), ("S", b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 4000))

    assert (verdict.state, verdict.preamble) == (State.NOT, None)


def test_gives_up_after_64_kib_of_a_side():
    verdict = _run(("S", b"220 hi\r\n"), *(("C", b"NOOP\r\n" * 1000) for _ in range(11)))

    assert verdict.state is State.NOT


def test_a_refusal_is_not_forgotten_after_64_kib():
    turns = [*REFUSED["smtp"][0], *(("C", b"NOOP\r\n" * 1000) for _ in range(11)), ("C", CLIENT_HELLO)]

    assert _run(*turns).state is State.REFUSED


def test_tunnels_inside_tunnels_end_somewhere():
    verdict = _run(("C", b"PROXY UNKNOWN\r\n" * 4000))

    assert (verdict.state, verdict.preamble.details.count(("via", "proxy-v1"))) == (State.NOT, 7)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("CS"),
            st.one_of(st.binary(max_size=40), st.sampled_from([o for t in ACCEPTED.values() for _, o in t])),
        )
    )
)
def test_any_octets_give_a_verdict(turns):
    verdict = _run(("C", b""), *turns)

    assert verdict.state in State


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        (b"", None),
        (b"\x16", None),
        (CLIENT_HELLO[:5], None),
        (CLIENT_HELLO[:6], True),
        (SERVER_HELLO, True),
        (b"\x15\x03\x01\x00\x02\x02\x28", True),
        (b"\x15\x03\x01\x00\x02\x09\x28", False),
        (b"\x16\x04\x01", False),
        (b"\x16\x03\x07", False),
        (b"\x16\x03\x01\x7f\xff\x01", False),
        (b"\x16\x03\x01\x00\x40\x99", False),
        (SSLV2_CLIENT_HELLO, True),
        (SSLV2_CLIENT_HELLO[:10], None),
        (b"\x80\x00\x02", False),
        (b"GET / HTTP/1.1", False),
    ],
)
def test_knows_tls_by_its_first_octets(octets, answer):
    assert looks_like_tls(octets) is answer
