"""One direction of HTTP/1.1: where each head begins, and what is behind it.  RFC 9112."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence

from tlsinspect.http.head import Content, Head, is_error, path_of, text
from tlsinspect.model.frame import Side

REQUEST_LINE = re.compile(rb"([A-Z]{3,20}) (\S+) (HTTP/1\.[01])\r?\n")
STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) (\d{3})[ \r\n]")
END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
MOST_HEAD = 1 << 15  # octets; servers take 8 to 16 KiB
SWITCHING_PROTOCOLS = 101
WITHOUT_CONTENT = frozenset((204, 304))  # RFC 9112 section 6.3


class State(enum.Enum):
    """What comes next."""

    HEAD = "head"
    CONTENT = "content of known length"
    CHUNK_SIZE = "size of a chunk"
    TRAILERS = "fields behind the last chunk"
    REST = "content until the connection closes"
    SEEK = "anything, after a loss"
    END = "nothing that matters"


class Http1Direction:
    """The heads that one side sends.

    Owns the octets of the head under way, and the state; freed with the connection.  *requests* of the client tell
    which responses have no content.
    """

    def __init__(self, side: Side, requests: Sequence[Head] = ()) -> None:
        self.heads: list[Head] = []
        self._side = side
        self._requests = requests
        self._pending = bytearray()
        self._searched = 0  # pending octets in which no head ends
        self._state = State.HEAD
        self._left = 0  # octets of the content, or of the chunk with its line end
        self._chunked = False
        self._content: Content | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing behind this can be read as HTTP/1.1."""
        return self._state is State.END

    def feed(self, octets: bytes, frame: int) -> None:
        """Takes the octets of the next record."""
        if self._state is State.SEEK and self._line().match(octets):
            self._state = State.HEAD
        if self._state in (State.SEEK, State.END):
            return
        self._pending += octets
        while self._pending and self._step(frame):
            pass

    def lost(self) -> None:
        """Octets are missing: goes on at the next record that begins with a head."""
        self._pending.clear()
        self._searched = 0
        self._content = None
        if self._state is not State.END:
            self._state = State.SEEK

    def finish(self, frame: int) -> None:
        """Takes the head that is not there to its end, as far as it is."""
        whole_lines = bytes(self._pending[: self._pending.rfind(b"\n") + 1])
        if self._state is State.HEAD and (self._side is Side.SERVER or b"host" in fields_of(whole_lines)):
            self._head(whole_lines, frame)
        self._state = State.END

    def _line(self) -> re.Pattern[bytes]:
        return REQUEST_LINE if self._side is Side.CLIENT else STATUS_LINE

    def _step(self, frame: int) -> bool:
        """Takes one part of what is pending; whether there may be another."""
        pending = self._pending
        match self._state:
            case State.HEAD:
                end = END_OF_HEAD.search(pending, self._searched)
                if end is None and len(pending) <= MOST_HEAD:
                    self._searched = max(0, len(pending) - 3)  # the rest may begin an end
                    return False
                self._searched = 0
                head = bytes(pending[: end.end() if end else MOST_HEAD])
                del pending[: len(head)]
                self._head(head, frame)
                return end is not None
            case State.CONTENT | State.REST:
                taken = len(pending) if self._state is State.REST else min(len(pending), self._left)
                if self._content and not self._content.look(bytes(pending[:taken])):
                    self._content = None
                del pending[:taken]
                self._left -= taken
                if self._state is State.CONTENT and not self._left:
                    self._state = State.CHUNK_SIZE if self._chunked else State.HEAD
                return True
            case State.CHUNK_SIZE | State.TRAILERS:
                return self._framing_line()
            case _:
                return False

    def _framing_line(self) -> bool:
        """Takes the line of a chunk's size, or one behind the last chunk.  RFC 9112 section 7.1."""
        end = self._pending.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._pending)
            if self._searched > MOST_HEAD:
                self._state = State.END
            return False
        line = bytes(self._pending[:end])
        del self._pending[: end + 1]
        self._searched = 0
        if self._state is State.TRAILERS:
            self._state = State.HEAD if not line.strip() else State.TRAILERS
            return True
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:
            size = -1
        if size < 0:
            self._state = State.END
            return False
        self._left = size + 2
        self._state = State.CONTENT if size else State.TRAILERS
        return True

    def _head(self, octets: bytes, frame: int) -> None:
        line = self._line().match(octets)
        if line is None:
            self._state = State.END
            return
        fields = fields_of(octets)
        if self._side is Side.CLIENT:
            host = text(fields.get(b"host", b""))
            connect = line[1] == b"CONNECT"
            path = "" if connect else path_of(line[2])
            self.heads.append(Head(line[3].decode(), frame, method=text(line[1]), host=host, path=path))
            self._frame_content(fields, otherwise=State.HEAD)
            return
        status = int(line[2])
        if 100 <= status < 200 and status != SWITCHING_PROTOCOLS:
            return  # an interim response.  RFC 9110 section 15.2
        asked = self._requests[len(self.heads)].method if len(self.heads) < len(self._requests) else ""
        head = Head(line[1].decode(), frame, status=status)
        self.heads.append(head)
        if status == SWITCHING_PROTOCOLS or (asked == "CONNECT" and status < 300):
            self._state = State.END
        elif asked != "HEAD" and status not in WITHOUT_CONTENT:
            self._frame_content(fields, otherwise=State.REST)
            if is_error(status) and b"content-encoding" not in fields:
                self._content = Content(head)

    def _frame_content(self, fields: dict[bytes, bytes], *, otherwise: State) -> None:
        """Where the content ends.  RFC 9112 section 6.3."""
        self._chunked = fields.get(b"transfer-encoding", b"").lower().endswith(b"chunked")
        length = fields.get(b"content-length", b"")
        self._content = None
        if self._chunked:
            self._state = State.CHUNK_SIZE
        elif length.isdigit():
            self._left = int(length[:18])
            self._state = State.CONTENT if self._left else State.HEAD
        else:
            self._state = otherwise


NEEDED = frozenset((b"host", b"content-length", b"transfer-encoding", b"content-encoding"))


def fields_of(head: bytes) -> dict[bytes, bytes]:
    """The few fields of a head that are needed, by their names in lower case."""
    found: dict[bytes, bytes] = {}
    for line in head.splitlines()[1:]:
        name, colon, value = line.partition(b":")
        if colon and name.lower() in NEEDED:
            found.setdefault(name.lower(), value.strip())
    return found
