"""The HTTP requests and replies that passed after a handshake, where keys show them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake, HttpExchange

PORT = re.compile(r":\d{1,5}\Z")


@dataclass(frozen=True, slots=True)
class Request:
    """What of a request matters for the route."""

    method: str
    path: str
    host: str  # Host or :authority, with its port; empty when there is none
    frame: int | None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the server."""

    version: str  # "HTTP/1.1", "HTTP/2", ...
    status: int
    text: str  # a known sentence in its content, such as "No required SSL certificate was sent"; else empty
    frame: int | None


def exchanges(handshake: Handshake) -> tuple[HttpExchange, ...]:
    """What passed, in the order of the requests; empty where it cannot be seen."""
    return () if isinstance(handshake.http, Missing) else handshake.http


def requests(handshake: Handshake) -> tuple[Request, ...]:
    """The requests of the client, in order."""
    return tuple(
        Request(each.method, each.path, each.host, each.request_frame) for each in exchanges(handshake) if each.method
    )


def replies(handshake: Handshake) -> tuple[Reply, ...]:
    """The answers of the server, in the order of the requests."""
    return tuple(
        Reply(each.version, each.status, each.said, each.response_frame)
        for each in exchanges(handshake)
        if each.status is not None
    )


def first_reply(handshake: Handshake) -> Reply | None:
    """The first answer of the server, None when there is none that can be read."""
    return next(iter(replies(handshake)), None)


def statuses(handshake: Handshake) -> tuple[int, ...]:
    """The status codes of the server's answers, in the order of the requests."""
    return tuple(each.status for each in replies(handshake))


def plain_host(host: str) -> str:
    """A Host without its port."""
    return PORT.sub("", host)
