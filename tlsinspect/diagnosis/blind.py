"""Which causes cannot be assessed, as a handshake does not show what they look at."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TypeVar

from tlsinspect.diagnosis.rule import Cause
from tlsinspect.fields import BY_PATH, UNSEEN, Field, Value
from tlsinspect.fields.basis import Basis
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake

K = TypeVar("K")
V = TypeVar("V")

MOST_KEPT = 1024  # values of one basis, and sets of fields

Unassessed = tuple[tuple[Cause, tuple[str, ...]], ...]  # causes, and the fields of each that are not seen


class Blindness:
    """Tells for one sequence of causes which of them a handshake cannot answer.

    Owns, for values of bases (fields.basis) that came lately, the fields that are not seen, and the causes for the sets
    of such fields; each is freed as a whole when it holds MOST_KEPT.
    """

    def __init__(self, causes: Sequence[Cause]) -> None:
        self.causes = causes
        self._own: list[Field] = []
        self._groups: dict[Basis, tuple[list[Field], dict[Hashable, frozenset[str]]]] = {}
        self._unassessed: dict[tuple[frozenset[str], ...], Unassessed] = {}
        for path in dict.fromkeys(path for cause in causes for path in cause.looks_at):
            field = BY_PATH[path]
            if field.basis is None:
                self._own.append(field)
            else:
                self._groups.setdefault(field.basis, ([], {}))[0].append(field)

    def unassessed(self, *handshakes: Handshake) -> Unassessed:
        """The causes that look at something which one of the handshakes does not show, in their order."""
        parts = tuple([part for handshake in handshakes for part in self._unseen(handshake)])
        found = self._unassessed.get(parts)
        if found is None:
            paths: frozenset[str] = frozenset().union(*parts)
            pairs = [(cause, tuple(path for path in cause.looks_at if path in paths)) for cause in self.causes]
            found = tuple((cause, hidden) for cause, hidden in pairs if hidden)
            keep(self._unassessed, parts, found)
        return found

    def _unseen(self, handshake: Handshake) -> Iterator[frozenset[str]]:
        """The fields that a handshake does not show, those of each basis by themselves."""
        yield unseen(self._own, handshake)
        for basis, (fields, kept) in self._groups.items():
            key = basis(handshake)
            part = kept.get(key)
            if part is None:
                part = unseen(fields, handshake)
                if key is not None:
                    keep(kept, key, part)
            yield part


def keep(kept: dict[K, V], key: K, value: V) -> None:
    """Keeps a value, and nothing else where there was too much."""
    if len(kept) >= MOST_KEPT:
        kept.clear()
    kept[key] = value


def unseen(fields: Sequence[Field], handshake: Handshake) -> frozenset[str]:
    """The paths of those fields that have a value which is not known."""
    return frozenset([field.path for field in fields if is_unseen(field.read(handshake))])


def is_unseen(value: Value) -> bool:
    """Whether there may be a value that is not known."""
    return isinstance(value, Missing) and value in UNSEEN
