"""Application data that was opened, on its way to whoever reads it."""

from __future__ import annotations

from typing import NamedTuple

from tlsinspect.model.frame import Side

MOST_EARLY = 24  # records of 0-RTT data that are held


class Data(NamedTuple):
    """Application data that was opened, or that is missing."""

    side: Side
    octets: bytes  # empty where octets are missing
    frame: int


class OpenedData:
    """What was opened since it was last taken.

    Owns it, and the 0-RTT data until it is known whether the server takes them: if not, the client sends them again
    (RFC 8446 section 4.2.10).  Freed when nobody reads it any more.
    """

    __slots__ = ("_early", "_early_accepted", "items")

    def __init__(self) -> None:
        self.items: list[Data] = []
        self._early: list[Data] = []
        self._early_accepted: bool | None = None

    def add(self, data: Data, *, early: bool) -> None:
        """Adds the data of one record; *early* those of the client before its Finished in TLS 1.3."""
        if not early or self._early_accepted:
            self.items.append(data)
        elif self._early_accepted is None and len(self._early) < MOST_EARLY:
            self._early.append(data)

    def lost(self, side: Side, frame: int) -> None:
        """Notes that data of one side may be missing."""
        self.items.append(Data(side, b"", frame))

    def judge_early(self, *, accepted: bool) -> None:
        """Takes the server's answer to the 0-RTT data."""
        self._early_accepted = accepted
        if accepted:
            self.items += self._early
        self._early = []

    def take(self) -> list[Data]:
        """All there is, which is not kept here any longer."""
        items, self.items = self.items, []
        return items
