"""`sostenuto trace`: explains what a run did, from its history alone."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .....contracts.errors import SpecError
from ...session import add_connection_options, connect_client, keep_stdout_clean
from ...terminal import answer, say

if TYPE_CHECKING:
    from .....contracts.wire.feedback.score import Score
    from .....history.reading.exported import ExportedTrace

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
        (trace, now), source = await _exported(Path(args.id)), f"Read from the exported history {Path(args.id).name}."
        scores: tuple[Score, ...] = ()
    else:
        run = await (await connect_client(args)).get(args.id)
        trace, now, source = await run.trace(), datetime.now(UTC), ""
        scores = () if args.json or args.html else await run.scores()
    if args.json:
        answer(trace.model_dump_json(indent=1))
    elif args.html:
        from .....history.trace.page.document import trace_page

        _write(trace_page(trace, now, source), args.html)
    else:
        from ...trace_lines import TraceLines, score_line

        for line in (*TraceLines(trace, now, whole=args.full).lines(), *map(score_line, scores)):
            answer(line)
    return 0


async def _exported(file: Path) -> ExportedTrace:
    from .....connection.connect import payload_dir_setting
    from .....connection.converter import data_converter
    from .....history.reading.exported import read_exported_trace

    keep_stdout_clean()
    return await read_exported_trace(file, data_converter(payload_dir_setting()))


def _write(page: str, file: Path) -> None:
    if file == _STDOUT:
        answer(page, end="")
        return
    try:
        file.write_text(page, encoding="ascii", newline="\n")
    except OSError as error:
        raise SpecError(f"{file} cannot be written: {error.strerror}") from error
    say(f"the page was written to {file}: open it in a browser")
