"""DTLS 1.0, 1.2 and 1.3: the messages of TLS in datagrams.  RFC 4347, RFC 6347, RFC 9147."""

from tlsinspect.dtls.connection import Connection, first_side, identity_of
from tlsinspect.dtls.record import begins_handshake

__all__ = ["Connection", "begins_handshake", "first_side", "identity_of"]
