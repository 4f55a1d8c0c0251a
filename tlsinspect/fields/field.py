"""What a field is: one thing that can be known about a handshake."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from tlsinspect.fields.basis import Basis
from tlsinspect.model.handshake import Handshake

Value = object  # what JSON can hold, or a Missing


class Compare(enum.Enum):
    """How two values of a field are compared."""

    VALUE = "equal or not"
    SET = "which elements one has and the other has not; order does not matter"
    ORDERED = "elements and their order"
    EXPECTED = "differs between any two handshakes: random, ports, times"


class Group(enum.Enum):
    """The part of the exchange that a field belongs to, in the order of the exchange."""

    TRANSPORT = "transport"
    HELLO = "hello"
    ROUTING = "routing"
    PARAMETERS = "parameters"
    SERVER_CERTIFICATE = "server certificate"
    CLIENT_AUTHENTICATION = "client authentication"
    RESUMPTION = "resumption"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that can be known about a handshake."""

    path: str  # API and JSON name, also what a cause's looks_at refers to
    title: str  # heading on the screen
    group: Group
    read: Callable[[Handshake], Value]  # the value as JSON shows it, or a Missing
    compare: Compare
    frames: Callable[[Handshake], tuple[int, ...]]  # frames that carried it
    wireshark: str  # display-filter name, "" when Wireshark has none
    source: str  # RFC and section
    basis: Basis | None = None  # what the value follows from; None: it is of this handshake alone
