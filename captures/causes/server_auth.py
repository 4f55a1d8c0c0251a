"""Server certificates that clients refuse: nginx and gnutls-serv, asked by curl, openssl, gnutls-cli, Node and Java."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import lab
from bench import SERVER, Bench, Case, curl, gnutls_cli, java, node, s_client

GOOD = 18500
PORTS = {
    "good": GOOD,
    "expired": 18501,
    "future": 18502,
    "other": 18503,
    "leaf-only": 18504,
    "unknown": 18505,
    "self-signed": 18506,
    "revoked": 18507,
}
WEAK = 18508
CODES = {"future": "not-yet-valid", "other": "name-mismatch", "leaf-only": "chain-incomplete", "unknown": "untrusted"}
STAPLING = "ssl_stapling on; ssl_stapling_file revoked.ocsp; "


@contextlib.contextmanager
def servers(bench: Bench) -> Iterator[None]:
    """One nginx with a port for each certificate, and gnutls-serv with the key that OpenSSL does not load."""
    blocks = "".join(
        f"server {{ listen {SERVER}:{port} ssl; ssl_protocols TLSv1.2 TLSv1.3; "
        f"{STAPLING if name == 'revoked' else ''}"
        f'ssl_certificate {name}.pem; ssl_certificate_key {name}.key; return 200 "{name}\\n"; }}\n'
        for name, port in PORTS.items()
    )
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            lab.nginx(bench.folder, "auth", blocks, [(SERVER, port) for port in PORTS.values()], environment={})
        )
        weak = [f"--x509certfile={bench.folder}/weak.pem", f"--x509keyfile={bench.folder}/weak.key"]
        stack.enter_context(
            lab.running(
                ["gnutls-serv", "--http", "--quiet", "--disable-client-cert", "--port", str(WEAK), *weak],
                [(SERVER, WEAK)],
                bench.folder / "weak.log",
            )
        )
        yield


def refused(certificate: str) -> Case:
    """curl meets a certificate that it refuses, then one that is good."""
    return Case(
        f"server-cert-{CODES.get(certificate, certificate)}/curl-nginx",
        (curl(PORTS[certificate], exit_status=60), curl(GOOD)),
    )


CASES = (
    *(refused(name) for name in ("expired", "future", "other", "leaf-only", "unknown", "self-signed")),
    Case(
        "server-cert-untrusted/gnutls-nginx",
        (gnutls_cli(PORTS["unknown"], says="issuer is unknown"), gnutls_cli(GOOD)),
    ),
    Case("server-cert-untrusted/node-nginx", (node(PORTS["unknown"], says="UNABLE_TO_GET_ISSUER"), node(GOOD))),
    Case("server-cert-chain-incomplete/node-nginx", (node(PORTS["leaf-only"], says="UNABLE_TO_"), node(GOOD))),
    Case("server-cert-expired/java-nginx", (java(PORTS["expired"], says="validity check failed"), java(GOOD))),
    Case("server-cert-name-mismatch/java-nginx", (java(PORTS["other"], says="No subject alternative"), java(GOOD))),
    Case(
        "server-cert-revoked/openssl-nginx-list",
        (
            s_client(PORTS["revoked"], "-crl_check", "-CRL", "servers.crl", says="certificate revoked"),
            s_client(GOOD, "-crl_check", "-CRL", "servers.crl"),
        ),
    ),
    Case(
        "server-cert-revoked/gnutls-nginx-stapled",
        (gnutls_cli(PORTS["revoked"], says="revoked"), gnutls_cli(GOOD)),
    ),
    Case("server-cert-weak/curl-gnutls", (curl(WEAK, exit_status=60), curl(GOOD))),
)
