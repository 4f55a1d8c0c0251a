"""Certificates that break a rule: each is a value or a defect, and the handshake around it stays."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest

from fuzzing.views import rendered
from tests.support import der, hostile
from tests.support.der import certificate, dns, element
from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.diagnosis.engine import diagnose
from tlsinspect.diagnosis.rule import Case
from tlsinspect.inspector import inspect
from tlsinspect.model.frame import Side
from tlsinspect.report.chains import chains
from tlsinspect.report.handshake import handshake_report
from tlsinspect.tls.x509 import decode_certificate, matches_host


def nested(depth: int) -> bytes:
    found = b""
    for _ in range(depth):
        found = element(der.SEQUENCE, found)
    return found


P256 = bytes.fromhex("2a8648ce3d030107")
BASIC_CONSTRAINTS = bytes.fromhex("551d13")
SOUND = certificate(der.alt_names(dns(b"a.example")))
HUGE = (1 << 65_535) + 1

# What is odd, the certificate, and part of a defect; or a field and its value where it is no defect.
DEFECTS: dict[str, tuple[bytes, str]] = {
    "a negative serial number": (certificate(serial=der.integer(-5)), "serial number is not positive"),
    "a serial number of zero": (certificate(serial=der.integer(0)), "serial number is not positive"),
    "a serial number of no octets": (certificate(serial=element(der.INTEGER)), "breaks RFC 5280"),
    "a serial number of 21 octets": (certificate(serial=element(der.INTEGER, b"\1" * 21)), "more than 20 octets"),
    "a serial number of 30,000 octets": (certificate(serial=element(der.INTEGER, b"\1" * 30_000)), "more than 20"),
    "a serial number with zeros in front": (certificate(serial=element(der.INTEGER, bytes(3) + b"\1")), "breaks RFC"),
    "a serial number that is no integer": (certificate(serial=element(der.OCTET_STRING, b"\1")), "breaks RFC 5280"),
    "extensions in version 1": (certificate(der.alt_names(dns(b"a")), version=b""), "the version is not 3"),
    "extensions in version 2": (
        certificate(der.alt_names(dns(b"a")), version=element(der.VERSION, der.integer(1))),
        "the version is not 3",
    ),
    "version 5": (certificate(version=element(der.VERSION, der.integer(4))), "4 is not a valid X509 version"),
    "a month 13": (certificate(dates=der.validity(b"201301000000Z")), "notBefore cannot be read"),
    "a year 0": (certificate(dates=der.validity(b"00000101000000Z", tag=der.GENERALIZED_TIME)), "notBefore cannot"),
    "dates that are words": (certificate(dates=der.validity(b"yesterday", b"tomorrow")), "notAfter cannot be read"),
    "dates of no octets": (certificate(dates=der.validity(b"", b"")), "notBefore cannot be read"),
    "dates of 30,000 digits": (certificate(dates=der.validity(b"9" * 30_000)), "notBefore cannot be read"),
    "a zone that is no number": (certificate(dates=der.validity(b"2001010000+zz")), "notBefore cannot be read"),
    "a date before the first": (
        certificate(dates=der.validity(b"00010101000000+2359", tag=der.GENERALIZED_TIME)),
        "notBefore cannot be read",
    ),
    "no dates": (certificate(dates=element(der.SEQUENCE)), "notBefore cannot be read"),
    "an end before the beginning": (
        certificate(dates=der.validity(b"400101000000Z", b"200101000000Z")),
        "ends before it begins",
    ),
    "an unknown curve": (certificate(key=der.ec_key(b"\x2b\1\2\3", b"\4" + bytes(64))), "public key cannot be used"),
    "a point on no curve": (certificate(key=der.ec_key(P256, b"\4" + b"\1" * 64)), "public key cannot be used"),
    "RSA with exponent 1": (certificate(key=der.rsa_key((1 << 2047) + 1, 1)), "public key cannot be used"),
    "RSA of zero": (certificate(key=der.rsa_key(0, 0)), "public key cannot be used"),
    "RSA that is negative": (certificate(key=der.rsa_key(-(1 << 2047), 65_537)), "public key cannot be used"),
    "a key of no octets": (certificate(key=element(der.SEQUENCE)), "public key algorithm cannot be read"),
    "a key that is nested": (certificate(key=nested(4000)), "public key algorithm cannot be read"),
    "a signature algorithm that is nested": (certificate(signature=nested(4000)), "signature algorithm cannot be read"),
    "an identifier of 100,000 octets": (
        certificate(signature=der.algorithm(b"\x81" * 100_000 + b"\1")),
        "signature algorithm cannot be read",
    ),
    "a subject that is nested": (certificate(subject=nested(4000)), "subject cannot be read"),
    "a subject with an unknown tag": (certificate(subject=der.name(b"abc", tag=0x1F)), "subject cannot be read"),
    "half a letter in the subject": (certificate(subject=der.name(b"abc", tag=der.BMP)), "breaks RFC 5280"),
    "an issuer that is cut": (certificate(issuer=element(der.SEQUENCE, b"\x31\5")), "breaks RFC 5280"),
    "NUL in a name": (certificate(der.alt_names(dns(b"a.example\0.evil.example"))), "no name of a host"),
    "letters that are not ASCII in a name": (
        certificate(der.alt_names(dns("bücher.example".encode()))),
        "no name of a host",
    ),
    "an empty name": (certificate(der.alt_names(dns(b""))), "no name of a host"),
    "no name in subjectAltName": (certificate(der.alt_names()), "subjectAltName holds no name"),
    "subjectAltName twice": (certificate(der.alt_names(dns(b"a")), der.alt_names(dns(b"b"))), "more than once"),
    "an extension that cannot be read": (
        certificate(der.extension(BASIC_CONSTRAINTS, b"\1\2\3")),
        "extension basicConstraints cannot be read",
    ),
    "extensions by the thousand": (
        certificate(*(der.extension(b"\x2b\1" + bytes((at >> 7 | 0x80, at & 0x7F)), b"") for at in range(1000))),
        "more than 256",
    ),
    "an indefinite length": (b"\x30\x80" + SOUND[4:] + b"\0\0", "no whole certificate"),
    "a length of four octets too many": (b"\x30\x84" + bytes(3) + b"\1" + SOUND[4:], "no whole certificate"),
    "octets behind it": (SOUND + bytes(10), "no whole certificate"),
    "no octets": (b"", "no whole certificate"),
    "a tag of two octets": (b"\x3f\x81\1\0", "no whole certificate"),
}
VALUES: dict[str, tuple[bytes, str, object]] = {
    "the year 1": (
        certificate(dates=der.validity(b"00010101000000Z", b"99991231235959Z", tag=der.GENERALIZED_TIME)),
        "not_before",
        "0001-01-01T00:00:00Z",
    ),
    "an internationalised name": (
        certificate(der.alt_names(dns(b"xn--bcher-kva.example"))),
        "subject_alt_names",
        ["xn--bcher-kva.example"],
    ),
    "an address of five octets": (
        certificate(der.alt_names(element(der.IP_ADDRESS, b"12345"))),
        "subject_alt_names",
        ["iPAddress:3132333435"],
    ),
    "a huge key": (certificate(key=der.rsa_key(HUGE, 65_537)), "public_key", "RSA 65536"),
    "a tiny key": (certificate(key=der.rsa_key(187, 3)), "public_key", "RSA 8"),
    "NUL in the subject": (certificate(subject=der.name(b"a\0b")), "subject", "CN=a\\00b"),
    "octets that are no UTF-8": (certificate(subject=der.name(b"\xff")), "subject", "CN=\\\\xff"),
    "no subject": (certificate(subject=element(der.SEQUENCE)), "subject", ""),
    "an empty part of a name": (certificate(subject=element(der.SEQUENCE, element(der.SET))), "subject", ""),
    "a subject of 30,000 letters": (certificate(subject=der.name(b"a" * 30_000)), "subject", "CN=" + "a" * 30_000),
    "half a pair of surrogates": (certificate(subject=der.name(b"\xd8\0", tag=der.BMP)), "subject", "CN=\ufffd"),
}
ODD = {**{name: odd for name, (odd, _) in DEFECTS.items()}, **{name: odd for name, (odd, *_) in VALUES.items()}}


# What older versions of the library that reads keys and names do not object to.
SINCE = {"RSA with exponent 1": 50, "RSA of zero": 50, "half a letter in the subject": 45}
INSTALLED = int(version("cryptography").partition(".")[0])


@pytest.mark.parametrize("name", DEFECTS)
def test_what_is_odd_becomes_a_defect(name: str) -> None:
    if SINCE.get(name, 0) > INSTALLED:
        pytest.skip(f"cryptography {INSTALLED} takes it as it is")
    odd, part = DEFECTS[name]
    defects = decode_certificate(odd).defects

    assert any(part in defect for defect in defects), defects
    assert all(len(defect) < 400 for defect in defects)


def test_a_sound_certificate_has_no_defect() -> None:
    assert decode_certificate(SOUND).defects == ()


def objects_of(odd: bytes) -> dict[str, object]:
    """What JSON says of a handshake with a certificate that the client refuses, once every view was made."""
    hello = hostile.record(22, hostile.client_hello(hostile.server_name(b"a.example")))
    answer = hostile.in_records(hostile.server_hello() + hostile.certificates(odd), 1 << 14)
    sent = [(Side.CLIENT, hello), (Side.SERVER, answer), (Side.CLIENT, hostile.record(21, b"\2\x2a"))]
    (handshake,) = inspect(hostile.connection(sent), name="odd.pcap")
    case = Case(handshake=handshake)
    diagnose(case, CAUSES)
    handshake_report(("odd.pcap",), case)
    report = chains(("odd.pcap",), [case])
    found: dict[str, object] = json.loads(rendered(report, "jsonl"))
    return found


@pytest.mark.parametrize("name", ODD)
def test_the_handshake_stays(name: str) -> None:
    found = objects_of(ODD[name])

    assert found["outcome"] == "rejected"
    (shown,) = found["server_certificates"]  # type: ignore[misc, attr-defined]
    assert shown["defects"] == list(decode_certificate(ODD[name]).defects)


@pytest.mark.parametrize("name", VALUES)
def test_what_is_odd_and_can_be_read_is_a_value(name: str) -> None:
    odd, field, value = VALUES[name]
    (shown,) = objects_of(odd)["server_certificates"]  # type: ignore[misc, attr-defined]

    assert shown[field] == value


def test_a_departure_leaves_no_doubt_about_the_names() -> None:
    without_names = certificate(serial=der.integer(-5))

    assert matches_host(decode_certificate(without_names), "a.example") is False


def test_a_name_with_nul_is_not_that_before_it() -> None:
    odd = certificate(der.alt_names(dns(b"a.example\0.evil.example")))

    assert matches_host(decode_certificate(odd), "a.example") is False
