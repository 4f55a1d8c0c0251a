"""Hellos of real programs fit their own software, and no other."""

import json
from pathlib import Path

import pytest

from tlsinspect.capture.file import open_capture
from tlsinspect.diagnosis.stacks import client_stack
from tlsinspect.inspector import inspect

CASEBOOK = Path(__file__).resolve().parents[3] / "shared" / "casebook"
PRODUCTS = {
    "Chromium": {"browser"},
    "curl_cffi": {"browser"},
    "Go": {"Go"},
    "Java": {"Java"},
    "NSS": {"NSS"},
    "gnutls-cli": {"GnuTLS"},
    "wget": {"GnuTLS"},
    "Python requests": {"Python"},
    "curl": {"curl"},
    "nginx": {"nginx", "OpenSSL"},
    "openssl": {"nginx", "OpenSSL"},
    "psql": {"nginx", "OpenSSL"},
    "Node": {"Node"},
}


def cases() -> list[dict[str, object]]:
    path = CASEBOOK / "cases.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    found = [json.loads(line) for line in lines]
    return [case for case in found if case["kind"] != "diff" and program_of(case) is not None]


def program_of(case: dict[str, object]) -> str | None:
    return next((name for name in PRODUCTS if str(case["client"]).startswith(name)), None)


@pytest.mark.skipif(not CASEBOOK.is_dir(), reason="the shared casebook is not beside the repository")
@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_a_hello_fits_the_software_that_sent_it(case: dict[str, object]) -> None:
    with open_capture(CASEBOOK / case["files"][0]) as capture:  # type: ignore[index]
        handshakes = {handshake.stream: handshake for handshake in inspect(capture)}
    handshake = handshakes.get(case["stream"])  # type: ignore[call-overload]
    if handshake is None or not handshake.client_hellos or handshake.client_hellos[0].defect:
        pytest.skip("there is no whole hello in this case")

    stack = client_stack(handshake.client_hellos[0])

    assert stack is not None
    assert stack.products[0] in PRODUCTS[program_of(case)]  # type: ignore[index]
