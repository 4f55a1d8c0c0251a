"""Captures for the benchmarks: real handshakes of OpenSSL, laid on the wire as TCP segments.

python -m benchmarks.captures OUT.pcap [--connections 2000] [--data-octets 4096] [--mixed]
"""

from __future__ import annotations

import argparse
import contextlib
import random
import ssl
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.certificates import anchor_file, authority, chain

SEGMENT_OCTETS = 1448  # what fits into an Ethernet frame beside IP and TCP with timestamps
UNDER_WAY = 100  # connections whose packets are mixed with each other
PACKET_NS = 20_000  # from one packet to the next
LARGEST_RECORD = 1 << 14
TIMESTAMPS = b"\x01\x01\x08\x0a" + bytes(8)  # two NOPs, then the option of RFC 7323
SYN, FIN, PSH_ACK, SYN_ACK, ACK, FIN_ACK = 0x02, 0x01, 0x18, 0x12, 0x10, 0x11


class Flight(NamedTuple):
    """What one side sends at once."""

    from_client: bool
    octets: bytes


class Form(NamedTuple):
    """How a connection looks on the wire."""

    timestamps: bool = False  # in each segment, as between two hosts with Linux
    request_octets: int = 0  # of a record of the client, before the server's data
    acknowledged_every: int = 0  # segments of a flight, beside its last one


SHORT, AS_LINUX = Form(), Form(timestamps=True, request_octets=256, acknowledged_every=2)


class Kind(NamedTuple):
    """A kind of handshake, of which a capture has a share."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    resumes: bool  # the latest session of this client


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
    return [pair(version, pem) for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)]


def mixture(folder: Path) -> list[Kind]:
    """Twenty kinds: TLS 1.3 and 1.2, with keys of both kinds, an eighth with client certificates, a tenth resumed."""
    root = authority("Benchmark Root")
    issuer = authority("Benchmark Issuer", root)
    rsa, ecdsa, client = (chain(folder, name, issuer, root) for name in ("server-rsa", "server-ecdsa", "client"))
    anchors = anchor_file(folder, root)
    two, three = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    full = {(version, pem): Kind(*pair(version, pem), False) for version in (two, three) for pem in (rsa, ecdsa)}
    mutual = {version: Kind(*pair(version, rsa, client=client, anchors=anchors), False) for version in (two, three)}
    again = full[two, rsa]._replace(resumes=True)
    return [
        *(full[three, rsa], full[two, rsa], full[three, ecdsa], mutual[three], full[three, rsa]),
        *(full[two, ecdsa], full[three, ecdsa], mutual[two], full[three, rsa], again),
        *(full[three, ecdsa], mutual[three], full[two, rsa], full[three, rsa], mutual[three]),
        *(full[three, ecdsa], mutual[two], full[two, rsa], full[three, rsa], again),
    ]


def pair(
    version: ssl.TLSVersion, pem: Path, *, client: Path | None = None, anchors: Path | None = None
) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server and a client of one version, with certificates of both sides when the client has one."""
    server, other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.load_cert_chain(pem)
    other.check_hostname, other.verify_mode = False, ssl.CERT_NONE
    if client is not None:
        other.load_cert_chain(client)
        server.load_verify_locations(anchors)
        server.verify_mode = ssl.CERT_REQUIRED
    for context in (server, other):
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["h2", "http/1.1"])
    return server, other


def resumable(folder: Path) -> list[Kind]:
    """The kinds of most captures: TLS 1.2 and TLS 1.3 in turn, every third with the latest session of its client."""
    pairs = contexts(certificate(folder))
    return [Kind(*pairs[number % 2], number % 3 == 0) for number in range(6)]


def packets(number: int, sent: Sequence[Flight], data_octets: int, form: Form = SHORT) -> Iterator[bytes]:
    """The Ethernet frames of one connection, with application data of the server at the end."""
    client, server = struct.pack(">I", 0x0A000000 + number // 50000 + 1), b"\xc0\xa8\x00\x01"
    ports = {True: (10000 + number % 50000, 443), False: (443, 10000 + number % 50000)}
    seq = {True: number * 7919 % 2**32, False: number * 104729 % 2**32}
    options = TIMESTAMPS if form.timestamps else b""
    tcp_octets = 20 + len(options)

    def packet(from_client: bool, flags: int, payload: bytes = b"") -> bytes:
        source, destination = (client, server) if from_client else (server, client)
        octets = 20 + tcp_octets + len(payload)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, octets, 0, 0x4000, 64, 6, 0, source, destination)
        acknowledged = 0 if flags == SYN else seq[not from_client]
        tcp = struct.pack(
            ">HHIIBBHHH", *ports[from_client], seq[from_client], acknowledged, tcp_octets << 2, flags, 65535, 0, 0
        )
        seq[from_client] = (seq[from_client] + len(payload) + (flags & (SYN | FIN) != 0)) % 2**32
        return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + ip + tcp + options + payload

    yield packet(True, SYN)
    yield packet(False, SYN_ACK)
    yield packet(True, ACK)
    request = [Flight(True, record_of(form.request_octets))] if form.request_octets else []
    for flight in (*sent, *request, Flight(False, data_of(data_octets))):
        for count, at in enumerate(range(0, len(flight.octets), SEGMENT_OCTETS), 1):
            yield packet(flight.from_client, PSH_ACK, flight.octets[at : at + SEGMENT_OCTETS])
            if form.acknowledged_every and not count % form.acknowledged_every:
                yield packet(not flight.from_client, ACK)
        yield packet(not flight.from_client, ACK)
    yield packet(True, FIN_ACK)
    yield packet(False, FIN_ACK)
    yield packet(True, ACK)


def data_of(octets: int) -> bytes:
    """Records of 16 KiB, or one that is smaller."""
    largest = record_of(LARGEST_RECORD, bytes(range(256)) * (LARGEST_RECORD // 256))
    return largest * (octets // len(largest)) or record_of(octets)


def record_of(octets: int, content: bytes = b"") -> bytes:
    """A record of application data."""
    return b"\x17\x03\x03" + struct.pack(">H", octets) + (content or bytes(octets))


def write_capture(
    path: Path,
    folder: Path,
    *,
    connections: int,
    data_octets: int,
    under_way: int = UNDER_WAY,
    mixed: bool = False,
) -> None:
    """Writes a pcap file of that many connections, some under way at once.

    *mixed*: with chains of three certificates, client certificates, and segments as Linux sends them.
    """
    kinds, form = (mixture(folder), AS_LINUX) if mixed else (resumable(folder), SHORT)
    order = random.Random(1)  # the same capture each time, but for the keys
    open_ones: list[Iterator[bytes]] = []
    begun, time_ns = 0, 1_767_225_600_000_000_000
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        while open_ones or begun < connections:
            if begun < connections and len(open_ones) < under_way:
                server, client, resumes = kinds[begun % len(kinds)]
                session = SESSIONS.get(client) if resumes else None
                name = f"host{begun % 500}.site{begun % 10}.example"
                open_ones.append(packets(begun, flights(server, client, name, session), data_octets, form))
                begun += 1
            at = order.randrange(len(open_ones))
            octets = next(open_ones[at], None)
            if octets is None:
                open_ones.pop(at)
                continue
            time_ns += PACKET_NS
            file.write(struct.pack("<IIII", *divmod(time_ns, 10**9), len(octets), len(octets)) + octets)


def main() -> None:
    """Writes one capture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--data-octets", type=int, default=4096, help="of application data of each")
    parser.add_argument("--mixed", action="store_true", help="mutual TLS, chains, segments as Linux sends them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        write_capture(
            options.out,
            Path(name),
            connections=options.connections,
            data_octets=options.data_octets,
            mixed=options.mixed,
        )


if __name__ == "__main__":
    main()
