"""The options that all commands share, and their values."""

# No "from __future__ import annotations": typer would compile each annotation from its text at every start.

import enum
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from tlsinspect.model.handshake import Outcome


class Format(enum.Enum):
    """How a report is written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    MARKDOWN = "markdown"
    HTML = "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where a report goes, and how it is written."""

    format: str
    file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of the commands that read captures, as typed: cli/values.py says what they mean."""

    output: Output
    keylogs: tuple[Path, ...]
    host: str | None
    identity: str | None
    anchors: tuple[Path, ...]
    at: str | None
    server_name: str | None
    server: str | None
    client: str | None
    outcomes: tuple[Outcome, ...]
    http: bool  # look at the heads of HTTP where keys open them
    jobs: int = 1  # processes that read captures


Captures = Annotated[
    list[str],
    typer.Argument(
        metavar="CAPTURE",
        help="pcap or pcapng files, compressed too; - for standard input; CAPTURE#N for the connection with that "
        "tcp.stream or udp.stream in Wireshark.",
        show_default=False,
    ),
]
FormatOption = Annotated[
    Format | None, typer.Option("--format", "-f", help="How to write the report; table unless -o says otherwise.")
]
FileOption = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the report to FILE, not to the screen.")
]


HttpOption = Annotated[
    bool,
    typer.Option("--http/--no-http", help="Where keys open them: look at host, path and status of HTTP, or leave it."),
]


def output_options(format_: FormatOption = None, output: FileOption = None) -> Output:
    """The options of every command; without --format, the name of the file decides."""
    by_name = SUFFIXES.get(output.suffix.lower(), "table") if output else "table"
    return Output(format=format_.value if format_ else by_name, file=output)


SUFFIXES = {".json": "json", ".jsonl": "jsonl", ".md": "markdown", ".html": "html", ".htm": "html"}


def reading_options(
    format_: FormatOption = None,
    output: FileOption = None,
    keylog: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="TLS key log that opens encrypted records; repeatable.")
    ] = None,
    host: Annotated[str | None, typer.Option(metavar="NAME", help="The host that was meant.")] = None,
    identity: Annotated[
        str | None,
        typer.Option(metavar="NAME|none", help="The client identity that was meant: subject or name; none for none."),
    ] = None,
    ca: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Trust anchors (PEM or DER), instead of the system's; repeatable."),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Judge validity at this time, not at that of the capture.")
    ] = None,
    sni: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this server name; *.example for many, none for no name.")
    ] = None,
    server: Annotated[str | None, typer.Option(metavar="ADDR[:PORT]", help="Only this server.")] = None,
    client: Annotated[str | None, typer.Option(metavar="ADDR[:PORT]", help="Only this client.")] = None,
    outcome: Annotated[list[Outcome] | None, typer.Option(help="Only handshakes that ended so; repeatable.")] = None,
    http: HttpOption = True,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, metavar="N", help="Read large captures with N processes.")
    ] = 1,
) -> Options:
    """The options of the commands that read captures."""
    return Options(
        output=output_options(format_, output),
        keylogs=tuple(keylog or ()),
        host=host,
        identity=identity,
        anchors=tuple(ca or ()),
        at=at,
        server_name=sni,
        server=server,
        client=client,
        outcomes=tuple(outcome or ()),
        http=http,
        jobs=jobs,
    )


@functools.cache
def hints_of(function: Callable[..., object]) -> dict[str, Any]:
    """The types of its parameters; kept, as commands share them."""
    return get_type_hints(function, include_extras=True)


def with_options(collect: Callable[..., object]) -> Callable[[Callable[..., int]], Callable[..., None]]:
    """Gives a command the parameters of *collect*, hands it what that returns as *options*, and ends with its status.

    So every command has its own parameters in its signature, and the shared ones stand above once.
    """

    def decorate(command: Callable[..., int]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**values: Any) -> None:
            shared = {name: values.pop(name) for name in inspect.signature(collect).parameters}
            raise typer.Exit(command(**values, options=collect(**shared)))

        hints = {**hints_of(command), **hints_of(collect)}
        own = [each for name, each in inspect.signature(command).parameters.items() if name != "options"]
        parameters = [*own, *inspect.signature(collect).parameters.values()]
        named = [each.replace(annotation=hints[each.name], kind=each.KEYWORD_ONLY) for each in parameters]
        vars(run)["__signature__"] = inspect.Signature(named)
        run.__annotations__ = {each.name: hints[each.name] for each in named}
        return run

    return decorate
