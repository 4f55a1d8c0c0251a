"""Reading DER as far as certificates need it, for octets that a strict library refuses as a whole.

ITU-T X.690; the structures are those of RFC 5280 section 4.1.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from tlsinspect.wire import Cursor, Malformed

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31
VERSION = 0xA0  # [0] EXPLICIT in TBSCertificate
EXTENSIONS = 0xA3  # [3] EXPLICIT

_STRINGS = {
    0x0C: "utf-8",  # UTF8String
    0x12: "ascii",  # NumericString
    0x13: "ascii",  # PrintableString
    0x14: "latin-1",  # TeletexString, as everybody uses it
    0x16: "ascii",  # IA5String
    0x1A: "ascii",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}

# RFC 4514 section 3, then descriptors that people know by name (RFC 4519, RFC 2985).
_ATTRIBUTES = {
    "2.5.4.3": "CN",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.6": "C",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
    "1.2.840.113549.1.9.1": "emailAddress",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.12": "title",
    "2.5.4.17": "postalCode",
    "2.5.4.42": "givenName",
    "2.5.4.97": "organizationIdentifier",
}
COMMON_NAME = "2.5.4.3"


class Element(NamedTuple):
    """One value with its tag and length."""

    tag: int
    content: bytes
    der: bytes


class Parts(NamedTuple):
    """What could be read of a certificate, in the order of TBSCertificate, and why no more."""

    elements: dict[str, Element]  # by the names of RFC 5280; only what was read
    problem: str | None


def read_element(octets: Cursor, name: str) -> Element:
    """The next element.  Raises Malformed, also for tags of more than one octet and indefinite lengths."""
    begin = octets.offset
    header = octets.take(2, f"tag and length of {name}")
    tag, length = header[0], header[1]
    if tag & 0x1F == 0x1F or length == 0x80 or length > 0x84:
        raise Malformed(f"{name} has tag 0x{tag:02x} and length octet 0x{length:02x}, which is not DER", begin)
    if length & 0x80:
        more = octets.take(length & 0x7F, f"length of {name}")
        header += more
        length = int.from_bytes(more, "big")
    content = octets.take(length, name)
    return Element(tag, content, header + content)


def expect(element: Element, tag: int, name: str) -> bytes:
    """The content of an element that must have that tag.  Raises Malformed."""
    if element.tag != tag:
        raise Malformed(f"{name} has tag 0x{element.tag:02x}, 0x{tag:02x} is expected", 0)
    return element.content


def certificate_parts(der: bytes) -> Parts:
    """The elements of a certificate, as many as can be read in order.  RFC 5280 section 4.1."""
    elements: dict[str, Element] = {}
    try:
        outer = Cursor(der)
        certificate = Cursor(expect(read_element(outer, "Certificate"), SEQUENCE, "Certificate"))
        tbs = Cursor(expect(read_element(certificate, "tbsCertificate"), SEQUENCE, "tbsCertificate"))
        first = read_element(tbs, "version or serialNumber")
        if first.tag == VERSION:
            elements["version"], first = first, read_element(tbs, "serialNumber")
        elements["serialNumber"] = first
        for name in ("signature", "issuer", "validity", "subject", "subjectPublicKeyInfo"):
            elements[name] = read_element(tbs, name)
            expect(elements[name], SEQUENCE, name)
        while len(tbs):  # issuerUniqueID and subjectUniqueID may precede the extensions
            last = read_element(tbs, "extensions")
            if last.tag == EXTENSIONS:
                elements["extensions"] = last
        outer.end("Certificate")
    except Malformed as error:
        return Parts(elements, str(error))
    return Parts(elements, None)


def integer(element: Element) -> int:
    """An INTEGER: two's complement, big-endian."""
    return int.from_bytes(element.content, "big", signed=True)


@lru_cache(maxsize=1024)
def object_identifier(content: bytes) -> str:
    """An OBJECT IDENTIFIER in dotted form.  X.690 section 8.19.  Raises Malformed."""
    if not content or content[-1] & 0x80 or len(content) > 64:
        raise Malformed(f"an object identifier of {len(content)} octets does not end", 0)
    arcs: list[int] = []
    arc = 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(number) for number in (first, arcs[0] - 40 * first, *arcs[1:]))


def algorithm(element: Element) -> str:
    """The dotted identifier of an AlgorithmIdentifier, or of the one at the start of a SubjectPublicKeyInfo."""
    inner = read_element(Cursor(element.content), "AlgorithmIdentifier")
    if inner.tag == SEQUENCE:
        inner = read_element(Cursor(inner.content), "algorithm")
    return object_identifier(expect(inner, OBJECT_IDENTIFIER, "algorithm"))


def time(element: Element) -> datetime:
    """A UTCTime or GeneralizedTime.  RFC 5280 section 4.1.2.5.  Raises ValueError."""
    digits = element.content.decode("ascii", "replace")
    if element.tag == UTC_TIME:
        digits = ("19" if digits[:2] >= "50" else "20") + digits
    elif element.tag != GENERALIZED_TIME:
        raise ValueError(f"a time has tag 0x{element.tag:02x}")
    # RFC 5280 asks for seconds and Z; older certificates leave out the one and have an offset for the other.
    zone = max(digits.rfind("+"), digits.rfind("-"))
    stamp = digits[:zone] if zone > 0 else digits.removesuffix("Z")
    stamp = stamp.partition(".")[0]
    moment = datetime.strptime(stamp.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    if zone < 0:
        return moment
    offset = timedelta(hours=int(digits[zone + 1 : zone + 3]), minutes=int(digits[zone + 3 : zone + 5]))
    return moment - offset if digits[zone] == "+" else moment + offset


@lru_cache(maxsize=4096)
def name_attributes(der: bytes) -> tuple[tuple[tuple[str, str], ...], ...]:
    """The attributes (dotted type, value) of each RelativeDistinguishedName, in the order sent.  Raises Malformed."""
    names = Cursor(expect(read_element(Cursor(der), "Name"), SEQUENCE, "Name"))
    rdns: list[tuple[tuple[str, str], ...]] = []
    while len(names):
        rdn = Cursor(expect(read_element(names, "RelativeDistinguishedName"), SET, "RelativeDistinguishedName"))
        attributes: list[tuple[str, str]] = []
        while len(rdn):
            pair = Cursor(expect(read_element(rdn, "AttributeTypeAndValue"), SEQUENCE, "AttributeTypeAndValue"))
            kind = object_identifier(expect(read_element(pair, "type"), OBJECT_IDENTIFIER, "type"))
            attributes.append((kind, _string(read_element(pair, "value"))))
        rdns.append(tuple(attributes))
    return tuple(rdns)


@lru_cache(maxsize=4096)
def name_text(der: bytes) -> str:
    """The text of a DER Name, last RDN first; what cannot be read is left in hexadecimal.  RFC 4514 section 2."""
    try:
        rdns = name_attributes(der)
    except Malformed:
        return f"#{der.hex()}"
    return ",".join(
        "+".join(f"{_ATTRIBUTES.get(kind, kind)}={_escaped(value)}" for kind, value in rdn) for rdn in reversed(rdns)
    )


def text(octets: bytes) -> str:
    """An IA5String that may hold anything."""
    return octets.decode("ascii", "backslashreplace")


def _string(element: Element) -> str:
    encoding = _STRINGS.get(element.tag)
    if encoding is None:
        return f"#{element.der.hex()}"
    return element.content.decode(encoding, "backslashreplace" if encoding in ("utf-8", "ascii") else "replace")


def _escaped(value: str) -> str:
    """RFC 4514 section 2.4."""
    if value.startswith("#") and all(digit in "0123456789abcdef" for digit in value[1:]) and len(value) > 1:
        return value
    escaped = "".join(
        "\\" + letter if letter in '"+,;<>\\' else "\\00" if letter == "\0" else letter for letter in value
    )
    if escaped[:1] in ("#", " "):
        escaped = "\\" + escaped
    return escaped[:-1] + "\\ " if len(value) > 1 and escaped.endswith(" ") else escaped
