"""Whose a connection is: the sockets of a command and its children, as Linux shows them below /proc.

proc(5).
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

LISTEN = "0A"  # state of a socket in /proc/net/tcp
MAPPED = bytes(10) + b"\xff\xff"  # an IPv4 address in an IPv6 socket (RFC 4291 section 2.5.5.2)
PR_SET_CHILD_SUBREAPER = 36


@dataclass(slots=True)
class SocketTable:
    """The sockets of a network namespace: the numbers of their inodes, 0 for those that no process holds."""

    connected: dict[bytes, int] = field(default_factory=dict)  # by local and remote address, local and remote port
    listening: dict[int, set[int]] = field(default_factory=dict)  # by local port


class Owners:
    """Tells the connections of this process's children from those of others.

    The verdict is asked for when a connection appears, while its socket is still there.  Owns nothing: the system is
    asked each time.  Where it does not tell (no Linux, or a connection too short), the verdict is None.
    """

    def is_childs(self, key: bytes) -> bool | None:
        """Whether a child holds the socket at either end of a connection, named as in Segment.key; None: not known."""
        pids = list(descendants(os.getpid()))
        held = {inode for pid in pids for inode in inodes_of(pid)}
        found: set[int] = set()
        for table in {namespace_of(pid): pid for pid in (os.getpid(), *pids)}.values():
            sockets = read_sockets(table)
            for name in (key, reverse_of(key)):
                found.add(sockets.connected.get(name, 0))
                found |= sockets.listening.get(int.from_bytes(name[-4:-2], "big"), set()) & held
        found.discard(0)
        if found & held:
            return True
        return False if found else None


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


def namespace_of(pid: int) -> str:
    """What names the network namespace of a process; empty when it has ended."""
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
    except OSError:
        return ""


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


def packed(addresses: tuple[str, ...]) -> frozenset[bytes]:
    """Addresses as they stand in keys."""
    return frozenset(ip_address(address.partition("%")[0]).packed for address in addresses)
