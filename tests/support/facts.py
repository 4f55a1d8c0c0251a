"""What tshark says of the captures that nobody here made, in the shape of ../shared/corpora, and what we say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from tlsinspect import fingerprint
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import Alert, CertificateMessage, ClientHello, ServerHello

Facts = dict[str, object]


def code(value: int) -> str:
    return f"0x{value:04x}"


def client_hello_facts(hello: ClientHello) -> Facts:
    def codes(extension_type: int) -> list[str]:
        body = hello.body(extension_type)
        return [code(value) for value in body] if isinstance(body, tuple) else []

    server_name, protocols, shares = hello.body(0), hello.body(16), hello.body(51)
    facts: Facts = {
        "random": hello.random.hex(),
        "session_id": hello.legacy_session_id.hex(),
        "cipher_suites": [code(suite) for suite in hello.cipher_suites],
        "extensions": [extension.type for extension in hello.extensions],
        "sni": [server_name] if isinstance(server_name, str) else [],
        "alpn": list(protocols) if isinstance(protocols, tuple) else [],
        "supported_versions": codes(43),
        "supported_groups": codes(10),
        "signature_algorithms": codes(13),
        "key_share_groups": [code(share.group) for share in shares] if isinstance(shares, tuple) else [],
    }
    if not hello.sslv2_framing:
        facts["ja3"] = fingerprint.ja3(hello)
    return facts


def server_hello_facts(hello: ServerHello) -> Facts:
    return {
        "random": hello.random.hex(),
        "session_id": hello.legacy_session_id_echo.hex(),
        "cipher_suite": code(hello.cipher_suite),
        "negotiated_version": code(hello.version),
        "ja3s": fingerprint.ja3s(hello),
    }


def our_facts(handshakes: Iterable[Handshake], transport: str = "tcp") -> dict[int, Facts]:
    """Per stream what passed in clear; messages that are cut are left out, as tshark leaves them out."""
    streams: dict[int, Facts] = {}
    for handshake in handshakes:
        if handshake.transport != transport:
            continue
        facts = streams.setdefault(
            handshake.stream, {"client_hellos": [], "server_hellos": [], "certificates": [], "alerts": []}
        )
        for event in handshake.events:
            message = event.message
            if event.encrypted or is_cut(message):
                continue
            if isinstance(message, ClientHello):
                facts["client_hellos"].append(client_hello_facts(message))  # type: ignore[attr-defined]
            elif isinstance(message, ServerHello):
                facts["server_hellos"].append(server_hello_facts(message))  # type: ignore[attr-defined]
            elif isinstance(message, CertificateMessage):
                digests = [hashlib.sha256(entry.der).hexdigest() for entry in message.entries]
                facts["certificates"].append((event.side.value, digests))  # type: ignore[attr-defined]
            elif isinstance(message, Alert):
                facts["alerts"].append((event.side.value, message.level, message.description))  # type: ignore[attr-defined]
    return {stream: facts for stream, facts in streams.items() if any(facts.values())}


def is_cut(message: object) -> bool:
    defect = getattr(message, "defect", None)
    return defect is not None and not isinstance(defect, Missing) and "are in the capture" in defect.problem


def expected_facts(path: Path, kinds: tuple[str, ...] = ("tcp",)) -> dict[int, Facts]:
    """The same from an expected/*.tshark.json, for the lines of some kinds."""
    streams = {}
    for line in path.read_text().splitlines():
        found = json.loads(line)
        if found["kind"] not in kinds:
            continue
        facts: Facts = {
            "client_hellos": found["client_hellos"] if found["client_hello_count"] else [],
            "server_hellos": found["server_hellos"] if found["server_hello_count"] or found["hrr_count"] else [],
            "certificates": [
                (each["from"], [certificate["sha256"] for certificate in each["certs"]])
                for each in found.get("certificate_messages", [])
            ],
            "alerts": [
                (each["from"], each["level"], each["description"])
                for each in found.get("alerts", [])
                if not each.get("encrypted")
            ],
        }
        if any(facts.values()):
            streams[found["stream"]] = facts
    return streams


def differences(ours: dict[int, Facts], expected: dict[int, Facts]) -> list[str]:
    """One line per fact that differs: the stream, the fact, both values."""
    lines = []
    for stream in sorted(ours.keys() | expected.keys()):
        if stream not in ours or stream not in expected:
            lines.append(f"stream {stream}: only {'ours' if stream in ours else 'expected'}")
            continue
        for name in ("client_hellos", "server_hellos"):
            mine, theirs = ours[stream][name], expected[stream][name]
            assert isinstance(mine, list)
            assert isinstance(theirs, list)
            if len(mine) != len(theirs):
                lines.append(f"stream {stream}: {len(mine)} {name}, expected {len(theirs)}")
            for hello, other in zip(mine, theirs, strict=False):
                lines += [
                    f"stream {stream}: {name} {fact} {value}, expected {other.get(fact)}"
                    for fact, value in hello.items()
                    if other.get("random") is not None and (other.get(fact) or []) != (value or [])
                ]
        for name in ("certificates", "alerts"):
            if ours[stream][name] != expected[stream][name]:
                lines.append(f"stream {stream}: {name} {ours[stream][name]}, expected {expected[stream][name]}")
    return lines
