"""What the commands do, once their options are read.  Imported when a command runs, so that help starts fast."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from tlsinspect.cli import exit_status
from tlsinspect.cli.options import Options, Output
from tlsinspect.cli.output import write
from tlsinspect.cli.reading import Kind, Reading, comes_bit_by_bit, read, read_each, say, selectors_of
from tlsinspect.model.errors import SelectionError
from tlsinspect.report.listing import counted
from tlsinspect.selection import pick_pair


def show_captures(captures: Sequence[str], options: Options, *, follow: bool = False) -> int:
    """`show`: the list, or the one handshake that was picked by number."""
    from tlsinspect.report.handshake import handshake_report
    from tlsinspect.report.listing import handshake_list

    selectors = selectors_of(captures)
    if follow and len(selectors) != 1:
        raise SelectionError("--follow reads one capture.")
    if follow or comes_bit_by_bit(selectors, options):
        from tlsinspect.cli.streaming import show_stream

        return show_stream(selectors[0], options, follow=follow)
    if options.output.format == "jsonl" and options.output.file is None and all(s.stream is None for s in selectors):
        from tlsinspect.cli.lines import Printer, Rows, numbered

        return read_each(selectors, options, Kind(Rows(options).row, numbered), Printer().print_row)
    reading = read(selectors, options)
    cases = reading.chosen(selectors)
    one = len(cases) == len(selectors) == 1 and selectors[0].stream is not None
    report = handshake_report(reading.captures, cases[0]) if one else handshake_list(reading.captures, cases)
    write(report, options.output)
    return status_of(reading)


def diff_captures(left: str, right: str, options: Options, *, everything: bool) -> int:
    """`diff`: the pair that was picked by number, else the one worth comparing."""
    from tlsinspect.diagnosis.causes import CAUSES
    from tlsinspect.diagnosis.engine import explain
    from tlsinspect.report.pair import differs, pair_report

    selectors = selectors_of((left, right))
    reading = read(selectors, options)
    ours, theirs = (reading.chosen((selector,)) for selector in selectors)
    pair = pick_pair([case.handshake for case in ours], [case.handshake for case in theirs])
    cases = reading.cases[id(pair.left)], reading.cases[id(pair.right)]
    diagnosis = explain(*cases, CAUSES)
    write(pair_report(*cases, diagnosis, pair=pair, everything=everything), options.output)
    return status_of(reading, exit_status.FOUND if differs(diagnosis) else exit_status.NOTHING)


def explain_captures(captures: Sequence[str], options: Options) -> int:
    """`explain`: every handshake chosen, with its findings."""
    from tlsinspect.diagnosis.causes import CAUSES
    from tlsinspect.diagnosis.engine import diagnose
    from tlsinspect.report.explanation import explanation, has_error

    selectors = selectors_of(captures)
    if comes_bit_by_bit(selectors, options):
        from tlsinspect.cli.streaming import explain_stream

        return explain_stream(selectors[0], options)
    reading = read(selectors, options)
    explained = [(case, diagnose(case, CAUSES)) for case in reading.chosen(selectors)]
    write(explanation(reading.captures, explained), options.output)
    found = any(has_error(diagnosis) for _, diagnosis in explained)
    return status_of(reading, exit_status.FOUND if found else exit_status.NOTHING)


def sessions_of_captures(captures: Sequence[str], options: Options) -> int:
    """`sessions`: the forest of resumptions."""
    from tlsinspect.report.lineage import lineage

    selectors = selectors_of(captures)
    reading = read(selectors, options)
    write(lineage(reading.captures, reading.chosen(selectors)), options.output)
    return status_of(reading)


def certs_of_captures(captures: Sequence[str], options: Options, *, pem: Path | None) -> int:
    """`certs`: the chains, and perhaps a file for each certificate."""
    from tlsinspect.report.chains import chains, pem_files

    selectors = selectors_of(captures)
    reading = read(selectors, options)
    cases = reading.chosen(selectors)
    write(chains(reading.captures, cases), options.output)
    if pem is not None:
        pem.mkdir(parents=True, exist_ok=True)
        files = list(pem_files(cases))
        for name, text in files:
            (pem / name).write_text(text, "ascii")
        say(f"{counted(len(files), 'certificate')} written to {pem}.")
    return status_of(reading)


def runbook_page(code: str | None, log: str | None, output: Output) -> int:
    """`runbook`: the index, a page, or what a line of a log points to."""
    from tlsinspect.diagnosis.causes import CAUSES
    from tlsinspect.report.runbook import cause_page, log_report, runbook_index

    if log is not None:
        write(log_report(log, CAUSES), output)
    elif code is None:
        write(runbook_index(CAUSES), output)
    else:
        by_code = {cause.code: cause for cause in CAUSES}
        if code not in by_code:
            close = difflib.get_close_matches(code, by_code, 3, 0.4)
            hint = f"Did you mean {' or '.join(close)}?" if close else "`tlsinspect runbook` lists all."
            raise SelectionError(f"There is no cause '{code}'. {hint}")
        write(cause_page(by_code[code]), output)
    return exit_status.NOTHING


def status_of(reading: Reading, status: int = exit_status.NOTHING) -> int:
    """The exit status, unless reading was interrupted or could not read all."""
    return reading.status or status
