"""Runs tlsinspect and other readers of captures in turn, and prints the ratios of their times.

    python -m benchmarks.run [--handshakes 2000] [--bulk-octets 8000000] [--rounds 5] [--python PROGRAM]

Other libraries (benchmarks/peers.py) are run on a capture of --few handshakes, by the interpreter of --python, where
they may be installed without tlsinspect; what is not installed is named, and left out.

Times are those of whole processes, start-up included: the processor time that the system counted for the child, and
the time on the wall.  Each round runs every program once, one after the other, and ratios are taken within a round, so
that a machine that changes its speed does not change them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.captures import write_capture
from benchmarks.peers import PEERS

OURS = "tlsinspect show"
TLSINSPECT = (sys.executable, "-m", "tlsinspect")
PEERS_SCRIPT = str(Path(__file__).with_name("peers.py"))
Programs = Mapping[str, Sequence[Sequence[str]]]  # the commands of each, run one after the other
TSHARK_HELLOS = ("-Y", "tls.handshake.type==1", "-T", "fields", "-e", "tls.handshake.extensions_server_name")


class Cost(NamedTuple):
    """What one run took."""

    processor: float  # seconds, user and system
    wall: float  # seconds


def large(capture: str) -> Programs:
    """The programs to compare on a large capture."""
    return {
        OURS: ((*TLSINSPECT, "show", "--format", "jsonl", capture),),
        "tlsinspect explain": ((*TLSINSPECT, "explain", "--format", "jsonl", capture),),
        "tshark": (("tshark", "-r", capture, *TSHARK_HELLOS),),
        "ssldump": (("ssldump", "-n", "-r", capture),),
        "tcpdump": (("tcpdump", "-n", "-r", capture),),
    }


def libraries(capture: str, python: str) -> Programs:
    """The libraries to compare on a capture of some handshakes: each prints the server names that it finds."""
    return {
        OURS: ((*TLSINSPECT, "show", "--format", "jsonl", capture),),
        **{each: ((python, PEERS_SCRIPT, each, capture),) for each in PEERS},
        "tshark": (("tshark", "-r", capture, *TSHARK_HELLOS),),
    }


def small(capture: str) -> Programs:
    """The programs to compare on a capture of few handshakes, where starting is what takes time."""
    empty = "import typer, rich.console; app = typer.Typer(); app.command()(lambda: None); app(standalone_mode=False)"
    return {
        OURS: ((*TLSINSPECT, "show", capture),),
        "tlsinspect diff": ((*TLSINSPECT, "diff", f"{capture}#0", f"{capture}#1"),),
        "empty typer program": ((sys.executable, "-c", empty),),
        "tshark, twice": (("tshark", "-r", capture), ("tshark", "-r", capture)),
    }


def cost(commands: Sequence[Sequence[str]]) -> Cost:
    """What the commands took together; their output goes nowhere."""
    processor, begun = 0.0, time.monotonic()
    for command in commands:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
        _, _, usage = os.wait4(child.pid, 0)
        child.returncode = 0  # waited for already
        processor += usage.ru_utime + usage.ru_stime
    return Cost(processor, time.monotonic() - begun)


def environment() -> dict[str, str]:
    """As for a user of an installed package: with compiled modules kept."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def is_installed(name: str, command: Sequence[str]) -> bool:
    """Whether a program, or the library that a script needs, is there; says so when it is not."""
    there = shutil.which(command[0]) is not None
    if there and PEERS_SCRIPT in command:
        there = not subprocess.run((command[0], "-c", f"import {name}"), capture_output=True).returncode
    if not there:
        print(f"{name} is not installed.", file=sys.stderr)
    return there


def names_found(programs: Programs) -> None:
    """Says how many different server names the libraries find."""
    for name, commands in programs.items():
        if PEERS_SCRIPT in commands[0] and is_installed(name, commands[0]):
            found = subprocess.run(commands[0], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            print(f"{name} finds {len(set(found.stdout.splitlines()))} server names.", file=sys.stderr)


def measured(programs: Programs, rounds: int) -> dict[str, list[Cost]]:
    """The costs of each installed program in each round, after one that is not counted."""
    installed = {name: each for name, each in programs.items() if is_installed(name, each[0])}
    costs: dict[str, list[Cost]] = {name: [] for name in installed}
    for counted in range(rounds + 1):
        for name, commands in installed.items():
            found = cost(commands)
            if counted:
                costs[name].append(found)
    return costs


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Theirs by ours: above 1 we are faster.  The median, and the least and the largest."""
    each = sorted(b / a for a, b in zip(ours, theirs, strict=True))
    return f"{statistics.median(each):5.2f} ({each[0]:.2f} to {each[-1]:.2f})"


def table(title: str, costs: Mapping[str, Sequence[Cost]]) -> str:
    """One table in Markdown: how often the time of `tlsinspect show` each program took."""
    lines = [f"{title}\n", "| program | processor time | time on the wall |", "|---|---|---|"]
    ours = costs[OURS]
    for name, found in costs.items():
        processor = ratios([each.processor for each in ours], [each.processor for each in found])
        wall = ratios([each.wall for each in ours], [each.wall for each in found])
        lines.append(f"| {name} | {processor} | {wall} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Makes the captures, runs, prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--handshakes", type=int, default=2000, help="of the handshake-heavy capture")
    parser.add_argument("--bulk-octets", type=int, default=8_000_000, help="of each of the 20 bulk transfers")
    parser.add_argument("--few", type=int, default=300, help="handshakes of the capture for other libraries")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has other libraries")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        captures = {each: folder / f"{each}.pcap" for each in ("handshakes", "mixed", "few", "bulk", "small")}
        for each, connections, data_octets in (
            ("handshakes", options.handshakes, 4096),
            ("mixed", options.handshakes, 4096),
            ("few", options.few, 4096),
            ("bulk", 20, options.bulk_octets),
            ("small", 4, 512),
        ):
            mixed = each in ("mixed", "few")
            write_capture(captures[each], folder, connections=connections, data_octets=data_octets, mixed=mixed)
        for each in ("handshakes", "mixed", "bulk"):
            costs = measured(large(str(captures[each])), options.rounds)
            size = captures[each].stat().st_size / 1e6
            print(table(f"{each}: {size:.0f} MB", costs))
        programs = libraries(str(captures["few"]), options.python)
        names_found(programs)
        print(table(f"few: {options.few} handshakes", measured(programs, options.rounds)))
        print(table("small: 4 handshakes", measured(small(str(captures["small"])), options.rounds)))


if __name__ == "__main__":
    main()
