"""The second opinion: the handshake messages of a capture as tshark dissects them, through pyshark."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tlsinspect.capture.file import open_capture
from tlsinspect.capture.record import PcapngWriter
from tlsinspect.crosscheck.shown import ALERT, FATAL, HTTP, Shown, Tree, first, number, values
from tlsinspect.model.errors import ReferenceUnavailable
from tlsinspect.model.handshake import Handshake

HTTP_FIELDS = ("http.host", "http.response.code", "http2.headers.authority", "http2.headers.status")
QUIC_ALERT = "quic.cc.error_code.tls_alert"  # QUIC carries an alert in CONNECTION_CLOSE (RFC 9001 section 4.8)
SHOWN = ("tls.handshake.type", "tls.alert_message.desc", "dtls.handshake.type", "dtls.alert_message.desc", QUIC_ALERT)
MESSAGES_FILTER = f"{' || '.join(SHOWN)} || (tls && ({' || '.join(HTTP_FIELDS)}))"
KNOWN_PARTS = ("tls.", "dtls.", "http.", "http2.")  # of the names of fields
# As Wireshark reads a capture that it holds completely: segments out of order are put in order.
# A response is shown with its head, as a body may have no end in the capture.
PREFERENCES = {"tcp.reassemble_out_of_order": "TRUE", "http.desegment_body": "FALSE"}
TWO_PASSES = "-2"
HOW_TO_INSTALL = (
    "tshark, which comes with Wireshark, is not installed (apt install tshark, dnf install wireshark-cli, "
    "brew install wireshark)."
)
# Dissections of certificates: large, and their octets are compared.
LEFT_OUT = frozenset(("tls.handshake.certificate_tree", "dtls.handshake.certificate_tree"))


@dataclass(frozen=True, slots=True)
class Tshark:
    """The tshark of this machine."""

    version: str  # such as "4.0.17"
    fields: frozenset[str]  # the display filter names of TLS, DTLS and HTTP that it knows

    def __str__(self) -> str:
        return f"tshark {self.version}"


def find_tshark() -> Tshark:
    """The tshark that pyshark runs.  Raises ReferenceUnavailable when there is none, or it does not run."""
    from pyshark.tshark import tshark

    try:
        path = tshark.get_process_path()
        version = tshark.get_tshark_version()
        # Each line of the list: what it is, its title, its name, its type, ...
        lines = subprocess.run([path, "-G", "fields"], capture_output=True, check=True).stdout.decode().splitlines()  # noqa: S603
    except tshark.TSharkNotFoundException:
        raise ReferenceUnavailable(HOW_TO_INSTALL) from None
    except (OSError, subprocess.CalledProcessError, tshark.TSharkVersionException) as error:
        raise ReferenceUnavailable(f"tshark does not run ({error}).") from error
    names = (line.split("\t", 3)[2] for line in lines if line.startswith("F\t"))
    return Tshark(str(version), frozenset(name for name in names if name.startswith(KNOWN_PARTS)))


def write_copy(name: str, out: BinaryIO) -> None:
    """Writes the frames and secrets of a capture that can be read as a whole pcapng file."""
    with open_capture(name) as capture:
        writer = PcapngWriter(out)
        written = 0
        for frame in capture:
            for text in capture.key_logs[written:]:
                writer.write_key_log(text)
            written = len(capture.key_logs)
            writer.write(frame)
    out.flush()


def messages_of(file: Path, *, keylog: Path | None = None, handshakes: Sequence[Handshake] = ()) -> list[Shown]:
    """The handshake messages and alerts that tshark shows in a capture, in wire order.

    On ports where it did not find TLS that is in *handshakes*, it is told to look for it.
    Raises ReferenceUnavailable when it fails.
    """
    preferences = PREFERENCES | ({"tls.keylog_file": str(keylog)} if keylog else {})
    shown = dissected(file, preferences, MESSAGES_FILTER, {})
    streams = {(message.transport, message.stream) for message in shown}
    overlooked = {
        each.stream: each.server.port
        for each in handshakes
        if each.protocol == "tls" and each.preamble is None and each.client_hellos
        if (each.transport, each.stream) not in streams
    }
    if overlooked:
        ports = sorted(set(overlooked.values()))
        wanted = f"({MESSAGES_FILTER}) && tcp.port in {{{', '.join(map(str, ports))}}}"
        told = {f"tcp.port=={port}": "tls" for port in ports}
        shown += [
            m for m in dissected(file, preferences, wanted, told) if m.transport == "tcp" and m.stream in overlooked
        ]
    return shown


def dissected(
    file: Path, preferences: Mapping[str, str], display_filter: str, decode_as: Mapping[str, str]
) -> list[Shown]:
    """The messages of one run of tshark.  Raises ReferenceUnavailable when it fails."""
    from pyshark.capture.capture import TSharkCrashException

    shown: list[Shown] = []

    def take(packet: Any) -> None:
        shown.extend(packet_messages(packet))

    try:
        asyncio.run(run_tshark(file, take, preferences, display_filter, decode_as))
    except TSharkCrashException as error:
        said = next((line for line in str(error).splitlines() if line.startswith("Last error line")), "")
        raise ReferenceUnavailable(f"tshark cannot read {file.name}: {said.partition(': ')[2]}") from error
    return shown


async def run_tshark(
    file: Path,
    take: Callable[[Any], None],
    preferences: Mapping[str, str],
    display_filter: str,
    decode_as: Mapping[str, str],
) -> None:
    """Hands every packet that passes the filter to *take*; no process is left, whatever happens.

    JSON is the only output of tshark in which pyshark keeps the nesting, and with it which message a field is of.
    """
    from pyshark import FileCapture

    capture = FileCapture(
        str(file),
        keep_packets=False,
        use_json=True,
        display_filter=display_filter,
        override_prefs=dict(preferences),
        decode_as=dict(decode_as),
        custom_parameters=[TWO_PASSES],
        eventloop=asyncio.get_running_loop(),  # else pyshark replaces the child watcher of the process
    )
    try:
        await capture.packets_from_tshark(take, close_tshark=False)
        # pyshark kills a process that has not ended yet, and then takes a failure for the end of the file.
        for process in capture._running_processes:
            await process.wait()
    finally:
        try:
            await capture.close_async()
        finally:
            capture._running_processes.clear()  # else its destructor closes it again, on a loop that is no more


def packet_messages(packet: Any) -> Iterator[Shown]:
    """The messages that a packet completes."""
    # The fields as tshark nests them; what pyshark makes of them merges all extensions of a message.
    layers: list[tuple[str, Tree]] = [
        (layer.layer_name, each._all_fields) for layer in packet.layers for each in (layer, *layer.duplicate_layers)
    ]
    innermost = dict(layers)  # the last of each name, as tunnels have several
    transport = next((name for name in ("tcp", "udp") if name in innermost), None)
    if transport is None:
        return
    header = innermost[transport]
    address = next((first(innermost[name], f"{name}.src") for name in ("ipv6", "ip") if name in innermost), "")
    source = address, number(first(header, f"{transport}.srcport"))
    place = int(packet.number), transport, number(first(header, f"{transport}.stream")), source
    for _, fields in layers:
        for kind, tree in messages(fields):
            yield Shown(*place, kind, tree)
    if "tls" in innermost:
        inside = [fields for name, fields in layers if name in ("http", "http2")]
        found = {name: [text for fields in inside for text in values(fields, name)] for name in HTTP_FIELDS}
        if any(found.values()):
            yield Shown(*place, HTTP, found)


def messages(node: object) -> Iterator[tuple[int, Tree]]:
    """Kind and content of every message in a tree, in wire order."""
    if isinstance(node, list):
        for each in node:
            yield from messages(each)
    if not isinstance(node, dict):
        return
    for prefix in ("tls", "dtls"):
        kind = node.get(f"{prefix}.handshake.type")
        if isinstance(kind, str) and not is_fragment(node) and (kind == "1" or node.get(RECORD_VERSION) != SSL2):
            yield int(kind), {name: value for name, value in node.items() if name not in LEFT_OUT}
        if f"{prefix}.alert_message.desc" in node:
            yield ALERT, node
    if QUIC_ALERT in node:
        yield ALERT, {"tls.alert_message.level": FATAL, "tls.alert_message.desc": node[QUIC_ALERT]}
    for below in node.values():
        yield from messages(below)


# After the ClientHello the message types of SSL 2.0 are others.  RFC 6101 appendix E.
RECORD_VERSION, SSL2 = "tls.record.version", "0x0002"


def is_fragment(node: Mapping[str, object]) -> bool:
    """Whether a message of DTLS is a fragment with more to come: only the last one has the fields of the message."""
    parts = "dtls.handshake.fragment", "dtls.handshake.reassembled"
    whole = node.get("dtls.handshake.fragment_length") == node.get("dtls.handshake.length")
    return not whole and all(name in DTLS_HEADER or name.startswith(parts) for name in node)


DTLS_HEADER = frozenset(("dtls.handshake.type", "dtls.handshake.length", "dtls.handshake.message_seq"))
