"""The two nginx of the story: their addresses and configurations."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import lab

PROXY, PROXY_PORT = "127.0.0.1", 18080
UPSTREAM, UPSTREAM_PORT = "127.0.0.2", 8443
CLIENT = "127.0.0.3"  # curl
HOST = "certauth.example"
OTHER_HOST = "other.example"

BAD_GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>"
).replace("\r\n", "\n")

_LISTEN = f"listen {UPSTREAM}:{UPSTREAM_PORT} ssl"
_CERTAUTH = f"server_name {HOST}; ssl_certificate certauth.pem; ssl_certificate_key certauth.key;"
_PROTOCOLS = "ssl_protocols TLSv1.2 TLSv1.3;"

# The Host header is certauth.example in every request, so HTTP comes to the named host even where TLS did not: without
# a certificate its answer is 403.  The handshake alone decides between the two answers.
_NAMED_HOST = f"""
server {{
    {_LISTEN};
    {_CERTAUTH}
    ssl_client_certificate client-ca.pem;
    ssl_verify_client on;
    error_page 496 =403 /without-certificate;
    location / {{ return 200 "{HOST} knows $ssl_client_s_dn\\n"; }}
    location = /without-certificate {{ internal; return 403 "{HOST} wants a client certificate\\n"; }}
}}
"""

TWO_HOSTS = f"""
server {{
    {_LISTEN} default_server;
    server_name default.invalid;
    {_PROTOCOLS}
    ssl_certificate default.pem;
    ssl_certificate_key default.key;
    return 403 "default host\\n";
}}
{_NAMED_HOST}
"""

REJECTING = f"""
server {{
    {_LISTEN} default_server;
    {_PROTOCOLS}
    ssl_reject_handshake on;
}}
{_NAMED_HOST}
"""


def _echo(*directives: str) -> str:
    """One host that asks for a client certificate, goes on without, and answers with the identity that it sees."""
    return f"""
server {{
    {_LISTEN} default_server;
    {_CERTAUTH}
    {_PROTOCOLS}
    ssl_client_certificate client-ca.pem;
    ssl_verify_client optional;
    {" ".join(directives)}
    return 200 "dn=$ssl_client_s_dn reused=$ssl_session_reused\\n";
}}
"""


_SESSION_ID = "ssl_session_tickets off; ssl_session_cache shared:sessions:1m;"
_FORBIDDEN = 'if ($ssl_client_s_dn = "") { return 403 "dn= reused=$ssl_session_reused\\n"; }'

ECHO = _echo()
ECHO_SESSION_ID = _echo(_SESSION_ID)
ECHO_403 = _echo(_FORBIDDEN)
ECHO_403_SESSION_ID = _echo(_SESSION_ID, _FORBIDDEN)


def location(path: str, *, certificate: str = "", name: bool = True, reuse: bool = True, tls13: bool = False) -> str:
    """A location of the proxy, with the settings that a case is about."""
    directives = [f"proxy_pass https://{UPSTREAM}:{UPSTREAM_PORT};", f"proxy_set_header Host {HOST};"]
    if certificate:
        directives += [f"proxy_ssl_certificate {certificate}.pem;", f"proxy_ssl_certificate_key {certificate}.key;"]
    if name:
        directives += ["proxy_ssl_server_name on;", f"proxy_ssl_name {HOST};"]
    if not reuse:
        directives += ["proxy_ssl_session_reuse off;"]
    if tls13:
        directives += ["proxy_ssl_protocols TLSv1.2 TLSv1.3;"]
    return f"location {path} {{ {' '.join(directives)} }}\n"


def three_locations(*, reuse: bool = True, tls13: bool = False) -> str:
    """Locations with the certificate of alice, with that of bob, and with none; all have the same upstream."""
    return (
        location("/alice", certificate="alice", reuse=reuse, tls13=tls13)
        + location("/bob", certificate="bob", reuse=reuse, tls13=tls13)
        + location("/nobody", reuse=reuse, tls13=tls13)
    )


def upstream(folder: Path, blocks: str, environment: Mapping[str, str]) -> AbstractContextManager[None]:
    """The nginx that ends TLS."""
    return lab.nginx(folder, "upstream", blocks, [(UPSTREAM, UPSTREAM_PORT)], environment=environment)


def proxy(folder: Path, locations: str) -> AbstractContextManager[None]:
    """The nginx that is its client."""
    block = f"server {{ listen {PROXY}:{PROXY_PORT}; {locations} }}"
    return lab.nginx(folder, "proxy", block, [(PROXY, PROXY_PORT)], environment={})
