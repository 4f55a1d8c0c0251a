"""Live capture where there are no packet sockets of Linux: libpcap, or Npcap on Windows, by way of scapy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tlsinspect.model.errors import CaptureError
from tlsinspect.model.frame import Frame

MOST_AT_ONCE = 512
# DLT_ values that differ from their LINKTYPE_: raw IP is 12 or 14, by the system.
LINK_TYPES = {12: 101, 14: 101}


class PortableSource:
    """One interface, opened by libpcap and asked again and again: not every system can wait for it.

    Owns the handle.  Times are in microseconds.  Raises CaptureError when scapy or libpcap cannot open it.
    """

    def __init__(self, name: str, *, bpf: str, snaplen: int, promiscuous: bool) -> None:
        from scapy.config import conf
        from scapy.error import Scapy_Exception

        self.name = name
        self.dropped = 0  # scapy does not tell
        self._snaplen = snaplen
        try:
            conf.use_pcap = True  # replaces conf.L2listen
            opened: Any = conf.L2listen(iface=name, filter=bpf or None, promisc=promiscuous)
            handle = opened.pcap_fd
            handle.setnonblock(True)
            dlt = handle.datalink()
        except PermissionError:
            raise
        except (Scapy_Exception, OSError, AttributeError, ImportError) as error:
            raise CaptureError(f"{name} cannot be opened through libpcap: {error}.") from error
        self._socket = opened
        self.link_type = LINK_TYPES.get(dlt, dlt)

    def fileno(self) -> int:
        """None to wait for."""
        return -1

    def frames(self, number: int) -> Iterator[Frame]:
        """The frames that have come, at most MOST_AT_ONCE, numbered from *number* on."""
        for place in range(number, number + MOST_AT_ONCE):
            _, data, seconds = self._socket.recv_raw()
            if data is None:
                return
            yield Frame(place, round(seconds * 1e6) * 1000, self.link_type, data[: self._snaplen], len(data))

    def refresh(self) -> None:
        """There is nothing to ask for."""

    def close(self) -> None:
        """Closes the handle."""
        self._socket.close()
