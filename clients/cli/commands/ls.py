"""`sostenuto ls`: lists runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..option_types import at_least_one
from ..session import add_connection_options, connect_client
from ..terminal import answer, open_console

if TYPE_CHECKING:
    from rich.table import Table

    from ...summary import RunSummary

_PIPE_COLUMNS = 240


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("ls", help="list runs", description="List runs, the newest first.")
    parser.add_argument("--query", help="Temporal visibility query, such as \"SostenutoStatus = 'failed'\"")
    parser.add_argument("--limit", type=at_least_one, default=20, help="most runs to list (default: 20)")
    parser.add_argument("--nested", action="store_true", help="list runs that other runs started too")
    parser.add_argument("--json", action="store_true", help="print each run as a line of JSON")
    add_connection_options(parser)
    parser.set_defaults(handler=_ls)


async def _ls(args: argparse.Namespace) -> int:
    client = await connect_client(args)
    rows = await client.list(args.query, limit=args.limit, nested=args.nested)
    if args.json:
        for row in rows:
            answer(row.model_dump_json())
    else:
        # In a pipe there is no width to fit, and a run's id must stay whole.
        open_console(width=None if sys.stdout.isatty() else _PIPE_COLUMNS).print(_table(rows))
    return 0


def _table(rows: Iterable[RunSummary]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("RUN", "RUNNABLE", "STATUS"):
        table.add_column(name, overflow="fold")
    for name in ("COST", "TOKENS", "SECONDS", "STARTED"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        cells = (
            row.id,
            row.runnable,
            row.status,
            "" if row.cost_usd is None else f"${row.cost_usd:.4f}",
            "" if row.tokens is None else f"{row.tokens:,}",
            "" if row.seconds is None else f"{row.seconds:.1f}",
            row.started_at.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        )
        table.add_row(*(Text(cell) for cell in cells))
    return table
