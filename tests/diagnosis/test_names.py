"""Which names a certificate is good for, and which certificates are defaults."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.handshakes import certificate_der
from tlsinspect.diagnosis.names import covers, looks_default, made_up, names_text, same_name
from tlsinspect.model.message import Certificate
from tlsinspect.tls.x509 import decode_certificate


def certificate(common_name: str, *dns_names: str, addresses: tuple[str, ...] = ()) -> Certificate:
    """A certificate for these names."""
    return replace(decode_certificate(certificate_der(common_name, *dns_names)), ip_addresses=addresses)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("a.example",), "a.example"),
        (("a.example",), "A.Example."),
        (("*.a.example",), "www.a.example"),
        (("b.example", "a.example"), "a.example"),
        ((), "common.example"),
    ],
)
def test_covers(names: tuple[str, ...], wanted: str) -> None:
    assert covers(certificate("common.example", *names), wanted)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("a.example",), "common.example"),
        (("*.a.example",), "a.example"),
        (("*.a.example",), "x.www.a.example"),
        (("w*.a.example",), "www.a.example"),
        (("a.example",), "aa.example"),
        (("a.example",), "10.0.0.2"),
    ],
)
def test_does_not_cover(names: tuple[str, ...], wanted: str) -> None:
    assert not covers(certificate("common.example", *names), wanted)


@pytest.mark.parametrize("wanted", ["10.0.0.2", "2001:db8:0::1", "[2001:db8::1]"])
def test_covers_an_address_in_any_spelling(wanted: str) -> None:
    assert covers(certificate("x", "a.example", addresses=("10.0.0.2", "2001:db8::1")), wanted)


@pytest.mark.parametrize(
    "found",
    [
        certificate("Kubernetes Ingress Controller Fake Certificate", "ingress.local"),
        certificate("TRAEFIK DEFAULT CERT", "3a0bd1b6.2c1a7b59.traefik.default"),
        certificate("default.invalid"),
        certificate("buildd-snakeoil"),
    ],
)
def test_a_name_that_nobody_asks_for_is_made_up(found: Certificate) -> None:
    assert made_up(found)
    assert looks_default(found)


@pytest.mark.parametrize("found", [certificate("localhost"), certificate("x", "localhost", "localhost.localdomain")])
def test_a_certificate_for_this_machine_alone_looks_default_and_is_not_made_up(found: Certificate) -> None:
    assert looks_default(found)
    assert not made_up(found)


@pytest.mark.parametrize("found", [certificate("a.example"), certificate("x", "a.example", "localhost")])
def test_a_certificate_for_a_host_is_no_default(found: Certificate) -> None:
    assert not looks_default(found)


def test_names_the_first_three_and_counts_the_others() -> None:
    assert names_text(certificate("x", "a", "b", "c", "d", "e")) == "'a', 'b', 'c' and 2 more"


def test_case_and_a_trailing_dot_make_no_other_name() -> None:
    assert same_name("A.example.", "a.example")
