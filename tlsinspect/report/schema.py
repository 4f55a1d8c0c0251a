"""The JSON Schema of what the commands print, from the catalogue and a frame around it."""

from __future__ import annotations

from collections.abc import Mapping

from tlsinspect.diagnosis.rule import Certainty, Severity
from tlsinspect.fields import FIELDS
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Outcome, Visibility
from tlsinspect.report.objects import LISTS, MESSAGES, OBJECTS, SCHEMA

Schema = dict[str, object]

STRING: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
BOOLEAN: Schema = {"type": "boolean"}
STRINGS: Schema = {"type": "array", "items": STRING}
NUMBERS: Schema = {"type": "array", "items": NUMBER}
ANYTHING: Schema = {}

BOOLEANS = frozenset(
    (
        "tcp.client_fin",
        "tcp.server_fin",
        "tcp.client_reset",
        "tcp.server_reset",
        "client_hello.encrypted_client_hello",
        "client_hello.post_handshake_auth",
        "server_hello.hello_retry_request",
    )
)
# The fields that are no text, by path.
TYPES: Mapping[str, Schema] = {
    **dict.fromkeys(BOOLEANS, BOOLEAN),
    "tcp.syn_count": NUMBER,
    "client_hello.alpn": STRINGS,
    "client_hello.supported_versions": STRINGS,
    "client_hello.cipher_suites": STRINGS,
    "client_hello.supported_groups": STRINGS,
    "client_hello.key_share_groups": STRINGS,
    "client_hello.signature_algorithms": STRINGS,
    "client_hello.extensions": STRINGS,
    "client_hello.session_ticket_length": NUMBER,
    "client_hello.psk_identity_lengths": NUMBERS,
    "server_hello.extensions": STRINGS,
    "encrypted_extensions.extensions": STRINGS,
    "server_certificates": {"type": "array", "items": {"$ref": "#/$defs/certificate"}},
    "client_certificates": {"type": "array", "items": {"$ref": "#/$defs/certificate"}},
    "certificate_request.certificate_authorities": STRINGS,
    "certificate_request.signature_algorithms": STRINGS,
    "resumption.offered": {"type": "array", "items": {"enum": ["session_id", "session_ticket", "psk"]}},
    "resumption.accepted": {"enum": ["session_id", "session_ticket", "psk"]},
    "session_tickets": NUMBERS,
    "http.status": NUMBER,
    "http.requests": {"type": "array", "items": {"$ref": "#/$defs/request"}},
    "http.responses": NUMBERS,
    "alerts": {"type": "array", "items": {"$ref": "#/$defs/alert"}},
    "outcome": {"enum": [outcome.value for outcome in Outcome]},
}
# Fields that always have a value.
CERTAIN = frozenset(("outcome", "history", "alerts"))


def schema() -> Schema:
    """The schema of the object that `show` and `explain` print; the others are under $defs."""
    end = end_properties()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tlsinspect",
        "description": "One object of show or explain, or of capture around a command. One of diff is $defs/diff, of "
        "crosscheck $defs/crosscheck; a line of jsonl is $defs/handshake, and the last one of capture $defs/end.",
        **closed(
            {
                "schema": {"const": SCHEMA},
                "captures": STRINGS,
                "handshakes": {"type": "array", "items": {"$ref": "#/$defs/handshake"}},
                **end,
            },
            *end,
        ),
        "$defs": {
            "handshake": handshake_schema(),
            "certificate": certificate_schema(),
            "alert": closed(
                {"from": {"enum": ["client", "server"]}, "level": STRING, "code": NUMBER, "description": STRING}
            ),
            "request": closed(
                {"version": STRING, "method": STRING, "host": nullable(STRING), "path": nullable(STRING)}
            ),
            "endpoint": closed({"address": STRING, "port": NUMBER}),
            "missing": {"enum": [missing.value for missing in Missing]},
            "finding": finding_schema(),
            "difference": difference_schema(),
            "diff": closed(
                {
                    "schema": {"const": SCHEMA},
                    "left": {"$ref": "#/$defs/handshake"},
                    "right": {"$ref": "#/$defs/handshake"},
                    "verdict": STRING,
                    "picked": nullable(closed({"why": STRING, "others": NUMBER})),
                    "differences": {"type": "array", "items": {"$ref": "#/$defs/difference"}},
                    "findings": {"type": "array", "items": {"$ref": "#/$defs/finding"}},
                    "not_ruled_out": STRINGS,
                }
            ),
            "crosscheck": crosscheck_schema(),
            "end": closed(end, "command"),
        },
    }


def crosscheck_schema() -> Schema:
    """What `crosscheck` prints; a line of its jsonl is one of `fields` or of `unmatched`."""
    place: dict[str, object] = {"capture": STRING, "transport": {"enum": ["tcp", "udp"]}, "stream": NUMBER}
    counts = ("handshakes", "differs", "not_compared", "agrees", "unmatched")
    compared = closed(
        {
            **place,
            "part": NUMBER,
            "path": STRING,
            "wireshark": STRING,
            "verdict": {"enum": ["differs", "not compared", "agrees"]},
            "reason": nullable(STRING),
            "ours": {},
            "theirs": {},
            "missing": {"type": "object", "additionalProperties": {"$ref": "#/$defs/missing"}},
            "frames": NUMBERS,
        }
    )
    unmatched = closed({**place, "verdict": {"const": "only in the reference"}, "frames": NUMBERS})
    return closed(
        {
            "schema": {"const": SCHEMA},
            "captures": STRINGS,
            "reference": STRING,
            "summary": closed(dict.fromkeys(counts, NUMBER)),
            "notes": STRINGS,
            "unmatched": {"type": "array", "items": unmatched},
            "fields": {"type": "array", "items": compared},
        }
    )


def end_properties() -> dict[str, Schema]:
    """The command that `capture` was around, and what was counted."""
    counted = ("frames", "octets", "handshakes", "under_way", "kernel_dropped", "application_dropped")
    of_some = ("frames_written", "left_out", "presumed")  # of a recording, or around a command
    statistics = closed(
        {
            "seconds": {"type": "number"},
            **dict.fromkeys((*counted, "conversations_given_up"), NUMBER),
            **dict.fromkeys(of_some, nullable(NUMBER)),
            "told_by": {"enum": [None, "control group", "sockets"]},
        }
    )
    return {"command": closed({"arguments": STRINGS, "status": nullable(NUMBER)}), "statistics": statistics}


def closed(properties: Mapping[str, object], *optional: str) -> Schema:
    """An object with these keys and no others, all required but the optional ones."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def nullable(inner: Schema) -> Schema:
    """That, or null."""
    return {"anyOf": [inner, {"type": "null"}]}


def handshake_schema() -> Schema:
    """H of the contract: the frame, and in it the fields of the catalogue by path."""
    properties: dict[str, object] = {
        "capture": STRING,
        "stream": NUMBER,
        "part": NUMBER,
        "transport": {"enum": ["tcp", "udp"]},
        "protocol": {"enum": ["tls", "dtls", "quic"]},
        "client": {"$ref": "#/$defs/endpoint"},
        "server": {"$ref": "#/$defs/endpoint"},
        "started": {"type": "string", "format": "date-time"},
        "duration": {"type": "number", "description": "seconds"},
        "frames": {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2},
        "visibility": {"enum": [visibility.value for visibility in Visibility]},
    }
    parts: dict[str, dict[str, object]] = {}
    for field in FIELDS:
        if field.path in OBJECTS:
            continue
        parent, _, key = field.path.rpartition(".")
        place = parts.setdefault(parent, {}) if parent else properties
        value = TYPES.get(field.path, STRING)
        certain = field.path in CERTAIN or field.path in LISTS
        place[key] = {"title": field.title, **(value if certain else nullable(value))}
    parts["resumption"]["from"] = parts["resumption"]["offered_from"] = nullable(
        closed(
            {
                "capture": STRING,
                "stream": NUMBER,
                "part": NUMBER,
                "certainty": {"enum": ["stated", "shown", "likely"]},
                "reason": STRING,
            }
        )
    )
    for parent, inner in parts.items():
        shape = closed(inner)
        if parent == "preamble":
            shape = {"type": "object", "properties": inner | {"accepted": nullable(BOOLEAN)}, "required": ["protocol"]}
        properties[parent] = nullable(shape) if parent in MESSAGES else shape
    properties["missing"] = {"type": "object", "additionalProperties": {"$ref": "#/$defs/missing"}}
    defect = closed({"where": STRING, "problem": STRING, "offset": NUMBER, "frames": NUMBERS})
    properties["defects"] = {"type": "array", "items": defect}
    properties["findings"] = {"type": "array", "items": {"$ref": "#/$defs/finding"}}
    properties["not_assessable"] = {"type": "array", "items": closed({"code": STRING, "paths": STRINGS})}
    return closed(properties, "findings", "not_assessable")


def certificate_schema() -> Schema:
    """X of the contract."""
    texts = dict.fromkeys(("subject", "issuer", "serial_number", "public_key", "signature_algorithm", "sha256"), STRING)
    times = dict.fromkeys(("not_before", "not_after"), nullable({"type": "string", "format": "date-time"}))
    return closed({**texts, **times, "subject_alt_names": STRINGS, "self_signed": BOOLEAN, "defects": STRINGS})


def finding_schema() -> Schema:
    """F of the contract."""
    evidence = closed(
        {
            "path": STRING,
            "value": ANYTHING,
            "frames": NUMBERS,
            "display_filter": STRING,
            "missing": {"$ref": "#/$defs/missing"},
            "side": {"enum": ["left", "right"]},
        },
        "missing",
        "side",
    )
    fix = closed(
        {"product": STRING, "action": STRING, "example": STRING, "side": {"enum": ["client", "server", None]}},
    )
    return closed(
        {
            "code": STRING,
            "severity": {"enum": [severity.name.lower() for severity in Severity]},
            "certainty": {"enum": [certainty.name.lower() for certainty in Certainty]},
            "title": STRING,
            "explanation": STRING,
            "evidence": {"type": "array", "items": evidence},
            "fixes": {"type": "array", "items": fix},
            "references": STRINGS,
            "side": {"enum": ["left", "right", "both"]},
        },
        "side",
    )


def difference_schema() -> Schema:
    """D of the contract."""
    return closed(
        {
            "path": STRING,
            "left": ANYTHING,
            "right": ANYTHING,
            "equal": BOOLEAN,
            "meaningful": BOOLEAN,
            "explains": STRINGS,
            "missing": closed({side: {"$ref": "#/$defs/missing"} for side in ("left", "right")}, "left", "right"),
        }
    )
