"""The certificates of all causes: of servers under one root, of clients under another, and what is wrong with some."""

from __future__ import annotations

import datetime
from pathlib import Path

import lab
from bench import HOST, OTHER_HOST
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

PAST = (lab.NOT_BEFORE - datetime.timedelta(days=400), lab.NOT_BEFORE - datetime.timedelta(days=35))
FUTURE = (lab.NOT_AFTER, lab.NOT_AFTER + datetime.timedelta(days=365))


def make(folder: Path) -> None:
    """Writes NAME.pem, NAME.key and, for HAProxy, NAME.both of each, and the revocation lists."""
    of_servers(folder)
    of_clients(folder)
    for key in folder.glob("*.key"):
        key.with_suffix(".both").write_bytes(key.with_suffix(".pem").read_bytes() + key.read_bytes())


def of_servers(folder: Path) -> None:
    root = lab.make_authority("Example Root CA")
    root.write(folder, "root")
    authority = lab.make_authority("Example Intermediate CA", root)
    unknown = lab.make_authority("Unknown Server CA", lab.make_authority("Unknown Root CA"))
    lab.issue(HOST, authority, [HOST]).write(folder, "good")
    lab.issue(HOST, authority, [HOST], rsa_bits=2048).write(folder, "rsa")
    lab.issue(HOST, authority, [HOST], rsa_bits=1024).write(folder, "weak")
    lab.issue(HOST, authority, [HOST], valid=PAST).write(folder, "expired")
    lab.issue(HOST, authority, [HOST], valid=FUTURE).write(folder, "future")
    lab.issue(OTHER_HOST, authority, [OTHER_HOST]).write(folder, "other")
    lab.issue(HOST, unknown, [HOST]).write(folder, "unknown")
    lab.issue(HOST, None, [HOST]).write(folder, "self-signed")
    lab.issue("default.invalid", None, ["default.invalid"]).write(folder, "default")
    without_chain(lab.issue(HOST, authority, [HOST])).write(folder, "leaf-only")
    revoked = lab.issue(HOST, authority, [HOST])
    revoked.write(folder, "revoked")
    revocations(folder / "servers.crl", authority, revoked)
    (folder / "revoked.ocsp").write_bytes(revoked_response(revoked, authority))


def of_clients(folder: Path) -> None:
    root = lab.make_authority("Example Client Root CA")
    root.write(folder, "client-root")
    authority = lab.make_authority("Example Client CA", root)
    other = lab.make_authority("Other Client CA")
    other.write(folder, "other-client-root")
    roots = (folder / "client-root.pem", folder / "other-client-root.pem")
    (folder / "client-roots.pem").write_bytes(b"".join(path.read_bytes() for path in roots))
    for name in ("alice", "bob"):
        lab.issue(name, authority).write(folder, name)
    lab.issue("carol", authority, valid=PAST).write(folder, "carol-expired")
    lab.issue("dave", authority, usage=ExtendedKeyUsageOID.SERVER_AUTH).write(folder, "dave-unsuitable")
    without_chain(lab.issue("erin", authority)).write(folder, "erin-leaf-only")
    lab.issue("mallory", other).write(folder, "mallory-untrusted")
    revoked = lab.issue("victor", authority)
    revoked.write(folder, "victor-revoked")
    revocations(folder / "clients.crl", authority, revoked)
    revocations(folder / "client-root.crl", root)
    with (folder / "clients.crl").open("ab") as file:
        file.write((folder / "client-root.crl").read_bytes())


def without_chain(credential: lab.Credential) -> lab.Credential:
    """The same without the authorities between it and its root."""
    return lab.Credential(credential.certificate, credential.key)


def revocations(path: Path, authority: lab.Credential, *revoked: lab.Credential) -> None:
    """Writes the revocation list of an authority."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.certificate.subject)
    builder = builder.last_update(lab.NOT_BEFORE).next_update(lab.NOT_AFTER)
    for each in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(each.certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(lab.NOT_BEFORE).build())
    path.write_bytes(builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def revoked_response(revoked: lab.Credential, authority: lab.Credential) -> bytes:
    """What an OCSP responder of the authority says."""
    builder = ocsp.OCSPResponseBuilder().add_response(
        revoked.certificate,
        authority.certificate,
        hashes.SHA1(),
        ocsp.OCSPCertStatus.REVOKED,
        lab.NOT_BEFORE,
        lab.NOT_AFTER,
        lab.NOT_BEFORE,
        x509.ReasonFlags.key_compromise,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, authority.certificate)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
