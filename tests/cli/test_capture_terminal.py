"""The live table as a person sees it: on terminals of tmux, while handshakes end and while one waits."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.live import LIMIT_SECONDS, curl, needs_capture, server

pytestmark = [
    needs_capture,
    pytest.mark.skipif(not all(map(shutil.which, ("openssl", "curl", "tmux"))), reason="needs openssl, curl and tmux"),
]
LINES = 40
WAITING = "after the ClientHello"


class Terminal:
    """A terminal in which a watch runs."""

    def __init__(self, tmux: tuple[str, ...]) -> None:
        self._tmux = tmux

    def lines(self) -> list[str]:
        """What is on the screen."""
        done = subprocess.run([*self._tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True)
        return [line.rstrip() for line in done.stdout.splitlines()]

    def lines_with(self, text: str) -> list[str]:
        """What is on the screen once this is there."""
        until = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < until:
            found = self.lines()
            if any(text in line for line in found):
                return found
            time.sleep(0.1)
        pytest.fail(f"'{text}' does not come: {self.lines()}")


@contextmanager
def terminal(folder: Path, columns: int, command: str) -> Iterator[Terminal]:
    tmux = ("tmux", "-S", str(folder / f"tmux-{columns}"), "-f", "/dev/null")
    size = ("-x", str(columns), "-y", str(LINES))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    words = [*tmux, "new-session", "-d", *size, command]
    subprocess.run(words, check=True, timeout=LIMIT_SECONDS, env=environment)
    try:
        yield Terminal(tmux)
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, timeout=LIMIT_SECONDS)


def say_hello(port: int) -> subprocess.Popen[bytes]:
    """A client that waits for an answer."""
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "slow.example"]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


NARROW = ["#", "Server", "Server name", "Outcome"]
WIDE = ["#", "Time (UTC)", "Client", "Server", "Server name", "Version", "Outcome"]


@pytest.mark.parametrize(("columns", "heads"), [(80, NARROW), (200, WIDE)])
def test_a_person_can_read_the_live_table(tmp_path: Path, columns: int, heads: list[str]) -> None:
    with server(tmp_path) as port, socket.create_server(("127.0.0.1", 0)) as silent:
        silent_port = silent.getsockname()[1]
        watch = f"{sys.executable} -m tlsinspect capture -i lo -f 'tcp port {port} or tcp port {silent_port}'; sleep 60"
        with terminal(tmp_path, columns, watch) as screen:
            screen.lines_with("0 under way")
            curl(port)
            with say_hello(silent_port) as waiting:
                screen.lines_with("[server-cert-untrusted]")
                lines = screen.lines_with(WAITING)
                silent.accept()[0].close()
                after = screen.lines_with("2 handshakes, 0 under way")
                waiting.kill()
    at = next(number for number, line in enumerate(lines) if line.startswith("#  "))
    shown = [head for head in re.split(" {2,}", lines[at]) if head in WIDE]
    first = " ".join(lines[at + 2].split())

    assert shown == heads
    assert lines[at - 1] == "Capturing on lo. Ctrl-C ends it."
    assert set(lines[at + 1]) == {"─", " "}
    assert f"127.0.0.1:{port}" in first
    assert "shop.example" in first
    assert "rejected by the client" in first
    assert sum("shop.example" in line for line in lines) == 1  # no row is drawn twice
    waits = next(line for line in lines if line.startswith("#1  waits "))
    assert WAITING in waits
    assert "slow.example" in waits
    status = [line for line in lines if line][-1]
    assert "0 dropped; 1 handshake, 1 under way; 0:00:" in status
    assert status.endswith("Ctrl-C ends")
    assert not any(line.startswith("#1  waits ") for line in after)  # it has become a row
    assert all(len(line) <= columns for line in (*lines, *after))
