"""The `capture` command: its options.  What it does is in cli/capturing.py, imported when it runs."""

# No "from __future__ import annotations": typer would compile each annotation from its text at every start.

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tlsinspect.cli.options import FileOption, Format, HttpOption, Options, output_options
from tlsinspect.model.handshake import Outcome

SNAPLEN = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureOptions:
    """The options of `capture`."""

    reading: Options
    interfaces: tuple[str, ...]
    list_interfaces: bool
    bpf: str | None
    snaplen: int
    promiscuous: bool
    seconds: float | None
    handshakes: int | None
    file: Path | None
    handshakes_only: bool
    ring: str | None


def capture_options(
    interface: Annotated[
        list[str] | None,
        typer.Option(
            "-i",
            "--interface",
            metavar="IFACE",
            help="Where to capture; repeatable; any for all interfaces. Without it the one towards --server, else any.",
        ),
    ] = None,
    list_interfaces: Annotated[
        bool, typer.Option("--list-interfaces", "-D", help="Print the interfaces with their addresses, and end.")
    ] = False,
    bpf: Annotated[
        str | None,
        typer.Option(
            "-f",
            "--filter",
            metavar="BPF",
            help="What to capture, in tcpdump's language. All TCP without it, since TLS is found by content and not by "
            "port; on a busy link narrow it: 'tcp port 443'. 'tcp or udp' has QUIC and DTLS, too; '' is everything.",
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(metavar="HOST[:PORT]", help="Capture only connections with this server; a name or an address."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("-w", "--write", metavar="FILE", help="Keep the packets in a pcapng file, readable at any time."),
    ] = None,
    handshakes_only: Annotated[
        bool, typer.Option("--handshakes-only", help="With -w: leave out application data, so that it can be shared.")
    ] = False,
    ring: Annotated[
        str | None,
        typer.Option(metavar="FILES:SIZE", help="With -w: begin a new file at SIZE, keep the last FILES: 10:100M."),
    ] = None,
    duration: Annotated[float | None, typer.Option(metavar="SECONDS", help="End after this time.")] = None,
    count: Annotated[
        int | None, typer.Option(metavar="HANDSHAKES", min=1, help="End after so many handshakes.")
    ] = None,
    keylog: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="TLS key log that a program appends to; its lines for captured connections go into -w. With a "
            "COMMAND: where it writes its keys. Repeatable.",
        ),
    ] = None,
    snaplen: Annotated[int, typer.Option(metavar="OCTETS", min=64, max=SNAPLEN, help="Keep so much of a packet.")] = (
        SNAPLEN
    ),
    promiscuous: Annotated[
        bool, typer.Option("--promiscuous/--no-promiscuous", help="Also what is for other hosts, on a mirrored port.")
    ] = True,
    format_: Annotated[
        Format | None,
        typer.Option("--format", help="table or jsonl, one object a line; around a COMMAND any, as for explain."),
    ] = None,
    output: FileOption = None,
    host: Annotated[str | None, typer.Option(metavar="NAME", help="The host that was meant.")] = None,
    identity: Annotated[
        str | None, typer.Option(metavar="NAME|none", help="The client identity that was meant; none for none.")
    ] = None,
    ca: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="Trust anchors; repeatable.")] = None,
    sni: Annotated[str | None, typer.Option(metavar="NAME", help="Show only this server name.")] = None,
    outcome: Annotated[list[Outcome] | None, typer.Option(help="Show only what ended so; repeatable.")] = None,
    http: HttpOption = True,
) -> CaptureOptions:
    """The options of `capture`."""
    reading = Options(
        output=output_options(format_, output),
        keylogs=tuple(keylog or ()),
        host=host,
        identity=identity,
        anchors=tuple(ca or ()),
        at=None,
        server_name=sni,
        server=server,
        client=None,
        outcomes=tuple(outcome or ()),
        http=http,
    )
    return CaptureOptions(
        reading=reading,
        interfaces=tuple(interface or ()),
        list_interfaces=list_interfaces,
        bpf=bpf,
        snaplen=snaplen,
        promiscuous=promiscuous,
        seconds=duration,
        handshakes=count,
        file=file,
        handshakes_only=handshakes_only,
        ring=ring,
    )


def capture(
    options: CaptureOptions,
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- COMMAND", help="Capture while this runs, then explain its connections."),
    ] = None,
) -> int:
    """Live: a row per handshake as it ends, with its first finding; -w keeps the packets.

    A handshake that completed is shown when its connection ends, or 2 seconds later: a server may still refuse it.

    Ctrl-C, SIGTERM, --duration or --count end it, with status 0, and what was captured, dropped and written is said.

    Around a COMMAND the exit status is that of explain: 1 when a finding explains a rejection. That of the command
    itself is printed on standard error, and stands in the JSON. Its standard output goes to standard error. Only the
    connections of the command and its children are kept: root knows them by a control group that the command runs in,
    anybody else by the command's sockets, and those too short to be seen so by time and address; it is said which.

    \b
    tlsinspect capture -i eth0 -f 'tcp port 443'
    tlsinspect capture --server shop.example -w shop.pcapng --handshakes-only
    tlsinspect capture -w curl.pcapng -- curl https://certauth.example/
    tlsinspect capture -i any --format jsonl -w watch.pcapng --ring 10:100M
    """
    from tlsinspect.cli.capturing import run_capture

    return run_capture(options, tuple(command or ()))
