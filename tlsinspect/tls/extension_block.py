"""Extension blocks that are whole and sound, read by what was read before: nearly all of them.

One client program sends the same extensions in thousands of hellos; to find one in a table takes a tenth of decoding
it.  What is odd in any way goes the general way of `tls.extensions`, which says what is wrong.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import count
from struct import Struct

from tlsinspect.model.message import Extension, KeyShare, Shape
from tlsinspect.tls.extensions import (
    CLIENT_HELLO,
    COOKIE,
    ENCRYPTED_CLIENT_HELLO,
    KEY_SHARE,
    PADDING,
    PRE_SHARED_KEY,
    QUIC_TRANSPORT_PARAMETERS,
    SERVER_HELLO,
    SERVER_NAME,
    SESSION_TICKET,
    decode_extension,
)

MOST_KEPT = 2048  # extensions of each kind of message, and shapes
LARGEST_KEPT = 512  # octets of an extension; both bound the memory of what is kept
ALWAYS_KEPT = 8  # octets up to which an extension is kept though its kind is seldom equal: empty tickets

SELDOM_EQUAL = frozenset({KEY_SHARE, PRE_SHARED_KEY, SESSION_TICKET, COOKIE, ENCRYPTED_CLIENT_HELLO})
NO_PART_OF_SHAPE = frozenset(
    {SERVER_NAME, PADDING, PRE_SHARED_KEY, SESSION_TICKET, COOKIE, ENCRYPTED_CLIENT_HELLO, QUIC_TRANSPORT_PARAMETERS}
)

header = Struct(">HH").unpack_from  # extension_type and length of extension_data; group and length of a key share
numbers = count(1 << 16)  # the smaller ones are extension types

Block = tuple[tuple[Extension, ...], tuple[int, ...]]


class BlockReader:
    """Reads the extension blocks of one kind of message.

    Owns the extensions that it has met, MOST_KEPT at most; then it begins anew.
    """

    __slots__ = ("_known", "_message")

    def __init__(self, message: int) -> None:
        self._message = message
        self._known: dict[bytes, tuple[Extension, int]] = {}  # by type, length and extension_data

    def read(self, data: bytes, at: int) -> Block | None:
        """The extensions of a block that ends the message, and a number for each that is equal for equal ones.

        None when the block does not end where the message does, when one of the extensions is defective, and when one
        is too large to be compared.
        """
        end = len(data)
        if at == end:
            return (), ()
        if at + 2 > end or data[at] << 8 | data[at + 1] != end - at - 2:
            return None
        at += 2
        known = self._known
        extensions: list[Extension] = []
        marks: list[int] = []
        while at + 4 <= end:
            extension_type, size = header(data, at)
            after = at + 4 + size
            found = known.get(data[at:after])
            if found is None:
                if after > end:
                    return None
                found = self._decode(extension_type, data[at:after], at)
                if found is None:
                    return None
            extensions.append(found[0])
            marks.append(found[1])
            at = after
        return (tuple(extensions), tuple(marks)) if at == end else None

    def _decode(self, extension_type: int, octets: bytes, at: int) -> tuple[Extension, int] | None:
        """One extension that was not met before, or is seldom equal to another, with its number."""
        size = len(octets) - 4
        if extension_type == KEY_SHARE:
            read = READ_KEY_SHARE.get(self._message)
            if read is not None:
                share = read(octets)
                return None if share is None else (Extension(KEY_SHARE, octets[4:], share[0]), share[1])
        extension = decode_extension(extension_type, octets[4:], self._message, offset=at + 4)
        if extension.defect is not None:
            return None
        mark = extension_type if extension_type in NO_PART_OF_SHAPE else next(numbers)
        if size <= (ALWAYS_KEPT if extension_type in SELDOM_EQUAL else LARGEST_KEPT):
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[octets] = extension, mark
        elif mark != extension_type:
            return None
        return extension, mark


# -- key shares: the keys differ always, and what is kept of them is seldom new


def _client_shares(octets: bytes) -> tuple[tuple[KeyShare, ...], int] | None:
    """The shares of a ClientHello, from extension_type on, and the number for them; None when they are not sound."""
    at, end = 6, len(octets)
    if end < 6 or octets[4] << 8 | octets[5] != end - 6:
        return None
    found: list[int] = []
    while at + 4 <= end:
        group, size = header(octets, at)
        found += group, size
        at += 4 + size
    return _shares(*found) if at == end else None


def _server_share(octets: bytes) -> tuple[KeyShare, int] | None:
    """The share of a ServerHello in the same way."""
    if len(octets) < 8:
        return None
    group, size = header(octets, 4)
    if size + 8 != len(octets):
        return None
    shares, mark = _shares(group, size)
    return shares[0], mark


@lru_cache(maxsize=512)
def _shares(*groups_and_sizes: int) -> tuple[tuple[KeyShare, ...], int]:
    pairs = zip(groups_and_sizes[::2], groups_and_sizes[1::2], strict=True)
    return tuple(KeyShare(group, size) for group, size in pairs), next(numbers)


READ_KEY_SHARE = {CLIENT_HELLO: _client_shares, SERVER_HELLO: _server_share}


@lru_cache(maxsize=MOST_KEPT)
def shape_of(octets: bytes, marks: tuple[int, ...]) -> Shape:
    """The shape of hellos with these octets before the extensions, and the numbers of their extensions."""
    return Shape()
