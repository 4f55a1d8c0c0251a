"""The capture lacks what would tell the cause: it was cut, begins late, or shows one direction only.

## What happened

The frames were captured with a snap length, the capture began after the connection or ended before it, packets were
lost by the capturing machine, or only one direction passed the place of capture (asymmetric routing, a mirror port for
one direction). What is missing may have been sent: nothing is said about it.

## On the wire

Frames with fewer octets captured than there were, a ServerHello without a ClientHello, an acknowledgement of octets
that are not there, no SYN. TLS 1.2 and TLS 1.3 suffer alike; short things such as alerts survive a snap length.

## How to confirm

Capture anew: `tcpdump -s 0 -i any -w FILE host ADDRESS`, begun before the connection, at an end of it.

## What it is not

Something about the server or the client.
"""

from __future__ import annotations

from tlsinspect.diagnosis.facts import completed, failed, hello_of
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import EndingKind, Handshake, Outcome
from tlsinspect.model.message import Gap, UndecodedMessage


def check(case: Case) -> Finding | None:
    """What is missing, where the cause would have to be read from it."""
    handshake = case.handshake
    lacks = [] if completed(handshake) else missing_parts(handshake)
    if not lacks:
        return None
    grave = failed(handshake) and (hello_of(handshake) is None or hello_lost(handshake))
    return Finding(
        certainty=Certainty.SHOWN,
        severity=None if grave else Severity.WARNING,
        explanation=f"{sentence(lacks)} Why the handshake ended so may stand in what is missing.",
        evidence=("client_hello.cipher_suites", "outcome"),
    )


def missing_parts(handshake: Handshake) -> list[str]:
    """What is not in the capture, a clause each."""
    found = []
    tcp = handshake.tcp
    if cut := cut_frames(handshake):
        found.append(f"frames were cut ({cut})")
    if handshake.transport == "tcp" and tcp.server_octets and not tcp.client_octets:
        found.append("only the server's direction was captured")
    elif handshake.transport == "tcp" and tcp.client_octets and not server_seen(handshake):
        found.append("only the client's direction was captured")
    elif tcp.syn is None and tcp.syn_ack is None and hello_of(handshake) is None and handshake.transport == "tcp":
        found.append("the beginning of the connection was not captured")
    if any(isinstance(event.message, Gap) for event in handshake.events):
        octets = sum(event.message.octets for event in handshake.events if isinstance(event.message, Gap))
        found.append(f"{octets} octets of the stream were not captured")
    ending = handshake.ending
    if handshake.outcome is Outcome.CUT and (ending is None or ending.kind is EndingKind.CAPTURE_END):
        found.append("the capture ends before the handshake does")
    return found


def cut_frames(handshake: Handshake) -> str:
    """How the first cut message shows, empty when none was cut."""
    for event in handshake.events:
        message = event.message
        if isinstance(message, UndecodedMessage):
            return message.defect.problem
    for defect in handshake.defects:
        if "captured" in defect.problem or "cut" in defect.problem:
            return defect.problem
    return ""


def hello_lost(handshake: Handshake) -> bool:
    """Whether the offer was sent and cannot be read to its end."""
    hello = hello_of(handshake)
    return hello is None or hello.defect is not None


def server_seen(handshake: Handshake) -> bool:
    """Whether any packet of the server is in the capture."""
    tcp = handshake.tcp
    marks = (*tcp.resets, *tcp.fins)
    return bool(tcp.server_octets or tcp.syn_ack or tcp.server_ttl or any(mark.side is Side.SERVER for mark in marks))


def sentence(parts: list[str]) -> str:
    """Clauses as one sentence."""
    text = ", and ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


CAUSE = Cause(
    code="capture-incomplete",
    title="The capture lacks what would tell the cause",
    stage=Stage.CAPTURE,
    severity=Severity.ERROR,
    looks_at=("client_hello.cipher_suites", "outcome"),
    check=check,
    compare=on_one_side(check),
    follows_from=(),
    fixes=(
        Fix("tcpdump", "Capture whole frames, from before the connection.", "tcpdump -i any -s 0 -w FILE host ADDRESS"),
        Fix("tshark", "Capture whole frames.", "tshark -i any -s 0 -w FILE -f 'host ADDRESS'"),
        Fix("tlsinspect", "Capture with it.", "tlsinspect capture -i any -w FILE"),
        Fix("kubectl", "Capture inside the pod.", "kubectl debug POD --image=IMAGE -- tcpdump -s 0 -U -w - > FILE"),
        Fix("any switch", "Mirror both directions of the port."),
    ),
    log_lines=(
        ("tcpdump", "packets dropped by kernel"),
        ("Wireshark", "Packet size limited during capture"),
        ("Wireshark", "TCP Previous segment not captured"),
        ("Wireshark", "TCP ACKed unseen segment"),
    ),
    references=("RFC 9293 section 3.4",),
    explanation=__doc__,
)
