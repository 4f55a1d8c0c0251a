"""Which connections the processes of a control group have: told by the kernel, not guessed.

A command runs in a group of its own, and what it starts stays in it.  A program in the kernel notes the addresses and
ports of every packet that a socket of the group sends or gets, before the packet reaches an interface: so the shortest
connection is known, and no other one.  cgroups(7), bpf(2).
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import time
from contextlib import suppress
from pathlib import Path
from struct import Struct

PREFIX = "tlsinspect-"
MOST_CONNECTIONS = 1 << 16  # remembered by the kernel; those not seen for the longest time are forgotten first
PATIENCE_SECONDS = 0.2  # until a group whose last process was moved is empty

# The number of bpf(2) by machine.
SYSTEM_CALLS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "armv7l": 386, "ppc64le": 361}
BPF_MAP_CREATE, BPF_MAP_LOOKUP_ELEM, BPF_PROG_LOAD, BPF_LINK_CREATE = 0, 1, 5, 28
BPF_MAP_TYPE_LRU_HASH, BPF_PROG_TYPE_CGROUP_SKB = 9, 8
BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS = 0, 1
ATTRIBUTE_OCTETS = 128

create_map = Struct("=IIIII").pack  # type, octets of a key and of a value, entries, flags
load_program = Struct("=IIQQ").pack  # type, instructions: how many and where, the licence
create_link = Struct("=IIII").pack  # program, target, where to attach, flags
look_up = Struct("=IxxxxQQQ").pack  # map, key, value, flags

KEY_OCTETS, VALUE_OCTETS = 40, 8
connection_key = Struct("16s16s4sB3x").pack  # source, destination, both ports, protocol


class ControlGroup:
    """A control group for a command, below our own, and what the kernel noted of its connections.

    Owns the directory of the group, the map and the links to the program; `close` removes them all.  Raises OSError
    where there is no second version of control groups, or this process may not use it or BPF: it takes root, or
    CAP_BPF, CAP_NET_ADMIN and a group that was handed over to the user.
    """

    def __init__(self) -> None:
        self._descriptors: list[int] = []
        self._parent = own_group()
        remove_left_over(self._parent)
        self._path = self._parent / f"{PREFIX}{os.getpid()}"
        self._path.mkdir()
        try:
            self._map = self._keep(bpf(BPF_MAP_CREATE, create_map(*MAP)))
            program = self._keep(loaded(noting_program(self._map)))
            group = self._keep(os.open(self._path, os.O_RDONLY | os.O_DIRECTORY))
            for where in (BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS):
                self._keep(bpf(BPF_LINK_CREATE, create_link(program, group, where, 0)))
            self._entrance = self._keep(os.open(self._path / "cgroup.procs", os.O_WRONLY))
        except OSError:
            self.close()
            raise

    def enter(self) -> None:
        """Moves the calling process into the group: for a new process, before it becomes the command."""
        os.write(self._entrance, b"0")

    def has(self, key: bytes, protocol: int) -> bool:
        """Whether a packet of a connection, named as in Segment.key, was sent or got by a process of the group."""
        half = (len(key) - 4) // 2
        near, far, ports = key[:half], key[half : 2 * half], key[-4:]
        return self._noted(connection_key(near, far, ports, protocol)) or self._noted(
            connection_key(far, near, ports[2:] + ports[:2], protocol)
        )

    def close(self) -> None:
        """Removes the group; processes that are still in it go on where we are."""
        while self._descriptors:
            os.close(self._descriptors.pop())
        until = time.monotonic() + PATIENCE_SECONDS
        while self._path.is_dir():
            with suppress(OSError):  # a process has ended meanwhile, or is about to
                for pid in (self._path / "cgroup.procs").read_text().split():
                    (self._parent / "cgroup.procs").write_text(pid)
            with suppress(OSError):
                self._path.rmdir()
            if time.monotonic() > until:
                return  # the next one removes it
            time.sleep(0.005)

    def _keep(self, descriptor: int) -> int:
        self._descriptors.append(descriptor)
        return descriptor

    def _noted(self, key: bytes) -> bool:
        octets, value = ctypes.create_string_buffer(key, KEY_OCTETS), ctypes.create_string_buffer(VALUE_OCTETS)
        try:
            bpf(BPF_MAP_LOOKUP_ELEM, look_up(self._map, ctypes.addressof(octets), ctypes.addressof(value), 0))
        except FileNotFoundError:
            return False
        return True


MAP = (BPF_MAP_TYPE_LRU_HASH, KEY_OCTETS, VALUE_OCTETS, MOST_CONNECTIONS, 0)


def own_group() -> Path:
    """The directory of the control group that this process is in.  Raises OSError where there is none."""
    path = next((line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")), "")
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        words, _, rest = line.partition(" - ")
        if rest.startswith("cgroup2 ") and path.startswith("/"):
            root, point = words.split()[3:5]
            return Path(point) / path.removeprefix(root).lstrip("/")
    raise FileNotFoundError("there is no second version of control groups")


def remove_left_over(parent: Path) -> None:
    """Removes the empty groups of watches that were killed."""
    for path in parent.glob(f"{PREFIX}*"):
        if not Path("/proc", path.name.removeprefix(PREFIX)).exists():
            with suppress(OSError):  # not empty, or another's
                path.rmdir()


# -- the program ----------------------------------------------------------------------------------------------------

instruction = Struct("=BBhi").pack  # code, registers, offset, operand
MOVE, MOVE_REGISTER, ADD, AND, SHIFT_LEFT, SHIFT_RIGHT = 0xB7, 0xBF, 0x07, 0x57, 0x67, 0x77
LOAD_OCTET, STORE_8, LOAD_MAP = 0x71, 0x7B, 0x18
JUMP, JUMP_IF_EQUAL, JUMP_UNLESS_EQUAL, CALL, EXIT = 0x05, 0x15, 0x55, 0x85, 0x95
LOOK_UP, UPDATE, LOAD_OCTETS = 1, 2, 26  # functions of the kernel
BPF_PSEUDO_MAP_FD = 1
PACKET, OFFSET, VERSION, FRAME = 6, 7, 8, 10  # registers; the last is the end of the stack
KEY, SCRATCH = -KEY_OCTETS, -KEY_OCTETS - VALUE_OCTETS  # on the stack
SOURCE, DESTINATION, PORTS, PROTOCOL = KEY, KEY + 16, KEY + 32, KEY + 36


def op(code: int, to: int = 0, of: int = 0, offset: int = 0, operand: int = 0) -> bytes:
    """One instruction."""
    return instruction(code, of << 4 | to, offset, operand)


def copied(at: int, to: int, octets: int) -> bytes:
    """Instructions that copy octets of the packet to the stack; nothing is copied where there are not so many."""
    return (
        op(MOVE_REGISTER, 1, PACKET)
        + (op(MOVE_REGISTER, 2, OFFSET) if at < 0 else op(MOVE, 2, operand=at))
        + (op(MOVE_REGISTER, 3, FRAME) + op(ADD, 3, operand=to))
        + op(MOVE, 4, operand=octets)
        + op(CALL, operand=LOAD_OCTETS)
    )


def over(*parts: bytes) -> int:
    """How far to jump over these."""
    return sum(map(len, parts)) // 8


def noting_program(descriptor: int) -> bytes:
    """A program that notes source, destination, ports and protocol of each packet in a map, and lets it pass.

    RFC 791 section 3.1, RFC 8200 section 3.  A packet with extension headers of IPv6 is noted under other ports, which
    does no harm: sockets send none unless they are asked to.
    """
    load_map = op(LOAD_MAP, 1, BPF_PSEUDO_MAP_FD, operand=descriptor) + op(0)
    key = op(MOVE_REGISTER, 2, FRAME) + op(ADD, 2, operand=KEY)
    end = op(MOVE, 0, operand=1) + op(EXIT)
    update = (
        load_map
        + key
        + (op(MOVE_REGISTER, 3, FRAME) + op(ADD, 3, operand=SCRATCH))
        + op(MOVE, 4)
        + op(CALL, operand=UPDATE)
    )
    note = load_map + key + op(CALL, operand=LOOK_UP) + op(JUMP_UNLESS_EQUAL, 0, offset=over(update)) + update
    ports = copied(-1, PORTS, 4)
    version_6 = op(MOVE, OFFSET, operand=40) + copied(6, PROTOCOL, 1) + copied(8, SOURCE, 16)
    version_6 += copied(24, DESTINATION, 16)
    version_4 = op(AND, OFFSET, operand=15) + op(SHIFT_LEFT, OFFSET, operand=2) + copied(9, PROTOCOL, 1)
    version_4 += copied(12, SOURCE, 4) + copied(16, DESTINATION, 4) + op(JUMP, offset=over(version_6))
    clear = op(MOVE, 1) + b"".join(op(STORE_8, FRAME, 1, at) for at in range(SCRATCH, 0, 8))
    first = op(MOVE_REGISTER, PACKET, 1) + clear + copied(0, SCRATCH, 1)
    first += op(LOAD_OCTET, OFFSET, FRAME, SCRATCH) + op(MOVE_REGISTER, VERSION, OFFSET)
    first += op(SHIFT_RIGHT, VERSION, operand=4)
    unless_4 = op(JUMP_UNLESS_EQUAL, VERSION, offset=over(version_4), operand=4)
    return first + unless_4 + version_4 + version_6 + ports + note + end


def loaded(program: bytes) -> int:
    """The descriptor of a program.  Raises OSError when the kernel does not take it."""
    octets, licence = ctypes.create_string_buffer(program, len(program)), ctypes.create_string_buffer(b"MIT")
    return bpf(
        BPF_PROG_LOAD,
        load_program(BPF_PROG_TYPE_CGROUP_SKB, len(program) // 8, ctypes.addressof(octets), ctypes.addressof(licence)),
    )


def bpf(command: int, attribute: bytes) -> int:
    """What bpf(2) returns.  Raises OSError when it fails, and on machines whose number for it is not known."""
    number = SYSTEM_CALLS.get(platform.machine())
    if LIBC is None or number is None or sys.byteorder != "little":
        raise OSError(f"the number of bpf(2) on {platform.machine()} is not known")
    octets = ctypes.create_string_buffer(attribute, ATTRIBUTE_OCTETS)
    result = int(LIBC.syscall(number, command, octets, ATTRIBUTE_OCTETS))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None
