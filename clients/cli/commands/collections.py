"""`sostenuto collections` and `sostenuto drop`.

They tell what collections there are, and delete one.
"""

from __future__ import annotations

import argparse

from ..exit_status import FAILED
from ..session import add_connection_options, connect_client
from ..terminal import answer, open_console, say


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    listing = subparsers.add_parser(
        "collections", help="list collections", description="List the collections in the store."
    )
    listing.add_argument("--json", action="store_true", help="print each collection as a line of JSON")
    dropping = subparsers.add_parser(
        "drop", help="delete a collection", description="Delete a collection with everything in it."
    )
    dropping.add_argument("collection", metavar="COLLECTION", help="its name")
    dropping.add_argument("--yes", action="store_true", help="do not ask")
    for parser, handler in ((listing, _collections), (dropping, _drop)):
        parser.add_argument("--task-queue", help="where the workers listen")
        add_connection_options(parser)
        parser.set_defaults(handler=handler)


async def _collections(args: argparse.Namespace) -> int:
    client = await connect_client(args)
    found = await client.collections()
    if args.json:
        for one in found:
            answer(one.model_dump_json())
        return 0
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("COLLECTION", "EMBEDDING", "CHANGED"):
        table.add_column(name, overflow="fold")
    for name in ("DOCUMENTS", "PASSAGES"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found:
        note = "" if one.served else " (not in the app)"
        cells = (one.name + note, f"{one.embedding} ({one.dimensions})", one.updated or "never")
        table.add_row(*map(Text, (*cells, f"{one.documents:,}", f"{one.passages:,}")))
    open_console().print(table)
    return 0


async def _drop(args: argparse.Namespace) -> int:
    if not args.yes:
        say(f"this deletes {args.collection!r} with everything in it: say --yes")
        return FAILED
    client = await connect_client(args)
    if not await client.drop_collection(args.collection):
        say(f"there is no collection {args.collection!r}")
        return FAILED
    answer(f"{args.collection} is deleted")
    return 0
