"""QUIC: the handshake of TLS 1.3 in its packets.  RFC 9000, RFC 9001, RFC 9369."""

from tlsinspect.quic.connection import Connection, first_side, identity_of
from tlsinspect.quic.packet import begins_connection

__all__ = ["Connection", "begins_connection", "first_side", "identity_of"]
