"""The fast line is the plain object, for handshakes of every kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from tests.support import handshakes as build
from tests.support.captures import CORPORA
from tlsinspect.capture.file import open_capture
from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.diagnosis.engine import diagnose
from tlsinspect.diagnosis.rule import Case
from tlsinspect.fields import FIELDS
from tlsinspect.inspector import inspect
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Defect, Missing
from tlsinspect.model.handshake import Preamble
from tlsinspect.render import line
from tlsinspect.render.json import one_line
from tlsinspect.render.line import Lines
from tlsinspect.report.objects import Shown, handshake_object
from tlsinspect.report.schema import schema
from tlsinspect.sessions import Origin, Sessions
from tlsinspect.tls.keylog import Secrets

OURS = sorted((Path(__file__).resolve().parents[2] / "captures").rglob("*.pcap*"))
OTHERS = [
    path for path in sorted(CORPORA.glob("*.pcap*")) if path.suffix != ".keylog" and path.stat().st_size < 300_000
]

BUILT = {
    "completed": build.handshake(),
    "rejected": build.rejected(),
    "hidden": build.tls13(),
    "mutual": build.mutual(),
    "resumed": build.resumed(),
    "without a ClientHello": build.handshake(client_hellos=(), server_hello=Missing.LOST),
    "after a preamble": build.handshake(preamble=Preamble("smtp", True, (("reply", '220 "go"'),), (1, 2))),
    "with a defect": build.handshake(defects=(Defect("client_hello.extensions", "119 said, 60 remain", 4, (4,)),)),
    "of a name beyond ASCII": build.handshake(client_hellos=(build.client_hello("\u202eé\x1b.example"),)),
}


def cases_of(path: Path) -> Iterator[Case]:
    """The handshakes of a capture, opened with the key log beside it, and where their sessions came from."""
    secrets, sessions = Secrets(), Sessions()
    for log in (path.with_name(f"{path.name}.keylog"), path.with_suffix(".keylog")):
        if log.exists():
            secrets.add(log.read_bytes())
    try:
        with open_capture(path) as capture:
            for handshake in inspect(capture, name=path.name, secrets=secrets):
                sessions.add(handshake)
                yield Case(handshake=handshake, origin=sessions.origin(handshake))
    except CaptureError:
        return  # of those that are no captures


def captured() -> Iterator[Case]:
    for path in (*OURS, *OTHERS):
        yield from cases_of(path)


@pytest.mark.parametrize("name", BUILT)
def test_the_line_is_the_object_and_so_is_the_next(name: str) -> None:
    lines, case = Lines(), Case(handshake=BUILT[name])

    expected = one_line(handshake_object(case))

    assert [expected, expected] == [lines.line(case), lines.line(case)]


@pytest.mark.parametrize("name", BUILT)
def test_the_line_validates_against_the_schema(name: str) -> None:
    found = json.loads(Lines().line(Case(handshake=BUILT[name])))

    jsonschema.validate(found, {**schema()["$defs"]["handshake"], "$defs": schema()["$defs"]})  # type: ignore[index]


def test_the_line_says_where_a_session_came_from() -> None:
    origin = Origin(build.handshake(), build.handshake(), "shown", "The same octets.")
    lines = Lines()

    for case in (Case(handshake=build.resumed(), origin=origin), Case(handshake=build.resumed())):
        assert one_line(handshake_object(case)) == lines.line(case)


def test_the_lines_of_captures_are_their_objects() -> None:
    lines = Lines()  # one for all, so that handshakes meet what others left
    different = [
        f"{case.handshake.capture}#{case.handshake.stream}"
        for case in captured()
        if one_line(handshake_object(case)) != lines.line(case)
    ]

    assert different == []


@pytest.mark.parametrize("name", BUILT)
def test_the_line_of_an_explanation_is_its_object(name: str) -> None:
    lines, case = Lines(), Case(handshake=BUILT[name])
    diagnosis = diagnose(case, CAUSES)

    assert one_line(Shown(case, diagnosis).object()) == lines.line(case, diagnosis)


def test_handshakes_of_an_equal_basis_have_equal_values() -> None:
    values: dict[tuple[str, object], object] = {}
    different = set()
    for case in captured():
        for field in FIELDS:
            key = None if field.basis is None else field.basis(case.handshake)
            if key is not None and values.setdefault((field.path, key), field.read(case.handshake)) != field.read(
                case.handshake
            ):
                different.add(field.path)

    assert different == set()


def test_keeps_a_bounded_number_of_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "MOST_KEPT", 10)
    lines = Lines()
    hellos = [build.client_hello(cipher_suites=(0x1301, number)) for number in range(50)]
    cases = [Case(handshake=build.handshake(client_hellos=(hello,))) for hello in hellos]
    for case in cases:
        lines.line(case)

    assert lines.kept <= 10
    assert [one_line(handshake_object(case)) for case in cases] == [lines.line(case) for case in cases]
