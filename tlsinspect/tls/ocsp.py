"""Stapled OCSP responses: what the authority says of a certificate.  RFC 6960 section 4.2.1.

*cryptography* is imported with the first response.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

GOOD, REVOKED, UNKNOWN = "good", "revoked", "unknown"


@dataclass(frozen=True, slots=True)
class CertificateState:
    """What a response says of one certificate."""

    status: str  # "good", "revoked" or "unknown"
    serial_number: str  # of the certificate, in hex as Certificate has it
    revoked_at: datetime | None = None  # aware, UTC
    reason: str | None = None  # such as "key_compromise"


@lru_cache(maxsize=256)
def decode_ocsp_response(der: bytes) -> CertificateState | None:
    """What the first SingleResponse says; None when the responder refused, or the octets cannot be read."""
    from cryptography.x509 import ocsp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about encodings that do not matter here
        try:
            response = ocsp.load_der_ocsp_response(der)
            if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
                return None
            single = next(response.responses)
            reason = single.revocation_reason
            return CertificateState(
                status=single.certificate_status.name.lower(),
                serial_number=f"{single.serial_number:x}",
                revoked_at=single.revocation_time_utc,
                reason=reason.value if reason is not None else None,
            )
        except (ValueError, TypeError, StopIteration):
            return None
