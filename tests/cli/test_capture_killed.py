"""Watches that are killed at random moments, a hundred times: minutes.

pytest -m slow -s tests/cli/test_capture_killed.py
"""

from __future__ import annotations

import random
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.live import LIMIT_SECONDS, TLSINSPECT, Capturing, needs_capture, server, shown, started, tshark

pytestmark = [
    pytest.mark.slow,
    needs_capture,
    pytest.mark.skipif(not all(map(shutil.which, ("openssl", "tshark"))), reason="needs openssl and tshark"),
]
TURNS, AT_ONCE = 10, 10  # a hundred kills
LONGEST_SECONDS = 4.0  # that a watch runs
PAUSE_SECONDS = 0.01  # between two handshakes
SECOND_NS = 1_000_000_000
CUT_SHORT = "cut short"  # what tshark says of a file whose last block is not whole


class Made(NamedTuple):
    """A handshake that a client made."""

    port: int
    began_ns: int
    ended_ns: int


class Killed(NamedTuple):
    """A watch that was killed."""

    file: Path
    began_ns: int
    killed_ns: int


@contextmanager
def handshakes_going_on(port: int) -> Iterator[list[Made]]:
    """A client that connects again and again; what it has made so far."""
    made: list[Made] = []
    over = threading.Event()

    def connect() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        while not over.is_set():
            began_ns = time.time_ns()
            with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as speaking:
                speaking.sendall(b"GET / HTTP/1.0\r\n\r\n")
                while speaking.recv(65536):
                    pass
                made.append(Made(int(speaking.getsockname()[1]), began_ns, time.time_ns()))
            time.sleep(PAUSE_SECONDS)

    client = threading.Thread(target=connect)
    client.start()
    try:
        yield made
    finally:
        over.set()
        client.join(LIMIT_SECONDS)


def kill_at_random(watch: Capturing, file: Path, began_ns: int) -> Killed:
    time.sleep(random.uniform(0.05, LONGEST_SECONDS))
    killed_ns = time.time_ns()
    watch.end(signal.SIGKILL)
    return Killed(file, began_ns, killed_ns)


def killed_watches(folder: Path, port: int) -> list[Killed]:
    """Some watches that ran at the same time, each killed at a moment of its own."""
    files = [folder / f"{number}.pcapng" for number in range(AT_ONCE)]
    with ExitStack() as stack:
        words = [*TLSINSPECT, "capture", "-i", "lo", "-f", f"tcp port {port}", "-w"]
        # Nobody reads their rows, and one that cannot write its rows captures no more.
        watches = [stack.enter_context(started(*words, file, stdout=subprocess.DEVNULL)) for file in files]
        pool = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        killed = []
        for watch, file in zip(watches, files, strict=True):
            watch.wait_until_it_captures()
            killed.append(pool.submit(kill_at_random, watch, file, time.time_ns()))
        return [each.result(LIMIT_SECONDS) for each in killed]


def test_no_handshake_that_ended_a_second_before_a_kill_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = expected = 0
    missing: list[Made] = []
    unreadable: list[subprocess.CompletedProcess[str]] = []
    with server(tmp_path) as port, handshakes_going_on(port) as made:
        for _ in range(TURNS):
            for watch in killed_watches(tmp_path, port):
                opened = tshark(watch.file, "-Y", "tls.handshake.type == 1")
                cut += CUT_SHORT in opened.stderr
                if opened.returncode and CUT_SHORT not in opened.stderr:
                    unreadable.append(opened)
                whole = {each["client"]["port"] for each in shown(watch.file) if each["outcome"] == "completed"}
                for each in list(made):
                    if watch.began_ns < each.began_ns and each.ended_ns < watch.killed_ns - SECOND_NS:
                        expected += 1
                        if each.port not in whole:
                            missing.append(each)
    with capsys.disabled():
        print(
            f"\n{TURNS * AT_ONCE} watches killed, {len(unreadable)} files that tshark does not open, {cut} with a cut "
            f"last block; of {expected} handshakes that had ended a second before, {len(missing)} missing"
        )

    assert unreadable == []
    assert missing[:3] == []
    assert expected > TURNS * AT_ONCE
