"""Whether a chain leads to a trust anchor, built from what the peer sent and from the anchors, as a client does.

By names and signatures alone (RFC 5280 section 6.1.3), which every client checks, and which private authorities fit as
well as public ones; validity, names of hosts and key usage are judged elsewhere.  *cryptography* is imported when a
signature is first looked at.
"""

from __future__ import annotations

import base64
import enum
import re
import ssl
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from tlsinspect.tls.der import certificate_parts
from tlsinspect.tls.x509 import decode_certificate

PEM = re.compile(rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----(.+?)-----END", re.DOTALL)
# Where systems keep their anchors, after what OpenSSL was built with: Debian, Fedora, Alpine and BSD.
SYSTEM_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
MOST_STEPS = 64  # of one search; a chain that is sent twice or signed across could make it long


class Trust(enum.Enum):
    """Where a chain leads."""

    TRUSTED = "leads to an anchor"
    ISSUER_MISSING = "ends below a certificate that is neither sent nor an anchor"
    ROOT_UNKNOWN = "ends in a self-signed certificate that is no anchor"
    UNKNOWN = "cannot be told"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a chain leads, and the name of the certificate in question."""

    trust: Trust
    name: str = ""  # RFC 4514 text: the anchor, the missing issuer, or the root that is not trusted
    other_key: bool = False  # there is an anchor of that name, but its key did not make the signature
    outdated: bool = False  # the anchor is outside its own validity


def build(chain: Sequence[bytes], anchors: Sequence[bytes], at: datetime) -> Verdict:
    """Where the first certificate of *chain*, all as DER, leads; the order of the others does not matter.

    RFC 8446 section 4.4.2 lets clients build the path from what was sent, in any order.  Without anchors nothing can be
    told but the name in which the chain ends.
    """
    if not chain:
        return Verdict(Trust.UNKNOWN)
    by_subject = subjects(tuple(anchors))
    ends: list[Verdict] = []
    waiting: list[tuple[bytes, tuple[bytes, ...]]] = [(chain[0], (chain[0],))]
    for _ in range(MOST_STEPS):
        if not waiting:
            break
        der, path = waiting.pop(0)
        certificate = decode_certificate(der)
        if der in by_subject.get(certificate.subject_der, ()):
            return Verdict(Trust.TRUSTED, certificate.subject, outdated=is_outdated(der, at))
        above = by_subject.get(certificate.issuer_der, ())
        for anchor in above:
            if made_signature(anchor, der):
                return Verdict(Trust.TRUSTED, certificate.issuer, outdated=is_outdated(anchor, at))
        if certificate.self_issued:
            ends.append(Verdict(Trust.ROOT_UNKNOWN, certificate.subject, other_key=bool(above)))
            continue
        sent = [each for each in issuers(certificate.issuer_der, chain) if each not in path]
        signed = [(each, (*path, each)) for each in sent if made_signature(each, der)]
        waiting += signed
        if not signed:
            ends.append(Verdict(Trust.ISSUER_MISSING, certificate.issuer, other_key=bool(above or sent)))
    best = ends[-1] if ends else Verdict(Trust.UNKNOWN)
    return best if anchors else replace(best, trust=Trust.UNKNOWN)


def issuers(name: bytes, chain: Sequence[bytes]) -> Iterator[bytes]:
    """The certificates of a chain with that subject."""
    return (each for each in chain if decode_certificate(each).subject_der == name)


def made_signature(issuer: bytes, der: bytes) -> bool:
    """Whether the issuer's key signed a certificate; true by its name alone where nobody here can verify that."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about serial numbers and encodings, which are defects of the certificates
        try:
            x509.load_der_x509_certificate(der).verify_directly_issued_by(x509.load_der_x509_certificate(issuer))
        except InvalidSignature:
            return False
        except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
            return True
    return True


def is_outdated(der: bytes, at: datetime) -> bool:
    """Whether a certificate is outside its validity."""
    certificate = decode_certificate(der)
    before, after = certificate.not_before, certificate.not_after
    return (before is not None and at < before) or (after is not None and at > after)


@lru_cache(maxsize=8)
def subjects(anchors: tuple[bytes, ...]) -> Mapping[bytes, tuple[bytes, ...]]:
    """Anchors by the encoded name of their subject."""
    found: defaultdict[bytes, tuple[bytes, ...]] = defaultdict(tuple)
    for der in anchors:
        subject = certificate_parts(der)[0].get("subject")
        if subject is not None:
            found[subject.der] += (der,)
    return dict(found)


@lru_cache(maxsize=1)
def system_anchors() -> tuple[bytes, ...]:
    """The anchors of this machine as DER; empty where they are not found."""
    paths = ssl.get_default_verify_paths()
    for name in (paths.cafile, paths.openssl_cafile, *SYSTEM_FILES):
        if name and Path(name).is_file():
            anchors = read_anchors(Path(name))
            if anchors:
                return anchors
    return ()


def read_anchors(file: Path) -> tuple[bytes, ...]:
    """The certificates of a PEM file as DER; empty when it cannot be read."""
    try:
        text = file.read_bytes()
    except OSError:
        return ()
    return tuple(base64.b64decode(match[1]) for match in PEM.finditer(text))
