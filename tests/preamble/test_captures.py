"""The dialogues of real programs, from the public captures and the casebook."""

from pathlib import Path

import pytest

from tlsinspect.capture.file import open_capture
from tlsinspect.model.frame import Side
from tlsinspect.net.packet import PacketDecoder
from tlsinspect.net.reassembly import Stream
from tlsinspect.net.transport import Segment
from tlsinspect.preamble.reader import PreambleReader, State

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"
SYN = 2
SYN_ACK = 18


def _verdict(path):
    """The verdict about the first TCP connection of a capture, whose client sends the first SYN or segment."""
    reader, decoder = PreambleReader(), PacketDecoder()
    streams, verdict = {}, None
    with open_capture(path) as capture:
        for frame in capture:
            segment = decoder.decode(frame)
            if not isinstance(segment, Segment):
                continue
            key = _client_key(segment)
            client = next(iter(streams), key)
            if {client, _turned(client)} != {key, _turned(key)}:
                continue
            streams.setdefault(client, Stream())
            source = segment.key == client
            stream = streams.setdefault(segment.key, Stream())
            if segment.flags & SYN:
                stream.start(segment.seq + 1)
            for chunk in stream.feed(segment.seq, segment.payload, segment.payload_octets, frame.number, frame.time_ns):
                verdict = reader.feed(Side.CLIENT if source else Side.SERVER, chunk.octets, chunk.frame, chunk.time_ns)
                if verdict.state in (State.TLS, State.NOT):
                    return verdict
    return verdict


def _client_key(segment):
    return _turned(segment.key) if segment.flags & SYN_ACK == SYN_ACK else segment.key


def _turned(key):
    address, ports = (len(key) - 4) // 2, key[-4:]
    return key[address:-4] + key[:address] + ports[2:] + ports[:2]


ACCEPTED = {
    "corpora/OISF__pgsql-upgrade-tls__input.pcap": ("postgresql", {"reply": "S"}),
    "corpora/zeek__psql-aws-ssl-require-15432.pcap": ("postgresql", {"reply": "S"}),
    "corpora/ajbanjara__pgsql-ssl.pcapng": ("postgresql", {"reply": "S"}),
    "corpora/OISF__smtp-startssl__input.pcap": ("smtp", {"reply": "220 2.0.0 Ready to start TLS"}),
    "corpora/ajbanjara__smtp-ssl.pcapng": ("smtp", {"reply": "220 TLS go ahead"}),
    "corpora/arkime__smtp-starttls.pcap": ("smtp", {"reply": "220 2.0.0 Ready to start TLS"}),
    "corpora/ntop__smtp-starttls.pcap": ("smtp", {"reply": "220 2.0.0 Ready to start TLS"}),
    "corpora/zeek__smtp-starttls.pcap": ("smtp", {"reply": "220 2.0.0 Ready to start TLS"}),
    "corpora/ajbanjara__pop-ssl.pcapng": ("pop3", {"reply": "+OK Begin TLS negotiation now."}),
    "corpora/zeek__pop3-starttls.pcap": ("pop3", {"reply": "+OK Begin TLS negotiation now"}),
    "corpora/ntop__imap-starttls.pcap": ("imap", {"reply": "OK Begin TLS negotiation now"}),
    "corpora/ntop__ftp-start-tls.pcap": ("ftp", {"reply": "234 Proceed with negotiation."}),
    "corpora/zeek__irc-starttls.pcap": (
        "irc",
        {"reply": "670  :STARTTLS successful, go ahead with TLS handshake"},
    ),
    "corpora/ajbanjara__xmpp-ssl.pcapng": ("xmpp", {"reply": "proceed"}),
    "corpora/zeek__xmpp-starttls.pcap": ("xmpp", {"reply": "proceed"}),
    "corpora/ajbanjara__ldap-ssl.pcapng": ("ldap", {}),
    "corpora/arkime__ldap-ssl.pcap": ("ldap", {}),
    "corpora/ajbanjara__mysql-ssl-larger.pcapng": ("mysql", {"server_version": "5.5.40-MariaDB-0ubuntu0.14.04.1"}),
    "corpora/arkime__mysql-tls.pcap": ("mysql", {"server_version": "5.7.16"}),
    "corpora/nfstream__rdp.pcap": ("rdp", {"requested": "SSL HYBRID HYBRID_EX", "selected": "HYBRID_EX"}),
    "corpora/ntop__rdp_over_tls.pcap": (
        "rdp",
        {"cookie": "Cookie: mstshash=WDeployAd", "requested": "SSL HYBRID", "selected": "HYBRID"},
    ),
    "corpora/zeek__rdp-to-ssl.pcap": (
        "rdp",
        {"cookie": "Cookie: mstshash=AWAKECODI", "requested": "SSL HYBRID", "selected": "HYBRID"},
    ),
    "corpora/arkime__socks-https-example.pcap": ("socks4", {"target": "93.184.216.119:443"}),
    "corpora/zeek__socks-with-ssl.pcap": ("socks5", {"target": "www.google.com:443"}),
    "corpora/ntop__tls_heur__shadowsocks-tcp.pcapng": ("socks5", {"target": "[2a00:1450:4002:416::200e]:443"}),
    "corpora/arkime__https-connect.pcap": ("http-connect", {"target": "ts01-b.cloudsink.net:443", "reply": "200 OK"}),
    "corpora/emanuele-f__http_proxy.pcap": (
        "http-connect",
        {"target": "15.35.226.136:443", "reply": "200 Connection established"},
    ),
    "corpora/zeek__connect-with-header.pcap": (
        "http-connect",
        {"target": "secure.newegg.com:443", "reply": "200 Connection Established"},
    ),
    "casebook/pcaps/alpn-connect-expired.pcap": (
        "http-connect",
        {"target": "127.0.0.1:20112", "reply": "200 Connection established"},
    ),
    "casebook/pcaps/healthy-postgres-psql.pcap": ("postgresql", {"reply": "S"}),
}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public captures are not beside the repository")
@pytest.mark.parametrize("name", ACCEPTED)
def test_follows_the_dialogue_of_a_real_capture_to_tls(name):
    protocol, details = ACCEPTED[name]

    verdict = _verdict(SHARED / name)

    assert verdict.state is State.TLS
    assert (verdict.preamble.protocol, dict(verdict.preamble.details)) == (protocol, details)
    assert verdict.preamble.accepted is True


@pytest.mark.skipif(not SHARED.is_dir(), reason="the casebook is not beside the repository")
def test_reports_the_refusal_of_a_postgresql_server_without_tls():
    verdict = _verdict(SHARED / "casebook" / "pcaps" / "starttls-refused-postgres-psql.pcap")

    assert verdict.state is State.REFUSED
    assert (verdict.preamble.accepted, verdict.preamble.frames) == (False, (4, 6))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public captures are not beside the repository")
def test_tls_inside_a_tunnel_begins_with_the_client_hello():
    verdict = _verdict(SHARED / "corpora" / "zeek__socks-with-ssl.pcap")

    assert verdict.client[:6].hex() == "16030100a201"
    assert verdict.server == b""
