"""The dialogues that precede TLS: one row each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tlsinspect.model.frame import Side
from tlsinspect.preamble import binary

Details = tuple[tuple[str, str], ...]
Groups = Mapping[str, bytes]


def as_text(groups: Groups) -> Details:
    """The named groups of a pattern as details, in the order of the pattern."""
    return tuple((name, value.decode("utf-8", "backslashreplace").strip()) for name, value in groups.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """How the two sides agree to speak TLS from here.

    The streams are cut into units: with *delimiter* after each occurrence of it, else by *size*.  Patterns are
    matched at the beginning of a unit; their named groups become details of the preamble, except *key*, which must be
    the same in request and reply.
    """

    name: str
    source: str
    request: re.Pattern[bytes]  # the unit of the client that asks for TLS, or for a tunnel
    accepted: re.Pattern[bytes] | None  # the unit of the server after which both speak TLS; None: no answer is due
    refused: re.Pattern[bytes] | None = None
    refused_before: re.Pattern[bytes] | None = None  # a unit of the server that leaves no way to ask
    first: Mapping[Side, re.Pattern[bytes]] = field(default_factory=dict)  # what a side must say first
    delimiter: bytes = b""
    size: Callable[[Side, int, bytes], int] | None = None  # see binary.py
    tunnel: bool = False  # what follows may be TLS, and another dialogue as well
    describe: Callable[[Groups], Details] = as_text


def _first(client: bytes, server: bytes) -> dict[Side, re.Pattern[bytes]]:
    return {Side.CLIENT: re.compile(client, re.DOTALL), Side.SERVER: re.compile(server, re.DOTALL)}


def _commands(words: bytes) -> bytes:
    return rb"(?i:" + words + rb")\b"


def _pattern(*parts: bytes) -> re.Pattern[bytes]:
    return re.compile(b"".join(parts), re.DOTALL)


_STARTTLS = _pattern(rb"(?i:STARTTLS)\s*$")
_LINE = b"\n"
_NOTHING = rb"(?!)"
_HEADERS = b"\r\n\r\n"
_STATUS = rb"(?P<reply>%b[^\r\n]*)"

# RFC 4511 section 5.1: BER lengths, and the messageID that a response repeats.
_BER_LENGTH = rb"(?:[\x00-\x7f]|\x81.|\x82..|\x83...|\x84....)"
_LDAP_MESSAGE = rb"\x30" + _BER_LENGTH + rb"\x02(?P<key>\x01.|\x02..|\x03...|\x04....)"
_LDAP_RESPONSE = _LDAP_MESSAGE + rb"\x78" + _BER_LENGTH + rb"\x0a\x01"

_CLIENT_SSL = b"[" + b"".join(re.escape(bytes((octet,))) for octet in range(256) if octet & 0x08) + b"]"

_TPKT = rb"\x03\x00..."  # RFC 1006 section 6, and the length indicator of X.224

DIALOGUES: tuple[Dialogue, ...] = (
    Dialogue(
        name="proxy-v1",
        source="HAProxy, The PROXY protocol, section 2.1",
        delimiter=_LINE,
        first=_first(rb"PROXY (?:TCP4|TCP6|UNKNOWN)\b", _NOTHING),
        request=_pattern(rb"PROXY (?P<family>TCP4|TCP6|UNKNOWN)(?P<addresses>[^\r\n]*)\r\n"),
        accepted=None,
        tunnel=True,
        describe=binary.describe_proxy_v1,
    ),
    Dialogue(
        name="proxy-v2",
        source="HAProxy, The PROXY protocol, section 2.2",
        size=binary.proxy_v2_size,
        request=_pattern(rb".{12}(?P<command>.)(?P<family>.)..(?P<addresses>.*)"),
        accepted=None,
        tunnel=True,
        describe=binary.describe_proxy_v2,
    ),
    Dialogue(
        name="http-connect",
        source="RFC 9110 section 9.3.6",
        delimiter=_HEADERS,
        first=_first(rb"CONNECT ", rb"HTTP/1"),
        request=_pattern(rb"(?:.*\n)?CONNECT (?P<target>\S+) HTTP/1\.[01]\r\n"),
        # The octets in front are the body of an earlier answer, such as that of a 407.
        accepted=_pattern(rb".*HTTP/1\.[01] ", _STATUS % rb"2\d\d"),
        refused=_pattern(rb".*HTTP/1\.[01] ", _STATUS % rb"[345]\d\d"),
        tunnel=True,
    ),
    Dialogue(
        name="http-upgrade",
        source="RFC 2817 section 3",
        delimiter=_HEADERS,
        first=_first(rb"[A-Z]+ \S+ HTTP/1\.1\r\n(?:.*\r\n)?(?i:Upgrade):[^\r\n]*\bTLS/1\.", rb"HTTP/1"),
        request=_pattern(rb"[A-Z]+ (?P<target>\S+) HTTP/1\.1\r\n(?:.*\r\n)?(?i:Upgrade):[^\r\n]*\bTLS/1\."),
        accepted=_pattern(rb"HTTP/1\.1 ", _STATUS % rb"101"),
        refused=_pattern(rb"HTTP/1\.1 ", _STATUS % rb"[2345]\d\d"),
    ),
    Dialogue(
        name="socks4",
        source="SOCKS 4 and 4A, CONNECT",
        size=binary.socks4_size,
        request=_pattern(rb"\x04\x01(?P<port>..)(?P<address>....)[^\x00]*\x00(?P<host>.*)"),
        accepted=_pattern(rb"\x00\x5a"),
        refused=_pattern(rb"\x00(?P<reply>[\x5b-\x5d])"),
        tunnel=True,
        describe=binary.describe_socks,
    ),
    Dialogue(
        name="socks5",
        source="RFC 1928 sections 4 and 6",
        size=binary.socks5_size,
        request=_pattern(rb"\x05\x01\x00(?P<kind>[\x01\x03\x04])(?P<address>.+)(?P<port>..)$"),
        accepted=_pattern(rb"\x05\x00\x00[\x01\x03\x04]"),
        refused=_pattern(rb"\x05(?P<reply>[^\x00])\x00[\x01\x03\x04]"),
        # No method of authentication suits the server; the user name or password is wrong (RFC 1929 section 2).
        refused_before=_pattern(rb"(?P<methods>\x05\xff|\x01[^\x00])$"),
        tunnel=True,
        describe=binary.describe_socks,
    ),
    Dialogue(
        name="postgresql",
        source="PostgreSQL frontend/backend protocol, SSLRequest",
        size=binary.postgresql_size,
        request=_pattern(rb"\x00\x00\x00\x08\x04\xd2\x16\x2f"),
        accepted=_pattern(rb"(?P<reply>S)"),
        refused=_pattern(rb"(?P<reply>[NE])"),
    ),
    Dialogue(
        name="mysql",
        source="MySQL client/server protocol, Protocol::SSLRequest",
        size=binary.mysql_size,
        first=_first(rb"", rb"...\x00\x0a(?P<server_version>[^\x00]+)\x00"),
        request=_pattern(rb"\x20\x00\x00\x01.", _CLIENT_SSL),
        accepted=None,
    ),
    Dialogue(
        name="ldap",
        source="RFC 4511 section 4.14",
        size=binary.ldap_size,
        request=_pattern(_LDAP_MESSAGE, rb"\x77", _BER_LENGTH, rb"\x80\x161\.3\.6\.1\.4\.1\.1466\.20037"),
        accepted=_pattern(_LDAP_RESPONSE, rb"\x00"),
        refused=_pattern(
            _LDAP_RESPONSE,
            # resultCode, a matchedDN that is empty in all that was seen, diagnosticMessage; responseName is [10]
            rb"(?P<result>[^\x00])(?:\x04\x00\x04(?:[\x00-\x7f]|\x81.|\x82..)(?P<reply>[^\x8a\x8b]*))?",
        ),
        describe=binary.describe_ldap,
    ),
    Dialogue(
        name="rdp",
        source="MS-RDPBCGR sections 2.2.1.1 and 2.2.1.2",
        size=binary.tpkt_size,
        request=_pattern(
            _TPKT, rb"\xe0.{5}(?:(?P<cookie>[^\r\n]*)\r\n)?\x01.\x08\x00(?P<requested>[^\x00])\x00\x00\x00"
        ),
        accepted=_pattern(_TPKT, rb"\xd0.{5}\x02.\x08\x00(?P<selected>[^\x00])\x00\x00\x00"),
        refused=_pattern(_TPKT, rb"\xd0.{5}(?:\x03.\x08\x00(?P<failure>.)\x00\x00\x00|\x02|$)"),
        describe=binary.describe_rdp,
    ),
    Dialogue(
        name="xmpp",
        source="RFC 6120 section 5.4.2",
        size=binary.xmpp_size,
        first=_first(rb"\s*<(?:\?xml|stream:stream)\b", rb"\s*<(?:\?xml|stream:stream)\b"),
        request=_pattern(rb"\s*(?:<starttls\b[^>]*/|</starttls\s*)>"),
        accepted=_pattern(rb"\s*(?:<(?P<reply>proceed)\b[^>]*/|</proceed\s*)>"),
        refused=_pattern(rb"\s*<(?P<reply>failure|stream:error)\b"),
    ),
    Dialogue(
        name="nntp",
        source="RFC 4642 section 2.2",
        delimiter=_LINE,
        first=_first(
            _commands(rb"CAPABILITIES|STARTTLS|MODE|HELP|LIST|GROUP|DATE|AUTHINFO"), rb"(?:20[01]|400|502)[ \r]"
        ),
        request=_STARTTLS,
        accepted=_pattern(_STATUS % rb"382"),
        refused=_pattern(_STATUS % rb"[45]\d\d"),
    ),
    Dialogue(
        name="smtp",
        source="RFC 3207 section 4",
        delimiter=_LINE,
        first=_first(
            _commands(rb"EHLO|HELO|LHLO|STARTTLS|NOOP|RSET|XCLIENT"),
            rb"(?:2[1-9]\d|[345]\d\d)[ \r-]",
        ),
        request=_STARTTLS,
        accepted=_pattern(rb"(?P<reply>220(?!-)[^\r\n]*)"),
        refused=_pattern(_STATUS % rb"[45]\d\d"),
    ),
    Dialogue(
        name="irc",
        source="IRCv3, tls extension",
        delimiter=_LINE,
        first=_first(
            _commands(rb"CAP|NICK|USER|PASS|STARTTLS|PING|WEBIRC"),
            rb"(?::\S+ (?:\d{3}|NOTICE|CAP)|NOTICE|PING|ERROR)\b",
        ),
        request=_STARTTLS,
        accepted=_pattern(rb"(?::\S+ )?", _STATUS % rb"670\b"),
        refused=_pattern(rb"(?::\S+ )?", _STATUS % rb"(?:691|410|421|451)\b"),
    ),
    Dialogue(
        name="sieve",
        source="RFC 5804 section 2.2",
        delimiter=_LINE,
        first=_first(_commands(rb"STARTTLS|CAPABILITY|NOOP"), rb"\"|(?i:OK|NO|BYE)\b"),
        request=_STARTTLS,
        accepted=_pattern(_STATUS % rb"(?i:OK)\b"),
        refused=_pattern(_STATUS % rb"(?i:NO|BYE)\b"),
    ),
    Dialogue(
        name="pop3",
        source="RFC 2595 section 4",
        delimiter=_LINE,
        first=_first(_commands(rb"CAPA|STLS|AUTH|USER|APOP|NOOP"), rb"\+OK|-ERR"),
        request=_pattern(rb"(?i:STLS)\s*$"),
        accepted=_pattern(_STATUS % rb"\+OK"),
        refused=_pattern(_STATUS % rb"-ERR"),
    ),
    Dialogue(
        name="imap",
        source="RFC 9051 section 6.2.1",
        delimiter=_LINE,
        first=_first(
            rb"[^\s(){%*\"\\\]]+ " + _commands(rb"CAPABILITY|STARTTLS|ID|NOOP|LOGIN|AUTHENTICATE|ENABLE"),
            rb"\* (?i:OK|PREAUTH|BYE|CAPABILITY|ID)\b",
        ),
        request=_pattern(rb"(?P<key>\S+) (?i:STARTTLS)\s*$"),
        accepted=_pattern(rb"(?P<key>\S+) ", _STATUS % rb"(?i:OK)\b"),
        refused=_pattern(rb"(?P<key>\S+) ", _STATUS % rb"(?i:NO|BAD)\b"),
    ),
    Dialogue(
        name="ftp",
        source="RFC 4217 section 4",
        delimiter=_LINE,
        first=_first(_commands(rb"AUTH|FEAT|USER|SYST|OPTS|HOST|CLNT|NOOP"), rb"[1-5]\d\d[ \r-]"),
        request=_pattern(rb"(?i:AUTH)[ ]+(?i:TLS|SSL|TLS-C|TLS-P)\s*$"),
        accepted=_pattern(_STATUS % rb"234"),
        refused=_pattern(_STATUS % rb"[45]\d\d"),
    ),
)
