"""How a long run takes memory from the system."""

from __future__ import annotations

import sys

M_MMAP_THRESHOLD = -3  # <malloc.h>
LARGE_OCTETS = 128 << 10  # what glibc begins with


def keep_large_blocks_apart() -> None:
    """Has tables of many connections mapped each for itself, however often they are made anew.

    Once such a block was freed, glibc puts blocks of its size on the heap, among what lives as long as a connection;
    the gaps that they leave there are never filled, and a run grows by megabytes in hours.  Other C libraries do not.
    """
    if sys.platform != "linux":
        return
    import ctypes  # takes as long as a small capture

    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(M_MMAP_THRESHOLD, LARGE_OCTETS)
