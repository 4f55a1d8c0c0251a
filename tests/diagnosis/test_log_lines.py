"""What programs log about alerts."""

from __future__ import annotations

import pytest

from tlsinspect import registry
from tlsinspect.diagnosis.log_lines import TEXTS, alert_lines, late_alert_lines


def test_writes_the_line_of_nginx_as_nginx_does() -> None:
    assert (
        "nginx",
        "SSL_do_handshake() failed (SSL: error:0A000458:SSL routines::tlsv1 unrecognized name:SSL alert number 112) "
        "while SSL handshaking to upstream",
    ) in alert_lines(112)


def test_writes_the_late_line_of_nginx_as_nginx_does() -> None:
    assert (
        "nginx",
        "SSL_read() failed (SSL: error:0A00045C:SSL routines::tlsv13 alert certificate required:SSL alert number 116) "
        "while reading response header from upstream",
    ) in late_alert_lines(116)


@pytest.mark.parametrize("number", TEXTS)
def test_knows_every_alert_by_its_number_in_the_list_of_iana(number: int) -> None:
    reason = int(TEXTS[number][0].removeprefix("0A"), 16)

    assert number in registry.ALERTS
    assert reason == 1000 + number  # OpenSSL's SSL_R_..._ALERT_... are 1000 and the alert


def test_python_has_no_name_for_the_reason_of_no_application_protocol() -> None:
    assert ("Python", "[SSL] tlsv1 alert no application protocol") in alert_lines(120)
