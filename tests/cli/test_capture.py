"""`tlsinspect capture` with real programs and real sockets."""

from __future__ import annotations

import ctypes
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.live import (
    LIMIT_SECONDS,
    TLSINSPECT,
    Json,
    capture,
    curl,
    curl_words,
    may_capture,
    needs_capture,
    server,
    shown,
    started,
    tshark,
)
from tlsinspect.capture.control_group import ControlGroup
from tlsinspect.report.schema import schema

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("openssl", "curl", "tshark"))), reason="needs openssl, curl and tshark"
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives up capabilities, which only root can")
WITHOUT_COLUMNS = {name: value for name, value in os.environ.items() if name != "COLUMNS"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live")


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    with server(folder) as found:
        yield found


def without_findings(handshake: Json) -> Json:
    return {key: value for key, value in handshake.items() if key not in ("findings", "not_assessable")}


def by_start(handshakes: list[Json]) -> list[Json]:
    return sorted(handshakes, key=lambda each: (each["started"], each["stream"]))


# -- a watch --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def watched(folder: Path, port: int) -> tuple[list[Json], str, int, Path]:
    """Lines, messages, exit status and file of a watch that an interrupt ended; its rows came before."""
    file = folder / "watch.pcapng"
    with capture("-i", "lo", "-f", f"tcp port {port}", "-w", file, "--format", "jsonl") as capturing:
        curl(port, "-k")
        curl(port)  # does not trust the certificate
        curl(port, "-k", "--tls-max", "1.2")
        with socket.create_connection(("127.0.0.1", port)) as plain:
            plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
            plain.recv(100)
        with socket.create_connection(("127.0.0.1", port)):
            pass  # no TLS: no row
        capturing.wait_for_lines(3)
        status = capturing.end(signal.SIGINT)
        return capturing.lines(), capturing.err.decode(), status, file


@needs_capture
def test_live_rows_equal_those_of_the_written_file(watched: tuple[list[Json], str, int, Path]) -> None:
    lines, _, _, file = watched

    assert by_start([without_findings(each) for each in lines[:-1]]) == by_start(shown(file))
    assert [each["outcome"] for each in by_start(lines[:-1])][:3] == ["completed", "rejected", "completed"]


@needs_capture
def test_each_row_has_its_findings(watched: tuple[list[Json], str, int, Path]) -> None:
    lines, _, _, _ = watched

    assert by_start(lines[:-1])[1]["findings"][0]["code"] == "server-cert-untrusted"


@needs_capture
def test_an_interrupt_ends_a_watch_with_what_was_counted(watched: tuple[list[Json], str, int, Path]) -> None:
    lines, messages, status, file = watched
    statistics = lines[-1]["statistics"]
    packets = len(tshark(file).stdout.splitlines())

    jsonschema.validate(lines[-1], {**schema()["$defs"]["end"], "$defs": schema()["$defs"]})  # type: ignore[index]
    assert status == 0
    assert statistics["frames"] == statistics["frames_written"] == packets > 40
    assert (statistics["kernel_dropped"], statistics["application_dropped"]) == (0, 0)
    assert f"{packets} packets, 0 dropped; {len(lines) - 1} handshakes, 0 under way" in messages


@needs_capture
def test_a_handshake_is_captured_once_on_loopback(watched: tuple[list[Json], str, int, Path]) -> None:
    hellos = tshark(watched[3], "-Y", "tls.handshake.type == 1").stdout.splitlines()

    assert len(hellos) == 3


@needs_capture
def test_count_ends_a_watch_and_a_pipe_gets_one_line_a_row(port: int) -> None:
    with capture("-i", "lo", "-f", f"tcp port {port}", "--count", 1, env=WITHOUT_COLUMNS) as capturing:
        curl(port)
        status = capturing.wait()
        head, _, row = capturing.out.decode().splitlines()[:3]

    assert status == 0
    assert head.split()[:3] == ["#", "Time", "(UTC)"]
    assert "shop.example" in row
    assert row.endswith("[server-cert-untrusted]")


# -- a recording ----------------------------------------------------------------------------------------------------


@needs_capture
def test_a_killed_watch_leaves_a_file_with_all_that_ended_a_second_before(folder: Path, port: int) -> None:
    for turn in range(3):
        file = folder / f"killed-{turn}.pcapng"
        with capture("-i", "lo", "-f", f"tcp port {port}", "-w", file, "--format", "jsonl") as capturing:
            curl(port, "-k")
            curl(port, "-k")
            time.sleep(random.uniform(0, 0.4))
            with subprocess.Popen(curl_words(port, "-k")) as last:
                time.sleep(random.uniform(0, 0.05))
                capturing.end(signal.SIGKILL)
                last.wait(LIMIT_SECONDS)
        opened = tshark(file, "-Y", "tls.handshake.type == 1")

        assert opened.returncode == 0
        assert "cut short" not in opened.stderr
        assert len(opened.stdout.splitlines()) >= 2


@needs_capture
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_ends_a_watch_with_one_line(port: int) -> None:
    with started(*TLSINSPECT, "capture", "-i", "lo", "-w", "/dev/full") as capturing:
        status = capturing.wait()

    assert status == 2
    assert capturing.err.decode().splitlines() == [
        "/dev/full cannot be written any further: No space left on device. What was written before is whole."
    ]


@needs_capture
@pytest.mark.skipif(not all(map(shutil.which, ("unshare", "ip"))), reason="needs unshare and ip")
def test_captures_all_interfaces_of_a_namespace_into_a_ring_of_handshakes(folder: Path, port: int) -> None:
    """A server and a client in a namespace of their own; what any captures has cooked headers."""
    inside = folder / "namespace.sh"
    pem = folder / "server.pem"
    inside.write_text(
        "set -e\n"
        "ip link set lo up\n"
        f"openssl s_server -accept 127.0.0.1:4433 -cert {pem} -key {pem} -www >/dev/null 2>&1 &\n"
        "server=$!\n"
        'trap "kill $server" EXIT\n'
        "sleep 0.3\n"
        f"{' '.join(TLSINSPECT)} capture -w {folder}/ring.pcapng --ring 3:64K --handshakes-only --count 60 "
        f"--format jsonl >{folder}/ring.jsonl 2>{folder}/ring.err &\n"
        "watch=$!\n"
        f"until grep -q Capturing {folder}/ring.err; do sleep 0.1; done\n"
        "openssl s_time -connect 127.0.0.1:4433 -new -time 1 >/dev/null 2>&1 || true\n"
        "for turn in $(seq 60); do openssl s_client -connect 127.0.0.1:4433 </dev/null >/dev/null 2>&1 || true; "
        "kill -0 $watch 2>/dev/null || break; done\n"
        "wait $watch\n"
    )
    done = subprocess.run(
        ["unshare", "-n", "sh", str(inside)], capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
    if "unshare" in done.stderr:
        pytest.skip(f"no namespaces here: {done.stderr.strip()}")
    lines = [json.loads(line) for line in (folder / "ring.jsonl").read_text().splitlines()]
    files = sorted(folder.glob("ring-*.pcapng"))
    links = tshark(files[-1], "-T", "fields", "-e", "frame.encap_type").stdout.split()

    assert done.returncode == 0, done.stderr
    assert len(lines) - 1 >= 60
    assert {each["outcome"] for each in lines[:-1]} <= {"completed", "cut"}  # the last one may not have ended
    assert len(files) <= 3
    assert all(each.stat().st_size < 3 << 16 for each in files)
    assert set(links) == {"210"}  # WTAP_ENCAP_SLL2


# -- around a command -----------------------------------------------------------------------------------------------


def give_up(capability: int) -> None:
    """Takes a capability from what this process starts, root or not.  capabilities(7)."""
    drop_from_bounding_set = 24
    assert ctypes.CDLL(None).prctl(drop_from_bounding_set, capability, 0, 0, 0) == 0


def without_control_groups() -> None:
    """What this process starts may capture, but load no programs into the kernel."""
    cap_sys_admin, cap_bpf = 21, 39
    for capability in (cap_sys_admin, cap_bpf):
        give_up(capability)


def may_use_control_groups() -> bool:
    """Whether a command can be put into a control group whose connections are known."""
    try:
        ControlGroup().close()
    except OSError:
        return False
    return True


needs_control_groups = pytest.mark.skipif(
    not may_use_control_groups(), reason="needs the right to make control groups and to load BPF programs"
)


@contextmanager
def others(ports: Sequence[int]) -> Iterator[None]:
    """A handshake of another program with each of these servers; the connections stay open until the block is left."""
    with ExitStack() as stack:
        for each in ports:
            process = subprocess.Popen(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{each}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            stack.callback(end, process)
            assert process.stdout is not None
            while "SSL handshake has read" not in process.stdout.readline():
                assert process.poll() is None
        yield


def end(process: subprocess.Popen[Any]) -> None:
    process.kill()
    process.communicate()


@needs_capture
@pytest.mark.parametrize(
    ("told_by", "give_up_rights"),
    [
        pytest.param("control group", None, marks=needs_control_groups),
        pytest.param("sockets", without_control_groups, marks=needs_root),
    ],
)
def test_explains_the_connections_of_a_command_and_no_others(
    folder: Path, port: int, told_by: str, give_up_rights: Callable[[], None] | None
) -> None:
    """The command is a shell that has curl fail; meanwhile another program's connections begin and stay open."""
    file, report, go = folder / "command.pcapng", folder / "command.json", folder / "go"
    curling = " ".join(curl_words(port))
    command = ("sh", "-c", f"echo spoken; until test -e {go}; do sleep 0.05; done; {curling}; sleep 0.5; exit 7")
    go.unlink(missing_ok=True)
    with ExitStack() as stack:
        foreign = [stack.enter_context(server(folder)) for _ in range(2)]
        only = " or ".join(f"tcp port {each}" for each in (port, *foreign))
        words = [*TLSINSPECT, "capture", "-i", "lo", "-f", only, "-w", file, "-o", report, "--", *command]
        capturing = stack.enter_context(started(*words, preexec_fn=give_up_rights))
        while capturing.process.poll() is None and b"spoken" not in capturing.err:
            capturing.read()
        with others(foreign):
            go.touch()
            status = capturing.wait()
    found = json.loads(report.read_text())

    assert status == 1
    assert capturing.out == b""
    jsonschema.validate(found, schema())
    assert found["command"] == {"arguments": list(command), "status": 7}
    assert [each["outcome"] for each in found["handshakes"]] == ["rejected"]
    assert found["statistics"]["left_out"] == 2
    assert found["statistics"]["told_by"] == told_by
    assert "The command ended with status 7." in capturing.err.decode()
    assert ("no control group of its own could be used" in capturing.err.decode()) == (told_by == "sockets")
    assert len(shown(file)) == 1


@needs_capture
@needs_control_groups
def test_tells_connections_of_a_millisecond_under_load(folder: Path, port: int) -> None:
    """Six processes that last as long as their connection, while others make the same, on a busy machine."""
    report = folder / "short.json"
    connect = f"openssl s_client -connect 127.0.0.1:{port} -servername {{}}.example </dev/null >/dev/null 2>&1"
    command = ("sh", "-c", f"for turn in 1 2 3 4 5 6; do {connect.format('own')}; done")
    foreign = ("sh", "-c", f"while true; do {connect.format('foreign')}; done")
    with ExitStack() as stack:
        for words in (foreign, *[(sys.executable, "-c", "while True: pass")] * (os.cpu_count() or 1)):
            stack.callback(end, subprocess.Popen(words))
        words = [*TLSINSPECT, "capture", "-i", "lo", "-f", f"tcp port {port}", "-o", report, "--", *command]
        with started(*words) as capturing:
            capturing.wait()
    found = json.loads(report.read_text())

    assert [each["client_hello"]["server_name"] for each in found["handshakes"]] == ["own.example"] * 6
    assert found["statistics"]["left_out"] >= 1
    assert found["statistics"]["presumed"] == 0


@needs_capture
def test_the_recording_of_a_command_holds_its_keys(folder: Path, port: int) -> None:
    file = folder / "keys.pcapng"
    done = subprocess.run(
        [*TLSINSPECT, "capture", "-i", "lo", "-f", f"tcp port {port}", "-w", str(file), "--", *curl_words(port, "-k")],
        capture_output=True,
        timeout=LIMIT_SECONDS,
        check=False,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    opened = tshark(file, "-Y", "tls.handshake.type == 11", "-T", "fields", "-e", "tls.handshake.type")

    assert done.returncode == 0
    assert [each["server_certificates"][0]["subject"] for each in shown(file)] == ["CN=shop.example"]
    assert opened.stdout.splitlines() != []  # the certificate of TLS 1.3 is encrypted
    assert list(folder.glob("tlsinspect-*")) == []
    assert file.stat().st_mode & 0o077 == 0


@needs_capture
def test_says_that_a_command_cannot_be_run() -> None:
    done = subprocess.run([*TLSINSPECT, "capture", "lo"], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "The command 'lo' cannot be run: No such file or directory. To capture on that interface, write -i lo."
    ]


# -- without the right ----------------------------------------------------------------------------------------------


def give_up_the_right_to_capture() -> None:
    """What this process starts will not have CAP_NET_RAW, root or not."""
    cap_net_raw = 13
    give_up(cap_net_raw)


def test_says_in_one_line_how_to_get_the_right_to_capture() -> None:
    done = subprocess.run(
        [*TLSINSPECT, "capture", "-i", "lo"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=give_up_the_right_to_capture if may_capture() else None,
    )

    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "CAP_NET_RAW" in line
    assert "(1) sudo " in line
    assert "(2) sudo setcap cap_net_raw,cap_net_admin=eip /" in line
    assert "(3) sudo tcpdump -U -w - -i lo tcp | tlsinspect show -" in line


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("-i", "nowhere0"), "There is no interface 'nowhere0' here."),
        (("-i", "lo", "-f", "tcp prt 443"), "The filter cannot be used: "),
        (("--ring", "3:1M"), "--handshakes-only and --ring say what to keep: they need -w FILE."),
        (("--format", "html"), "A watch is shown as it goes: --format table or jsonl"),
        (("--server", "nowhere.invalid"), "'nowhere.invalid' has no address: "),
    ],
)
def test_says_what_is_wrong_with_the_options(options: tuple[str, ...], says: str) -> None:
    if options[0] == "-i" and not may_capture():
        pytest.skip("needs the right to capture")
    done = subprocess.run([*TLSINSPECT, "capture", *options], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith(says)
    assert len(done.stderr.splitlines()) == 1


# -- streams --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "says"), [("show", b"shop.example"), ("explain", b"-#0")])
def test_a_stream_is_shown_before_it_ends(folder: Path, port: int, command: str, says: bytes) -> None:
    if not may_capture():
        pytest.skip("needs the right to capture")
    file = folder / "stream.pcapng"
    if not file.exists():
        subprocess.run(
            [*TLSINSPECT, "capture", "-i", "lo", "-w", str(file), "--", *curl_words(port, "-k")],
            capture_output=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
    octets = file.read_bytes()
    with subprocess.Popen([*TLSINSPECT, command, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(octets)
        process.stdin.flush()
        found = b""
        while says.replace(b"-#0", b"standard input#0") not in found:
            found += process.stdout.readline()
        process.stdin.close()
        process.stdout.read()

    assert process.wait(LIMIT_SECONDS) == 0


def test_a_growing_file_is_followed(folder: Path) -> None:
    source = folder / "stream.pcapng"
    if not source.exists():
        pytest.skip("needs the right to capture")
    octets = source.read_bytes()
    growing = folder / "growing.pcapng"
    growing.write_bytes(octets[: len(octets) // 2])
    with started(*TLSINSPECT, "show", "--follow", growing, "--format", "jsonl") as following:
        time.sleep(1)
        with growing.open("ab") as file:
            file.write(octets[len(octets) // 2 :])
        following.wait_for_lines(1)
        status = following.end(signal.SIGINT)

    assert status == 130
    assert [each["client_hello"]["server_name"] for each in following.lines()] == ["shop.example"]
