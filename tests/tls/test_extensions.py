import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.octets import extension, vector
from tlsinspect.model.frame import Missing
from tlsinspect.model.message import (
    ClientHello,
    EncryptedClientHello,
    KeyShare,
    OfferedPsks,
    PskIdentity,
)
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.extensions import (
    BODIES,
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CLIENT_HELLO,
    ENCRYPTED_EXTENSIONS,
    HELLO_RETRY_REQUEST,
    NEW_SESSION_TICKET,
    SERVER_HELLO,
    decode_extension,
    decode_extensions,
)
from tlsinspect.wire import Cursor, Malformed


def block(*extensions: tuple[int, bytes]) -> bytes:
    return vector(2, *(extension(kind, data) for kind, data in extensions))


HOST = vector(2, b"\0", vector(2, b"a.example"))
SHARE = b"\x00\x1d" + vector(2, bytes(32))
NAME = bytes.fromhex("3000")  # an empty RDNSequence
PSKS = vector(2, vector(2, b"ticket"), b"\0\0\1\0") + vector(2, vector(1, bytes(32)))
GROUPS = vector(2, b"\x00\x1d\x00\x17")

# Every row of the table but those that take any octets: the extension, what is on the wire, what it says.
GOOD: list[tuple[int, int, bytes, object]] = [
    (CLIENT_HELLO, ext.SERVER_NAME, HOST, "a.example"),
    (CLIENT_HELLO, ext.MAX_FRAGMENT_LENGTH, b"\2", 2),
    (CLIENT_HELLO, ext.STATUS_REQUEST, b"\1" + vector(2) + vector(2), 1),
    (CLIENT_HELLO, ext.SUPPORTED_GROUPS, GROUPS, (29, 23)),
    (CLIENT_HELLO, ext.EC_POINT_FORMATS, vector(1, b"\0\1"), (0, 1)),
    (CLIENT_HELLO, ext.SIGNATURE_ALGORITHMS, vector(2, b"\4\3"), (0x0403,)),
    (CLIENT_HELLO, ext.USE_SRTP, vector(2, b"\0\1\0\2") + vector(1), (1, 2)),
    (CLIENT_HELLO, ext.HEARTBEAT, b"\1", 1),
    (CLIENT_HELLO, ext.ALPN, vector(2, vector(1, b"h2"), vector(1, b"http/1.1")), ("h2", "http/1.1")),
    (CLIENT_HELLO, ext.SIGNED_CERTIFICATE_TIMESTAMP, b"", True),
    (CLIENT_HELLO, ext.PADDING, bytes(17), 17),
    (CLIENT_HELLO, ext.ENCRYPT_THEN_MAC, b"", True),
    (CLIENT_HELLO, ext.EXTENDED_MASTER_SECRET, b"", True),
    (CLIENT_HELLO, ext.COMPRESS_CERTIFICATE, vector(1, b"\0\2"), (2,)),
    (CLIENT_HELLO, ext.RECORD_SIZE_LIMIT, b"\x40\x01", 16385),
    (CLIENT_HELLO, ext.DELEGATED_CREDENTIAL, vector(2, b"\4\3"), (0x0403,)),
    (CLIENT_HELLO, ext.SESSION_TICKET, b"ticket", b"ticket"),
    (CLIENT_HELLO, ext.KEY_SHARE_OLD, vector(2, SHARE), (KeyShare(29, 32),)),
    (CLIENT_HELLO, ext.PRE_SHARED_KEY, PSKS, OfferedPsks((PskIdentity(b"ticket", 256),), (bytes(32),))),
    (CLIENT_HELLO, ext.EARLY_DATA, b"", True),
    (CLIENT_HELLO, ext.SUPPORTED_VERSIONS, vector(1, b"\3\4\3\3"), (0x0304, 0x0303)),
    (CLIENT_HELLO, ext.COOKIE, vector(2, b"crumbs"), b"crumbs"),
    (CLIENT_HELLO, ext.PSK_KEY_EXCHANGE_MODES, vector(1, b"\1"), (1,)),
    (CLIENT_HELLO, ext.CERTIFICATE_AUTHORITIES, vector(2, vector(2, NAME)), (NAME,)),
    (CLIENT_HELLO, ext.POST_HANDSHAKE_AUTH, b"", True),
    (CLIENT_HELLO, ext.SIGNATURE_ALGORITHMS_CERT, vector(2, b"\4\3"), (0x0403,)),
    (CLIENT_HELLO, ext.KEY_SHARE, vector(2, SHARE, SHARE), (KeyShare(29, 32), KeyShare(29, 32))),
    (CLIENT_HELLO, ext.QUIC_TRANSPORT_PARAMETERS, b"\1\2", b"\1\2"),
    (CLIENT_HELLO, ext.NEXT_PROTOCOL_NEGOTIATION, b"", True),
    (CLIENT_HELLO, ext.APPLICATION_SETTINGS_OLD, vector(2, vector(1, b"h2")), ("h2",)),
    (CLIENT_HELLO, ext.APPLICATION_SETTINGS, vector(2, vector(1, b"h2")), ("h2",)),
    (
        CLIENT_HELLO,
        ext.ENCRYPTED_CLIENT_HELLO,
        b"\0\0\1\0\2\7" + vector(2, bytes(32)) + vector(2, bytes(144)),
        EncryptedClientHello(0, kdf_id=1, aead_id=2, config_id=7, enc=bytes(32), payload_octets=144),
    ),
    (CLIENT_HELLO, ext.RENEGOTIATION_INFO, vector(1, b"verify"), b"verify"),
    (SERVER_HELLO, ext.SERVER_NAME, b"", True),
    (SERVER_HELLO, ext.MAX_FRAGMENT_LENGTH, b"\2", 2),
    (SERVER_HELLO, ext.STATUS_REQUEST, b"", True),
    (SERVER_HELLO, ext.SUPPORTED_GROUPS, GROUPS, (29, 23)),
    (SERVER_HELLO, ext.EC_POINT_FORMATS, vector(1, b"\0"), (0,)),
    (SERVER_HELLO, ext.USE_SRTP, vector(2, b"\0\1") + vector(1), (1,)),
    (SERVER_HELLO, ext.HEARTBEAT, b"\1", 1),
    (SERVER_HELLO, ext.ALPN, vector(2, vector(1, b"h2")), "h2"),
    (SERVER_HELLO, ext.SIGNED_CERTIFICATE_TIMESTAMP, b"scts", b"scts"),
    (SERVER_HELLO, ext.ENCRYPT_THEN_MAC, b"", True),
    (SERVER_HELLO, ext.EXTENDED_MASTER_SECRET, b"", True),
    (SERVER_HELLO, ext.RECORD_SIZE_LIMIT, b"\x40\x01", 16385),
    (SERVER_HELLO, ext.SESSION_TICKET, b"", b""),
    (SERVER_HELLO, ext.KEY_SHARE_OLD, SHARE, KeyShare(29, 32)),
    (SERVER_HELLO, ext.PRE_SHARED_KEY, b"\0\1", 1),
    (SERVER_HELLO, ext.SUPPORTED_VERSIONS, b"\3\4", 0x0304),
    (SERVER_HELLO, ext.KEY_SHARE, SHARE, KeyShare(29, 32)),
    (SERVER_HELLO, ext.NEXT_PROTOCOL_NEGOTIATION, vector(1, b"h2") + vector(1, b"spdy/3"), ("h2", "spdy/3")),
    (SERVER_HELLO, ext.RENEGOTIATION_INFO, vector(1), b""),
    (HELLO_RETRY_REQUEST, ext.KEY_SHARE_OLD, b"\0\x17", 23),
    (HELLO_RETRY_REQUEST, ext.SUPPORTED_VERSIONS, b"\3\4", 0x0304),
    (HELLO_RETRY_REQUEST, ext.COOKIE, vector(2, b"crumbs"), b"crumbs"),
    (HELLO_RETRY_REQUEST, ext.KEY_SHARE, b"\0\x17", 23),
    (HELLO_RETRY_REQUEST, ext.ENCRYPTED_CLIENT_HELLO, bytes(8), bytes(8)),
    (ENCRYPTED_EXTENSIONS, ext.SERVER_NAME, b"", True),
    (ENCRYPTED_EXTENSIONS, ext.MAX_FRAGMENT_LENGTH, b"\2", 2),
    (ENCRYPTED_EXTENSIONS, ext.SUPPORTED_GROUPS, GROUPS, (29, 23)),
    (ENCRYPTED_EXTENSIONS, ext.USE_SRTP, vector(2, b"\0\1") + vector(1), (1,)),
    (ENCRYPTED_EXTENSIONS, ext.HEARTBEAT, b"\1", 1),
    (ENCRYPTED_EXTENSIONS, ext.ALPN, vector(2, vector(1, b"h2")), "h2"),
    (ENCRYPTED_EXTENSIONS, ext.RECORD_SIZE_LIMIT, b"\x40\x01", 16385),
    (ENCRYPTED_EXTENSIONS, ext.EARLY_DATA, b"", True),
    (ENCRYPTED_EXTENSIONS, ext.QUIC_TRANSPORT_PARAMETERS, b"\1\2", b"\1\2"),
    (ENCRYPTED_EXTENSIONS, ext.ENCRYPTED_CLIENT_HELLO, b"configs", b"configs"),
    (CERTIFICATE, ext.STATUS_REQUEST, b"\1" + vector(3, b"response"), b"response"),
    (CERTIFICATE, ext.SIGNED_CERTIFICATE_TIMESTAMP, b"scts", b"scts"),
    (CERTIFICATE_REQUEST, ext.STATUS_REQUEST, b"", True),
    (CERTIFICATE_REQUEST, ext.SIGNATURE_ALGORITHMS, vector(2, b"\4\3"), (0x0403,)),
    (CERTIFICATE_REQUEST, ext.SIGNED_CERTIFICATE_TIMESTAMP, b"", True),
    (CERTIFICATE_REQUEST, ext.COMPRESS_CERTIFICATE, vector(1, b"\0\1"), (1,)),
    (CERTIFICATE_REQUEST, ext.DELEGATED_CREDENTIAL, vector(2, b"\4\3"), (0x0403,)),
    (CERTIFICATE_REQUEST, ext.CERTIFICATE_AUTHORITIES, vector(2, vector(2, NAME)), (NAME,)),
    (CERTIFICATE_REQUEST, ext.SIGNATURE_ALGORITHMS_CERT, vector(2, b"\4\3"), (0x0403,)),
    (NEW_SESSION_TICKET, ext.EARLY_DATA, b"\0\0\x40\0", 16384),
]

# The bodies that are any octets, or go on to the end: nothing in them can be too short or too long.
OPEN_ENDED = {
    (CLIENT_HELLO, ext.STATUS_REQUEST),
    (SERVER_HELLO, ext.NEXT_PROTOCOL_NEGOTIATION),
    (CLIENT_HELLO, ext.SESSION_TICKET),
    (CLIENT_HELLO, ext.PADDING),
    (CLIENT_HELLO, ext.QUIC_TRANSPORT_PARAMETERS),
    (CLIENT_HELLO, ext.SIGNED_CERTIFICATE_TIMESTAMP),
    (SERVER_HELLO, ext.SESSION_TICKET),
    (SERVER_HELLO, ext.SIGNED_CERTIFICATE_TIMESTAMP),
    (HELLO_RETRY_REQUEST, ext.ENCRYPTED_CLIENT_HELLO),
    (ENCRYPTED_EXTENSIONS, ext.QUIC_TRANSPORT_PARAMETERS),
    (ENCRYPTED_EXTENSIONS, ext.ENCRYPTED_CLIENT_HELLO),
    (CERTIFICATE, ext.SIGNED_CERTIFICATE_TIMESTAMP),
    (CERTIFICATE_REQUEST, ext.SIGNED_CERTIFICATE_TIMESTAMP),
}
FRAMED = [(message, kind, octets) for message, kind, octets, _ in GOOD if (message, kind) not in OPEN_ENDED]


def test_every_row_of_the_table_has_an_example() -> None:
    assert set(BODIES) == {(message, kind) for message, kind, _, _ in GOOD}


@pytest.mark.parametrize(("message", "kind", "octets", "expected"), GOOD)
def test_decodes(message: int, kind: int, octets: bytes, expected: object) -> None:
    extension = decode_extension(kind, octets, message, offset=0)

    assert extension.defect is None
    assert expected == extension.body
    assert octets == extension.data


@pytest.mark.parametrize(("message", "kind", "octets"), FRAMED)
def test_keeps_a_shortened_body_as_octets_with_a_defect(message: int, kind: int, octets: bytes) -> None:
    for size in range(len(octets)):
        extension = decode_extension(kind, octets[:size], message, offset=0)

        assert extension.defect is not None
        assert (octets[:size], None) == (extension.data, extension.body)


@pytest.mark.parametrize(("message", "kind", "octets"), FRAMED)
def test_reports_octets_after_the_body(message: int, kind: int, octets: bytes) -> None:
    extension = decode_extension(kind, octets + b"\xff", message, offset=0)

    assert extension.defect is not None
    assert extension.body is None


@pytest.mark.parametrize("octets", [b"\3h2", b"\2h2\1"])
def test_a_cut_name_of_next_protocol_negotiation_is_malformed(octets: bytes) -> None:
    assert decode_extension(ext.NEXT_PROTOCOL_NEGOTIATION, octets, SERVER_HELLO, offset=0).defect is not None


def test_places_a_defect_in_the_message() -> None:
    octets = bytes(7) + block((23, b""), (ext.ALPN, vector(2, b"\x09h2")))
    body = Cursor(octets)
    body.take(7, "start")
    extensions, defect = decode_extensions(body, CLIENT_HELLO)

    assert defect is None
    assert extensions[1].defect is not None
    assert extensions[1].defect.where == "client_hello.extensions.application_layer_protocol_negotiation"
    assert extensions[1].defect.problem == "protocol_name says 9 octets, 2 remain"
    assert octets.index(b"\x09h2") == extensions[1].defect.offset


def test_keeps_unknown_extensions_as_octets() -> None:
    extensions, _ = decode_extensions(Cursor(block((0x0A0A, b"\0"), (0xFAFA, b""))), CLIENT_HELLO)

    assert [(e.type, e.data, e.body) for e in extensions] == [(0x0A0A, b"\0", None), (0xFAFA, b"", None)]


def test_keeps_extensions_before_the_one_that_overruns() -> None:
    octets = block((ext.SERVER_NAME, HOST), (ext.ALPN, bytes(9)))
    overrun = octets[:-10] + b"\x20" + octets[-9:]
    extensions, defect = decode_extensions(Cursor(overrun), CLIENT_HELLO)

    assert [extension.body for extension in extensions] == ["a.example"]
    assert defect is not None
    assert defect.where == "client_hello.extensions"
    assert defect.problem == "extension_data needs 32 octets, 9 remain"


def test_reads_what_is_there_of_a_cut_block() -> None:
    octets = block((ext.SERVER_NAME, HOST), (ext.ALPN, vector(2, vector(1, b"h2"))))
    for size in range(2 + 4 + len(HOST), len(octets)):
        extensions, defect = decode_extensions(Cursor(octets[:size]), CLIENT_HELLO)

        assert defect is not None
        assert f"extensions says {len(octets) - 2} octets, {size - 2} remain" == defect.problem
        assert [extension.body for extension in extensions] == ["a.example"]


def test_reports_octets_after_the_block() -> None:
    extensions, defect = decode_extensions(Cursor(block((23, b"")) + b"tail"), CLIENT_HELLO)

    assert [extension.type for extension in extensions] == [23]
    assert defect is not None
    assert defect.problem == "4 octets after the end of client_hello"


def test_no_octets_are_no_extensions() -> None:
    assert decode_extensions(Cursor(b""), CLIENT_HELLO) == ((), None)


def test_an_extension_of_a_cut_block_is_lost_and_not_absent() -> None:
    extensions, defect = decode_extensions(Cursor(block((23, b""), (43, b"\2\3\4"))[:7]), CLIENT_HELLO)
    hello = ClientHello(
        legacy_version=0x0303,
        random=bytes(32),
        legacy_session_id=b"",
        cipher_suites=(),
        legacy_compression_methods=b"\0",
        extensions=extensions,
        defect=defect,
    )

    assert Missing.LOST is hello.body(ext.SUPPORTED_VERSIONS)


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (b"a.example.", "a.example."),
        (b"a\0b", "a\0b"),
        (b"\xffx", "\\xffx"),
        (b"", ""),
    ],
)
def test_keeps_a_host_name_as_sent(wire: bytes, text: str) -> None:
    body = vector(2, b"\0", vector(2, wire))

    assert text == decode_extension(ext.SERVER_NAME, body, CLIENT_HELLO, offset=0).body


def test_takes_the_first_host_name_and_passes_over_other_name_types() -> None:
    body = vector(2, b"\7", vector(2, b"other"), b"\0", vector(2, b"first"), b"\0", vector(2, b"second"))

    assert decode_extension(ext.SERVER_NAME, body, CLIENT_HELLO, offset=0).body == "first"


def test_a_list_without_host_name_is_malformed() -> None:
    extension = decode_extension(ext.SERVER_NAME, vector(2), CLIENT_HELLO, offset=0)

    assert extension.defect is not None
    assert extension.defect.problem == "server_name_list has no host_name"


def test_a_server_chooses_one_protocol() -> None:
    two = vector(2, vector(1, b"h2"), vector(1, b"http/1.1"))
    extension = decode_extension(ext.ALPN, two, SERVER_HELLO, offset=0)

    assert extension.defect is not None
    assert extension.defect.problem == "protocol_name_list of a server has 2 names, 1 is expected"


def test_an_inner_encrypted_client_hello_is_a_type_alone() -> None:
    extension = decode_extension(ext.ENCRYPTED_CLIENT_HELLO, b"\1", CLIENT_HELLO, offset=0)

    assert EncryptedClientHello(1) == extension.body


@given(st.sampled_from(sorted(BODIES)), st.binary(max_size=80))
def test_random_octets_raise_nothing_but_malformed(row: tuple[int, int], octets: bytes) -> None:
    message, kind = row
    try:
        BODIES[row](Cursor(octets))
    except Malformed:
        extension = decode_extension(kind, octets, message, offset=0)

        assert extension.defect is not None


@given(st.sampled_from(sorted(ext.WHERE)), st.binary(max_size=200))
def test_a_block_of_random_octets_raises_nothing(message: int, octets: bytes) -> None:
    extensions, _ = decode_extensions(Cursor(octets), message)

    assert sum(4 + len(extension.data) for extension in extensions) <= len(octets)
