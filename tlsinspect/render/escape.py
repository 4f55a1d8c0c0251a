"""Characters from the wire that must not reach a screen or a page as they are."""

from __future__ import annotations

import unicodedata

# Controls; format characters (bidirectional controls, zero-width ones, tags); surrogates; unassigned; line and
# paragraph separators.  Private use stays: it is visible as a box and does nothing.
UNSAFE = frozenset(("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"))


def visible(text: str, *, keep: str = "") -> str:
    r"""The text with every character that is not visible spelled out, such as \x1b or \u202e; but those of *keep*."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        spelled(character) if unicodedata.category(character) in UNSAFE and character not in keep else character
        for character in text
    )


def spelled(character: str) -> str:
    r"""A character as an escape of Python, the shortest: \n, \x1b, \u202e, \U000e0041."""
    return character.encode("unicode_escape").decode("ascii")
