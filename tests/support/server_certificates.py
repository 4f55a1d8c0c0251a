"""Server certificates with a fault, and how clients take them."""

from __future__ import annotations

import datetime
from typing import Any

from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.authorities import BEGIN, END, Issued, issue, rsa_key, with_sha1
from tests.support.handshakes import (
    STARTED_NS,
    chain,
    handshake,
    rejected,
    server_hello,
)
from tlsinspect.diagnosis.causes import (
    CAUSES,
    server_cert_chain_incomplete,
    server_cert_expired,
    server_cert_name_mismatch,
    server_cert_not_yet_valid,
    server_cert_revoked,
    server_cert_self_signed,
    server_cert_untrusted,
    server_cert_weak,
)
from tlsinspect.diagnosis.engine import diagnose
from tlsinspect.diagnosis.rule import Case, Cause, Finding, Meant, Severity
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Ending, EndingKind, Handshake, Outcome

DAY = datetime.timedelta(days=1)
NAME = "a.example"
ROOT = issue("Test Root")
ISSUING = issue("Test Issuing CA", ROOT)
LEAF = issue(NAME, ROOT, dns_names=[NAME])
BELOW = issue(NAME, ISSUING, dns_names=[NAME])
EXPIRED = issue(NAME, ROOT, dns_names=[NAME], begin=BEGIN, end=BEGIN + DAY)
FUTURE = issue(NAME, ROOT, dns_names=[NAME], begin=END - DAY, end=END)
OTHER_NAME = issue("b.example", ROOT, dns_names=["b.example"])
SELF_SIGNED = issue(NAME, dns_names=[NAME])
SMALL = issue(NAME, ROOT, dns_names=[NAME], key=rsa_key(1024))
AUTHORITY_RSA = issue("Old Root", key=rsa_key(2048))
SHA1 = with_sha1(issue(NAME, AUTHORITY_RSA, dns_names=[NAME]))
FOR_CLIENTS = issue(NAME, ROOT, dns_names=[NAME], usage=ExtendedKeyUsageOID.CLIENT_AUTH)

EXPIRED_CAUSE = server_cert_expired.CAUSE
NOT_YET = server_cert_not_yet_valid.CAUSE
MISMATCH = server_cert_name_mismatch.CAUSE
SELF = server_cert_self_signed.CAUSE
WEAK = server_cert_weak.CAUSE
REVOKED = server_cert_revoked.CAUSE
INCOMPLETE = server_cert_chain_incomplete.CAUSE
UNTRUSTED = server_cert_untrusted.CAUSE
ALL = (EXPIRED_CAUSE, NOT_YET, MISMATCH, SELF, WEAK, REVOKED, INCOMPLETE, UNTRUSTED)


def case(value: Handshake, *, ca: Issued | None = None, **meant: Any) -> Case:
    return Case(handshake=value, meant=Meant(anchors=None if ca is None else (ca.der,), **meant))


def ders(certificates: tuple[Issued | bytes, ...]) -> tuple[bytes, ...]:
    return tuple(each if isinstance(each, bytes) else each.der for each in certificates)


def refused(alert: int, *certificates: Issued | bytes, **overrides: Any) -> Handshake:
    """The client answers the certificate with an alert."""
    message = chain(*ders(certificates)) if certificates else Missing.HIDDEN
    found = {"server_hello": server_hello(), "server_certificates": message} | overrides
    return rejected(alert, Side.CLIENT, **found)


def accepted(*certificates: Issued | bytes, **overrides: Any) -> Handshake:
    return handshake(server_certificates=chain(*ders(certificates)), **overrides)


def left(*certificates: Issued | bytes) -> Handshake:
    """The client completes the handshake and closes without a request."""
    return accepted(*certificates, ending=Ending(EndingKind.FIN, Side.CLIENT, STARTED_NS + 10**7, frame=9))


def hung_up(*certificates: Issued | bytes) -> Handshake:
    """The client closes in the middle of the handshake, without an alert."""
    ending = Ending(EndingKind.FIN, Side.CLIENT, STARTED_NS + 10**7, frame=9)
    return accepted(*certificates, outcome=Outcome.CLOSED, ending=ending)


def found(cause: Cause, value: Handshake | Case) -> Finding:
    finding = cause.check(value if isinstance(value, Case) else case(value))
    assert finding is not None
    return finding


def severity(cause: Cause, value: Handshake) -> Severity:
    finding = found(cause, value)
    return cause.severity if finding.severity is None else finding.severity


def first_error(value: Handshake | Case) -> str | None:
    diagnosis = diagnose(value if isinstance(value, Case) else case(value), CAUSES)
    return next((each.code for each in diagnosis.findings if each.severity is Severity.ERROR), None)
