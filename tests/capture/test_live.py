"""Packet sockets, on loopback and on a pair of virtual interfaces."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.support.live import needs_capture
from tlsinspect.capture import live
from tlsinspect.capture.live import Captured, LiveCapture, open_interface
from tlsinspect.capture.owners import Owners, descendants, read_sockets
from tlsinspect.capture.packet_socket import compiled, compiled_by_tcpdump
from tlsinspect.capture.portable import PortableSource
from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame
from tlsinspect.net.packet import PacketDecoder, Segment

ETHERNET, LINUX_SLL2 = 1, 276
ETH_P_ALL = 3
IPV4_TCP = bytes.fromhex("4500002800004000400600000a0000010a000002") + bytes.fromhex(
    "9c4001bb00000001000000005002ffff00000000"
)
WITH_VLAN = bytes.fromhex("020000000002020000000001" + "81000007" + "0800") + IPV4_TCP
WITHOUT_VLAN = bytes.fromhex("020000000002020000000001" + "0800") + IPV4_TCP


def everything(capture: LiveCapture, count: int) -> list[Captured]:
    """So many frames, or those until nothing comes for a moment, at most two seconds."""
    found: list[Captured] = []
    until = time.monotonic() + 2
    while len(found) < count and time.monotonic() < until:
        more = capture.read(0.3)
        found += more
        if not more and found:
            break
    return found


def connect_to_itself() -> int:
    """A connection on loopback that carries two octets; the port of the server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as one, listener.accept()[0] as other:
            one.sendall(b"hi")
            assert other.recv(2) == b"hi"
    return port


def segments(captured: list[Captured], port: int) -> list[Segment]:
    return segments_of([each.frame for each in captured], port)


def lengths_of(frames: list[Frame], port: int) -> list[int]:
    """On the wire, of the frames of one port: other programs use the interface, too."""
    return [each.wire_length for each in frames if segments_of([each], port)]


def segments_of(frames: list[Frame], port: int) -> list[Segment]:
    decoder = PacketDecoder()
    found = [decoder.decode(each) for each in frames]
    return [
        each
        for each in found
        if isinstance(each, Segment) and port.to_bytes(2, "big") in (each.key[-4:-2], each.key[-2:])
    ]


@needs_capture
@pytest.mark.parametrize(("interface", "link_type"), [("lo", ETHERNET), ("any", LINUX_SLL2)])
def test_captures_each_frame_of_loopback_once(interface: str, link_type: int) -> None:
    with open_interface([interface]) as capture:
        before = time.time_ns()
        port = connect_to_itself()
        found = everything(capture, 200)
    ours = segments(found, port)

    assert capture.links == ((link_type, interface),)
    assert [each.payload for each in ours if each.payload] == [b"hi"]
    assert len([each for each in ours if each.flags & 2]) == 2  # SYN and SYN, ACK
    assert [each.frame.number for each in found] == list(range(1, len(found) + 1))
    assert all(abs(each.frame.time_ns - before) < 5_000_000_000 for each in found)
    assert any(each.frame.time_ns % 1000 for each in found)  # nanoseconds


@needs_capture
@pytest.mark.parametrize("interface", ["lo", "any"])
def test_blocks_have_the_same_frames_as_reading_one_by_one(interface: str) -> None:
    with open_interface([interface]) as blocks, open_interface([interface], at_once=True) as one_by_one:
        port = connect_to_itself()
        found = [each.frame for each in everything(blocks, 200)]
        same = [each.frame for each in everything(one_by_one, 200)]

    assert segments_of(found, port) == segments_of(same, port) != []
    assert lengths_of(found, port) == lengths_of(same, port)


@needs_capture
def test_a_filter_leaves_out_what_it_does_not_name() -> None:
    with open_interface(["lo"], bpf="tcp port 1") as capture:
        connect_to_itself()

        assert everything(capture, 1) == []
        assert (capture.statistics.frames, capture.statistics.kernel_dropped) == (0, 0)


@needs_capture
def test_a_snap_length_cuts_frames_and_keeps_their_length() -> None:
    with open_interface(["lo"], snaplen=60) as capture:
        port = connect_to_itself()
        frames = [each.frame for each in everything(capture, 200)]

    assert port
    assert {len(frame.data) for frame in frames} == {60}
    assert all(frame.wire_length > 60 for frame in frames)


@needs_capture
def test_the_portable_source_gives_the_same_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is used on other systems, here with the libpcap of Linux."""
    from scapy.config import conf

    with open_interface(["lo"]) as capture:
        monkeypatch.setattr(live, "open_source", lambda name, *, at_once, **options: PortableSource(name, **options))
        try:
            with open_interface(["lo"]) as other:
                port = connect_to_itself()
                found, same = everything(capture, 200), everything(other, 200)
        finally:
            conf.use_pcap = False

    assert segments(found, port) == segments(same, port) != []


@needs_capture
@pytest.mark.skipif(not shutil.which("tcpdump"), reason="needs tcpdump")
@pytest.mark.parametrize("bpf", ["tcp", "tcp port 443 and host 10.0.0.1", "ip6"])
@pytest.mark.parametrize("dlt", [1, 12])
def test_filters_are_the_same_by_libpcap_and_by_tcpdump(bpf: str, dlt: int) -> None:
    assert compiled(bpf, dlt) == compiled_by_tcpdump(bpf, dlt)


# -- virtual interfaces ---------------------------------------------------------------------------------------------


@pytest.fixture
def pair() -> Iterator[tuple[str, str]]:
    """The names of two interfaces that are connected."""
    names = f"tlsi{os.getpid() % 10000}a", f"tlsi{os.getpid() % 10000}b"
    add = ["ip", "link", "add", names[0], "type", "veth", "peer", "name", names[1]]
    if not shutil.which("ip") or subprocess.run(add, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to add interfaces")
    try:
        for name in names:
            subprocess.run(["ip", "link", "set", name, "up"], check=True)
        yield names
    finally:
        subprocess.run(["ip", "link", "del", names[0]], capture_output=True, check=False)


def send(interface: str, octets: bytes) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((interface, 0))
        sender.send(octets)


@needs_capture
def test_frames_of_several_interfaces_are_named_and_those_of_each_in_order(pair: tuple[str, str]) -> None:
    with open_interface(pair, bpf="tcp") as capture:
        for _ in range(3):
            send(pair[0], WITHOUT_VLAN)
        found = everything(capture, 6)
    times = {name: [each.frame.time_ns for each in found if each.interface == name] for name in pair}

    assert sorted(each.interface for each in found) == sorted(pair * 3)
    assert all(those == sorted(those) for those in times.values())  # of all of them it holds within each read
    assert [each.frame.number for each in found] == [1, 2, 3, 4, 5, 6]
    assert {each.frame.data for each in found} == {WITHOUT_VLAN}


@needs_capture
@pytest.mark.parametrize("at_once", [False, True])
def test_a_vlan_tag_stands_in_the_frame_as_on_the_wire(pair: tuple[str, str], at_once: bool) -> None:
    """The kernel takes it out on reception and hands it over beside the frame."""
    with open_interface([pair[1]], bpf="", at_once=at_once) as capture:
        send(pair[0], WITH_VLAN)
        frames = [each.frame for each in everything(capture, 1) if each.frame.data[12:14] == b"\x81\x00"]

    assert [(frame.data, frame.wire_length) for frame in frames] == [(WITH_VLAN, len(WITH_VLAN))]


@needs_capture
@pytest.mark.parametrize("at_once", [False, True])
def test_ends_when_the_interface_goes_away(pair: tuple[str, str], at_once: bool) -> None:
    with open_interface([pair[0]], at_once=at_once) as capture:
        subprocess.run(["ip", "link", "del", pair[0]], check=True)
        assert capture.read(2) == []
        assert capture.lost == [pair[0]]
        with pytest.raises(CaptureError, match=f"{pair[0]} went down"):
            capture.read(0)


@needs_capture
def test_says_that_an_interface_is_down(pair: tuple[str, str]) -> None:
    subprocess.run(["ip", "link", "set", pair[0], "down"], check=True)
    with pytest.raises(CaptureError, match=f"The interface {pair[0]} is down"):
        open_interface([pair[0]])


# -- owners ---------------------------------------------------------------------------------------------------------

pytest_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
CONNECT = "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); sys.stdin.read()"


@pytest_linux
def test_does_not_take_a_socket_that_was_closed_before_a_look_for_a_foreign_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        closed = socket.create_connection(("127.0.0.1", port))
        theirs, address = listener.accept()
        key = key_of(address, port)
        owners = Owners()
        owners.look_at(key, socket.IPPROTO_TCP, outgoing=True)
        closed.close()
        owners.look_at_processes()
        owners.look_at(key, socket.IPPROTO_TCP, outgoing=True)
        verdict = owners.is_childs(key)
        owners.close()
        theirs.close()

    assert verdict is None


@pytest_linux
def test_tells_the_connection_of_a_grandchild_from_one_of_this_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = ["sh", "-c", f'{sys.executable} -c "{CONNECT}" {port}; true']
        with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
            theirs, address = listener.accept()
            ours = socket.create_connection(("127.0.0.1", port))
            keys = [key_of(one, port) for one in (address, ours.getsockname())]
            owners = Owners()
            for key in keys:
                owners.look_at(key, socket.IPPROTO_TCP, outgoing=True)
            unknown = [owners.is_childs(key) for key in keys]
            owners.look_at_processes()
            for key in keys:  # they go on after that
                owners.look_at(key, socket.IPPROTO_TCP, outgoing=True)
            verdicts = [owners.is_childs(key) for key in keys]
            owners.close()
            family = list(descendants(os.getpid()))
            for each in (theirs, ours):
                each.close()

    assert unknown == [None, None]
    assert verdicts == [True, False]
    assert child.pid in family


@pytest_linux
def test_does_not_know_whose_a_connection_was_that_is_gone() -> None:
    owners = Owners()
    gone = key_of(("127.0.0.1", 1), 2)
    owners.look_at(gone, socket.IPPROTO_TCP, outgoing=True)
    owners.look_at_processes()
    verdict = owners.is_childs(gone)
    owners.close()

    assert verdict is None


@pytest_linux
def test_reads_sockets_of_both_versions_of_ip() -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as one, socket.create_connection(("::1", port)) as two:
            table = read_sockets(os.getpid())
            six = socket.inet_pton(socket.AF_INET6, "::1") * 2 + ports(two.getsockname()[1], port)

            assert table.connected[key_of(one.getsockname(), port)] == os.fstat(one.fileno()).st_ino
            assert table.connected[six] == os.fstat(two.fileno()).st_ino
            assert os.fstat(listener.fileno()).st_ino in table.listening[port]


def key_of(client: tuple[str, int], port: int) -> bytes:
    return socket.inet_aton("127.0.0.1") * 2 + ports(client[1], port)


def ports(one: int, other: int) -> bytes:
    return one.to_bytes(2, "big") + other.to_bytes(2, "big")
