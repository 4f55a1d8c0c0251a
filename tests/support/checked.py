"""A capture as we and tshark read it, and how many frames a display filter shows."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tlsinspect.capture.file import open_capture
from tlsinspect.cli.check import NO_LIMITS
from tlsinspect.crosscheck.judge import Crosscheck, Verdict, compare_handshakes, unmatched_streams
from tlsinspect.inspector import Limits, inspect
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.handshake import Handshake
from tlsinspect.reference import Tshark, messages_of, write_copy
from tlsinspect.selection import spoke_tls
from tlsinspect.tls.keylog import Secrets


def handshakes_of(capture: Path, keylog: Path | None = None, *, limits: Limits = NO_LIMITS) -> list[Handshake]:
    secrets = Secrets(keylog.read_bytes() if keylog else b"")
    with open_capture(capture) as frames:
        found = inspect(frames, name=capture.name, secrets=secrets, limits=limits)
        return [each for each in found if spoke_tls(each)]


def checked(capture: Path, program: Tshark, folder: Path, keylog: Path | None = None) -> Crosscheck:
    """Every field of every handshake; tshark gets a copy, so that a damaged capture is whole for it."""
    try:
        handshakes = handshakes_of(capture, keylog)
    except CaptureError:
        return Crosscheck(program=str(program), handshakes=(), compared=())
    copy = folder / "copy.pcapng"
    with copy.open("wb") as out:
        write_copy(str(capture), out)
    shown = messages_of(copy, keylog=keylog, handshakes=handshakes)
    return Crosscheck(
        program=str(program),
        handshakes=tuple(handshakes),
        compared=compare_handshakes(handshakes, shown, program=str(program), known=program.fields),
        unmatched=unmatched_streams(capture.name, handshakes, shown),
    )


def difference_lines(found: Crosscheck) -> list[str]:
    """One line per difference: the stream, the field, both values."""
    lines = [f"{each.transport} {each.stream}: only tshark, frames {each.frames}" for each in found.unmatched]
    return lines + [
        f"{each.handshake.transport} {each.handshake.stream}: {each.field.path} {each.ours}, tshark {each.theirs}"
        for each in found.compared
        if each.verdict is Verdict.DIFFERS
    ]


def frame_counts(capture: Path, filters: Sequence[str], keylog: Path | None = None) -> dict[str, int]:
    """How many frames each display filter shows, in one run of tshark."""
    keys = ["-o", f"tls.keylog_file:{keylog}"] if keylog else []
    options = ["-n", "-2", "-q", "-o", "tcp.reassemble_out_of_order:TRUE", *keys]
    statistics = ["-z", ",".join(("io,stat,0", *filters))]
    done = subprocess.run(["tshark", *options, "-r", capture, *statistics], capture_output=True, text=True)
    row = next((line for line in done.stdout.splitlines() if "<>" in line), None)
    assert row is not None, done.stderr
    counts = [int(number) for number in re.findall(r"\d+", row.partition("<>")[2].partition("|")[2])[::2]]
    return dict(zip(filters, counts, strict=True))
