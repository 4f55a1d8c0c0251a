"""A small authority for tests of what clients refuse: certificates of any validity, key and name, OCSP responses."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

# Around the time of tests.support.handshakes, 2026-11-23.
BEGIN, END = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


@functools.cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def issue(
    name: str,
    issuer: Issued | None = None,
    *,
    dns_names: Sequence[str] = (),
    begin: datetime.datetime = BEGIN,
    end: datetime.datetime = END,
    key: Key | None = None,
    usage: ObjectIdentifier | None = None,
    organization: str | None = None,
) -> Issued:
    """A certificate, self-signed without an issuer; one without names is an authority."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if organization:
        names.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    subject = x509.Name(names)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=not dns_names, path_length=None), critical=True)
    )
    if dns_names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(each) for each in dns_names])
        purpose = x509.ExtendedKeyUsage([usage or ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(alternative, critical=False).add_extension(purpose, critical=False)
    signer = issuer.key if issuer else own
    return Issued(builder.sign(signer, hashes.SHA256()), own)


def with_sha1(issued: Issued) -> bytes:
    """The DER of a certificate by an RSA key that says to be signed with SHA-1, which the library signs no more."""
    sha256, sha1 = (bytes.fromhex("2a864886f70d0101") + bytes((last,)) for last in (0x0B, 0x05))
    return issued.der.replace(sha256, sha1)


def ocsp_response(leaf: Issued, issuer: Issued, *, revoked: bool) -> bytes:
    """A response of the issuer about one certificate, as DER."""
    status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=leaf.certificate,
        issuer=issuer.certificate,
        algorithm=hashes.SHA256(),
        cert_status=status,
        this_update=BEGIN,
        next_update=END,
        revocation_time=BEGIN if revoked else None,
        revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)
