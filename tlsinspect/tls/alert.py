"""Decoding of alerts."""

from __future__ import annotations

from tlsinspect.model.frame import Defect
from tlsinspect.model.message import Alert

ALERT_OCTETS = 2  # level and description


def decode_alerts(fragment: bytes) -> tuple[Alert, ...] | Defect:
    """The alerts of one record in clear, in order; before TLS 1.3 a record may hold several.

    A fragment of another length holds none: it is encrypted or malformed, which the caller knows.
    RFC 8446 section 6, RFC 5246 section 6.2.1.
    """
    if not fragment or len(fragment) % ALERT_OCTETS:
        return Defect("alert", f"an alert has {ALERT_OCTETS} octets, the record has {len(fragment)}")
    return tuple(Alert(fragment[at], fragment[at + 1]) for at in range(0, len(fragment), ALERT_OCTETS))
