"""Traffic that has nothing to do with the story, for a capture as people really take them."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import lab
import servers

WEB, WEB_PORT, TLS_PORT = "127.0.0.4", 18081, 18443
RESOLVER, RESOLVER_PORT = "127.0.0.5", 18053

CAPTURE_FILTER = " or ".join(
    f"port {port}" for port in (servers.PROXY_PORT, servers.UPSTREAM_PORT, WEB_PORT, TLS_PORT, RESOLVER_PORT)
)


def other_server(folder: Path) -> AbstractContextManager[None]:
    """An nginx that serves HTTP and, with a certificate that fits, HTTPS."""
    block = f"""
server {{
    listen {WEB}:{WEB_PORT};
    listen {WEB}:{TLS_PORT} ssl;
    server_name {servers.OTHER_HOST};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate other.pem;
    ssl_certificate_key other.key;
    return 200 "{servers.OTHER_HOST}\\n";
}}
"""
    return lab.nginx(folder, "other", block, [(WEB, WEB_PORT), (WEB, TLS_PORT)], environment={})


@contextlib.contextmanager
def kept_alive() -> Iterator[None]:
    """An HTTP connection with a request before and one after what happens in the context."""
    connection = http.client.HTTPConnection(WEB, WEB_PORT, source_address=(servers.CLIENT, 0))
    with contextlib.closing(connection):
        for pause in (True, False):
            connection.request("GET", "/")
            connection.getresponse().read()
            if pause:
                yield


@contextlib.contextmanager
def long_tls_connection(folder: Path) -> Iterator[None]:
    """A connection of openssl s_client that begins before and ends after what happens in the context."""
    command = ["openssl", "s_client", "-brief", "-connect", f"{WEB}:{TLS_PORT}", "-servername", servers.OTHER_HOST]
    with subprocess.Popen(
        [*command, "-tls1_2", "-CAfile", folder / "root.pem", "-verify_return_error"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as client:
        assert client.stderr is not None
        if not any(line == b"Verification: OK\n" for line in client.stderr):
            raise lab.LabError("openssl s_client made no TLS connection")
        yield
        client.communicate(b"GET / HTTP/1.0\r\n\r\n", timeout=lab.PATIENCE_SECONDS)


def plain_http() -> None:
    """One HTTP request on a connection of its own."""
    _succeeded(lab.curl("--interface", servers.CLIENT, f"http://{WEB}:{WEB_PORT}/"))


def healthy_tls(folder: Path) -> None:
    """One HTTPS request to the other server."""
    target = f"{servers.OTHER_HOST}:{TLS_PORT}"
    resolve = ("--resolve", f"{target}:{WEB}", "--cacert", folder / "root.pem")
    _succeeded(lab.curl("--interface", servers.CLIENT, *resolve, f"https://{target}/"))


def resolve(name: str) -> None:
    """A DNS question and its answer, over UDP; both sockets are ours."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    question = labels + b"\0" + struct.pack("!2H", 1, 1)
    answer = struct.pack("!3HIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(servers.UPSTREAM)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        resolver.bind((RESOLVER, RESOLVER_PORT))
        client.bind((servers.CLIENT, 0))
        client.sendto(struct.pack("!6H", 0x1A2B, 0x0100, 1, 0, 0, 0) + question, (RESOLVER, RESOLVER_PORT))
        _, asker = resolver.recvfrom(512)
        resolver.sendto(struct.pack("!6H", 0x1A2B, 0x8180, 1, 1, 0, 0) + question + answer, asker)
        client.recv(512)


def _succeeded(answer: lab.Answer) -> None:
    if answer != lab.Answer(0, 200, servers.OTHER_HOST):
        raise lab.LabError(f"curl got {answer} from the other server")
