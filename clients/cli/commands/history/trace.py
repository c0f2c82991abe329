"""`sostenuto trace`: explains what a run did, from its history alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .....contracts.errors import SpecError
from ...exit_status import INTERRUPTED
from ...session import add_connection_options, connect_client, keep_stdout_clean
from ...step_lines import hindrance_line
from ...terminal import answer, open_console, say, step_hanging
from ...trace.live import follow_as_page, follow_on_terminal, held_up_of, write_page

if TYPE_CHECKING:
    from .....contracts.wire.feedback.score import Score
    from .....history.reading.exported import ExportedTrace
    from .....history.trace.step import Trace
    from ....run import Run
    from ....waiting import HeldUp

_STDOUT = Path("-")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "trace",
        help="explain what a run did and where its time went",
        description="Show every step of a run, or of a chat: what was asked, what the model was told, what it "
        "answered, tools, searches, tokens, cost and time. All of it is read from the history, and every prompt "
        "is proven by its hash. A name that ends in .json is that of a file which `sostenuto export` wrote: it is "
        "read without a server, and with its nested runs where they were exported by --nested.",
    )
    parser.add_argument("id", metavar="ID|FILE.json", help="name of the run or the chat, or an exported history")
    parser.add_argument(
        "--follow",
        action="store_true",
        help="go on while the run does: show it as it grows, or write the page again and again, until it ends",
    )
    parser.add_argument("--full", action="store_true", help="print texts whole")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print everything as JSON")
    forms.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        help="write it as a page that needs nothing but a browser, and can be mailed ('-': to stdout)",
    )
    add_connection_options(parser)
    parser.set_defaults(handler=_trace)


async def _trace(args: argparse.Namespace) -> int:
    if args.id.endswith(".json"):
        if args.follow:
            raise SpecError("--follow: an exported history does not go on: name the run")
        (trace, now), source = await _exported(Path(args.id)), f"Read from the exported history {Path(args.id).name}."
        scores: tuple[Score, ...] = ()
        held_up: Sequence[HeldUp] = ()
    else:
        run = await (await connect_client(args)).get(args.id)
        trace, now, source = await _of_run(run, args), datetime.now(UTC), ""
        scores = () if args.json or args.html else await run.scores()
        held_up = () if args.json or args.html else await held_up_of(run, trace)
    if args.json:
        answer(trace.model_dump_json(indent=1))
    elif args.html and args.html == _STDOUT:
        from .....history.trace.page.document import trace_page

        answer(trace_page(trace, now, source), end="")
    elif args.html:
        from .....history.trace.page.document import trace_page

        if not args.follow:
            write_page(trace_page(trace, now, source), args.html)
            say(f"the page was written to {args.html}: open it in a browser")
    else:
        from ...trace.lines import TraceLines, score_line

        lines, console = TraceLines(trace, now, whole=args.full).lines(), open_console()
        for line in (*lines, *map(hindrance_line, held_up), *map(score_line, scores)):
            answer(step_hanging(line, console) if sys.stdout.isatty() else line)
    # Somebody left what goes on.
    return INTERRUPTED if args.follow and trace.run.seconds is None else 0


async def _of_run(run: Run, args: argparse.Namespace) -> Trace:
    if not args.follow:
        return await run.trace()
    if args.html and args.html != _STDOUT:
        return await follow_as_page(run, args.html, say)
    return await follow_on_terminal(run, whole=args.full)


async def _exported(file: Path) -> ExportedTrace:
    from .....connection.connect import payload_dir_setting
    from .....connection.converter import data_converter
    from .....history.reading.exported import read_exported_trace

    keep_stdout_clean()
    return await read_exported_trace(file, data_converter(payload_dir_setting()))
