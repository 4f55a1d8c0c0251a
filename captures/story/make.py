"""Makes the captures of the story anew: nginx, curl and openssl on loopback, seen by tcpdump.

    python captures/story/make.py                   all of them
    python captures/story/make.py 04a 06b           those whose folder begins so

Needs nginx, curl, openssl, tcpdump (with the right to capture), gcc and the Python package cryptography.  Every HTTP
answer is compared with what the case says; a case that comes out differently is not written, and ends the run.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import lab
import noise
import servers

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Case:
    """One capture: two nginx, what is asked of them, and whether the upstream writes a key log."""

    folder: str
    upstream: str  # server blocks of the upstream
    locations: str  # of the proxy
    ask: Callable[[Path], None]
    keylog: bool = False


def through_proxy(path: str, status: int, body: str) -> Callable[[Path], None]:
    """A request that the proxy passes on."""

    def ask(pki: Path) -> None:
        answer = lab.curl("--interface", servers.CLIENT, f"http://{servers.PROXY}:{servers.PROXY_PORT}{path}")
        expect(answer, lab.Answer(0, status, body))

    return ask


def directly(host: str, expected: lab.Answer, *options: str, certificate: str = "") -> Callable[[Path], None]:
    """A request of curl straight to the upstream, by name, with a client certificate."""

    def ask(pki: Path) -> None:
        identity = ("--cert", pki / f"{certificate}.pem", "--key", pki / f"{certificate}.key") if certificate else ()
        target = f"{host}:{servers.UPSTREAM_PORT}"
        answer = lab.curl(
            *("--interface", servers.CLIENT, "--resolve", f"{target}:{servers.UPSTREAM}"),
            *("--cacert", pki / "root.pem"),
            *(*identity, *options, f"https://{target}/"),
        )
        expect(answer, expected)

    return ask


def one_after_another(*asks: Callable[[Path], None]) -> Callable[[Path], None]:
    def ask(pki: Path) -> None:
        for each in asks:
            each(pki)

    return ask


def expect(answer: lab.Answer, expected: lab.Answer) -> None:
    """Raises LabError when curl got something else."""
    if answer != expected:
        raise lab.LabError(f"curl got {answer}, and the case wants {expected}")


def saw(identity: str, *, reused: bool = False) -> str:
    """What the upstream answers about the client that it sees."""
    return f"dn={identity} reused={'r' if reused else '.'}"


CURL_WITH_NAME = directly(
    servers.HOST, lab.Answer(0, 200, "certauth.example knows CN=alice"), "--tls-max", "1.2", certificate="alice"
)
CURL_WITH_NAME_TLS13 = directly(
    servers.HOST, lab.Answer(0, 200, "certauth.example knows CN=alice"), certificate="alice"
)
NGINX_REFUSED = through_proxy("/", 403, "certauth.example wants a client certificate")
NGINX_ACCEPTED = through_proxy("/", 200, "certauth.example knows CN=alice")
WITHOUT_NAME = servers.location("/", certificate="alice", name=False)
WITHOUT_NAME_TLS13 = servers.location("/", certificate="alice", name=False, tls13=True)

LEAK = one_after_another(
    through_proxy("/alice", 200, saw("CN=alice")), through_proxy("/nobody", 200, saw("CN=alice", reused=True))
)
LOSS = one_after_another(through_proxy("/nobody", 403, saw("")), through_proxy("/alice", 403, saw("", reused=True)))
SWAP = one_after_another(
    through_proxy("/alice", 200, saw("CN=alice")), through_proxy("/bob", 200, saw("CN=alice", reused=True))
)
EACH_ITS_OWN = one_after_another(
    through_proxy("/alice", 200, saw("CN=alice")),
    through_proxy("/nobody", 200, saw("")),
    through_proxy("/bob", 200, saw("CN=bob")),
)
REJECTED = one_after_another(
    through_proxy("/", 502, servers.BAD_GATEWAY),
    directly("unknown.example", lab.Answer(35, 0, ""), certificate="alice"),
    CURL_WITH_NAME,
)

CASES = (
    Case("01-nginx-without-server-name", servers.TWO_HOSTS, WITHOUT_NAME, NGINX_REFUSED),
    Case("01b-nginx-without-server-name-tls13", servers.TWO_HOSTS, WITHOUT_NAME_TLS13, NGINX_REFUSED, keylog=True),
    Case("02-curl-with-name", servers.TWO_HOSTS, "", CURL_WITH_NAME),
    Case("02b-curl-with-name-tls13", servers.TWO_HOSTS, "", CURL_WITH_NAME_TLS13, keylog=True),
    Case("03-nginx-with-server-name", servers.TWO_HOSTS, servers.location("/", certificate="alice"), NGINX_ACCEPTED),
    Case("04a-session-leak-ticket-tls12", servers.ECHO, servers.three_locations(), LEAK),
    Case("04b-session-leak-session-id-tls12", servers.ECHO_SESSION_ID, servers.three_locations(), LEAK),
    Case("04c-session-leak-tls13", servers.ECHO, servers.three_locations(tls13=True), LEAK, keylog=True),
    Case("05a-session-without-identity-ticket-tls12", servers.ECHO_403, servers.three_locations(), LOSS),
    Case("05b-session-without-identity-session-id-tls12", servers.ECHO_403_SESSION_ID, servers.three_locations(), LOSS),
    Case(
        "05c-session-without-identity-tls13", servers.ECHO_403, servers.three_locations(tls13=True), LOSS, keylog=True
    ),
    Case("06a-two-certificates-tls12", servers.ECHO, servers.three_locations(), SWAP),
    Case("06b-two-certificates-tls13", servers.ECHO, servers.three_locations(tls13=True), SWAP, keylog=True),
    Case("07a-session-reuse-off-tls12", servers.ECHO, servers.three_locations(reuse=False), EACH_ITS_OWN),
    Case(
        "07b-session-reuse-off-tls13",
        servers.ECHO,
        servers.three_locations(reuse=False, tls13=True),
        EACH_ITS_OWN,
        keylog=True,
    ),
    Case("08-reject-handshake", servers.REJECTING, WITHOUT_NAME, REJECTED),
)
NOISY = "09-any-with-noise"  # made of the connections of 01 and 02, with others around them


def make_pki(folder: Path) -> None:
    """Writes the certificates of all cases: two hierarchies, one for servers and one for clients."""
    root = lab.make_authority("Example Root CA")
    root.write(folder, "root")
    server_authority = lab.make_authority("Example Server CA", root)
    lab.issue(servers.HOST, server_authority, [servers.HOST]).write(folder, "certauth")
    lab.issue(servers.OTHER_HOST, server_authority, [servers.OTHER_HOST]).write(folder, "other")
    lab.issue("default.invalid", None, ["default.invalid"]).write(folder, "default")
    client_authority = lab.make_authority("Example Client CA")
    client_authority.write(folder, "client-ca")
    for name in ("alice", "bob"):
        lab.issue(name, client_authority).write(folder, name)


def make(case: Case, folder: Path, keylogger: Path) -> None:
    """Makes the capture of one case, and its key log."""
    keys = folder / f"{case.folder}.keys"
    environment = {"LD_PRELOAD": str(keylogger), "SSLKEYLOGFILE": str(keys)} if case.keylog else {}
    capture = folder / f"{case.folder}.pcap"
    with contextlib.ExitStack() as stack:
        stack.enter_context(servers.upstream(folder, case.upstream, environment))
        stack.enter_context(servers.proxy(folder, case.locations))
        stack.enter_context(lab.capturing(capture, f"tcp port {servers.UPSTREAM_PORT}"))
        case.ask(folder)
    store(capture, keys if case.keylog else None, case.folder)


def make_noisy(folder: Path) -> None:
    """Makes the capture on all interfaces, with unrelated traffic around the connections of 01 and 02."""
    capture = folder / f"{NOISY}.pcap"
    with contextlib.ExitStack() as stack:
        stack.enter_context(servers.upstream(folder, servers.TWO_HOSTS, {}))
        stack.enter_context(servers.proxy(folder, WITHOUT_NAME))
        stack.enter_context(noise.other_server(folder))
        stack.enter_context(lab.capturing(capture, noise.CAPTURE_FILTER, interface="any"))
        with noise.kept_alive(), noise.long_tls_connection(folder):
            noise.resolve(servers.HOST)
            NGINX_REFUSED(folder)
            noise.plain_http()
            noise.healthy_tls(folder)
            noise.resolve(servers.OTHER_HOST)
            CURL_WITH_NAME(folder)
            noise.plain_http()
    store(capture, None, NOISY)


def store(capture: Path, keys: Path | None, name: str) -> None:
    target = HERE / name
    target.mkdir(exist_ok=True)
    shutil.copyfile(capture, target / file_name(name))
    if keys is not None:
        shutil.copyfile(keys, target / "keys.log")
    print(f"{name}: {capture.stat().st_size} octets")


def file_name(name: str) -> str:
    """The capture's file: of cases with one client it is called after that client."""
    if not name.startswith(("01", "02", "03")):
        return "capture.pcap"
    return "curl.pcap" if "curl" in name else "nginx.pcap"


def main(wanted: list[str]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_pki(folder)
        keylogger = lab.build_keylogger(folder)
        for case in CASES:
            if not wanted or case.folder.startswith(tuple(wanted)):
                make(case, folder, keylogger)
        if not wanted or NOISY.startswith(tuple(wanted)):
            make_noisy(folder)
    lab.print_versions()


if __name__ == "__main__":
    main(sys.argv[1:])
