"""`sostenuto watch`: shows the events of a run, whether or not it is over."""

from __future__ import annotations

import argparse
import asyncio

from ....contracts.wire.event import EVENT
from ..exit_status import EXIT_STATUS, INTERRUPTED
from ..follow import show
from ..session import add_connection_options, connect_client
from ..terminal import answer, open_console


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "watch",
        help="show the events of a run",
        description="Show the events of a run until it ends, from its start. Ctrl-C leaves it alone. Exit status as "
        "for `run`.",
    )
    parser.add_argument("id", metavar="ID", help="name of the run")
    parser.add_argument(
        "--after", metavar="EVENT", help="begin after this event: its cursor, or its id where it has none"
    )
    parser.add_argument("--json", action="store_true", help="print each event as a line of JSON")
    add_connection_options(parser)
    parser.set_defaults(handler=_watch)


async def _watch(args: argparse.Namespace) -> int:
    client = await connect_client(args)
    run = await client.get(args.id)
    events = run.events(args.after)
    try:
        if args.json:
            async for event in events:
                answer(EVENT.dump_json(event).decode())
        else:
            await show(run, events, open_console())
    except asyncio.CancelledError:
        return INTERRUPTED
    return EXIT_STATUS[(await run.result()).status]
