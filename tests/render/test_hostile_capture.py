"""What stands in a capture reaches no screen and no page as it stands: every command, every format."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fuzzing.views import check_text
from tests.support import der, hostile
from tests.support.captures import pcap
from tests.support.octets import extension, vector
from tlsinspect.cli.app import app
from tlsinspect.model.frame import Frame, Side

RAW = 101
TEXTS = {
    "an escape sequence": b"\x1b[31mred\x1b]0;title\x07\x9b31m",
    "markup of rich": b"[bold red]x[/bold red][link=http://a.example]y[/link]",
    "elements of HTML": b"<script>alert(1)</script><img src=x onerror=alert(1)>",
    "ends of HTML": b"</td></tr></table></pre><h1>",
    "a row of Markdown": b"a|b`c`*d*_e_ | x |",
    "an image of Markdown": b"![x](http://a.example/)<http://a.example>",
    "other directions": "\u202egnp.exe\u2066a\u2069".encode(),
    "ends of lines": b"a\r\n| b | c |\n# heading\n```\n\x85\xe2\x80\xa8",
    "octets that are no text": bytes(range(32)) + b"\x7f\xff\xfe",
    "an address": b"javascript:alert(1)//http://a.example",
}
# Elements of our own pages, and their attributes.
OURS = {"body", "br", "caption", "div", "h1", "h2", "h3", "head", "html", "li", "meta", "p", "pre", "span", "style"}
OURS |= {"table", "tbody", "td", "th", "thead", "title", "tr", "ul"}
OURS |= {"charset", "class", "content", "lang", "name", "scope"}
COMMANDS: dict[str, tuple[str, ...]] = {
    "show": ("show", "{}"),
    "show one": ("show", "{}#0"),
    "explain": ("explain", "{}"),
    "diff": ("diff", "{}#0", "{}#1", "--all"),
    "sessions": ("sessions", "{}"),
    "certs": ("certs", "{}"),
}
FORMATS = ("table", "markdown", "html", "json", "jsonl")


def from_port(frame: Frame, port: int) -> Frame:
    """A frame of tests.support.tcp whose client has another port."""
    octets = bytearray(frame.data)
    at = 20 if octets[12:16] == b"\x0a\0\0\1" else 22
    octets[at : at + 2] = port.to_bytes(2, "big")
    return frame._replace(data=bytes(octets))


def capture_with(text: bytes) -> bytes:
    """A capture in which that text stands wherever text can."""
    short = text[:200]
    protocols = extension(16, vector(2, vector(1, short), vector(1, b"h2")))
    hello = hostile.record(22, hostile.client_hello(hostile.server_name(text), protocols))
    chosen = extension(16, vector(2, vector(1, short)))
    certificate = der.certificate(
        der.alt_names(der.dns(text), der.element(0x81, text), der.element(0x86, text)),
        subject=der.name(text),
        issuer=der.name(text, tag=der.PRINTABLE),
        signature=der.algorithm(b"\x2a" + bytes(octet & 0x7F for octet in text[:20]) + b"\1"),
        dates=der.validity(text[:20]),
    )
    request = b"\1\1" + vector(2, b"\4\3") + vector(2, vector(2, der.name(text)))
    asks = b"\x0d" + vector(3, request)
    answer = hostile.in_records(
        hostile.server_hello_of_tls12(chosen) + hostile.certificates(certificate) + asks + b"\x0e\0\0\0", 1 << 14
    )
    connections = [
        [(Side.CLIENT, hello), (Side.SERVER, answer), (Side.CLIENT, hostile.record(21, b"\2\x2a"))],
        [(Side.CLIENT, hello), (Side.SERVER, hostile.record(21, b"\2\xfb"))],
        [
            (Side.CLIENT, b"CONNECT " + text + b":443 HTTP/1.1\r\n\r\n"),
            (Side.SERVER, b"HTTP/1.1 403 " + text + b"\r\n\r\n"),
        ],
        [(Side.CLIENT, hello), (Side.SERVER, b"HTTP/1.1 400 " + text + b"\r\n\r\n" + text)],
        [
            (Side.SERVER, b"220 " + text + b"\r\n"),
            (Side.CLIENT, b"STARTTLS\r\n"),
            (Side.SERVER, b"454 4.7.0 " + text + b"\r\n"),
        ],
        [(Side.CLIENT, text), (Side.SERVER, hostile.record(22, hostile.server_hello()))],
    ]
    frames = [
        from_port(frame, 20_000 + number)
        for number, sent in enumerate(connections)
        for frame in hostile.connection(sent)
    ]
    return pcap(hostile.renumbered(frames), link=RAW)


def said(command: str, name: str, octets: bytes, folder: Path) -> str:
    """What a command writes about a capture whose name is as hostile as a file system allows."""
    capture = folder / "a|b<c>[red]`d`\x1b[31m.pcap"
    capture.write_bytes(octets)
    output = folder / "report"
    words = [word.replace("{}", str(capture)) for word in COMMANDS[command]]
    app([*words, "--format", name, "-o", str(output)], standalone_mode=False)
    return output.read_text("utf-8")


class Page(HTMLParser):
    """Collects the elements and the names of attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(name for name, _ in attrs)}


def without_code(markdown: str) -> str:
    """A page without its fenced blocks and the spans of code, in which nothing is markup."""
    text = re.sub(r"^(`{3,}).*?^\1$", "", markdown, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(?<![`\\])(`+)(?!`).+?(?<!`)\1(?!`)", "", text)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", TEXTS)
def test_no_text_acts_on_a_screen_or_a_page(kind: str, command: str, tmp_path: Path) -> None:
    octets = capture_with(TEXTS[kind])
    for name in FORMATS:
        text = said(command, name, octets, tmp_path)
        check_text(text)
        match name:
            case "html":
                assert Page(text).seen <= OURS
            case "markdown":
                bare = re.sub(r"\\[^A-Za-z0-9\s]|&[a-z]+;|&#[0-9]+;", "", without_code(text))
                assert not re.search(r"<[a-z/!]|\]\(|://", bare)
            case "json":
                assert text.isascii()
                json.loads(text)
            case "jsonl":
                assert text.isascii()
                assert [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_rows_of_markdown_have_as_many_cells_as_their_head(command: str, tmp_path: Path) -> None:
    for text in TEXTS.values():
        page = said(command, "markdown", capture_with(text), tmp_path)
        bare = re.sub(r"\\[^A-Za-z0-9\s]|&#[0-9]+;", "", page)
        for block in re.findall(r"(?:^\|.*\n)+", bare, re.MULTILINE):
            assert len({row.count("|") for row in block.splitlines()}) == 1, block


def test_a_name_of_a_file_acts_on_no_screen_in_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = tmp_path / "\x1b[31mred\u202e.pcap"
    capture.write_bytes(b"no capture")
    with pytest.raises(SystemExit):
        app(["show", str(capture)], standalone_mode=True)

    check_text(capsys.readouterr().err)


def test_what_is_hostile_is_shown_spelled_out(tmp_path: Path) -> None:
    octets = capture_with(TEXTS["an escape sequence"])

    for name in ("table", "markdown", "html"):
        assert "x1b" in said("show", name, octets, tmp_path).replace("\\", "")
