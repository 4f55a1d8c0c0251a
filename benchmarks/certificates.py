"""Certificates for the benchmarks: a root, an issuer below it, and what both sides show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

VALID_FROM, VALID_FOR = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=3650)
NAMES = 12  # in each certificate that is no authority's


class Authority(NamedTuple):
    """A certificate that issues others, and its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


def authority(name: str, issuer: Authority | None = None) -> Authority:
    """An authority: a root, unless another one issues its certificate."""
    key = rsa.generate_private_key(65537, 2048)
    return Authority(issued(name, key, issuer or name, key if issuer is None else issuer.key, names=()), key)


def issued(
    name: str,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    issuer: Authority | str,
    issuer_key: rsa.RSAPrivateKey,
    *,
    names: tuple[str, ...],
) -> x509.Certificate:
    """One certificate: for those names, or an authority's when there are none."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(common_name(name))
        .issuer_name(common_name(issuer) if isinstance(issuer, str) else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_FROM + VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(map(x509.DNSName, names)), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def common_name(text: str) -> x509.Name:
    """A subject."""
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"), x509.NameAttribute(NameOID.COMMON_NAME, text)]
    )


def chain(folder: Path, name: str, issuer: Authority, root: Authority) -> Path:
    """A key, its certificate and those above it, in one PEM file; the key is of the kind that the name ends in."""
    elliptic = name.endswith("ecdsa")
    key = ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(65537, 2048)
    names = tuple(f"*.site{number}.example" for number in range(NAMES))
    leaf = issued(name, key, issuer, issuer.key, names=names)
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + b"".join(each.public_bytes(Encoding.PEM) for each in (leaf, issuer.certificate, root.certificate))
    )
    return path


def anchor_file(folder: Path, root: Authority) -> Path:
    """The root alone."""
    path = folder / "root.pem"
    path.write_bytes(root.certificate.public_bytes(Encoding.PEM))
    return path
