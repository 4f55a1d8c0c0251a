"""Writes the tables of docs/robustness.md from what the runs left behind, and from the limits in the code.

python -m fuzzing.figures                      the tables, from build/fuzz/runs.jsonl
python -m fuzzing.figures --cover 200          first measures what the found inputs cover, so many of each target
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fuzzing.limits import LIMITS, value_of
from fuzzing.run import FOLDER, ROOT

PAGE = ROOT / "docs" / "robustness.md"
COVERED = "coverage.json"
MUTATED = "mutated"
PACKAGES = ("capture", "net", "tls", "dtls", "quic", "preamble", "http", "fields", "diagnosis", "report", "render")

Run = Mapping[str, Any]


def rows_of_targets(runs: Iterable[Run]) -> Iterator[tuple[str, ...]]:
    """A row for each target that atheris ran, and their sum."""
    by_target: dict[str, list[Run]] = {}
    for run in runs:
        if run["target"] != MUTATED:
            by_target.setdefault(run["target"], []).append(run)
    total = executed = wall = processor = 0.0
    for target in sorted(by_target):
        found = by_target[target]
        executed = sum(run["runs"] for run in found)
        seconds = sum(run["processor_seconds"] for run in found)
        total, wall, processor = (
            total + executed,
            wall + sum(run["seconds"] for run in found),
            processor + seconds,
        )
        findings = {each for run in found for each in run["findings"]}
        edges, inputs = (max(run[name] for run in found) for name in ("edges", "inputs"))
        speed = f"{executed / max(seconds, 1):,.0f}"
        yield f"`{target}`", f"{executed:,.0f}", speed, f"{edges:,}", f"{inputs:,}", str(len(findings))
    findings = {each for run in runs for each in run.get("findings", ())}
    hours = f"{wall / 3600:.1f} h of processes, {processor / 3600:.1f} h of processor time"
    yield f"all, {hours}", f"{total:,.0f}", "", "", "", str(len(findings))


def mutation_text(runs: Iterable[Run]) -> str:
    """What reading damaged captures came to."""
    found = [run for run in runs if run["target"] == MUTATED]
    if not found:
        return "None were read."
    count, octets, handshakes = (sum(run[name] for run in found) for name in ("runs", "octets", "handshakes"))
    hours = sum(run["processor_seconds"] for run in found) / 3600
    findings = sum(run["found"] for run in found)
    slowest, peak = (max(run[name] for run in found) for name in ("slowest_seconds", "peak_mb"))
    return "\n".join(
        (
            f"{count:,} damaged captures of {octets / 1e6:,.0f} MB with {handshakes:,} handshakes were read, and every",
            f"view of them made, in {hours:.1f} h of processor time: {findings} findings, {slowest:.2f} s for the",
            f"slowest, and at most {peak} MB of memory.",
        )
    )


def limit_rows() -> Iterator[tuple[str, ...]]:
    """A row for each limit."""
    for limit in LIMITS:
        yield limit.what, f"{value_of(limit):,} {limit.unit}", f"`{limit.module}.{limit.name}`", limit.beyond


def coverage_rows(folder: Path) -> Iterator[tuple[str, ...]]:
    """A row for each package, as far as it was measured."""
    path = folder / COVERED
    if path.is_file():
        for package, (covered, lines) in json.loads(path.read_text()).items():
            yield f"`{package}`", f"{lines:,}", f"{100 * covered / max(lines, 1):.0f} %"


def table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def measure(folder: Path, most: int) -> None:
    """Runs the seeds and found inputs of every target, and counts the lines of the package that they reach."""
    import coverage

    measured = coverage.Coverage(include=[str(ROOT / "tlsinspect" / "*")], data_file=None)
    measured.start()
    targets = importlib.import_module("fuzzing.targets").TARGETS
    for name, target in targets.items():
        for kind in ("corpus", "seeds"):
            for path in sorted((folder / kind / name).glob("*"))[:most]:
                target.run(path.read_bytes())
    measured.stop()
    found = {}
    for package in PACKAGES:
        covered = lines = 0
        for path in sorted((ROOT / "tlsinspect" / package).rglob("*.py")):
            _, executable, _, missing, _ = measured.analysis2(str(path))
            inside = lines_in_functions(path)  # what runs at import says nothing
            lines, covered = lines + len(inside & {*executable}), covered + len(inside & {*executable} - {*missing})
        found[package] = (covered, lines)
    (folder / COVERED).write_text(json.dumps(found))


def lines_in_functions(path: Path) -> set[int]:
    """The numbers of the lines of the bodies of functions."""
    found: set[int] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            found |= set(range(node.body[0].lineno, (node.end_lineno or 0) + 1))
    return found


def filled(page: str, parts: Mapping[str, str]) -> str:
    """The page with its parts between `<!-- name -->` and `<!-- end -->` written anew."""
    for name, text in parts.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = pattern.sub(lambda found, text=text: f"{found[1]}\n{text}\n\n{found[2]}", page)
    return page


def main() -> None:
    """Writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the runs were")
    parser.add_argument("--cover", type=int, metavar="N", help="measure coverage by N inputs of each target")
    arguments = parser.parse_args()
    if arguments.cover:
        measure(arguments.folder, arguments.cover)
    log = arguments.folder / "runs.jsonl"
    runs = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    parts = {"limits": table(("what", "bound", "where", "beyond it"), limit_rows())}
    if runs:
        columns = ("target", "runs", "per second of processor", "edges", "inputs kept", "findings")
        parts["runs"] = table(columns, rows_of_targets(runs))
        parts["mutated"] = mutation_text(runs)
    if rows := list(coverage_rows(arguments.folder)):
        parts["coverage"] = table(("package", "lines in functions", "reached"), rows)
    PAGE.write_text(filled(PAGE.read_text("utf-8"), parts), "utf-8")
    print(f"{PAGE} written.")


if __name__ == "__main__":
    main()
