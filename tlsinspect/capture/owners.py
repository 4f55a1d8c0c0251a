"""Whose a connection is: the sockets of a command and its children, as Linux shows them below /proc.

proc(5).
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from struct import Struct

LISTEN = "0A"  # state of a socket in /proc/net/tcp
MAPPED = bytes(10) + b"\xff\xff"  # an IPv4 address in an IPv6 socket (RFC 4291 section 2.5.5.2)
PR_SET_CHILD_SUBREAPER = 36
NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, NLMSG_ERROR = 4, 20, 1, 2
ALL_STATES = 0xFFFFFFFF
NO_COOKIE = 0xFFFFFFFF
MOST_LOOKS = 12  # packets of a connection at which the system is asked for its sockets
LEAST_PAUSE_NS = 5_000_000  # between two looks at the processes
SHARE = 3  # of the time that a look takes, before the next: so much more of it is for everything else

netlink_header = Struct("=IHHII")
diag_request = Struct("=BBBxI").pack  # family, protocol, extensions, states; then the addresses
diag_addresses = Struct("!2s2s16s16s").pack
diag_rest = Struct("=III").pack  # interface, cookie
DIAG_INODE_AT = netlink_header.size + 68  # the last field of inet_diag_msg
uint32 = Struct("=I").unpack_from


@dataclass(slots=True)
class SocketTable:
    """The sockets of a network namespace: the numbers of their inodes, 0 for those that no process holds."""

    connected: dict[bytes, int] = field(default_factory=dict)  # by local and remote address, local and remote port
    listening: dict[int, set[int]] = field(default_factory=dict)  # by local port

    def inodes(self, key: bytes) -> set[int]:
        """Of the sockets at the local end of a connection."""
        found = self.connected.get(key)
        return {found} if found else self.listening.get(int.from_bytes(key[-4:-2], "big"), set())


@dataclass(slots=True)
class Looked:
    """What is known of one connection."""

    inodes: set[int] = field(default_factory=set)  # of the sockets at both ends, as far as they are of this system
    began: set[int] = field(default_factory=set)  # those at the end that began it, or at ours when it came from afar
    times: int = 0  # that the system was asked
    at: int = 0  # how often the processes had been looked at when an inode was found
    foreign: bool = False  # its socket was there before and after a look at the processes, and no child held it


class Owners:
    """Tells the connections of this process's children from those of others.

    A connection should be looked at as soon as a packet of it is captured, while its sockets are there; then the
    processes, every few milliseconds, and the connection again.  Owns the inodes of both, and a socket to ask the
    kernel.
    """

    def __init__(self) -> None:
        self._looked: dict[bytes, Looked] = {}
        self._held: set[int] = set()  # by children, at any time
        self._rounds = 0
        self._due_ns = self._soon_ns = 0
        self._diagnosis = SocketDiagnosis()

    def look_at(self, key: bytes, protocol: int, *, outgoing: bool) -> None:
        """Asks the system for the sockets of a connection, named as in Segment.key.

        *outgoing*: its source is an address of this system.
        """
        looked = self._looked.setdefault(key, Looked())
        nothing_new = bool(looked.inodes) and (looked.foreign or looked.at == self._rounds)
        if looked.times >= MOST_LOOKS or nothing_new or looked.inodes & self._held:
            return
        looked.times += 1
        near, far = self._diagnosis.inodes(key, protocol), self._diagnosis.inodes(reverse_of(key), protocol)
        # A child may have closed its socket before the processes were looked at: only one that is still there tells.
        looked.foreign = looked.at < self._rounds and bool(looked.began & (near | far))
        looked.inodes |= near | far
        looked.began = looked.began or (near if outgoing else far)
        looked.at = self._rounds

    def look_at_processes(self, *, soon: bool = False) -> bool:
        """Takes in the sockets that children hold, if it is time to; *soon*, as there are new connections.

        Whether it was time: then a look at a connection tells more than before.
        """
        start_ns = time.monotonic_ns()
        if start_ns < (self._soon_ns if soon else self._due_ns):
            return False
        for pid in descendants(os.getpid()):
            self._held.update(inodes_of(pid))
        self._rounds += 1
        end_ns = time.monotonic_ns()
        self._due_ns = end_ns + max(LEAST_PAUSE_NS, SHARE * (end_ns - start_ns))
        self._soon_ns = end_ns + (end_ns - start_ns)
        return True

    def is_settled(self, key: bytes) -> bool:
        """Whether more looks at a connection would not tell more."""
        looked = self._looked.get(key)
        return looked is not None and (looked.times >= MOST_LOOKS or self.is_childs(key) is not None)

    def is_childs(self, key: bytes) -> bool | None:
        """Whether a child holds a socket at either end; None where the system did not tell."""
        looked = self._looked.get(key)
        if looked is None or not looked.inodes:
            return None
        if looked.inodes & self._held:
            return True
        return False if looked.foreign else None

    def close(self) -> None:
        """Frees the socket."""
        self._diagnosis.close()


class SocketDiagnosis:
    """Asks the kernel for one socket by its addresses; where it cannot be asked, the table of all is read.

    sock_diag(7).  Owns the socket to ask with, and the table that was read last.
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._table = SocketTable()
        self._due_ns = 0
        with suppress(AttributeError, OSError):
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
            self._socket.settimeout(1)

    def inodes(self, key: bytes, protocol: int) -> set[int]:
        """The inodes of the socket whose local end comes first in *key*; one that listens counts."""
        if self._socket is not None:
            try:
                inode = self._ask(self._socket, key, protocol)
            except OSError:
                self.close()
            else:
                return {inode} if inode else set()
        if time.monotonic_ns() >= self._due_ns:
            self._table = read_sockets(os.getpid())
            self._due_ns = time.monotonic_ns() + LEAST_PAUSE_NS
        return self._table.inodes(key)

    def close(self) -> None:
        """Frees the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, asking: socket.socket, key: bytes, protocol: int) -> int:
        """The inode, 0 for none.  Raises OSError when the kernel has no answer to such questions."""
        half = (len(key) - 4) // 2
        family = socket.AF_INET if half == 4 else socket.AF_INET6
        request = diag_request(family, protocol, 0, ALL_STATES)
        request += diag_addresses(key[-4:-2], key[-2:], key[:half], key[half : 2 * half])
        request += diag_rest(0, NO_COOKIE, NO_COOKIE)
        header = netlink_header.pack(netlink_header.size + len(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0, 0)
        asking.send(header + request)
        answer = asking.recv(4096)
        if netlink_header.unpack_from(answer)[1] == NLMSG_ERROR:
            number = -Struct("=i").unpack_from(answer, netlink_header.size)[0]
            if number == errno.ENOENT and protocol == socket.IPPROTO_TCP:
                return 0  # no such socket
            raise OSError(number, os.strerror(number))
        return int(uint32(answer, DIAG_INODE_AT)[0])


def adopt_orphans() -> None:
    """Makes grandchildren whose parents end children of this process, so that they still count.  prctl(2)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> Iterator[int]:
    """The children of a process, and theirs."""
    parents: dict[int, list[int]] | None = None
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        children: list[int] = []
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children", encoding="ascii") as file:
                    children += map(int, file.read().split())
        except FileNotFoundError:  # it has ended, or the kernel was built without these files
            parents = processes_by_parent() if parents is None else parents
            children = parents.get(parent, [])
        yield from children
        waiting += children


def processes_by_parent() -> dict[int, list[int]]:
    """All processes by their parents: the slow way."""
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if not name.isdecimal():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                words = file.read().rpartition(")")[2].split(None, 2)
        except OSError:
            continue  # it has ended
        found.setdefault(int(words[1]), []).append(int(name))
    return found


def inodes_of(pid: int) -> Iterator[int]:
    """The inodes of the sockets that a process has open."""
    try:
        descriptors = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return  # it has ended, or is another user's
    for descriptor in descriptors:
        try:
            target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
        except OSError:
            continue  # closed meanwhile
        if target.startswith("socket:["):
            yield int(target[8:-1])


def read_sockets(pid: int) -> SocketTable:
    """The TCP and UDP sockets in the network namespace of a process."""
    table = SocketTable()
    for name in ("tcp", "tcp6", "udp", "udp6"):
        try:
            with open(f"/proc/{pid}/net/{name}", encoding="ascii") as file:
                lines = file.readlines()[1:]
        except OSError:
            continue  # it has ended, or there is no IPv6
        for line in lines:
            words = line.split()
            local, remote, state, inode = words[1], words[2], words[3], int(words[9])
            (address, port), (peer, peer_port) = parse_end(local), parse_end(remote)
            if state == LISTEN:
                table.listening.setdefault(port, set()).add(inode)
            else:
                ports = port.to_bytes(2, "big") + peer_port.to_bytes(2, "big")
                table.connected[address + peer + ports] = inode
    return table


def parse_end(text: str) -> tuple[bytes, int]:
    """Address and port of "0100007F:01BB": words of 32 bits in the byte order of the host, then the port."""
    digits, _, port = text.partition(":")
    words = bytes.fromhex(digits)
    if sys.byteorder == "little":
        words = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
    return words.removeprefix(MAPPED) if len(words) == 16 else words, int(port, 16)


def reverse_of(key: bytes) -> bytes:
    """The name of a connection as the other end has it."""
    half = (len(key) - 4) // 2
    return key[half : 2 * half] + key[:half] + key[-2:] + key[-4:-2]


def is_local(key: bytes, addresses: frozenset[bytes]) -> bool:
    """Whether an end of a connection has one of these addresses."""
    half = (len(key) - 4) // 2
    return key[:half] in addresses or key[half : 2 * half] in addresses


def is_from_here(key: bytes, addresses: frozenset[bytes]) -> bool:
    """Whether the source of a connection has one of these addresses."""
    return key[: (len(key) - 4) // 2] in addresses


def packed(addresses: tuple[str, ...]) -> frozenset[bytes]:
    """Addresses as they stand in keys."""
    return frozenset(ip_address(address.partition("%")[0]).packed for address in addresses)
