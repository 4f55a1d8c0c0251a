import datetime
import ipaddress
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from tlsinspect.capture.file import open_capture
from tlsinspect.inspector import inspect
from tlsinspect.model.message import CertificateMessage
from tlsinspect.tls.x509 import decode_certificate, matches_host, name_text

CORPORA = Path(__file__).resolve().parents[2] / ".." / "shared" / "corpora"
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP384R1())
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
END = datetime.datetime(2051, 1, 1, tzinfo=datetime.UTC)  # a UTCTime and a GeneralizedTime
NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Müller, Söhne + Co; #1"),
        x509.NameAttribute(NameOID.COMMON_NAME, "shop.example"),
    ]
)
SAN = x509.SubjectAlternativeName(
    [
        x509.DNSName("shop.example"),
        x509.DNSName("*.shop.example"),
        x509.IPAddress(ipaddress.ip_address("192.0.2.7")),
        x509.IPAddress(ipaddress.ip_address("2001:db8::7")),
        x509.RFC822Name("me@shop.example"),
        x509.UniformResourceIdentifier("spiffe://shop/web"),
        x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dir")])),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
    ]
)


def _certificate(*, subject=NAME, issuer=NAME, key=KEY, signer=KEY, extensions=(), algorithm=None, pss=None):
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(0x1AB)
        .not_valid_before(START)
        .not_valid_after(END)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    hash_ = None if isinstance(signer, ed25519.Ed25519PrivateKey) else algorithm or hashes.SHA256()
    return builder.sign(signer, hash_, rsa_padding=pss).public_bytes(serialization.Encoding.DER)


def _spoiled(der, old, new):
    """The certificate with octets replaced by as many others."""
    assert (der.count(old), len(old)) == (1, len(new))

    return der.replace(old, new)


def test_reads_names_serial_number_and_validity():
    certificate = decode_certificate(_certificate())

    assert certificate.subject == NAME.rfc4514_string()
    assert certificate.subject_der == NAME.public_bytes()
    assert certificate.subject_common_name == "shop.example"
    assert certificate.serial_number == "1ab"
    assert (certificate.not_before, certificate.not_after) == (START, END)
    assert certificate.defects == ()


def test_reads_alternative_names_in_order():
    certificate = decode_certificate(_certificate(extensions=[SAN]))

    assert certificate.dns_names == ("shop.example", "*.shop.example")
    assert certificate.ip_addresses == ("192.0.2.7", "2001:db8::7")
    assert certificate.subject_alt_names == (
        "shop.example",
        "*.shop.example",
        "192.0.2.7",
        "2001:db8::7",
        "me@shop.example",
        "spiffe://shop/web",
        "directoryName:CN=dir",
        "registeredID:1.2.3",
    )


def test_reads_what_the_key_is_for():
    usage = x509.KeyUsage(True, False, False, False, True, False, False, False, True)
    extended = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, x509.ObjectIdentifier("1.2.3")])
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    certificate = decode_certificate(_certificate(extensions=[usage, extended, constraints]))

    assert certificate.key_usage == ("digitalSignature", "keyAgreement", "decipherOnly")
    assert certificate.extended_key_usage == ("clientAuth", "1.2.3")
    assert certificate.is_ca is True


def test_absent_extensions_are_none():
    certificate = decode_certificate(_certificate())

    assert (certificate.is_ca, certificate.key_usage, certificate.extended_key_usage) == (None, None, None)


def test_reads_key_identifiers():
    subject = x509.SubjectKeyIdentifier(b"\x01\x02")
    authority = x509.AuthorityKeyIdentifier(b"\x03\x04", None, None)
    certificate = decode_certificate(_certificate(extensions=[subject, authority]))

    assert (certificate.subject_key_identifier, certificate.authority_key_identifier) == ("0102", "0304")


@pytest.mark.parametrize(
    ("key", "text", "kind", "bits", "signature", "hash_"),
    [
        (KEY, "ECDSA P-256", "ECDSA", 256, "ecdsa-with-SHA256", "sha256"),
        (rsa.generate_private_key(65537, 2048), "RSA 2048", "RSA", 2048, "sha256WithRSAEncryption", "sha256"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519", "Ed25519", None, "Ed25519", None),
        (ec.generate_private_key(ec.SECP256K1()), "ECDSA secp256k1", "ECDSA", 256, "ecdsa-with-SHA256", "sha256"),
    ],
)
def test_names_key_and_signature(key, text, kind, bits, signature, hash_):
    certificate = decode_certificate(_certificate(key=key, signer=key))

    assert (certificate.public_key, certificate.public_key_type, certificate.public_key_bits) == (text, kind, bits)
    assert (certificate.signature_algorithm, certificate.signature_hash) == (signature, hash_)
    assert certificate.self_signed


def test_finds_the_hash_of_a_pss_signature_in_its_parameters():
    key = rsa.generate_private_key(65537, 2048)
    pss = padding.PSS(padding.MGF1(hashes.SHA384()), padding.PSS.DIGEST_LENGTH)
    certificate = decode_certificate(_certificate(key=key, signer=key, algorithm=hashes.SHA384(), pss=pss))

    assert (certificate.signature_algorithm, certificate.signature_hash) == ("RSASSA-PSS", "sha384")


def test_self_issued_by_another_key_is_not_self_signed():
    certificate = decode_certificate(_certificate(key=KEY, signer=OTHER_KEY))

    assert (certificate.self_issued, certificate.self_signed) == (True, False)


def test_keeps_the_names_of_a_certificate_whose_key_nobody_knows():
    der = _spoiled(_certificate(extensions=[SAN]), bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030177"))
    certificate = decode_certificate(der)

    assert certificate.dns_names == ("shop.example", "*.shop.example")
    assert (certificate.public_key, certificate.public_key_bits) == ("ECDSA", None)
    assert [text for text in certificate.defects if text.startswith("The public key cannot be used")]


def test_reads_other_extensions_beside_a_broken_one():
    der = _certificate(extensions=[SAN, x509.SubjectKeyIdentifier(b"\x01\x02")])
    certificate = decode_certificate(_spoiled(der, b"\x04\x04\x04\x02\x01\x02", b"\x04\x04\x05\x02\x01\x02"))

    assert certificate.dns_names == ("shop.example", "*.shop.example")
    assert certificate.defects == (
        "The extension subjectKeyIdentifier cannot be read: KeyIdentifier has tag 0x05, 0x04 is expected at octet 0.",
    )


def test_reports_an_impossible_date():
    certificate = decode_certificate(_spoiled(_certificate(), b"260101000000Z", b"261301000000Z"))

    assert (certificate.not_before, certificate.not_after) == (None, END)
    assert any(text.startswith("notBefore cannot be read") for text in certificate.defects)


def test_reads_a_negative_serial_number():
    certificate = decode_certificate(_spoiled(_certificate(), b"\x02\x02\x01\xab", b"\x02\x02\xff\x01"))

    assert certificate.serial_number == "-ff"


def test_octets_that_are_no_certificate_have_a_defect():
    certificate = decode_certificate(b"GET / HTTP/1.1")

    assert (certificate.subject, certificate.not_after, certificate.public_key) == ("", None, "")
    assert certificate.defects


def test_a_cut_certificate_keeps_what_came():
    der = _certificate()
    certificate = decode_certificate(der[:20])

    assert certificate.subject == ""
    assert certificate.defects[0].startswith("The octets are no whole certificate")


@given(st.integers(0, 600), st.binary(min_size=1, max_size=3))
def test_any_spoiled_certificate_is_decoded_as_far_as_possible(at, octets):
    der = _SPOILABLE[:at] + octets + _SPOILABLE[at + len(octets) :]

    assert decode_certificate(der).der == der


_SPOILABLE = _certificate(extensions=[SAN])


@given(st.binary(max_size=60))
def test_any_octets_have_a_name_text(octets):
    assert isinstance(name_text(octets), str)


def test_name_text_prints_the_last_rdn_first():
    assert name_text(NAME.public_bytes()) == r"CN=shop.example,O=Müller\, Söhne \+ Co\; #1,C=DE"


def test_name_text_of_octets_that_are_no_name_is_hexadecimal():
    assert name_text(b"\x31\x00") == "#3100"


def test_name_text_knows_email_addresses_by_name():
    name = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, "ca@a.example")])

    assert name_text(name.public_bytes()) == "emailAddress=ca@a.example"


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("shop.example", True),
        ("SHOP.example.", True),
        ("www.shop.example", True),
        ("xn--4ca.shop.example", True),
        ("a.www.shop.example", False),
        (".shop.example", False),
        ("other.example", False),
        ("", False),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("[2001:db8:0::7]", True),
    ],
)
def test_matches_hosts_as_rfc_9525_says(host, answer):
    assert matches_host(decode_certificate(_certificate(extensions=[SAN])), host) is answer


@pytest.mark.parametrize("pattern", ["w*.shop.example", "www.*.example", "*"])
def test_a_wildcard_counts_only_as_the_whole_first_label(pattern):
    der = _certificate(extensions=[x509.SubjectAlternativeName([x509.DNSName(pattern)])])

    assert matches_host(decode_certificate(der), "www.shop.example") is False


def test_a_common_name_alone_is_for_nobody():
    assert matches_host(decode_certificate(_certificate()), "shop.example") is False


def test_cannot_say_whom_an_unreadable_certificate_is_for():
    assert matches_host(decode_certificate(b"\x30\x03\x02\x01"), "shop.example") is None


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the public captures are not beside the repository")
@pytest.mark.parametrize(
    "capture",
    ["zeek__tls1_1.pcap", "zeek__ecdsa-cert.pcap", "OISF__tls-pre-1970__input.pcap", "OISF__tls-client-auth.pcap"],
)
def test_certificates_of_captures_agree_with_tshark(capture):
    lines = (CORPORA / "expected" / f"{capture}.tshark.json").read_text("utf-8").splitlines()
    expected = {
        (facts["sha256"], facts["serial"].lstrip("0"))
        for line in lines
        for message in json.loads(line).get("certificate_messages", ())
        for facts in message["certs"]
    }
    found = set()
    with open_capture(CORPORA / capture) as frames:
        for handshake in inspect(frames):
            for message in (handshake.server_certificates, handshake.client_certificates):
                if isinstance(message, CertificateMessage):
                    certificates = [decode_certificate(entry.der) for entry in message.entries]
                    found |= {(certificate.sha256, certificate.serial_number) for certificate in certificates}

    assert expected != set()
    assert found == expected


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the public captures are not beside the repository")
def test_reads_the_names_of_a_certificate_that_encodes_the_default_of_ca():
    # GoDaddy, 2010: "cA FALSE" written out, for which a strict library refuses all extensions.
    with open_capture(CORPORA / "zeek__missing-intermediate.pcap") as frames:
        handshake = next(iter(inspect(frames)))
    certificate = decode_certificate(handshake.server_certificates.entries[0].der)

    assert (certificate.dns_names, certificate.is_ca) == (("www.cviis.org", "cviis.org"), False)
