"""Findings for people: the explanation first, what it stands on, and the change for the software at hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from tlsinspect.diagnosis.engine import Diagnosed, Diagnosis, Evidence
from tlsinspect.diagnosis.rule import Case, Fix
from tlsinspect.diagnosis.stacks import client_stack
from tlsinspect.fields import BY_PATH
from tlsinspect.model.frame import Missing
from tlsinspect.report import words
from tlsinspect.report.blocks import Block, Code, Prose

NO_SIDES: Mapping[str, str] = MappingProxyType({})
MOST_CODES = 6  # causes named in the line about those that cannot be assessed
MOST_FIXES = 3  # shown with a finding; its page in the runbook has them all
MOST_PRODUCTS = 8  # named in the line about the other fixes

REMEDY = {
    Missing.LOST: "not in the capture",
    Missing.MALFORMED: "malformed",
}
LANGUAGES = {"nginx": "nginx", "Apache": "apache", "Python": "python", "Go": "go", "Java": "java", "Node": "js"}


def finding_blocks(
    findings: Sequence[Diagnosed], names: Mapping[str, str], sides: Mapping[str, str] = NO_SIDES
) -> Iterator[Block]:
    """Findings, numbered: those of the first one's severity in full, lesser ones as remarks.

    *names*: the short names of the captures.  *sides*: what the left and the right handshake of a pair are called.
    """
    if not findings:
        return
    full = [each for each in findings if each.severity >= findings[0].severity]
    for number, found in enumerate(full, start=1):
        yield Prose(
            shortened(found.finding.explanation, names),
            words.TONE_OF_SEVERITY[found.severity],
            heading=f"{number}. {heading(found)}",
            level=3,
        )
        evidence = [evidence_line(each, sides) for each in found.evidence]
        if evidence:
            yield Prose("Evidence:\n" + "\n".join(f"- {line}" for line in evidence))
        earlier = next((at for at, one in enumerate(full[: number - 1], 1) if one.code in found.cause.follows_from), 0)
        if earlier:
            yield Prose(f"It follows from {earlier}: mend that one.", "good")
        else:
            yield from chosen_fixes(found)
    lesser = findings[len(full) :]
    if lesser:
        remarks = (f"- {heading(each)}: {shortened(each.finding.explanation, names)}" for each in lesser)
        yield Prose("Noticed as well:\n" + "\n".join(remarks))


def heading(found: Diagnosed) -> str:
    """The title with the code, how much it matters and how sure it is."""
    certainty = words.CERTAINTY[found.finding.certainty]
    return f"{found.cause.title} [{found.code}; {found.severity.name.lower()}, {certainty}]"


def shortened(text: str, names: Mapping[str, str]) -> str:
    """A text in which captures are called by their short names."""
    longest_first = sorted(names, key=len, reverse=True)
    return re.sub(f"(?:{'|'.join(map(re.escape, longest_first))})(?=#)", lambda found: names[found[0]], text)


def chosen_fixes(found: Diagnosed) -> Iterator[Block]:
    """The fixes for the software that the hello fits, else the first ones; the others by name of the product."""
    chosen = found.fixes[: min(found.fitting, MOST_FIXES)] or of_several_products(found.fixes)
    yield from fix_blocks(chosen)
    products = dict.fromkeys(fix.product for fix in found.fixes)
    others = [product for product in products if product not in {fix.product for fix in chosen}]
    if others:
        more = f" and {len(others) - MOST_PRODUCTS} more" if len(others) > MOST_PRODUCTS else ""
        named = ", ".join(others[:MOST_PRODUCTS]) + more
        yield Prose(f"For {named}: tlsinspect runbook {found.code}", "faint")


def of_several_products(fixes: Sequence[Fix]) -> Sequence[Fix]:
    """The first fixes: of different products, rather than of modules of one, where it is not known which one it is."""
    first: dict[str, Fix] = {}
    for fix in fixes:
        first.setdefault(fix.product.partition(" (")[0], fix)
    return fixes[:MOST_FIXES] if len(first) < MOST_FIXES else tuple(first.values())[:MOST_FIXES]


def fix_blocks(fixes: Sequence[Fix]) -> Iterator[Block]:
    """What to change, one product after the other, each with lines to copy."""
    for fix in fixes:
        yield Prose(f"Fix, {product_text(fix)}: {fix.action}", "good")
        if fix.example:
            yield Code(fix.example, LANGUAGES.get(fix.product, ""))


def product_text(fix: Fix) -> str:
    """The product with the side that changes, such as "nginx (grpc, client)"; "any server" says it already."""
    if fix.side is None or fix.product == f"any {fix.side.value}":
        return fix.product
    name, _, kind = fix.product.removesuffix(")").partition(" (")
    return f"{name} ({', '.join(filter(None, (kind, fix.side.value)))})"


def evidence_line(evidence: Evidence, sides: Mapping[str, str]) -> str:
    """Such as "frame 4: Server name: not sent  [frame.number == 4 && !tls.handshake.extensions_server_name]"."""
    where = f"{sides[evidence.side]}, " if evidence.side and evidence.side in sides else ""
    frames = evidence.frames
    place = f"frame {frames[-1]}" if frames else "the connection"
    title = BY_PATH[evidence.path].title
    return f"{where}{place}: {title}: {words.value_text(evidence.value)}  [{evidence.display_filter}]"


def software_text(case: Case) -> str:
    """The software that a hello fits, such as "curl with OpenSSL"; empty when it fits none that is known."""
    stack = client_stack(case.handshake.client_hellos[0]) if case.handshake.client_hellos else None
    return stack.text if stack else ""


def blind_text(diagnosis: Diagnosis, cases: Iterable[Case]) -> str:
    """Which causes could not be assessed, and what would help; empty when all could."""
    if not diagnosis.not_assessed:
        return ""
    codes = [cause.code for cause, _ in diagnosis.not_assessed]
    shown = ", ".join(codes[:MOST_CODES]) + (f" and {len(codes) - MOST_CODES} more" if len(codes) > MOST_CODES else "")
    everything = tuple(cases)
    paths = dict.fromkeys(path for _, hidden in diagnosis.not_assessed for path in hidden)
    reasons: dict[str, list[str]] = {}
    for path in paths:
        for case in everything:
            value = case.value(path)
            if value is Missing.HIDDEN or (isinstance(value, Missing) and value in REMEDY):
                remedy = REMEDY.get(value) or words.encrypted_text(case.handshake)
                titles = reasons.setdefault(remedy, [])
                titles += [BY_PATH[path].title] if BY_PATH[path].title not in titles else []
    why = "; ".join(f"{', '.join(titles)} ({reason})" for reason, titles in reasons.items())
    return f"Not assessable: {shown}. Not seen: {why}."
