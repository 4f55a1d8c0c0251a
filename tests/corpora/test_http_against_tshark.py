"""On every capture with a key log that nobody here made, the heads of HTTP are what tshark reads."""

import json
import shutil
import subprocess

import pytest

from tests.corpora.test_keys_against_tshark import ENDING, NAMES, handshakes_of, keylog_of
from tests.support.captures import CORPORA
from tlsinspect.model.frame import Missing

pytestmark = [
    pytest.mark.skipif(not NAMES, reason="the shared corpora are not beside the repository"),
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
]

FIELDS = (
    *("tcp.stream", "http.request.method", "http.host", "http.request.uri", "http.response.code"),
    *("http2.headers.method", "http2.headers.authority", "http2.headers.path", "http2.headers.status"),
)
Heads = dict[int, tuple[list[tuple[str, str, str]], list[str]]]

WITHOUT = {
    "Lekensteyn__broken__dump.pcapng": "export suites",
    "Lekensteyn__ssl3__dump.pcapng": "export suites",
    "Lekensteyn__works__dump.pcapng": "export suites",
}
# Responses that end with a connection whose end is not in the capture, or not as TLS has it: tshark shows none.
UNENDED = frozenset(
    ("Lekensteyn__http-no-content-length-ssl.pcapng", "fkie-cad__feature_test.pcap", "secdev__tls_nss_example.pcap")
)


def by_tshark(name: str) -> Heads:
    """Requests and statuses by streams."""
    file = keylog_of(name)
    first = json.loads((CORPORA / "expected" / f"{name}{ENDING}").read_text().splitlines()[0])
    decode_as = [word for rule in first.get("decode_as", ()) for word in ("-d", rule)]
    keys = ["-o", f"tls.keylog_file:{file}"] if file else []
    command = [
        "tshark",
        "-n",
        "-2",
        "-r",
        str(CORPORA / name),
        *keys,
        *decode_as,
        "-T",
        "fields",
        "-E",
        "aggregator=/s",
    ]
    columns = [word for field in FIELDS for word in ("-e", field)]
    output = subprocess.run(
        [*command, *columns, "-Y", "tls && (http || http2.headers)"], capture_output=True, check=True, text=True
    ).stdout
    found: Heads = {}
    for line in output.splitlines():
        values = [value.split(" ") if value else [] for value in line.split("\t")]
        stream, method, host, uri, code, *two = values
        requests, statuses = found.setdefault(int(stream[0]), ([], []))
        for each, target in zip(method, uri, strict=True):
            requests.append((each, host[0] if host else "", target.partition("?")[0]))
        for each, authority, path in zip(*two[:3], strict=True):
            requests.append((each, authority, path.partition("?")[0]))
        statuses.extend(code + two[3])
    return {stream: heads for stream, heads in found.items() if any(heads)}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WITHOUT])
def test_reads_the_heads_that_tshark_reads(name: str) -> None:
    ours: Heads = {}
    for handshake in handshakes_of(name):
        if handshake.transport != "tcp" or isinstance(handshake.http, Missing):
            continue
        requests, statuses = ours.setdefault(handshake.stream, ([], []))
        requests += [(each.method, each.host, each.path) for each in handshake.http if each.method]
        statuses += [str(each.status) for each in handshake.http if each.status is not None]

    theirs = by_tshark(name)
    if name in UNENDED:
        assert not [statuses for _, statuses in theirs.values() if statuses]
        ours = {stream: (requests, []) for stream, (requests, _) in ours.items()}
    assert {stream: heads for stream, heads in ours.items() if any(heads)} == theirs
