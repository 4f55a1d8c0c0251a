"""Makes the captures of the causes anew: servers and clients on loopback, seen by tcpdump.

    python captures/causes/make.py                      all of them
    python captures/causes/make.py sni hello-closed     those whose folder begins so

Needs nginx, HAProxy, GnuTLS, curl, Node, Java, openssl, tcpdump (with the right to capture) and the Python package
cryptography.  The captures of other stacks in captures/examples are not made here.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import certificates
import client_auth
import lab
import parameters
import resumption
import routing
import server_auth
import transport
from bench import PORTS, Bench, Case

HERE = Path(__file__).resolve().parent

Servers = Callable[[Bench], AbstractContextManager[object]]
STAGES: tuple[tuple[Servers, Sequence[Case]], ...] = tuple(
    (stage.servers, stage.CASES) for stage in (server_auth, client_auth, routing, resumption, parameters, transport)
)


def make(case: Case, bench: Bench) -> None:
    """Makes one capture, and its key log where it cannot be read without."""
    name = case.folder(bench.tls)
    capture = bench.folder / f"{name.replace('/', '.')}.pcap"
    bench.keylog.unlink(missing_ok=True)
    seen = f"tcp {PORTS} {case.only}"
    with lab.capturing(capture, seen, snap_length=case.snap_length):
        for step in case.steps:
            step(bench)
    target = HERE / name
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(capture, target / "capture.pcap")
    if bench.tls in case.keys and bench.keylog.exists():
        shutil.copyfile(bench.keylog, target / "keys.log")
    print(f"{name}: {capture.stat().st_size} octets")


def main(prefixes: list[str]) -> None:
    lab.print_versions()
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), "", Path(name) / "keys.log")
        certificates.make(bench.folder)
        for servers, cases in STAGES:
            chosen = [
                (case, tls)
                for case in cases
                for tls in case.versions
                if not prefixes or case.folder(tls).startswith(tuple(prefixes))
            ]
            if chosen:
                with servers(bench):
                    for case, tls in chosen:
                        make(case, replace(bench, tls=tls))


if __name__ == "__main__":
    main(sys.argv[1:])
