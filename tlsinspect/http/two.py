"""One direction of HTTP/2: its HEADERS frames.  RFC 9113, RFC 7541."""

from __future__ import annotations

from tlsinspect.http.head import Content, Head, is_error, path_of, text
from tlsinspect.model.frame import Side

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # RFC 9113 section 3.4
FRAME_HEADER = 9
DATA, HEADERS, SETTINGS, PUSH_PROMISE, CONTINUATION = 0, 1, 4, 5, 9
END_HEADERS, PADDED, PRIORITY = 0x4, 0x8, 0x20
MOST_FIELDS = 1 << 16  # octets of one field section, packed and unpacked
MOST_ERRORS = 16  # streams whose content is looked at


def begins_with_settings(octets: bytes) -> bool:
    """Whether octets begin with a SETTINGS frame of stream 0, as a server's do.  RFC 9113 section 3.4."""
    return len(octets) >= FRAME_HEADER and octets[:2] == b"\0\0" and octets[3] == SETTINGS and octets[5:9] == bytes(4)


class Http2Direction:
    """The heads that one side sends.

    Owns the frame under way, the field section under way and the dynamic table; freed with the connection.  After lost
    octets nothing more is read, as the table is not known any more.
    """

    def __init__(self, side: Side) -> None:
        import hpack

        self.heads: list[Head] = []
        self.ended = False
        self._side = side
        self._decoder = hpack.Decoder(max_header_list_size=MOST_FIELDS)
        self._decoder.max_allowed_table_size = MOST_FIELDS  # what the peer allowed is not looked up
        self._pending = bytearray()
        self._passing = 0  # octets left of a frame that is not kept
        self._fields = bytearray()
        self._stream = 0  # of the field section under way
        self._content: dict[int, Content] = {}
        self._preface = side is Side.CLIENT

    def feed(self, octets: bytes, frame: int) -> None:
        """Takes the octets of the next record."""
        if self.ended:
            return
        self._pending += octets
        if self._preface:
            if len(self._pending) < len(PREFACE):
                return
            del self._pending[: len(PREFACE)]
            self._preface = False
        while self._pending and not self.ended and self._step(frame):
            pass

    def lost(self) -> None:
        """Octets are missing."""
        self.finish(0)

    def finish(self, frame: int) -> None:
        """Nothing follows."""
        self.ended = True
        self._pending.clear()

    def _step(self, frame: int) -> bool:
        pending = self._pending
        if self._passing:
            taken = min(self._passing, len(pending))
            del pending[:taken]
            self._passing -= taken
            return True
        if len(pending) < FRAME_HEADER:
            return False
        size = int.from_bytes(pending[:3], "big")
        kind, flags = pending[3], pending[4]
        stream = int.from_bytes(pending[5:FRAME_HEADER], "big") & 0x7FFFFFFF
        wanted = kind in (HEADERS, PUSH_PROMISE, CONTINUATION) or (kind == DATA and stream in self._content)
        if not wanted:
            del pending[:FRAME_HEADER]
            self._passing = size
            return True
        if size > MOST_FIELDS:
            self.ended = True
            return False
        if len(pending) < FRAME_HEADER + size:
            return False
        payload = bytes(pending[FRAME_HEADER : FRAME_HEADER + size])
        del pending[: FRAME_HEADER + size]
        self._frame(kind, flags, stream, payload, frame)
        return True

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes, frame: int) -> None:
        if kind != CONTINUATION and flags & PADDED and payload:
            payload = payload[1 : len(payload) - payload[0]]
        if kind == DATA:
            if not self._content[stream].look(payload):
                del self._content[stream]
            return
        if kind == HEADERS:
            self._fields = bytearray(payload[5:] if flags & PRIORITY else payload)
            self._stream = stream
        elif kind == PUSH_PROMISE:
            self._fields = bytearray(payload[4:])
            self._stream = 0  # a request that nobody made
        else:
            self._fields += payload
        if len(self._fields) > MOST_FIELDS:
            self.ended = True
        elif flags & END_HEADERS:
            self._head(frame)

    def _head(self, frame: int) -> None:
        import hpack

        try:
            fields = {bytes(name): bytes(value) for name, value in self._decoder.decode(bytes(self._fields), raw=True)}
        except hpack.HPACKError:
            self.ended = True
            return
        status, method = fields.get(b":status", b""), fields.get(b":method", b"")
        if not self._stream:
            return
        if self._side is Side.CLIENT and method:
            host = text(fields.get(b":authority") or fields.get(b"host", b""))
            path = path_of(fields.get(b":path", b""))
            self.heads.append(Head("HTTP/2", frame, self._stream, method=text(method), host=host, path=path))
        elif self._side is Side.SERVER and status.isdigit() and int(status) >= 200:
            head = Head("HTTP/2", frame, self._stream, status=int(status[:3]))
            self.heads.append(head)
            if is_error(head.status) and b"content-encoding" not in fields and len(self._content) < MOST_ERRORS:
                self._content[self._stream] = Content(head)
