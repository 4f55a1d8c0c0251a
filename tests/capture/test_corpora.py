"""Captures that nobody here made: the number of frames, their numbers and link types agree with Wireshark."""

import csv

import pytest

from tests.support.captures import CORPORA
from tlsinspect.capture.file import open_capture
from tlsinspect.capture.netmon import NO_LINK_TYPE
from tlsinspect.model.errors import CaptureError

pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the shared corpora are not beside the repository")

MANIFEST = CORPORA / "MANIFEST.tsv"

NOT_READ = {
    "DanielMR-dev__truncated_header.pcap": "is cut inside its pcap header",
    "DanielMR-dev__zero_length.pcap": "is empty",
    "ajbanjara__Bluetooth1.cap": "is not a pcap or pcapng file",  # hcidump
    "ajbanjara__Ethernet_Pause_Frame.cap": "is a Sniffer capture",
    "ajbanjara__http.bigendian.ntar": "pcapng section of version 256",
    "ajbanjara__i4b.trace": "is not a pcap or pcapng file",  # ISDN of FreeBSD
    "ajbanjara__l2ping.cap": "is not a pcap or pcapng file",  # hcidump
    "ajbanjara__packetout.pcap": "is not a pcap or pcapng file",  # text of tcpdump
    "ajbanjara__rarp_req_reply.pcap": "is damaged: a block of type 0x0a0d0d0a",
    "ajbanjara__saurabh.cap": "is a NetXRay capture",
    "nfstream__results__dtls.pcap": "is not a pcap or pcapng file",  # comma-separated values
    "the-tcpdump-group__pcap-invalid-version-1.pcap": "is a pcap file of version 1.4",
}

# The last frame has the number that Wireshark gives, but there are fewer frames: Custom Blocks are counted.
CUSTOM_BLOCKS = {"gopacket__test017.pcapng": 0, "gopacket__test102.pcapng": 5, "gopacket__test202.pcapng": 8}

# Wireshark takes the damaged second record for a sign of another record layout, and reads 1 octet in the year 1925.
GUESSED_BY_WIRESHARK = {"OISF__bug-6875-01__fuzz.pcap": 1}

LINK_TYPES = {
    "NULL": 0,
    "EN10MB": 1,
    "PPP": 9,
    "RAW": 101,
    "RAW(12)": 12,
    "RAW(14)": 14,
    "LINUX_SLL": 113,
    "RADIOTAP": 127,
    "IPV4": 228,
    "IPV6": 229,
    "NFLOG": 239,
    "LINUX_SLL2": 276,
}

# The manifest names no link type for these containers, or not the one of every interface.
OTHER_LINK_TYPES = {
    "ajbanjara__PPPHandshake.cap": {1},
    "ajbanjara__trace.snoop": {1},
    "ajbanjara__win2k19-joined.cap": {1, NO_LINK_TYPE},
    "seladb__pcapng-example.pcapng.zst": {1, 113},
}


def _rows():
    if not MANIFEST.is_file():
        return []
    with MANIFEST.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


ROWS = {row["file"]: row for row in _rows()}


@pytest.mark.parametrize("name", sorted(ROWS.keys() - NOT_READ.keys()))
def test_reads_as_many_frames_as_wireshark(name):
    with open_capture(CORPORA / name) as capture:
        frames = list(capture)

    expected = (CUSTOM_BLOCKS | GUESSED_BY_WIRESHARK).get(name, int(ROWS[name]["packets"]))
    assert len(frames) == expected


@pytest.mark.parametrize("name", sorted(ROWS.keys() - NOT_READ.keys() - CUSTOM_BLOCKS.keys()))
def test_finds_the_link_types_of_the_manifest(name):
    with open_capture(CORPORA / name) as capture:
        found = {frame.link_type for frame in capture}

    expected = {LINK_TYPES.get(link_type) for link_type in ROWS[name]["link_type"].split(",")}
    assert found <= OTHER_LINK_TYPES.get(name, expected)


@pytest.mark.parametrize(("name", "problem"), NOT_READ.items())
def test_says_why_a_file_cannot_be_read(name, problem):
    with pytest.raises(CaptureError) as error, open_capture(CORPORA / name) as capture:
        list(capture)

    assert problem in str(error.value)
    assert "\n" not in str(error.value)


def test_finds_the_key_logs_inside_captures():
    embedded = [row["file"] for row in ROWS.values() if row["keylog"] == "(embedded DSB)"]
    assert embedded

    without = []
    for name in embedded:
        with open_capture(CORPORA / name) as capture:
            list(capture)
        if not any(b"_" in text for text in capture.key_logs):
            without.append(name)

    assert without == []
