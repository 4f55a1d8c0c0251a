"""Which handshakes are meant: selectors such as CAPTURE#3, filters, and the pair that is worth comparing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import ip_address
from pathlib import Path

from tlsinspect import fields
from tlsinspect.conclusion import refuses_plain
from tlsinspect.model.errors import SelectionError
from tlsinspect.model.frame import Endpoint, Missing, Side
from tlsinspect.model.handshake import Handshake, Outcome
from tlsinspect.model.message import PlainOctets

SELECTOR = re.compile(
    r"(?P<capture>.+)#(?:(?P<transport>tcp|udp):)?(?P<stream>[0-9]{1,9})(?:\.(?P<part>[0-9]{1,9}))?", re.DOTALL
)
MOST_NAMED = 12  # streams in a message


@dataclass(frozen=True, slots=True)
class Selector:
    """A capture, and perhaps one connection of it by its number in Wireshark."""

    capture: str
    stream: int | None = None
    transport: str | None = None  # "tcp" or "udp"; None: either
    part: int | None = None  # 1-based, where a stream has several handshakes

    def __str__(self) -> str:
        if self.stream is None:
            return self.capture
        prefix = f"{self.transport}:" if self.transport else ""
        suffix = f".{self.part}" if self.part is not None else ""
        return f"{self.capture}#{prefix}{self.stream}{suffix}"

    def picks(self, handshake: Handshake) -> bool:
        """Whether the handshake is one of those meant."""
        return (
            handshake.capture == self.capture
            and self.stream in (None, handshake.stream)
            and self.transport in (None, handshake.transport)
            and self.part in (None, handshake.part)
        )


def parse_selector(text: str) -> Selector:
    """The selector in *text*; a file that has exactly this name wins.

    Raises SelectionError when what follows the '#' is no number.
    """
    if "#" not in text or Path(text).exists():
        return Selector(text)
    found = SELECTOR.fullmatch(text)
    if found is not None:
        part = found["part"]
        return Selector(found["capture"], int(found["stream"]), found["transport"], int(part) if part else None)
    capture, _, rest = text.rpartition("#")
    raise SelectionError(
        f"'{rest}' is not the number of a stream. Write {capture}#N with the tcp.stream or udp.stream that Wireshark "
        f"shows, such as {capture}#3, {capture}#udp:0, or {capture}#3.2 for the second handshake of a stream."
    )


def selected(handshakes: Sequence[Handshake], selector: Selector) -> list[Handshake]:
    """The handshakes that a selector means.

    Raises SelectionError when a stream was picked that has none, or when its number is that of a TCP and of a UDP
    conversation.
    """
    found = [handshake for handshake in handshakes if selector.picks(handshake)]
    if selector.stream is None:
        return [handshake for handshake in found if spoke_tls(handshake)]
    # Where TLS was spoken on one of two conversations of that number, it is that one.
    found = [handshake for handshake in found if spoke_tls(handshake)] or found
    if not found:
        raise SelectionError(absent_text(handshakes, selector))
    if len({handshake.transport for handshake in found}) > 1:
        raise SelectionError(
            f"{selector} is a TCP and a UDP conversation. Write {selector.capture}#tcp:{selector.stream} or "
            f"{selector.capture}#udp:{selector.stream}."
        )
    return found


def spoke_tls(handshake: Handshake) -> bool:
    """Whether there is more to it than a connection on which nobody tried to speak TLS."""
    if handshake.outcome is not Outcome.NEVER_TLS or handshake.client_hellos or handshake.preamble is not None:
        return True
    said = {event.side: event.message.octets for event in handshake.events if isinstance(event.message, PlainOctets)}
    return refuses_plain(said.get(Side.CLIENT, b""), said.get(Side.SERVER, b""))


def absent_text(handshakes: Sequence[Handshake], selector: Selector) -> str:
    """Why a selector picks nothing, and what it could pick."""
    there = [each for each in handshakes if each.capture == selector.capture and spoke_tls(each)]
    if not there:
        return f"{selector.capture} has no TLS handshake."
    numbers = sorted({(each.transport, each.stream) for each in there})
    names = [str(stream) if transport == "tcp" else f"{transport}:{stream}" for transport, stream in numbers]
    shown = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    return f"{selector} is no handshake. {selector.capture} has handshakes on: {shown}."


# -- filters --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a handshake must have to be looked at; None and empty ask for nothing."""

    server_name: str | None = None  # with '*' for any text; "none" for a ClientHello without one
    server: tuple[str, int | None] | None = None  # address, port
    client: tuple[str, int | None] | None = None
    outcomes: tuple[Outcome, ...] = ()

    def passes(self, handshake: Handshake) -> bool:
        """Whether the handshake has all of it."""
        return (
            (not self.outcomes or handshake.outcome in self.outcomes)
            and is_endpoint(handshake.server, self.server)
            and is_endpoint(handshake.client, self.client)
            and (self.server_name is None or has_name(handshake, self.server_name))
        )


def is_endpoint(endpoint: Endpoint, wanted: tuple[str, int | None] | None) -> bool:
    """Whether an endpoint has the address and, where one is given, the port."""
    return wanted is None or (endpoint.address == wanted[0] and wanted[1] in (None, endpoint.port))


def has_name(handshake: Handshake, wanted: str) -> bool:
    """Whether the client asked for a name like *wanted*; names know no case (RFC 6066 section 3)."""
    name = fields.read(handshake, "client_hello.server_name")
    if name is Missing.NOT_SENT:
        return wanted == "none"
    return isinstance(name, str) and fnmatchcase(name.lower(), wanted.lower())


def parse_endpoint(text: str) -> tuple[str, int | None]:
    """Address and port of "10.0.0.2", "10.0.0.2:443", "::1" or "[::1]:443".

    Raises SelectionError when it is none of these.
    """
    found = re.fullmatch(r"\[(?P<six>[^\]]*)\](?::(?P<port>[0-9]{1,5}))?|(?P<four>[^:]*):(?P<port4>[0-9]{1,5})", text)
    address = text if found is None else found["six"] or found["four"] or ""
    port = None if found is None else found["port"] or found["port4"]
    try:
        canonical = str(ip_address(address))
    except ValueError:
        raise SelectionError(f"'{text}' is no address. Write 10.0.0.2, 10.0.0.2:443, ::1 or [::1]:443.") from None
    return canonical, int(port) if port else None


# -- the pair worth comparing ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """Two handshakes, and why these."""

    left: Handshake
    right: Handshake
    why: str = ""  # a sentence part, such as "both talk to 10.0.0.2:443"; empty when the user picked both
    others: int = 0  # pairs that would have fitted as well


def pick_pair(left: Sequence[Handshake], right: Sequence[Handshake]) -> Pair:
    """The pair that talks to the same server, one that failed and one that completed where there are such.

    Raises SelectionError when there are no two different handshakes.
    """
    if len(left) == len(right) == 1:
        return Pair(left[0], right[0])
    for key, what in ((address_of, "both talk to {}"), (name_of, "both ask for {}"), (anything, "{}")):
        groups = grouped(left, key), grouped(right, key)
        shared = [value for value in groups[0] if value in groups[1]]
        pairs = [best_pair(groups[0][value], groups[1][value]) for value in shared]
        found = [(pair, value) for pair, value in zip(pairs, shared, strict=True) if pair is not None]
        if found:
            (first, second), value = max(found, key=lambda each: contrast(*each[0]))
            total = sum(count_pairs(groups[0][each], groups[1][each]) for each in shared)
            parted = ", and one failed where the other completed" if contrast(first, second)[0] else ""
            return Pair(first, second, what.format(value) + parted, total - 1)
    raise SelectionError("There are no two handshakes to compare. `tlsinspect show` lists those of a capture.")


def address_of(handshake: Handshake) -> str | None:
    """Where the connection went."""
    return str(handshake.server)


def name_of(handshake: Handshake) -> str | None:
    """The name asked for; None when there is none to agree on."""
    name = fields.read(handshake, "client_hello.server_name")
    return f"'{name.lower()}'" if isinstance(name, str) else None


def anything(handshake: Handshake) -> str | None:
    """One group for all."""
    return "no two of them talk to the same server"


def grouped(handshakes: Iterable[Handshake], key: Callable[[Handshake], str | None]) -> dict[str, list[Handshake]]:
    """Handshakes by what they have in common, in their order."""
    found: dict[str, list[Handshake]] = {}
    for handshake in handshakes:
        value = key(handshake)
        if value is not None:
            found.setdefault(value, []).append(handshake)
    return found


def failed(handshake: Handshake) -> bool:
    """Whether it ended before it was complete, and the capture shows so."""
    return handshake.outcome not in (Outcome.COMPLETED, Outcome.CUT)


def contrast(left: Handshake, right: Handshake) -> tuple[bool, bool]:
    """Whether one failed and the other completed, and whether they were routed or identified otherwise."""
    parted = {failed(left), failed(right)} == {True, False} and Outcome.COMPLETED in (left.outcome, right.outcome)
    return parted, any(differs_visibly(path, left, right) for path in ROUTES)


# What shows that the server took another host or another identity for one of two handshakes.
ROUTES = ("client_hello.server_name", "server_certificates", "certificate_request", "resumption.accepted")


def differs_visibly(path: str, left: Handshake, right: Handshake) -> bool:
    """Whether a field differs, and both values are known."""
    ours, theirs = fields.read(left, path), fields.read(right, path)
    return ours != theirs and not {each for each in (ours, theirs) if isinstance(each, Missing)} & fields.UNSEEN


def best_pair(left: Sequence[Handshake], right: Sequence[Handshake]) -> tuple[Handshake, Handshake] | None:
    """The first failed and the first completed one, else two that were routed otherwise, else the first two."""
    ours = first_of_each(left)
    theirs = first_of_each(right)
    candidates = [(one, other) for one in ours for other in theirs if one is not other]
    return max(candidates, key=lambda pair: contrast(*pair), default=None)


def first_of_each(handshakes: Sequence[Handshake]) -> list[Handshake]:
    """The first two of each outcome and name: enough to find a contrast, without looking at all pairs."""
    found: dict[tuple[Outcome, str | None], list[Handshake]] = {}
    for handshake in handshakes:
        same = found.setdefault((handshake.outcome, name_of(handshake)), [])
        if len(same) < 2:
            same.append(handshake)
    return [handshake for same in found.values() for handshake in same]


def count_pairs(left: Sequence[Handshake], right: Sequence[Handshake]) -> int:
    """How many pairs two lists make; those of one list with itself count once."""
    ours = {id(each) for each in left}
    shared = sum(id(each) in ours for each in right)
    return len(left) * len(right) - shared * (shared + 1) // 2
