import pytest

from tlsinspect.model.message import Alert
from tlsinspect.tls.alert import decode_alerts


def test_decodes_an_alert() -> None:
    assert (Alert(2, 112),) == decode_alerts(b"\2\x70")


def test_decodes_the_alerts_of_one_record_in_order() -> None:
    assert (Alert(1, 90), Alert(1, 0)) == decode_alerts(b"\1\x5a\1\0")


@pytest.mark.parametrize("size", [0, 1, 3, 19])
def test_a_record_of_another_length_holds_no_alert(size: int) -> None:
    assert decode_alerts(b"\1" * size if size % 2 else bytes(size)) == ()


def test_octets_with_a_level_that_does_not_exist_are_no_alert() -> None:
    assert decode_alerts(b"\x8a\x03") == ()
