"""`sostenuto watch`: shows the events of a run, whether or not it is over."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from ....contracts.wire.live import STREAM_ITEM
from ..approvals.asking import Asking, is_asked
from ..exit_status import INTERRUPTED, STUCK, exit_status_of
from ..follow import add_stuck_option, show, unless_stuck
from ..session import add_connection_options, connect_client
from ..terminal import answer, open_console, say

if TYPE_CHECKING:
    from ...run import Run


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "watch",
        help="show the events of a run, and what is said meanwhile",
        description="Show the events of a run until it ends, from its start, and what models and tools say meanwhile. "
        "Ctrl-C leaves it alone. Exit status as for `run`.",
    )
    parser.add_argument("id", metavar="ID", help="name of the run, or of an ingest: ingest-COLLECTION")
    parser.add_argument(
        "--after",
        metavar="POSITION",
        help="begin after this one: position or cursor of a line, or its id where it has none",
    )
    parser.add_argument("--json", action="store_true", help="print each event and each token as a line of JSON")
    add_stuck_option(parser)
    add_connection_options(parser)
    parser.set_defaults(handler=_watch)


async def _watch(args: argparse.Namespace) -> int:
    from ...ingest import find_ingest
    from .ingest import followed

    client = await connect_client(args)
    try:
        if ingest := await find_ingest(client.temporal, args.id):
            return await followed(ingest, as_json=args.json, when_stuck=args.when_stuck)
        run = await client.get(args.id)
        if not await (printed(run, args) if args.json else show(run, open_console(), args, after=args.after)):
            return STUCK
    except asyncio.CancelledError:
        return INTERRUPTED
    result = await run.result()
    return exit_status_of(result.status, result.reason)


async def printed(run: Run, args: argparse.Namespace) -> bool:
    """Print items of a run as lines of JSON; return whether that was to its end."""
    asking = Asking(run, say, asks=False)

    async def follow(happened: Callable[[], None]) -> None:
        async for item in run.stream(args.after):
            happened()
            answer(STREAM_ITEM.dump_json(item).decode())
            if asked := is_asked(item):
                await asking.about(asked)

    return await unless_stuck(run, say, args.when_stuck, follow)
