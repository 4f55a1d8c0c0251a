"""Which frames carried the value of a field."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import ClientHello, EncryptedExtensions, ServerHello

Frames = Callable[[Handshake], tuple[int, ...]]


def frames_of(*kinds: type, side: Side | None = None) -> Frames:
    """The frames of the first message of one of those kinds."""

    def frames(handshake: Handshake) -> tuple[int, ...]:
        for event in handshake.events:
            if isinstance(event.message, kinds) and side in (None, event.side):
                return event.frames
        return ()

    return frames


def all_frames_of(*kinds: type) -> Frames:
    """The frames of all messages of those kinds."""

    def frames(handshake: Handshake) -> tuple[int, ...]:
        found = [number for event in handshake.events if isinstance(event.message, kinds) for number in event.frames]
        return tuple(dict.fromkeys(found))

    return frames


def hello_frames(*, retry: bool) -> Frames:
    """The frames of the ServerHello, or of the HelloRetryRequest before it, which has the same form."""

    def frames(handshake: Handshake) -> tuple[int, ...]:
        for event in handshake.events:
            if isinstance(event.message, ServerHello) and event.message.hello_retry_request is retry:
                return event.frames
        return ()

    return frames


CLIENT_HELLO_FRAMES = frames_of(ClientHello)
SERVER_HELLO_FRAMES = hello_frames(retry=False)
RETRY_FRAMES = hello_frames(retry=True)
NO_FRAMES: Frames = lambda handshake: ()  # noqa: E731 - a table entry


def chosen_alpn_frames(handshake: Handshake) -> tuple[int, ...]:
    """The frames of the message that names the chosen protocol: EncryptedExtensions where there is one."""
    return frames_of(EncryptedExtensions)(handshake) or SERVER_HELLO_FRAMES(handshake)


def alert_frames(side: Side) -> Frames:
    """The frame of the first fatal alert of one side."""

    def frames(handshake: Handshake) -> tuple[int, ...]:
        fatal = (seen.frame for seen in handshake.alerts if seen.side is side and seen.alert.level == 2)
        return tuple(islice(fatal, 1))

    return frames


def marks(read: str, side: Side) -> Frames:
    """Frames of the FINs or RSTs of one side."""
    return lambda handshake: tuple(mark.frame for mark in getattr(handshake.tcp, read) if mark.side is side)


def http_frames(name: str) -> Frames:
    """The frame of the first request or response."""

    def frames(handshake: Handshake) -> tuple[int, ...]:
        first = None if isinstance(handshake.http, Missing) or not handshake.http else getattr(handshake.http[0], name)
        return () if first is None else (first,)

    return frames
