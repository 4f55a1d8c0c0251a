"""`certs CAPTURE...`: the certificate chains of both sides."""

from __future__ import annotations

import base64
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from tlsinspect.diagnosis.rule import Case
from tlsinspect.fields import certificates
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import Certificate, CertificateMessage
from tlsinspect.report import words
from tlsinspect.report.blocks import Block, Cell, Prose, Report, Table
from tlsinspect.report.listing import counted, nothing_text
from tlsinspect.report.objects import Listed, Shown

COLUMNS = ("Side", "Place", "Subject", "Issuer", "Names", "Valid (UTC)", "Key", "Signature", "SHA-256")
KEEP = ("Side", "Place", "Subject", "Issuer", "Valid (UTC)", "Names")
UNSAFE_IN_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def chains(captures: Sequence[str], cases: Sequence[Case]) -> Report:
    """A table of certificates for each handshake that shows any; why not for the others."""
    blocks: list[Block] = [] if cases else [Prose(nothing_text(captures))]
    names = words.names_of(cases)
    for case in cases:
        handshake = case.handshake
        heading = (
            f"{words.handshake_text(handshake, names)}  {words.peers_text(handshake)}  {words.named_text(handshake)}"
        )
        blocks += [Prose("; ".join(absent_texts(case, names)), "faint", heading), *chain_tables(case)]
        blocks += [Prose(text, "warn") for text in defect_texts(case)]
    shown = tuple(map(Shown, cases))
    return Report(
        title=f"Certificates of {counted(len(cases), 'handshake')} in {', '.join(captures)}",
        blocks=tuple(blocks),
        data=Listed(tuple(captures), shown),
        lines=shown,
    )


def sides(handshake: Handshake) -> Iterator[tuple[Side, CertificateMessage | Missing]]:
    """Both chains."""
    yield Side.SERVER, handshake.server_certificates
    yield Side.CLIENT, handshake.client_certificates


def absent_texts(case: Case, names: Mapping[str, str]) -> Iterator[str]:
    """Why a side has no rows."""
    resumed = isinstance(case.handshake.resumption.accepted, str)
    for side, message in sides(case.handshake):
        name = side.value.capitalize()
        if message is Missing.NOT_SENT and resumed:
            yield f"{name}: not sent, as {words.resumed_text(case, names)} was resumed"
        elif message is Missing.HIDDEN:
            yield f"{name}: hidden ({words.encrypted_text(case.handshake)})"
        elif isinstance(message, Missing):
            yield f"{name}: {words.MISSING[message]}"
        elif not message.entries:
            yield f"{name}: an empty Certificate was sent"


def defect_texts(case: Case) -> Iterator[str]:
    """What is wrong with each certificate, as far as it departs from RFC 5280."""
    for side, message in sides(case.handshake):
        found = certificates(message)
        for place, certificate in enumerate(() if isinstance(found, Missing) else found):
            if certificate.defects:
                whose = "The leaf" if not place else f"Certificate {place}"
                yield f"{whose} of the {side.value}: {' '.join(certificate.defects)}"


def chain_tables(case: Case) -> Iterator[Table]:
    """The certificates of both sides in one table; nothing when there are none."""
    rows = []
    for side, message in sides(case.handshake):
        found = certificates(message)
        for place, certificate in enumerate(() if isinstance(found, Missing) else found):
            rows.append(row(side, place, certificate, case.at))
    if rows:
        yield Table(COLUMNS, tuple(rows), title="Certificates", keep=KEEP, firm=5)


def row(side: Side, place: int, certificate: Certificate, at: datetime) -> tuple[Cell, ...]:
    """The cells of one certificate; 0 is the leaf's place."""
    issuer = "itself (self-signed)" if certificate.self_signed else words.value_text(certificate.issuer)
    return (
        Cell(side.value),
        Cell("leaf" if not place else str(place)),
        Cell(words.value_text(certificate.subject)),
        Cell(issuer),
        Cell(words.elements_text(certificate.subject_alt_names, 20)),
        validity_cell(certificate, at),
        Cell(certificate.public_key),
        Cell(certificate.signature_algorithm),
        Cell(certificate.sha256, "faint"),
    )


def validity_cell(certificate: Certificate, at: datetime) -> Cell:
    """From when to when, and whether that was so at the time of the handshake."""
    start, end = certificate.not_before, certificate.not_after
    if start is None or end is None:
        return Cell("cannot be read", "warn")
    text = f"{start:%Y-%m-%d} to {end:%Y-%m-%d}"
    if at > end:
        return Cell(f"{text}, expired then", "bad")
    return Cell(f"{text}, not yet valid then", "bad") if at < start else Cell(text)


# -- as files -------------------------------------------------------------------------------------------------------


def pem_files(cases: Sequence[Case]) -> Iterator[tuple[str, str]]:
    """A file name and the PEM text of every certificate; the names are safe whatever the capture is called."""
    names = words.names_of(cases)
    for case in cases:
        capture = UNSAFE_IN_FILE_NAME.sub("_", words.capture_text(case.handshake, names)).lstrip(".-") or "capture"
        stream = words.stream_text(case.handshake).replace(":", "").replace(".", "_")
        for side, message in sides(case.handshake):
            for place, entry in enumerate(() if isinstance(message, Missing) else message.entries):
                yield f"{capture[:80]}-{stream}-{side.value}-{place}.pem", pem_text(entry.der)


def pem_text(der: bytes) -> str:
    """A certificate in its textual encoding.  RFC 7468 section 5."""
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode("ascii"), 64))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
