"""`runbook [CAUSE]`: the troubleshooting runbook, one page per cause, and its index by symptom."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tlsinspect import registry
from tlsinspect.diagnosis.rule import Cause
from tlsinspect.report.blocks import Block, Cell, Code, Prose, Report, Table
from tlsinspect.report.findings import fix_blocks

SCHEMA = 1
MOST_MATCHES = 8
ENOUGH = 0.34  # of the words of a known line must stand in the line given
ALERT_NUMBER = re.compile(r"alert(?: number)?[ :=(]*([0-9]{1,3})\b", re.IGNORECASE)
WORD = re.compile(r"[a-z0-9_]{2,}")


# How to get a capture, and the way from what somebody sees to the causes that come into question.
HOW_TO_CAPTURE = (
    "Capture on the side that has the trouble, from before the connection begins, with whole packets: "
    "`tcpdump -i any -s 0 -w trace.pcap 'tcp port 443'`, or `tlsinspect capture -w trace.pcapng`. "
    "For TLS 1.3 add the keys of either side (`SSLKEYLOGFILE`, `--keylog`), or test with TLS 1.2. "
    "Where one client works and another does not, capture both, and begin with `tlsinspect diff`."
)
DECISIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Connection refused, or no connection at all",
        "show: a SYN and its answer",
        ("tcp-refused", "tcp-no-answer"),
    ),
    (
        "wrong version number, record layer failure, a page that speaks of plain HTTP",
        "explain: what the first octets of each side are",
        ("not-tls-server", "not-tls-client", "starttls-refused"),
    ),
    (
        "Time-out while the handshake is under way",
        "explain: who was silent, and whether large segments were repeated",
        ("hello-unanswered", "hello-split-dropped", "client-gave-up", "server-gave-up"),
    ),
    (
        "Connection reset or closed during the handshake, no alert",
        "explain: after which message, and by whom",
        ("hello-reset", "hello-closed", "server-gave-up", "client-gave-up"),
    ),
    (
        "unrecognized name (alert 112), 421, or the page of another host",
        "explain: the server name that was sent, and the certificate that came",
        ("sni-missing", "sni-unrecognized", "sni-mismatch", "default-certificate", "misdirected-request"),
    ),
    (
        "Works with curl, not with the proxy",
        "diff proxy.pcap curl.pcap",
        ("sni-missing", "client-cert-not-requested", "alpn-missing", "version-different", "fingerprint-different"),
    ),
    (
        "handshake failure (alert 40) right after the hello",
        "explain: what the client offered",
        ("version-no-overlap", "cipher-no-overlap", "group-no-overlap", "signature-no-overlap", "alert-other"),
    ),
    (
        "protocol version (alert 70), no application protocol (alert 120)",
        "explain: versions and protocols offered",
        ("version-no-overlap", "alpn-no-overlap", "fallback-detected"),
    ),
    (
        "The client does not trust the server: unknown ca, certificate expired, name does not match",
        "certs, explain --ca FILE",
        (
            "server-cert-untrusted",
            "server-cert-chain-incomplete",
            "server-cert-expired",
            "server-cert-name-mismatch",
            "server-cert-self-signed",
        ),
    ),
    (
        "certificate required (alert 116), 400 No required SSL certificate was sent",
        "explain: whether one was asked for, and what the client sent",
        ("client-cert-missing", "client-cert-not-requested", "sni-missing"),
    ),
    (
        "The server does not accept the client's certificate: 400, alerts 42 to 48 of the server",
        "certs, explain: issuer, validity, usage, intermediates",
        (
            "client-cert-untrusted",
            "client-cert-issuer-not-accepted",
            "client-cert-expired",
            "client-cert-unsuitable",
            "client-cert-chain-incomplete",
        ),
    ),
    (
        "Works at first and fails later, or the other way round; somebody else's identity",
        "sessions: which connection resumed which",
        (
            "session-resumed-other-identity",
            "session-resumed-other-name",
            "session-resumed",
            "connection-reused",
            "resumption-refused",
        ),
    ),
    (
        "403 or another refusal in HTTP after a good handshake",
        "with keys, explain: host and status beside the handshake",
        ("http-refused", "client-cert-missing", "sni-mismatch", "misdirected-request"),
    ),
)


def cause_page(cause: Cause) -> Report:
    """Everything about one cause."""
    return Report(title=cause.code, blocks=tuple(page_blocks(cause)), data=cause_object(cause))


def page_blocks(cause: Cause) -> Iterator[Block]:
    """The explanation, what logs say, the fixes and the sources."""
    yield Prose(f"{cause.title}.")
    yield Prose(f"Stage: {cause.stage.value}. Severity: {cause.severity.name.lower()}.", "faint")
    yield from markdown_blocks(cause.explanation)
    if cause.log_lines:
        rows = tuple((Cell(product), Cell(text)) for product, text in cause.log_lines)
        yield Table(("Product", "Its log or its user sees"), rows, title="Log lines")
    if cause.fixes:
        yield Prose("", heading="Fixes")
    yield from fix_blocks(cause.fixes)
    if cause.references:
        yield Prose("\n".join(f"- {reference}" for reference in cause.references), heading="References")


def markdown_blocks(text: str) -> Iterator[Block]:
    """Our own Markdown in parts: headings, code and paragraphs."""
    for section in re.split(r"(?m)^(?=## )", text.strip()):
        heading = ""
        if section.startswith("## "):
            heading, _, section = section.removeprefix("## ").partition("\n")
        parts = re.split(r"(?ms)^```([a-z]*)\n(.*?)^```$", section)
        for at in range(0, len(parts), 3):
            prose = parts[at].strip("\n")
            if prose.strip() or (heading and not at):
                yield Prose(prose, heading=heading if not at else "", markdown=True)
            if at + 2 < len(parts):
                yield Code(parts[at + 2].rstrip("\n"), parts[at + 1])


def cause_object(cause: Cause) -> dict[str, object]:
    """A cause for machines."""
    return {
        "schema": SCHEMA,
        "code": cause.code,
        "title": cause.title,
        "stage": cause.stage.value,
        "severity": cause.severity.name.lower(),
        "looks_at": list(cause.looks_at),
        "follows_from": list(cause.follows_from),
        "explanation": cause.explanation,
        "log_lines": [{"product": product, "text": text} for product, text in cause.log_lines],
        "fixes": [
            {
                "product": fix.product,
                "action": fix.action,
                "example": fix.example,
                "side": fix.side.value if fix.side else None,
            }
            for fix in cause.fixes
        ],
        "references": list(cause.references),
    }


def runbook_index(causes: Sequence[Cause]) -> Report:
    """All causes by stage, and the lines in logs that lead to them."""
    stages = dict.fromkeys(cause.stage for cause in causes)
    tables = tuple(
        Table(
            ("Cause", "What it is", "Severity"),
            tuple(
                (Cell(cause.code), Cell(cause.title), Cell(cause.severity.name.lower()))
                for cause in causes
                if cause.stage is stage
            ),
            title=f"Stage: {stage.value}",
        )
        for stage in stages
    )
    seen = sorted((text, product, cause.code) for cause in causes for product, text in cause.log_lines)
    symptoms = Table(
        ("Seen in a log or by a user", "Product", "Cause"),
        tuple((Cell(text), Cell(product), Cell(code)) for text, product, code in seen),
        title="By symptom",
    )
    hint = Prose(
        "`tlsinspect runbook CAUSE` shows a page. "
        "`tlsinspect runbook --log 'LINE'` finds the causes for a line of a log. "
        "The page docs/story.md walks through the whole nginx story with its captures.",
        markdown=True,
    )
    path = Table(
        ("What you see", "Capture, and look at", "Then likely one of"),
        tuple((Cell(symptom), Cell(look), Cell(", ".join(codes))) for symptom, look, codes in DECISIONS),
        title="From the symptom to the cause",
    )
    return Report(
        title="Troubleshooting runbook",
        blocks=(hint, Prose(HOW_TO_CAPTURE, markdown=True), path, *tables, *((symptoms,) if seen else ())),
        data={"schema": SCHEMA, "causes": [cause_object(cause) for cause in causes]},
        lines=tuple(cause_object(cause) for cause in causes),
    )


# -- from a line of a log -------------------------------------------------------------------------------------------


def log_report(line: str, causes: Sequence[Cause]) -> Report:
    """The causes whose known lines are most like the one given."""
    found = matches(line, causes)
    rows = tuple(
        (Cell(cause.code), Cell(cause.title), Cell(f"{product}: {text}"), Cell(f"{score:.0%}"))
        for score, cause, product, text in found
    )
    blocks: tuple[Block, ...] = (
        (Table(("Cause", "What it is", "Known line", "Likeness"), rows),)
        if rows
        else (Prose("No known line is like it. `tlsinspect runbook` lists all of them.", markdown=True),)
    )
    data = {
        "schema": SCHEMA,
        "line": line,
        "matches": [
            {"code": cause.code, "score": round(score, 3), "product": product, "text": text}
            for score, cause, product, text in found
        ],
    }
    return Report(title="Causes for that line", blocks=blocks, data=data)


def matches(line: str, causes: Sequence[Cause]) -> list[tuple[float, Cause, str, str]]:
    """Score, cause, product and known line, the likest first; one for each cause."""
    found = []
    for cause in causes:
        scored = [(likeness(text, line), cause, product, text) for product, text in cause.log_lines]
        best = max(scored, key=lambda each: each[0], default=None)
        if best is not None and best[0] >= ENOUGH:
            found.append(best)
    return sorted(found, key=lambda each: -each[0])[:MOST_MATCHES]


def likeness(known: str, line: str) -> float:
    """From 0 to 1: how much of a known line stands in the one given; a different alert number is none."""
    if known.lower() in line.lower():
        return 1.0
    ours, theirs = alert_numbers(known), alert_numbers(line)
    if ours and theirs and not ours & theirs:
        return 0.0
    words, given = set(WORD.findall(known.lower())), set(WORD.findall(line.lower()))
    shared = len(words & given) / len(words) if words else 0.0
    return min(0.99, shared + (0.3 if ours & theirs else 0.0))


def alert_numbers(text: str) -> set[int]:
    """The alerts that a line speaks of, by number or by name."""
    numbers = {int(number) for number in ALERT_NUMBER.findall(text)}
    names = set(WORD.findall(text.lower().replace(" ", "_")))
    return numbers | {code for code in registry.ALERTS if registry.ALERTS.name(code) in names}
