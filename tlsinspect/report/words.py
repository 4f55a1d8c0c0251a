"""Values as people read them: the words that every view uses for the same thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from types import MappingProxyType

from tlsinspect import fields, registry
from tlsinspect.diagnosis.rule import Case, Certainty, Severity
from tlsinspect.fields import certificates
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake, Outcome
from tlsinspect.model.message import Alert, Certificate, CertificateMessage, CertificateRequest, ServerHello
from tlsinspect.report.blocks import Cell

NO_NAMES: Mapping[str, str] = MappingProxyType({})
MOST_CHARACTERS = 120  # of one value in a table; JSON has all of it
MOST_ELEMENTS = 80  # of one list in a table

MISSING = {
    Missing.NOT_SENT: "not sent",
    Missing.HIDDEN: "hidden (encrypted)",
    Missing.LOST: "not in the capture",
    Missing.MALFORMED: "sent, but malformed",
}
TONE_OF_MISSING = {
    Missing.NOT_SENT: "plain",
    Missing.HIDDEN: "faint",
    Missing.LOST: "warn",
    Missing.MALFORMED: "warn",
}
CERTAINTY = {
    Certainty.STATED: "stated by the peer",
    Certainty.SHOWN: "shown by the octets",
    Certainty.LIKELY: "likely",
}
TONE_OF_SEVERITY = {Severity.ERROR: "bad", Severity.WARNING: "warn", Severity.INFO: "plain"}
TONE_OF_OUTCOME = {
    Outcome.COMPLETED: "good",
    Outcome.CUT: "warn",
    Outcome.NEVER_TLS: "warn",
}
HOW_RESUMED = {"session_id": "session ID", "session_ticket": "ticket", "psk": "PSK"}


def shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    """The text itself, or its beginning and an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def value_text(value: object) -> str:
    """A value of the catalogue in a cell."""
    match value:
        case Missing():
            return MISSING[value]
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case str():
            return shortened(value) if value else "empty"
        case tuple() | list():
            return elements_text(tuple(value))
        case dict():
            return object_text(value)
        case _:
            return str(value)


def elements_text(values: tuple[object, ...], most: int = MOST_ELEMENTS) -> str:
    """A list in a cell, such as "h2, http/1.1"."""
    if not values:
        return "none"
    shown = ", ".join(value_text(each) for each in values[:most])
    return shown if len(values) <= most else f"{shown} and {len(values) - most} more"


def object_text(value: dict[str, object]) -> str:
    """A certificate or an alert in a cell."""
    if "subject" in value:
        return value_text(value["subject"])
    if "description" in value:
        return f"{value['description']}({value['code']}) {value['level']} from the {value['from']}"
    return ", ".join(f"{key} {value_text(each)}" for key, each in value.items())


def value_cell(value: object) -> Cell:
    """A value of the catalogue as a cell."""
    return Cell(value_text(value), TONE_OF_MISSING[value] if isinstance(value, Missing) else "plain")


# -- which handshake ------------------------------------------------------------------------------------------------


def stream_text(handshake: Handshake) -> str:
    """The number that picks the handshake after a '#', such as "3", "3.2" or "udp:0"."""
    number = str(handshake.stream) if handshake.transport == "tcp" else f"{handshake.transport}:{handshake.stream}"
    return f"{number}.{handshake.part}" if handshake.parts > 1 or handshake.part > 1 else number


def short_name(capture: str, parts: int = 1) -> str:
    """The last parts of a capture's path, its name if there is but one; standard input by name."""
    return "standard input" if capture == "-" else "/".join(PurePath(capture).parts[-parts:]) or capture


def short_names(captures: Iterable[str]) -> dict[str, str]:
    """A name for each capture: without folders, or with as many of the last ones as tell all of them apart."""
    names = set(captures)
    deepest = max((len(PurePath(name).parts) for name in names), default=1)
    for parts in range(1, deepest + 1):
        short = {name: short_name(name, parts) for name in names}
        if len(set(short.values())) == len(names):
            return short
    return {name: name for name in names}


def names_of(cases: Iterable[Case]) -> dict[str, str]:
    """Short names of the captures of all these handshakes, and of those whose sessions they resumed."""
    captures = set[str]()
    for case in cases:
        captures.add(case.handshake.capture)
        if case.origin is not None:
            captures.update((case.origin.handshake.capture, case.origin.first.capture))
    return short_names(captures)


def encrypted_text(handshake: Handshake) -> str:
    """Why what is encrypted was not opened, and what would help, such as "encrypted: add --keylog FILE"."""
    if any(defect.where == "keylog" for defect in handshake.defects):
        return "encrypted: the secrets given do not open it"
    if not handshake.client_hellos:
        return "encrypted: without the ClientHello, by whose random they are found, no secrets open it"
    return "encrypted: add --keylog FILE"


def capture_text(handshake: Handshake, names: Mapping[str, str] = NO_NAMES) -> str:
    """The capture of a handshake by its short name."""
    return names.get(handshake.capture) or short_name(handshake.capture)


def handshake_text(handshake: Handshake, names: Mapping[str, str] = NO_NAMES) -> str:
    """Such as "nginx.pcap#3"."""
    return f"{capture_text(handshake, names)}#{stream_text(handshake)}"


def peers_text(handshake: Handshake) -> str:
    """Such as "10.0.0.1:40312 → 10.0.0.2:443"."""
    return f"{handshake.client} → {handshake.server}"


def server_name(handshake: Handshake) -> object:
    """The name that the client asked for, or why there is none."""
    return fields.read(handshake, "client_hello.server_name")


def named_text(handshake: Handshake) -> str:
    """The name in a sentence or heading."""
    name = server_name(handshake)
    return "no server name" if name is Missing.NOT_SENT else value_text(name)


def server_name_cell(handshake: Handshake) -> Cell:
    """The name that the client asked for."""
    return value_cell(server_name(handshake))


# -- when -----------------------------------------------------------------------------------------------------------


def time_text(time_ns: int) -> str:
    """Such as "2026-11-23 09:00:00.123"; UTC."""
    return (
        datetime.fromtimestamp(time_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S") + f".{time_ns // 10**6 % 1000:03}"
    )


def clock_text(time_ns: int) -> str:
    """The time of day, such as "09:00:00.123"; UTC."""
    return time_text(time_ns)[11:]


def duration_text(duration_ns: int) -> str:
    """Such as "4.2 ms" or "12 s"."""
    if duration_ns < 10**6:
        return f"{duration_ns / 10**3:.0f} µs"
    if duration_ns < 10**9:
        return f"{duration_ns / 10**6:.1f} ms"
    return f"{duration_ns / 10**9:.1f} s"


# -- how it ended ---------------------------------------------------------------------------------------------------


def alert_name(alert: Alert) -> str:
    """Such as "unrecognized_name(112)"."""
    return f"{registry.ALERTS.name(alert.description)}({alert.description})"


def outcome_text(handshake: Handshake) -> str:
    """Such as "rejected by the server: unrecognized_name(112)"."""
    ending = handshake.ending
    word = "never TLS" if handshake.outcome is Outcome.NEVER_TLS else handshake.outcome.value
    if handshake.outcome is Outcome.CUT:
        return "cut: the capture ends first"
    if handshake.outcome is Outcome.STALLED:
        return "stalled: no answer"
    if handshake.outcome is Outcome.COMPLETED or ending is None or ending.side is None:
        return word
    if ending.alert is not None:
        return f"{word} by the {ending.side.value}: {alert_name(ending.alert)}"
    return f"{word} by the {ending.side.value}"


def outcome_cell(handshake: Handshake) -> Cell:
    """The outcome as a cell."""
    fatal = next((seen for seen in handshake.alerts if seen.alert.level == 2 and seen.alert.description), None)
    if handshake.outcome is Outcome.COMPLETED and fatal is not None:
        return Cell(f"completed, then the {fatal.side.value} sent {alert_name(fatal.alert)}", "bad")
    return Cell(outcome_text(handshake), TONE_OF_OUTCOME.get(handshake.outcome, "bad"))


# -- who is who -----------------------------------------------------------------------------------------------------


def leaf(message: CertificateMessage | Missing) -> Certificate | Missing | None:
    """The first certificate of a chain; None when the message was sent empty."""
    chain = certificates(message)
    return chain if isinstance(chain, Missing) else chain[0] if chain else None


def identity(certificate: Certificate) -> str:
    """What people call a certificate: its common name, else its first alternative name, else its subject."""
    name = certificate.subject_common_name
    if name:
        return shortened(f"CN={name}")
    return shortened((*certificate.subject_alt_names, certificate.subject or "a certificate without a name")[0])


def identity_or_missing(certificate: Certificate | Missing) -> str:
    """What people call a certificate, or why it is not seen."""
    return identity(certificate) if isinstance(certificate, Certificate) else MISSING[certificate]


def server_certificate_cell(handshake: Handshake) -> Cell:
    """The certificate of the server, in one cell."""
    if isinstance(handshake.resumption.accepted, str):
        return Cell("resumed session", "faint")
    certificate = leaf(handshake.server_certificates)
    if isinstance(certificate, Certificate):
        return Cell(identity(certificate))
    return Cell("none sent", "warn") if certificate is None else value_cell(certificate)


def client_authentication_cell(handshake: Handshake) -> Cell:
    """Whether a client certificate was asked for, and what was sent."""
    request, sent = handshake.certificate_request, leaf(handshake.client_certificates)
    if isinstance(handshake.resumption.accepted, str) and not isinstance(sent, Certificate):
        return Cell("resumed session", "faint")
    if isinstance(sent, Certificate):
        asked = "requested, " if isinstance(request, CertificateRequest) else ""
        return Cell(f"{asked}sent {identity(sent)}")
    if isinstance(request, CertificateRequest):
        word = "none sent" if sent is None or sent is Missing.NOT_SENT else MISSING[sent]
        return Cell(f"requested, {word}", "warn")
    if request is Missing.NOT_SENT:
        answered = isinstance(handshake.server_hello, ServerHello)
        return Cell("not requested") if answered else Cell("—", "faint")
    return value_cell(request)


def session_cell(case: Case, names: Mapping[str, str] = NO_NAMES) -> Cell:
    """Whether the session is new, or which one was resumed."""
    accepted = case.handshake.resumption.accepted
    if isinstance(accepted, Missing):
        return Cell("—", "faint") if accepted is Missing.NOT_SENT else value_cell(accepted)
    if accepted is None:
        answered = isinstance(case.handshake.server_hello, ServerHello)
        return Cell("new") if answered else Cell("—", "faint")
    how = HOW_RESUMED.get(accepted, accepted)
    if case.origin is None:
        return Cell(f"resumed ({how})")
    source = origin_text(case.handshake, case.origin.handshake, names).removeprefix("stream ")
    return Cell(f"resumed from {source} ({how})")


def resumed_text(case: Case, names: Mapping[str, str] = NO_NAMES) -> str:
    """The session that was resumed, in a sentence."""
    if case.origin is None:
        return "a session that began outside the capture"
    return f"the session of {origin_text(case.handshake, case.origin.handshake, names)}"


def origin_text(handshake: Handshake, source: Handshake, names: Mapping[str, str] = NO_NAMES) -> str:
    """The handshake that a session came from; with its capture when that is another one."""
    here = source.capture == handshake.capture
    return f"stream {stream_text(source)}" if here else handshake_text(source, names)


def version_cell(handshake: Handshake) -> Cell:
    """The version negotiated, such as "TLS 1.3"; for QUIC with its name."""
    hello = handshake.server_hello
    if isinstance(hello, Missing):
        return Cell("—", "faint") if hello is Missing.NOT_SENT else value_cell(hello)
    name = registry.version_name(hello.version)
    return Cell(f"QUIC, {name}" if handshake.protocol == "quic" else name)
