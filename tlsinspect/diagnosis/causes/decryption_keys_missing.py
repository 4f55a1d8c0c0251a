"""The messages that would tell the cause are encrypted, and no keys were given.

## What happened

In TLS 1.3 all after the ServerHello is encrypted: certificates, the request for a client certificate, and most alerts.
Such a handshake ended badly, and what shows without keys (sizes, places, who closed) fits several causes. This finding
is a limit; it stands beside a likely cause where there is one.

## On the wire

TLS 1.3: records of type application_data(23) after the ServerHello. A record of 19 octets (35 with Java) instead of the
Finished, or right after the client's flight, is an alert. Alerts of OpenSSL clients about the server's certificate are
in clear even then. TLS 1.2: all of the handshake is in clear.

## How to confirm

Log the keys on either side (`SSLKEYLOGFILE`) and give them with `--keylog FILE`, or try once with TLS 1.2. One side is
enough, and it need not be the one that refused. Programs that use OpenSSL and have no key log of their own, such as
nginx, take one from a preloaded library that sets SSL_CTX_set_keylog_callback, or from OpenSSL itself where that is 3.5
or later and was built with `enable-sslkeylog`: RHEL 10 builds it so, Debian 13 does not, and
`strings libssl.so.3 | grep SSLKEYLOGFILE` tells. The directives ssl_key_log and proxy_ssl_key_log are in NGINX Plus
alone; nginx takes them for unknown. A debugging proxy in between does as well: mitmproxy logs the secrets of TLS 1.3,
sslsplit 0.5 those of TLS 1.2 alone. A connection whose ClientHello is not in the capture stays hidden in any case, as
the secrets are found by its random.

## What it is not

A cause.
"""

from __future__ import annotations

from tlsinspect.comparison import compare as differences
from tlsinspect.diagnosis.facts import (
    alert_octets,
    at_frame,
    completed,
    encrypted_records,
    failed,
    fatal_alert,
    hidden,
    hidden_refusal,
    label,
    left_text,
    quoted,
    resumed,
    waited,
)
from tlsinspect.diagnosis.hidden import ClientFlight, client_flight
from tlsinspect.diagnosis.hidden_server import asked, chain_fits, observations
from tlsinspect.diagnosis.pairs import on_one_side
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.diagnosis.watch_fixes import LOG_KEYS, TRY_TLS12
from tlsinspect.fields import certificates
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Handshake

HIDDEN_PARTS = ("server_certificates", "certificate_request", "client_certificates")


def check(case: Case) -> Finding | None:
    """A handshake without keys ended badly after the ServerHello."""
    handshake = case.handshake
    if not hidden(handshake) or fatal_alert(handshake) is not None:
        return None
    side = hidden_refusal(handshake)
    if side is None and not failed(handshake):
        return left_without_request(handshake)
    return Finding(
        # That records are encrypted is shown; what the size of one means is not, as data can be as short as an alert.
        certainty=Certainty.SHOWN if side is None else Certainty.LIKELY,
        explanation=(
            f"{story(handshake, side)} What it was about is encrypted, and no keys were given.{observations(handshake)}"
        ),
        evidence=("server_hello.version", *HIDDEN_PARTS, "outcome"),
    )


# By whether the server likely asked for a client certificate.
REFUSED_AFTER_FLIGHT = {
    True: "it refused something, most often the client certificate or the lack of one",
    False: (
        "as it had likely asked for no client certificate, it refused something else, such as a request in another "
        "application protocol than the one that was agreed, or just closed"
    ),
    None: "it refused something, most often the client certificate or the lack of one, or just closed",
}


def story(handshake: Handshake, side: Side | None) -> str:
    """What shows of the end without keys."""
    if side is not None:
        alerts = alert_octets(handshake)
        octets = next(each for each in encrypted_records(handshake, side) if each in alerts)
        other = encrypted_records(handshake, side.other)
        if side is Side.CLIENT:
            return (
                f"The client answered the server's flight with one record of {octets} octets, the size of an alert, "
                "instead of its Finished: it refused something, most often the server's certificate."
            )
        if other:
            return (
                f"The server answered the client's flight with a record of {octets} octets, the size of an alert: "
                f"{REFUSED_AFTER_FLIGHT[asked(handshake)]}."
            )
        return (
            f"The server sent one record of {octets} octets, the size of an alert, right after its ServerHello: it "
            "refused something in the offer, such as the application protocols or signature algorithms."
        )
    ending = handshake.ending
    if ending is None or ending.side is None:
        return "The handshake stopped after the ServerHello."
    word = left_text(ending)
    return (
        f"The {ending.side.value} {word} the connection{at_frame(ending.frame)}, "
        f"{waited(handshake.started_ns, ending.time_ns)} after it began, when the ServerHello had passed."
    )


def left_without_request(handshake: Handshake) -> Finding | None:
    """The client finished and went away, as those do that check the server's certificate only then."""
    flight = client_flight(handshake)
    marks = sorted((*handshake.tcp.fins, *handshake.tcp.resets), key=lambda mark: mark.time_ns)
    if flight is None or flight.kind is ClientFlight.CERTIFICATE or not marks or marks[0].side is not Side.CLIENT:
        return None
    rest = encrypted_records(handshake, Side.CLIENT)[len(flight.sizes) :]
    if not alert_octets(handshake).issuperset(rest):
        return None
    return Finding(
        certainty=Certainty.LIKELY,
        severity=Severity.WARNING,
        explanation=(
            f"By the sizes of its records the client sent its Finished and nothing but a closure after it, and closed "
            f"the connection{at_frame(marks[0].frame)}. Clients that check the server's certificate after the "
            "handshake do so to refuse it (GnuTLS programs, curl the name, nginx everything); one that only connects "
            "looks the same. The certificate is encrypted, and no keys were given."
        ),
        evidence=("server_hello.version", "server_certificates", "outcome"),
    )


def compare(left: Case, right: Case) -> Finding | None:
    """One ended badly behind encryption, or both look alike and what could differ is encrypted."""
    found = on_one_side(check)(left, right)
    if found is not None:
        return found
    ours, theirs = left.handshake, right.handshake
    for side, dark, clear in (("left", ours, theirs), ("right", theirs, ours)):
        if hidden(dark) and not hidden(clear):
            return of_chain(side, dark, clear)
    if not (hidden(ours) and hidden(theirs) and completed(ours) and completed(theirs)):
        return None
    if resumed(ours) != resumed(theirs):
        return None
    seen = [each.field.title.lower() for each in differences(ours, theirs) if each.meaningful]
    alike = f"differ in {', '.join(seen)} alone" if seen else "look alike in all that can be seen"
    return Finding(
        certainty=Certainty.SHOWN,
        severity=Severity.INFO if seen else Severity.WARNING,
        explanation=(
            f"{label(ours)} and {label(theirs)} {alike}. Both completed with TLS 1.3, where the certificates of both "
            "sides are encrypted, and no keys were given: they may differ there."
        ),
        evidence=HIDDEN_PARTS,
        side="both",
    )


def of_chain(side: str, unseen: Handshake, seen: Handshake) -> Finding | None:
    """Whether the server showed both the same chain, as far as the length of the encrypted one tells."""
    chain = certificates(seen.server_certificates)
    if isinstance(chain, Missing) or not chain:
        return None
    fits = chain_fits(unseen, chain)
    if fits is None:
        return None
    more = f" and {len(chain) - 1} more" if len(chain) > 1 else ""
    told = "fits" if fits else "does not fit"
    return Finding(
        certainty=Certainty.LIKELY,
        severity=Severity.INFO if fits else Severity.WARNING,
        side=side,
        explanation=(
            f"The server's certificates are encrypted in {label(unseen)}, and no keys were given. The length of their "
            f"record {told} the chain that the server sent in {label(seen)} ({quoted(chain[0].subject)}{more}): likely "
            f"it is {'the same, or one of the same length' if fits else 'another one'}."
        ),
        evidence=("server_certificates",),
    )


CAUSE = Cause(
    code="decryption-keys-missing",
    title="The deciding messages are encrypted, and no keys were given",
    stage=Stage.CAPTURE,
    severity=Severity.ERROR,
    looks_at=("server_hello.version", *HIDDEN_PARTS),
    check=check,
    compare=compare,
    follows_from=(),
    fixes=(
        Fix("tlsinspect", "Give the keys.", "tlsinspect explain CAPTURE --keylog keys.log"),
        *LOG_KEYS,
        *TRY_TLS12,
    ),
    log_lines=(),
    references=("RFC 8446 section 2", "RFC 8446 section 5.2", "RFC 9850 section 1"),
    explanation=__doc__,
)
