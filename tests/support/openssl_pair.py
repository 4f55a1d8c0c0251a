"""A conversation between `openssl s_client` and `openssl s_server` on loopback, for what Python's ssl cannot do."""

import contextlib
import os
import re
import select
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.conversation import Conversation, credentials
from tlsinspect.model.frame import Side

LIMIT_SECONDS = 10


class Output:
    """What a program wrote so far to its standard output and error."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self.octets = b""

    def wait_for(self, pattern: bytes) -> "re.Match[bytes]":
        """The first match; fails when the program ends or is silent for too long before."""
        assert self._process.stdout is not None
        until = time.monotonic() + LIMIT_SECONDS
        while not (match := re.search(pattern, self.octets)):
            ready, _, _ = select.select([self._process.stdout], [], [], until - time.monotonic())
            octets = os.read(self._process.stdout.fileno(), 65536) if ready else b""
            assert octets, f"{pattern!r} is not in {self.octets!r}"
            self.octets += octets
        return match


@contextlib.contextmanager
def running(*command: str) -> "Iterator[tuple[subprocess.Popen[bytes], Output]]":
    """A program, ended when the block is left."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    )
    try:
        yield process, Output(process)
    finally:
        process.kill()
        process.wait(LIMIT_SECONDS)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def talk_with_key_update(folder: Path, ciphersuites: str, *options: str) -> Conversation:
    """TLS 1.3: "hello" to the server, which answers in reverse; a KeyUpdate of both sides; then "again"."""
    files, _ = credentials(folder)
    keylog = folder / f"{ciphersuites}.log"
    conversation = Conversation()
    server_command = ("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", str(files[0]), "-key", str(files[0]))
    with running(*server_command, "-tls1_3", "-ciphersuites", ciphersuites, "-rev", *options) as (_, server):
        port = int(server.wait_for(rb"ACCEPT 127\.0\.0\.1:(\d+)")[1])
        with socket.create_server(("127.0.0.1", 0)) as listener:
            relay = threading.Thread(target=_relay, args=(listener, port, conversation))
            relay.start()
            client_command = ("openssl", "s_client", "-connect", f"127.0.0.1:{listener.getsockname()[1]}", "-tls1_3")
            with running(*client_command, "-ciphersuites", ciphersuites, "-keylogfile", str(keylog), *options) as (
                client,
                heard,
            ):
                assert client.stdin is not None
                heard.wait_for(rb"Verify return code")
                for line, answer in ((b"hello\n", b"olleh"), (b"K\n", b"KEYUPDATE"), (b"again\n", b"niaga")):
                    client.stdin.write(line)
                    heard.wait_for(answer)
            relay.join(LIMIT_SECONDS)
    conversation.keylog = keylog.read_bytes()
    return conversation


def talk_with_early_data(folder: Path, *, accepted: bool) -> Conversation:
    """TLS 1.3: 0-RTT data, then a line of each side.

    A server that guards against replays keeps its sessions, and has forgotten that of a connection that broke off.
    """
    files, _ = credentials(folder)
    early, session, keylog = folder / "early.txt", folder / "session.pem", folder / "early.log"
    early.write_bytes(b"GET /early HTTP/1.0\r\n\r\n")
    conversation = Conversation()
    server_command = ("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", str(files[0]), "-key", str(files[0]))
    guard = "-no_anti_replay" if accepted else "-anti_replay"
    with running(*server_command, "-tls1_3", "-early_data", guard) as (server_process, server):
        port = int(server.wait_for(rb"ACCEPT 127\.0\.0\.1:(\d+)")[1])
        client_command = ("openssl", "s_client", "-tls1_3", "-keylogfile", str(keylog), "-connect")
        with running(*client_command, f"127.0.0.1:{port}", "-sess_out", str(session)) as (client, heard):
            assert client.stdin is not None
            heard.wait_for(rb"Verify return code")
            client.stdin.write(b"first\n")
            server.wait_for(b"first")
            assert server_process.stdin is not None
            server_process.stdin.write(b"second\n")
            heard.wait_for(b"second")  # the tickets come before it
        with socket.create_server(("127.0.0.1", 0)) as listener:
            relay = threading.Thread(target=_relay, args=(listener, port, conversation))
            relay.start()
            address = f"127.0.0.1:{listener.getsockname()[1]}"
            with running(*client_command, address, "-sess_in", str(session), "-early_data", str(early)) as (
                client,
                heard,
            ):
                heard.wait_for(b"Early data was accepted" if accepted else b"Early data was rejected")
                for process, line, end in ((client, b"hello\n", server), (server_process, b"olleh\n", heard)):
                    assert process.stdin is not None
                    process.stdin.write(line)
                    end.wait_for(line)
            relay.join(LIMIT_SECONDS)
    conversation.keylog = keylog.read_bytes()
    return conversation


def _relay(listener: socket.socket, port: int, conversation: Conversation) -> None:
    to_client, _ = listener.accept()
    with to_client, socket.create_connection(("127.0.0.1", port)) as to_server:
        other = {to_client: (to_server, Side.CLIENT), to_server: (to_client, Side.SERVER)}
        while True:
            for end in select.select(list(other), [], [], LIMIT_SECONDS)[0]:
                try:
                    octets = end.recv(65536)
                except ConnectionResetError:
                    octets = b""
                if not octets:
                    return
                target, side = other[end]
                conversation.add(side, octets)
                target.sendall(octets)
