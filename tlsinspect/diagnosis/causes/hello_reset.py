"""The connection was reset right after the ClientHello, without an alert.

## What happened

The client sent its ClientHello and got a RST. The server, or something on the path in its name, did not want to go on
and did not say why in TLS. Typical reasons: no filter chain of Envoy matches the name; a firewall resets connections
by their server name or for lack of one; the server expects a PROXY protocol header and closes with the hello unread;
a bot filter dislikes the fingerprint; an address is not on a list.

## On the wire

SYN, SYN-ACK, ClientHello, RST. TLS 1.2 and TLS 1.3 look the same. A RST whose TTL differs from that of the server's
SYN-ACK was sent by another machine. A server that closes with unread data sends RST rather than FIN, so this cause and
`hello-closed` are one family.

## How to confirm

Compare with a connection that works (`tlsinspect diff`): the same hello from another address points to an address list,
another hello from the same address to name, ALPN or fingerprint. Read the server's log.

## What it is not

A refusal of version or cipher suite: servers send an alert for that. `tcp-refused` is a RST before the hello.
"""

from __future__ import annotations

from dataclasses import replace

from tlsinspect.diagnosis.facts import (
    at_frame,
    hello_frame,
    hello_of,
    hello_time_ns,
    name_text,
    reset_by_middlebox,
    server_name,
    unanswered,
    waited,
)
from tlsinspect.diagnosis.fixes import SEND_SERVER_NAME, SERVE_THE_NAME
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import EndingKind, Handshake
from tlsinspect.model.message import ClientHello


def check(case: Case) -> Finding | None:
    """The first that came after the ClientHello was a RST of the server."""
    handshake = case.handshake
    ending = handshake.ending
    if ending is None or ending.kind is not EndingKind.RST or ending.side is not Side.SERVER:
        return None
    if not unanswered(handshake):
        return None
    return Finding(
        certainty=Certainty.SHOWN,
        explanation=(
            f"The server reset the connection{at_frame(ending.frame)} {after_hello(handshake, ending.time_ns)}, "
            f"without an alert.{reset_by_middlebox(handshake)}"
            f" Why is not in the capture. {candidates(handshake)}"
        ),
        evidence=("tcp.server_reset", "client_hello.server_name", "client_hello.alpn"),
    )


def after_hello(handshake: Handshake, time_ns: int) -> str:
    """When the server ended the connection, by the ClientHello."""
    hello_ns = hello_time_ns(handshake)
    frame = at_frame(hello_frame(handshake))
    if time_ns < hello_ns:
        return f"before the ClientHello{frame} was there: it takes no connection of this client now"
    return f"{waited(hello_ns, time_ns)} after the ClientHello{frame}"


def candidates(handshake: Handshake) -> str:
    """What of the hello could be to blame, the most usual first."""
    name = server_name(handshake)
    found = []
    if name is Missing.NOT_SENT:
        found.append("the hello carries no server name, and the server or a firewall may route by it")
    else:
        found.append(f"{name_text(name)} may match no route (an Envoy listener without a filter chain for it)")
    found.append("the server may expect a PROXY protocol header first")
    hello = hello_of(handshake)
    if hello is not None and handshake.preamble is None and several_segments(handshake):
        found.append("the hello needs more than one segment, which some devices cannot read")
    found.append("a filter may refuse the client's address or its fingerprint")
    return f"Likely reasons, in order: {'; '.join(found)}."


def several_segments(handshake: Handshake) -> bool:
    """Whether the ClientHello did not fit into one segment; what the client sent behind it does not count."""
    return any(isinstance(event.message, ClientHello) and len(event.frames) > 1 for event in handshake.events)


SEND_ITS_NAME = tuple(
    replace(fix, action=f"Send a name that the server has a route for. {fix.action}") for fix in SEND_SERVER_NAME
)

CAUSE = Cause(
    code="hello-reset",
    title="The connection was reset right after the ClientHello",
    stage=Stage.TRANSPORT,
    severity=Severity.ERROR,
    looks_at=("tcp.server_reset", "client_hello.server_name"),
    check=check,
    compare=on_one_side(check),
    follows_from=(
        "sni-missing",
        "sni-mismatch",
        "sni-invalid",
        "alpn-missing",
        "alpn-different",
        "version-no-overlap",
        "cipher-no-overlap",
        "group-no-overlap",
        "fingerprint-different",
        "hello-split-dropped",
    ),
    fixes=(
        Fix("any server", "Read its own log: the reason is there and not on the wire.", "", Side.SERVER),
        *SEND_ITS_NAME,
        *(fix for fix in SERVE_THE_NAME if fix.product in ("Envoy", "Istio")),
        Fix("nginx", "Expect a PROXY protocol header only where one is sent.", "listen 443 ssl;", Side.SERVER),
        Fix("HAProxy", "The same: no accept-proxy.", "bind :443 ssl crt SITE.pem", Side.SERVER),
        Fix("nginx (stream)", "Or send the header.", "proxy_protocol on;", Side.CLIENT),
        Fix(
            "HAProxy",
            "Or send the header.",
            "server app ADDRESS:443 ssl verify required ca-file CA.pem send-proxy-v2",
            Side.CLIENT,
        ),
        Fix("Envoy", "Or send the header.", "name: envoy.transport_sockets.upstream_proxy_protocol", Side.CLIENT),
        Fix("Caddy", "Or send the header.", "transport http {\n    proxy_protocol v2\n}", Side.CLIENT),
        Fix("Traefik", "Or send the header, in a TCP service.", "proxyProtocol:\n  version: 2", Side.CLIENT),
        Fix("curl", "Or send the header.", "curl --haproxy-protocol https://{host}/", Side.CLIENT),
        Fix("any firewall", "Allow the name, or the client's address."),
    ),
    log_lines=(
        (
            "nginx",
            "peer closed connection in SSL handshake (104: Connection reset by peer) while SSL handshaking to upstream",
        ),
        ("nginx", "while reading PROXY protocol"),
        ("curl", "curl: (35) Recv failure: Connection reset by peer"),
        ("OpenSSL", "write:errno=104"),
        ("GnuTLS", "*** Fatal error: Error in the pull function."),
        ("Go", "read: connection reset by peer"),
        ("Java", "java.net.SocketException: Connection reset"),
        ("Node", "read ECONNRESET"),
        ("Python", "[Errno 104] Connection reset by peer"),
        ("Envoy", "closing connection: no matching filter chain found"),
        ("Envoy", "filter_chain_not_found"),
        (
            "Envoy",
            "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, "
            "transport failure reason: "
            "TLS_error:|33554536:system_library:OPENSSL_internal:Connection_reset_by_peer:TLS_error_end",
        ),
        ("Apache", "AH00898: Error during SSL Handshake with remote server"),
        ("Caddy", "read: connection reset by peer"),
        ("Traefik", '502 Bad Gateway error="read: connection reset by peer"'),
        ("HAProxy", "SSL handshake failure"),
        (".NET", "Unable to read data from the transport connection: Connection reset by peer."),
        ("Chrome", "ERR_CONNECTION_RESET"),
        ("Firefox", "PR_CONNECT_RESET_ERROR"),
    ),
    references=("RFC 9293 section 3.5.2", "RFC 8446 section 6.2"),
    explanation=__doc__,
)
