"""Control groups with real processes and sockets.  Needs root, and the second version of control groups."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tlsinspect.capture.control_group import PREFIX, ControlGroup, own_group, remove_left_over

TALK = """
import socket, sys
address, kind, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
with socket.socket(family, getattr(socket, kind)) as one:
    one.connect((address, port))
    one.send(b"hi")
    print(one.getsockname()[1])
"""
PROTOCOLS = {"SOCK_STREAM": 6, "SOCK_DGRAM": 17}


@pytest.fixture
def group() -> Iterator[ControlGroup]:
    try:
        made = ControlGroup()
    except OSError as error:
        pytest.skip(f"needs the right to make control groups and to load BPF programs: {error}")
    yield made
    made.close()


def group_path() -> Path:
    return own_group() / f"{PREFIX}{os.getpid()}"


def port_after_talking(group: ControlGroup | None, address: str, kind: str, port: int) -> int:
    """The port of a process that has ended, which talked to a port of ours."""
    words = [sys.executable, "-c", TALK, address, kind, str(port)]
    enter = group.enter if group is not None else None
    return int(subprocess.run(words, capture_output=True, check=True, preexec_fn=enter).stdout)


def key_of(address: str, near: int, far: int) -> bytes:
    packed = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    return packed * 2 + near.to_bytes(2, "big") + far.to_bytes(2, "big")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM"])
def test_has_the_connections_of_its_processes_and_no_others(group: ControlGroup, address: str, kind: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, getattr(socket, kind)) as server:
        server.bind((address, 0))
        if kind == "SOCK_STREAM":
            server.listen()
        port = server.getsockname()[1]
        own = port_after_talking(group, address, kind, port)
        foreign = port_after_talking(None, address, kind, port)
    protocol = PROTOCOLS[kind]

    assert group.has(key_of(address, own, port), protocol)
    assert group.has(key_of(address, port, own), protocol)  # as its server sees it
    assert not group.has(key_of(address, own, port), 23 - protocol)
    assert not group.has(key_of(address, foreign, port), protocol)


def test_processes_that_outlive_the_watch_go_on_where_it_was(group: ControlGroup) -> None:
    path = group_path()
    with subprocess.Popen(["sleep", "60"], preexec_fn=group.enter) as process:
        within = (path / "cgroup.procs").read_text().split()
        group.close()
        lines = Path(f"/proc/{process.pid}/cgroup").read_text().splitlines()
        running = process.poll() is None
        process.kill()

    assert within == [str(process.pid)]
    assert running
    assert lines[-1] == Path("/proc/self/cgroup").read_text().splitlines()[-1]
    assert not path.exists()


def test_the_group_of_a_watch_that_was_killed_is_removed_by_the_next(group: ControlGroup) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    left_over = own_group() / f"{PREFIX}{ended.pid}"
    left_over.mkdir()
    remove_left_over(own_group())

    assert not left_over.exists()
    assert group_path().exists()
