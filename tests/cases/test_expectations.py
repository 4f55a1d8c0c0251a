"""The judge of the cases finds what is wrong, in a hand-made answer of the command line."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import cases


def handshake() -> dict[str, Any]:
    return {
        "stream": 1,
        "client_hello": {"server_name": None, "alpn": ["h2", "http/1.1"]},
        "server_hello": {"version": "TLS 1.2"},
        "resumption": {"accepted": "session_ticket", "from": {"capture": "a.pcap", "stream": 0, "certainty": "shown"}},
        "alerts": [{"from": "server", "code": 112}],
        "missing": {"client_hello.server_name": "not sent"},
        "findings": [
            {
                "code": "session-resumed",
                "severity": "info",
                "explanation": "The session was made by CN=alice.",
                "fixes": [{"product": "nginx", "example": "proxy_ssl_session_reuse off;"}],
            },
            {"code": "http-refused", "severity": "error", "explanation": "403", "fixes": []},
        ],
    }


def diff() -> dict[str, Any]:
    return {
        "verdict": "session-resumed: no certificate passed.",
        "differences": [
            {"path": "client_hello.server_name", "meaningful": True},
            {"path": "client_hello.random", "meaningful": False},
        ],
        "findings": handshake()["findings"],
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("server_hello.version", "TLS 1.2"),
        ("client_hello.alpn.1", "http/1.1"),
        ("client_hello.alpn#", 2),
        ("alerts.0.code", 112),
        ("alerts.1.code", None),
        ("server_hello.version.more", None),
        ("nothing.here#", None),
    ],
)
def test_reads_the_value_at_a_path(path: str, value: object) -> None:
    assert value == cases.value_at(handshake(), path)


@pytest.mark.parametrize(
    "expected",
    [
        {"facts": {"server_hello.version": "TLS 1.2", "alerts#": 1}},
        {"missing": {"client_hello.server_name": "not sent"}},
        {"null": ["client_hello.server_name"]},
    ],
)
def test_accepts_the_facts_of_a_handshake(expected: dict[str, Any]) -> None:
    assert cases.wrong_in_handshake(expected, handshake()) == []


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        ({"facts": {"server_hello.version": "TLS 1.3"}}, "server_hello.version is 'TLS 1.2', expected 'TLS 1.3'"),
        ({"null": ["server_hello.version"]}, "server_hello.version is 'TLS 1.2', expected null"),
        (
            {"missing": {"client_hello.server_name": "hidden"}},
            "missing says 'not sent' of client_hello.server_name, expected 'hidden'",
        ),
    ],
)
def test_names_the_fact_that_differs(expected: dict[str, Any], sentence: str) -> None:
    assert cases.wrong_in_handshake(expected, handshake()) == [sentence]


@pytest.mark.parametrize(
    "expected",
    [
        {"first": ["session-resumed-other-name", "session-resumed"], "severity": "info"},
        {"present": ["http-refused"], "absent": ["session-resumed", "client-cert-missing"]},
        {"mentions": ["CN=alice", "proxy_ssl_session_reuse off;"], "resumed_from": 0},
    ],
)
def test_accepts_the_findings_of_a_handshake(expected: dict[str, Any]) -> None:
    assert cases.wrong_in_explanation(expected, handshake()) == []


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        ({"first": ["http-refused"]}, "the first finding is not one of ['http-refused']"),
        ({"first": []}, "findings of severity error, expected none: ['http-refused']"),
        ({"healthy": True}, "findings of severity error, expected none: ['http-refused']"),
        ({"severity": "error"}, "the first finding has not the severity 'error'"),
        ({"present": ["sni-missing"]}, "sni-missing is not there"),
        ({"absent": ["http-refused"]}, "http-refused has severity error"),
        ({"mentions": ["CN=bob"]}, "the first finding does not mention 'CN=bob'"),
    ],
)
def test_names_the_finding_that_differs(expected: dict[str, Any], sentence: str) -> None:
    wrong = cases.wrong_in_explanation(expected, handshake())

    assert wrong[0].startswith(sentence)
    assert wrong[1:] == ["findings: session-resumed (info), http-refused (error)"]


def test_finds_fault_with_a_handshake_without_findings_where_one_is_expected() -> None:
    wrong = cases.wrong_in_findings({"first": ["sni-missing"], "mentions": ["x"]}, [])

    assert wrong[0] == "the first finding is not one of ['sni-missing']"
    assert wrong[-1] == "findings: none"


def test_names_the_stream_that_a_session_should_come_from() -> None:
    wrong = cases.wrong_in_explanation({"resumed_from": 2}, handshake())

    assert len(wrong) == 1
    assert wrong[0].endswith("expected stream 2")


def test_accepts_a_difference_and_its_verdict() -> None:
    expected = {"verdict": ["session-resumed"], "differences": ["client_hello.server_name"]}

    assert cases.wrong_in_difference(expected, diff()) == []


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        ({"verdict": ["sni-missing"]}, "the verdict lacks 'sni-missing'"),
        ({"differences": ["client_hello.random"]}, "client_hello.random is not among the meaningful differences"),
    ],
)
def test_names_the_difference_that_is_not_reported(expected: dict[str, Any], sentence: str) -> None:
    wrong = cases.wrong_in_difference(expected, diff())

    assert len(wrong) == 1
    assert wrong[0].startswith(sentence)


def test_names_unknown_and_lacking_keys_of_a_case() -> None:
    content = {"title": "t", "made_with": "m", "at": "a", "Capture": "c", "explain": [{"stream": 0, "frist": []}]}

    assert cases.wrong_keys(content) == [
        "case: unknown key 'Capture'",
        "case: no key 'capture'",
        "explain: unknown key 'frist'",
    ]
