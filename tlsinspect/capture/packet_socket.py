"""Linux packet sockets: what an interface sends and receives, as the kernel sees it.

packet(7), socket(7).  scapy opens the sockets and compiles the filters; its dissection is not used.
"""

from __future__ import annotations

import ctypes
import socket
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from struct import Struct

from tlsinspect.capture.packet_ring import PacketRing, cooked, vlan_tag
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame

ETH_P_ALL = 3
SOL_PACKET, PACKET_STATISTICS, PACKET_AUXDATA = 263, 6, 8
SO_ATTACH_FILTER, SO_RCVBUFFORCE, SO_TIMESTAMPNS = 26, 33, 35
VLAN_VALID, TPID_VALID = 1 << 4, 1 << 6  # tp_status of the auxiliary data
ARPHRD_LOOPBACK = 772
PACKET_OUTGOING = 4
DLT_RAW = 12
ETHERNET, RAW_IP, LINUX_SLL2 = 1, 101, 276  # LINKTYPE_ values

# By the hardware type of an interface: LINKTYPE_ value of its frames, DLT_ value for the filter.
LINKS = {
    1: (ETHERNET, 1),
    ARPHRD_LOOPBACK: (ETHERNET, 1),
    519: (RAW_IP, DLT_RAW),  # ARPHRD_RAWIP
    768: (RAW_IP, DLT_RAW),  # ARPHRD_TUNNEL
    769: (RAW_IP, DLT_RAW),  # ARPHRD_TUNNEL6
    776: (RAW_IP, DLT_RAW),  # ARPHRD_SIT
    0xFFFE: (RAW_IP, DLT_RAW),  # ARPHRD_NONE: tun, WireGuard
}
DLT_NAMES = {1: "EN10MB", DLT_RAW: "RAW"}  # as tcpdump spells them
COOKED = (LINUX_SLL2, DLT_RAW)  # the kernel takes the link header off, so the filter begins at the IP header

BUFFER_OCTETS = 64 << 20  # of the kernel's queue; what is not used takes no memory
MOST_AT_ONCE = 512  # frames of one socket before another's turn
ANCILLARY_OCTETS = 96  # enough for the time and the auxiliary data

Instruction = tuple[int, int, int, int]  # code, where to jump when true and when false, operand
INSTRUCTION = Struct("=HBBI")
RETURN, ALL_OCTETS = 0x06, 0xFFFFFFFF
auxiliary_data = Struct("=IIIHHHH").unpack_from
timespec = Struct("=qq").unpack_from
statistics = Struct("=II").unpack

# The loopback interface shows each frame twice, as it leaves and as it arrives: skip the first.
SKIP_LEAVING_LOOPBACK = (
    (0x20, 0, 0, 0xFFFFF004),  # load the packet type (SKF_AD_PKTTYPE)
    (0x15, 0, 3, PACKET_OUTGOING),
    (0x20, 0, 0, 0xFFFFF01C),  # load the hardware type (SKF_AD_HATYPE)
    (0x15, 0, 1, ARPHRD_LOOPBACK),
    (RETURN, 0, 0, 0),  # drop
)
TAKE_ALL = ((RETURN, 0, 0, ALL_OCTETS),)


class PacketSocket:
    """One packet socket: on one interface, or on all of them with *interface* None.

    The kernel hands frames over in blocks, as long as a fiftieth of a second after they came; with *at_once* one by one
    as they come, which takes four times as long for each.  Owns the socket, and the ring of blocks or a buffer of one
    frame.  Raises CaptureError when it cannot be opened, PermissionError when the process may not.
    """

    def __init__(
        self, interface: str | None, *, bpf: str, snaplen: int, promiscuous: bool, at_once: bool = False
    ) -> None:
        self.name = interface or "any"
        self.received = 0  # frames that the filter let through
        self.dropped = 0  # of them, those for which the kernel's queue had no room
        self._indices: dict[str, int] = {}
        self._buffer = bytearray(snaplen)
        self._view = memoryview(self._buffer)
        self._ring: PacketRing | None = None
        self._socket = self._open(interface, promiscuous)
        try:
            self._prepare(bpf)
            if not at_once:
                with suppress(OSError):  # a kernel that is not Linux itself may have no rings
                    self._ring = PacketRing(self._socket, self.link_type, snaplen)
        except BaseException:
            self.close()
            raise

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._socket.fileno()

    def close(self) -> None:
        """Ends the capture on this socket."""
        if self._ring is not None:
            self._ring.close()
        self._socket.close()

    def frames(self, number: int) -> Iterator[Frame]:
        """Frames that have come, not all of them where there are many, numbered from *number* on.

        Raises OSError when the interface went down or away.
        """
        return self._ring.frames(number) if self._ring is not None else self._received(number)

    def refresh(self) -> None:
        """Adds up what the kernel counted since the last call."""
        if self._ring is not None:
            received, dropped = self._ring.counted()
        else:
            received, dropped = statistics(self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self.received += received
        self.dropped += dropped

    def _received(self, number: int) -> Iterator[Frame]:
        """Frames one by one, at most MOST_AT_ONCE."""
        receive, buffers, snaplen = self._socket.recvmsg_into, [self._view], len(self._buffer)
        for place in range(number, number + MOST_AT_ONCE):
            try:
                octets, ancillary, _, address = receive(buffers, ANCILLARY_OCTETS)
            except BlockingIOError:
                return
            data = bytes(self._view[:octets])
            time_ns, wire_length, tag = 0, octets, b""
            for level, kind, value in ancillary:
                if level == SOL_PACKET and kind == PACKET_AUXDATA:
                    status, wire_length, _, _, _, tci, tpid = auxiliary_data(value)
                    if status & VLAN_VALID:
                        tag = vlan_tag(tpid if status & TPID_VALID else 0x8100, tci)
                elif kind == SO_TIMESTAMPNS:
                    seconds, rest_ns = timespec(value)
                    time_ns = seconds * 1_000_000_000 + rest_ns
            if self.link_type == LINUX_SLL2:
                data, added = self._cooked(data, tag, address)
                wire_length += added
            elif tag:  # the kernel keeps the tag beside the frame
                data, wire_length = data[:12] + tag + data[12:], wire_length + 4
            yield Frame(place, time_ns, self.link_type, data[:snaplen], max(wire_length, len(data)))

    def _open(self, interface: str | None, promiscuous: bool) -> socket.socket:
        """The socket, and the link type of what comes from it."""
        if interface is not None:
            from scapy.arch.linux import L2ListenSocket

            listening = L2ListenSocket(iface=interface, promisc=promiscuous)
            opened = listening.ins
            assert isinstance(opened, socket.socket)
            self.link_type, self._dlt = LINKS.get(opened.getsockname()[3], COOKED)
            if self.link_type != LINUX_SLL2:
                self._listening = listening  # it closes its socket when it is freed
                return opened
            listening.close()
        else:
            self.link_type, self._dlt = COOKED
        cooked = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        if interface is not None:
            cooked.bind((interface, ETH_P_ALL))
        return cooked

    def _prepare(self, bpf: str) -> None:
        """Sets the filter, then forgets what came before it."""
        attach(self._socket, bpf, self._dlt)
        self._socket.setblocking(False)
        try:
            while self._socket.recv(1):
                pass
        except BlockingIOError:
            pass  # empty
        self._socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_OCTETS)
        except PermissionError:  # without CAP_NET_ADMIN: as much as the system lets everybody have
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_OCTETS)
        self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)  # reading them sets them to 0

    def _cooked(self, data: bytes, tag: bytes, address: tuple[str, int, int, int, bytes]) -> tuple[bytes, int]:
        """The frame behind a LINKTYPE_LINUX_SLL2 header, and how much longer that made it."""
        name, protocol, kind, hardware, octets = address
        index = self._indices.get(name)
        if index is None:
            index = self._indices[name] = index_of(name)
        return cooked(data, tag, socket.htons(protocol), index, hardware, kind, len(octets), octets[:8])


def index_of(name: str) -> int:
    """The number of an interface; 0 when it has gone."""
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return 0


# -- filters --------------------------------------------------------------------------------------------------------


def attach(target: socket.socket, bpf: str, dlt: int) -> None:
    """Makes the kernel pass only what the filter takes, and each frame of the loopback interface once."""
    program = b"".join(
        INSTRUCTION.pack(*each) for each in (*SKIP_LEAVING_LOOPBACK, *(compiled(bpf, dlt) if bpf else TAKE_ALL))
    )
    octets = ctypes.create_string_buffer(program, len(program))
    count = len(program) // INSTRUCTION.size
    target.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, Struct("@HP").pack(count, ctypes.addressof(octets))
    )  # struct sock_fprog; the kernel copies the program


def compiled(bpf: str, dlt: int) -> tuple[Instruction, ...]:
    """The instructions of a filter, by libpcap, or by tcpdump where Python does not find the library.

    Raises CaptureError when the filter is wrong, or when neither is there.
    """
    from scapy.arch.common import compile_filter, free_filter
    from scapy.error import Scapy_Exception

    try:
        program = compile_filter(bpf, linktype=dlt)
    except (ImportError, OSError):
        return compiled_by_tcpdump(bpf, dlt)
    except Scapy_Exception as error:
        raise CaptureError(f"The filter cannot be used: {error}.") from error
    found = tuple((each.code, each.jt, each.jf, each.k) for each in program.bf_insns[: program.bf_len])
    free_filter(program)
    return whole_frames(found)


def compiled_by_tcpdump(bpf: str, dlt: int) -> tuple[Instruction, ...]:
    """The instructions as `tcpdump -ddd` prints them: their count, then four numbers a line."""
    command = ("tcpdump", "-ddd", "-y", DLT_NAMES[dlt], "--", bpf)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        raise CaptureError(
            "Filters need libpcap or tcpdump, and neither is there: install one (Debian: apt-get install libpcap0.8), "
            "or capture without a filter: -f ''."
        ) from error
    if done.returncode:
        raise CaptureError(f"The filter cannot be used: {done.stderr.strip()}.")
    lines = [tuple(map(int, line.split())) for line in done.stdout.splitlines()[1:]]
    return whole_frames((code, true, false, value) for code, true, false, value in lines)


def whole_frames(program: Iterable[Instruction]) -> tuple[Instruction, ...]:
    """The program with nothing cut: its last instructions return how many octets of a frame to keep."""
    return tuple((code, t, f, ALL_OCTETS if code == RETURN and k else k) for code, t, f, k in program)
