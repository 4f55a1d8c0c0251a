"""Reads damaged captures by the hundred thousand, and makes every view of them.

    python -m fuzzing.mutate --count 100000
    python -m fuzzing.mutate --seed 1 --only 4711 --write damaged.pcap     writes one of them instead

Each is made of a small capture of the repository or of ../shared/corpora by mutations that its number chooses.  None
may raise anything but CaptureError, take more processor time than a second and a second for each megabyte, or bring
the process above its limit of memory.  Findings go to build/fuzz/findings/mutated/, figures to build/fuzz/runs.jsonl.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import signal
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from fuzzing.mutations import Sample, mutated, sample_of
from fuzzing.opened import NAME, open_octets
from fuzzing.run import FOLDER
from fuzzing.seeds import PLACES, captures_in, key_logs_of
from fuzzing.views import TEXTUAL, check_text, check_views
from tlsinspect.inspector import inspect
from tlsinspect.model.errors import CaptureError
from tlsinspect.tls.keylog import Secrets

MOST_SAMPLE_OCTETS = 16_000
MEMORY_OCTETS = 1 << 30  # of address space, the interpreter and its libraries included
MEGABYTE = 1_000_000
TEXT_EVERY = 8  # all formats for one capture in so many; JSON for each


class TooSlow(BaseException):
    """The time for one capture is up.  No Exception, so that nothing on the way takes it for its own."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raises TooSlow inside when it takes more processor time."""

    def stop(_: int, __: FrameType | None) -> None:
        raise TooSlow

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def samples_in(places: Iterable[Path]) -> list[Sample]:
    """The small captures of some folders."""
    found = []
    for path in captures_in(places):
        if path.stat().st_size <= MOST_SAMPLE_OCTETS:
            key_log = next((log.read_bytes() for log in key_logs_of(path) if log.is_file()), b"")
            found.append(sample_of(path, key_log))
    return [sample for sample in found if sample.octets]


def damaged(samples: Sequence[Sample], seed: int, number: int) -> tuple[bytes, bytes]:
    """The capture of a number, and its key log."""
    return mutated(samples, random.Random(f"{seed} {number}"))


def read(octets: bytes, key_log: bytes, *, formats: Sequence[str]) -> int:
    """Makes every view of a capture; how many handshakes are in it."""
    try:
        with open_octets(octets) as capture:
            found = list(inspect(capture, name=NAME, secrets=Secrets(key_log), plain=True))
    except CaptureError as error:
        check_text(str(error))
        return 0
    check_views(found, formats=formats)
    return len(found)


def seconds_for(octets: bytes) -> float:
    """The processor time that a capture may take."""
    return 1 + len(octets) / MEGABYTE


def read_all(samples: Sequence[Sample], numbers: Sequence[int], seed: int, findings: Path) -> dict[str, object]:
    """Reads the captures of these numbers; what came of it."""
    started, found, octets_read, handshakes, slowest = time.process_time(), 0, 0, 0, 0.0
    for number in numbers:
        octets, key_log = damaged(samples, seed, number)
        formats = TEXTUAL if number % TEXT_EVERY == 0 else ()
        before = time.process_time()
        try:
            with at_most(seconds_for(octets)):
                handshakes += read(octets, key_log, formats=formats)
        except (Exception, TooSlow):
            found += 1
            findings.mkdir(parents=True, exist_ok=True)
            (findings / f"{seed}-{number}").write_bytes(octets)
            (findings / f"{seed}-{number}.txt").write_text(traceback.format_exc(), "utf-8", "backslashreplace")
        octets_read += len(octets)
        slowest = max(slowest, time.process_time() - before)
    return {
        "target": "mutated",
        "at": int(time.time()),
        "runs": len(numbers),
        "octets": octets_read,
        "handshakes": handshakes,
        "processor_seconds": round(time.process_time() - started, 1),
        "slowest_seconds": round(slowest, 3),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "found": found,
    }


def main() -> None:
    """Reads as many as asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="this one alone")
    parser.add_argument("--write", type=Path, help="where to write the one of --only, instead of reading it")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="findings and figures")
    parser.add_argument("captures", type=Path, nargs="*", default=list(PLACES), help="captures, or folders of them")
    arguments = parser.parse_args()
    samples = samples_in(arguments.captures)
    if arguments.write is not None and arguments.only is not None:
        arguments.write.write_bytes(damaged(samples, arguments.seed, arguments.only)[0])
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_OCTETS, MEMORY_OCTETS))
    first, count = (arguments.first, arguments.count) if arguments.only is None else (arguments.only, 1)
    result = read_all(samples, range(first, first + count), arguments.seed, arguments.folder / "findings" / "mutated")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with (arguments.folder / "runs.jsonl").open("a") as file:
        file.write(json.dumps(result) + "\n")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
