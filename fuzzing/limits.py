"""The bounds on what a capture can make tlsinspect hold or do, as docs/robustness.md lists them."""

from __future__ import annotations

import importlib
from typing import NamedTuple


class Limit(NamedTuple):
    """One bound: what it is of, and the constant in the code."""

    what: str
    unit: str
    module: str
    name: str  # of the constant, or Limits.<field>, which callers of the package can choose
    beyond: str  # what becomes of what is beyond it


LIMITS = (
    Limit("one frame, or one block of pcapng", "octets", "capture.window", "MOST_OCTETS", "reading ends, a defect"),
    Limit(
        "a decompressed capture, before its expansion is looked at",
        "octets",
        "capture.compression",
        "UNQUESTIONED_OCTETS",
        "see the next line",
    ),
    Limit(
        "expansion of a compressed capture beyond that",
        "times",
        "capture.compression",
        "MOST_EXPANSION",
        "reading ends, a defect",
    ),
    Limit(
        "window of a zstd stream",
        "octets",
        "capture.compression",
        "ZSTD_WINDOW_OCTETS",
        "reading ends, a defect",
    ),
    Limit("headers around headers in a frame", "headers", "net.packet", "MOST_HEADERS", "the frame is passed over"),
    Limit("IP datagrams in fragments", "datagrams", "net.fragments", "MOST_DATAGRAMS", "the oldest is forgotten"),
    Limit("fragments of one datagram", "fragments", "net.fragments", "MOST_PIECES", "the datagram is forgotten"),
    Limit("octets of all fragments", "octets", "net.fragments", "MOST_OCTETS", "the oldest are forgotten"),
    Limit(
        "connections remembered, ended ones included",
        "connections",
        "conversation",
        "Limits.most_flows",
        "the oldest is concluded",
    ),
    Limit(
        "what waits of one connection until it is over",
        "octets",
        "gathering",
        "MOST_OCTETS",
        "it is read as it comes",
    ),
    Limit("what waits of all connections", "octets", "flows", "MOST_GATHERED", "one is read as it comes"),
    Limit(
        "sessions issued lately, which lines of JSON know",
        "sessions",
        "sessions",
        "MOST_SESSIONS",
        "the oldest are forgotten",
    ),
    Limit(
        "octets out of order in one direction",
        "octets",
        "conversation",
        "Limits.most_octets",
        "the first hole becomes a gap",
    ),
    Limit("holes in one direction", "holes", "net.reassembly", "MOST_HOLES", "the first hole becomes a gap"),
    Limit(
        "application data of one side after which nothing more is read",
        "octets",
        "conversation",
        "Limits.settle_octets",
        "the connection is concluded",
    ),
    Limit(
        "the same where HTTP is read", "octets", "conversation", "Limits.follow_octets", "the connection is concluded"
    ),
    Limit("one record", "octets", "tls.record", "LARGEST", "it is no TLS"),
    Limit("one handshake message", "octets", "tls.handshake", "LARGEST", "it is shown as cut"),
    Limit("events of one connection", "events", "tls.connection", "MOST_EVENTS", "they are left out, nor change keys"),
    Limit("certificates of one chain", "certificates", "tls.certificate", "MOST_CERTIFICATES", "left out, a defect"),
    Limit(
        "a decompressed Certificate message", "octets", "tls.certificate", "LARGEST_UNCOMPRESSED", "not read, a defect"
    ),
    Limit("its expansion", "times", "tls.certificate", "MOST_EXPANSION", "not read, a defect"),
    Limit("extensions of a certificate", "extensions", "tls.x509_extensions", "MOST_EXTENSIONS", "left out, a defect"),
    Limit("steps of a search for a trust anchor", "steps", "tls.trust", "MOST_STEPS", "the best found so far counts"),
    Limit("secrets with one label and client random", "secrets", "tls.keylog", "MOST_SECRETS", "later ones left out"),
    Limit("keys tried on a record", "keys", "tls.opener", "MOST_CANDIDATES", "the oldest are left out"),
    Limit("records in a row that no key opens", "records", "tls.opener", "MOST_CLOSED", "no more are tried"),
    Limit("records after losses that no key opens", "records", "tls.opener", "MOST_SEARCHED", "no more are tried"),
    Limit("DTLS messages under way", "messages", "dtls.fragments", "MOST_PENDING", "further ones are passed over"),
    Limit("octets of these", "octets", "dtls.fragments", "MOST_OCTETS", "further ones are passed over"),
    Limit("QUIC packets that wait for keys", "packets", "quic.connection", "MOST_WAITING", "further ones are left out"),
    Limit("octets of a dialogue before TLS, each side", "octets", "preamble.reader", "MOST_OCTETS", "it is not TLS"),
    Limit("tunnels inside of tunnels before TLS", "tunnels", "preamble.reader", "MOST_STAGES", "it is not TLS"),
    Limit("HTTP exchanges of one connection", "exchanges", "http.reader", "MOST_EXCHANGES", "later ones are left out"),
    Limit("the head of an HTTP/1.1 message", "octets", "http.one", "MOST_HEAD", "reading of HTTP ends"),
    Limit("a field section of HTTP/2, packed or not", "octets", "http.two", "MOST_FIELDS", "reading of HTTP ends"),
    Limit("a host or path of HTTP", "characters", "http.head", "MOST_TEXT", "it is cut"),
)


def value_of(limit: Limit) -> int:
    """What the bound is in the code."""
    module = importlib.import_module(f"tlsinspect.{limit.module}")
    owner, dot, field = limit.name.partition(".")
    value: int = getattr(getattr(module, owner)(), field) if dot else getattr(module, limit.name)
    return value
