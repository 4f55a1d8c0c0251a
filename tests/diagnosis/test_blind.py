from __future__ import annotations

import pytest

from tests.support import handshakes as build
from tlsinspect.diagnosis import blind
from tlsinspect.diagnosis.blind import Blindness, is_unseen
from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.fields import read
from tlsinspect.model.frame import Missing

HANDSHAKES = (
    build.handshake(),
    build.tls13(),
    build.mutual(),
    build.handshake(client_hellos=(), no_client_hello=Missing.LOST, server_hello=Missing.LOST),
    build.tls13(),
)


def test_names_the_fields_that_a_cause_looks_at_and_the_handshake_does_not_show() -> None:
    blindness = Blindness(CAUSES)
    for handshake in HANDSHAKES:
        hidden = [(cause, tuple(p for p in cause.looks_at if is_unseen(read(handshake, p)))) for cause in CAUSES]

        assert tuple(each for each in hidden if each[1]) == blindness.unassessed(handshake)


def test_of_two_handshakes_one_is_enough_that_does_not_show_a_field() -> None:
    clear, hidden = build.handshake(), build.tls13()
    blindness = Blindness(CAUSES)

    assert blindness.unassessed(hidden) == blindness.unassessed(clear, hidden)


def test_forgets_what_it_kept_when_it_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blind, "MOST_KEPT", 1)
    blindness = Blindness(CAUSES)

    first = [blindness.unassessed(handshake) for handshake in HANDSHAKES]

    assert first == [Blindness(CAUSES).unassessed(handshake) for handshake in HANDSHAKES]
