"""From a captured frame to the innermost TCP segment or UDP datagram, through any nesting of headers."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from tlsinspect.model.frame import Frame
from tlsinspect.net import link, network, tunnel
from tlsinspect.net.fragments import Fragments
from tlsinspect.net.layer import Inner, Layer, Network, uint16
from tlsinspect.net.transport import Datagram, Quoted, Segment, datagram, endpoints, quoted, reverse, segment

__all__ = ["LAYERS", "MOST_HEADERS", "Datagram", "PacketDecoder", "Quoted", "Segment", "endpoints", "reverse"]

LAYERS: Mapping[tuple[str, int], Layer] = {**link.LAYERS, **network.LAYERS, **tunnel.LAYERS}
MOST_HEADERS = 16  # a frame that nests deeper is hostile or damaged

TCP = ("ip", 6)
UDP = ("ip", 17)
ICMP = frozenset((("ip", 1), ("ip", 58)))
NO_NETWORK = Network(b"", 0)  # before the first IP header

# EtherType and first octet of IP, then the fields up to the flags of TCP. In both versions of IP the addresses and the
# ports stand side by side when nothing is between the headers: together they are the key.
PLAIN_IPV4 = b"\x08\x00\x45"  # no options
PLAIN_IPV6 = b"\x86\xdd\x60"
ipv4_tcp = struct.Struct(">12x3sxH2xHBB2x12sIIBB").unpack_from
ipv6_tcp = struct.Struct(">18xHBB36sIIBB").unpack_from
BEYOND = 1 << 20
TCP_OCTETS = tuple((octet >> 4) * 4 if octet >= 0x50 else BEYOND for octet in range(256))  # by the data offset octet

TUNNEL_PORTS = frozenset(number.to_bytes(2, "big") for name, number in tunnel.LAYERS if name == "udp")

_new = tuple.__new__  # half the time of Segment(...), which goes through a function written in Python


class PacketDecoder:
    """Follows headers to the innermost transport header, as Wireshark does to number its streams.

    Owns the fragments of IP datagrams under way; they are freed when the datagram is whole, after 30 s of frame time,
    and when there are too many. Of what an ICMP error quotes only the ports are read.
    """

    __slots__ = ("_fragments", "passed", "unknown_links")

    def __init__(self) -> None:
        self._fragments = Fragments()
        self.passed: list[bytes] = []  # keys of the datagrams whose tunnels were entered, until the caller clears it
        self.unknown_links: set[int] = set()  # link types of frames that cannot be decoded

    def decode(self, frame: Frame) -> Segment | Datagram | Quoted | None:
        """What the innermost transport header of *frame* carries.

        None for anything else, for headers that the capture cut, and for a fragment that completes no datagram.
        """
        # Ethernet, IP without options or fragments, TCP or UDP: nearly every frame of nearly every capture, so without
        # a call or a value in between. Whatever does not fit goes the general way, with the same result.
        _, _, link_type, data, _ = frame
        if link_type == 1:
            try:
                plain, total, offset, ttl, protocol, key, seq, ack, words, flags = ipv4_tcp(data)
                if plain == PLAIN_IPV4:
                    if protocol == 6 and (offset == 0x4000 or offset == 0):
                        start = 34 + TCP_OCTETS[words]
                        end = 14 + total
                        if start <= end and start <= len(data):
                            return _new(Segment, (key, seq, ack, flags, ttl, data[start:end], end - start))
                    elif (
                        protocol == 17
                        and (offset == 0x4000 or offset == 0)
                        and not TUNNEL_PORTS & {key[8:10], key[10:]}
                    ):
                        end = min(14 + total, 34 + (seq >> 16))  # the length of UDP is where TCP has its number
                        if end >= 42:
                            return _new(Datagram, (key, ttl, data[42:end], end - 42))
                elif plain == PLAIN_IPV6:
                    length, protocol, ttl, key, seq, ack, words, flags = ipv6_tcp(data)
                    if protocol == 6:
                        start = 54 + TCP_OCTETS[words]
                        end = 54 + length
                        if start <= end and start <= len(data):
                            return _new(Segment, (key, seq, ack, flags, ttl, data[start:end], end - start))
                    elif protocol == 17 and not TUNNEL_PORTS & {key[32:34], key[34:]}:
                        end = min(54 + length, 54 + (seq >> 16))
                        if end >= 62:
                            return _new(Datagram, (key, ttl, data[62:end], end - 62))
            except struct.error:
                pass  # shorter than these headers together: another protocol, or cut
        return self._innermost(frame)

    def _innermost(self, frame: Frame) -> Segment | Datagram | Quoted | None:
        """Follows the LAYERS table.  A tunnel over UDP that leads nowhere leaves the datagram itself."""
        data, at, end = frame.data, 0, max(len(frame.data), frame.wire_length)
        whole_end = end
        kind = ("link", frame.link_type)
        if kind not in LAYERS:
            self.unknown_links.add(frame.link_type)
            return None
        ends = NO_NETWORK
        outer: Datagram | None = None
        in_error = False
        try:
            for _ in range(MOST_HEADERS):
                if end < len(data):  # what follows the end is padding or a trailer
                    data = data[:end]
                if in_error and kind in (TCP, UDP):
                    return quoted(data, at, kind[1], ends)
                in_error = in_error or kind in ICMP
                if kind == TCP:
                    return segment(data, at, end, ends)
                if kind == UDP:
                    outer = datagram(data, at, end, ends)
                    inner = _over_udp(data, at, outer)
                    if inner is not None and outer is not None:
                        self.passed.append(outer.key)
                else:
                    layer = LAYERS.get(kind)
                    inner = layer(data, at, end) if layer is not None else None
                if inner is None:
                    return outer
                # A header cannot hold more than the one around it says. Around the outermost is only the length of the
                # frame, and tools that cut frames are known to write the length that is left.
                end = min(inner.end, end) if end < whole_end else inner.end
                kind, at, fragment = inner.kind, inner.at, inner.fragment
                ends = inner.network or ends
                if fragment is not None:
                    if kind not in LAYERS and kind != TCP and kind != UDP:
                        return outer
                    whole = self._fragments.feed(
                        ends.addresses, fragment, kind=kind, data=data[at:end], octets=end - at, time_ns=frame.time_ns
                    )
                    if whole is None:
                        return None
                    kind, data, end = whole
                    at, whole_end = 0, end
        except (IndexError, struct.error):
            # The snap length cut a header; or the datagram is whole, and it is no tunnel at all.
            if outer is not None and len(outer.payload) == outer.payload_octets:
                return outer
        return None


def _over_udp(data: bytes, at: int, found: Datagram | None) -> Inner | None:
    """What the datagram carries when one of its ports and the header behind it are those of a tunnel."""
    if found is None:
        return None
    for port_at in (at + 2, at):
        layer = LAYERS.get(("udp", uint16(data, port_at)[0]))
        if layer is not None:
            inner = layer(data, at + 8, at + 8 + found.payload_octets)
            if inner is not None:
                return inner
    return None
