"""Real lines of logs lead to the pages of their causes.

The lines of data/log_lines.tsv are of the programs that they name: proxies and servers that were sent each alert
and shown each kind of faulty certificate, and those of users in issue threads, with other names and addresses.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.report.log_search import alert_numbers, error_reasons, marks_of, matches
from tlsinspect.report.runbook import DECISIONS, LIKELIEST_FIRST, log_report

TABLE = Path(__file__).parent / "data" / "log_lines.tsv"


def lines() -> list[object]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        pytest.param(row["line"], row["causes"].split(","), int(row["place"]), id=f"{at}-{row['product']}")
        for at, row in enumerate(rows, start=2)
    ]


def found(line: str) -> list[str]:
    return [each.cause.code for each in matches(line, CAUSES, LIKELIEST_FIRST)]


@pytest.mark.parametrize(("line", "causes", "place"), lines())
def test_a_line_leads_to_its_cause(line: str, causes: list[str], place: int) -> None:
    assert set(causes) & set(found(line)[:place])


@pytest.mark.parametrize(
    "line",
    [
        '10.0.0.1 - - [23/Nov/2026:09:00:00 +0000] "GET /index.html HTTP/1.1" 200 4523 "-" "Mozilla/5.0"',
        "systemd[1]: Started nginx.service - A high performance web server and a reverse proxy server.",
        "",
    ],
)
def test_a_line_of_something_else_leads_nowhere(line: str) -> None:
    assert found(line) == []


@pytest.mark.parametrize(
    "line",
    [
        "error:0A000412:SSL routines::sslv3 alert bad certificate",
        "error:14094412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate",
        "TLS_error:|268436498:SSL_routines:OPENSSL_internal:SSLV3_ALERT_BAD_CERTIFICATE:TLS_error_end",
        "[SSL: SSLV3_ALERT_BAD_CERTIFICATE] sslv3 alert bad certificate (_ssl.c:1006)",
        "remote error: tls: bad certificate",
        "Received fatal alert: bad_certificate",
        "*** Received alert [42]: Certificate is bad",
        "SSL alert number 42",
        "Authentication failed because the remote party sent a TLS alert: 'BadCertificate'.",
        "The TLS protocol defined fatal alert code is 42.",
    ],
)
def test_every_spelling_of_an_alert_is_its_number(line: str) -> None:
    assert {42} == alert_numbers(line)


def test_both_forms_of_an_openssl_error_are_one_reason() -> None:
    old = list(error_reasons("error:1417A0C1:SSL routines:tls_post_process_client_hello:no shared cipher"))
    new = list(error_reasons("error:0A0000C1:SSL routines::no shared cipher"))

    assert [0xC1] == old == new


def test_a_handshake_failure_of_haproxy_is_no_alert() -> None:
    assert set() == alert_numbers("f/1: SSL handshake failure")


def test_times_and_addresses_say_nothing() -> None:
    assert marks_of("upstream timed out") == marks_of("2026/11/23 09:00:00 [::1]:443 10.0.0.1:443 upstream timed out")


def test_another_alert_is_another_line() -> None:
    assert "client-cert-missing" not in found("tlsv1 unrecognized name:SSL alert number 112")


def test_says_when_a_line_does_not_tell_causes_apart() -> None:
    blocks = log_report("remote error: tls: handshake failure", CAUSES).blocks

    assert "More than one cause" in str(blocks[-1])


def test_every_cause_stands_on_a_way_from_a_symptom() -> None:
    assert {cause.code for cause in CAUSES} == {code for *_, codes in DECISIONS for code in codes}
