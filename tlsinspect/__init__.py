"""Tells why a TLS server routed or rejected a connection, from a packet capture."""

from __future__ import annotations

__version__ = "0.1.0"
