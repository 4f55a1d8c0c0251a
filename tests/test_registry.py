import hashlib
import tomllib
from importlib import resources

import pytest

from tlsinspect import registry
from tlsinspect.registry import (
    ALERTS,
    CIPHER_SUITES,
    EXTENSION_TYPES,
    NAMED_GROUPS,
    SIGNATURE_SCHEMES,
    cipher_suite,
    is_grease,
    version_name,
)

FOLDER = resources.files("tlsinspect") / "registries"
REGISTRIES = {
    "cipher suites": CIPHER_SUITES,
    "extension types": EXTENSION_TYPES,
    "named groups": NAMED_GROUPS,
    "signature schemes": SIGNATURE_SCHEMES,
    "alerts": ALERTS,
}


def test_source_names_every_list_with_its_sum():
    source = tomllib.loads((FOLDER / "SOURCE.toml").read_text("utf-8"))
    expected = source["iana"]["sha256"] | source["unregistered"]["sha256"]

    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in FOLDER.iterdir()
        if file.name.endswith(".csv")
    }

    assert found == expected


@pytest.mark.parametrize("registry_", REGISTRIES.values(), ids=REGISTRIES.keys())
def test_every_name_leads_back_to_its_code(registry_):
    assert [registry_.code(registry_.name(code)) for code in registry_] == list(registry_)


def test_iana_wins_over_the_unregistered_list():
    rows = (FOLDER / "unregistered_extension_types.csv").read_text("utf-8").splitlines()[1:]
    iana = registry.Registry("extension_types.csv")

    assert [row for row in rows if int(row.split(",")[0], 0) in iana] == []


def test_names_what_iana_lists():
    assert CIPHER_SUITES.name(0x1301) == "TLS_AES_128_GCM_SHA256"
    assert EXTENSION_TYPES.name(16) == "application_layer_protocol_negotiation"
    assert NAMED_GROUPS.name(4588) == "X25519MLKEM768"
    assert SIGNATURE_SCHEMES.name(0x070A) == "gostr34102012_256b"
    assert ALERTS.name(112) == "unrecognized_name"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (13172, "next_protocol_negotiation"),
        (17513, "application_settings_old"),
        (17613, "application_settings"),
        (65037, "encrypted_client_hello"),
        (65281, "renegotiation_info"),
        (65486, "encrypted_server_name"),
        (40, "key_share_draft"),
        (0xFF02, "tls13_draft_version"),
    ],
)
def test_names_extensions_that_captures_show(code, name):
    assert EXTENSION_TYPES.name(code) == name


def test_names_hash_and_signature_pairs_of_tls_1_2():
    assert SIGNATURE_SCHEMES.name(0x0301) == "rsa_pkcs1_sha224"


def test_says_unassigned_for_a_code_without_name():
    assert CIPHER_SUITES.name(0x9A9B) == "unassigned 0x9a9b"
    assert ALERTS.name(250) == "unassigned 0xfa"
    assert CIPHER_SUITES.entry(0x9A9B) is None
    assert 0x9A9B not in CIPHER_SUITES
    assert CIPHER_SUITES.code("TLS_NO_SUCH") is None


def test_says_grease_where_clients_send_it():
    assert CIPHER_SUITES.name(0x1A1A) == "GREASE 0x1a1a"
    assert NAMED_GROUPS.name(0xFAFA) == "GREASE 0xfafa"


def test_never_calls_an_alert_grease():
    assert ALERTS.name(10) == "unexpected_message"
    assert ALERTS.name(0xAA) == "unassigned 0xaa"


@pytest.mark.parametrize(
    ("registry_", "code", "name"),
    [
        (NAMED_GROUPS, 0xFE00, "private use 0xfe00"),
        (NAMED_GROUPS, 0x01FC, "private use 0x01fc"),
        (NAMED_GROUPS, 0xFF00, "unassigned 0xff00"),
        (CIPHER_SUITES, 0xFF85, "private use 0xff85"),
        (EXTENSION_TYPES, 0xFF03, "private use 0xff03"),
        (SIGNATURE_SCHEMES, 0xFE00, "private use 0xfe00"),
        (SIGNATURE_SCHEMES, 0xFDFF, "unassigned 0xfdff"),
    ],
)
def test_says_private_use_within_the_ranges_of_iana(registry_, code, name):
    assert registry_.name(code) == name


def test_keeps_recommended_and_reference_of_iana():
    assert CIPHER_SUITES.entry(0xC02F) == ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "Y", "RFC5289")


def test_leaves_columns_empty_that_the_list_lacks():
    assert ALERTS.entry(40) == ("handshake_failure", "", "")


def test_knows_exactly_the_sixteen_grease_values():
    grease = [code for code in range(0x10000) if is_grease(code)]

    assert grease == [(high << 4 | 0xA) * 0x101 for high in range(16)]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0x0002, "SSL 2.0"),
        (0x0300, "SSL 3.0"),
        (0x0301, "TLS 1.0"),
        (0x0304, "TLS 1.3"),
        (0x7F12, "TLS 1.3 draft 18"),
        (0xFB1A, "TLS 1.3 Facebook draft 26"),
        (0xFEFF, "DTLS 1.0"),
        (0xFEFD, "DTLS 1.2"),
        (0xFEFC, "DTLS 1.3"),
        (0x3A3A, "GREASE 0x3a3a"),
        (0x0305, "unknown 0x0305"),
    ],
)
def test_names_versions(code, name):
    assert version_name(code) == name


def _suite(name):
    return cipher_suite(CIPHER_SUITES.code(name))


@pytest.mark.parametrize(
    ("name", "exchange", "authentication", "encryption", "hash_"),
    [
        ("TLS_RSA_WITH_AES_128_CBC_SHA", "RSA", "RSA", "AES_128_CBC", "SHA"),
        ("TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA", "DHE", "DSS", "3DES_EDE_CBC", "SHA"),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE", "ECDSA", "AES_256_GCM", "SHA384"),
        ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE", "RSA", "CHACHA20_POLY1305", "SHA256"),
        ("OLD_TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "DHE", "RSA", "CHACHA20_POLY1305", "SHA256"),
        ("TLS_ECDH_RSA_WITH_NULL_SHA", "ECDH", "RSA", "NULL", "SHA"),
        ("TLS_DH_anon_EXPORT_WITH_RC4_40_MD5", "DH", "anon", "RC4_40", "MD5"),
        ("TLS_RSA_EXPORT1024_WITH_RC4_56_SHA", "RSA", "RSA", "RC4_56", "SHA"),
        ("TLS_DHE_RSA_WITH_AES_256_CCM_8", "DHE", "RSA", "AES_256_CCM_8", "SHA256"),
        ("TLS_PSK_DHE_WITH_AES_128_CCM_8", "DHE_PSK", "PSK", "AES_128_CCM_8", "SHA256"),
        ("TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256", "ECDHE_PSK", "PSK", "AES_128_CCM", "SHA256"),
        ("TLS_RSA_PSK_WITH_AES_128_CBC_SHA256", "RSA_PSK", "RSA", "AES_128_CBC", "SHA256"),
        ("TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA", "SRP", "RSA", "AES_128_CBC", "SHA"),
        ("TLS_SRP_SHA_WITH_AES_128_CBC_SHA", "SRP", "SRP", "AES_128_CBC", "SHA"),
        ("TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC", "GOST", "GOST", "MAGMA_CTR", "OMAC"),
        ("TLS_GOSTR341112_256_WITH_MAGMA_MGM_L", "TLS 1.3", "any", "MAGMA_MGM_L", "GOSTR341112_256"),
        ("TLS_AES_128_CCM_8_SHA256", "TLS 1.3", "any", "AES_128_CCM_8", "SHA256"),
        ("TLS_SHA384_SHA384", "TLS 1.3", "any", "NULL", "SHA384"),
        ("SSL_RSA_FIPS_WITH_DES_CBC_SHA", "RSA", "RSA", "DES_CBC", "SHA"),
        ("SSL_CK_DES_192_EDE3_CBC_WITH_MD5", "RSA", "RSA", "DES_192_EDE3_CBC", "MD5"),
    ],
)
def test_reads_the_parts_of_a_suite_in_its_name(name, exchange, authentication, encryption, hash_):
    assert _suite(name)[:4] == (exchange, authentication, encryption, hash_)


def test_knows_forward_secrecy_by_the_key_exchange():
    assert _suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA").forward_secrecy
    assert _suite("TLS_DH_anon_WITH_AES_128_CBC_SHA").forward_secrecy
    assert _suite("TLS_AES_128_GCM_SHA256").forward_secrecy
    assert not _suite("TLS_ECDH_RSA_WITH_AES_128_CBC_SHA").forward_secrecy
    assert not _suite("TLS_RSA_PSK_WITH_AES_128_CBC_SHA").forward_secrecy


def test_knows_aead_by_the_cipher():
    assert all(
        cipher_suite(code).aead
        == any(word in CIPHER_SUITES.name(code) for word in ("GCM", "CCM", "POLY", "MGM", "AEGIS"))
        for code in CIPHER_SUITES
    )


def test_every_suite_but_the_signalling_values_has_all_properties():
    without = {CIPHER_SUITES.name(code) for code in CIPHER_SUITES if not all(cipher_suite(code)[:4])}

    assert without == {"TLS_EMPTY_RENEGOTIATION_INFO_SCSV", "TLS_FALLBACK_SCSV"}


def test_marks_suites_weakened_for_export():
    assert _suite("TLS_RSA_EXPORT_WITH_DES40_CBC_SHA").export
    assert not _suite("TLS_RSA_WITH_DES_CBC_SHA").export


def test_an_unknown_code_has_no_properties():
    assert cipher_suite(0x1A1A)[:4] == ("", "", "", "")
