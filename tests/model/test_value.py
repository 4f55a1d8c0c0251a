from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

from tlsinspect.model.frame import Defect, Endpoint
from tlsinspect.model.handshake import Event, Preamble
from tlsinspect.model.message import ChangeCipherSpec


def test_equal_values_are_equal_and_hash_alike() -> None:
    assert Endpoint("10.0.0.1", 443) == Endpoint("10.0.0.1", 443)
    assert hash(Endpoint("10.0.0.1", 443)) == hash(Endpoint("10.0.0.1", 443))
    assert Endpoint("10.0.0.1", 443) != Endpoint("10.0.0.1", 444)


def test_values_of_different_classes_differ() -> None:
    assert Preamble("smtp", None) != Defect("smtp", "")


def test_a_class_without_fields_has_one_value() -> None:
    assert {ChangeCipherSpec(), ChangeCipherSpec()} == {ChangeCipherSpec()}


def test_a_frozen_value_cannot_be_changed() -> None:
    endpoint = Endpoint("10.0.0.1", 443)

    with pytest.raises(dataclasses.FrozenInstanceError):
        endpoint.port = 80  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del endpoint.port


def test_keyword_only_fields_take_no_positions() -> None:
    with pytest.raises(TypeError):
        Event(None, 0, (), None)  # type: ignore[misc,arg-type]


def test_replace_copies_with_a_change() -> None:
    assert dataclasses.replace(Endpoint("10.0.0.1", 443), port=80) == Endpoint("10.0.0.1", 80)


def test_the_text_names_every_field() -> None:
    expected = "Defect(where='alert', problem='cut', offset=0, frames=())"

    assert expected == repr(Defect("alert", "cut"))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies_are_equal(again: object) -> None:
    value = Defect("alert", "cut", 3, (1, 2))

    assert value == again(value)  # type: ignore[operator]
