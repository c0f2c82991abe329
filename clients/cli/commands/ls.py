"""`sostenuto ls`: lists runs, or chats."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from ..arguments.option_types import at_least_one
from ..session import add_connection_options, connect_client
from ..terminal import answer, open_console

if TYPE_CHECKING:
    from rich.table import Table

    from ...chats.summary import ChatSummary
    from ...summary import RunSummary

_PIPE_COLUMNS = 240


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "ls", help="list runs, or chats", description="List runs, or chats, the newest first."
    )
    parser.add_argument("--query", help="Temporal visibility query, such as \"SostenutoStatus = 'failed'\"")
    parser.add_argument("--limit", type=at_least_one, default=20, help="most to list (default: 20)")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--nested", action="store_true", help="list runs that other runs started too")
    kind.add_argument("--chats", action="store_true", help="list chats, in place of runs")
    parser.add_argument("--json", action="store_true", help="print each as a line of JSON")
    add_connection_options(parser)
    parser.set_defaults(handler=_ls)


async def _ls(args: argparse.Namespace) -> int:
    client = await connect_client(args)
    rows: Sequence[RunSummary | ChatSummary]
    if args.chats:
        rows = chats = await client.chats(args.query, limit=args.limit)
        table = partial(_table_of_chats, chats)
    else:
        rows = runs = await client.list(args.query, limit=args.limit, nested=args.nested)
        table = partial(_table_of_runs, runs)
    if args.json:
        for row in rows:
            answer(row.model_dump_json())
    else:
        # In a pipe there is no width to fit, and a run's id must stay whole.
        open_console(width=None if sys.stdout.isatty() else _PIPE_COLUMNS).print(table())
    return 0


def _table_of_runs(rows: Iterable[RunSummary]) -> Table:
    cells = (
        (
            row.id,
            row.runnable,
            row.status,
            "" if row.cost_usd is None else f"${row.cost_usd:.4f}",
            "" if row.tokens is None else f"{row.tokens:,}",
            "" if row.seconds is None else f"{row.seconds:.1f}",
            _when(row.started_at),
        )
        for row in rows
    )
    return _table(("RUN", "RUNNABLE", "STATUS"), ("COST", "TOKENS", "SECONDS", "STARTED"), cells)


def _table_of_chats(rows: Iterable[ChatSummary]) -> Table:
    cells = (
        (
            row.id,
            row.title,
            row.runnable,
            "open" if row.is_open else "ended",
            f"${row.cost_usd:.4f}",
            f"{row.tokens:,}",
            _when(row.started_at),
        )
        for row in rows
    )
    return _table(("CHAT", "TITLE", "RUNNABLE", "STATE"), ("COST", "TOKENS", "STARTED"), cells)


def _table(texts: Iterable[str], numbers: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in texts:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _when(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
