"""Makes an input that raises something as small as it can be, so that it can be kept as a test.

python -m fuzzing.minimise certificate build/fuzz/findings/certificate/0123456789ab -o smaller
"""

from __future__ import annotations

import argparse
import traceback
from collections.abc import Callable
from pathlib import Path

from fuzzing.targets import TARGETS


def raised(run: Callable[[bytes], None], octets: bytes) -> str:
    """What an input raises and where; nothing when it raises nothing."""
    try:
        run(octets)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} {last.filename}:{last.lineno}"
    return ""


def minimised(run: Callable[[bytes], None], octets: bytes) -> bytes:
    """The input without the octets that it raises the same without, and with zeros where any octet does."""
    wanted = raised(run, octets)
    if not wanted:
        return octets
    size = len(octets) // 2
    while size:
        at = 0
        while at < len(octets):
            shorter = octets[:at] + octets[at + size :]
            if raised(run, shorter) == wanted:
                octets = shorter
            else:
                at += size
        size //= 2
    for at, octet in enumerate(octets):
        simpler = octets[:at] + b"\0" + octets[at + 1 :]
        if octet and raised(run, simpler) == wanted:
            octets = simpler
    return octets


def main() -> None:
    """Minimises one input."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=TARGETS, metavar="TARGET")
    parser.add_argument("input", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    run, octets = TARGETS[arguments.target].run, arguments.input.read_bytes()
    smaller = minimised(run, octets)
    arguments.output.write_bytes(smaller)
    print(f"{raised(run, smaller) or 'It raises nothing.'}: {len(octets)} octets, {len(smaller)} after.")


if __name__ == "__main__":
    main()
