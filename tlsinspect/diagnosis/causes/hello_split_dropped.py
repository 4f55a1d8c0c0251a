"""Only the first part of a ClientHello of several segments got through.

## What happened

The ClientHello is larger than one TCP segment, as it is with post-quantum key shares (about 1.5 to 1.8 kB with
X25519MLKEM768), long session tickets or many extensions. The server acknowledged its first segment and never the rest,
which the client sent again and again.

## On the wire

ClientHello in two or more segments, acknowledgements that stop inside it, retransmissions of the rest, silence. TLS 1.2
and TLS 1.3 look the same; TLS 1.3 clients with post-quantum groups are the usual victims.

## How to confirm

Send a small hello: `curl --curves X25519`, `GODEBUG=tlsmlkem=0`, `openssl s_client -groups X25519`. If that works, find
what drops the second segment: a device that looks for the server name in the first segment alone, a full-size segment
that does not fit a tunnel (path MTU), a filter of fragments.

## What it is not

A server that refuses the offer: it never saw the whole of it. A hello that was acknowledged in full is
`hello-unanswered`.
"""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.diagnosis.facts import at_frame, hello_frame, hello_of, unanswered
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.reach_fixes import SMALLER_HELLO
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import KeyShare
from tlsinspect.tls import extensions as ext

LARGE_SHARE_OCTETS = 500


def check(case: Case) -> Finding | None:
    """The hello has several segments, and the acknowledgements stop inside it."""
    handshake = case.handshake
    tcp = handshake.tcp
    if not unanswered(handshake) or (tcp.server_octets and handshake.preamble is None):
        return None
    if len(tcp.client_segments) < 2 or not tcp.client_retransmissions:
        return None
    if not 0 < tcp.client_acknowledged < tcp.client_octets or any(mark.side is Side.SERVER for mark in tcp.fins):
        return None
    sizes = " + ".join(str(size) for size in tcp.client_segments)
    return Finding(
        certainty=Certainty.SHOWN,
        explanation=(
            f"The ClientHello{at_frame(hello_frame(handshake))} took {len(tcp.client_segments)} segments ({sizes} "
            f"octets). The server acknowledged {tcp.client_acknowledged} of {tcp.client_octets} octets, and the rest "
            f"was sent again {tcp.client_retransmissions} times without an answer: the later segments do not get "
            f"through.{large_share(handshake)}"
        ),
        evidence=("client_hello.key_share_groups", "outcome"),
    )


def large_share(handshake: Handshake) -> str:
    """A sentence about the key share that makes the hello large; empty when there is none."""
    hello = hello_of(handshake)
    shares = hello.body(ext.KEY_SHARE) if hello is not None else None
    for share in shares if isinstance(shares, tuple) else ():
        if isinstance(share, KeyShare) and share.octets >= LARGE_SHARE_OCTETS:
            name = registry.NAMED_GROUPS.name(share.group)
            return f" The key share of {name} takes {share.octets} octets of it."
    return ""


CAUSE = Cause(
    code="hello-split-dropped",
    title="Only the first part of the ClientHello got through",
    stage=Stage.TRANSPORT,
    severity=Severity.ERROR,
    looks_at=("client_hello.key_share_groups", "outcome"),
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=(
        Fix(
            "any network",
            "Let full-size segments through, or clamp the segment size in front of a tunnel.",
            "nft add rule inet filter forward tcp flags syn tcp option maxseg size set rt mtu",
        ),
        Fix("any firewall", "Upgrade what looks for the server name in the first segment alone, or exempt the server."),
        *SMALLER_HELLO,
        Fix(
            "HAProxy",
            "As a router by name, wait for the whole hello.",
            "tcp-request inspect-delay 5s\ntcp-request content accept if { req.ssl_hello_type 1 }",
            Side.SERVER,
        ),
        Fix(
            "nginx (stream)",
            "As a router by name, wait for the whole hello.",
            "ssl_preread on;\npreread_buffer_size 16k;\npreread_timeout 30s;",
            Side.SERVER,
        ),
    ),
    log_lines=(
        ("nginx", "upstream timed out (110: Connection timed out) while SSL handshaking to upstream"),
        ("curl", "curl: (28) SSL connection timeout"),
        ("Go", "net/http: TLS handshake timeout"),
        ("Chrome", "ERR_TIMED_OUT"),
    ),
    references=("RFC 8446 section 4.2.8", "RFC 9293 section 3.8.1", "RFC 8899 section 1.1"),
    explanation=__doc__,
)
