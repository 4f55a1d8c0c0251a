import pytest

from tlsinspect.model.frame import Defect
from tlsinspect.model.message import Alert
from tlsinspect.tls.alert import decode_alerts


def test_decodes_an_alert() -> None:
    assert (Alert(2, 112),) == decode_alerts(b"\2\x70")


def test_decodes_the_alerts_of_one_record_in_order() -> None:
    assert (Alert(1, 90), Alert(1, 0)) == decode_alerts(b"\1\x5a\1\0")


@pytest.mark.parametrize("size", [0, 1, 3, 19])
def test_a_record_of_another_length_holds_no_alert(size: int) -> None:
    assert Defect("alert", f"an alert has 2 octets, the record has {size}") == decode_alerts(bytes(size))
