"""`crosscheck CAPTURE...`: our values beside those of tshark, differences first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tlsinspect.comparison import only_in
from tlsinspect.crosscheck.judge import Compared, Crosscheck, Unmatched, Verdict
from tlsinspect.crosscheck.reads import Undisclosed
from tlsinspect.fields import Value
from tlsinspect.model.frame import Missing
from tlsinspect.report import words
from tlsinspect.report.blocks import Block, Cell, Prose, Report, Table
from tlsinspect.report.listing import counted
from tlsinspect.report.objects import SCHEMA, json_value
from tlsinspect.report.pair import list_text, only_text

MOST_FRAMES = 6  # numbers in a cell


def crosscheck_report(captures: Sequence[str], found: Crosscheck, *, everything: bool = False) -> Report:
    """The summary, the differences, what could not be compared; with *everything* what agrees, too."""
    by_verdict = {verdict: [each for each in found.compared if each.verdict is verdict] for verdict in Verdict}
    several = len(captures) > 1
    blocks: list[Block] = [Prose(summary_text(found, by_verdict), "bad" if found.differs else "good")]
    blocks += [Prose(note, "faint") for note in found.notes]
    if by_verdict[Verdict.DIFFERS]:
        blocks.append(value_table(by_verdict[Verdict.DIFFERS], found.program, "Differences", several=several))
    if found.unmatched:
        blocks.append(unmatched_table(found.unmatched, found.program, several=several))
    if by_verdict[Verdict.NOT_COMPARED]:
        blocks.append(reason_table(by_verdict[Verdict.NOT_COMPARED]))
    if everything and by_verdict[Verdict.AGREES]:
        blocks.append(value_table(by_verdict[Verdict.AGREES], found.program, "Agreements", several=several))
    rows = [compared_object(each) for verdict in Verdict for each in by_verdict[verdict]]
    unmatched = [unmatched_object(each) for each in found.unmatched]
    data = {
        "schema": SCHEMA,
        "captures": list(captures),
        "reference": found.program,
        "summary": {
            "handshakes": len(found.handshakes),
            **{verdict.name.lower(): len(by_verdict[verdict]) for verdict in Verdict},
            "unmatched": len(unmatched),
        },
        "notes": list(found.notes),
        "unmatched": unmatched,
        "fields": rows,
    }
    title = f"{', '.join(captures)} and {found.program}"
    return Report(title=title, blocks=tuple(blocks), data=data, lines=(*unmatched, *rows))


def summary_text(found: Crosscheck, by_verdict: dict[Verdict, list[Compared]]) -> str:
    """One line with all counts."""
    agree, differ, open_ = (len(by_verdict[each]) for each in (Verdict.AGREES, Verdict.DIFFERS, Verdict.NOT_COMPARED))
    text = (
        f"{counted(len(found.handshakes), 'handshake').capitalize()}, {counted(agree + differ, 'field')} compared with "
        f"{found.program}: {agree} agree, {differ or 'none'} {'differs' if differ < 2 else 'differ'}; {open_} could "
        "not be compared."
    )
    if found.unmatched:
        text += (
            f" {counted(len(found.unmatched), 'connection').capitalize()} with a handshake for {found.program} alone."
        )
    return text


def value_table(rows: Iterable[Compared], program: str, title: str, *, several: bool) -> Table:
    """A row per field of a handshake, both values."""
    columns = ("#", "Field", "Wireshark", "tlsinspect", program)
    cells = []
    for each in rows:
        ours, theirs = side_texts(each.ours, each.theirs)
        tone = "changed" if each.verdict is Verdict.DIFFERS else "plain"
        row = (
            Cell(words.stream_text(each.handshake)),
            Cell(each.field.path),
            Cell(each.name, "faint"),
            Cell(ours, tone),
            Cell(theirs, tone),
        )
        cells.append((Cell(words.capture_text(each.handshake)), *row) if several else row)
    keep = ("#", "Field", "tlsinspect", program, "Capture", "Wireshark")
    return Table(("Capture", *columns) if several else columns, tuple(cells), title=title, keep=keep, firm=4)


def side_texts(ours: Value, theirs: Value) -> tuple[str, str]:
    """Both values; of lists that differ only what one has and the other has not."""
    if ours == theirs or not (isinstance(ours, tuple) and isinstance(theirs, tuple)):
        return value_text(ours), value_text(theirs)
    here, there = only_in(ours, theirs)
    if not here and not there:  # the same elements
        return f"{list_text(ours)} (in this order)", f"{list_text(theirs)} (in this order)"
    return only_text(here, ours), only_text(there, theirs)


def value_text(value: Value) -> str:
    """A value in a cell."""
    return "not shown" if isinstance(value, Undisclosed) else list_text(value)


def unmatched_table(unmatched: Iterable[Unmatched], program: str, *, several: bool) -> Table:
    """A row per connection that is a handshake for the reference alone."""
    rows = []
    for each in unmatched:
        number = str(each.stream) if each.transport == "tcp" else f"{each.transport}:{each.stream}"
        frames = ", ".join(map(str, each.frames[:MOST_FRAMES])) + (", …" if len(each.frames) > MOST_FRAMES else "")
        row = (Cell(number), Cell(frames, "changed"))
        rows.append((Cell(each.capture), *row) if several else row)
    columns = ("#", "Frames with handshake messages")
    return Table(
        ("Capture", *columns) if several else columns, tuple(rows), title=f"Handshakes that only {program} shows"
    )


def reason_table(rows: Iterable[Compared]) -> Table:
    """Why fields were not compared: a row per reason."""
    reasons: dict[str, list[Compared]] = {}
    for each in rows:
        reasons.setdefault(each.reason, []).append(each)
    cells = tuple(
        (
            Cell(reason),
            Cell(str(len(group))),
            Cell(str(len({id(each.handshake) for each in group}))),
            Cell(", ".join(path_texts(group)), "faint"),
        )
        for reason, group in sorted(reasons.items(), key=lambda item: -len(item[1]))
    )
    columns = ("Not compared", "Values", "Handshakes", "Fields")
    return Table(columns, cells, keep=columns, firm=3)


def path_texts(group: Iterable[Compared]) -> Iterator[str]:
    """The fields of a group, each once; all of them in two words."""
    paths = dict.fromkeys(each.field.path for each in group)
    if len(paths) > MOST_PATHS:
        yield f"{len(paths)} fields"
    else:
        yield from paths


MOST_PATHS = 4


def compared_object(compared: Compared) -> dict[str, object]:
    """One field of one handshake as JSON shows it."""
    handshake = compared.handshake
    sides = (("ours", compared.ours), ("theirs", compared.theirs))
    return {
        "capture": handshake.capture,
        "transport": handshake.transport,
        "stream": handshake.stream,
        "part": handshake.part,
        "path": compared.field.path,
        "wireshark": compared.name,
        "verdict": compared.verdict.value,
        "reason": compared.reason or None,
        **{side: None if isinstance(value, Undisclosed) else json_value(value) for side, value in sides},
        "missing": {side: value.value for side, value in sides if isinstance(value, Missing)},
        "frames": list(compared.field.frames(handshake)),
    }


def unmatched_object(unmatched: Unmatched) -> dict[str, object]:
    """A connection that is a handshake for the reference alone, as JSON shows it."""
    return {
        "capture": unmatched.capture,
        "transport": unmatched.transport,
        "stream": unmatched.stream,
        "verdict": "only in the reference",
        "frames": list(unmatched.frames),
    }
