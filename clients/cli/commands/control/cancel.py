"""`sostenuto cancel`: asks a run or an ingest to stop."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING

from .....contracts.errors import SpecError
from ...session import add_connection_options, connect_client
from ...terminal import say

if TYPE_CHECKING:
    from ....client import Client


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "cancel",
        help="ask a run to stop",
        description="Ask a run, or an ingest, to stop. It ends as cancelled, with what it has, once a worker has it. "
        "What its tools have done is undone only with --compensate.",
    )
    parser.add_argument("id", metavar="ID", help="name of the run, or of an ingest: ingest-COLLECTION")
    parser.add_argument(
        "--compensate",
        action="store_true",
        help="undo what it did before it ends, the last first: each call of a tool that names one that undoes it",
    )
    add_connection_options(parser)
    parser.set_defaults(handler=_cancel)


async def _cancel(args: argparse.Namespace) -> int:
    from ....ingest import find_ingest

    client = await connect_client(args)
    if ingest := await find_ingest(client.temporal, args.id):
        if args.compensate:
            raise SpecError(f"{args.id} is an ingest: what it has brought in stays; leave --compensate out")
        await ingest.cancel()
    elif await _is_chat(client, args.id):
        raise SpecError(f"{args.id} is a chat: Ctrl-C in `sostenuto chat` interrupts its turn, and /end ends it")
    else:
        run = await client.get(args.id)
        known = await run.describe()
        if known.ended_at and not args.compensate:
            raise SpecError(f"{args.id} is over: {known.status}")
        await run.cancel(compensate=args.compensate)
    asked = "to stop and to undo what it did" if args.compensate else "to stop"
    say(f"{args.id} is asked {asked}: `sostenuto watch {args.id}` shows how it ends")
    return 0


async def _is_chat(client: Client, id: str) -> bool:
    from ....chats.opening import find_chat

    with suppress(SpecError):
        await find_chat(client.temporal, id)
        return True
    return False
