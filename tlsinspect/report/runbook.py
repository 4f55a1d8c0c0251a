"""`runbook [CAUSE]`: the troubleshooting runbook, one page per cause, and its index by symptom."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from tlsinspect.diagnosis.rule import Cause
from tlsinspect.model.frame import Side
from tlsinspect.report.blocks import Block, Cell, Code, Prose, Report, Table
from tlsinspect.report.findings import fix_blocks
from tlsinspect.report.log_search import matches
from tlsinspect.report.symptoms import alert_table

SCHEMA = 1
SO_MUCH_ALIKE = 0.05  # what the scores of lines differ by that say the same
NOT_BY_ITSELF = (
    "More than one cause leaves that line. A capture tells them apart: `tlsinspect explain CAPTURE`, or "
    "`tlsinspect diff` with one that works."
)


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
        (
            "sni-missing",
            "sni-unrecognized",
            "sni-mismatch",
            "sni-invalid",
            "default-certificate",
            "misdirected-request",
            "ech-retry",
        ),
    ),
    (
        "Works with curl, not with the proxy",
        "diff proxy.pcap curl.pcap",
        (
            "sni-missing",
            "client-cert-not-requested",
            "client-cert-different",
            "alpn-missing",
            "alpn-different",
            "version-different",
            "cipher-different",
            "fingerprint-different",
        ),
    ),
    (
        "handshake failure (alert 40) right after the hello",
        "explain: what the client offered",
        ("cipher-no-overlap", "version-no-overlap", "group-no-overlap", "signature-no-overlap", "alert-other"),
    ),
    (
        "protocol version (alert 70), no application protocol (alert 120)",
        "explain: versions and protocols offered",
        ("version-no-overlap", "alpn-no-overlap", "fallback-detected"),
    ),
    (
        "missing extension (alert 109), illegal parameter (47), decode error (50), unsupported extension (110)",
        "explain: the extensions of the hello; show: what could not be decoded",
        ("extension-missing", "extension-refused", "sni-invalid", "hello-retry"),
    ),
    (
        "unsafe legacy renegotiation disabled, no renegotiation",
        "explain: renegotiation_info in the hellos",
        ("renegotiation-legacy",),
    ),
    (
        "The client does not trust the server: unknown ca, certificate expired, name does not match",
        "certs, explain --ca FILE",
        (
            "server-cert-untrusted",
            "server-cert-name-mismatch",
            "server-cert-chain-incomplete",
            "server-cert-self-signed",
            "server-cert-expired",
            "server-cert-not-yet-valid",
            "server-cert-revoked",
            "server-cert-weak",
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
            "client-cert-revoked",
        ),
    ),
    (
        "handshake failure (alert 40) after the server's certificate",
        "explain: whether a client certificate was asked for, and what the client sent",
        ("client-cert-missing", "client-cert-issuer-not-accepted"),
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
    (
        "explain says that the capture does not show enough",
        "capture again: both directions, whole packets, from before the connection; with keys",
        ("capture-incomplete", "decryption-keys-missing"),
    ),
)


# What stands first in the row of its symptom is the likeliest, whichever row that is.
LIKELIEST_FIRST = tuple(
    dict.fromkeys(code for each in zip_longest(*(codes for *_, codes in DECISIONS)) for code in each if code)
)

HEADINGS_OF_FIXES = {
    Side.CLIENT: "Fixes on the client",
    Side.SERVER: "Fixes on the server",
    None: "Fixes for either side, and between them",
}


def cause_page(cause: Cause) -> Report:
    """Everything about one cause."""
    return Report(title=cause.code, blocks=tuple(page_blocks(cause)), data=cause_object(cause))


def page_blocks(cause: Cause) -> Iterator[Block]:
    """The explanation, what logs say, the fixes and the sources."""
    yield Prose(f"{cause.title}.")
    yield Prose(f"Stage: {cause.stage.value}. Severity: {cause.severity.name.lower()}.", "faint")
    yield from markdown_blocks(cause.explanation)
    yield from log_line_blocks(cause)
    for side in dict.fromkeys(fix.side for fix in cause.fixes):
        yield Prose("", heading=HEADINGS_OF_FIXES[side])
        yield from fix_blocks([fix for fix in cause.fixes if fix.side is side])
    if cause.references:
        yield Prose("\n".join(f"- {reference}" for reference in cause.references), heading="References")


def log_line_blocks(cause: Cause) -> Iterator[Block]:
    """What each product logs or shows, word for word; words in capitals stand for what differs."""
    lines: dict[str, dict[str, None]] = {}
    for product, text in cause.log_lines:
        lines.setdefault(product, {})[text] = None
    if lines:
        yield Prose("Words in capitals stand for what differs from line to line.", "faint", heading="Log lines")
    for product, texts in lines.items():
        yield Prose(f"{product}:", "good")
        yield Code("\n".join(texts))


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
    """The way from a symptom or an alert to the causes, and all causes by stage."""
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
    hint = Prose(
        "`tlsinspect runbook CAUSE` shows a page. "
        "`tlsinspect runbook --log 'LINE'` finds the causes for a line of a log. "
        "docs/story.md walks through the whole nginx story with its captures; "
        "docs/runbook/log-lines.md lists what logs say.",
        markdown=True,
    )
    path = Table(
        ("What you see", "Capture, and look at", "Then likely one of"),
        tuple((Cell(symptom), Cell(look), Cell(", ".join(codes))) for symptom, look, codes in DECISIONS),
        title="From the symptom to the cause",
    )
    return Report(
        title="Troubleshooting runbook",
        blocks=(hint, Prose(HOW_TO_CAPTURE, markdown=True), path, alert_table(causes, LIKELIEST_FIRST), *tables),
        data={"schema": SCHEMA, "causes": [cause_object(cause) for cause in causes]},
        lines=tuple(cause_object(cause) for cause in causes),
    )


# -- from a line of a log -------------------------------------------------------------------------------------------


def log_report(line: str, causes: Sequence[Cause]) -> Report:
    """The causes whose known lines are most like the one given."""
    found = matches(line, causes, LIKELIEST_FIRST)
    rows = tuple(
        (Cell(each.cause.code), Cell(each.cause.title), Cell(f"{each.product}: {each.text}"), Cell(f"{each.score:.0%}"))
        for each in found
    )
    alike = sum(each.score > found[0].score - SO_MUCH_ALIKE for each in found) if found else 0
    blocks: tuple[Block, ...] = (
        (Table(("Cause", "What it is", "Known line", "Likeness"), rows),)
        if rows
        else (Prose("No known line is like it. `tlsinspect runbook` lists all of them.", markdown=True),)
    )
    if alike > 1:
        blocks = (*blocks, Prose(NOT_BY_ITSELF, markdown=True))
    data = {
        "schema": SCHEMA,
        "line": line,
        "matches": [
            {"code": each.cause.code, "score": round(each.score, 3), "product": each.product, "text": each.text}
            for each in found
        ],
    }
    return Report(title="Causes for that line", blocks=blocks, data=data)
