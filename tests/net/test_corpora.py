"""Public captures: every TCP segment and stream that tshark finds is found, and no other."""

from __future__ import annotations

import json
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from tests.support.captures import CORPORA
from tlsinspect.capture.file import open_capture
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Endpoint
from tlsinspect.net.packet import Datagram, PacketDecoder, Segment, endpoints

SMALL_OCTETS = 2_000_000  # larger captures bring no other encapsulation and take seconds

# What tshark finds and tlsinspect does not, or the other way round.
CUT_OPTIONS = "the capture ends within the options of TCP, so that nothing tells where the payload begins"
EXCEPTIONS = {
    "AlexeyVasilev__18_tcp_syn_options_snaplen_truncated.pcap": CUT_OPTIONS,
    "AlexeyVasilev__19_tcp_syn_tcp_header_snaplen_truncated.pcap": CUT_OPTIONS,
    "AlexeyVasilev__21_mpls_snaplen_truncated_inner_tcp.pcap": CUT_OPTIONS,
    "ntop__kerberos_fuzz.pcapng": "the data offset of TCP is below 5",
    "AlexeyVasilev__01_mpls_pw_eth_ipv4_tcp_no_cw.pcap": "tshark takes the address for a control word, and misses TCP",
}


def expectations(kind: str) -> list[Any]:
    """The captures for which tshark reported lines of that kind, with these lines."""
    found = []
    for path in sorted((CORPORA / "expected").glob("*.tshark.json")):
        name = path.name.removesuffix(".tshark.json")
        capture = CORPORA / name
        if not capture.is_file() or capture.stat().st_size > SMALL_OCTETS:
            continue
        lines = [line for line in map(json.loads, path.read_text().splitlines()) if line["kind"] == kind]
        if lines:
            marks = [pytest.mark.xfail(reason=EXCEPTIONS[name], strict=True)] if name in EXCEPTIONS else []
            found.append(pytest.param(capture, lines, id=name, marks=marks))
    return found or [pytest.param(CORPORA, [], marks=pytest.mark.skip(reason="the public captures are not there"))]


def decoded(capture: Path) -> dict[int, Segment | Datagram | None]:
    """What each frame gives, up to the place where the file is broken."""
    decoder, found = PacketDecoder(), {}
    try:
        with open_capture(capture) as frames:
            for frame in frames:
                found[frame.number] = decoder.decode(frame)
    except CaptureError as error:
        if not found:
            pytest.skip(str(error))
    return found


@pytest.mark.parametrize(("capture", "streams"), expectations("tcp"))
def test_finds_both_ends_of_every_stream_with_tls(capture: Path, streams: list[dict[str, Any]]) -> None:
    found = {frozenset(map(str, endpoints(one.key))) for one in decoded(capture).values() if isinstance(one, Segment)}
    expected = set()
    for stream in streams:
        ends = stream.get("endpoints") or [stream["client"], stream["server"]]
        expected.add(frozenset(str(endpoint(text)) for text in ends))

    assert expected - found == set()


@pytest.mark.parametrize(("capture", "frames"), expectations("frame"))
def test_finds_tcp_in_the_frames_in_which_tshark_does(capture: Path, frames: list[dict[str, Any]]) -> None:
    found = decoded(capture)
    last = max(found, default=0)
    segments = {
        number: tuple(end.port for end in endpoints(one.key))
        for number, one in found.items()
        if isinstance(one, Segment) and number <= len(frames)
    }
    expected = {
        line["frame"]: (int(line["tcp_srcport"].split(",")[-1]), int(line["tcp_dstport"].split(",")[-1]))
        for line in frames
        if "tcp_srcport" in line and ":icmp" not in line["protocols"] and line["frame"] <= last
    }

    assert segments == expected


def endpoint(text: str) -> Endpoint:
    """From the form of the expectations: the port after the last colon."""
    address, _, port = text.rpartition(":")
    return Endpoint(str(ip_address(address.strip("[]"))), int(port))
