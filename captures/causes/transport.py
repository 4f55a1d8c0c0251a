"""Connections that break off before or beside TLS: nginx, HAProxy and sockets that nobody serves."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import lab
from bench import HOST, SERVER, TLS13, Bench, Case, curl
from scripted import half_client, half_server, relay, serving

TLS, PLAIN, BEHIND_PROXY, NAMED_ALONE = range(18550, 18554)
SILENT, FULL, NOBODY, HALF, TUNNEL = range(18554, 18559)

NGINX = (
    f"server {{ listen {SERVER}:{TLS} ssl; ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate good.pem; "
    'ssl_certificate_key good.key; return 200 "hello\\n"; }\n'
    f'server {{ listen {SERVER}:{PLAIN}; return 200 "hello\\n"; }}\n'
    f"server {{ listen {SERVER}:{BEHIND_PROXY} ssl proxy_protocol; ssl_certificate good.pem; "
    'ssl_certificate_key good.key; return 200 "hello\\n"; }\n'
)
HAPROXY = """
defaults
    mode tcp
    timeout client 5s
    timeout connect 5s
    timeout server 5s
listen names
    bind %(server)s:%(named)d
    tcp-request inspect-delay 2s
    tcp-request content accept if { req.ssl_sni -i %(host)s }
    tcp-request content reject if { req.ssl_hello_type 1 }
    server tls %(server)s:%(tls)d
"""


@contextlib.contextmanager
def servers(bench: Bench) -> Iterator[None]:
    """nginx with TLS, without, and behind a PROXY line; HAProxy that closes on other names; sockets nobody reads."""
    configuration = bench.folder / "transport.cfg"
    names = {"server": SERVER, "named": NAMED_ALONE, "host": HOST, "tls": TLS}
    configuration.write_text(HAPROXY % names)
    ports = (TLS, PLAIN, BEHIND_PROXY)
    with contextlib.ExitStack() as stack:
        stack.enter_context(lab.nginx(bench.folder, "transport", NGINX, [(SERVER, p) for p in ports], environment={}))
        stack.enter_context(
            lab.running(["haproxy", "-db", "-f", configuration], [(SERVER, NAMED_ALONE)], bench.folder / "names.log")
        )
        stack.enter_context(half_server(bench, (SERVER, HALF)))
        stack.enter_context(serving((SERVER, TUNNEL), tunnel))
        stack.enter_context(socket.create_server((SERVER, SILENT)))  # the kernel accepts, and nobody reads
        stack.enter_context(socket.create_server((SERVER, FULL), backlog=0))
        stack.enter_context(socket.create_connection((SERVER, FULL)))  # takes the only place in the queue
        yield


def tunnel(connection: socket.socket) -> None:
    """A proxy that opens tunnels to one host, and refuses the others."""
    request = connection.recv(4096).decode()
    if not request.startswith(f"CONNECT {HOST}:"):
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        return
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    with socket.create_connection((SERVER, TLS), lab.PATIENCE_SECONDS) as upstream:
        relay(connection, upstream)


def left_by_server(bench: Bench) -> None:
    """curl at the server that leaves: with TLS 1.3 its own handshake is complete by then, and no reply comes."""
    curl(HALF, exit_status=52 if bench.tls == TLS13 else 35)(bench)


PROXY = ("--proxytunnel", "--noproxy", "", "--proxy", f"http://{SERVER}:{TUNNEL}")

CASES = (
    Case(
        "tcp-no-answer/curl",
        (curl(FULL, "--connect-timeout", "3", exit_status=28), curl(TLS)),
        versions=("",),
    ),
    Case("tcp-refused/curl", (curl(NOBODY, exit_status=7), curl(TLS)), versions=("",)),
    Case("not-tls-client/curl-nginx", (curl(TLS, scheme="http", status=400), curl(TLS)), versions=("",)),
    Case("not-tls-server/curl-nginx", (curl(PLAIN, exit_status=35), curl(TLS))),
    Case(
        "starttls-refused/curl-connect",
        (curl(TLS, *PROXY, host="banned.example", exit_status=56), curl(TLS, *PROXY)),
        versions=("",),
        only=f"and port {TUNNEL}",
    ),
    Case("hello-unanswered/curl-silent", (curl(SILENT, "--max-time", "2", exit_status=28), curl(TLS))),
    Case("hello-reset/curl-nginx-proxy-protocol", (curl(BEHIND_PROXY, exit_status=35), curl(TLS))),
    Case(
        "hello-closed/curl-haproxy",
        (curl(NAMED_ALONE, host="shop2.example", exit_status=35), curl(NAMED_ALONE)),
        only=f"and port {NAMED_ALONE}",
    ),
    Case("client-gave-up/python-nginx", (half_client(TLS), curl(TLS))),
    Case("server-gave-up/curl-python", (left_by_server, curl(TLS))),
    Case("capture-incomplete/curl-nginx-client-alone", (curl(TLS),), only=f"and dst port {TLS}", keys=()),
)
