"""What the benchmarks read is what they say."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import peers
from benchmarks.captures import write_capture
from tlsinspect.capture.file import open_capture
from tlsinspect.inspector import inspect
from tlsinspect.model.handshake import Handshake, Outcome
from tlsinspect.model.message import CertificateMessage

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
CONNECTIONS = 60


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captures")
    write_capture(folder / "mixed.pcap", folder, connections=CONNECTIONS, data_octets=4096, under_way=5, mixed=True)
    return folder / "mixed.pcap"


@pytest.fixture(scope="module")
def handshakes(mixed: Path) -> list[Handshake]:
    with open_capture(mixed) as capture:
        return list(inspect(capture))


def test_a_mixed_capture_has_whole_handshakes_of_all_kinds(handshakes: list[Handshake]) -> None:
    chains = [each.server_certificates for each in handshakes]
    of_clients = [each.client_certificates for each in handshakes]
    accepted = Counter(each.resumption.accepted for each in handshakes)

    assert {each.outcome for each in handshakes} == {Outcome.COMPLETED}
    assert len(handshakes) == CONNECTIONS
    assert accepted["session_ticket"] == CONNECTIONS // 10
    assert sum(isinstance(each, CertificateMessage) for each in of_clients) == CONNECTIONS // 10  # as TLS 1.3 hides its
    assert {len(each.entries) for each in chains if isinstance(each, CertificateMessage)} == {3}


def test_a_connection_of_a_mixed_capture_has_two_dozen_packets(mixed: Path) -> None:
    with open_capture(mixed) as capture:
        assert 22 <= sum(1 for _ in capture) / CONNECTIONS <= 26


@pytest.mark.parametrize("name", peers.PEERS)
def test_other_libraries_find_the_server_names(name: str, mixed: Path) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"needs {name}")
    if name == "pyshark" and not shutil.which("tshark"):
        pytest.skip("needs tshark")
    done = subprocess.run([sys.executable, peers.__file__, name, str(mixed)], capture_output=True, text=True)

    expected = {f"host{number}.site{number % 10}.example" for number in range(CONNECTIONS)}
    assert set(done.stdout.splitlines()) == expected, done.stderr[-1000:]
