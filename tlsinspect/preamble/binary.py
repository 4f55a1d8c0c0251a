"""Sizes and details of the dialogues that are not lines of text.

A size function takes the side, how many units the side has sent, and the first octets of the next unit (HEAD_OCTETS
of it at most), and says how many octets that unit has: 0 when they are too few to tell, -1 when they cannot be that
protocol.  They look at units that are not complete yet, so they work on plain offsets instead of a Cursor.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from tlsinspect.model.frame import Side

HEAD_OCTETS = 1024
NOT_THIS = -1
TOO_FEW = 0

Details = tuple[tuple[str, str], ...]


def proxy_v2_size(side: Side, index: int, head: bytes) -> int:
    """Signature, version and command, family, length.  The PROXY protocol, section 2.2."""
    signature = b"\r\n\r\n\x00\r\nQUIT\n"
    if side is Side.SERVER or not signature.startswith(head[:12]):
        return NOT_THIS
    if len(head) < 16:
        return TOO_FEW
    return 16 + int.from_bytes(head[14:16], "big") if head[12] >> 4 == 2 else NOT_THIS


def socks4_size(side: Side, index: int, head: bytes) -> int:
    """CONNECT with user name, in SOCKS 4A with host name; the reply has eight octets."""
    if side is Side.SERVER:
        return 8 if head[0] == 0 else NOT_THIS
    if head[0] != 4 or head[1:2] > b"\x01":
        return NOT_THIS
    end = head.find(b"\x00", 8)
    # SOCKS 4A: an address 0.0.0.x says that a host name follows.
    if end > 0 and head[4:7] == bytes(3) and head[7]:
        end = head.find(b"\x00", end + 1)
    if end > 0:
        return end + 1
    return TOO_FEW if len(head) < HEAD_OCTETS else NOT_THIS


def socks5_size(side: Side, index: int, head: bytes) -> int:
    """Method negotiation, RFC 1929 authentication, request and reply.  RFC 1928 sections 3, 4 and 6."""
    if len(head) < 2:
        return TOO_FEW if head in (b"\x05", b"\x01") else NOT_THIS
    if head[0] == 1 and index:
        return _socks5_authentication_size(side, head)
    if head[0] != 5:
        return NOT_THIS
    if not index:
        return 2 if side is Side.SERVER else 2 + head[1]
    if len(head) < 5:
        return TOO_FEW
    octets = {1: 4, 3: 1 + head[4], 4: 16}.get(head[3])
    return NOT_THIS if octets is None else 4 + octets + 2


def _socks5_authentication_size(side: Side, head: bytes) -> int:
    if side is Side.SERVER:
        return 2
    password = 2 + head[1]
    return password + 1 + head[password] if len(head) > password else TOO_FEW


def postgresql_size(side: Side, index: int, head: bytes) -> int:
    """SSLRequest or GSSENCRequest, and the one octet that answers each."""
    if side is Side.SERVER:
        return 1 if head[0] in b"SNGE" else NOT_THIS
    requests = (b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"\x00\x00\x00\x08\x04\xd2\x16\x30")
    if not any(request.startswith(head[:8]) for request in requests):
        return NOT_THIS
    return 8 if len(head) >= 8 else TOO_FEW


def mysql_size(side: Side, index: int, head: bytes) -> int:
    """Three octets of length and a sequence number, then the payload: Handshake v10, SSLRequest of 32 octets."""
    if index:
        return NOT_THIS
    if side is Side.CLIENT:
        header = b"\x20\x00\x00\x01"
        return 36 if header.startswith(head[:4]) else NOT_THIS
    if len(head) < 5:
        return TOO_FEW
    length = int.from_bytes(head[:3], "little")
    return 4 + length if head[3] == 0 and head[4] == 10 and 20 < length < HEAD_OCTETS else NOT_THIS


def ldap_size(side: Side, index: int, head: bytes) -> int:
    """An LDAPMessage: SEQUENCE, its length, the INTEGER messageID.  RFC 4511 section 4.1.1."""
    if head[0] != 0x30:
        return NOT_THIS
    if len(head) < 2:
        return TOO_FEW
    long_form = head[1] & 0x7F if head[1] & 0x80 else 0
    if long_form > 4:
        return NOT_THIS
    header = 2 + long_form
    if len(head) <= header:
        return TOO_FEW
    length = int.from_bytes(head[2:header], "big") if long_form else head[1]
    return header + length if head[header] == 0x02 else NOT_THIS


def tpkt_size(side: Side, index: int, head: bytes) -> int:
    """RFC 1006 section 6: version 3, reserved, length; around an X.224 Connection Request or Confirm."""
    if head[0] != 3 or head[1:2] > b"\x00":
        return NOT_THIS
    if len(head) < 6:
        return TOO_FEW
    expected = 0xE0 if side is Side.CLIENT else 0xD0
    length = int.from_bytes(head[2:4], "big")
    return length if head[5] == expected and length >= 11 else NOT_THIS


def xmpp_size(side: Side, index: int, head: bytes) -> int:
    """A tag with what precedes it; a stream begins with one.  RFC 6120 section 4.2."""
    if not index and head.strip()[:1] not in (b"", b"<"):
        return NOT_THIS
    end = head.find(b">") + 1
    return NOT_THIS if not end and len(head) >= HEAD_OCTETS else end


def describe_proxy_v1(groups: Mapping[str, bytes]) -> Details:
    """Source and destination of "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443"."""
    words = groups["addresses"].decode("ascii", "backslashreplace").split()
    if groups["family"] == b"UNKNOWN" or len(words) != 4:
        return (("family", groups["family"].decode("ascii")),)
    source, destination, source_port, destination_port = words
    return (
        ("source", _host_and_port(source, source_port)),
        ("destination", _host_and_port(destination, destination_port)),
    )


def describe_proxy_v2(groups: Mapping[str, bytes]) -> Details:
    """Source and destination, and how many octets of TLVs follow them.  The PROXY protocol, section 2.2."""
    if groups["command"][0] & 0x0F == 0:
        return (("command", "LOCAL"),)
    addresses = groups["addresses"]
    size = {1: 4, 2: 16}.get(groups["family"][0] >> 4)  # AF_INET, AF_INET6
    if size is None or len(addresses) < 2 * size + 4:
        return (("family", f"0x{groups['family'].hex()}"),)
    ports = addresses[2 * size : 2 * size + 4]
    details: Details = (
        ("source", _endpoint(addresses[:size], ports[:2])),
        ("destination", _endpoint(addresses[size : 2 * size], ports[2:])),
    )
    tlvs = len(addresses) - (2 * size + 4)
    return (*details, ("tlv_octets", str(tlvs))) if tlvs else details


_SOCKS_REPLIES = {
    # SOCKS 4
    0x5B: "request rejected or failed",
    0x5C: "the server cannot reach identd on the client",
    0x5D: "identd reports another user",
    # RFC 1928 section 6
    0x01: "general SOCKS server failure",
    0x02: "connection not allowed by ruleset",
    0x03: "network unreachable",
    0x04: "host unreachable",
    0x05: "connection refused",
    0x06: "TTL expired",
    0x07: "command not supported",
    0x08: "address type not supported",
}


def describe_socks(groups: Mapping[str, bytes]) -> Details:
    """The target of a request, or the reason in a reply."""
    if "methods" in groups:
        wrong = groups["methods"][0] == 1
        return (("reply", "authentication failed" if wrong else "no acceptable authentication method"),)
    if "reply" in groups:
        code = groups["reply"][0]
        return (("reply", f"0x{code:02x} {_SOCKS_REPLIES.get(code, 'unassigned')}"),)
    if "address" not in groups:
        return ()
    host = groups.get("host", b"").rstrip(b"\x00")
    if host:
        return (("target", _host_and_port(_text(host), _port(groups["port"]))),)
    if groups.get("kind") == b"\x03":  # DOMAINNAME: an octet of length, then the name
        return (("target", _host_and_port(_text(groups["address"][1:]), _port(groups["port"]))),)
    return (("target", _endpoint(groups["address"], groups["port"])),)


def describe_ldap(groups: Mapping[str, bytes]) -> Details:
    """The result code and the diagnosticMessage of a refusal.  RFC 4511 section 4.1.9."""
    if "result" not in groups:
        return ()
    return (("reply", f"resultCode {groups['result'][0]} {_text(groups.get('reply', b''))}".rstrip()),)


_RDP_PROTOCOLS = {0x01: "SSL", 0x02: "HYBRID", 0x04: "RDSTLS", 0x08: "HYBRID_EX", 0x10: "RDSAAD"}
_RDP_FAILURES = {
    1: "SSL_REQUIRED_BY_SERVER",
    2: "SSL_NOT_ALLOWED_BY_SERVER",
    3: "SSL_CERT_NOT_ON_SERVER",
    4: "INCONSISTENT_FLAGS",
    5: "HYBRID_REQUIRED_BY_SERVER",
    6: "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
}


def describe_rdp(groups: Mapping[str, bytes]) -> Details:
    """The protocols requested, the one selected, or the failure code.  MS-RDPBCGR sections 2.2.1.1.1 and 2.2.1.2."""
    details: list[tuple[str, str]] = []
    if "cookie" in groups:
        details.append(("cookie", _text(groups["cookie"])))
    for name in ("requested", "selected"):
        if name in groups:
            bits = groups[name][0]
            details.append((name, " ".join(text for bit, text in _RDP_PROTOCOLS.items() if bits & bit)))
    if "failure" in groups:
        code = groups["failure"][0]
        details.append(("reply", _RDP_FAILURES.get(code, f"failure code {code}")))
    return tuple(details)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace")


def _port(octets: bytes) -> str:
    return str(int.from_bytes(octets, "big"))


def _endpoint(address: bytes, port: bytes) -> str:
    return _host_and_port(str(ipaddress.ip_address(address)), _port(port))


def _host_and_port(host: str, port: str) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
