"""From a line of a log to the causes that leave such lines.

No two programs write a line alike: times, addresses and numbers differ, one prints the number of an alert, one its
name, one an error code that contains it.  So lines are compared by the words that they share, where rare words
weigh more than common ones, and by the alert and the error that they speak of.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tlsinspect import registry
from tlsinspect.diagnosis.log_lines import DOTNET, TEXTS
from tlsinspect.diagnosis.rule import Cause

MOST_MATCHES = 8
ENOUGH = 0.4  # of what a known line says must stand in the line given
RECALL_COUNTS = 1.5  # times as much as precision: lines of logs are longer than what is known of them
HEAVIER = 2.0  # times as heavy as a word as rare: an alert, an error, a direction
OTHERWISE_SILENT = 0.5  # what is left of the precision of a line that names no alert where the one given does
SSL_LIBRARY_OLD, SSL_LIBRARY, BORINGSSL = 0x14, 0x0A0, 0x10
CERTIFICATE_VERIFY_FAILED = 134  # OpenSSL's; what the check was stands in other words
ALERT_REASONS = range(1000, 1256)  # OpenSSL and BoringSSL: 1000 and the alert

ALERT_NUMBER = re.compile(r"alert(?: number| code is| code)?[ :=(\[]*([0-9]{1,3})\b", re.IGNORECASE)
ERROR_CODE = re.compile(
    r"error:([0-9a-f]{8}):|TLS_error:?\|(?:error:)?([0-9a-fx]{6,10}):|\|([0-9]{8,9}):SSL", re.IGNORECASE
)
REMOTE_ERROR = re.compile(r"(?:remote|local) error: tls: ([A-Za-z ]+)")
DOTNET_ALERT = re.compile(r"TLS alert: '([A-Za-z]+|[0-9]+)'")
NAMES_AN_ALERT = re.compile(r"alert|\b(?:sslv3|tlsv1|tlsv13)\b", re.IGNORECASE)
CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
WORD = re.compile(r"[a-z][a-z0-9']+|[0-9]{5}")
# What only names a place or a time.
ADDRESSES = re.compile(
    r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]+)?|\[[0-9a-f:]*:[0-9a-f:]*\](?::[0-9]+)?"
    r"|[a-z]+://[^\s\"',]+|[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[t ]?[0-9:.]*z?|\b[0-9]{2}:[0-9]{2}:[0-9]{2}[.0-9]*",
    re.IGNORECASE,
)
# Whether the program spoke with a server of its own, or with a client.
DIRECTIONS = {
    "toward:server": re.compile(r"upstream|SSL Proxy|\[remote |\bbackend\b", re.IGNORECASE),
    "toward:client": re.compile(
        r"\[client |handshake error from|tlsClientError|\bremote address:|downstream|while reading client|"
        r"while SSL handshaking(?! to upstream)",
        re.IGNORECASE,
    ),
}
# Words in capitals that stand for what differs from line to line.
PLACEHOLDERS = re.compile(r"\b(?:ADDRESS|NAMES?|TIME|NUMBERS)\b")
NOTHING_SAID = frozenset(
    (
        *("the", "an", "and", "or", "of", "is", "in", "to", "for", "by", "was", "it", "on", "not", "with", "while"),
        *("error", "failed", "ssl", "tls", "routines", "openssl", "internal", "info", "debug", "warn", "crit"),
    )
)


@dataclass(frozen=True, slots=True)
class Match:
    """A cause whose known line is like the one given."""

    score: float  # from 0 to 1
    cause: Cause
    product: str
    text: str  # the known line


@dataclass(frozen=True, slots=True)
class KnownLine:
    """A line that a cause lists, in the form that is compared."""

    cause: Cause
    place: int  # of its alert among those of the cause: the most typical come first; 0 without one
    product: str
    text: str
    marks: frozenset[str]


def matches(line: str, causes: Sequence[Cause], order: Sequence[str] = ()) -> list[Match]:
    """The causes whose known lines are most like the one given, the likest first; one known line for each.

    Where lines are equally like, the ones that are more typical of their cause come first, then those whose codes
    stand first in *order*.
    """
    known, weights = vocabulary(tuple(causes))
    given = marks_of(line)
    best: dict[str, tuple[float, KnownLine]] = {}
    for one in known:
        score = likeness(one.marks, given, weights)
        if score > best.get(one.cause.code, (0.0, one))[0]:
            best[one.cause.code] = (score, one)
    rank = {code: at for at, code in reversed(list(enumerate(order)))}
    ordered = sorted(
        best.values(),
        key=lambda each: (
            -round(each[0], 2),
            each[1].place,
            rank.get(each[1].cause.code, len(rank)),
        ),
    )
    found = [Match(score, one.cause, one.product, one.text) for score, one in ordered if score >= ENOUGH]
    return found[:MOST_MATCHES]


@lru_cache(maxsize=2)
def vocabulary(causes: tuple[Cause, ...]) -> tuple[tuple[KnownLine, ...], dict[str, float]]:
    """All known lines, and how much each of their marks weighs: the rarer the more."""
    lines = tuple(line for cause in causes for line in known_lines(cause))
    different = {one.marks for one in lines}
    counts = Counter(mark for marks in different for mark in marks)
    return lines, {
        mark: math.log(1 + len(different) / count) * (HEAVIER if ":" in mark else 1.0) for mark, count in counts.items()
    }


def known_lines(cause: Cause) -> Iterator[KnownLine]:
    """The lines of one cause."""
    places: dict[frozenset[str], int] = {frozenset(): 0}
    for product, text in cause.log_lines:
        marks = marks_of(PLACEHOLDERS.sub(" ", text))
        place = places.setdefault(alerts_in(marks), len(places) - 1)
        yield KnownLine(cause, place, product, text, marks)


def likeness(known: frozenset[str], given: frozenset[str], weights: dict[str, float]) -> float:
    """From 0 to 1: how much of a known line stands in the one given, and the other way round.

    Lines about different alerts are not alike, whatever words they share.
    """
    ours, theirs = alerts_in(known), alerts_in(given)
    if ours and theirs and not ours & theirs:
        return 0.0
    both = sum(weights[mark] for mark in known & given)
    recall = both / (sum(weights[mark] for mark in known) or 1.0)
    precision = both / (sum(weights.get(mark, 0.0) for mark in given) or 1.0)
    if not both or (len(known & given) == 1 and len(known) > 1):
        return 0.0  # one word in common is chance
    precision *= 1.0 if ours or not theirs else OTHERWISE_SILENT
    return (1 + RECALL_COUNTS) * precision * recall / (RECALL_COUNTS * precision + recall)


def alerts_in(marks: frozenset[str]) -> frozenset[str]:
    """The marks that name an alert."""
    return frozenset(mark for mark in marks if mark.startswith("alert:"))


def marks_of(line: str) -> frozenset[str]:
    """What a line says: its words, the alerts and the OpenSSL errors that it names, and with whom it was spoken."""
    text = ADDRESSES.sub(" ", line)
    reasons = set(error_reasons(text)) - {CERTIFICATE_VERIFY_FAILED}
    errors = {f"reason:{reason}" for reason in reasons if reason not in ALERT_REASONS}
    alerts = {f"alert:{number}" for number in alert_numbers(line)}
    words = WORD.findall(plain(text))
    directions = {mark for mark, says in DIRECTIONS.items() if says.search(line)}
    return frozenset({word for word in words if word not in NOTHING_SAID} | errors | alerts | directions)


def plain(text: str) -> str:
    """A text in small letters and single words, whether it was written_like_this, like-this or LikeThis."""
    return CAMEL_CASE.sub(" ", text).lower().replace("_", " ").replace("-", " ").replace("’", "'")


def error_reasons(text: str) -> Iterator[int]:
    """The reasons in OpenSSL's error codes of version 3 and of 1.1, and in those of BoringSSL that are alerts."""
    for hexadecimal, either, decimal in ERROR_CODE.findall(text):
        digits = hexadecimal or either or decimal
        code = int(digits, 10 if decimal or (either and either.isdigit() and len(either) == 9) else 16)
        if code >> 20 == SSL_LIBRARY:
            yield code & 0x7FFFFF
        elif code >> 24 == SSL_LIBRARY_OLD or (code >> 24 == BORINGSSL and code & 0xFFF in ALERT_REASONS):
            yield code & 0xFFF


def alert_numbers(text: str) -> set[int]:
    """The alerts that a line speaks of, by number, by name or by an error code."""
    numbers = {int(number) for number in ALERT_NUMBER.findall(text)}
    numbers |= {reason - 1000 for reason in error_reasons(text) if reason in ALERT_REASONS}
    for said in REMOTE_ERROR.findall(text):
        numbers |= {code for code, texts in TEXTS.items() if said.strip() == texts[3]}
    for said in DOTNET_ALERT.findall(text):
        numbers |= {int(said)} if said.isdigit() else {code for code, name in DOTNET.items() if name == said}
    if not numbers and NAMES_AN_ALERT.search(text):
        numbers = named(plain(text))
    return {number for number in numbers if number in registry.ALERTS}


def named(text: str) -> set[int]:
    """The alerts whose names, those of IANA or of OpenSSL, stand in a text of single words."""
    return {
        code
        for code in registry.ALERTS
        if registry.ALERTS.name(code).replace("_", " ") in text or (code in TEXTS and TEXTS[code][1] in text)
    }
