"""What causes share when they compare two handshakes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tlsinspect import fields
from tlsinspect.comparison import compare
from tlsinspect.diagnosis.facts import label
from tlsinspect.diagnosis.rule import Case, Check, ComparePair, Finding
from tlsinspect.model.handshake import Outcome


def on_one_side(check: Check) -> ComparePair:
    """Compares a pair by what *check* says of each: the side of which it says something has the trouble."""

    def compare_pair(left: Case, right: Case) -> Finding | None:
        ours, theirs = check(left), check(right)
        match ours, theirs:
            case None, None:
                return None
            case Finding(), Finding():
                return replace(
                    ours, side="both", explanation=f"Both alike. {label(left.handshake)}: {ours.explanation}"
                )
            case Finding(), None:
                return replace(ours, side="left", explanation=told(ours, left, right))
            case _:
                return theirs and replace(theirs, side="right", explanation=told(theirs, right, left))

    return compare_pair


def told(finding: Finding, having: Case, other: Case) -> str:
    """What a finding says of one of a pair, and that the other is free of it."""
    end = OUTCOME_TEXT[other.handshake.outcome]
    return f"{label(having.handshake)}: {finding.explanation} {label(other.handshake)} {end}."


OUTCOME_TEXT = {
    Outcome.COMPLETED: "completed its handshake",
    Outcome.REJECTED: "was ended by a fatal alert",
    Outcome.RESET: "was reset",
    Outcome.CLOSED: "was closed before it completed",
    Outcome.STALLED: "got no answer",
    Outcome.CUT: "is not in the capture to its end",
    Outcome.NEVER_TLS: "never came to speak TLS",
}


def meaningful_paths(left: Case, right: Case) -> frozenset[str]:
    """The fields in which the two differ in a way that can matter."""
    return frozenset(each.path for each in compare(left.handshake, right.handshake) if each.meaningful)


def titles(paths: Iterable[str]) -> str:
    """Fields in a sentence, by their titles in the order of the catalogue."""
    wanted = set(paths)
    return ", ".join(field.title.lower() for field in fields.FIELDS if field.path in wanted)
