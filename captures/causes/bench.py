"""Where the captures of the causes are made: the programs that are asked for something, one after another.

A step of a case is one client and what it must come to: a case whose programs do something else is not stored.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import lab

SERVER = "127.0.0.2"
HOST = "shop.example"
OTHER_HOST = "other.example"
CLIENTS = Path(__file__).with_name("clients")
TLS12, TLS13 = "1.2", "1.3"
BOTH = (TLS12, TLS13)
PORTS = "portrange 18500-18599"  # what is captured


@dataclass(frozen=True)
class Bench:
    """What a step may use."""

    folder: Path  # certificates, and whatever the programs leave
    tls: str  # the version that the clients offer; empty where it is of no matter
    keylog: Path


Step = Callable[[Bench], None]


@dataclass(frozen=True)
class Case:
    """One capture, or one for each version: "-tls12" and "-tls13" are appended to the name."""

    name: str  # code of the cause, a slash, the set-up
    steps: tuple[Step, ...]  # each is one connection, in this order
    versions: Sequence[str] = BOTH
    keys: Sequence[str] = (TLS13,)  # the versions with a key log
    snap_length: int = 65535
    only: str = ""  # what else the capture filter says

    def folder(self, tls: str) -> str:
        return f"{self.name}-tls{tls.replace('.', '')}" if tls else self.name


def curl(
    port: int,
    *options: str,
    host: str = HOST,
    path: str = "/",
    scheme: str = "https",
    exit_status: int = 0,
    status: int = 200,
) -> Step:
    """A request of curl that trusts the root of the servers.  File names in the options are those of the folder."""

    def step(bench: Bench) -> None:
        version = {TLS12: ("--tls-max", "1.2"), TLS13: ("--tlsv1.3",), "": ()}[bench.tls]
        command = ["curl", "--disable", "--noproxy", "*", "--silent", "--max-time", "8", *version]
        command += ["--cacert", "root.pem", "--resolve", f"{host}:{port}:{SERVER}", *options]
        command += ["--output", "body", "--write-out", "%{http_code} ", f"{scheme}://{host}:{port}{path}"]
        done = run(bench, command)
        statuses = done.stdout.decode().split()
        if done.returncode != exit_status or (exit_status == 0 and statuses[-1:] != [str(status)]):
            raise lab.LabError(f"{' '.join(command)} ended with {done.returncode} and {statuses}")

    return step


def s_client(
    port: int, *options: str, name: str | None = HOST, says: str = "Verification: OK", ask: bool = True
) -> Step:
    """A connection of openssl s_client, with a request where the handshake completes; *says* is a pattern."""

    def step(bench: Bench) -> None:
        version = {TLS12: ("-tls1_2",), TLS13: ("-tls1_3",), "": ()}[bench.tls]
        command = ["openssl", "s_client", "-connect", f"{SERVER}:{port}", "-CAfile", "root.pem", "-verify_return_error"]
        command += ["-servername", name] if name is not None else ["-noservername"]
        command += ["-brief", "-ign_eof", "-keylogfile", str(bench.keylog), *version, *options]
        confirm(command, run(bench, command, request(name or HOST) if ask else b""), says)

    return step


def gnutls_cli(
    port: int, *options: str, priority: str = "", name: str = HOST, says: str = "Handshake was completed"
) -> Step:
    """A connection of gnutls-cli, with a request where the handshake completes."""

    def step(bench: Bench) -> None:
        version = {TLS12: "NORMAL:-VERS-ALL:+VERS-TLS1.2", TLS13: "NORMAL:-VERS-ALL:+VERS-TLS1.3", "": "NORMAL"}
        command = ["gnutls-cli", SERVER, "--port", str(port), "--sni-hostname", name, "--verify-hostname", name]
        command += ["--x509cafile", "root.pem", "--priority", version[bench.tls] + priority, *options]
        confirm(command, run(bench, command, request(name)), says)

    return step


def node(port: int, *, name: str = HOST, says: str = "status 200") -> Step:
    """A request of Node."""

    def step(bench: Bench) -> None:
        command = ["node", f"--tls-keylog={bench.keylog}", str(CLIENTS / "client.js")]
        command += [SERVER, str(port), name, f"TLSv{bench.tls}"]
        confirm(command, run(bench, command), says)

    return step


def java(port: int, *, name: str = HOST, says: str = "200 OK") -> Step:
    """A request of Java, which has no key log."""

    def step(bench: Bench) -> None:
        command = ["java", str(CLIENTS / "Client.java"), SERVER, str(port), name, f"TLSv{bench.tls}"]
        confirm(command, run(bench, command), says)

    return step


def request(host: str) -> bytes:
    return f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode()


def run(bench: Bench, command: Sequence[str], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """What a program came to that is run in the folder."""
    return subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        cwd=bench.folder,
        timeout=2 * lab.PATIENCE_SECONDS,
        env={**os.environ, "SSLKEYLOGFILE": str(bench.keylog)},
    )


def confirm(command: Sequence[str], done: subprocess.CompletedProcess[bytes], says: str) -> None:
    """Raises LabError when a program does not say what it must."""
    said = (done.stdout + done.stderr).decode(errors="replace")
    if not re.search(says, said):
        raise lab.LabError(f"{' '.join(command)} did not say {says!r}:\n{said}")
