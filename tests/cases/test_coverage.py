"""Every cause has captures where it is found, where it is not, and a pair that it tells apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from tests.support import cases
from tests.support.cases import Expected
from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.diagnosis.rule import Cause

CASES = cases.all_cases()

# One handshake alone does not show these: their check finds nothing, and the pair is the case.
ONLY_IN_A_PAIR = {
    "alpn-different",
    "cipher-different",
    "client-cert-different",
    "fingerprint-different",
    "version-different",
}
# Causes that one version alone can show, or that have no one version, and why.
NO_HELLO = "no hello is sent"
TLS13_ALONE = {
    "decryption-keys-missing": "TLS 1.2 hides no certificate",
    "ech-retry": "Encrypted ClientHello is of TLS 1.3",
    "extension-missing": "the alert missing_extension is of TLS 1.3",
    "hello-retry": "HelloRetryRequest is of TLS 1.3",
}
TLS12_ALONE = {
    "fallback-detected": "from TLS 1.3 nobody fell back",
    "renegotiation-legacy": "TLS 1.3 has no renegotiation",
}
NO_VERSION = {
    "hello-split-dropped": "the server never saw what the client offers",
    "not-tls-client": NO_HELLO,
    "starttls-refused": NO_HELLO,
    "tcp-no-answer": NO_HELLO,
    "tcp-refused": NO_HELLO,
    "version-different": "it is about two versions",
}


def named(expected: Expected) -> set[str]:
    """Every code that an expectation speaks of."""
    return {code for key in ("first", "present", "absent") for code in expected.get(key, ())}


def found(expected: Expected) -> set[str]:
    """The codes that an expectation demands."""
    accepted = expected.get("first") or ()
    return {*(accepted if len(accepted) == 1 else ()), *expected.get("present", ())}


def tables(kind: str) -> Iterator[tuple[str, Expected]]:
    return ((name, table) for case in CASES for name, table in case.expectations(kind))


def every_cause(besides: Iterable[str] = ()) -> list[object]:
    return [pytest.param(cause, id=cause.code) for cause in CAUSES if cause.code not in besides]


def names_where_it_is_found(code: str) -> list[str]:
    """The cases where a cause is found, by handshake or, where one alone does not show it, by pair."""
    kind = "diff" if code in ONLY_IN_A_PAIR else "explain"
    return [name for name, table in tables(kind) if code in found(table)]


def test_cases_speak_of_causes_that_exist() -> None:
    codes = {cause.code for cause in CAUSES}

    assert [
        (name, code)
        for kind in ("explain", "diff")
        for name, table in tables(kind)
        for code in sorted(named(table) - codes)
    ] == []


@pytest.mark.parametrize("cause", every_cause())
def test_cause_is_found_in_a_capture(cause: Cause) -> None:
    assert names_where_it_is_found(cause.code)


@pytest.mark.parametrize("cause", every_cause())
def test_cause_is_not_found_in_a_near_miss(cause: Cause) -> None:
    assert [name for name, table in tables("explain") if cause.code in table.get("absent", ())]


@pytest.mark.parametrize("cause", every_cause([cause.code for cause in CAUSES if cause.compare is None]))
def test_cause_tells_a_pair_apart(cause: Cause) -> None:
    assert [name for name, table in tables("diff") if cause.code in found(table)]


@pytest.mark.parametrize("cause", every_cause({*TLS13_ALONE, *NO_VERSION}))
def test_cause_is_found_with_tls12(cause: Cause) -> None:
    assert [name for name in names_where_it_is_found(cause.code) if "tls12" in name]


@pytest.mark.parametrize("cause", every_cause({*TLS12_ALONE, *NO_VERSION}))
def test_cause_is_found_with_tls13(cause: Cause) -> None:
    assert [name for name in names_where_it_is_found(cause.code) if "tls13" in name]


def test_exceptions_are_causes_that_exist() -> None:
    exceptions = {*TLS13_ALONE, *TLS12_ALONE, *NO_VERSION, *ONLY_IN_A_PAIR}

    assert exceptions - {cause.code for cause in CAUSES} == set()
