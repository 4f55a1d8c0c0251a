"""Code points become names here, at the edge, and nowhere below."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from tlsinspect import registry
from tlsinspect.fields.field import Value
from tlsinspect.model.frame import Missing
from tlsinspect.model.message import KeyShare


def names(table: registry.Registry, codes: Iterable[int]) -> tuple[str, ...]:
    """The names of code points, GREASE left out: it says nothing (RFC 8701)."""
    return _names(table, tuple(codes))


@lru_cache(maxsize=4096)  # clients offer the same lists in every hello
def _names(table: registry.Registry, codes: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(table.name(code) for code in codes if not registry.is_grease(code))


def named(table: registry.Registry) -> Callable[[object], Value]:
    """Turns a code point or a tuple of them into names; passes a Missing on."""

    def present(value: object) -> Value:
        if isinstance(value, Missing):
            return value
        if isinstance(value, tuple):
            return names(table, value)
        return table.name(value) if isinstance(value, int) else Missing.MALFORMED

    return present


def versions(value: object) -> Value:
    """Names of protocol versions, GREASE left out."""
    if isinstance(value, tuple):
        return tuple(registry.version_name(code) for code in value if not registry.is_grease(code))
    return value


def key_share_groups(value: object) -> Value:
    """Names of the groups for which the client sent a share."""
    if isinstance(value, tuple):
        return names(registry.NAMED_GROUPS, (share.group for share in value if isinstance(share, KeyShare)))
    return value
