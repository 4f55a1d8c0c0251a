"""What no program does by itself: a filter that rewrites hellos; ends of Python's ssl that break off or refuse."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import lab
from bench import HOST, SERVER, TLS12, TLS13, Bench, Step

REWRITING = 18600  # outside of what is captured: only the side of the server is seen
EXTENSIONS = {"supported_groups": 10, "signature_algorithms": 13, "key_share": 51}  # RFC 8446 section 4.2
APPLICATION_LAYER_PROTOCOL_NEGOTIATION = 16
NO_APPLICATION_PROTOCOL = 120  # RFC 7301 section 3.2
BANNED = "127.0.0.9"
RECORD_HEADER, HANDSHAKE_HEADER, BEFORE_SESSION_ID = 5, 4, 34

Extensions = list[tuple[int, bytes]]
Change = Callable[[Extensions], Extensions]
Address = tuple[str, int]


def without(name: str) -> Change:
    """Takes an extension out."""
    return lambda extensions: [each for each in extensions if each[0] != EXTENSIONS[name]]


def duplicated(name: str) -> Change:
    """Puts an extension in twice."""
    return lambda extensions: [*(each for each in extensions if each[0] == EXTENSIONS[name]), *extensions]


def malformed(name: str) -> Change:
    """Says that the list in an extension is longer by two octets than it is."""

    def change(extensions: Extensions) -> Extensions:
        return [
            (kind, struct.pack("!H", len(body)) + body[2:]) if kind == EXTENSIONS[name] else (kind, body)
            for kind, body in extensions
        ]

    return change


def changed(hello: bytes, change: Change) -> bytes:
    """The record of a ClientHello with other extensions."""
    body = hello[RECORD_HEADER + HANDSHAKE_HEADER :]
    octets = b"".join(struct.pack("!HH", kind, len(each)) + each for kind, each in change(extensions_of(hello)))
    body = body[: before_extensions(body)] + struct.pack("!H", len(octets)) + octets
    message = hello[RECORD_HEADER : RECORD_HEADER + 1] + len(body).to_bytes(3) + body
    return hello[:3] + struct.pack("!H", len(message)) + message


def extensions_of(hello: bytes) -> Extensions:
    """The extensions of a ClientHello that is in one record.  RFC 8446 section 4.1.2."""
    body = hello[RECORD_HEADER + HANDSHAKE_HEADER :]
    rest, extensions = body[before_extensions(body) + 2 :], []
    while rest:
        kind, length = struct.unpack("!HH", rest[:4])
        extensions.append((kind, rest[4 : 4 + length]))
        rest = rest[4 + length :]
    return extensions


def before_extensions(body: bytes) -> int:
    """How many octets stand before the extensions: session ID, cipher suites and compression methods are skipped."""
    at = BEFORE_SESSION_ID
    at += 1 + body[at]
    at += 2 + int.from_bytes(body[at : at + 2])
    return at + 1 + body[at]


def rewritten(change: Change, client: Callable[..., Step], port: int) -> Step:
    """A client whose hello is changed on its way to the server."""

    def step(bench: Bench) -> None:
        with socket.create_server((SERVER, REWRITING)) as listener:
            filtering = threading.Thread(target=_filter, args=(listener, port, change))
            filtering.start()
            client(REWRITING, says="alert|error")(bench)
            filtering.join(lab.PATIENCE_SECONDS)

    return step


def _filter(listener: socket.socket, port: int, change: Change) -> None:
    listener.settimeout(lab.PATIENCE_SECONDS)
    to_client, _ = listener.accept()
    with to_client, socket.create_connection((SERVER, port), lab.PATIENCE_SECONDS) as to_server:
        to_server.sendall(changed(to_client.recv(65536), change))
        relay(to_client, to_server)


def relay(one: socket.socket, another: socket.socket) -> None:
    """Passes on what either side sends, until one of them closes."""
    other = {one: another, another: one}
    while True:
        for end in select.select(list(other), [], [], lab.PATIENCE_SECONDS)[0]:
            octets = end.recv(65536)
            if not octets:
                return
            other[end].sendall(octets)


@contextlib.contextmanager
def serving(address: Address, answer: Callable[[socket.socket], None]) -> Iterator[None]:
    """A server that answers one connection after another until the context ends."""
    ended = threading.Event()

    def serve() -> None:
        while True:
            with contextlib.suppress(OSError):  # of one that left
                connection, _ = listener.accept()
                if ended.is_set():
                    connection.close()
                    return
                connection.settimeout(lab.PATIENCE_SECONDS)
                with connection:
                    answer(connection)

    with socket.create_server(address) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            socket.create_connection(address, lab.PATIENCE_SECONDS).close()
            thread.join(lab.PATIENCE_SECONDS)


def server_context(folder: Path, tls: str = "") -> ssl.SSLContext:
    """A server of Python with the good certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "good.pem", folder / "good.key")
    if tls == TLS12:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def refusing_server(bench: Bench, address: Address) -> contextlib.AbstractContextManager[None]:
    """A server of Python that refuses clients from one address with access_denied(49)."""
    contexts = server_context(bench.folder), server_context(bench.folder)
    contexts[True].sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_ACCESS_DENIED

    def answer(connection: socket.socket) -> None:
        context = contexts[connection.getpeername()[0] == BANNED]
        with context.wrap_socket(connection, server_side=True) as stream:
            stream.recv(4096)
            stream.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello\n")

    return serving(address, answer)


def demanding_server(bench: Bench, address: Address) -> contextlib.AbstractContextManager[None]:
    """A server that refuses hellos without ALPN as PostgreSQL 17 does with direct TLS; no program of Debian 12 does."""
    context = server_context(bench.folder)
    context.set_alpn_protocols(["postgresql"])

    def answer(connection: socket.socket) -> None:
        hello = connection.recv(65536, socket.MSG_PEEK)
        if hello and APPLICATION_LAYER_PROTOCOL_NEGOTIATION not in dict(extensions_of(hello)):
            connection.recv(65536)
            connection.sendall(bytes((21, 3, 3, 0, 2, 2, NO_APPLICATION_PROTOCOL)))
        elif hello:
            with context.wrap_socket(connection, server_side=True) as stream:
                stream.recv(4096)

    return serving(address, answer)


def half_server(bench: Bench, address: Address) -> contextlib.AbstractContextManager[None]:
    """A server of Python that sends its flight, takes that of the client and closes without a word."""

    def answer(connection: socket.socket) -> None:
        hello = connection.recv(65536)
        if not hello:
            return
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        end = server_context(bench.folder).wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(hello)
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
        connection.sendall(outgoing.read())
        connection.recv(65536)

    return serving(address, answer)


def half_client(port: int) -> Step:
    """A client of Python that leaves when it has the flight of the server."""

    def step(bench: Bench) -> None:
        context = ssl.create_default_context(cafile=str(bench.folder / "root.pem"))
        context.minimum_version = ssl.TLSVersion.TLSv1_3 if bench.tls == TLS13 else ssl.TLSVersion.TLSv1_2
        context.maximum_version = context.minimum_version
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        end = context.wrap_bio(incoming, outgoing, server_hostname=HOST)
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
        with socket.create_connection((SERVER, port), lab.PATIENCE_SECONDS) as connection:
            connection.sendall(outgoing.read())
            while len(connection.recv(65536)) > 4096:
                pass

    return step
