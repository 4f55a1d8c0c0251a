"""Fingerprints against those that other programs expect of the public captures.

Most hello messages are built from tshark's facts, so that this file judges the fingerprints alone; the last test goes
through the decoders.  Known disagreements, which are not ours:

- nDPI says "d" (a name was sent) of every hello over QUIC, DTLS and after STARTTLS, takes the first two characters
  of the first protocol instead of first and last, hashes an empty list instead of writing zeros, and takes the version
  of DTLS from legacy_version.  Only counts and hashes are compared with it.
- Suricata 7 leaves the underscore at the end when there are no signature algorithms; FoxIO's text says "the string
  ends without an underscore".
"""

import json
import re
from pathlib import Path

import pytest

from tlsinspect.capture.file import open_capture
from tlsinspect.fingerprint import ja3, ja3_text, ja3s, ja3s_text, ja4
from tlsinspect.inspector import inspect
from tlsinspect.model.message import ClientHello, Extension, ServerHello

CORPORA = Path(__file__).resolve().parents[1] / ".." / "shared" / "corpora"
EXPECTED = CORPORA / "expected"
NO_CORPORA = pytest.mark.skipif(not EXPECTED.is_dir(), reason="the public captures are not beside the repository")

# FoxIO's worked example: the browser hello of technical_details/JA4.md.
EXAMPLE_SUITES = "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"
EXAMPLE_EXTENSIONS = "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015"
EXAMPLE_SCHEMES = "0403,0804,0401,0503,0805,0501,0806,0601"
GREASE = 0x1A1A


def _numbers(texts):
    return tuple(int(str(text), 0) for text in texts or ())


def _alpn(first):
    return b"\x00\x00" + bytes((len(first),)) + first


def _hello(*, version=0x0303, suites=(), extensions=(), sslv2_framing=False):
    return ClientHello(
        legacy_version=version,
        random=bytes(32),
        legacy_session_id=b"",
        cipher_suites=tuple(suites),
        legacy_compression_methods=b"\x00",
        extensions=tuple(extensions),
        sslv2_framing=sslv2_framing,
    )


def _example(*, alpn=b"h2", versions=(0x0304, 0x0303)):
    bodies = {
        0x000D: tuple(int(code, 16) for code in EXAMPLE_SCHEMES.split(",")),
        0x002B: (GREASE, *versions),
    }
    types = [GREASE, *(int(code, 16) for code in EXAMPLE_EXTENSIONS.split(","))]
    return _hello(
        suites=(GREASE, *(int(code, 16) for code in EXAMPLE_SUITES.split(","))),
        extensions=[Extension(code, _alpn(alpn) if code == 0x10 else b"", bodies.get(code)) for code in types],
    )


def _hello_of_tshark(facts):
    """A ClientHello with what tshark says of one; JA3's last part is its only word on point formats."""
    formats = [text for text in facts.get("ja3_string", ",,,,").split(",")[4].split("-") if text]
    bodies = {
        10: _numbers(facts.get("supported_groups")),
        11: _numbers(formats),
        13: _numbers(facts.get("signature_algorithms")),
        43: _numbers(facts.get("supported_versions")),
    }
    alpn = _alpn(facts["alpn"][0].encode("latin-1")) if facts.get("alpn") else b""
    return _hello(
        version=int(facts["legacy_version"], 0),
        suites=_numbers(facts["cipher_suites"]),
        extensions=[Extension(code, alpn if code == 16 else b"", bodies.get(code)) for code in facts["extensions"]],
    )


def _streams(capture):
    for line in (EXPECTED / f"{capture}.tshark.json").read_text("utf-8").splitlines():
        yield json.loads(line)


def _ja4_of(capture):
    transports = {"quic": "quic", "dtls": "dtls"}
    return {
        ja4(_hello_of_tshark(facts), transport=transports.get(stream["kind"], "tcp"))
        for stream in _streams(capture)
        for facts in stream.get("client_hellos", ())
        if facts.get("legacy_version") and not facts.get("sslv2_client_hello")
    }


def _captures(folder, suffix):
    return sorted(path.name.removesuffix(suffix) for path in (EXPECTED / folder).glob(f"*{suffix}"))


@NO_CORPORA
def test_ja3_agrees_with_tshark():
    wrong, compared = [], 0
    for capture in _captures("", ".tshark.json"):
        for stream in _streams(capture):
            for facts in stream.get("client_hellos", ()):
                if facts.get("ja3"):
                    hello = _hello_of_tshark(facts)
                    compared += 1
                    if (ja3_text(hello), ja3(hello)) != (facts["ja3_string"], facts["ja3"]):
                        wrong.append((capture, facts["frame"]))

    assert wrong == []
    assert compared > 1900


@NO_CORPORA
def test_ja3s_agrees_with_tshark():
    wrong, compared = [], 0
    for capture in _captures("", ".tshark.json"):
        for stream in _streams(capture):
            for facts in stream.get("server_hellos", ()):
                if facts.get("ja3s"):
                    compared += 1
                    if ja3s(_server_hello_of_tshark(facts)) != facts["ja3s"]:
                        wrong.append((capture, facts["frame"]))

    assert wrong == []
    assert compared > 1000


def _server_hello_of_tshark(facts):
    return ServerHello(
        legacy_version=int(facts["legacy_version"], 0),
        random=bytes(32),
        legacy_session_id_echo=b"",
        cipher_suite=int(facts["cipher_suite"], 0),
        legacy_compression_method=0,
        extensions=tuple(Extension(code, b"") for code in facts["extensions"]),
    )


FOXIO = {
    ".python.json": re.compile(r'"JA4\.\d+": "([^"]+)"'),
    ".rust.snap": re.compile(r"\bja4: (\S+)"),
}


@NO_CORPORA
@pytest.mark.parametrize("suffix", FOXIO)
def test_ja4_agrees_with_the_programs_of_foxio(suffix):
    missing, compared = [], 0
    for capture in _captures("ja4", suffix):
        expected = set(FOXIO[suffix].findall((EXPECTED / "ja4" / f"{capture}{suffix}").read_text("utf-8")))
        compared += len(expected)
        missing += [(capture, text) for text in expected - _ja4_of(capture)]

    assert missing == []
    assert compared > 5


@NO_CORPORA
def test_counts_and_hashes_of_ja4_agree_with_ndpi():
    without_hello = {  # tshark finds no hello there, so there is nothing to compare
        "ntop__heuristic_tcp_ack_payload.pcap",
        "ntop__quic-forcing-vn-with-data.pcapng",
    }
    missing, compared = [], 0
    for capture in set(_captures("ndpi", ".out")) - without_hello:
        found = re.findall(r"\[JA4: ([^]]*)\]", (EXPECTED / "ndpi" / f"{capture}.out").read_text("utf-8"))
        expected = {_counts_and_hashes(text.replace("e3b0c44298fc", "0" * 12)) for text in found}
        compared += len(expected)
        missing += [(capture, text) for text in expected - {_counts_and_hashes(text) for text in _ja4_of(capture)}]

    assert missing == []
    assert compared > 80


def _counts_and_hashes(text):
    return text[0] + text[4:8] + text[10:]


def test_ja4_is_that_of_the_worked_example():
    assert ja4(_example()) == "t13d1516h2_8daaf6152771_e5627efa2ab1"


@pytest.mark.parametrize(("transport", "letter"), [("tcp", "t"), ("quic", "q"), ("dtls", "d")])
def test_ja4_begins_with_the_transport(transport, letter):
    assert ja4(_example(), transport=transport)[0] == letter


@pytest.mark.parametrize(
    ("first", "ends"),
    [
        (b"\xab", "ab"),
        (b"\xab\xcd", "ad"),
        (b"\x30\xab", "3b"),
        (b"\x30\x31\xab\xcd", "3d"),
        (b"\x30\xab\xcd\x31", "01"),
        (b"http/1.1", "h1"),
        (b"x", "xx"),
        (b"", "00"),
    ],
)
def test_ja4_takes_the_ends_of_the_first_protocol(first, ends):
    assert ja4(_example(alpn=first))[8:10] == ends


@pytest.mark.parametrize(
    ("versions", "text"),
    [
        ((0x0303, 0x0304), "13"),
        ((0x7F1C, 0x0303), "00"),  # a draft of TLS 1.3: FoxIO knows no letter for it
        ((0xFEFD, 0xFEFC), "d3"),
        ((), "12"),
    ],
)
def test_ja4_takes_the_highest_version_offered(versions, text):
    assert ja4(_example(versions=versions))[1:3] == text


def test_ja4_writes_zeros_for_empty_lists():
    assert ja4(_hello()) == "t12i000000_000000000000_000000000000"


def test_ja4_counts_to_99_at_most():
    assert ja4(_hello(suites=range(1, 150)))[4:6] == "99"


def test_ja4_ends_without_underscore_when_there_are_no_signature_algorithms():
    # bug-5713-02-ja4 of Suricata: the same hello there is ce66f3b797c1, with the underscore.
    types = (5, 10, 11, 35, 23, 65281)

    assert ja4(_hello(extensions=[Extension(code, b"") for code in types])).endswith("_c39ab67fec8e")


def test_ja3_leaves_grease_out():
    with_grease = _hello(suites=(GREASE, 0x1301), extensions=[Extension(GREASE, b""), Extension(10, b"", (GREASE, 29))])

    assert ja3_text(with_grease) == "771,4865,10,29,"


def test_ja3_is_empty_for_sslv2_framing():
    assert ja3(_hello(suites=(0x010080,), sslv2_framing=True)) == ""


def test_ja3s_writes_version_suite_and_extensions():
    hello = _server_hello_of_tshark({"legacy_version": "0x0303", "cipher_suite": "0x1301", "extensions": [43, 51]})

    assert ja3s_text(hello) == "771,4865,43-51"


@NO_CORPORA
@pytest.mark.parametrize(
    "capture",
    [
        "FoxIO-LLC__latest.pcapng",
        "arkime__socks-https-example.pcap",
        "cisco__top_100_fingerprints.pcap",
        "ntop__viber.pcap",
        "zeek__tls13draft16-chrome55.0.2879.0-canary.pcap",
    ],
)
def test_ja3_of_decoded_hellos_agrees_with_tshark(capture):
    expected = {
        (stream["stream"], facts["random"]): (facts["ja3_string"], ja4(_hello_of_tshark(facts)))
        for stream in _streams(capture)
        if stream["kind"] == "tcp"
        for facts in stream.get("client_hellos", ())
        if facts.get("ja3")
    }
    with open_capture(CORPORA / capture) as frames:
        found = {
            (handshake.stream, hello.random.hex()): (ja3_text(hello), ja4(hello))
            for handshake in inspect(frames)
            if handshake.transport == "tcp"
            for hello in handshake.client_hellos
        }

    assert expected != {}
    assert {key: found.get(key) for key in expected} == expected
