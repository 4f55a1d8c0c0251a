"""Every line that a fix gives to copy is one that its program takes, as far as the program is installed here."""

from __future__ import annotations

import ast
import base64
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.diagnosis.rule import Fix

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
NGINX, HAPROXY, APACHE, CADDY = (shutil.which(name, path=PATH) for name in ("nginx", "haproxy", "apache2", "caddy"))
STREAM_MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
APACHE_MODULES = Path("/usr/lib/apache2/modules")
CADDY_SINCE = (2, 8)
SINCE = re.compile(r"([0-9]+(?:\.[0-9]+)+) and later")
FILE = re.compile(r"(?<![\w/.-])(?:/[\w./-]+/)?[A-Za-z][\w-]*\.(?:pem|key|keys|crt|p12)\b|/certs/|/etc/haproxy/certs/")

# Where each kind of line may stand; a fix is right when it fits into one of them as a whole.
CERTIFICATE = "ssl_certificate {1}; ssl_certificate_key {1};"
NGINX_PLACES = (
    "http {{ server {{ location / {{ proxy_pass https://localhost; {0} }} }} }}",
    "http {{ server {{ location / {{ {0} }} }} }}",
    f"http {{{{ server {{{{ listen 127.0.0.1:20443 ssl; {CERTIFICATE} {{0}} }}}} }}}}",
    f"http {{{{ server {{{{ {CERTIFICATE} {{0}} }}}} }}}}",
    "http {{ server {{ {0} }} }}",
    "http {{ {0} }}",
    "{0}",
)
STREAM_PLACES = (
    "stream {{ server {{ listen 127.0.0.1:20443; proxy_pass localhost:9; {0} }} }}",
    "stream {{ server {{ listen 127.0.0.1:20443; {0} }} }}",
    f"stream {{{{ server {{{{ listen 127.0.0.1:20443 ssl; {CERTIFICATE} proxy_pass localhost:9; {{0}} }}}} }}}}",
    f"stream {{{{ server {{{{ {CERTIFICATE} proxy_pass localhost:9; {{0}} }}}} }}}}",
    "stream {{ map $ssl_preread_server_name $to {{ {0} }} server {{ listen 127.0.0.1:20443; proxy_pass $to; }} }}",
    "stream {{ {0} }}",
)
HAPROXY_FRONT = "frontend f\n mode {mode}\n timeout client 5s\n bind 127.0.0.1:20443\n default_backend b\n{front}\n"
HAPROXY_BACK = "backend b\n mode {mode}\n timeout connect 5s\n timeout server 5s\n{back}\n"
HAPROXY_PLACES = (
    "global\n{0}\n" + HAPROXY_FRONT.format(mode="http", front="") + HAPROXY_BACK.format(mode="http", back=""),
    "defaults\n{0}\n" + HAPROXY_FRONT.format(mode="http", front="") + HAPROXY_BACK.format(mode="http", back=""),
    HAPROXY_FRONT.format(mode="http", front="{0}") + HAPROXY_BACK.format(mode="http", back=""),
    HAPROXY_FRONT.format(mode="tcp", front="{0}") + HAPROXY_BACK.format(mode="tcp", back=""),
    HAPROXY_FRONT.format(mode="http", front="") + HAPROXY_BACK.format(mode="http", back="{0}"),
)
APACHE_PLACES = (
    "<VirtualHost 127.0.0.1:1>\nSSLEngine on\nSSLCertificateFile {1}\nSSLCertificateKeyFile {1}\n{0}\n</VirtualHost>",
    "<VirtualHost 127.0.0.1:1>\n{0}\n</VirtualHost>",
    "{0}",
)


def fixes_of(*products: str) -> list[object]:
    """Each different example of these products, named by the first cause that has it."""
    found: dict[tuple[str, str], object] = {}
    for cause in CAUSES:
        for fix in cause.fixes:
            if fix.example and fix.product in products:
                found.setdefault((fix.product, fix.example), pytest.param(fix, id=f"{cause.code}-{len(found)}"))
    return list(found.values())


@cache
def version_of(*command: str) -> tuple[int, ...]:
    """The first number with dots that a program prints about itself."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    number = re.search(r"[0-9]+(?:\.[0-9]+)+", done.stdout + done.stderr)
    return tuple(int(part) for part in number[0].split(".")) if number else ()


def skip_older(fix: Fix, *command: str) -> None:
    """Skips a fix that says that it needs a later version than the one here."""
    since = SINCE.search(fix.action)
    if since and version_of(*command) < tuple(int(part) for part in since[1].split(".")):
        pytest.skip(f"needs {since[1]}")


def filled(example: str, file: Path) -> str:
    """The example with a host, an address, a port and files that exist."""
    keys = re.sub(r"\S+/ticket\.keys\b", str(file.with_suffix(".tickets")), example)
    text = FILE.sub(str(file), keys.replace("{host}", "localhost").replace("https://...", "https://localhost/"))
    text = re.sub(r"\b(ADDRESS|HOST)\b", "127.0.0.1", text)
    text = text.replace("[::]:443", "127.0.0.1:20444").replace("bind :::443 v4v6", "bind 127.0.0.1:20444")
    return re.sub(r"(?<=listen )443\b|(?<=bind ):443\b", "127.0.0.1:20445", text)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a certificate and its key, in every role that a fix may name."""
    path = tmp_path_factory.mktemp("fixes") / "all"
    request = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    files = ["-keyout", path, "-out", path.with_suffix(".crt")]
    subprocess.run([*request.split(), *files], check=True, capture_output=True)
    path.write_text(path.with_suffix(".crt").read_text() + path.read_text())
    path.with_suffix(".tickets").write_text(f"{base64.b64encode(bytes(48)).decode()}\n" * 3)
    return path


def complaint(places: tuple[str, ...], example: str, file: Path, *check: str, suffix: str = ".conf") -> str:
    """Nothing when the example passes in one of the places, else what the program said about the last that is near."""
    said = ""
    for place in places:
        configuration = file.with_suffix(suffix)
        configuration.write_text(place.format(filled(example, file), file))
        done = subprocess.run([*check, str(configuration)], capture_output=True, text=True, check=False)
        if not done.returncode:
            return ""
        said += done.stderr.strip() + "\n"
    return said


@pytest.mark.skipif(not NGINX, reason="nginx is not installed")
@pytest.mark.parametrize("fix", fixes_of("nginx", "nginx (grpc)", "nginx (uwsgi)"))
def test_nginx_takes_the_lines(fix: Fix, file: Path) -> None:
    skip_older(fix, str(NGINX), "-v")
    if re.match(r"[A-Z_]+=|nginx ", fix.example):
        pytest.skip("a command, no configuration")
    load = f"load_module {STREAM_MODULE}; " if STREAM_MODULE.exists() else ""
    main = f"{load}error_log stderr; pid {file}.pid; events {{{{}}}} "
    places = tuple(main.replace("{{}}", "{{}}") + place for place in NGINX_PLACES)

    assert not complaint(places, fix.example, file, str(NGINX), "-t", "-q", "-e", "stderr", "-c")


@pytest.mark.skipif(not NGINX or not STREAM_MODULE.exists(), reason="nginx's stream module is not installed")
@pytest.mark.parametrize("fix", fixes_of("nginx (stream)"))
def test_nginx_takes_the_lines_in_stream(fix: Fix, file: Path) -> None:
    skip_older(fix, str(NGINX), "-v")
    main = f"load_module {STREAM_MODULE}; error_log stderr; pid {file}.pid; events {{{{}}}} "

    assert not complaint(
        tuple(main + place for place in STREAM_PLACES), fix.example, file, str(NGINX), "-t", "-q", "-e", "stderr", "-c"
    )


@pytest.mark.skipif(not HAPROXY, reason="HAProxy is not installed")
@pytest.mark.parametrize("fix", fixes_of("HAProxy"))
def test_haproxy_takes_the_lines(fix: Fix, file: Path) -> None:
    skip_older(fix, str(HAPROXY), "-v")
    if re.match(r"[A-Z_]+=|systemctl", fix.example):
        pytest.skip("a command, no configuration")

    assert not complaint(HAPROXY_PLACES, fix.example, file, str(HAPROXY), "-c", "-q", "-f", suffix=".cfg")


def apache_modules() -> Iterator[str]:
    for name in ("mpm_event", "authz_core", "socache_shmcb", "ssl", "proxy", "proxy_http", "http2", "proxy_http2"):
        if (APACHE_MODULES / f"mod_{name}.so").exists():
            yield f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so"
    for name in ("headers", "rewrite", "reqtimeout", "log_config", "remoteip"):
        if (APACHE_MODULES / f"mod_{name}.so").exists():
            yield f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so"


@pytest.mark.skipif(not APACHE or not APACHE_MODULES.exists(), reason="Apache is not installed")
@pytest.mark.parametrize("fix", fixes_of("Apache"))
def test_apache_takes_the_lines(fix: Fix, file: Path) -> None:
    skip_older(fix, str(APACHE), "-v")
    if re.match(r"[A-Z]+=|echo|systemctl|apachectl", fix.example):
        pytest.skip("a command, no configuration")
    main = "\n".join(
        [*apache_modules(), "ServerName app.example", "Listen 127.0.0.1:1", f"PidFile {file}.pid", "ErrorLog /dev/null"]
    )
    places = tuple(f"{main}\n{place}\n" for place in APACHE_PLACES)

    assert not complaint(places, fix.example, file, str(APACHE), "-t", "-d", str(file.parent), "-f")


@pytest.mark.skipif(not CADDY, reason="Caddy is not installed")
@pytest.mark.parametrize("fix", fixes_of("Caddy"))
def test_caddy_takes_the_lines(fix: Fix, file: Path) -> None:
    if version_of(str(CADDY), "version") < CADDY_SINCE:
        pytest.skip("only the latest Caddy is maintained; the lines are those of 2.8 and later")
    skip_older(fix, str(CADDY), "version")
    if re.match(r"[A-Z_]+=|caddy |\"", fix.example):
        pytest.skip("a command, no configuration")
    places = (
        "app.example {{\n{0}\n}}",
        "{0}",
        "app.example {{\nreverse_proxy 127.0.0.1:9 {{\n{0}\n}}\n}}",
        "app.example {{\n tls {1} {1} {{\n{0}\n}}\n}}",
        "app.example {{\n tls {1} {1} {{\n client_auth {{\n{0}\n}}\n}}\n}}",
        "{{\n{0}\n}}",
    )

    assert not complaint(places, fix.example, file, str(CADDY), "adapt", "--adapter", "caddyfile", "--config")


@cache
def options_of(*command: str) -> frozenset[str]:
    """The options that a program's help names."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return frozenset(re.findall(r"(?<![\w-])--?[A-Za-z][\w.-]*", done.stdout + done.stderr))


def options_in(example: str, program: str) -> set[str]:
    """The options that an example gives to a program."""
    calls = re.findall(rf"(?m)(?:^|[ ;|]){program}((?: [^|;\n]*)?)$", example)
    return {option for call in calls for option in re.findall(r"(?<= )--?[A-Za-z][\w.-]*", call)}


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("fix", fixes_of("curl"))
def test_curl_has_the_options(fix: Fix) -> None:
    skip_older(fix, "curl", "--version")

    assert options_in(fix.example, "curl") <= options_of("curl", "--help", "all")


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
@pytest.mark.parametrize("fix", fixes_of("OpenSSL"))
def test_openssl_has_the_options(fix: Fix) -> None:
    skip_older(fix, "openssl", "version")
    for program in ("s_client", "s_server", "x509", "verify", "ciphers"):
        assert options_in(fix.example, f"openssl {program}") <= options_of("openssl", program, "-help")


@pytest.mark.skipif(not shutil.which("gnutls-cli"), reason="gnutls-cli is not installed")
@pytest.mark.parametrize("fix", fixes_of("GnuTLS"))
def test_gnutls_has_the_options_and_priorities(fix: Fix) -> None:
    priority = re.search(r"--priority[ =]'?([^ ']+)", fix.example)
    if priority:
        done = subprocess.run(["gnutls-cli", "--list", "--priority", priority[1]], capture_output=True, check=False)

        assert not done.returncode
    for program in ("gnutls-cli", "gnutls-serv", "certtool"):
        if shutil.which(program):
            assert options_in(fix.example, program) <= options_of(program, "--help")


@pytest.mark.parametrize("fix", fixes_of("Python"))
def test_python_takes_the_lines(fix: Fix) -> None:
    if re.match(r"[A-Z_]+=", fix.example):
        pytest.skip("an environment variable, no code")

    ast.parse(fix.example)


@pytest.mark.skipif(not shutil.which("node"), reason="Node is not installed")
@pytest.mark.parametrize("fix", fixes_of("Node"))
def test_node_takes_the_lines(fix: Fix, file: Path) -> None:
    if re.match(r"[A-Z_]+=|node ", fix.example):
        pytest.skip("a command, no code")
    script = file.with_suffix(".js")
    script.write_text(re.sub(r", \.\.\.", "", f"(() => {fix.example.rstrip(';')});"))
    done = subprocess.run(["node", "--check", script], capture_output=True, text=True, check=False)

    assert not done.returncode, done.stderr
