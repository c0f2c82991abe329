"""`sostenuto trace`: explains what a run did, from its history alone."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from ...session import add_connection_options, connect_client
from ...terminal import answer


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "trace",
        help="explain what a run did and where its time went",
        description="Show every step of a run, or of a chat: what was asked, what the model was told, what it "
        "answered, tools, searches, tokens, cost and time. All of it is read from the history, and every prompt "
        "is proven by its hash.",
    )
    parser.add_argument("id", metavar="ID", help="name of the run or the chat")
    parser.add_argument("--full", action="store_true", help="print texts whole")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    add_connection_options(parser)
    parser.set_defaults(handler=_trace)


async def _trace(args: argparse.Namespace) -> int:
    from ...trace_lines import TraceLines

    client = await connect_client(args)
    trace = await (await client.get(args.id)).trace()
    if args.json:
        answer(trace.model_dump_json(indent=1))
        return 0
    for line in TraceLines(trace, datetime.now(UTC), whole=args.full).lines():
        answer(line)
    return 0
