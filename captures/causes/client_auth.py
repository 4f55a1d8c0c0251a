"""Client certificates that servers refuse, miss or do not ask for: HAProxy and nginx, asked by three clients."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import lab
from bench import BOTH, SERVER, Bench, Case, curl, gnutls_cli, s_client

REQUIRED, WITH_LIST, TWO_AUTHORITIES, HTTP_SAYS, NOT_ASKED = range(18510, 18515)

VERIFY = "ca-verify-file client-roots.pem"
HAPROXY = f"""
global
    crt-base {{folder}}
    ca-base {{folder}}
    ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
    mode http
    timeout client 5s
    timeout connect 5s
    timeout server 5s
frontend web
    bind {SERVER}:{REQUIRED} ssl crt good.both ca-file client-root.pem verify required
    bind {SERVER}:{WITH_LIST} ssl crt good.both ca-file client-root.pem verify required crl-file {{folder}}/clients.crl
    bind {SERVER}:{TWO_AUTHORITIES} ssl crt good.both ca-file client-root.pem verify required {VERIFY}
    http-request return status 200 content-type text/plain string "hello"
"""

NGINX = f"""
server {{
    listen {SERVER}:{HTTP_SAYS} ssl;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate good.pem;
    ssl_certificate_key good.key;
    ssl_client_certificate client-root.pem;
    ssl_verify_client on;
    ssl_verify_depth 2;
    return 200 "$ssl_client_s_dn\\n";
}}
server {{
    listen {SERVER}:{NOT_ASKED} ssl;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate good.pem;
    ssl_certificate_key good.key;
    if ($ssl_client_s_dn = "") {{ return 403 "who are you?\\n"; }}
    return 200 "$ssl_client_s_dn\\n";
}}
"""


@contextlib.contextmanager
def servers(bench: Bench) -> Iterator[None]:
    """HAProxy, which refuses in the handshake, and nginx, which completes it and refuses over HTTP."""
    configuration = bench.folder / "client-auth.cfg"
    configuration.write_text(HAPROXY.format(folder=bench.folder))
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            lab.running(
                ["haproxy", "-db", "-f", configuration],
                [(SERVER, port) for port in (REQUIRED, WITH_LIST, TWO_AUTHORITIES)],
                bench.folder / "haproxy.log",
            )
        )
        stack.enter_context(
            lab.nginx(bench.folder, "client-auth", NGINX, [(SERVER, HTTP_SAYS), (SERVER, NOT_ASKED)], environment={})
        )
        yield


def identity(name: str) -> tuple[str, ...]:
    """Options of openssl s_client for a client certificate with what its file holds of the chain."""
    return "-cert", f"{name}.pem", "-key", f"{name}.key", "-cert_chain", f"{name}.pem"


def curl_identity(name: str) -> tuple[str, ...]:
    return "--cert", f"{name}.pem", "--key", f"{name}.key"


def gnutls_identity(name: str) -> tuple[str, ...]:
    return f"--x509certfile={name}.pem", f"--x509keyfile={name}.key"


def refused(code: str, name: str, says: str, port: int = REQUIRED) -> tuple[Case, Case]:
    """A certificate that HAProxy refuses by an alert and nginx over HTTP; then that of alice."""
    by_alert = (s_client(port, *identity(name), says=says), s_client(port, *identity("alice")))
    by_http = (curl(HTTP_SAYS, *curl_identity(name), status=400), curl(HTTP_SAYS, *curl_identity("alice")))
    return Case(f"{code}/openssl-haproxy", by_alert), Case(f"{code}/curl-nginx", by_http, keys=BOTH)


CASES = (
    *refused("client-cert-expired", "carol-expired", "alert certificate expired"),
    *refused("client-cert-unsuitable", "dave-unsuitable", "alert"),
    *refused("client-cert-chain-incomplete", "erin-leaf-only", "alert unknown ca"),
    Case(
        "client-cert-chain-incomplete/gnutls-haproxy",
        (
            gnutls_cli(REQUIRED, *gnutls_identity("erin-leaf-only"), says="CA is unknown"),
            gnutls_cli(REQUIRED, *gnutls_identity("alice")),
        ),
    ),
    *refused("client-cert-untrusted", "mallory-untrusted", "alert unknown ca"),
    refused("client-cert-revoked", "victor-revoked", "alert certificate revoked", WITH_LIST)[0],
    Case(
        "client-cert-missing/openssl-haproxy",
        (s_client(REQUIRED, says="alert"), s_client(REQUIRED, *identity("alice"))),
    ),
    Case(
        "client-cert-missing/curl-nginx",
        (curl(HTTP_SAYS, status=400), curl(HTTP_SAYS, *curl_identity("alice"))),
        keys=BOTH,
    ),
    Case(
        "client-cert-not-requested/curl-nginx",
        (curl(NOT_ASKED, *curl_identity("alice"), status=403), curl(HTTP_SAYS, *curl_identity("alice"))),
        keys=BOTH,
    ),
    Case(
        "client-cert-issuer-not-accepted/openssl-haproxy",
        (s_client(TWO_AUTHORITIES, *identity("mallory-untrusted")), s_client(TWO_AUTHORITIES, *identity("alice"))),
    ),
    Case(
        "client-cert-different/curl-nginx",
        (curl(HTTP_SAYS, *curl_identity("bob")), curl(HTTP_SAYS, *curl_identity("alice"))),
    ),
)
