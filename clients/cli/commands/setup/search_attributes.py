"""`sostenuto search-attributes`: registers what the list of runs is searched by.

For clusters that are not ours.
"""

from __future__ import annotations

import argparse

from ...session import add_connection_options, connect_client


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "search-attributes",
        help="register our search attributes in a Temporal namespace",
        description=(
            "Register our search attributes in a Temporal namespace. Repeatable, and not needed with `sostenuto dev`."
        ),
    )
    add_connection_options(parser)
    parser.set_defaults(handler=_search_attributes)


async def _search_attributes(args: argparse.Namespace) -> int:
    from ....search_attributes import register_search_attributes

    client = await connect_client(args)
    added = await register_search_attributes(client.temporal)
    namespace = client.temporal.namespace
    print(f"namespace {namespace!r}: " + (f"registered {', '.join(added)}" if added else "all are registered already"))
    return 0
