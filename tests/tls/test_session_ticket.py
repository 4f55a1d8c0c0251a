import pytest

from tlsinspect.model.message import NewSessionTicket
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.session_ticket import decode_new_session_ticket
from tlsinspect.wire import Cursor, Malformed

OLD = b"\0\0\1\x2c" + b"\0\6ticket"
NEW = b"\0\0\x1c\x20" + b"\1\2\3\4" + b"\2no" + b"\0\6ticket" + b"\0\x08" + b"\0\x2a\0\4\0\0\x40\0"


@pytest.mark.parametrize("version", [0x0303, 0x0301, 0])
def test_decodes_a_ticket_of_tls12(version: int) -> None:
    message = decode_new_session_ticket(Cursor(OLD), version=version)

    assert NewSessionTicket(lifetime_seconds=300, ticket=b"ticket") == message


@pytest.mark.parametrize("version", [0x0304, 0])
def test_decodes_a_ticket_of_tls13(version: int) -> None:
    message = decode_new_session_ticket(Cursor(NEW), version=version)

    assert (
        message.lifetime_seconds,
        message.ticket,
        message.age_add,
        message.nonce,
    ) == (7200, b"ticket", 0x01020304, b"no")
    assert message.body(ext.EARLY_DATA) == 16384
    assert message.defect is None


def test_an_empty_ticket_takes_back_what_the_server_hello_promised() -> None:
    assert decode_new_session_ticket(Cursor(bytes(6)), version=0x0303).ticket == b""


def test_reports_octets_after_a_ticket() -> None:
    message = decode_new_session_ticket(Cursor(OLD + b"x"), version=0x0303)

    assert message.defect is not None
    assert message.defect.problem == "1 octets after the end of new_session_ticket"


def test_a_cut_ticket_is_malformed() -> None:
    for size in range(len(OLD)):
        with pytest.raises(Malformed):
            decode_new_session_ticket(Cursor(OLD[:size]), version=0x0303)
