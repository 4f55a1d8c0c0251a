"""Captures for the benchmarks: real handshakes of OpenSSL, laid on the wire as TCP segments."""

from __future__ import annotations

import contextlib
import random
import ssl
import struct
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

SEGMENT_OCTETS = 1448  # what fits into an Ethernet frame beside IP and TCP with timestamps
UNDER_WAY = 100  # connections whose packets are mixed with each other
PACKET_NS = 20_000  # from one packet to the next
SYN, FIN, PSH_ACK, SYN_ACK, ACK, FIN_ACK = 0x02, 0x01, 0x18, 0x12, 0x10, 0x11


class Flight(NamedTuple):
    """What one side sends at once."""

    from_client: bool
    octets: bytes


SESSIONS: dict[ssl.SSLContext, ssl.SSLSession | None] = {}  # the latest of each client


def certificate(folder: Path) -> Path:
    """A self-signed certificate and its key, in one PEM file."""
    path = folder / "server.pem"
    names = ",".join(f"DNS:*.site{number}.example" for number in range(10))
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "3650",
                "-subj",
                "/O=Example/CN=bench",
            ),
            *("-addext", f"subjectAltName={names}", "-keyout", str(path), "-out", str(folder / "certificate.pem")),
        ],
        check=True,
        capture_output=True,
    )
    with path.open("ab") as file:
        file.write((folder / "certificate.pem").read_bytes())
    return path


def flights(server: ssl.SSLContext, client: ssl.SSLContext, name: str, session: ssl.SSLSession | None) -> list[Flight]:
    """The flights of one handshake; the session that it made is kept in SESSIONS."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname=name, session=session)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    sent: list[Flight] = []
    done: set[bool] = set()
    while len(done) < 2:
        for from_client, side, out in ((True, one, to_server), (False, other, to_client)):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
                done.add(from_client)
            octets = out.read()
            if octets:
                sent.append(Flight(from_client, octets))
                out.write(octets)  # for the other side to read
    with contextlib.suppress(ssl.SSLWantReadError):
        one.read(1)  # the tickets of TLS 1.3
    SESSIONS[client] = one.session
    return sent


def contexts(pem: Path) -> list[tuple[ssl.SSLContext, ssl.SSLContext]]:
    """Servers and clients: TLS 1.2 and TLS 1.3."""
    pairs = []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        server.load_cert_chain(pem)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        for context in (server, client):
            context.minimum_version = context.maximum_version = version
            context.set_alpn_protocols(["h2", "http/1.1"])
        pairs.append((server, client))
    return pairs


def packets(number: int, sent: Sequence[Flight], data_octets: int) -> Iterator[bytes]:
    """The Ethernet frames of one connection, with application data of the server at the end."""
    client, server = struct.pack(">I", 0x0A000000 + number // 50000 + 1), b"\xc0\xa8\x00\x01"
    ports = {True: (10000 + number % 50000, 443), False: (443, 10000 + number % 50000)}
    seq = {True: number * 7919 % 2**32, False: number * 104729 % 2**32}

    def packet(from_client: bool, flags: int, payload: bytes = b"") -> bytes:
        source, destination = (client, server) if from_client else (server, client)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), 0, 0x4000, 64, 6, 0, source, destination)
        acknowledged = 0 if flags == SYN else seq[not from_client]
        tcp = struct.pack(">HHIIBBHHH", *ports[from_client], seq[from_client], acknowledged, 0x50, flags, 65535, 0, 0)
        seq[from_client] = (seq[from_client] + len(payload) + (flags & (SYN | FIN) != 0)) % 2**32
        return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + ip + tcp + payload

    yield packet(True, SYN)
    yield packet(False, SYN_ACK)
    yield packet(True, ACK)
    record = b"\x17\x03\x03\x40\x00" + bytes(range(256)) * 64
    data = record * (data_octets // len(record)) or b"\x17\x03\x03" + struct.pack(">H", data_octets) + bytes(
        data_octets
    )
    for flight in (*sent, Flight(False, data)):
        for at in range(0, len(flight.octets), SEGMENT_OCTETS):
            yield packet(flight.from_client, PSH_ACK, flight.octets[at : at + SEGMENT_OCTETS])
        yield packet(not flight.from_client, ACK)
    yield packet(True, FIN_ACK)
    yield packet(False, FIN_ACK)
    yield packet(True, ACK)


def write_capture(path: Path, folder: Path, *, connections: int, data_octets: int, under_way: int = UNDER_WAY) -> None:
    """Writes a pcap file of that many connections, some under way at once; every third takes up an earlier session."""
    pairs = contexts(certificate(folder))
    order = random.Random(1)  # the same capture each time, but for the keys
    open_ones: list[Iterator[bytes]] = []
    begun, time_ns = 0, 1_767_225_600_000_000_000
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        while open_ones or begun < connections:
            if begun < connections and len(open_ones) < under_way:
                server, client = pairs[begun % 2]
                session = SESSIONS.get(client) if begun % 3 == 0 else None
                name = f"host{begun % 500}.site{begun % 10}.example"
                open_ones.append(packets(begun, flights(server, client, name, session), data_octets))
                begun += 1
            at = order.randrange(len(open_ones))
            octets = next(open_ones[at], None)
            if octets is None:
                open_ones.pop(at)
                continue
            time_ns += PACKET_NS
            file.write(struct.pack("<IIII", *divmod(time_ns, 10**9), len(octets), len(octets)) + octets)
