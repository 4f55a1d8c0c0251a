from __future__ import annotations

import json

import jsonschema
import pytest

from tests.support import handshakes as build
from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.diagnosis.engine import diagnose, explain
from tlsinspect.diagnosis.rule import Case
from tlsinspect.model.frame import Defect, Missing, Side
from tlsinspect.model.handshake import Handshake, Outcome, Preamble, Resumption
from tlsinspect.report.explanation import explanation
from tlsinspect.report.listing import handshake_list
from tlsinspect.report.objects import handshake_object, made
from tlsinspect.report.pair import pair_report
from tlsinspect.report.schema import schema
from tlsinspect.selection import Pair
from tlsinspect.sessions import Origin

SCHEMA = schema()
HANDSHAKES = {
    "completed": build.handshake(),
    "rejected": build.rejected(),
    "hidden": build.tls13(),
    "mutual": build.mutual(),
    "resumed": build.resumed(),
    "without a ClientHello": build.handshake(client_hellos=(), server_hello=Missing.LOST),
    "after a preamble": build.handshake(preamble=Preamble("smtp", True, (("reply", "220 go"),), (1, 2))),
    "with a defect": build.handshake(defects=(Defect("client_hello.extensions", "119 said, 60 remain", 4, (4,)),)),
    "never TLS": build.handshake(
        outcome=Outcome.NEVER_TLS,
        client_hellos=(),
        server_hello=Missing.NOT_SENT,
        server_certificates=Missing.NOT_SENT,
        resumption=Resumption(offered=Missing.NOT_SENT, accepted=None),
    ),
}


def found(handshake: Handshake) -> dict[str, object]:
    return json.loads(json.dumps(handshake_object(Case(handshake=handshake))))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", HANDSHAKES)
def test_a_list_validates_against_the_schema(name: str) -> None:
    report = handshake_list(["nginx.pcap"], [Case(handshake=HANDSHAKES[name])])

    jsonschema.validate(json.loads(json.dumps(made(report.data))), SCHEMA)


@pytest.mark.parametrize("name", HANDSHAKES)
def test_an_explanation_validates_against_the_schema(name: str) -> None:
    case = Case(handshake=HANDSHAKES[name])
    report = explanation(["nginx.pcap"], [(case, diagnose(case, CAUSES))])

    jsonschema.validate(json.loads(json.dumps(made(report.data))), SCHEMA)


@pytest.mark.parametrize("name", HANDSHAKES)
def test_a_pair_validates_against_the_schema(name: str) -> None:
    left, right = Case(handshake=HANDSHAKES[name]), Case(handshake=build.elsewhere(build.tls13(), stream=7))
    report = pair_report(left, right, explain(left, right, CAUSES), pair=Pair(left.handshake, right.handshake))

    jsonschema.validate(
        json.loads(json.dumps(made(report.data))), {**SCHEMA["$defs"]["diff"], "$defs": SCHEMA["$defs"]}
    )


def test_a_missing_message_is_null_and_says_why_once() -> None:
    shown = found(build.rejected())

    assert shown["server_hello"] is None
    assert {path: why for path, why in shown["missing"].items() if path.startswith("server_hello")} == {
        "server_hello": "not sent"
    }


def test_a_missing_value_within_a_message_is_null_and_says_why() -> None:
    shown = found(build.handshake(client_hellos=(build.client_hello(None),)))

    assert shown["client_hello"]["server_name"] is None
    assert shown["missing"]["client_hello.server_name"] == "not sent"


def test_hidden_certificates_are_null_and_hidden() -> None:
    shown = found(build.tls13())

    assert shown["server_certificates"] is None
    assert shown["missing"]["server_certificates"] == "hidden"
    assert shown["certificate_request"] is None


def test_an_empty_certificate_is_an_empty_list() -> None:
    assert found(build.mutual(client_certificates=build.chain()))["client_certificates"] == []


def test_the_start_has_nanoseconds_and_the_duration_seconds() -> None:
    shown = found(build.handshake())

    assert (shown["started"], shown["duration"]) == ("2026-11-23T09:00:00.123456789Z", 0.012)


def test_alerts_have_their_sender_code_and_name() -> None:
    assert found(build.rejected(112, Side.SERVER))["alerts"] == [
        {"from": "server", "level": "fatal", "code": 112, "description": "unrecognized_name"}
    ]


def test_a_resumption_names_where_its_session_came_from() -> None:
    first = build.handshake()
    origin = Origin(first, first, "shown", "The ticket has the octets of the one that was issued there.")
    shown = handshake_object(Case(handshake=build.resumed(), origin=origin))

    source = {
        "capture": "nginx.pcap",
        "stream": 0,
        "part": 1,
        "certainty": "shown",
        "reason": "The ticket has the octets of the one that was issued there.",
    }
    assert shown["resumption"] == {
        "offered": ["session_ticket"],
        "accepted": "session_ticket",
        "from": source,
        "offered_from": source,
    }


def test_a_session_that_was_not_taken_up_is_not_resumed_from() -> None:
    first = build.handshake()
    refused = build.handshake(resumption=Resumption(offered=("session_ticket",), accepted=None))
    shown = handshake_object(Case(handshake=refused, origin=Origin(first, first, "shown", "The same ticket.")))

    resumption = shown["resumption"]
    assert isinstance(resumption, dict)
    assert (resumption["from"], resumption["offered_from"]["stream"]) == (None, 0)
