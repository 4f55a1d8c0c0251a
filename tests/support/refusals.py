"""A capture for tests of the command line, forged: connections whose ClientHello is refused by a fatal alert."""

from __future__ import annotations

import struct
from pathlib import Path

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from tests.support.captures import ETHERNET, SECOND_NS, START_NS, pcap
from tlsinspect.model.frame import Frame

HOUR_NS = 3600 * SECOND_NS
MILLISECOND_NS = 1_000_000


def extension(kind: int, body: bytes) -> bytes:
    return struct.pack("!HH", kind, len(body)) + body


def client_hello_record(server_name: str | None) -> bytes:
    """A ClientHello of TLS 1.2 with one cipher suite."""
    extensions = extension(10, b"\0\2\0\x17")
    if server_name is not None:
        name = server_name.encode("ascii")
        extensions += extension(0, struct.pack("!HBH", len(name) + 3, 0, len(name)) + name)
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\xc0\x2f" + b"\1\0" + struct.pack("!H", len(extensions)) + extensions
    message = b"\1" + len(body).to_bytes(3, "big") + body
    return b"\x16\3\1" + struct.pack("!H", len(message)) + message


def refused(port: int, server_name: str | None, description: int) -> list[bytes]:
    """A connection from SYN to FIN in which the server answers the ClientHello with a fatal alert."""
    hello, alert = client_hello_record(server_name), b"\x15\3\3\0\2\2" + bytes((description,))
    steps = (
        (True, "S", 0, 0, b""),
        (False, "SA", 0, 1, b""),
        (True, "A", 1, 1, b""),
        (True, "PA", 1, 1, hello),
        (False, "PA", 1, 1 + len(hello), alert),
        (False, "FA", 1 + len(alert), 1 + len(hello), b""),
        (True, "FA", 1 + len(hello), 2 + len(alert), b""),
    )
    return [segment(port, *step) for step in steps]


def segment(port: int, from_client: bool, flags: str, sequence: int, acknowledged: int, payload: bytes) -> bytes:
    """One frame on Ethernet; the initial sequence numbers are 1000 and 5000."""
    ours, theirs = ("10.0.0.1", port, 1000), ("10.0.0.2", 443, 5000)
    source, target = (ours, theirs) if from_client else (theirs, ours)
    tcp = TCP(
        sport=source[1],
        dport=target[1],
        flags=flags,
        seq=source[2] + sequence,
        ack=target[2] + acknowledged if "A" in flags else 0,
    )
    ethernet = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    return bytes(ethernet / IP(src=source[0], dst=target[0]) / tcp / payload)


def pcap_octets(*batches: list[bytes]) -> bytes:
    """A pcap file with a millisecond between frames and an hour between batches."""
    placed = [
        (START_NS + hours * HOUR_NS + at * MILLISECOND_NS, octets)
        for hours, batch in enumerate(batches)
        for at, octets in enumerate(batch)
    ]
    frames = (Frame(n, time_ns, ETHERNET, octets, len(octets)) for n, (time_ns, octets) in enumerate(placed, start=1))
    return pcap(frames)


def two_refusals(path: Path) -> Path:
    """Stream 0 names no server and meets unrecognized_name(112), stream 1 names one and meets handshake_failure(40)."""
    path.write_bytes(pcap_octets(refused(40001, None, 112) + refused(40002, "a.example", 40)))
    return path
