"""From captures on the command line to handshakes, with messages for people on standard error."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from tlsinspect.capture.file import Capture, open_capture
from tlsinspect.cli import exit_status
from tlsinspect.cli.memory import keep_large_blocks_apart
from tlsinspect.cli.options import Options
from tlsinspect.cli.values import filters_of, meant_by
from tlsinspect.diagnosis.rule import Case
from tlsinspect.inspector import Inspector, follow
from tlsinspect.model.handshake import Handshake
from tlsinspect.render.escape import visible
from tlsinspect.selection import Filters, Selector, parse_selector, selected
from tlsinspect.sessions import Sessions
from tlsinspect.tls.keylog import Secrets

T = TypeVar("T")

MOST_LINKS = 8  # named in a message
LARGE_OCTETS = 4_000_000  # of captures; smaller ones are read before other processes have begun


class Kind(NamedTuple, Generic[T]):
    """What is made of a handshake."""

    made: Callable[[Handshake], T]
    numbered: Callable[[T, int], T]  # with another number of its stream


HANDSHAKES = Kind[Handshake](lambda handshake: handshake, lambda handshake, stream: replace(handshake, stream=stream))


class Problem(NamedTuple):
    """What was wrong with a capture itself."""

    text: str
    damage: bool  # the rest of it could not be read


@dataclass(slots=True)
class Reading:
    """What was read: it owns the handshakes of all captures until the report is made."""

    captures: tuple[str, ...]
    filters: Filters
    handshakes: list[Handshake] = field(default_factory=list)
    cases: dict[int, Case] = field(default_factory=dict)  # by the identity of the handshake
    status: int = exit_status.NOTHING  # or that some could not be read, or an interrupt

    def chosen(self, selectors: Iterable[Selector]) -> list[Case]:
        """The cases that the selectors and filters leave, in the order in which they began.

        Raises SelectionError when a stream was picked that is not there.
        """
        found = {id(each): each for selector in selectors for each in selected(self.handshakes, selector)}
        order = {capture: place for place, capture in enumerate(self.captures)}
        kept = [handshake for handshake in found.values() if self.filters.passes(handshake)]
        kept.sort(key=lambda each: (order[each.capture], each.first_frame, each.part))
        return [self.cases[id(handshake)] for handshake in kept]


def selectors_of(texts: Sequence[str]) -> tuple[Selector, ...]:
    """The selectors in the arguments."""
    return tuple(parse_selector(text) for text in texts)


def captures_of(selectors: Iterable[Selector]) -> tuple[str, ...]:
    """The captures, each once, as they were named."""
    return tuple(dict.fromkeys(selector.capture for selector in selectors))


def comes_bit_by_bit(selectors: Sequence[Selector], options: Options) -> bool:
    """Whether to show handshakes as they become known: of one pipe, in a format that has a line for each."""
    return (
        len(selectors) == 1
        and selectors[0] == Selector("-")
        and options.output.file is None
        and options.output.format in ("table", "jsonl")
        and not stat.S_ISREG(os.fstat(sys.stdin.fileno()).st_mode)
    )


def read_each(selectors: Sequence[Selector], options: Options, kind: Kind[T], take: Callable[[T], object]) -> int:
    """Calls *take* with what is made of every handshake of all captures as soon as it is known, and keeps none.

    Returns the exit status as far as reading decides it: whether some could not be read, or an interrupt ended it.
    """
    status = exit_status.NOTHING

    def tell(problem: Problem) -> None:
        nonlocal status
        say(problem.text)
        if problem.damage:
            status = exit_status.UNUSABLE

    secrets = secrets_of(options.keylogs)
    picked = frozenset(selector.capture for selector in selectors if selector.stream is not None)
    names = captures_of(selectors)
    large = are_large(names)
    if large:
        keep_large_blocks_apart()
    try:
        if options.jobs > 1 and large and hasattr(os, "fork"):  # Windows cannot
            from tlsinspect.cli.sharing import Captures, shared

            captures = Captures(names, picked, secrets, options.http)
            for each in shared(captures, kind, jobs=options.jobs, tell=tell):
                take(each)
            return status
        for name in names:
            with open_capture(name) as capture:
                inspector = Inspector(name, secrets=secrets, plain=name in picked, http=options.http, gather=True)
                try:
                    for handshakes in follow(capture, inspector, secrets):
                        for handshake in handshakes:
                            take(kind.made(handshake))
                finally:
                    for problem in problems_of(capture, inspector):
                        tell(problem)
    except KeyboardInterrupt:
        return exit_status.INTERRUPTED
    return status


def read(selectors: Sequence[Selector], options: Options) -> Reading:
    """All handshakes of all captures, each read once, and the origin of every session among them.

    An interrupt ends reading, not the report.
    """
    meant = meant_by(options)
    reading = Reading(captures_of(selectors), filters_of(options))
    reading.status = read_each(selectors, options, HANDSHAKES, reading.handshakes.append)
    sessions = Sessions()
    for handshake in sorted(reading.handshakes, key=lambda one: (one.started_ns, one.part)):
        sessions.add(handshake)
    for handshake in reading.handshakes:
        reading.cases[id(handshake)] = Case(handshake=handshake, origin=sessions.origin(handshake), meant=meant)
    return reading


def are_large(names: Sequence[str]) -> bool:
    """Whether the captures are files, and large enough to be read by several processes."""
    try:
        found = [os.stat(name) for name in names]
    except OSError:
        return False  # reading them says why
    octets = sum(each.st_size for each in found)
    return all(stat.S_ISREG(each.st_mode) for each in found) and octets >= LARGE_OCTETS


def secrets_of(keylogs: Sequence[Path]) -> Secrets:
    """The secrets of key logs, each read once, as it may be a pipe."""
    secrets = Secrets()
    for path in keylogs:
        before = secrets.malformed_lines
        secrets.add(path.read_bytes())
        malformed = secrets.malformed_lines - before
        if malformed:
            say(f"{path}: {malformed} malformed {'line' if malformed == 1 else 'lines'}.")
    return secrets


def problems_of(capture: Capture, inspector: Inspector) -> tuple[Problem, ...]:
    """What was wrong with a capture that was read to its end, and what could not be read of it."""
    problems = [Problem(f"{capture.name}: {defect.problem}", capture.damaged) for defect in capture.defects]
    if inspector.unknown_links:
        problems.append(Problem(f"{capture.name}: {not_decoded(inspector.unknown_links)}", damage=False))
    return tuple(problems)


def not_decoded(links: Set[int]) -> str:
    """Says which link types nothing was read of."""
    named = ", ".join(map(str, sorted(links)[:MOST_LINKS])) + (", …" if len(links) > MOST_LINKS else "")
    types = "link type" if len(links) == 1 else "link types"
    return f"Frames of {types} {named} (see www.tcpdump.org/linktypes.html) are not decoded."


def say(message: str) -> None:
    """One line on standard error."""
    print(visible(message), file=sys.stderr)
