"""Fuzzes one target, or all in turn, with atheris.

    pip install -e '.[fuzz]'
    python -m fuzzing.seeds build/fuzz/seeds
    python -m fuzzing.run all --seconds 600
    python -m fuzzing.run certificate --seconds 60

Findings are written to build/fuzz/findings/TARGET/, an input and its traceback for each place in the code; what each
run did is added to build/fuzz/runs.jsonl, from which `python -m fuzzing.figures` writes docs/robustness.md.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

from fuzzing.targets import TARGETS

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "fuzz"
ALL = "all"
MEMORY_MB = 1024
HANG_SECONDS = 60  # of one input; then libFuzzer ends the process
UNITS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
STATUS = re.compile(r"#(\d+)\t\S+\s+cov: (\d+) ft: (\d+) corp: (\d+)")
FINDING = re.compile(r"FINDING (\S+) (.*)")


def run_target(name: str, folder: Path, seconds: float) -> dict[str, object]:
    """Fuzzes one target for a time; what came of it."""
    corpus, seeds = folder / "corpus" / name, folder / "seeds" / name
    findings = folder / "findings" / name
    for each in (corpus, seeds, findings):
        each.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        *("-m", "fuzzing.child", name, str(findings)),
        *(str(corpus), str(seeds), f"-max_total_time={max(1, round(seconds))}", f"-rss_limit_mb={MEMORY_MB}"),
        *(f"-timeout={HANG_SECONDS}", f"-artifact_prefix={findings}/", "-print_final_stats=1", "-reload=0"),
    ]
    before, started = children_seconds(), time.time()
    process = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, check=False)
    said = process.stderr.decode("utf-8", "replace")
    statuses = STATUS.findall(said)
    executed, edges, features, inputs = (int(each) for each in (statuses or [("0", "0", "0", "0")])[-1])
    units = UNITS.search(said)
    if process.returncode:
        print(said[-4000:], file=sys.stderr)
    return {
        "target": name,
        "at": int(started),
        "seconds": round(time.time() - started, 1),
        "processor_seconds": round(children_seconds() - before, 1),
        "runs": int(units[1]) if units else executed,
        "edges": edges,
        "features": features,
        "inputs": inputs,
        "findings": [found[1] for found in FINDING.findall(said)],
        "ended": process.returncode,
    }


def children_seconds() -> float:
    """The processor time of the processes that have ended, user and system."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Runs the targets asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="+", choices=[*TARGETS, ALL], metavar="TARGET")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="corpus, seeds, findings and figures")
    arguments = parser.parse_args()
    names = list(TARGETS) if ALL in arguments.targets else arguments.targets
    for name in names:
        result = run_target(name, arguments.folder, arguments.seconds)
        with (arguments.folder / "runs.jsonl").open("a") as file:
            file.write(json.dumps(result) + "\n")
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
