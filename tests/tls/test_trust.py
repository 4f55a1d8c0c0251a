import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.authorities import BEGIN, END, Issued, issue
from tlsinspect.tls.trust import Trust, Verdict, build, read_anchors, system_anchors

NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def pki() -> dict[str, Issued]:
    root = issue("Test Root")
    issuing = issue("Test Issuing CA", root)
    return {
        "root": root,
        "issuing": issuing,
        "leaf": issue("a.example", issuing, dns_names=["a.example"]),
        "namesake": issue("Test Root"),
        "other": issue("Other Root"),
    }


def test_a_whole_chain_leads_to_its_root(pki: dict[str, Issued]) -> None:
    verdict = build([pki["leaf"].der, pki["issuing"].der], [pki["other"].der, pki["root"].der], NOW)

    assert verdict == Verdict(Trust.TRUSTED, "CN=Test Root")


def test_the_order_of_the_chain_above_the_leaf_does_not_matter(pki: dict[str, Issued]) -> None:
    chain = [pki["leaf"].der, pki["root"].der, pki["other"].der, pki["issuing"].der]

    assert build(chain, [pki["root"].der], NOW).trust is Trust.TRUSTED


def test_an_intermediate_among_the_anchors_is_enough(pki: dict[str, Issued]) -> None:
    assert build([pki["leaf"].der], [pki["issuing"].der], NOW) == Verdict(Trust.TRUSTED, "CN=Test Issuing CA")


def test_names_the_issuer_that_was_not_sent(pki: dict[str, Issued]) -> None:
    assert build([pki["leaf"].der], [pki["root"].der], NOW) == Verdict(Trust.ISSUER_MISSING, "CN=Test Issuing CA")


def test_names_the_root_that_is_no_anchor(pki: dict[str, Issued]) -> None:
    chain = [pki["leaf"].der, pki["issuing"].der, pki["root"].der]

    assert build(chain, [pki["other"].der], NOW) == Verdict(Trust.ROOT_UNKNOWN, "CN=Test Root")


def test_an_anchor_of_that_name_with_another_key_is_told_apart(pki: dict[str, Issued]) -> None:
    verdict = build([pki["leaf"].der, pki["issuing"].der], [pki["namesake"].der], NOW)

    assert verdict == Verdict(Trust.ISSUER_MISSING, "CN=Test Root", other_key=True)


def test_a_self_signed_leaf_among_the_anchors_is_trusted(pki: dict[str, Issued]) -> None:
    assert build([pki["other"].der], [pki["other"].der], NOW).trust is Trust.TRUSTED


def test_says_that_the_anchor_itself_expired(pki: dict[str, Issued]) -> None:
    old = issue("Old Root", begin=BEGIN, end=BEGIN + datetime.timedelta(days=1))
    leaf = issue("a.example", old, dns_names=["a.example"])

    assert build([leaf.der], [old.der], NOW) == Verdict(Trust.TRUSTED, "CN=Old Root", outdated=True)


def test_without_anchors_only_the_end_of_the_chain_is_known(pki: dict[str, Issued]) -> None:
    assert build([pki["leaf"].der], [], NOW) == Verdict(Trust.UNKNOWN, "CN=Test Issuing CA")


def test_nothing_can_be_told_of_no_chain(pki: dict[str, Issued]) -> None:
    assert build([], [pki["root"].der], NOW) == Verdict(Trust.UNKNOWN)


def test_certificates_that_issued_each_other_come_to_an_end() -> None:
    one = issue("One")
    two = issue("Two", one)
    crossed = issue("One", two, key=one.key)

    verdict = build([crossed.der, two.der], [issue("Other").der], NOW)

    assert verdict.trust is Trust.ISSUER_MISSING


def test_octets_that_are_no_certificate_lead_nowhere(pki: dict[str, Issued]) -> None:
    assert build([b"\x30\x03\x02\x01\x00"], [pki["root"].der], END).trust is not Trust.TRUSTED


def test_reads_anchors_from_a_pem_file(pki: dict[str, Issued], tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    certificates = (pki["root"].certificate, pki["other"].certificate)
    file.write_bytes(b"# ours\n" + b"".join(each.public_bytes(Encoding.PEM) for each in certificates))

    assert read_anchors(file) == (pki["root"].der, pki["other"].der)


def test_a_file_that_cannot_be_read_has_no_anchors(tmp_path: Path) -> None:
    assert read_anchors(tmp_path / "none.pem") == ()


def test_the_anchors_of_this_machine_are_certificates() -> None:
    assert all(der.startswith(b"\x30") for der in system_anchors())
