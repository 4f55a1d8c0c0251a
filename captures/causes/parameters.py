"""Versions, suites, groups, signatures and extensions that do not fit: nginx, GnuTLS and HAProxy, asked by openssl."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import lab
from bench import SERVER, TLS12, TLS13, Bench, Case, Step, curl, gnutls_cli, s_client
from scripted import BANNED, duplicated, malformed, refusing_server, rewritten, without

ALL, ONLY12, ONLY13, AES256, P384, RSA_KEY = range(18540, 18546)
LEGACY, FILTERING, REFUSING = range(18546, 18549)


def block(port: int, *directives: str, certificate: str = "good", protocols: str = "TLSv1.2 TLSv1.3") -> str:
    return (
        f"server {{ listen {SERVER}:{port} ssl; ssl_protocols {protocols}; ssl_certificate {certificate}.pem; "
        f'ssl_certificate_key {certificate}.key; {" ".join(directives)} return 200 "hello\\n"; }}\n'
    )


NGINX = (
    block(ALL)
    + block(ONLY12, protocols="TLSv1.2")
    + block(ONLY13, protocols="TLSv1.3")
    + block(
        AES256,
        "ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384;",
        "ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384;",
    )
    + block(P384, "ssl_ecdh_curve secp384r1;")
    + block(RSA_KEY, certificate="rsa")
)

# A filter that lets no hello pass that asks for OCSP stapling with its usual octets.
HAPROXY = """
defaults
    mode tcp
    timeout client 5s
    timeout connect 5s
    timeout server 5s
listen filter
    bind %(server)s:%(filtering)d
    tcp-request inspect-delay 2s
    tcp-request content reject if { req.ssl_hello_type 1 } { req.payload(0,0),hex -m sub 000500050100000000 }
    tcp-request content accept if { req.ssl_hello_type 1 }
    server all %(server)s:%(all)d
"""


@contextlib.contextmanager
def servers(bench: Bench) -> Iterator[None]:
    """nginx with a port for each narrow choice, gnutls-serv without RFC 5746, and a filter in front of nginx."""
    configuration = bench.folder / "parameters.cfg"
    configuration.write_text(HAPROXY % {"server": SERVER, "filtering": FILTERING, "all": ALL})
    gnutls = ["gnutls-serv", "--http", "--quiet", "--disable-client-cert", "--port", str(LEGACY), "--priority"]
    gnutls += ["NORMAL:-VERS-TLS1.3:%DISABLE_SAFE_RENEGOTIATION"]
    gnutls += [f"--x509certfile={bench.folder}/good.pem", f"--x509keyfile={bench.folder}/good.key"]
    ports = (ALL, ONLY12, ONLY13, AES256, P384, RSA_KEY)
    with contextlib.ExitStack() as stack:
        stack.enter_context(lab.nginx(bench.folder, "parameters", NGINX, [(SERVER, p) for p in ports], environment={}))
        stack.enter_context(
            lab.running(["haproxy", "-db", "-f", configuration], [(SERVER, FILTERING)], bench.folder / "filter.log")
        )
        stack.enter_context(lab.running(gnutls, [(SERVER, LEGACY)], bench.folder / "legacy.log"))
        stack.enter_context(refusing_server(bench, (SERVER, REFUSING)))
        yield


def version_that_lacks(bench: Bench) -> None:
    """curl offers one version to the nginx that has the other only."""
    curl(ONLY13 if bench.tls == TLS12 else ONLY12, exit_status=35)(bench)


def narrow(tls12: tuple[str, ...], tls13: tuple[str, ...], port: int, says: str) -> Step:
    """openssl with an offer for each version."""

    def step(bench: Bench) -> None:
        s_client(port, *(tls12 if bench.tls == TLS12 else tls13), says=says)(bench)

    return step


OK = "Verification: OK"
AES128 = ("-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), ("-ciphersuites", "TLS_AES_128_GCM_SHA256")
ECDSA_ALONE = ("-sigalgs", "ECDSA+SHA256"), ("-sigalgs", "ECDSA+SHA256")

CASES = (
    Case("version-no-overlap/curl-nginx", (version_that_lacks, curl(ALL))),
    Case("version-different/curl-nginx", (curl(ALL, "--tls-max", "1.2"), curl(ALL, "--tlsv1.3")), versions=("",)),
    Case("cipher-no-overlap/openssl-nginx", (narrow(*AES128, AES256, "alert handshake failure"), s_client(AES256))),
    Case("cipher-different/openssl-nginx", (narrow(*AES128, ALL, OK), s_client(ALL))),
    Case(
        "group-no-overlap/openssl-nginx",
        (s_client(P384, "-groups", "X25519", says="alert handshake failure"), s_client(P384)),
    ),
    Case("hello-retry/openssl-nginx", (s_client(P384, "-groups", "X25519:P-384"), s_client(ALL)), versions=(TLS13,)),
    Case(
        "signature-no-overlap/openssl-nginx",
        (narrow(*ECDSA_ALONE, RSA_KEY, "alert handshake failure"), s_client(RSA_KEY)),
    ),
    Case(
        "fallback-detected/openssl-nginx",
        (s_client(ALL, "-fallback_scsv", says="alert inappropriate fallback"), s_client(ALL)),
        versions=(TLS12,),
    ),
    Case(
        "renegotiation-legacy/openssl-gnutls",
        (s_client(LEGACY, says="unsafe legacy renegotiation disabled"), s_client(ALL)),
        versions=(TLS12,),
    ),
    Case(
        "fingerprint-different/openssl-haproxy",
        (s_client(FILTERING, "-status", says="."), s_client(FILTERING)),
        only=f"and port {FILTERING}",
    ),
    Case(
        "extension-missing/openssl-nginx-key-share",
        (rewritten(without("key_share"), s_client, ALL), s_client(ALL)),
        versions=(TLS13,),
    ),
    Case(
        "extension-missing/gnutls-nginx-groups",
        (rewritten(without("supported_groups"), gnutls_cli, ALL), gnutls_cli(ALL)),
        versions=(TLS13,),
    ),
    Case(
        "extension-refused/openssl-nginx-twice",
        (rewritten(duplicated("supported_groups"), s_client, ALL), s_client(ALL)),
    ),
    Case(
        "extension-refused/openssl-nginx-malformed",
        (rewritten(malformed("signature_algorithms"), s_client, ALL), s_client(ALL)),
    ),
    Case(
        "alert-other/openssl-python",
        (s_client(REFUSING, "-bind", BANNED, says="alert access denied"), s_client(REFUSING)),
    ),
    Case(
        "capture-incomplete/openssl-nginx-snap-length",
        (narrow(*AES128, AES256, "alert handshake failure"), s_client(AES256)),
        snap_length=96,
        keys=(),
    ),
)
