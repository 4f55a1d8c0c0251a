"""The catalogue: everything that can be known about a handshake, each declared once, in the order of the exchange."""

from __future__ import annotations

from tlsinspect.fields.catalogue.authentication import AUTHENTICATION
from tlsinspect.fields.catalogue.client_hello import CLIENT_HELLO
from tlsinspect.fields.catalogue.outcome import OUTCOME
from tlsinspect.fields.catalogue.resumption import RESUMPTION
from tlsinspect.fields.catalogue.routing import ROUTING
from tlsinspect.fields.catalogue.server_hello import SERVER_HELLO
from tlsinspect.fields.catalogue.transport import TRANSPORT
from tlsinspect.fields.field import Field

FIELDS: tuple[Field, ...] = (
    *TRANSPORT,
    *ROUTING,
    *CLIENT_HELLO,
    *SERVER_HELLO,
    *AUTHENTICATION,
    *RESUMPTION,
    *OUTCOME,
)
