"""Which of the connections that are captured around a command are its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tlsinspect.capture.control_group import ControlGroup
from tlsinspect.capture.live import list_interfaces
from tlsinspect.capture.owners import Owners, is_from_here, is_local, packed, reverse_of
from tlsinspect.model.frame import Frame
from tlsinspect.net.packet import Datagram, PacketDecoder, Segment

SYN, ACK = 2, 16
TCP, UDP = 6, 17
BY_GROUP, BY_SOCKETS = "control group", "sockets"


@dataclass(slots=True)
class Seen:
    """A connection that was captured."""

    protocol: int
    presumed: bool  # it began while the command ran, at an address of this system
    own: bool | None = None  # what the control group said


class OwnConnections:
    """Tells the frames of the command's connections from those of others.

    By the control group in which the command runs, which leaves no doubt; where there is none, by the sockets that it
    and its children hold.  Then a connection too short to be found is kept when it began while the command ran, at an
    address of this system.  Owns the group, and what is known of each connection seen.
    """

    def __init__(self) -> None:
        self.ended_ns = 1 << 63  # when the command ended
        self.no_group = ""  # why there is none
        self._group: ControlGroup | None = None
        try:
            self._group = ControlGroup()
        except OSError as error:
            self.no_group = error.strerror or str(error)
        self._owners = Owners()
        self._addresses = packed(tuple(address for each in list_interfaces() for address in each.addresses))
        self._seen: dict[bytes, Seen] = {}  # by the name in the direction of the first packet
        self._unsettled: dict[bytes, int] = {}  # protocols of connections whose sockets have to be looked at again
        self._arriving, self._leaving = PacketDecoder(), PacketDecoder()  # both see every frame, at other times

    @property
    def told_by(self) -> str:
        """How connections are told apart."""
        return BY_GROUP if self._group is not None else BY_SOCKETS

    @property
    def enter(self) -> Callable[[], None] | None:
        """What the command's process has to call before it runs."""
        return self._group.enter if self._group is not None else None

    def look_at(self, frames: Iterable[Frame]) -> None:
        """Looks whose connections new frames belong to; to be called though there are none, too."""
        fresh = False
        for frame in frames:
            packet = self._arriving.decode(frame)
            if not isinstance(packet, Segment | Datagram):
                continue
            key = self._name_of(packet)
            protocol = UDP if isinstance(packet, Datagram) else TCP
            begins = isinstance(packet, Datagram) or packet.flags & (SYN | ACK) == SYN
            seen = self._seen.get(key)
            if seen is None:
                while_it_ran = begins and frame.time_ns <= self.ended_ns
                self._seen[key] = Seen(protocol, while_it_ran and is_local(key, self._addresses))
            elif begins and protocol == TCP:
                seen.own = None  # the ports are used again
            if self._group is None:
                fresh = fresh or seen is None
                self._look_at(key, protocol)
        if self._group is None and self._owners.look_at_processes(soon=fresh):
            for key, protocol in list(self._unsettled.items()):  # a socket that is there now was there at that look
                self._look_at(key, protocol)

    def keeps(self, frame: Frame) -> bool:
        """Whether a frame that was looked at a moment ago belongs to a connection of the command."""
        packet = self._leaving.decode(frame)
        if not isinstance(packet, Segment | Datagram):
            return False
        key = self._name_of(packet)
        seen = self._seen.get(key)
        return seen is not None and self._is_own(key, seen)

    @property
    def left_out(self) -> int:
        """Connections of others."""
        return sum(not self._is_own(key, seen) for key, seen in self._seen.items())

    @property
    def presumed(self) -> int:
        """Connections that were kept by time and address alone."""
        if self._group is not None:
            return 0
        return sum(seen.presumed and self._owners.is_childs(key) is None for key, seen in self._seen.items())

    def close(self) -> None:
        """Asks the system no more."""
        self._owners.close()
        if self._group is not None:
            self._group.close()

    def _look_at(self, key: bytes, protocol: int) -> None:
        """Looks at the sockets of a connection, as long as that may tell more."""
        self._owners.look_at(key, protocol, outgoing=is_from_here(key, self._addresses))
        if self._owners.is_settled(key):
            self._unsettled.pop(key, None)
        else:
            self._unsettled[key] = protocol

    def _name_of(self, packet: Segment | Datagram) -> bytes:
        """The name of a connection in the direction in which it was first seen."""
        if packet.key in self._seen:
            return packet.key
        other = reverse_of(packet.key)
        return other if other in self._seen else packet.key

    def _is_own(self, key: bytes, seen: Seen) -> bool:
        if self._group is not None:
            if seen.own is None:
                seen.own = self._group.has(key, seen.protocol)
            return seen.own
        verdict = self._owners.is_childs(key)
        return seen.presumed if verdict is None else verdict
