"""`diff LEFT RIGHT`: two handshakes side by side, what differs, what it means, what to change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tlsinspect.comparison import Difference, only_in
from tlsinspect.diagnosis.blind import is_unseen
from tlsinspect.diagnosis.engine import Diagnosis
from tlsinspect.diagnosis.facts import completed, resumed
from tlsinspect.diagnosis.rule import Case, Stage
from tlsinspect.diagnosis.verdict import verdict
from tlsinspect.fields import BY_PATH, Compare, Group
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake
from tlsinspect.report import words
from tlsinspect.report.blocks import Block, Cell, Prose, Report, Table
from tlsinspect.report.explanation import has_error
from tlsinspect.report.findings import blind_text, finding_blocks, software_text
from tlsinspect.report.objects import SCHEMA, difference_object, finding_object, handshake_object
from tlsinspect.selection import Pair

MOST_SHOWN = 6  # elements of a list in a cell

# What a difference means that no finding speaks of.
NEUTRAL = {
    Group.TRANSPORT: "The connections began in different ways.",
    Group.HELLO: "Other client software, or other settings of it.",
    Group.ROUTING: "Can lead to another host.",
    Group.PARAMETERS: "Can lead to another choice, or to none.",
    Group.SERVER_CERTIFICATE: "Another host or another setting answered.",
    Group.CLIENT_AUTHENTICATION: "Can change whom the server takes the client for.",
    Group.RESUMPTION: "An earlier session decided where one was resumed.",
    Group.OUTCOME: "What is to be explained.",
}
ANSWERED = ("server_hello.extensions", "encrypted_extensions.extensions")
ANSWER = "Another offer, or other settings of the server."  # what their difference means
SERVER_MESSAGES = ("server_hello", "hello_retry_request", "server_key_exchange", "server_certificates")
ORDER = tuple(Group)

# The messages that a handshake has only without resumption.
NOT_WHEN_RESUMED = ("server_key_exchange", "server_certificates", "certificate_request", "client_certificates")


def pair_names(left: Case, right: Case) -> tuple[str, str]:
    """Names for the two: the file and the stream; with as many folders as tell the files apart."""
    short = words.names_of((left, right))
    return words.handshake_text(left.handshake, short), words.handshake_text(right.handshake, short)


def pair_report(left: Case, right: Case, diagnosis: Diagnosis, *, pair: Pair, everything: bool = False) -> Report:
    """The verdict, the differences stage by stage, the findings, and what is not ruled out."""
    names = pair_names(left, right)
    sentence = verdict(diagnosis, left, right, left_name=names[0], right_name=names[1]) + "."
    heads = names
    if left.handshake.capture == right.handshake.capture:
        heads = f"#{words.stream_text(left.handshake)}", f"#{words.stream_text(right.handshake)}"
    blocks: list[Block] = [Prose(sentence, "title")]
    if pair.why:
        blocks.append(Prose(picked_text(pair, names), "faint"))
    shown = [each for each in diagnosis.differences if everything or worth_showing(each)]
    if shown:
        blocks.append(difference_table(shown, diagnosis, heads, (left.handshake, right.handshake)))
    blocks += hidden_blocks(diagnosis)
    blocks += software_blocks((left, right), names)
    blocks += finding_blocks(diagnosis.findings, words.names_of((left, right)), {"left": names[0], "right": names[1]})
    blocks += doubt_blocks(diagnosis, left, right)
    listed = [each for each in diagnosis.differences if everything or not each.equal]
    data = {
        "schema": SCHEMA,
        "left": handshake_object(left),
        "right": handshake_object(right),
        "verdict": sentence,
        "picked": {"why": pair.why, "others": pair.others} if pair.why else None,
        "differences": [difference_object(each, diagnosis.explains(each.path)) for each in listed],
        "findings": [finding_object(each) for each in diagnosis.findings],
        "not_ruled_out": list(diagnosis.not_ruled_out),
    }
    return Report(title=f"{names[0]} and {names[1]}", blocks=tuple(blocks), data=data)


def differs(diagnosis: Diagnosis) -> bool:
    """Whether there is something to report: a difference that can matter, or a finding of severity error."""
    return any(each.meaningful for each in diagnosis.differences) or has_error(diagnosis)


def picked_text(pair: Pair, names: tuple[str, str]) -> str:
    """Which pair was picked, and how to pick another."""
    others = (
        f"{pair.others} other {'pair fits' if pair.others == 1 else 'pairs fit'} as well; pick one with CAPTURE#N."
        if pair.others
        else "No other pair fits."
    )
    return f"Picked {names[0]} and {names[1]}: {pair.why}. {others}"


def worth_showing(difference: Difference) -> bool:
    """Whether it can matter, or could if both sides were seen and one of them has something to show."""
    if difference.meaningful:
        return True
    if difference.equal or difference.field.compare is Compare.EXPECTED:
        return False
    values = difference.left, difference.right
    return any(map(is_unseen, values)) and not all(map(is_empty, values))


def is_empty(value: object) -> bool:
    """Whether a value says no more than that there is nothing to see."""
    return isinstance(value, Missing) or value is False or value == ()


def difference_table(
    shown: list[Difference], diagnosis: Diagnosis, names: tuple[str, str], both: tuple[Handshake, Handshake]
) -> Table:
    """A row per field, in the order of the exchange."""
    rows = []
    last = None
    for difference in sorted(shown, key=lambda each: ORDER.index(each.field.group)):
        group = difference.field.group
        left, right = side_texts(difference)
        rows.append(
            (
                Cell("" if group is last else group.value, "faint"),
                Cell(difference.field.title),
                Cell(left, tone(difference, difference.left)),
                Cell(right, tone(difference, difference.right)),
                meaning_cell(difference, diagnosis, both),
            )
        )
        last = group
    columns = ("Stage", "Field", names[0], names[1], "What it means")
    return Table(columns, tuple(rows), keep=("Field", names[0], names[1], "What it means", "Stage"), firm=4, fold=False)


def tone(difference: Difference, value: object) -> str:
    """Differing values stand out; missing ones look as everywhere."""
    if isinstance(value, Missing) and value is not Missing.NOT_SENT:
        return words.TONE_OF_MISSING[value]
    return "changed" if difference.meaningful else "plain"


def side_texts(difference: Difference) -> tuple[str, str]:
    """Both values; of lists only what one has and the other has not."""
    left, right = difference.left, difference.right
    if not isinstance(left, tuple) or not isinstance(right, tuple):
        return value_text(left), value_text(right)
    if any(isinstance(each, dict) for each in (*left, *right)):
        return objects_text(left, right), objects_text(right, left)
    if difference.equal:
        return list_text(left), list_text(right)
    ours, theirs = only_in(left, right)
    if not ours and not theirs:  # the same elements
        return f"{list_text(left)} (in this order)", f"{list_text(right)} (in this order)"
    return only_text(ours, left), only_text(theirs, right)


def value_text(value: object) -> str:
    """A value that there is nothing like on the other side."""
    if isinstance(value, tuple) and any(isinstance(each, dict) for each in value):
        return objects_text(value, ())
    return list_text(value)


def list_text(value: object) -> str:
    """A value, and of a long list its beginning."""
    if isinstance(value, tuple) and len(value) > MOST_SHOWN:
        return ", ".join(words.value_text(each) for each in value[:MOST_SHOWN]) + f", +{len(value) - MOST_SHOWN} others"
    return words.value_text(value)


def only_text(only: tuple[object, ...], everything: tuple[object, ...]) -> str:
    """What only this side has."""
    if not only:
        return "none" if not everything else "nothing else"
    return f"{'only here: ' if len(only) < len(everything) else ''}{list_text(only)}"


def objects_text(value: tuple[object, ...], other: tuple[object, ...]) -> str:
    """Certificates by name; by digest too where the first of both have the same name."""
    if not value:
        return "none (an empty Certificate)"
    first, theirs = value[0], other[0] if other else None
    text = words.value_text(first)
    if isinstance(first, dict) and isinstance(theirs, dict) and first.get("subject") == theirs.get("subject"):
        text += f" (SHA-256 {str(first.get('sha256'))[:16]}…)"
    return text + (f" and {len(value) - 1} more in the chain" if len(value) > 1 else "")


def meaning_cell(difference: Difference, diagnosis: Diagnosis, both: tuple[Handshake, Handshake]) -> Cell:
    """The titles of the findings that look at the field, else a neutral phrase."""
    if difference.equal:
        return Cell("the same", "faint")
    unseen = [is_unseen(difference.left), is_unseen(difference.right)]
    if any(unseen):
        where = "on both sides" if all(unseen) else "on the left" if unseen[0] else "on the right"
        return Cell(f"Cannot be compared: not seen {where}.", "faint")
    if not difference.meaningful:
        expected = difference.field.compare is Compare.EXPECTED
        return Cell("Differs between any two handshakes." if expected else "Follows from other differences.", "faint")
    path = difference.path
    passed_over = only_one_resumed(difference, both)
    looking = (each for each in diagnosis.findings if path in (*each.cause.looks_at, *each.finding.evidence))
    found = next((each for each in looking if not passed_over or each.cause.stage is Stage.RESUMPTION), None)
    if found and difference.field.group is not Group.OUTCOME:
        return Cell(found.cause.title, words.TONE_OF_SEVERITY[found.severity])
    if passed_over:
        return Cell("Follows: a resumed handshake has none.", "faint")
    if follows := follows_text(difference, both):
        return Cell(follows, "faint")
    if path not in ANSWERED:
        return Cell(NEUTRAL[difference.field.group])
    one_resumed = resumed(both[0]) is not resumed(both[1])
    return Cell("Follows from the resumption.", "faint") if one_resumed else Cell(ANSWER)


def only_one_resumed(difference: Difference, both: tuple[Handshake, Handshake]) -> bool:
    """Whether a message is missing on one side only as that one resumed a session."""
    if difference.path.partition(".")[0] not in NOT_WHEN_RESUMED:
        return False
    without = [is_empty(difference.left), is_empty(difference.right)]
    return [resumed(each) for each in both] == without and any(without) and not all(without)


def follows_text(difference: Difference, both: tuple[Handshake, Handshake]) -> str:
    """Why a message of the server is missing on one side, so that no field of it can be the cause; else empty."""
    message = difference.path.partition(".")[0]
    values = (difference.left, difference.right)
    if message not in SERVER_MESSAGES or Missing.NOT_SENT not in values:
        return ""
    if not completed(both[values.index(Missing.NOT_SENT)]):
        return "Follows: only one got that far."
    return "Follows from the version or the cipher suite." if message == "server_key_exchange" else ""


def software_blocks(cases: Sequence[Case], names: Sequence[str]) -> Iterator[Block]:
    """The software that the hellos fit."""
    known = [(name, text) for case, name in zip(cases, names, strict=True) if (text := software_text(case))]
    fits = [f"{name} fits {text}" for name, text in known]
    if len({text for _, text in known}) == 1 < len(known):
        fits = [f"both fit {known[0][1]}"]
    if fits:
        yield Prose(f"Likely by the shape of the hellos: {'; '.join(fits)}.", "faint")


def hidden_blocks(diagnosis: Diagnosis) -> Iterator[Block]:
    """What no row can show, as it is encrypted on one side or on both."""
    where: dict[str, list[str]] = {}
    for each in diagnosis.differences:
        hidden = [each.left is Missing.HIDDEN, each.right is Missing.HIDDEN]
        if any(hidden) and is_empty(each.left) and is_empty(each.right):
            place = "on both sides" if all(hidden) else "on the left" if hidden[0] else "on the right"
            where.setdefault(place, []).append(each.field.title)
    if where:
        parts = "; ".join(f"{place}: {', '.join(titles)}" for place, titles in where.items())
        yield Prose(f"Hidden {parts}. It is encrypted: add --keylog FILE to see it.", "faint")


def doubt_blocks(diagnosis: Diagnosis, left: Case, right: Case) -> Iterator[Block]:
    """Differences that could be the cause instead, and causes that could not be looked at."""
    if diagnosis.not_ruled_out:
        titles = ", ".join(BY_PATH[path].title for path in diagnosis.not_ruled_out)
        beside = "these differ too, and could be the cause as well" if diagnosis.findings else "any of these may be it"
        yield Prose(f"Not ruled out ({beside}): {titles}.")
    blind = blind_text(diagnosis, (left, right))
    if blind:
        yield Prose(blind, "faint")
