"""What scripts that make captures share: certificates, servers, tcpdump, curl and TLS key logs.

Everything runs on loopback addresses, in a temporary folder, and is ended when its context ends.
"""

from __future__ import annotations

import contextlib
import datetime
import getpass
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOT_BEFORE = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
NOT_AFTER = datetime.datetime(2036, 1, 1, tzinfo=datetime.UTC)
PATIENCE_SECONDS = 10.0  # for anything that is waited for
QUIET_SECONDS = 0.4  # a capture that has not grown for this long is complete


class LabError(Exception):
    """A program did something else than the capture is meant to show."""


@dataclass(frozen=True)
class Credential:
    """A certificate, its key, and the certificates between it and its root."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    intermediates: tuple[x509.Certificate, ...] = ()

    def write(self, folder: Path, name: str) -> None:
        """Writes name.pem (leaf first, without the root) and name.key."""
        chain = (self.certificate, *self.intermediates)
        (folder / f"{name}.pem").write_bytes(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain))
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / f"{name}.key").write_bytes(key)


def make_authority(common_name: str, issuer: Credential | None = None) -> Credential:
    """A certification authority: a root, or an intermediate of *issuer*."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(common_name, key, issuer).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    builder = builder.add_extension(
        x509.KeyUsage(False, False, False, False, False, key_cert_sign=True, crl_sign=True, encipher_only=False,
                      decipher_only=False), True)  # fmt: skip
    above = () if issuer is None else _chain(issuer)
    return Credential(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key, above)


def issue(
    common_name: str,
    issuer: Credential | None,
    dns_names: Sequence[str] = (),
    *,
    valid: tuple[datetime.datetime, datetime.datetime] = (NOT_BEFORE, NOT_AFTER),
    rsa_bits: int = 0,
    usage: x509.ObjectIdentifier | None = None,
) -> Credential:
    """A leaf: for a server when it has names, else for a client, or of a given usage; self-signed without an issuer.

    Its key is of ECDSA P-256, or of RSA with so many bits.
    """
    key = rsa.generate_private_key(65537, rsa_bits) if rsa_bits else ec.generate_private_key(ec.SECP256R1())
    builder = _builder(common_name, key, issuer, valid).add_extension(
        x509.BasicConstraints(ca=False, path_length=None), True
    )
    if dns_names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in dns_names]), False)
    usage = usage or (ExtendedKeyUsageOID.SERVER_AUTH if dns_names else ExtendedKeyUsageOID.CLIENT_AUTH)
    builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
    above = () if issuer is None else _chain(issuer)
    return Credential(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key, above)


def _chain(issuer: Credential) -> tuple[x509.Certificate, ...]:
    """What a leaf of this issuer sends besides itself: the authorities below the root."""
    if issuer.certificate.subject == issuer.certificate.issuer:
        return ()
    return (issuer.certificate, *issuer.intermediates)


def _builder(
    common_name: str,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    issuer: Credential | None,
    valid: tuple[datetime.datetime, datetime.datetime] = (NOT_BEFORE, NOT_AFTER),
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    issuer_key = issuer.key if issuer else key
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
    )


def build_keylogger(folder: Path) -> Path:
    """The library that makes an OpenSSL program without a key log write one, when it is preloaded."""
    library = folder / "keylog_preload.so"
    source = Path(__file__).with_name("keylog_preload.c")
    subprocess.run(["gcc", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    listens_on: Sequence[tuple[str, int]],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A server, from the time that it listens on all its addresses until the context ends."""
    for address in listens_on:
        if is_listening(address):
            raise LabError(f"Another program listens on {address[0]}:{address[1]} already.")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **(environment or {})}
        )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not all(is_listening(address) for address in listens_on):
            if process.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"{command[0]} does not listen: {log.read_text(errors='replace')}")
            time.sleep(0.02)
        yield process
    finally:
        _end(process, signal.SIGTERM)


def is_listening(address: tuple[str, int]) -> bool:
    """Whether a TCP connection is accepted; waits until the server has closed it, so that no capture sees it."""
    try:
        with socket.create_connection(address, timeout=PATIENCE_SECONDS) as probe:
            probe.shutdown(socket.SHUT_WR)
            while probe.recv(4096):
                pass
    except ConnectionRefusedError:
        return False
    return True


@contextlib.contextmanager
def nginx(
    folder: Path, name: str, http: str, listens_on: Sequence[tuple[str, int]], *, environment: Mapping[str, str]
) -> Iterator[None]:
    """nginx with the given contents of its http block; file names in it are relative to *folder*."""
    temporary = "".join(
        f"{kind}_temp_path temp-{name};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / f"{name}.conf"
    configuration.write_text(
        f"daemon off;\nmaster_process off;\npid {name}.pid;\nerror_log stderr info;\nevents {{}}\n"
        f"http {{\naccess_log off;\nserver_tokens off;\ndefault_type text/plain;\n{temporary}{http}\n}}\n"
    )
    command = ["nginx", "-p", folder, "-c", configuration]
    with running(command, listens_on, folder / f"{name}.log", environment=environment):
        yield


@contextlib.contextmanager
def capturing(path: Path, capture_filter: str, *, interface: str = "lo", snap_length: int = 65535) -> Iterator[None]:
    """Captures into *path*.  Raises LabError when the kernel dropped a packet."""
    messages = path.with_suffix(".tcpdump")
    # In immediate mode the ring has slots of the snap length: with the defaults there are eight of them, and packets
    # are lost.
    command = ["tcpdump", "-i", interface, "-n", "-U", "--immediate-mode", "-s", str(snap_length), "-B", "65536"]
    command += ["-Z", getpass.getuser(), "-w", "-"]
    with path.open("wb") as capture, messages.open("wb") as log:
        process = subprocess.Popen([*command, capture_filter], stdin=subprocess.DEVNULL, stdout=capture, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "listening on" not in messages.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"tcpdump does not listen: {messages.read_text()}")
            time.sleep(0.02)
        yield
        _wait_until_quiet(path)
    finally:
        _end(process, signal.SIGINT)
    dropped = re.search(r"(\d+) packets? dropped by kernel", messages.read_text())
    if dropped is None or dropped[1] != "0":
        raise LabError(f"The capture is not complete: {messages.read_text()}")


def _wait_until_quiet(path: Path) -> None:
    size, since = -1, time.monotonic()
    while time.monotonic() - since < QUIET_SECONDS:
        if path.stat().st_size != size:
            size, since = path.stat().st_size, time.monotonic()
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Answer:
    """What curl got."""

    exit_status: int  # of curl; 0 when it got an HTTP answer
    status: int  # of HTTP; 0 without an answer
    body: str


def curl(*arguments: str | Path) -> Answer:
    """One request, without configuration files and proxies of the machine."""
    command = ["curl", "--disable", "--noproxy", "*", "--silent", "--max-time", str(int(PATIENCE_SECONDS))]
    done = subprocess.run([*command, "--write-out", "\n%{http_code}", *arguments], capture_output=True, text=True)
    body, _, status = done.stdout.rpartition("\n")
    return Answer(done.returncode, int(status), body.strip())


def print_versions() -> None:
    """Prints the versions for the made_with line of case.toml."""
    for command in (["nginx", "-v"], ["openssl", "version"], ["curl", "--version"], ["tcpdump", "--version"]):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print((done.stdout or done.stderr).splitlines()[0])
