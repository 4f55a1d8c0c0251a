"""`crosscheck`: every field beside tshark's.  Imported when the command runs."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from tlsinspect.capture.file import open_capture
from tlsinspect.cli import exit_status
from tlsinspect.cli.options import Options
from tlsinspect.cli.output import write
from tlsinspect.cli.reading import say, secrets_of, selectors_of
from tlsinspect.cli.values import filters_of
from tlsinspect.crosscheck.judge import Compared, Crosscheck, Unmatched, compare_handshakes, unmatched_streams
from tlsinspect.inspector import Limits, inspect
from tlsinspect.model.handshake import Handshake
from tlsinspect.reference import Tshark, find_tshark, messages_of, write_copy
from tlsinspect.selection import Filters, Selector, selected
from tlsinspect.tls.keylog import Secrets

# Both read every connection to its end.
NO_LIMITS = Limits(idle_ns=1 << 62, settle_ns=1 << 62, linger_ns=1 << 62, settle_octets=1 << 62)


def crosscheck_captures(captures: Sequence[str], options: Options, *, everything: bool) -> int:
    """`crosscheck`: the handshakes chosen, differences first."""
    from tlsinspect.report.crosscheck import crosscheck_report

    selectors = selectors_of(captures)
    names = tuple(dict.fromkeys(selector.capture for selector in selectors))
    filters = filters_of(options)
    program = find_tshark()
    with tempfile.TemporaryDirectory(prefix="tlsinspect-") as folder:
        keylog = one_keylog(options.keylogs, Path(folder))
        checked = [
            check_capture(
                name,
                [each for each in selectors if each.capture == name],
                filters,
                program=program,
                keylog=keylog,
                folder=Path(folder),
            )
            for name in names
        ]
    found = Crosscheck(
        program=str(program),
        handshakes=tuple(handshake for each in checked for handshake in each.handshakes),
        compared=tuple(compared for each in checked for compared in each.compared),
        unmatched=tuple(unmatched for each in checked for unmatched in each.unmatched),
        notes=tuple(note for each in checked for note in each.notes),
    )
    one = len(selectors) == len(found.handshakes) == 1 and selectors[0].stream is not None
    write(crosscheck_report(names, found, everything=everything or one), options.output)
    return exit_status.FOUND if found.differs else exit_status.NOTHING


def one_keylog(keylogs: Sequence[Path], folder: Path) -> Path | None:
    """One key log with the lines of all: tshark takes one, and each may be a pipe that is read once."""
    if not keylogs:
        return None
    merged = folder / "keys.log"
    merged.write_bytes(b"\n".join(path.read_bytes() for path in keylogs) + b"\n")
    return merged


def check_capture(
    name: str,
    selectors: Sequence[Selector],
    filters: Filters,
    *,
    program: Tshark,
    keylog: Path | None,
    folder: Path,
) -> Crosscheck:
    """One capture, read by both."""
    notes = []
    file = Path(name)
    if name == "-":
        file = copy_of(name, folder)
        notes.append(f"{program} read a copy of standard input.")
    handshakes, defects = handshakes_in(file, name, secrets_of([keylog] if keylog else []))
    if defects and name != "-":
        file = copy_of(name, folder)
        notes.append(f"{name}: {defects[0]} {program} read a copy of the frames before that.")
    shown = messages_of(file, keylog=keylog, handshakes=handshakes)
    chosen = {id(each): each for selector in selectors for each in selected(handshakes, selector)}
    kept = [each for each in chosen.values() if filters.passes(each)]
    compared: tuple[Compared, ...] = compare_handshakes(
        handshakes, shown, program=str(program), known=program.fields, chosen=kept
    )
    whole = any(selector.stream is None for selector in selectors) and filters == Filters()
    unmatched: tuple[Unmatched, ...] = unmatched_streams(name, handshakes, shown) if whole else ()
    return Crosscheck(
        program=str(program), handshakes=tuple(kept), compared=compared, unmatched=unmatched, notes=tuple(notes)
    )


def handshakes_in(file: Path, name: str, secrets: Secrets) -> tuple[list[Handshake], list[str]]:
    """All handshakes of a capture, and what is wrong with the capture itself."""
    with open_capture(file) as capture:
        handshakes = list(inspect(capture, name=name, secrets=secrets, limits=NO_LIMITS))
        defects = [defect.problem for defect in capture.defects]
    for defect in defects:
        say(f"{name}: {defect}")
    return handshakes, defects


def copy_of(name: str, folder: Path) -> Path:
    """A whole pcapng file with the frames of a capture that can be read."""
    number, path = tempfile.mkstemp(dir=folder, suffix=".pcapng")
    with open(number, "wb") as out:
        write_copy(name, out)
    return Path(path)
