"""The exceptions that callers of the package may meet.  Nothing else leaves it."""

from __future__ import annotations


class TlsinspectError(Exception):
    """Something that the caller can mend; its text is one sentence for people."""


class CaptureError(TlsinspectError):
    """A capture cannot be read, or an interface cannot be opened."""


class SelectionError(TlsinspectError):
    """A selector such as CAPTURE#N names no handshake, or names it in a way that cannot be read."""


class ReferenceUnavailable(TlsinspectError):
    """The second opinion (tshark) is missing, too old, or failed on this capture."""
