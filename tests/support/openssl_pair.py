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


HELLO, KEY_UPDATE, RENEGOTIATION = (b"hello\n", b"olleh"), (b"K\n", b"KEYUPDATE"), (b"R\n", b"RENEGOTIATING")
AGAIN = (b"again\n", b"niaga")


def talk_with_key_update(folder: Path, ciphersuites: str, *options: str) -> Conversation:
    """TLS 1.3: "hello" to the server, which answers in reverse; a KeyUpdate of both sides; then "again"."""
    both = ("-tls1_3", "-ciphersuites", ciphersuites, *options)
    return talk_by_program(folder, both=both, lines=(HELLO, KEY_UPDATE, AGAIN))


def talk_with_renegotiation(folder: Path, cipher: str) -> Conversation:
    """TLS 1.2: "hello"; a second handshake inside of the first; then "again"."""
    both = ("-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
    lines = (HELLO, RENEGOTIATION, AGAIN)
    return talk_by_program(folder, both=both, server=("-client_renegotiation",), lines=lines)


def talk_with_external_psk(folder: Path, *both: str, server: tuple[str, ...] = ()) -> Conversation:
    """With a key that both have, and without a certificate: "hello", then "again"."""
    key = ("-psk", "00112233445566778899aabbccddeeff", "-psk_identity", "shared")
    return talk_by_program(folder, both=(*both, *key), server=("-nocert", *server), lines=(HELLO, AGAIN))


def talk_by_program(
    folder: Path,
    *,
    both: tuple[str, ...],
    lines: tuple[tuple[bytes, bytes], ...],
    server: tuple[str, ...] = (),
) -> Conversation:
    """A handshake, then lines of the client, each with what one of the programs prints then."""
    files, _ = credentials(folder)
    keylog = folder / "program.log"
    keylog.unlink(missing_ok=True)
    conversation = Conversation()
    certificate = () if "-nocert" in server else ("-cert", str(files[0]), "-key", str(files[0]))
    with running("openssl", "s_server", "-accept", "127.0.0.1:0", *certificate, "-rev", *both, *server) as (_, heard):
        port = int(heard.wait_for(rb"ACCEPT 127\.0\.0\.1:(\d+)")[1])
        with socket.create_server(("127.0.0.1", 0)) as listener:
            relay = threading.Thread(target=_relay, args=(listener, port, conversation))
            relay.start()
            address = f"127.0.0.1:{listener.getsockname()[1]}"
            options = ("-connect", address, "-keylogfile", str(keylog), *both)
            with running("openssl", "s_client", *options) as (process, answers):
                assert process.stdin is not None
                answers.wait_for(rb"Verify return code")
                for line, answer in lines:
                    process.stdin.write(line)
                    answers.wait_for(answer)
            relay.join(LIMIT_SECONDS)
    conversation.keylog = keylog.read_bytes()
    return conversation


def talk_with_early_data(folder: Path, *, accepted: bool, retried: bool = False) -> Conversation:
    """TLS 1.3: 0-RTT data, then a line of each side.

    A server that guards against replays keeps its sessions, and has forgotten that of a connection that broke off.
    With a HelloRetryRequest (*retried*) the data are refused, too.
    """
    files, _ = credentials(folder)
    early, session, keylog = folder / "early.txt", folder / "session.pem", folder / "early.log"
    early.write_bytes(b"GET /early HTTP/1.0\r\n\r\n")
    conversation = Conversation()
    server_command = ("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", str(files[0]), "-key", str(files[0]))
    guard = "-no_anti_replay" if accepted or retried else "-anti_replay"
    group = ("-groups", "P-256") if retried else ()
    with running(*server_command, "-tls1_3", "-early_data", guard, *group) as (server_process, server):
        port = int(server.wait_for(rb"ACCEPT 127\.0\.0\.1:(\d+)")[1])
        groups = ("-groups", "X25519:P-256") if retried else ()
        client_command = ("openssl", "s_client", "-tls1_3", "-keylogfile", str(keylog), *groups, "-connect")
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
