"""`show CAPTURE#N`: everything about one handshake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tlsinspect.diagnosis.inherited import known_by
from tlsinspect.diagnosis.message_names import message_name
from tlsinspect.diagnosis.rule import Case
from tlsinspect.fields import FIELDS, Group
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake, Visibility
from tlsinspect.report import words
from tlsinspect.report.blocks import Block, Cell, Prose, Report, Table
from tlsinspect.report.chains import chain_tables
from tlsinspect.report.explanation import happened_text
from tlsinspect.report.messages import message_detail
from tlsinspect.report.objects import Listed, Shown

MOST_MESSAGES = 200


def handshake_report(captures: Sequence[str], case: Case) -> Report:
    """What happened, every field of the catalogue, the messages, the certificates and the defects."""
    handshake = case.handshake
    return Report(
        title=f"{words.handshake_text(handshake)}  {words.peers_text(handshake)}  {words.named_text(handshake)}",
        blocks=tuple(blocks(case)),
        data=Listed(tuple(captures), (Shown(case),)),
        lines=(Shown(case),),
    )


def blocks(case: Case) -> Iterator[Block]:
    """The parts of the page."""
    yield Prose(happened_text(case), words.outcome_cell(case.handshake).tone)
    yield connection_table(case)
    yield field_table(case)
    yield message_table(case)
    yield from chain_tables(case)
    if case.handshake.defects:
        yield defect_table(case)


def connection_table(case: Case) -> Table:
    """Where, when and over what."""
    handshake = case.handshake
    rows = [
        ("Capture", handshake.capture),
        ("Stream", f"{handshake.transport}.stream {handshake.stream}"),
        ("Handshake", f"{handshake.part} of {handshake.parts} on this stream"),
        ("Client", str(handshake.client)),
        ("Server", str(handshake.server)),
        ("Protocol", {"tls": "TLS", "dtls": "DTLS", "quic": "QUIC"}[handshake.protocol]),
        ("Start (UTC)", words.time_text(handshake.started_ns)),
        ("Duration", words.duration_text(handshake.ended_ns - handshake.started_ns)),
        ("Frames", f"{handshake.first_frame} to {handshake.last_frame}"),
        ("Readable", readable_text(handshake)),
    ]
    if handshake.preamble is not None:
        details = "; ".join(f"{key} {words.value_text(value)}" for key, value in handshake.preamble.details)
        rows.append(("Before TLS", f"{handshake.preamble.protocol}{': ' if details else ''}{details}"))
    if case.origin is not None:
        source = words.origin_text(handshake, case.origin.handshake)
        rows.append(("Session offered", f"that of {source} ({case.origin.certainty}: {known_by(case.origin)})"))
    shown = tuple((Cell(name), Cell(text)) for name, text in rows if name != "Handshake" or handshake.parts > 1)
    return Table(("Connection", ""), shown)


def readable_text(handshake: Handshake) -> str:
    """How much of the handshake can be read."""
    match handshake.visibility:
        case Visibility.HIDDEN:
            return f"up to the ServerHello; the rest is {words.encrypted_text(handshake)}"
        case Visibility.DECRYPTED:
            return "all, opened with the keys given"
        case Visibility.CLEAR:
            return "all that matters"


def field_table(case: Case) -> Table:
    """Every field of the catalogue, in the order of the exchange."""
    rows = []
    for group in Group:
        fields = [field for field in FIELDS if field.group is group]
        for number, field in enumerate(fields):
            value = field.read(case.handshake)
            frames = "" if isinstance(value, Missing) else ", ".join(map(str, field.frames(case.handshake)[:4]))
            rows.append(
                (
                    Cell("" if number else group.value, "faint"),
                    Cell(field.title),
                    Cell(frames, "faint"),
                    Cell(field.wireshark, "faint"),
                    words.value_cell(value),
                )
            )
    columns = ("Stage", "Field", "Frame", "Wireshark", "Value")
    return Table(columns, tuple(rows), keep=("Field", "Value", "Frame", "Stage"), firm=2, fold=False)


def message_table(case: Case) -> Table:
    """The messages in wire order, with the time since the start."""
    handshake = case.handshake
    rows = tuple(
        (
            Cell(f"{(event.time_ns - handshake.started_ns) / 1e6:.1f}"),
            Cell(event.side.value),
            Cell(message_name(event.message)),
            Cell(message_detail(event.message) + (" (opened with keys)" if event.encrypted else "")),
            Cell(", ".join(map(str, event.frames[-3:])), "faint"),
        )
        for event in handshake.events[:MOST_MESSAGES]
    )
    more = len(handshake.events) - MOST_MESSAGES
    title = "Messages" if more <= 0 else f"Messages ({more} more are not shown)"
    return Table(("Time (ms)", "From", "Message", "Detail", "Frame"), rows, title=title)


def defect_table(case: Case) -> Table:
    """What breaks a specification."""
    rows = tuple(
        (Cell(each.where), Cell(each.problem, "warn"), Cell(str(each.offset)), Cell(", ".join(map(str, each.frames))))
        for each in case.handshake.defects
    )
    return Table(("Where", "Problem", "Octet", "Frames"), rows, title="Defects")
