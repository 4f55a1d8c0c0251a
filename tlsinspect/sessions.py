"""Which handshake resumed the session of which earlier one, within a capture and across several."""

from __future__ import annotations

from dataclasses import dataclass

from tlsinspect.model.handshake import Handshake


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a resumed session came from."""

    handshake: Handshake  # the connection that issued the session, the latest link of a chain
    first: Handshake  # the full handshake at the beginning of the chain; its identities are the session's
    certainty: str  # "shown" or "likely"
    reason: str  # a sentence: the same ticket octets, the same session ID, the same peers and age, ...
