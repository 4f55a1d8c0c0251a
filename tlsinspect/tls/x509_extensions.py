"""Certificate extensions, each on its own: one that is broken leaves the others readable.

A strict library refuses all extensions of a certificate for one oddity, such as the encoded default "cA FALSE" that
certification authorities issued until about 2012.  RFC 5280 section 4.2.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import NamedTuple

from tlsinspect.tls.der import (
    BIT_STRING,
    BOOLEAN,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    expect,
    name_text,
    object_identifier,
    read_element,
    text,
)
from tlsinspect.wire import Cursor, Malformed

# RFC 5280 section 4.2.1.3, by bit.
_KEY_USAGES = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
# RFC 5280 section 4.2.1.12.
_EXTENDED_KEY_USAGES = {
    "1.3.6.1.5.5.7.3.1": "serverAuth",
    "1.3.6.1.5.5.7.3.2": "clientAuth",
    "1.3.6.1.5.5.7.3.3": "codeSigning",
    "1.3.6.1.5.5.7.3.4": "emailProtection",
    "1.3.6.1.5.5.7.3.8": "timeStamping",
    "1.3.6.1.5.5.7.3.9": "OCSPSigning",
    "2.5.29.37.0": "anyExtendedKeyUsage",
}


# Departures from RFC 5280 that leave everything readable.
REPEATED = "An extension stands in it more than once (RFC 5280 section 4.2); the first one counts here."
NO_NAMES = "The extension subjectAltName holds no name (RFC 5280 section 4.2.1.6)."
MOST_EXTENSIONS = 256  # of one certificate; real ones have about ten


class CertificateExtensions(NamedTuple):
    """The extensions that matter to TLS; the meanings are those of model.message.Certificate."""

    subject_alt_names: tuple[str, ...] = ()
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    is_ca: bool | None = None
    key_usage: tuple[str, ...] | None = None
    extended_key_usage: tuple[str, ...] | None = None
    subject_key_identifier: str | None = None
    authority_key_identifier: str | None = None


def decode_certificate_extensions(content: bytes, defects: list[str]) -> CertificateExtensions:
    """The extensions in the content of the [3] of TBSCertificate; what cannot be read is added to *defects*."""
    found = CertificateExtensions()
    seen: set[str] = set()
    try:
        extensions = Cursor(expect(read_element(Cursor(content), "extensions"), SEQUENCE, "extensions"))
        while len(extensions):
            extension = Cursor(expect(read_element(extensions, "Extension"), SEQUENCE, "Extension"))
            kind = object_identifier(expect(read_element(extension, "extnID"), OBJECT_IDENTIFIER, "extnID"))
            if kind in seen:
                defects += [REPEATED] if REPEATED not in defects else []
                continue
            seen.add(kind)
            if len(seen) > MOST_EXTENSIONS:
                raise Malformed(f"there are more than {MOST_EXTENSIONS}", extensions.offset)
            value = read_element(extension, "extnValue")
            if value.tag == BOOLEAN:  # critical
                value = read_element(extension, "extnValue")
            known = _EXTENSIONS.get(kind)
            if known is not None:
                name, decode = known
                try:
                    found = decode(found, Cursor(expect(value, OCTET_STRING, name)))
                except Malformed as error:
                    defects.append(f"The extension {name} cannot be read: {error}.")
                else:
                    if decode is _subject_alt_name and not found.subject_alt_names:
                        defects.append(NO_NAMES)
    except Malformed as error:
        defects.append(f"The extensions cannot be read to their end: {error}.")
    return found


def _subject_alt_name(found: CertificateExtensions, value: Cursor) -> CertificateExtensions:
    names = Cursor(expect(read_element(value, "GeneralNames"), SEQUENCE, "GeneralNames"))
    texts: list[str] = []
    dns_names: list[str] = []
    ip_addresses: list[str] = []
    while len(names):
        tag, content, _ = read_element(names, "GeneralName")
        if tag == 0x82:
            dns_names.append(text(content))
            texts.append(dns_names[-1])
        elif tag == 0x87 and len(content) in (4, 16):
            ip_addresses.append(str(ipaddress.ip_address(content)))
            texts.append(ip_addresses[-1])
        else:
            texts.append(_other_general_name(tag, content))
    return found._replace(subject_alt_names=tuple(texts), dns_names=tuple(dns_names), ip_addresses=tuple(ip_addresses))


def _other_general_name(tag: int, content: bytes) -> str:
    """RFC 5280 section 4.2.1.6; names that are no text have their kind in front."""
    if tag in (0x81, 0x86):  # rfc822Name, uniformResourceIdentifier
        return text(content)
    if tag == 0xA4:
        return f"directoryName:{name_text(content)}"
    if tag == 0xA0:
        kind = read_element(Cursor(content), "otherName")
        return f"otherName:{object_identifier(kind.content)}"
    if tag == 0x88:
        return f"registeredID:{object_identifier(content)}"
    if tag == 0x87:
        return f"iPAddress:{content.hex()}"
    return f"0x{tag:02x}:{content.hex()}"


def _basic_constraints(found: CertificateExtensions, value: Cursor) -> CertificateExtensions:
    content = Cursor(expect(read_element(value, "BasicConstraints"), SEQUENCE, "BasicConstraints"))
    first = read_element(content, "cA") if len(content) else None
    return found._replace(is_ca=first is not None and first.tag == BOOLEAN and first.content != b"\x00")


def _key_usage(found: CertificateExtensions, value: Cursor) -> CertificateExtensions:
    octets = expect(read_element(value, "KeyUsage"), BIT_STRING, "KeyUsage")[1:]  # the first counts unused bits
    bits = "".join(f"{octet:08b}" for octet in octets[:2])
    names = tuple(name for name, bit in zip(_KEY_USAGES, bits, strict=False) if bit == "1")
    return found._replace(key_usage=names)


def _extended_key_usage(found: CertificateExtensions, value: Cursor) -> CertificateExtensions:
    usages = Cursor(expect(read_element(value, "ExtKeyUsageSyntax"), SEQUENCE, "ExtKeyUsageSyntax"))
    names: list[str] = []
    while len(usages):
        kind = object_identifier(expect(read_element(usages, "KeyPurposeId"), OBJECT_IDENTIFIER, "KeyPurposeId"))
        names.append(_EXTENDED_KEY_USAGES.get(kind, kind))
    return found._replace(extended_key_usage=tuple(names))


def _subject_key_identifier(found: CertificateExtensions, value: Cursor) -> CertificateExtensions:
    identifier = expect(read_element(value, "KeyIdentifier"), OCTET_STRING, "KeyIdentifier")
    return found._replace(subject_key_identifier=identifier.hex())


def _authority_key_identifier(found: CertificateExtensions, value: Cursor) -> CertificateExtensions:
    content = Cursor(expect(read_element(value, "AuthorityKeyIdentifier"), SEQUENCE, "AuthorityKeyIdentifier"))
    first = read_element(content, "keyIdentifier") if len(content) else None
    if first is None or first.tag != 0x80:  # issuer and serial number alone
        return found
    return found._replace(authority_key_identifier=first.content.hex())


_Decode = Callable[[CertificateExtensions, Cursor], CertificateExtensions]
_EXTENSIONS: dict[str, tuple[str, _Decode]] = {
    "2.5.29.14": ("subjectKeyIdentifier", _subject_key_identifier),
    "2.5.29.15": ("keyUsage", _key_usage),
    "2.5.29.17": ("subjectAltName", _subject_alt_name),
    "2.5.29.19": ("basicConstraints", _basic_constraints),
    "2.5.29.35": ("authorityKeyIdentifier", _authority_key_identifier),
    "2.5.29.37": ("extKeyUsage", _extended_key_usage),
}
