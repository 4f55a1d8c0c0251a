"""Names of TLS code points, from IANA's lists: open enumerations, in which an unknown code has a name too.

The lists are the csv files of *registries*; SOURCE.toml beside them says where they come from.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Iterator
from importlib import resources
from typing import NamedTuple


class Entry(NamedTuple):
    """What a list says about one code point; a column that the list does not have is empty."""

    name: str
    recommended: str  # "Y", "N" or "D" (discouraged).  RFC 9847 section 3
    reference: str  # such as "RFC5246", as IANA writes it


class Registry:
    """One list of code points, read on first use.

    It owns the entries read from its files and keeps them for the life of the process.
    """

    def __init__(
        self,
        *files: str,
        digits: int = 4,
        private_use: tuple[range, ...] = (),
    ) -> None:
        self._files = files
        self._digits = digits  # hexadecimal digits of an unknown code; GREASE exists where it is 4
        self._private_use = private_use

    def __contains__(self, code: int) -> bool:
        return code in self._entries

    def __iter__(self) -> Iterator[int]:
        """The codes with an entry, in the order of the lists."""
        return iter(self._entries)

    def entry(self, code: int) -> Entry | None:
        """What the lists say about *code*, None when nothing."""
        return self._entries.get(code)

    def name(self, code: int) -> str:
        """The name of *code*; for one without a name, what kind of value it is, such as "GREASE 0x1a1a"."""
        entry = self._entries.get(code)
        if entry is not None:
            return entry.name
        if self._digits == 4 and is_grease(code):
            kind = "GREASE"
        elif any(code in part for part in self._private_use):
            kind = "private use"
        else:
            kind = "unassigned"
        return f"{kind} 0x{code:0{self._digits}x}"

    def code(self, name: str) -> int | None:
        """The code with that name, None when no list has it."""
        return self._codes.get(name)

    @functools.cached_property
    def _entries(self) -> dict[int, Entry]:
        entries: dict[int, Entry] = {}
        for file in self._files:
            text = (resources.files("tlsinspect") / "registries" / file).read_text("utf-8")
            for row in csv.DictReader(text.splitlines()):
                entry = Entry(row["name"], row.get("recommended", ""), row.get("reference", ""))
                entries.setdefault(int(row["value"], 0), entry)
        return entries

    @functools.cached_property
    def _codes(self) -> dict[str, int]:
        return {entry.name: code for code, entry in self._entries.items()}


# The private use ranges are those of IANA's TLS parameters: RFC 8447 sections 7 and 8 (extensions and cipher suites
# whose first octet is 255), RFC 7919 section 7 and RFC 8422 section 9 (groups), RFC 8446 section 4.2.3 (schemes).
CIPHER_SUITES = Registry("cipher_suites.csv", "unregistered_cipher_suites.csv", private_use=(range(0xFF00, 0x10000),))
EXTENSION_TYPES = Registry(
    "extension_types.csv", "unregistered_extension_types.csv", private_use=(range(0xFF00, 0x10000),)
)
NAMED_GROUPS = Registry("named_groups.csv", private_use=(range(0x01FC, 0x0200), range(0xFE00, 0xFF00)))
SIGNATURE_SCHEMES = Registry(
    "signature_schemes.csv", "unregistered_signature_schemes.csv", private_use=(range(0xFE00, 0x10000),)
)
ALERTS = Registry("alerts.csv", digits=2)


def is_grease(code: int) -> bool:
    """Whether a 16-bit code is one of those that clients send to see whether servers tolerate unknown values.

    RFC 8701 section 2.
    """
    return code & 0x0F0F == 0x0A0A and code >> 8 == code & 0xFF


_VERSIONS = {
    0x0002: "SSL 2.0",
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
    0x0100: "DTLS 1.0 of OpenSSL before 0.9.8f",
    0xFEFF: "DTLS 1.0",
    0xFEFD: "DTLS 1.2",
    0xFEFC: "DTLS 1.3",
}
_TLS13_DRAFTS = {0x7F: "TLS 1.3 draft", 0x7E: "TLS 1.3 experiment", 0xFB: "TLS 1.3 Facebook draft"}


def version_name(code: int) -> str:
    """The name of a ProtocolVersion, such as "TLS 1.2"; of TLS 1.3 also the drafts that were in use.

    RFC 8446 section 4.2.1, and its drafts: "the version 0x7f00 | draft number".
    """
    if code in _VERSIONS:
        return _VERSIONS[code]
    if is_grease(code):
        return f"GREASE 0x{code:04x}"
    if code >> 8 in _TLS13_DRAFTS:
        return f"{_TLS13_DRAFTS[code >> 8]} {code & 0xFF}"
    return f"unknown 0x{code:04x}"


class SuiteProperties(NamedTuple):
    """What the name of a cipher suite says; texts are empty for a code that is no cipher suite."""

    key_exchange: str  # "RSA", "DHE", "ECDHE", "DH", "ECDH", "PSK", "DHE_PSK", ..., "TLS 1.3" where groups decide it
    authentication: str  # of the server: "RSA", "ECDSA", "DSS", "PSK", "anon", ...; "any" in TLS 1.3
    encryption: str  # "AES_128_GCM", "3DES_EDE_CBC", "NULL", ...
    mac_or_hash: str  # of the record MAC, or of the PRF or HKDF with AEAD: "SHA256", "SHA", "MD5", ...
    aead: bool
    forward_secrecy: bool
    tls13: bool
    export: bool  # weakened to 40 or 56 bits by the rules of the 1990s


_NO_SUITE = SuiteProperties("", "", "", "", False, False, False, False)
_HASH = re.compile(r"(?P<encryption>.+)_(?P<hash>SHA(?:256|384)?|MD5|SM3|OMAC|IMIT|NULL)")
_AEAD = re.compile(r"_(GCM|CCM|POLY1305|MGM|AEGIS)(_|$)|^AEGIS")
_EXPORT = re.compile(r"_EXPORT(1024|40)?")
_OTHER_KEY_EXCHANGES = {
    "PSK": ("PSK", "PSK"),
    "DHE_PSK": ("DHE_PSK", "PSK"),
    "PSK_DHE": ("DHE_PSK", "PSK"),  # RFC 6655 turned the words of two names around
    "ECDHE_PSK": ("ECDHE_PSK", "PSK"),
    "RSA_PSK": ("RSA_PSK", "RSA"),  # RFC 4279 section 4: the server has a certificate too
    "SRP_SHA": ("SRP", "SRP"),
    "SRP_SHA_RSA": ("SRP", "RSA"),
    "SRP_SHA_DSS": ("SRP", "DSS"),
    "GOSTR341112_256": ("GOST", "GOST"),
    "GOSTR341001": ("GOST", "GOST"),
    "GOSTR341094": ("GOST", "GOST"),
}
_EPHEMERAL = frozenset({"DHE", "ECDHE", "DHE_PSK", "ECDHE_PSK", "SRP", "ECCPWD"})


@functools.lru_cache(maxsize=1024)
def cipher_suite(code: int) -> SuiteProperties:
    """The properties of a cipher suite, computed from its name.

    Forward secrecy is that of the suite alone: a TLS 1.3 session with the mode psk_ke has none (RFC 8446 section
    2.2).  RFC 5246 appendix A.5 and RFC 8446 appendix B.4.
    """
    entry = CIPHER_SUITES.entry(code)
    if entry is None or entry.name.endswith("_SCSV"):
        return _NO_SUITE
    name = entry.name.removeprefix("OLD_")
    export = _EXPORT.search(name) is not None
    if name.startswith("SSL_CK_"):
        # SSL 2.0 knew no key exchange but RSA; the name begins with the cipher.
        cipher = name.removeprefix("SSL_CK_").removesuffix("_WITH_MD5")
        return SuiteProperties("RSA", "RSA", cipher, "MD5", False, False, False, export)
    key_exchange, with_, cipher = name.partition("_WITH_")
    if not with_:
        encryption, hash_ = _encryption_and_hash(name.removeprefix("TLS_"))
        # The integrity-only suites of RFC 9150 are named after an HMAC alone.
        encryption = "NULL" if encryption.startswith("SHA") else encryption
        return SuiteProperties("TLS 1.3", "any", encryption, hash_, encryption != "NULL", True, True, False)
    if "_MGM_" in cipher:
        # RFC 9367 section 3 keeps the form of older names for TLS 1.3.
        return SuiteProperties("TLS 1.3", "any", cipher, "GOSTR341112_256", True, True, True, False)
    exchange, authentication = _exchange_and_authentication(_EXPORT.sub("", key_exchange.split("_", 1)[1]))
    encryption, hash_ = _encryption_and_hash(cipher)
    ephemeral = exchange in _EPHEMERAL or authentication == "anon"
    aead = _AEAD.search(encryption) is not None
    return SuiteProperties(exchange, authentication, encryption, hash_, aead, ephemeral, False, export)


def _exchange_and_authentication(text: str) -> tuple[str, str]:
    text = text.removesuffix("_FIPS")
    if text in _OTHER_KEY_EXCHANGES:
        return _OTHER_KEY_EXCHANGES[text]
    exchange, _, authentication = text.partition("_")
    return exchange, authentication or exchange


def _encryption_and_hash(text: str) -> tuple[str, str]:
    match = _HASH.fullmatch(text)
    # RFC 6655 section 3: the suites with CCM that name no hash use SHA-256.
    return (match["encryption"], match["hash"]) if match else (text, "SHA256")
