"""`sostenuto trace`: explains what a run did, from its history alone."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...session import add_connection_options, connect_client, keep_stdout_clean
from ...terminal import answer

if TYPE_CHECKING:
    from .....history.reading.exported import ExportedTrace


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
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    add_connection_options(parser)
    parser.set_defaults(handler=_trace)


async def _trace(args: argparse.Namespace) -> int:
    if args.id.endswith(".json"):
        trace, now = await _exported(Path(args.id))
    else:
        trace, now = await (await (await connect_client(args)).get(args.id)).trace(), datetime.now(UTC)
    if args.json:
        answer(trace.model_dump_json(indent=1))
    else:
        from ...trace_lines import TraceLines

        for line in TraceLines(trace, now, whole=args.full).lines():
            answer(line)
    return 0


async def _exported(file: Path) -> ExportedTrace:
    from .....connection.connect import payload_dir_setting
    from .....connection.converter import data_converter
    from .....history.reading.exported import read_exported_trace

    keep_stdout_clean()
    return await read_exported_trace(file, data_converter(payload_dir_setting()))
