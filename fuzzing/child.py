"""The process in which atheris runs one target; started by `fuzzing.run`.

python -m fuzzing.child TARGET FINDINGS [libFuzzer's options and folders]
"""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
import sys
import time
import traceback
from pathlib import Path
from types import TracebackType

import atheris

OUR_CODE = ("tlsinspect", "hpack")  # what is instrumented
MOST_SECONDS = 3.0  # processor time of one input under instrumentation, which makes it several times as slow
SLOW = "slow"


class Findings:
    """The inputs that raised something or took too long, one for each place in the code.  Owns the places known."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: set[str] = set()

    def keep(self, place: str, data: bytes, text: str) -> None:
        """Writes an input and what is known of it, unless there is one of this place."""
        if place in self._known:
            return
        self._known.add(place)
        self._folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha1(place.encode(), usedforsecurity=False).hexdigest()[:12]
        if not (self._folder / name).exists():
            (self._folder / name).write_bytes(data)
            (self._folder / f"{name}.txt").write_text(f"{place}\n\n{text}", "utf-8", "backslashreplace")
            print(f"FINDING {name} {place}", file=sys.stderr, flush=True)


def place_of(error: BaseException) -> str:
    """What was raised, and where in our own code."""
    place = ""
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "tlsinspect" in code.co_filename or not place:
            place = f"{Path(code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} {place}"


def main() -> None:
    """Runs one target until libFuzzer's options say that it is enough."""
    name, folder, *options = sys.argv[1:]
    with atheris.instrument_imports(include=OUR_CODE):
        import tlsinspect

        for module in pkgutil.walk_packages(tlsinspect.__path__, "tlsinspect."):
            if not module.name.endswith(("__main__", "live", "packet_socket")):
                importlib.import_module(module.name)
        targets = importlib.import_module("fuzzing.targets").TARGETS
    target = targets[name]
    findings = Findings(Path(folder))

    def run(data: bytes) -> None:
        started = time.process_time()
        try:
            target.run(data)
        except Exception as error:
            findings.keep(place_of(error), data, traceback.format_exc())
        seconds = time.process_time() - started
        if seconds > MOST_SECONDS:
            findings.keep(SLOW, data, f"{seconds:.1f} s for {len(data)} octets")

    atheris.Setup([sys.argv[0], *options, f"-max_len={target.most_octets}"], run, enable_python_coverage=True)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
