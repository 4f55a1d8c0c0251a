"""Both directions of HTTP on one connection: octets in, exchanges out."""

from __future__ import annotations

from itertools import zip_longest

from tlsinspect.http.head import Head
from tlsinspect.http.one import REQUEST_LINE, STATUS_LINE, Http1Direction
from tlsinspect.http.two import PREFACE, Http2Direction, begins_with_settings
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import HttpExchange

MOST_EXCHANGES = 64  # of one connection
MOST_UNDECIDED = 1 << 12  # octets in which a request or status line has to be complete


class HttpReader:
    """The HTTP exchanges of one connection; HTTP/1.1 and HTTP/2 are told by how they begin.

    Owns both directions; freed when the handshake is emitted.
    """

    def __init__(self) -> None:
        self._directions: dict[Side, Http1Direction | Http2Direction | None] = {}
        self._begin: dict[Side, bytes] = dict.fromkeys(Side, b"")
        self._frame = 0
        self.lossy = False  # octets are missing
        self._paired: int | None = None  # exchanges of HTTP/1.1 before the first loss

    @property
    def fed(self) -> bool:
        """Whether any application data came."""
        return self._frame > 0

    @property
    def done(self) -> bool:
        """Whether nothing more is to be learned."""
        requests = self._heads(Side.CLIENT)
        over = len(self._directions) == 2 and all(each is None or each.ended for each in self._directions.values())
        return over or len(requests) >= MOST_EXCHANGES

    def feed(self, side: Side, octets: bytes, frame: int) -> None:
        """Takes the octets of the next record of one side."""
        if not octets:
            return
        self._frame = frame
        if side not in self._directions:
            octets = self._begin[side] + octets
            self._begin[side] = octets
            if not self._decide(side, octets):
                return
        direction = self._directions[side]
        if direction is not None and len(direction.heads) < MOST_EXCHANGES:
            direction.feed(octets, frame)

    def lost(self, side: Side) -> None:
        """Octets of one side are missing; which request is the first is not known when they may hold it."""
        self.lossy = True
        direction = self._directions.setdefault(side, None)
        if direction is not None:
            if self._paired is None:
                self._paired = min(len(self._heads(each)) for each in Side)
            direction.lost()

    def exchanges(self) -> tuple[HttpExchange, ...]:
        """The exchanges in the order of the requests; a response whose request was not seen stands alone."""
        for direction in self._directions.values():
            if direction is not None:
                direction.finish(self._frame)
        requests, responses = self._heads(Side.CLIENT), self._heads(Side.SERVER)
        if isinstance(self._directions.get(Side.SERVER), Http2Direction):
            answers = {head.stream: head for head in reversed(responses)}
            found = [exchange(request, answers.pop(request.stream, None)) for request in requests]
            return tuple(found + [exchange(None, head) for head in responses if head.stream in answers])
        paired = max(len(requests), len(responses)) if self._paired is None else self._paired
        pairs = [*zip_longest(requests[:paired], responses[:paired])]
        pairs += [(request, None) for request in requests[paired:]]
        pairs += [(None, response) for response in responses[paired:]]
        return tuple(exchange(request, response) for request, response in pairs)

    def _decide(self, side: Side, octets: bytes) -> bool:
        """Chooses what one side speaks; whether that could be told already."""
        line = REQUEST_LINE if side is Side.CLIENT else STATUS_LINE
        two = octets.startswith(PREFACE) if side is Side.CLIENT else begins_with_settings(octets)
        if two:
            self._directions[side] = Http2Direction(side)
        elif line.match(octets):
            self._directions[side] = Http1Direction(side, self._heads(Side.CLIENT))
        elif len(octets) > MOST_UNDECIDED or not may_be_http(octets, side):
            self._directions[side] = None
        return side in self._directions

    def _heads(self, side: Side) -> list[Head]:
        direction = self._directions.get(side)
        return direction.heads if direction is not None else []


def may_be_http(octets: bytes, side: Side) -> bool:
    """Whether octets that are too few to tell may begin HTTP."""
    if side is Side.CLIENT:
        return octets[:3].isalpha() and octets[:3].isupper() if len(octets) >= 3 else octets.isalpha()
    return b"HTTP/1.".startswith(octets[:7]) or (len(octets) < 9 and octets[:2] in (b"\0", b"\0\0"))


def exchange(request: Head | None, response: Head | None) -> HttpExchange:
    """One exchange from its two heads, of which one may not have been seen."""
    either = request or response
    assert either is not None
    return HttpExchange(
        version=either.version,
        method=request.method if request else "",
        host=request.host if request else "",
        path=request.path if request else "",
        status=response.status if response else None,
        said=response.said if response else "",
        request_frame=request.frame if request else None,
        response_frame=response.frame if response else None,
    )
