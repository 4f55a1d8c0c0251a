"""On every capture with a key log that nobody here made, what was opened is what tshark opens."""

import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.corpora.exceptions import EXCEPTIONS_WITH_KEYS
from tests.support.captures import CORPORA
from tests.support.opened import expected_messages, message_differences, our_messages
from tlsinspect.capture.file import open_capture
from tlsinspect.inspector import Limits, inspect
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake
from tlsinspect.tls.keylog import Secrets

ENDING = ".tshark.keylog.json"
NAMES = sorted(
    path.name.removesuffix(ENDING) for path in CORPORA.glob(f"expected/*{ENDING}") if expected_messages(path)
)
# tshark reads each connection to its end.
NO_LIMITS = Limits(idle_ns=1 << 62, settle_ns=1 << 62, linger_ns=1 << 62, settle_octets=1 << 62)
ENCRYPTED_EXTENSIONS = "8"

pytestmark = pytest.mark.skipif(not NAMES, reason="the shared corpora are not beside the repository")


def keylog_of(name: str) -> Path | None:
    file = CORPORA / f"{name}.keylog"
    return file if file.exists() else None  # else the secrets are embedded


def handshakes_of(name: str) -> list[Handshake]:
    file = keylog_of(name)
    secrets = Secrets(file.read_bytes() if file else b"")
    with open_capture(CORPORA / name) as capture:
        return list(inspect(capture, secrets=secrets, limits=NO_LIMITS))


def found(name: str) -> list[str]:
    return message_differences(
        our_messages(handshakes_of(name)), expected_messages(CORPORA / "expected" / f"{name}{ENDING}")
    )


@pytest.mark.parametrize("name", NAMES)
def test_opens_what_tshark_opens(name: str) -> None:
    exceptions = EXCEPTIONS_WITH_KEYS.get(name, ())
    unexpected = [line for line in found(name) if not any(line.startswith(known) for known, _ in exceptions)]

    assert unexpected == []


@pytest.mark.parametrize("name", sorted(EXCEPTIONS_WITH_KEYS))
def test_needs_each_exception(name: str) -> None:
    lines = found(name)

    assert [known for known, _ in EXCEPTIONS_WITH_KEYS[name] if not any(line.startswith(known) for line in lines)] == []


def extensions_by_tshark(name: str) -> dict[int, list[int]]:
    """The extension types of EncryptedExtensions by streams."""
    file = keylog_of(name)
    expected = (CORPORA / "expected" / f"{name}{ENDING}").read_text().splitlines()[0]
    decode_as = ["-d", "tcp.port==9000,tls"] if "tcp.port==9000,tls" in expected else []
    options = ["-o", f"tls.keylog_file:{file}"] if file else []
    command = ["tshark", "-n", "-2", "-r", str(CORPORA / name), *options, *decode_as, "-T", "pdml"]
    output = subprocess.run(
        [*command, "-Y", f"tcp && tls.handshake.type == {ENCRYPTED_EXTENSIONS}"], capture_output=True, check=True
    ).stdout
    streams = {}
    for packet in ET.fromstring(output).iter("packet"):
        stream = next(field for field in packet.iter("field") if field.get("name") == "tcp.stream")
        for message in packet.iter("field"):
            types = [field.get("show") for field in message.findall("field[@name='tls.handshake.type']")]
            if types == [ENCRYPTED_EXTENSIONS]:
                streams[int(stream.get("show", ""))] = [
                    int(field.get("show", ""))
                    for field in message.iter("field")
                    if field.get("name") == "tls.handshake.extension.type"
                ]
    return streams


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("name", [name for name in NAMES if "tls1" in name.lower() or "test" in name])
def test_reads_the_encrypted_extensions_that_tshark_reads(name: str) -> None:
    ours = {
        handshake.stream: [extension.type for extension in handshake.encrypted_extensions.extensions]
        for handshake in handshakes_of(name)
        if not isinstance(handshake.encrypted_extensions, Missing)
    }

    assert extensions_by_tshark(name) == ours
