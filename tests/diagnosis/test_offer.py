"""What is unusual about an offer."""

from __future__ import annotations

import pytest

from tests.support.handshakes import client_hello
from tlsinspect.diagnosis.offer import highest_version, narrow_offer
from tlsinspect.model.message import ClientHello

SCHEMES = (0x0403, 0x0804, 0x0401)
TLS13_SUITES = (0x1301, 0x1302, 0x1303)
ECDSA_AND_RSA = (0xC02B, 0xC02C, 0xCCA9, 0xC02F, 0xC030, 0xCCA8)  # what rustls offers for TLS 1.2
ECDSA = (0xC02B, 0xC02C, 0xCCA9, 0xC009, 0xC00A, 0xC023)
STATIC_RSA = (0x009C, 0x009D, 0x002F, 0x0035, 0x003C, 0x003D)


def hello(suites: tuple[int, ...], *versions: int, groups: tuple[int, ...] = (0x1D, 0x17)) -> ClientHello:
    """A hello with these cipher suites; without versions one of TLS 1.2."""
    return client_hello(
        cipher_suites=suites,
        supported_versions=versions or None,
        supported_groups=groups,
        signature_algorithms=SCHEMES,
    )


@pytest.mark.parametrize(
    "offer",
    [
        pytest.param(hello(TLS13_SUITES, 0x0304), id="TLS 1.3 alone"),
        pytest.param(hello((*TLS13_SUITES, *ECDSA_AND_RSA, 0x00FF), 0x0304, 0x0303), id="rustls"),
        pytest.param(hello(ECDSA_AND_RSA), id="TLS 1.2 alone"),
        pytest.param(
            hello((0x1A1A, *TLS13_SUITES, *ECDSA), 0x0A0A, 0x0304, 0x0303), id="one authentication and TLS 1.3"
        ),
    ],
)
def test_finds_nothing_narrow(offer: ClientHello) -> None:
    assert narrow_offer(offer) == ()


@pytest.mark.parametrize(
    ("offer", "text"),
    [
        (hello((0x1301,), 0x0304), "few cipher suites (TLS_AES_128_GCM_SHA256)"),
        (hello((0xC02B, 0x00FF)), "few cipher suites"),
        (hello((*TLS13_SUITES, 0xC02B), 0x0304, 0x0303), "few cipher suites"),
        (hello(ECDSA), "needs ECDSA authentication"),
        (hello(STATIC_RSA), "static RSA key exchange"),
        (hello(ECDSA_AND_RSA, 0x0302, 0x0301), "nothing above TLS 1.1"),
        (hello(ECDSA_AND_RSA, groups=(0x0A0A, 0x1E)), "one group (x448)"),
    ],
)
def test_names_what_is_narrow(offer: ClientHello, text: str) -> None:
    (said,) = narrow_offer(offer)

    assert text in said


def test_grease_is_no_version() -> None:
    assert highest_version(hello(TLS13_SUITES, 0xFAFA, 0x0303)) == 0x0303
