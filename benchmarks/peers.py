"""The server names in a capture by other libraries, one a line: what their users would write to get them.

    python benchmarks/peers.py scapy|pyshark|dpkt|nfstream CAPTURE

Stands alone, so that an environment with those libraries needs nothing else (`pip install -e '.[bench]'` has them).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

HANDSHAKE, CLIENT_HELLO, SERVER_NAME = 22, 1, 0  # RFC 8446 section 5.1, section 4; RFC 6066 section 3
NAME_AT = 5  # in the extension: the length of the list, the type of the name and its length stand before it


def scapy(capture: str) -> Iterator[str]:
    """Every packet dissected, with TLS."""
    from scapy.layers.tls.all import TLS_Ext_ServerName
    from scapy.utils import PcapReader

    with PcapReader(capture) as packets:
        for packet in packets:
            found = packet.getlayer(TLS_Ext_ServerName)
            for each in found.servernames if found is not None else ():
                yield each.servername.decode()


def pyshark(capture: str) -> Iterator[str]:
    """tshark with a display filter, whose packets are read as XML."""
    from pyshark import FileCapture

    with FileCapture(capture, display_filter="tls.handshake.type == 1", keep_packets=False) as packets:
        for packet in packets:
            name = getattr(packet.tls, "handshake_extensions_server_name", None)
            if name is not None:
                yield str(name)


def dpkt(capture: str) -> Iterator[str]:
    """Headers and records; a ClientHello has to stand in one segment."""
    from dpkt import NeedData, ethernet, ip, pcap, ssl, tcp

    with open(capture, "rb") as file:
        for _, octets in pcap.Reader(file):
            packet = ethernet.Ethernet(octets).data
            segment = packet.data if isinstance(packet, ip.IP) else None
            if not isinstance(segment, tcp.TCP) or segment.data[:1] != bytes([HANDSHAKE]):
                continue
            try:
                messages = [ssl.TLSHandshake(each.data) for each in ssl.tls_multi_factory(segment.data)[0]]
            except (NeedData, ssl.SSL3Exception):
                continue
            for hello in (each.data for each in messages if each.type == CLIENT_HELLO):
                names = [body for kind, body in getattr(hello, "extensions", ()) if kind == SERVER_NAME]
                yield from (name[NAME_AT:].decode() for name in names)


def nfstream(capture: str) -> Iterator[str]:
    """Flows, with the name that nDPI found."""
    from nfstream import NFStreamer

    for flow in NFStreamer(source=capture):
        if flow.requested_server_name:
            yield flow.requested_server_name


PEERS: dict[str, Callable[[str], Iterator[str]]] = {each.__name__: each for each in (scapy, pyshark, dpkt, nfstream)}


def main(arguments: list[str]) -> Any:
    """Prints the names that a library finds."""
    if len(arguments) != 2 or arguments[0] not in PEERS:
        return __doc__
    for name in PEERS[arguments[0]](arguments[1]):
        print(name)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
