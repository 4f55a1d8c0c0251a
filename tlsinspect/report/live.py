"""`capture`: rows as handshakes end, what is under way, and what was counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from tlsinspect.conversation import Conversation
from tlsinspect.diagnosis.engine import Diagnosis
from tlsinspect.diagnosis.message_names import message_name
from tlsinspect.model.frame import Missing
from tlsinspect.model.message import ClientHello
from tlsinspect.net.transport import endpoints
from tlsinspect.report import words
from tlsinspect.report.blocks import Cell, Table
from tlsinspect.report.listing import COLUMNS, FIRST, counted
from tlsinspect.tls.extensions import SERVER_NAME

ROWS = Table(COLUMNS, (), keep=FIRST, firm=4)
# What the cells of COLUMNS usually take; a longer one is wrapped.
USUAL_WIDTHS = (5, 12, 21, 21, 26, 7, 28, 18, 18, 12, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a live capture counted."""

    seconds: float
    frames: int  # captured and, with a command, kept
    octets: int  # of those frames
    handshakes: int  # shown
    under_way: int
    kernel_dropped: int
    application_dropped: int  # captured, but not looked at
    conversations_given_up: int  # there were too many at once
    frames_written: int | None  # None: nothing is recorded
    # around a command
    left_out: int | None = None  # connections of others
    told_by: str | None = None  # "control group" or "sockets": how those were told from its own
    presumed: int | None = None  # connections kept because of time and address alone


def counts_object(counts: Counts) -> dict[str, object]:
    """The last line of JSON."""
    return asdict(counts)


def counts_text(counts: Counts) -> str:
    """One line about it all, such as "1,234 packets, 0 dropped; 12 handshakes, 1 under way; 0:01:05"."""
    dropped = counts.kernel_dropped + counts.application_dropped
    lost = f"{dropped:,} dropped"
    if dropped:
        lost += f" ({counts.kernel_dropped:,} by the kernel, {counts.application_dropped:,} by tlsinspect)"
    parts = [f"{counts.frames:,} {'packet' if counts.frames == 1 else 'packets'}, {lost}"]
    parts += [f"{counted(counts.handshakes, 'handshake')}, {counts.under_way} under way"]
    if counts.frames_written is not None:
        parts += [f"{counts.frames_written:,} written"]
    if counts.left_out:
        parts += [f"{counted(counts.left_out, 'connection')} of others left out"]
    if counts.conversations_given_up:
        parts += [f"{counted(counts.conversations_given_up, 'connection')} given up, too many at once"]
    seconds = int(counts.seconds)
    return "; ".join([*parts, f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"])


def note(diagnosis: Diagnosis) -> Cell | None:
    """The first finding of a handshake."""
    if not diagnosis.findings:
        return None
    first = diagnosis.findings[0]
    return Cell(f"{first.cause.title} [{first.code}]", words.TONE_OF_SEVERITY[first.severity])


# -- under way ------------------------------------------------------------------------------------------------------


def under_way_cells(conversations: Iterable[Conversation], now_ns: int) -> Iterator[Cell]:
    """A line for each handshake that has begun and not ended, the oldest first."""
    for conversation in conversations:
        if is_under_way(conversation):
            yield Cell(under_way_text(conversation, now_ns), "faint")


def is_under_way(conversation: Conversation) -> bool:
    """Whether it is a handshake, as far as known, and neither complete nor over."""
    speaks = conversation.connection is not None or conversation.preamble is not None
    return speaks and not conversation.spoken and conversation.completed_ns is None and conversation.closed_ns is None


def under_way_text(conversation: Conversation, now_ns: int) -> str:
    """Such as "#7  waits 1.2 s after the ClientHello  shop.example  10.0.0.1:40312 → 10.0.0.2:443".

    What matters most comes first: a narrow screen cuts the rest.
    """
    ends = endpoints(conversation.key)
    client, server = ends if conversation.client != 1 else ends[::-1]
    events = conversation.connection.events if conversation.connection is not None else []
    hello = next((event.message for event in events if isinstance(event.message, ClientHello)), None)
    name: object = hello.body(SERVER_NAME) if hello is not None else "—"
    shown = "no server name" if name is Missing.NOT_SENT else words.value_text(name)
    after = message_name(events[-1].message) if events else "dialogue before TLS"
    waits = words.duration_text(max(now_ns - conversation.last_ns, 0))
    return f"#{conversation.number}  waits {waits} after the {after}  {shown}  {client} → {server}"
