"""What the options mean: times, trust anchors, filters.  Kept apart so that help needs nothing of it."""

from __future__ import annotations

import binascii
import re
from datetime import UTC, datetime
from pathlib import Path

from tlsinspect.cli.options import Options
from tlsinspect.diagnosis.rule import Meant
from tlsinspect.model.errors import SelectionError, TlsinspectError
from tlsinspect.selection import Filters, parse_endpoint

PEM = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----(.*?)-----END ", re.DOTALL)


def meant_by(options: Options) -> Meant:
    """What the user says that was meant.  Raises TlsinspectError when a value cannot be read."""
    return Meant(
        host=options.host,
        identity=options.identity,
        at=parse_time(options.at) if options.at else None,
        anchors=tuple(anchor for path in options.anchors for anchor in read_anchors(path)) if options.anchors else None,
    )


def filters_of(options: Options) -> Filters:
    """What a handshake must have.  Raises SelectionError when an address cannot be read."""
    return Filters(
        server_name=options.server_name,
        server=parse_endpoint(options.server) if options.server else None,
        client=parse_endpoint(options.client) if options.client else None,
        outcomes=options.outcomes,
    )


def parse_time(text: str) -> datetime:
    """A time of RFC 3339, or a date; one without a zone is UTC.  Raises SelectionError when it is neither."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise SelectionError(f"'{text}' is no time. Write 2026-11-23T09:00:00Z or 2026-11-23.") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def read_anchors(path: Path) -> tuple[bytes, ...]:
    """The DER of every certificate in a PEM file, or the one of a DER file.

    Raises TlsinspectError when the file holds none.
    """
    octets = path.read_bytes()
    try:
        found = tuple(binascii.a2b_base64(b"".join(body.split())) for body in PEM.findall(octets))
    except binascii.Error:
        raise TlsinspectError(f"{path}: a certificate in it is no base64.") from None
    if found:
        return found
    if octets[:1] == b"\x30":  # a DER SEQUENCE
        return (octets,)
    raise TlsinspectError(f"{path} holds no certificate in PEM or DER.")
