"""`sostenuto export`: writes a run's history to a file.

Temporal's own tools and `sostenuto replay` read it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .....contracts.errors import SpecError
from .....contracts.wire.places import Place
from ...session import add_connection_options, connect_client
from ...terminal import say

if TYPE_CHECKING:
    from temporalio.client import WorkflowHistory


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "export",
        help="write the history of a run",
        description="Write the history of a run as JSON, in the form that Temporal's UI and `sostenuto replay` read.",
    )
    parser.add_argument("id", metavar="ID", help="name of the run")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to write it (default: stdout)")
    parser.add_argument(
        "--nested", action="store_true", help="write those of the runs nested in it too, into FILE.nested"
    )
    add_connection_options(parser)
    parser.set_defaults(handler=_export)


async def _export(args: argparse.Namespace) -> int:
    if args.nested and args.output is None:
        raise SpecError("--nested writes several files: name the first one by -o FILE")
    client = await connect_client(args)
    history = await client.history(args.id)
    if args.output is None:
        print(history.to_json())
        return 0
    _write(history, args.output)
    if args.nested:
        from .....history.reading.exported import nested_directory

        directory = nested_directory(args.output)
        # One that ran in several executions is written as the newest was.
        for nested in dict.fromkeys(await (await client.get(args.id)).nested()):
            file = directory / f"{Place(nested).below(args.id)}.json"
            _write(await client.history(nested), file, nested=True)
    return 0


def _write(history: WorkflowHistory, file: Path, *, nested: bool = False) -> None:
    try:
        if nested:
            file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(history.to_json() + "\n")
    except OSError as error:
        raise SpecError(f"{file} cannot be written: {error.strerror}") from error
    say(f"{len(history.events)} events written to {file}")
