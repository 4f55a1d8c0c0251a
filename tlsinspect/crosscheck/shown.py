"""What another program shows of a capture: messages as trees of names and texts, and how to look values up in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Handshake

Tree = Mapping[str, object]  # name -> text, tree, or a list of these

# HandshakeType.  RFC 8446 section 4, RFC 5246 section 7.4; 6 was a message of its own in the drafts of TLS 1.3.
CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET, DRAFT_RETRY_REQUEST, ENCRYPTED_EXTENSIONS = 1, 2, 4, 6, 8
CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST, COMPRESSED_CERTIFICATE = 11, 12, 13, 25
ALERT, HTTP = -1, -2  # no handshake messages, but shown in the same way
FATAL = "2"  # AlertLevel
# "the special value of the SHA-256 of 'HelloRetryRequest'".  RFC 8446 section 4.1.3.
RETRY_RANDOM = hashlib.sha256(b"HelloRetryRequest").hexdigest()


@dataclass(frozen=True, slots=True)
class Shown:
    """One handshake message or alert, or what a frame has of HTTP, as the other program shows it."""

    frame: int
    transport: str  # "tcp" or "udp"
    stream: int
    source: tuple[str, int]  # address, port
    kind: int  # HandshakeType, ALERT or HTTP
    tree: Tree


class View:
    """The other program's messages of one handshake, to look values up in."""

    def __init__(self, handshake: Handshake, shown: Sequence[Shown]) -> None:
        self._handshake = handshake
        self._shown = shown
        self._prefix = "d" if handshake.protocol == "dtls" else ""

    def name(self, wireshark: str) -> str:
        """The display filter name of a field in this protocol: DTLS has its own."""
        return self._prefix + wireshark if wireshark.startswith("tls.") else wireshark

    def side(self, message: Shown) -> Side:
        """Who sent a message; by the address alone where both use one port."""
        client, server = self._handshake.client, self._handshake.server
        if client.port == server.port:
            return Side.CLIENT if message.source[0] == client.address else Side.SERVER
        return Side.CLIENT if message.source[1] == client.port else Side.SERVER

    def all(self, *kinds: int, side: Side | None = None) -> list[Tree]:
        """The messages of some kinds, in wire order."""
        return [each.tree for each in self._shown if each.kind in kinds and side in (None, self.side(each))]

    def alerts(self) -> Iterator[tuple[Side, str, int]]:
        """Sender, level and description of each alert that is not encrypted."""
        for message in self._shown:
            if message.kind == ALERT:
                level = first(message.tree, self.name("tls.alert_message.level"))
                yield self.side(message), level, int(first(message.tree, self.name("tls.alert_message.desc")))

    def is_retry(self, tree: Tree) -> bool:
        """Whether a ServerHello is a HelloRetryRequest."""
        return hexadecimal(values(tree, self.name("tls.handshake.random"))) == RETRY_RANDOM

    def server_hello(self) -> Tree | None:
        """The ServerHello that is no HelloRetryRequest."""
        return next((tree for tree in self.all(SERVER_HELLO) if not self.is_retry(tree)), None)

    def retry_request(self) -> Tree | None:
        """The HelloRetryRequest."""
        retries = (tree for tree in self.all(SERVER_HELLO) if self.is_retry(tree))
        return next(retries, next(iter(self.all(DRAFT_RETRY_REQUEST)), None))

    def message(self, kind: int) -> Tree | None:
        """The first message of a kind."""
        return self.server_hello() if kind == SERVER_HELLO else next(iter(self.all(kind)), None)

    def extension(self, tree: Tree, extension_type: int) -> Tree | None:
        """The first extension of a type in a message."""
        wanted, name = str(extension_type), self.name("tls.handshake.extension.type")
        return next((each for each in trees(tree) if each.get(name) == wanted), None)


def trees(node: object) -> Iterator[Tree]:
    """A tree and all below it, in wire order."""
    if isinstance(node, Mapping):
        yield node
        for below in node.values():
            yield from trees(below)
    elif isinstance(node, list):
        for each in node:
            yield from trees(each)


def values(tree: Tree, name: str) -> list[str]:
    """The texts of a field, wherever it stands in a tree."""
    found: list[str] = []
    for each in trees(tree):
        value = each.get(name)
        found += (
            [value]
            if isinstance(value, str)
            else [v for v in value if isinstance(v, str)]
            if isinstance(value, list)
            else []
        )
    return found


def first(tree: Tree, name: str) -> str:
    """The first text of a field; empty where it is not."""
    return next(iter(values(tree, name)), "")


def hexadecimal(texts: list[str]) -> str:
    """Octets "0a:0b" as hexadecimal digits; empty where there are none."""
    return texts[0].replace(":", "") if texts else ""


def number(text: str) -> int:
    """The number in "0x1301" or "51"."""
    return int(text, 0)
