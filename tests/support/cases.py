"""The captures with a known cause: their case.toml files, and what is wrong with an answer to one of them.

captures/README.md describes the format.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CAPTURES = Path(__file__).resolve().parents[2] / "captures"

REQUIRED = {
    "case": {"title", "made_with", "capture", "at"},
    "handshake": {"stream"},
    "explain": {"stream"},
    "diff": {"left", "right"},
}
FINDING_KEYS = {"options", "first", "severity", "healthy", "present", "absent", "mentions"}
OPTIONAL = {
    "case": {"keylog", "streams", "handshake", "explain", "diff"},
    "handshake": {"part", "keylog", "facts", "missing", "null"},
    "explain": {"part", "keylog", "resumed_from", *FINDING_KEYS},
    "diff": {"keylogs", "verdict", "differences", *FINDING_KEYS},
}
KINDS = ("handshake", "explain", "diff")

Expected = dict[str, Any]  # one table of a case.toml
Json = dict[str, Any]  # what the command line printed


@dataclass(frozen=True)
class Case:
    """One case.toml."""

    path: Path
    content: Expected

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def name(self) -> str:
        """The folder below captures/."""
        return self.folder.relative_to(CAPTURES).as_posix()

    @property
    def capture(self) -> str:
        return str(self.folder / self.content["capture"])

    def expectations(self, kind: str) -> Iterator[tuple[str, Expected]]:
        """Each table of a kind, with an identifier such as "story/01-name-explain-0"."""
        for index, expected in enumerate(self.content.get(kind, ())):
            yield f"{self.name}-{kind}-{index}", expected

    def keylog_options(self, expected: Expected) -> list[str]:
        """The key log of the case, unless the expectation is about a reader without keys."""
        keylog = self.content.get("keylog")
        return ["--keylog", str(self.folder / keylog)] if keylog and expected.get("keylog", True) else []


def load_case(path: Path) -> Case:
    with path.open("rb") as file:
        return Case(path, tomllib.load(file))


def all_cases() -> list[Case]:
    """Every case.toml below captures/, in the order of the folders."""
    return [load_case(path) for path in sorted(CAPTURES.glob("*/**/case.toml"))]


def wrong_keys(content: Expected) -> list[str]:
    """The keys that are unknown and those that lack, a sentence each."""
    tables = [("case", content), *((kind, table) for kind in KINDS for table in content.get(kind, ()))]
    wrong = []
    for kind, table in tables:
        wrong += [f"{kind}: unknown key {key!r}" for key in sorted(set(table) - REQUIRED[kind] - OPTIONAL[kind])]
        wrong += [f"{kind}: no key {key!r}" for key in sorted(REQUIRED[kind] - set(table))]
    return wrong


def show_arguments(case: Case, expected: Expected) -> list[str]:
    return ["show", case.capture, *case.keylog_options(expected), "--format", "json"]


def explain_arguments(case: Case, expected: Expected) -> list[str]:
    target = f"{case.capture}#{expected['stream']}"
    options = [*case.keylog_options(expected), "--at", case.content["at"], *expected.get("options", ())]
    return ["explain", target, *options, "--format", "json"]


def diff_arguments(case: Case, expected: Expected) -> list[str]:
    targets = [str(case.folder / expected[side]) for side in ("left", "right")]
    keylogs = [option for name in expected.get("keylogs", ()) for option in ("--keylog", str(case.folder / name))]
    return ["diff", *targets, *keylogs, "--at", case.content["at"], *expected.get("options", ()), "--format", "json"]


def wrong_in_handshake(expected: Expected, handshake: Json) -> list[str]:
    """What one handshake of ``show --format json`` says otherwise than a [[handshake]] table."""
    wrong = []
    for path, value in expected.get("facts", {}).items():
        found = value_at(handshake, path)
        if found != value:
            wrong.append(f"{path} is {found!r}, expected {value!r}")
    for path in expected.get("null", ()):
        if value_at(handshake, path) is not None:
            wrong.append(f"{path} is {value_at(handshake, path)!r}, expected null")
    for path, reason in expected.get("missing", {}).items():
        if value_at(handshake, path) is not None:
            wrong.append(f"{path} is {value_at(handshake, path)!r}, expected null ({reason})")
        if handshake["missing"].get(path) != reason:
            wrong.append(f"missing says {handshake['missing'].get(path)!r} of {path}, expected {reason!r}")
    return wrong


def wrong_in_explanation(expected: Expected, handshake: Json) -> list[str]:
    """What one handshake of ``explain --format json`` says otherwise than an [[explain]] table."""
    wrong = wrong_in_findings(expected, handshake["findings"])
    if "resumed_from" in expected and value_at(handshake, "resumption.from.stream") != expected["resumed_from"]:
        origin = value_at(handshake, "resumption.from")
        wrong.append(f"resumption.from is {origin!r}, expected stream {expected['resumed_from']}")
    return wrong


def wrong_in_difference(expected: Expected, report: Json) -> list[str]:
    """What ``diff --format json`` says otherwise than a [[diff]] table."""
    wrong = wrong_in_findings(expected, report["findings"])
    wrong += [
        f"the verdict lacks {text!r}: {report['verdict']}"
        for text in expected.get("verdict", ())
        if text not in report["verdict"]
    ]
    meaningful = {difference["path"] for difference in report["differences"] if difference["meaningful"]}
    for path in expected.get("differences", ()):
        if path not in meaningful:
            wrong.append(f"{path} is not among the meaningful differences: {sorted(meaningful)}")
    return wrong


def wrong_in_findings(expected: Expected, findings: list[Json]) -> list[str]:
    """What a list of findings says otherwise than the keys that [[explain]] and [[diff]] share."""
    codes = [f"{finding['code']} ({finding['severity']})" for finding in findings]
    errors = {finding["code"] for finding in findings if finding["severity"] == "error"}
    first = findings[0] if findings else None
    wrong = []
    accepted = expected.get("first")
    if accepted and (first is None or first["code"] not in accepted):
        wrong.append(f"the first finding is not one of {accepted}")
    if errors and (accepted == [] or expected.get("healthy")):
        wrong.append(f"findings of severity error, expected none: {sorted(errors)}")
    if "severity" in expected and (first is None or first["severity"] != expected["severity"]):
        wrong.append(f"the first finding has not the severity {expected['severity']!r}")
    present = {finding["code"] for finding in findings}
    wrong += [f"{code} is not there" for code in expected.get("present", ()) if code not in present]
    wrong += [f"{code} has severity error" for code in expected.get("absent", ()) if code in errors]
    said = "\n".join(texts(first))
    wrong += [
        f"the first finding does not mention {text!r}:\n{said}"
        for text in expected.get("mentions", ())
        if text not in said
    ]
    return [*wrong, f"findings: {', '.join(codes) or 'none'}"] if wrong else []


def has_error(handshake: Json) -> bool:
    """Whether a handshake of ``explain --format json`` has a finding of severity error."""
    return any(finding["severity"] == "error" for finding in handshake["findings"])


def value_at(value: Any, path: str) -> Any:
    """The value at a path such as "alerts.0.code" or, for the length of a list, "alerts#"; None where there is none."""
    keys = path.removesuffix("#").split(".")
    for key in keys:
        if isinstance(value, list):
            value = value[int(key)] if int(key) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(key)
        else:
            return None
    if path.endswith("#"):
        return len(value) if isinstance(value, list) else None
    return value


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
