"""Offers of ClientHellos, ordinary and unusual ones, and how servers refuse them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.handshakes import TLS13, client_hello, rejected
from tlsinspect.diagnosis.causes import (
    CAUSES,
    cipher_no_overlap,
    extension_missing,
    extension_refused,
    group_no_overlap,
    signature_no_overlap,
    version_no_overlap,
)
from tlsinspect.diagnosis.engine import diagnose
from tlsinspect.diagnosis.rule import Case, Cause, Finding
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import ClientHello

VERSION, CIPHER = version_no_overlap.CAUSE, cipher_no_overlap.CAUSE
GROUP, SIGNATURE = group_no_overlap.CAUSE, signature_no_overlap.CAUSE
MISSING, REFUSED = extension_missing.CAUSE, extension_refused.CAUSE
NO_OVERLAP = (VERSION, CIPHER, GROUP, SIGNATURE)
TLS10, TLS11 = 0x0301, 0x0302

# What OpenSSL, Go and others offer when nobody narrows it, in short.
SUITES12 = (0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC009, 0xC013, 0x009C)
SUITES13 = (0x1301, 0x1302, 0x1303)
GROUPS = (0x001D, 0x0017, 0x0018)
SCHEMES = (0x0403, 0x0503, 0x0804, 0x0805, 0x0401, 0x0501)
ECDSA_SCHEMES, RSA_SCHEMES = (0x0403, 0x0503), (0x0804, 0x0805, 0x0401, 0x0501)


def ordinary(**overrides: Any) -> ClientHello:
    found = {
        "cipher_suites": (*SUITES13, *SUITES12),
        "supported_groups": GROUPS,
        "signature_algorithms": SCHEMES,
    } | overrides
    return client_hello(**found)


def ordinary12(**overrides: Any) -> ClientHello:
    return ordinary(**({"supported_versions": None, "cipher_suites": SUITES12} | overrides))


def case(value: Handshake) -> Case:
    return Case(handshake=value)


def refused(hello: ClientHello, alert: int = 40, **overrides: Any) -> Handshake:
    """The server answers the hello with an alert."""
    return rejected(alert, client_hellos=(hello,), **overrides)


def found(cause: Cause, value: Handshake) -> Finding:
    finding = cause.check(case(value))
    assert finding is not None
    return finding


def first(value: Handshake) -> str | None:
    findings = diagnose(case(value), CAUSES).findings
    return findings[0].code if findings else None


def without(hello: ClientHello, *kinds: int) -> ClientHello:
    return replace(hello, extensions=tuple(each for each in hello.extensions if each.type not in kinds))


# What of an offer is unusual, and the cause that it makes likely.
UNUSUAL = [
    pytest.param(ordinary12(legacy_version=TLS11, cipher_suites=(0xC009, 0xC013, 0x002F)), VERSION, id="TLS 1.1"),
    pytest.param(ordinary12(cipher_suites=(0x009E, 0x00FF)), CIPHER, id="one suite"),
    pytest.param(ordinary12(cipher_suites=(0xC009, 0xC013, 0xC00A, 0xC014, 0x002F)), CIPHER, id="CBC alone"),
    pytest.param(ordinary12(cipher_suites=(0x009C, 0x009D, 0x002F, 0x0035)), CIPHER, id="static RSA alone"),
    pytest.param(ordinary12(cipher_suites=(0x009E, 0x009F, 0x0033, 0x0039)), CIPHER, id="DHE alone"),
    pytest.param(ordinary12(cipher_suites=(0xC02B, 0xC02C, 0xCCA9, 0xC009)), CIPHER, id="ECDSA alone"),
    pytest.param(ordinary12(cipher_suites=SUITES13), CIPHER, id="suites of TLS 1.3 without TLS 1.3"),
    pytest.param(ordinary(cipher_suites=(0x1303,), supported_versions=(TLS13,)), CIPHER, id="one suite of TLS 1.3"),
    pytest.param(ordinary(supported_groups=(0x001D,)), GROUP, id="one group"),
    pytest.param(ordinary(supported_groups=(0x001A, 0x001B)), GROUP, id="Brainpool alone"),
    pytest.param(ordinary12(supported_groups=(0x0018,)), GROUP, id="one group in TLS 1.2"),
    pytest.param(ordinary(signature_algorithms=ECDSA_SCHEMES), SIGNATURE, id="ECDSA signatures alone"),
    pytest.param(ordinary12(signature_algorithms=RSA_SCHEMES), SIGNATURE, id="RSA signatures alone"),
    pytest.param(ordinary12(signature_algorithms=(0x0201, 0x0203)), SIGNATURE, id="SHA-1 alone"),
]
