"""Reading big-endian, length-prefixed structures: the only index arithmetic on protocol octets.

RFC 8446 section 3.
"""

from __future__ import annotations


class Malformed(Exception):
    """Octets that do not follow the specification.  Never leaves the parsing packages."""

    def __init__(self, problem: str, offset: int) -> None:
        super().__init__(f"{problem} at octet {offset}")
        self.problem = problem
        self.offset = offset


class Cursor:
    """A reading position in part of a buffer.

    A vector yields a child cursor that ends where the vector ends, so a reader can never pass its parent.
    """

    __slots__ = ("_at", "_data", "_end")

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        self._data = data
        self._at = start
        self._end = len(data) if end is None else end

    def __len__(self) -> int:
        return self._end - self._at

    @property
    def offset(self) -> int:
        """Octets from the start of the buffer."""
        return self._at

    def take(self, count: int, name: str) -> bytes:
        """The next *count* octets.  Raises Malformed when fewer remain."""
        at = self._at
        if count > self._end - at:
            raise Malformed(f"{name} needs {count} octets, {self._end - at} remain", at)
        self._at = at + count
        return self._data[at : at + count]

    def uint(self, size: int, name: str) -> int:
        """The next *size* octets as an unsigned big-endian integer."""
        return int.from_bytes(self.take(size, name), "big")

    def vector(self, prefix: int, name: str) -> Cursor:
        """A child over the next variable-length vector, whose length takes *prefix* octets."""
        start = self._at
        size = self.uint(prefix, f"length of {name}")
        if size > self._end - self._at:
            raise Malformed(f"{name} says {size} octets, {self._end - self._at} remain", start)
        self._at += size
        return Cursor(self._data, self._at - size, self._at)

    def uints(self, size: int, name: str) -> tuple[int, ...]:
        """All remaining octets as integers of *size* octets each."""
        if (self._end - self._at) % size:
            raise Malformed(f"{name}: {len(self)} octets are not a multiple of {size}", self._at)
        octets = self.take(self._end - self._at, name)
        return tuple(int.from_bytes(octets[at : at + size], "big") for at in range(0, len(octets), size))

    def rest(self) -> bytes:
        """All remaining octets."""
        return self.take(self._end - self._at, "rest")

    def peek(self) -> bytes:
        """All remaining octets, without reading them."""
        return self._data[self._at : self._end]

    def filled_by(self, *prefixes: int) -> bool:
        """Whether vectors with length prefixes of these sizes, in this order, take exactly the remaining octets."""
        at = self._at
        for prefix in prefixes:
            at += prefix + int.from_bytes(self._data[at : min(at + prefix, self._end)], "big")
        return at == self._end

    def end(self, name: str) -> None:
        """Raises Malformed when octets remain."""
        if self._end > self._at:
            raise Malformed(f"{self._end - self._at} octets after the end of {name}", self._at)
