"""Names and protocols by which servers choose a host: nginx and HAProxy, asked by openssl and curl."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import lab
from bench import BOTH, HOST, OTHER_HOST, SERVER, Bench, Case, Step, confirm, curl, run, s_client
from scripted import demanding_server

DEFAULT_HOST, REJECTING, HTTP2, VERIFYING = range(18520, 18524)
ALPN, ALPN_REQUIRED, DIRECT = range(18524, 18527)

PORTS = {"alpn": ALPN, "alpn_required": ALPN_REQUIRED, "http2": HTTP2}


def block(port: int, names: str, certificate: str, *directives: str, listen: str = "") -> str:
    return (
        f"server {{ listen {SERVER}:{port} ssl {listen}; server_name {names}; ssl_protocols TLSv1.2 TLSv1.3; "
        f"ssl_certificate {certificate}.pem; ssl_certificate_key {certificate}.key; {' '.join(directives)} }}\n"
    )


VERIFY = ("ssl_client_certificate client-root.pem;", "ssl_verify_depth 2;", "ssl_verify_client on;")
FORBIDDEN = 'location /admin { return 403 "not for you\\n"; } location / { return 200 "welcome\\n"; }'
NGINX = (
    block(DEFAULT_HOST, "default.invalid", "default", 'return 404 "default host\\n";', listen="default_server")
    + block(DEFAULT_HOST, HOST, "good", FORBIDDEN)
    + block(DEFAULT_HOST, OTHER_HOST, "other", 'return 200 "other\\n";')
    + f"server {{ listen {SERVER}:{REJECTING} ssl default_server; ssl_protocols TLSv1.2 TLSv1.3; "
    + "ssl_reject_handshake on; }\n"
    + block(REJECTING, HOST, "good", 'return 200 "welcome\\n";')
    + block(HTTP2, HOST, "good", 'return 200 "welcome\\n";', listen="http2")
    + block(VERIFYING, HOST, "good", 'return 200 "welcome\\n";')
    + block(VERIFYING, OTHER_HOST, "other", *VERIFY, 'return 200 "other\\n";')
)

HAPROXY = """
global
    crt-base %(folder)s
    ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
    timeout client 5s
    timeout connect 5s
    timeout server 5s
frontend by-protocol
    mode http
    bind %(server)s:%(alpn)d ssl crt good.both alpn h2,http/1.1
    http-request return status 200 content-type text/plain string "hello"
listen http2-alone
    mode tcp
    bind %(server)s:%(alpn_required)d
    tcp-request inspect-delay 2s
    tcp-request content accept if { req.ssl_hello_type 1 } { req.ssl_alpn h2 }
    tcp-request content reject if { req.ssl_hello_type 1 }
    server http2 %(server)s:%(http2)d
"""


@contextlib.contextmanager
def servers(bench: Bench) -> Iterator[None]:
    """nginx with hosts by name, HAProxy that looks at the protocols, and one that insists on one."""
    configuration = bench.folder / "routing.cfg"
    configuration.write_text(HAPROXY % {"folder": bench.folder, "server": SERVER, **PORTS})
    ports = (DEFAULT_HOST, REJECTING, HTTP2, VERIFYING)
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            lab.nginx(bench.folder, "routing", NGINX, [(SERVER, port) for port in ports], environment={})
        )
        stack.enter_context(
            lab.running(
                ["haproxy", "-db", "-f", configuration],
                [(SERVER, ALPN), (SERVER, ALPN_REQUIRED)],
                bench.folder / "routing-haproxy.log",
            )
        )
        stack.enter_context(demanding_server(bench, (SERVER, DIRECT)))
        yield


def one_connection(first_host: str, second_host: str, port: int, statuses: str, *options: str) -> Step:
    """Two requests of curl on one connection, with these Host headers; the name is that of the first."""

    def step(bench: Bench) -> None:
        version = ("--tls-max", "1.2") if bench.tls == "1.2" else ("--tlsv1.3",)
        each = ["--silent", "--http1.1", *version, "--cacert", "root.pem", "--resolve", f"{HOST}:{port}:{SERVER}"]
        each += ["--output", "body", "--write-out", "%{http_code},%{num_connects} ", *options]
        url = f"https://{HOST}:{port}/"
        command = ["curl", "--disable", "--noproxy", "*", *each, "-H", f"Host: {first_host}", url]
        confirm(command, run(bench, [*command, "--next", *each, "-H", f"Host: {second_host}", url]), statuses)

    return step


CASES = (
    Case(
        "sni-missing/openssl-nginx-default",
        (
            s_client(DEFAULT_HOST, name=None, says="self-signed certificate"),
            s_client(DEFAULT_HOST, says="Verification: OK"),
        ),
    ),
    Case("sni-missing/openssl-nginx-reject", (s_client(REJECTING, name=None, says="alert"), s_client(REJECTING))),
    Case(
        "sni-unrecognized/curl-nginx-reject",
        (curl(REJECTING, host="shop2.example", exit_status=35), curl(REJECTING)),
    ),
    Case(
        "sni-mismatch/curl-nginx",
        (curl(DEFAULT_HOST, host=OTHER_HOST), curl(DEFAULT_HOST)),
    ),
    Case("sni-invalid/openssl-nginx-address", (s_client(REJECTING, name=SERVER, says="alert"), s_client(REJECTING))),
    Case(
        "sni-invalid/openssl-nginx-port",
        (s_client(REJECTING, name=f"{HOST}:443"), s_client(REJECTING)),
    ),
    Case(
        "default-certificate/curl-nginx",
        (curl(DEFAULT_HOST, host="shop2.example", exit_status=60), curl(DEFAULT_HOST)),
    ),
    Case(
        "alpn-no-overlap/openssl-nginx",
        (s_client(HTTP2, "-alpn", "imap", says="alert no application protocol"), s_client(HTTP2, "-alpn", "http/1.1")),
    ),
    Case(
        "alpn-missing/openssl-haproxy",
        (s_client(ALPN_REQUIRED, says="."), s_client(ALPN_REQUIRED, "-alpn", "h2", ask=False)),
        only=f"and port {ALPN_REQUIRED}",
    ),
    Case(
        "alpn-missing/openssl-scripted",
        (
            s_client(DIRECT, says="alert no application protocol"),
            s_client(DIRECT, "-alpn", "postgresql", ask=False),
        ),
    ),
    Case("alpn-different/curl-haproxy", (curl(ALPN, "--http1.1"), curl(ALPN, "--http2"))),
    Case(
        "connection-reused/curl-nginx",
        (one_connection(HOST, OTHER_HOST, VERIFYING, "200,1 421,0"), curl(VERIFYING, "--http1.1")),
        keys=BOTH,
    ),
    Case(
        "connection-reused/curl-nginx-accepted",
        (one_connection(HOST, OTHER_HOST, DEFAULT_HOST, "200,1 200,0"), curl(DEFAULT_HOST, "--http1.1")),
        keys=BOTH,
    ),
    Case(
        "misdirected-request/curl-nginx",
        (
            curl(VERIFYING, "--http1.1", "-H", f"Host: {OTHER_HOST}", status=421),
            curl(VERIFYING, "--http1.1"),
        ),
        keys=BOTH,
    ),
    Case(
        "http-refused/curl-nginx",
        (curl(DEFAULT_HOST, "--http1.1", path="/admin", status=403), curl(DEFAULT_HOST, "--http1.1")),
        keys=BOTH,
    ),
)
