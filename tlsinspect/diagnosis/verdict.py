"""One sentence about a pair: how each ended, and what explains the difference."""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.comparison import Difference
from tlsinspect.diagnosis.engine import Diagnosed, Diagnosis
from tlsinspect.diagnosis.rule import Case, Certainty, Severity
from tlsinspect.model.handshake import Handshake, Outcome

CERTAINTY = {Certainty.STATED: "as the peer states", Certainty.SHOWN: "as the octets show", Certainty.LIKELY: "likely"}


def verdict(diagnosis: Diagnosis, left: Case, right: Case, *, left_name: str, right_name: str) -> str:
    """The first finding and the two outcomes, in one sentence without its full stop."""
    best = next((each for each in diagnosis.findings if each.severity >= Severity.WARNING), None)
    ends = outcomes_text(left.handshake, right.handshake, left_name, right_name)
    if best is not None:
        return f"{finding_text(best, left_name, right_name)}; {ends}"
    meaningful = [each for each in diagnosis.differences if each.meaningful]
    if not meaningful:
        return f"{ends}, and nothing that can be seen of them differs in a way that matters"
    return f"{ends}; they part at {parting_text(meaningful)}, and no known cause explains it"


def finding_text(found: Diagnosed, left_name: str, right_name: str) -> str:
    """Whose the cause is, the cause, its code and how sure it is."""
    side = {"left": f"{left_name}: ", "right": f"{right_name}: "}.get(found.finding.side or "", "")
    title = found.cause.title.rstrip(".")
    title = title[:1].lower() + title[1:] if side and title[1:2].islower() else title
    return f"{side}{title} [{found.code}, {CERTAINTY[found.finding.certainty]}]"


def outcomes_text(left: Handshake, right: Handshake, left_name: str, right_name: str) -> str:
    """How each ended; once when both ended alike."""
    ours, theirs = ending_text(left), ending_text(right)
    if ours == theirs:
        return f"{left_name} and {right_name} both {ours.replace('was ', 'were ', 1)}"
    return f"{left_name} {ours}, {right_name} {theirs}"


def ending_text(handshake: Handshake) -> str:
    """Such as "was rejected by the server with unrecognized_name(112)"."""
    ending = handshake.ending
    by = f" by the {ending.side.value}" if ending and ending.side else ""
    match handshake.outcome:
        case Outcome.COMPLETED:
            return "completed"
        case Outcome.STALLED:
            return "stalled without an answer"
        case Outcome.CUT:
            return "is cut off by the end of the capture"
        case Outcome.NEVER_TLS:
            return "never spoke TLS"
        case Outcome.REJECTED if ending and ending.alert:
            number = ending.alert.description
            return f"was rejected{by} with {registry.ALERTS.name(number)}({number})"
        case outcome:
            return f"was {outcome.value}{by}"


def parting_text(meaningful: list[Difference]) -> str:
    """The first fields that differ, in the order of the exchange."""
    titles = [each.field.title for each in meaningful]
    return ", ".join(titles[:3]) + (f" and {len(titles) - 3} more" if len(titles) > 3 else "")
