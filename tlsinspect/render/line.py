"""A handshake as one line of JSON, put together from pieces that are kept.

The text is that of report.objects.handshake_object, octet for octet, in a small part of the time.  The catalogue says
what the value of each field follows from (fields.basis).  The fields of one basis make a section; where they stand side
by side in the line, they are one piece of text, with the keys and braces around them.  The pieces of a section are made
once for each value of its basis.  Only what is of one handshake alone is read and written each time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, TextIO

from tlsinspect.diagnosis.blind import Unassessed
from tlsinspect.diagnosis.engine import Diagnosis
from tlsinspect.diagnosis.rule import Case
from tlsinspect.fields import Value
from tlsinspect.fields.basis import Basis
from tlsinspect.model.frame import Endpoint, Missing
from tlsinspect.model.handshake import Handshake
from tlsinspect.render.json import one_line
from tlsinspect.report import objects
from tlsinspect.report.blocks import Report
from tlsinspect.report.objects import LISTS, MESSAGES, PLACES, Place, Shown, json_value, made
from tlsinspect.sessions import HandshakeName, Source

MOST_KEPT = 4096  # values of bases; the pieces of a ClientHello are three or four thousand characters

Texts = tuple[str, str]  # what stands for a value, and what stands for it in "missing": its reason or nothing


class Entry(NamedTuple):
    """Something that stands in the line."""

    path: str
    basis: Basis | None  # None: it is written anew for each handshake
    write: Callable[[Case], Texts]


class Section:
    """The entries of one basis.

    Owns the texts of its pieces for the values of the basis that came lately; Lines says when to free them.
    """

    def __init__(self) -> None:
        self.kept: dict[Hashable, list[str]] = {}
        self.pieces: list[list[str | int]] = []  # texts, and numbers of texts that the entries write
        self._entries: dict[str, Entry] = {}

    def text_of(self, entry: Entry, which: int) -> int:
        """The number of a text of an entry, which is one of the section's from now on."""
        self._entries.setdefault(entry.path, entry)
        return 2 * list(self._entries).index(entry.path) + which

    @property
    def size(self) -> int:
        """How many texts the entries write."""
        return 2 * len(self._entries)

    def texts(self, case: Case) -> list[str]:
        """What the entries write: two texts each."""
        return [text for entry in self._entries.values() for text in entry.write(case)]

    def written(self, case: Case) -> list[str]:
        """The pieces."""
        texts = self.texts(case)
        return ["".join([part if isinstance(part, str) else texts[part] for part in piece]) for piece in self.pieces]


class Layout:
    """How the line is put together for all handshakes in which the same messages are absent."""

    def __init__(self, absent: Iterable[str]) -> None:
        gone = frozenset(absent)
        self.constants: list[str] = []
        self.own = Section()
        self.sections: dict[Basis, Section] = {}
        body = self._arranged([(part, 0) for part in body_parts(gone)])
        missing = self._arranged([(part, 1) for part in missing_parts(gone)])
        self.body, self.missing = self._taken(body), self._taken(missing)

    def _arranged(self, parts: Iterable[tuple[str | Entry, int]]) -> list[tuple[Section | None, int]]:
        """Gives the parts to the sections, and tells for each text of the line whose it is and its number there."""
        order: list[tuple[Section | None, int]] = []
        last: Section | None = None  # to which what follows can be appended
        for part, which in parts:
            if isinstance(part, Entry) and part.basis is not None:
                section = self.sections.setdefault(part.basis, Section())
                if section is not last:
                    order.append((section, len(section.pieces)))
                    section.pieces.append([])
                    last = section
                section.pieces[-1].append(section.text_of(part, which))
            elif isinstance(part, Entry):
                order.append((self.own, self.own.text_of(part, which)))
                last = None
            elif last is not None:
                last.pieces[-1].append(part)
            else:
                order.append((None, len(self.constants)))
                self.constants.append(part)
        return order

    def _taken(self, order: Iterable[tuple[Section | None, int]]) -> itemgetter[Any]:
        """Takes texts in an order from a list of the constants, then what is own, then the pieces of the sections."""
        before: dict[Section | None, int] = {None: 0, self.own: len(self.constants)}
        place = len(self.constants) + self.own.size
        for section in self.sections.values():
            before[section] = place
            place += len(section.pieces)
        return itemgetter(*[before[section] + number for section, number in order])


def render(report: Report, out: TextIO, *, width: int | None = None) -> None:
    """Writes one object a line.  A report without lines is one line.  JSON has no width."""
    lines = Lines()
    for each in report.lines or (report.data,):
        out.write((lines.line(each.case, each.diagnosis) if isinstance(each, Shown) else one_line(made(each))) + "\n")


class Lines:
    """Writes handshakes as lines.

    Owns the layouts that occurred, and the texts of their sections: for MOST_KEPT values of bases, freed together.
    """

    def __init__(self) -> None:
        self._layouts: dict[tuple[bool, ...], Layout] = {}
        self._since = 0  # how many were kept since they were freed

    def line(self, case: Case, diagnosis: Diagnosis | None = None) -> str:
        """The handshake, and what explains it, as one_line(Shown(case, diagnosis).object()) writes them."""
        handshake = case.handshake
        absent = tuple([isinstance(read(handshake), Missing) for read in READ_MESSAGES])
        layout = self._layouts.get(absent)
        if layout is None:
            layout = self._layouts[absent] = Layout(each for each, gone in zip(MESSAGES, absent, strict=True) if gone)
        texts = [*layout.constants, *layout.own.texts(case)]
        for basis, section in layout.sections.items():
            key = basis(handshake)
            pieces = section.kept.get(key)
            if pieces is None:
                pieces = section.written(case)
                if key is not None:
                    self._keep(section, key, pieces)
            texts += pieces
        missing = "".join(layout.missing(texts))[1:]  # without the first comma
        explained = "" if diagnosis is None else explanation_text(diagnosis)
        defects = [objects.defect_object(defect) for defect in handshake.defects]
        tail = f'"missing":{{{missing}}},"defects":{one_line(defects) if defects else "[]"}{explained}}}'
        return f"{''.join(layout.body(texts))},{tail}"

    @property
    def kept(self) -> int:
        """For how many values of bases texts are kept."""
        return sum(len(section.kept) for layout in self._layouts.values() for section in layout.sections.values())

    def _keep(self, section: Section, key: Hashable, pieces: list[str]) -> None:
        if self._since == MOST_KEPT:
            self._since = 0
            for layout in self._layouts.values():
                for each in layout.sections.values():
                    each.kept.clear()
        self._since += 1
        section.kept[key] = pieces


# -- what stands in the line, in the order of handshake_object ------------------------------------------------------


READ_MESSAGES = tuple([whole.read for whole in MESSAGES.values()])


def body_parts(absent: frozenset[str]) -> Iterator[str | Entry]:
    """The line up to "missing"."""
    yield Entry("frame", None, lambda case: (frame_text(case.handshake), ""))
    members: dict[str, list[Place]] = {name: [] for name in MESSAGES}
    for place in PLACES:
        members.setdefault(place.parent or place.key, []).append(place)
    for name, places in members.items():
        yield f',"{name}":'
        if name in absent:
            yield "null"
        elif name == "preamble":
            yield Entry("preamble", None, preamble_texts)
        elif not places[0].parent:
            yield field(places[0])
        else:
            for number, place in enumerate(places):
                yield f'{"," if number else "{"}"{place.key}":'
                yield field(place)
            if name == "resumption":
                yield Entry("origins", None, origins_texts)
            yield "}"


def missing_parts(absent: frozenset[str]) -> Iterator[Entry]:
    """The reasons: why messages are absent, then those of the fields whose message is there."""
    for name, whole in MESSAGES.items():
        if name in absent:
            yield Entry(name, whole.basis, texts_of(name, whole.read))
    for place in PLACES:
        if place.parent not in absent and place.parent != "preamble":
            yield field(place)


def field(place: Place) -> Entry:
    """A field of the catalogue."""
    return Entry(place.path, place.basis, texts_of(place.path, place.read))


def texts_of(path: str, read: Callable[[Handshake], Value]) -> Callable[[Case], Texts]:
    """Writes a value of a handshake, or null and why it is missing."""
    empty = "[]" if path in LISTS else "null"
    reasons = {missing: (empty, f',"{path}":"{missing.value}"') for missing in Missing}

    def texts(case: Case) -> Texts:
        value = read(case.handshake)
        if isinstance(value, str):
            return one_line(value), ""
        if isinstance(value, Missing):
            return reasons[value]
        return str(value) if type(value) is int else one_line(json_value(value)), ""

    return texts


def explanation_text(diagnosis: Diagnosis) -> str:
    """The end of the line: explanation_object without its braces."""
    findings = [objects.finding_object(each) for each in diagnosis.findings]
    unassessed = unassessed_text(diagnosis.not_assessed)
    return f',"findings":{one_line(findings) if findings else "[]"},"not_assessable":{unassessed}'


@lru_cache(maxsize=256)
def unassessed_text(causes: Unassessed) -> str:
    """The causes that could not be assessed.  Kept, as they follow from what is hidden, and are many."""
    return one_line([objects.blind_object(cause, paths) for cause, paths in causes])


def frame_text(handshake: Handshake) -> str:
    """The beginning of the line: frame_object without its last brace, at a third of the time."""
    return (
        f'{{"capture":{one_line(handshake.capture)},"stream":{handshake.stream},"part":{handshake.part},'
        f'"transport":"{handshake.transport}","protocol":"{handshake.protocol}",'
        f'"client":{endpoint_text(handshake.client)},"server":{endpoint_text(handshake.server)},'
        f'"started":"{objects.time_text(handshake.started_ns)}","duration":{objects.duration(handshake)!r},'
        f'"frames":[{handshake.first_frame},{handshake.last_frame}],"visibility":"{handshake.visibility.value}"'
    )


def endpoint_text(endpoint: Endpoint) -> str:
    """One end of a connection; addresses need no escapes."""
    return f'{{"address":"{endpoint.address}","port":{endpoint.port}}}'


def preamble_texts(case: Case) -> Texts:
    """The dialogue before TLS."""
    preamble = case.handshake.preamble
    return ("null" if preamble is None else one_line(objects.preamble_object(preamble))), ""


def origins_texts(case: Case) -> Texts:
    """Where the session came from, behind the fields of "resumption"."""
    if case.origin is None:
        return NO_ORIGINS, ""
    return origins_text(case.origin, taken_up=isinstance(case.handshake.resumption.accepted, str)), ""


def origins_text(origin: Source[Handshake] | Source[HandshakeName], *, taken_up: bool) -> str:
    """The members of "resumption" that say where the session came from."""
    return f",{one_line(objects.origins_object(origin, taken_up=taken_up))[1:-1]}"


# -- what only the whole capture tells, put into lines that are finished but for it ----------------------------------

# Quotes within a string are escaped, so these texts stand nowhere else in a line.
NO_ORIGINS = ',"from":null,"offered_from":null'
STREAM = ',"stream":'


def with_origins(line: str, origin: Source[HandshakeName], *, taken_up: bool) -> str:
    """A line that knows of no origin, with one."""
    return line.replace(NO_ORIGINS, origins_text(origin, taken_up=taken_up), 1)


def with_stream(line: str, stream: int) -> str:
    """A line with another number of its stream."""
    before, _, rest = line.partition(STREAM)
    return f"{before}{STREAM}{stream},{rest.partition(',')[2]}"
