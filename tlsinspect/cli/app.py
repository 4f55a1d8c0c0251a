"""The commands: options in, one call, one view, one renderer."""

# No "from __future__ import annotations": typer would compile each annotation from its text at every start.

import gc
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tlsinspect import __version__
from tlsinspect.cli import exit_status
from tlsinspect.cli.live import capture, capture_options
from tlsinspect.cli.options import Captures, Options, Output, output_options, reading_options, with_options
from tlsinspect.model.errors import SelectionError, TlsinspectError

OVERVIEW = """Tells why a TLS server routed or rejected a connection, from a packet capture.

\b
  tlsinspect show trace.pcap                  one row per handshake
  tlsinspect explain trace.pcap               what happened to each, and why
  tlsinspect diff nginx.pcap curl.pcap        why one works and the other does not
  tlsinspect diff trace.pcap#3 trace.pcap#7   the same for two connections of one capture

A connection is named by its tcp.stream or udp.stream in Wireshark: trace.pcap#3, trace.pcap#udp:0.
"""


class Commands(TyperGroup):
    """The one place where errors become a line on standard error and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command.  Usage errors go on to typer, which prints them and exits with 2."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            status = exit_status.INTERRUPTED
        except TlsinspectError as error:
            status = complain(str(error))
        except BrokenPipeError as error:
            status = exit_status.BROKEN_PIPE
            drop_output(error)
        except OSError as error:
            status = complain(f"{error.filename or 'The report'}: {error.strerror or error}.")
            drop_output(error)
        return ctx.exit(status)


def complain(message: str) -> int:
    """Prints one line on standard error, with what comes from a file name or capture made visible."""
    from tlsinspect.render.escape import visible

    print(visible(message), file=sys.stderr)
    return exit_status.UNUSABLE


def drop_output(error: OSError) -> None:
    """Forgets what could not be written, so that the interpreter does not try again at its end and complain."""
    from tlsinspect.cli.output import leave_whole_lines

    leave_whole_lines(sys.stdout, error)


# Handshakes are trees of values without cycles, which counting references frees; the search for cycles would look at
# all of them again and again while a report holds them.
COLLECT_AFTER = (100_000, 20, 100)

app = typer.Typer(
    cls=Commands,
    help=OVERVIEW,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def main() -> None:
    """The console script."""
    gc.set_threshold(*COLLECT_AFTER)
    app(prog_name="tlsinspect")


def print_version(wanted: bool) -> None:
    """Prints the version and ends."""
    if wanted:
        print(f"tlsinspect {__version__}")
        raise typer.Exit


@app.callback()
def tlsinspect(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=print_version)
    ] = False,
) -> None:
    """Has no text of its own: OVERVIEW is the help."""


@app.command()
@with_options(reading_options)
def show(
    captures: Captures,
    options: Options,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on when the file ends, as it grows; Ctrl-C ends it.")
    ] = False,
) -> int:
    """One row per handshake; of CAPTURE#N everything.

    \b
    tlsinspect show trace.pcap
    tlsinspect show trace.pcap#3
    tlsinspect show trace.pcap --server 10.0.0.2:443 --outcome rejected
    tcpdump -i eth0 -w - -U port 443 | tlsinspect show - --format jsonl
    """
    from tlsinspect.cli.commands import show_captures

    return show_captures(captures, options, follow=follow)


@app.command(short_help="What differs between two handshakes, and what it means.")
@with_options(reading_options)
def diff(
    left: Annotated[str, typer.Argument(metavar="LEFT", help="A capture, or CAPTURE#N.", show_default=False)],
    right: Annotated[str, typer.Argument(metavar="RIGHT", help="Another, or the same.", show_default=False)],
    options: Options,
    everything: Annotated[bool, typer.Option("--all", help="Show equal fields too.")] = False,
) -> int:
    """Two handshakes side by side: what differs, what it means, what to change.

    Without #N, picks the pair that talks to the same server, one that failed and one that completed where it can.

    \b
    tlsinspect diff nginx.pcap curl.pcap
    tlsinspect diff trace.pcap#3 trace.pcap#7
    tlsinspect diff trace.pcap#0 trace.pcap#1 --all --format html -o pair.html
    """
    from tlsinspect.cli.commands import diff_captures

    return diff_captures(left, right, options, everything=everything)


@app.command()
@with_options(reading_options)
def explain(captures: Captures, options: Options) -> int:
    """Per handshake what happened and why, with evidence and fixes.

    The exit status is 1 when a finding explains a rejection or a wrong route.

    \b
    tlsinspect explain trace.pcap
    tlsinspect explain trace.pcap#3 --keylog keys.log
    tlsinspect explain trace.pcap --host shop.example --ca ca.pem
    """
    from tlsinspect.cli.commands import explain_captures

    return explain_captures(captures, options)


@app.command(short_help="Which handshake resumed which session.")
@with_options(reading_options)
def sessions(captures: Captures, options: Options) -> int:
    """Which handshake resumed which session, across connections and files.

    \b
    tlsinspect sessions trace.pcap
    tlsinspect sessions monday.pcap tuesday.pcap
    """
    from tlsinspect.cli.commands import sessions_of_captures

    return sessions_of_captures(captures, options)


@app.command()
@with_options(reading_options)
def certs(
    captures: Captures,
    options: Options,
    pem: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write every certificate to a PEM file in this folder.")
    ] = None,
) -> int:
    """Certificate chains of both sides.

    \b
    tlsinspect certs trace.pcap#3
    tlsinspect certs trace.pcap --keylog keys.log --pem certificates/
    """
    from tlsinspect.cli.commands import certs_of_captures

    return certs_of_captures(captures, options, pem=pem)


@app.command(short_help="Every field beside what tshark says of it.")
@with_options(reading_options)
def crosscheck(
    captures: Captures,
    options: Options,
    everything: Annotated[bool, typer.Option("--all", help="Show what agrees, too.")] = False,
) -> int:
    """Every field beside what tshark says of it, differences first.

    The exit status is 1 when a field differs.  Needs tshark, which comes with Wireshark.

    \b
    tlsinspect crosscheck trace.pcap
    tlsinspect crosscheck trace.pcap#3 --keylog keys.log
    tlsinspect crosscheck trace.pcap --all --format html -o second-opinion.html
    """
    from tlsinspect.cli.check import crosscheck_captures

    return crosscheck_captures(captures, options, everything=everything)


@app.command(short_help="The troubleshooting runbook, or a page of it.")
@with_options(output_options)
def runbook(
    options: Output,
    cause: Annotated[
        str | None, typer.Argument(metavar="[CAUSE]", help="Such as sni-missing; without it, the index.")
    ] = None,
    log: Annotated[
        str | None, typer.Option(metavar="LINE", help="Find the causes for a line of a log or an error message.")
    ] = None,
) -> int:
    """The troubleshooting runbook: its index, one page, or the causes for a line of a log.

    \b
    tlsinspect runbook
    tlsinspect runbook sni-missing
    tlsinspect runbook --log 'tlsv1 unrecognized name: SSL alert number 112'
    """
    from tlsinspect.cli.commands import runbook_page

    if cause is not None and log is not None:
        raise SelectionError("Give a CAUSE or --log LINE, not both.")
    return runbook_page(cause, log, options)


# What follows COMMAND is its own, options too.
app.command(context_settings={"allow_interspersed_args": False})(with_options(capture_options)(capture))
