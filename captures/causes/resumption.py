"""Sessions offered to another name or another server: openssl against two hosts of nginx."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import lab
from bench import HOST, OTHER_HOST, SERVER, Bench, Case, s_client

ONE, ANOTHER = 18530, 18531


@contextlib.contextmanager
def servers(bench: Bench) -> Iterator[None]:
    """nginx: two hosts on one port share their session tickets, the other port has its own."""
    blocks = "".join(
        f"server {{ listen {SERVER}:{port} ssl; server_name {names}; ssl_protocols TLSv1.2 TLSv1.3; "
        f'ssl_certificate {certificate}.pem; ssl_certificate_key {certificate}.key; return 200 "{names}\\n"; }}\n'
        for port, names, certificate in ((ONE, HOST, "good"), (ONE, OTHER_HOST, "other"), (ANOTHER, HOST, "good"))
    )
    with lab.nginx(bench.folder, "resumption", blocks, [(SERVER, ONE), (SERVER, ANOTHER)], environment={}):
        yield


SAVED, OFFERED = ("-sess_out", "session.pem"), ("-sess_in", "session.pem")

CASES = (
    Case(
        "session-resumed-other-name/openssl-nginx",
        (
            s_client(ONE, *SAVED),
            s_client(ONE, *OFFERED, name=OTHER_HOST, says="Verification|CONNECTION ESTABLISHED"),
            s_client(ONE, name=OTHER_HOST),
        ),
    ),
    Case(
        "session-resumed/openssl-nginx",
        (s_client(ONE, *SAVED), s_client(ONE, *OFFERED, says="Verification|CONNECTION ESTABLISHED"), s_client(ONE)),
    ),
    Case(
        "resumption-refused/openssl-nginx",
        (
            s_client(ONE, *SAVED),
            s_client(ANOTHER, *OFFERED),
            s_client(ONE, *OFFERED, says="Verification|CONNECTION ESTABLISHED"),
        ),
    ),
)
