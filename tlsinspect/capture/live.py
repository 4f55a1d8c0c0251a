"""Live interfaces -> frames, as they come.

On Linux through packet sockets that scapy opens; elsewhere through libpcap or Npcap by way of scapy.
"""

from __future__ import annotations

import logging
import os
import selectors
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Protocol

from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame

ALL_INTERFACES = "any"
ALL_TCP = "tcp"  # the filter that leaves out what cannot carry TLS over TCP, fragments of it included
SNAPLEN = 262_144
POLLING_SECONDS = 0.005  # between two looks, where the system cannot wait for an interface
LAG_SECONDS = 0.1  # a frame may be handed over so much later than it came
POLL_SECONDS = 0.1  # how long iterating waits before it looks whether the capture was closed


class Captured(NamedTuple):
    """A frame, and the interface on which it was captured."""

    frame: Frame
    interface: str  # "any" where several are captured as one


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a live capture counted."""

    frames: int  # handed out
    kernel_dropped: int  # let through by the filter, but there was no room in the kernel's queue


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface of this system."""

    name: str
    addresses: tuple[str, ...]
    up: bool


class Source(Protocol):
    """One open interface."""

    name: str
    link_type: int
    dropped: int

    def fileno(self) -> int:
        """The descriptor that is readable when there are frames."""

    def frames(self, number: int) -> Iterator[Frame]:
        """The frames that have come, without waiting; numbered from *number* on."""

    def refresh(self) -> None:
        """Brings *dropped* up to date."""

    def close(self) -> None:
        """Ends the capture on it."""


class LiveCapture:
    """Frames from one or several interfaces, in the order of their time within each read.

    Owns the sockets; `close`, or leaving the `with` block, frees them.  Iterating over it yields frames until it is
    closed; `read` gives what has come, and returns when nothing comes, so that the caller can look at the clock.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self.name = ", ".join(source.name for source in sources)
        self.links = tuple((source.link_type, source.name) for source in sources)
        self.lost: list[str] = []  # names of interfaces that went down or away while captured
        self._sources = list(sources)
        self._selector = selectors.DefaultSelector()
        self._polled = any(source.fileno() < 0 for source in sources)
        self._frames = 0
        self._dropped = 0  # on interfaces that went away
        self._is_closed = False
        for source in sources:
            if not self._polled:
                self._selector.register(source, selectors.EVENT_READ, source)

    def read(self, timeout_seconds: float) -> list[Captured]:
        """The frames that have come; waits for the first, but no longer than that.  Empty: nothing came.

        Raises CaptureError when the last interface went away.
        """
        if not self._sources:
            raise CaptureError(f"There is nothing left to capture on: {', '.join(self.lost)} went down.")
        found: list[Captured] = []
        for source in self._ready(timeout_seconds):
            try:
                name = source.name
                for frame in source.frames(self._frames + len(found) + 1):
                    found.append(Captured(frame, name))
            except OSError:
                self._lose(source)
        if len(self._sources) > 1:
            numbers = range(self._frames + 1, self._frames + len(found) + 1)
            found.sort(key=lambda each: each.frame.time_ns)
            found = [
                Captured(each.frame._replace(number=number), each.interface)
                for number, each in zip(numbers, found, strict=True)
            ]
        self._frames += len(found)
        return found

    def _ready(self, timeout_seconds: float) -> list[Source]:
        """The sources that may have frames."""
        if self._polled:
            time.sleep(min(timeout_seconds, POLLING_SECONDS))
            return list(self._sources)
        return [key.data for key, _ in self._selector.select(timeout_seconds)]

    @property
    def statistics(self) -> Statistics:
        """What was counted so far."""
        for source in self._sources:
            source.refresh()
        return Statistics(self._frames, self._dropped + sum(source.dropped for source in self._sources))

    def __iter__(self) -> Iterator[Frame]:
        while not self._is_closed:
            for captured in self.read(POLL_SECONDS):
                yield captured.frame

    def __enter__(self) -> LiveCapture:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the capture."""
        if not self._is_closed:
            self._is_closed = True
            self._selector.close()
            for source in self._sources:
                source.close()

    def _lose(self, source: Source) -> None:
        """Goes on without an interface that went down."""
        if not self._polled:
            self._selector.unregister(source)
        self._sources.remove(source)
        self._dropped += source.dropped
        self.lost.append(source.name)
        source.close()


def open_interface(
    names: Sequence[str] = (ALL_INTERFACES,),
    *,
    bpf: str = ALL_TCP,
    snaplen: int = SNAPLEN,
    promiscuous: bool = True,
    at_once: bool = False,
) -> LiveCapture:
    """Begins to capture on interfaces; "any" is all of them, those that come later too.

    *bpf* is a filter in the language of libpcap, empty for everything; of each frame at most *snaplen* octets are
    kept.  With *at_once* each frame can be read as it comes; without it a moment later, and many more of them.  When
    this returns, frames are being captured.  Raises CaptureError when there is no such interface, when the filter is
    wrong, and when the process may not capture; then the message says how it could.
    """
    logging.getLogger("scapy").setLevel(logging.ERROR)  # it tells of every interface that it cannot use
    known = {interface.name: interface for interface in list_interfaces()}
    sources: list[Source] = []
    try:
        for name in dict.fromkeys(names):
            if name != ALL_INTERFACES and name not in known:
                raise CaptureError(f"There is no interface '{name}' here. There are: {', '.join(known)}, any.")
            if name in known and not known[name].up:
                raise CaptureError(f"The interface {name} is down.")
            sources.append(open_source(name, bpf=bpf, snaplen=snaplen, promiscuous=promiscuous, at_once=at_once))
    except PermissionError as error:
        close_all(sources)
        raise CaptureError(no_permission(names)) from error
    except OSError as error:
        close_all(sources)
        raise CaptureError(f"The capture cannot be opened: {error.strerror or error}.") from error
    except BaseException:
        close_all(sources)
        raise
    return LiveCapture(sources)


def open_source(name: str, *, bpf: str, snaplen: int, promiscuous: bool, at_once: bool) -> Source:
    """One interface, by the means of this system."""
    if sys.platform.startswith("linux"):
        from tlsinspect.capture.packet_socket import PacketSocket

        interface = None if name == ALL_INTERFACES else name
        return PacketSocket(interface, bpf=bpf, snaplen=snaplen, promiscuous=promiscuous, at_once=at_once)
    from tlsinspect.capture.portable import PortableSource

    return PortableSource(name, bpf=bpf, snaplen=snaplen, promiscuous=promiscuous)


def close_all(sources: Sequence[Source]) -> None:
    """Closes what was opened before something failed."""
    for source in sources:
        source.close()


def list_interfaces() -> tuple[Interface, ...]:
    """The interfaces of this system with their addresses, in the order of the system."""
    logging.getLogger("scapy").setLevel(logging.ERROR)
    import scapy.arch  # noqa: F401 - registers what this system lists interfaces with
    from scapy.config import conf

    conf.ifaces.reload()
    return tuple(
        Interface(str(each.name), tuple(str(ip) for version in (4, 6) for ip in each.ips.get(version, ())), is_up(each))
        for each in conf.ifaces.values()
    )


def is_up(interface: object) -> bool:
    """Whether an interface of scapy is up; only some systems tell."""
    return bool(int(getattr(interface, "flags", 1)) & 1)


def interfaces_towards(addresses: Sequence[str]) -> tuple[str, ...]:
    """The interfaces through which this system reaches addresses."""
    import scapy.route
    import scapy.route6  # noqa: F401 - both fill what conf has
    from scapy.config import conf

    found = ((conf.route6 if ":" in address else conf.route).route(address)[0] for address in addresses)
    return tuple(dict.fromkeys(str(name) for name in found))


def no_permission(names: Sequence[str]) -> str:
    """What is missing, and the three ways to get it."""
    interfaces = " ".join(f"-i {name}" for name in names)
    if not sys.platform.startswith("linux"):
        return f"Capturing needs the rights of an administrator here: sudo tlsinspect capture {interfaces}"
    interpreter = os.path.realpath(sys.executable)
    return (
        f"Capturing needs the capability CAP_NET_RAW, and this process does not have it. There are three ways: "
        f"(1) sudo {command_path()} capture {interfaces}; "
        f"(2) sudo setcap cap_net_raw,cap_net_admin=eip {interpreter}, after which everybody who may run this "
        f"interpreter can capture all traffic and change the network settings with any script, so give it only to an "
        f"interpreter of its own (python3 -m venv --copies); "
        f"(3) sudo tcpdump -U -w - {interfaces} tcp | tlsinspect show -"
    )


def command_path() -> str:
    """How this program was started, so that sudo finds it: its search path is another one."""
    path = os.path.abspath(sys.argv[0])
    return path if os.access(path, os.X_OK) else f"{sys.executable} -m tlsinspect"
