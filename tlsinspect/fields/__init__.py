"""The fields of a handshake: a catalogue of them, and the functions that read them.

`show`, `diff`, JSON and its schema, the evidence of findings, the cross-check with tshark and the reference page all
read FIELDS.
"""

from __future__ import annotations

from tlsinspect.fields.catalogue import FIELDS
from tlsinspect.fields.field import Compare, Field, Group, Value
from tlsinspect.fields.names import names
from tlsinspect.fields.readers import certificates, client_hello
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake

__all__ = [
    "BY_PATH",
    "FIELDS",
    "UNSEEN",
    "Compare",
    "Field",
    "Group",
    "Value",
    "certificates",
    "client_hello",
    "names",
    "read",
]

BY_PATH = {field.path: field for field in FIELDS}
UNSEEN = frozenset((Missing.HIDDEN, Missing.LOST, Missing.MALFORMED))  # there may be a value, and it is not known


def read(handshake: Handshake, path: str) -> Value:
    """The value of one field; KeyError for a path that is not in the catalogue."""
    return BY_PATH[path].read(handshake)
