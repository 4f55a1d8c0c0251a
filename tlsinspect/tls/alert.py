"""Decoding of alerts."""

from __future__ import annotations

from tlsinspect.model.message import Alert

ALERT_OCTETS = 2  # level and description
LEVELS = frozenset((1, 2))  # warning and fatal


def decode_alerts(fragment: bytes) -> tuple[Alert, ...]:
    """The alerts of one record in clear, in order; before TLS 1.3 a record may hold several.

    None for a fragment of another length, or with a level that does not exist: it is encrypted or malformed.
    RFC 8446 section 6, RFC 5246 section 6.2.1.
    """
    if len(fragment) % ALERT_OCTETS or not LEVELS.issuperset(fragment[::ALERT_OCTETS]):
        return ()
    return tuple(Alert(fragment[at], fragment[at + 1]) for at in range(0, len(fragment), ALERT_OCTETS))
