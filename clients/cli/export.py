"""`sostenuto export`: writes a run's history, as Temporal's own tools and `sostenuto replay` read it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ...contracts.errors import SpecError
from .session import add_connection_options, connect


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "export",
        help="write the history of a run",
        description="Write the history of a run as JSON, in the form that Temporal's UI and `sostenuto replay` read.",
    )
    parser.add_argument("id", metavar="ID", help="name of the run")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to write it (default: stdout)")
    add_connection_options(parser)
    parser.set_defaults(handler=_export)


async def _export(args: argparse.Namespace) -> int:
    client = await connect(args)
    history = await client.history(args.id)
    if args.output is None:
        print(history.to_json())
    else:
        try:
            args.output.write_text(history.to_json() + "\n")
        except OSError as error:
            raise SpecError(f"{args.output} cannot be written: {error.strerror}") from error
        print(f"{len(history.events)} events written to {args.output}", file=sys.stderr)
    return 0
