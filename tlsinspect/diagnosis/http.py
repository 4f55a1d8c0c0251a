"""HTTP/1.1 requests and statuses in the application data of a handshake that was opened with keys."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import ApplicationData

REQUEST_LINE = re.compile(rb"([A-Z]{3,10}) (\S{1,2048}) HTTP/1\.[01]\r?\n")
HOST = re.compile(rb"\r?\nhost:[ \t]*([^\r\n]{1,300}?)[ \t]*\r?\n", re.IGNORECASE)
STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r\n]")
PORT = re.compile(r":\d{1,5}\Z")


@dataclass(frozen=True, slots=True)
class Request:
    """What of a request matters for the route."""

    method: str
    target: str
    host: str  # the Host header with its port; empty when it is not in the same record
    frame: int | None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the server."""

    status: int
    text: str  # the record in which it begins: headers, and the beginning of the content
    frame: int | None


def requests(handshake: Handshake) -> tuple[Request, ...]:
    """The requests of the client that begin a record, in order."""
    found = []
    for octets, frame in opened(handshake, Side.CLIENT):
        line = REQUEST_LINE.match(octets)
        if line is not None:
            host = HOST.search(octets)
            found.append(Request(text(line[1]), text(line[2]), text(host[1]) if host else "", frame))
    return tuple(found)


def replies(handshake: Handshake) -> tuple[Reply, ...]:
    """The answers of the server that begin a record, in order."""
    found = []
    for octets, frame in opened(handshake, Side.SERVER):
        line = STATUS_LINE.match(octets)
        if line is not None:
            found.append(Reply(int(line[1]), text(octets), frame))
    return tuple(found)


def first_reply(handshake: Handshake) -> Reply | None:
    """The first answer of the server, None when there is none that can be read."""
    return next(iter(replies(handshake)), None)


def statuses(handshake: Handshake) -> tuple[int, ...]:
    """The status codes of the server's answers, in order."""
    return tuple(each.status for each in replies(handshake))


def opened(handshake: Handshake, side: Side) -> list[tuple[bytes, int | None]]:
    """The application data of one side that was opened, with the frame of each record."""
    return [
        (event.message.plaintext, event.frames[-1] if event.frames else None)
        for event in handshake.events
        if event.side is side and isinstance(event.message, ApplicationData) and event.message.plaintext
    ]


def plain_host(host: str) -> str:
    """A Host header without its port."""
    return PORT.sub("", host)


def text(octets: bytes) -> str:
    """Octets of a header as text."""
    return octets.decode("ascii", "backslashreplace")
