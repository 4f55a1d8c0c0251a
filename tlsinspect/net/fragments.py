"""Fragmented IP datagrams, put together again."""

from __future__ import annotations

from typing import NamedTuple

from tlsinspect.net.layer import Fragment

MOST_DATAGRAMS = 1024
MOST_PIECES = 512  # of one datagram; 64 KiB over links of 576 octets are 119
MOST_OCTETS = 8 << 20  # of all datagrams
PATIENCE_NS = 30_000_000_000  # RFC 791 recommends 15 s at least, Linux waits 30 s

Key = tuple[bytes, tuple[int, int]]


class Whole(NamedTuple):
    """A datagram of which every fragment was seen."""

    kind: tuple[str, int]  # of the first header in it
    data: bytes  # captured octets, up to the first one that the snap length cut away
    octets: int  # on the wire


class Fragments:
    """Owns the datagrams of which fragments were seen, not all.

    One is freed when it is whole, 30 s of frame time after its first fragment, and when younger ones need the room.
    """

    __slots__ = ("_octets", "_under_way")

    def __init__(self) -> None:
        self._under_way: dict[Key, _Pieces] = {}  # the oldest first
        self._octets = 0

    def __len__(self) -> int:
        return len(self._under_way)

    def feed(
        self, addresses: bytes, fragment: Fragment, *, kind: tuple[str, int], data: bytes, octets: int, time_ns: int
    ) -> Whole | None:
        """The datagram that *fragment* completes.  *octets* is the length of *data* on the wire."""
        self._free_old(time_ns)
        key = addresses, fragment.identification
        pieces = self._under_way.get(key)
        if pieces is None:
            pieces = self._under_way[key] = _Pieces(time_ns)
        if fragment.offset in pieces.at or octets <= 0:
            return None
        if len(pieces.at) >= MOST_PIECES:
            self._free(key)
            return None
        pieces.at[fragment.offset] = data, octets
        pieces.octets += len(data)
        self._octets += len(data)
        if fragment.offset == 0:
            pieces.kind = kind
        if not fragment.more:
            pieces.total = fragment.offset + octets
        whole = pieces.whole()
        if whole is not None:
            self._free(key)
        return whole

    def _free_old(self, time_ns: int) -> None:
        while self._under_way:
            key, pieces = next(iter(self._under_way.items()))
            crowded = len(self._under_way) > MOST_DATAGRAMS or self._octets > MOST_OCTETS
            if not crowded and time_ns - pieces.since_ns < PATIENCE_NS:
                return
            self._free(key)

    def _free(self, key: Key) -> None:
        self._octets -= self._under_way.pop(key).octets


class _Pieces:
    """The fragments of one datagram that were seen; freed with the entry in Fragments."""

    __slots__ = ("at", "kind", "octets", "since_ns", "total")

    def __init__(self, since_ns: int) -> None:
        self.since_ns = since_ns
        self.at: dict[int, tuple[bytes, int]] = {}  # offset -> captured octets, octets on the wire; in order of arrival
        self.kind: tuple[str, int] | None = None  # from the fragment at offset 0
        self.total: int | None = None  # octets of the datagram, from its last fragment
        self.octets = 0  # captured

    def whole(self) -> Whole | None:
        """The datagram when no fragment is missing.  Where fragments overlap, what came first is kept."""
        if self.total is None or self.kind is None or sum(octets for _, octets in self.at.values()) < self.total:
            return None
        reached = captured = 0
        for offset, (data, octets) in sorted(self.at.items()):
            if offset > reached:
                return None
            reached = max(reached, offset + octets)
            if offset <= captured:
                captured = max(captured, offset + len(data))
        if reached < self.total:
            return None
        octets_in_order = bytearray(captured)
        for offset, (data, _) in reversed(self.at.items()):
            if offset < captured:  # else it stands behind octets that the snap length cut away
                octets_in_order[offset : offset + len(data)] = data
        return Whole(self.kind, bytes(octets_in_order[: min(captured, self.total)]), self.total)
