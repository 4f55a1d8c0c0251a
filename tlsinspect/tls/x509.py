"""X.509 certificates: DER to Certificate, and which hosts one is for.

All but the key and the signature is read here, so that it survives in certificates that a strict library refuses; those
two go through *cryptography*, which is imported with the first certificate.  RFC 5280 section 4.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import warnings
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from tlsinspect.model.message import Certificate
from tlsinspect.tls.der import (
    COMMON_NAME,
    Element,
    algorithm,
    certificate_parts,
    integer,
    name_attributes,
    name_text,
    read_element,
    time,
)
from tlsinspect.tls.x509_extensions import (
    NO_NAMES,
    REPEATED,
    CertificateExtensions,
    decode_certificate_extensions,
)
from tlsinspect.wire import Cursor, Malformed

if TYPE_CHECKING:  # for types alone: the package takes longer to import than most captures to read
    from cryptography import x509

__all__ = ["decode_certificate", "matches_host", "name_text"]

# AlgorithmIdentifiers of signatures: name and hash.  RFC 4055 section 5, RFC 5758 section 3, RFC 8410 section 9,
# RFC 9881 section 2, RFC 9909 section 3.
_SIGNATURES = {
    "1.2.840.113549.1.1.2": ("md2WithRSAEncryption", "md2"),
    "1.2.840.113549.1.1.4": ("md5WithRSAEncryption", "md5"),
    "1.2.840.113549.1.1.5": ("sha1WithRSAEncryption", "sha1"),
    "1.3.14.3.2.29": ("sha1WithRSAEncryption", "sha1"),
    "1.2.840.113549.1.1.14": ("sha224WithRSAEncryption", "sha224"),
    "1.2.840.113549.1.1.11": ("sha256WithRSAEncryption", "sha256"),
    "1.2.840.113549.1.1.12": ("sha384WithRSAEncryption", "sha384"),
    "1.2.840.113549.1.1.13": ("sha512WithRSAEncryption", "sha512"),
    "1.2.840.113549.1.1.10": ("RSASSA-PSS", None),  # its hash is in the parameters
    "1.2.840.10040.4.3": ("dsa-with-SHA1", "sha1"),
    "2.16.840.1.101.3.4.3.2": ("dsa-with-SHA256", "sha256"),
    "1.2.840.10045.4.1": ("ecdsa-with-SHA1", "sha1"),
    "1.2.840.10045.4.3.1": ("ecdsa-with-SHA224", "sha224"),
    "1.2.840.10045.4.3.2": ("ecdsa-with-SHA256", "sha256"),
    "1.2.840.10045.4.3.3": ("ecdsa-with-SHA384", "sha384"),
    "1.2.840.10045.4.3.4": ("ecdsa-with-SHA512", "sha512"),
    "1.3.101.112": ("Ed25519", None),
    "1.3.101.113": ("Ed448", None),
    "2.16.840.1.101.3.4.3.17": ("ML-DSA-44", None),
    "2.16.840.1.101.3.4.3.18": ("ML-DSA-65", None),
    "2.16.840.1.101.3.4.3.19": ("ML-DSA-87", None),
}
# Types of keys by the algorithm of SubjectPublicKeyInfo.  RFC 3279 section 2.3, RFC 4055 section 1.2, RFC 8410.
_KEYS = {
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.113549.1.1.10": "RSA",
    "1.2.840.10045.2.1": "ECDSA",
    "1.2.840.10040.4.1": "DSA",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
    "2.16.840.1.101.3.4.3.17": "ML-DSA-44",
    "2.16.840.1.101.3.4.3.18": "ML-DSA-65",
    "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
}
# Departures from RFC 5280 after which all can still be read: the defects of certificates that people do use.
VERSION_3 = b"\x02\x01\x02"
NO_HOST = re.compile(r"[^-.*_0-9A-Za-z]|^$")  # in a dNSName, which has A-labels for other letters
SERIAL_NOT_POSITIVE = "The serial number is not positive (RFC 5280 section 4.1.2.2)."
SERIAL_TOO_LONG = "The serial number has more than 20 octets (RFC 5280 section 4.1.2.2)."
EXTENSIONS_TOO_EARLY = "There are extensions, and the version is not 3 (RFC 5280 section 4.1.2.1)."
NEVER_VALID = "It ends before it begins: notAfter is earlier than notBefore."
NAME_OF_NO_HOST = "A dNSName is no name of a host: it is empty, or holds other octets than letters, digits, - and dots."
DEPARTURES = frozenset(
    (
        SERIAL_NOT_POSITIVE,
        SERIAL_TOO_LONG,
        EXTENSIONS_TOO_EARLY,
        NEVER_VALID,
        NAME_OF_NO_HOST,
        NO_NAMES,
        REPEATED,
    )
)
MOST_REASON = 200  # characters of what is wrong; some quote octets of the certificate

_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


@lru_cache(maxsize=4096)
def decode_certificate(der: bytes) -> Certificate:
    """The certificate, decoded as far as it can be; what cannot be is named in its defects.  Never raises.

    Kept, as a server sends the same chain in every handshake.  RFC 5280 section 4.1.
    """
    defects: list[str] = []
    elements, problem = certificate_parts(der)
    if problem is not None:
        defects.append(f"The octets are no whole certificate: {problem}.")
    subject, issuer = elements.get("subject"), elements.get("issuer")
    serial = elements.get("serialNumber")
    not_before, not_after = _validity(elements.get("validity"), defects)
    signature, signature_hash = _signature(elements.get("signature"), defects)
    library = _of_library(der, defects)
    key = _key(library, elements.get("subjectPublicKeyInfo"), defects)
    block = elements.get("extensions")
    extensions = decode_certificate_extensions(block.content, defects) if block else CertificateExtensions()
    if signature == "RSASSA-PSS" and library is not None:
        signature_hash = _pss_hash(library)
    defects += _departures(elements, not_before, not_after, extensions)
    self_issued = subject is not None and issuer is not None and subject.der == issuer.der
    return Certificate(
        der=der,
        sha256=hashlib.sha256(der).hexdigest(),
        subject=name_text(subject.der) if subject else "",
        issuer=name_text(issuer.der) if issuer else "",
        subject_der=subject.der if subject else b"",
        issuer_der=issuer.der if issuer else b"",
        serial_number=f"{integer(serial):x}" if serial else "",
        not_before=not_before,
        not_after=not_after,
        subject_common_name=_common_name(subject, defects),
        subject_alt_names=extensions.subject_alt_names,
        dns_names=extensions.dns_names,
        ip_addresses=extensions.ip_addresses,
        public_key=key.text,
        public_key_type=key.type,
        public_key_bits=key.bits,
        signature_algorithm=signature,
        signature_hash=signature_hash,
        self_issued=self_issued,
        self_signed=self_issued and library is not None and _is_own_signature(library, extensions),
        is_ca=extensions.is_ca,
        key_usage=extensions.key_usage,
        extended_key_usage=extensions.extended_key_usage,
        subject_key_identifier=extensions.subject_key_identifier,
        authority_key_identifier=extensions.authority_key_identifier,
        defects=tuple(defects),
    )


def matches_host(certificate: Certificate, host: str) -> bool | None:
    """Whether the certificate is for *host*, a DNS name or an IP address; None when its names cannot be read.

    A subject without subjectAltName is for nobody: the common name does not count.  RFC 9525 section 6.
    """
    host = host.strip().removeprefix("[").removesuffix("]").removesuffix(".").lower()
    if not certificate.subject_alt_names and not DEPARTURES.issuperset(certificate.defects):
        return None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = _a_labels(host)
        return any(_matches_name(pattern, name) for pattern in certificate.dns_names)
    return any(ipaddress.ip_address(text) == address for text in certificate.ip_addresses)


def _matches_name(pattern: str, name: str) -> bool:
    """RFC 9525 section 6.3: a wildcard is the whole left-most label and stands for exactly one label."""
    pattern = pattern.removesuffix(".").lower()
    if not pattern.startswith("*."):
        return bool(name) and pattern == name
    label, dot, parent = name.partition(".")
    return bool(label and dot) and parent == pattern[2:] and "*" not in parent


def _a_labels(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _departures(
    elements: Mapping[str, Element],
    not_before: datetime | None,
    not_after: datetime | None,
    extensions: CertificateExtensions,
) -> Iterator[str]:
    """Where a certificate that can be read departs from RFC 5280."""
    serial = elements.get("serialNumber")
    if serial is not None and integer(serial) <= 0:
        yield SERIAL_NOT_POSITIVE
    if serial is not None and len(serial.content) > 20:
        yield SERIAL_TOO_LONG
    version = elements.get("version")
    if "extensions" in elements and (version is None or version.content != VERSION_3):
        yield EXTENSIONS_TOO_EARLY
    if not_before is not None and not_after is not None and not_after < not_before:
        yield NEVER_VALID
    if any(NO_HOST.search(name) for name in extensions.dns_names):
        yield NAME_OF_NO_HOST


def _validity(validity: Element | None, defects: list[str]) -> tuple[datetime | None, datetime | None]:
    if validity is None:
        return None, None
    times: list[datetime | None] = []
    octets = Cursor(validity.content)
    for name in ("notBefore", "notAfter"):
        try:
            times.append(time(read_element(octets, name)))
        except (Malformed, ValueError, OverflowError) as error:
            times.append(None)
            defects.append(f"{name} cannot be read: {_reason(error)}.")
    return times[0], times[1]


def _signature(signature: Element | None, defects: list[str]) -> tuple[str, str | None]:
    identifier = _algorithm("signature algorithm", signature, defects)
    return _SIGNATURES.get(identifier, (identifier, None))


def _algorithm(name: str, element: Element | None, defects: list[str]) -> str:
    if element is None:
        return ""
    try:
        return algorithm(element)
    except Malformed as error:
        defects.append(f"The {name} cannot be read: {error}.")
        return ""


def _common_name(subject: Element | None, defects: list[str]) -> str | None:
    """The last common name, the most specific one; RFC 4514 text shows it first."""
    if subject is None:
        return None
    try:
        names = [value for rdn in name_attributes(subject.der) for kind, value in rdn if kind == COMMON_NAME]
    except Malformed as error:
        defects.append(f"The subject cannot be read: {error}.")
        return None
    return names[-1] if names else None


def _of_library(der: bytes, defects: list[str]) -> x509.Certificate | None:
    from cryptography import x509

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about serial numbers and encodings; what matters becomes a defect
        try:
            return x509.load_der_x509_certificate(der)
        except (ValueError, TypeError, x509.InvalidVersion) as error:
            defects.append(f"The certificate breaks RFC 5280: {_reason(error)}.")
            return None


class _Key(NamedTuple):
    text: str
    type: str
    bits: int | None


def _key(library: x509.Certificate | None, info: Element | None, defects: list[str]) -> _Key:
    identifier = _algorithm("public key algorithm", info, defects)
    kind = _KEYS.get(identifier, identifier)
    if library is None:
        return _Key(kind, kind, None)
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

    try:
        key = library.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        defects.append(f"The public key cannot be used: {_reason(error)}.")
        return _Key(kind, kind, None)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _Key(f"ECDSA {_CURVES.get(key.curve.name, key.curve.name)}", kind, key.key_size)
    if isinstance(key, (rsa.RSAPublicKey, dsa.DSAPublicKey)):
        return _Key(f"{kind} {key.key_size}", kind, key.key_size)
    return _Key(kind, kind, None)


def _pss_hash(library: x509.Certificate) -> str | None:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        algorithm_ = library.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return None
    return algorithm_.name if algorithm_ is not None else None


def _is_own_signature(library: x509.Certificate, extensions: CertificateExtensions) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        library.verify_directly_issued_by(library)
    except InvalidSignature:
        return False
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Nobody here can verify it; RFC 5280 section 4.2.1.1 lets only self-signed certificates leave the key out.
        return extensions.authority_key_identifier in (None, extensions.subject_key_identifier)
    return True


def _reason(error: Exception) -> str:
    return str(error)[:MOST_REASON].rstrip(".").replace("\n", " ") or type(error).__name__
