"""What tshark opens with a key log, in the shape of ../shared/corpora, and what we open: all messages, by streams."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.support.facts import Facts, is_cut
from tlsinspect.model.handshake import Event, Handshake
from tlsinspect.model.message import (
    Alert,
    CertificateMessage,
    CertificateRequest,
    CertificateStatus,
    CertificateVerify,
    ClientHello,
    EncryptedExtensions,
    Message,
    NewSessionTicket,
    PlainMessage,
    ServerHello,
    ServerKeyExchange,
    UndecodedMessage,
)
from tlsinspect.tls import messages

NAMES: dict[type, str] = {
    ClientHello: "client_hello",
    ServerHello: "server_hello",
    EncryptedExtensions: "encrypted_extensions",
    CertificateRequest: "certificate_request",
    CertificateVerify: "certificate_verify",
    CertificateStatus: "certificate_status",
    ServerKeyExchange: "server_key_exchange",
    NewSessionTicket: "new_session_ticket",
}


def our_messages(handshakes: Iterable[Handshake], transport: str = "tcp") -> dict[int, Facts]:
    """Per stream the messages by side and type, certificates, tickets and alerts, all handshakes of it together."""
    streams: dict[int, list[Event]] = {}
    for handshake in handshakes:
        if handshake.transport == transport:
            streams.setdefault(handshake.stream, []).extend(handshake.events)
    return {stream: facts_of(events) for stream, events in streams.items() if any(name_of(e.message) for e in events)}


def facts_of(events: list[Event]) -> Facts:
    whole = [event for event in events if not is_cut(event.message)]
    return {
        "messages": dict(Counter((e.side.value, name) for e in whole if (name := name_of(e.message)))),
        "certificates": [
            (event.side.value, [hashlib.sha256(entry.der).hexdigest() for entry in event.message.entries])
            for event in whole
            if isinstance(event.message, CertificateMessage)
        ],
        "tickets": [len(event.message.ticket) for event in whole if isinstance(event.message, NewSessionTicket)],
        "alerts": [
            (event.side.value, event.message.level, event.message.description)
            for event in whole
            if isinstance(event.message, Alert)
        ],
    }


def name_of(message: Message) -> str:
    """tshark's name of a handshake message; empty for everything else."""
    if isinstance(message, CertificateMessage):
        return "certificate" if message.compression is None else "compressed_certificate"
    if isinstance(message, (PlainMessage, UndecodedMessage)):
        return messages.message_name(message.type)
    return NAMES.get(type(message), "")


def expected_messages(path: Path, kinds: tuple[str, ...] = ("tcp",)) -> dict[int, Facts]:
    """The same from an expected/*.tshark.keylog.json, for the lines of some kinds."""
    streams = {}
    for line in path.read_text().splitlines():
        found = json.loads(line)
        if found["kind"] not in kinds or not any(found["messages"].values()):
            continue
        streams[found["stream"]] = {
            "messages": {
                (side, name): count for side, counted in found["messages"].items() for name, count in counted.items()
            },
            "certificates": [
                (each["from"], [certificate["sha256"] for certificate in each["certs"]])
                for each in found["certificate_messages"]
            ],
            "tickets": [each["ticket_length"] for each in found.get("new_session_tickets", ())],
            "alerts": [
                (each["from"], each["level"], each["description"])
                for each in found["alerts"]
                if not each.get("encrypted")
            ],
        }
    return streams


def message_differences(ours: dict[int, Facts], expected: dict[int, Facts]) -> list[str]:
    """One line per fact that differs: the stream, the fact, both values."""
    lines = []
    for stream in sorted(ours.keys() | expected.keys()):
        if stream not in ours or stream not in expected:
            lines.append(f"stream {stream}: only {'ours' if stream in ours else 'expected'}")
            continue
        for name, value in ours[stream].items():
            if value != expected[stream][name]:
                lines.append(f"stream {stream}: {name} {value}, expected {expected[stream][name]}")
    return lines
