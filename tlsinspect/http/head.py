"""What is kept of a request or response, and what is looked for in the content of an error."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_TEXT = 300  # characters of a host or a path
MOST_CONTENT = 1024  # octets of the content of an error that are looked at

# What servers write when they refuse the client's certificate, or the host, in HTTP.
KNOWN_TEXTS = (
    "No required SSL certificate was sent",  # nginx
    "The SSL certificate error",  # nginx
    "does not match the Server Name Indication (SNI) in use for this connection",  # Apache, 421
    "Hostname provided via SNI",  # Apache, 400 and 421
)
# Else the line of the content that speaks of a certificate, without markup.
CERTIFICATE = re.compile(r"\bcertificate\b", re.IGNORECASE)
NOT_OF_TEXT = re.compile(r"[<>{}\"\r\n]")
MOST_AROUND = 80  # characters


@dataclass(slots=True)
class Head:
    """One request (with a method) or response (with a status)."""

    version: str  # "HTTP/1.1", "HTTP/2"
    frame: int
    stream: int = 0  # of HTTP/2
    method: str = ""
    host: str = ""  # Host or :authority, with its port
    path: str = ""  # without query
    status: int = 0
    said: str = ""  # what the content of an error says of certificates or names


@dataclass(slots=True)
class Content:
    """The beginning of the content of an error.  Owned by the direction, until it is long enough."""

    head: Head
    octets: bytes = b""

    def look(self, octets: bytes) -> bool:
        """Takes the next octets; whether more are wanted."""
        self.octets = (self.octets + octets)[:MOST_CONTENT]
        text = self.octets.decode("latin-1")
        known = next((known for known in KNOWN_TEXTS if known in text), "")
        self.head.said = known or about_certificates(text)
        return not known and len(self.octets) < MOST_CONTENT


def about_certificates(text: str) -> str:
    """What stands on the line around the first word certificate, at most MOST_AROUND characters on each side."""
    word = CERTIFICATE.search(text)
    if word is None:
        return ""
    before = NOT_OF_TEXT.split(text[max(0, word.start() - MOST_AROUND) : word.start()])[-1]
    after = NOT_OF_TEXT.split(text[word.end() : word.end() + MOST_AROUND])[0]
    return f"{before}{word[0]}{after}".strip()


def is_error(status: int) -> bool:
    """Whether a status refuses the request.  RFC 9110 section 15.5."""
    return status >= 400


def text(octets: bytes) -> str:
    """Octets of a head as text of bounded length."""
    return octets[:MOST_TEXT].decode("ascii", "backslashreplace")


def path_of(target: bytes) -> str:
    """The path of a request target without query, scheme and authority.  RFC 9112 section 3.2."""
    if b"://" in target and not target.startswith(b"/"):
        rest = target.partition(b"://")[2]
        slash = rest.find(b"/")
        target = rest[slash:] if slash >= 0 else b"/"
    return text(target.partition(b"?")[0].partition(b"#")[0])
