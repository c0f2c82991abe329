"""`sostenuto ls`: lists runs, or chats."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from ....contracts.text import plural
from ..arguments.option_types import at_least_one
from ..session import add_connection_options, connect_client
from ..terminal import answer, open_console

if TYPE_CHECKING:
    from rich.table import Table

    from ...calls.run_lists import ListOrder
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
    parser.add_argument("--cost", action="store_true", help="those first that cost most, and the sum of what is listed")
    parser.add_argument("--json", action="store_true", help="print each as a line of JSON")
    add_connection_options(parser)
    parser.set_defaults(handler=_ls)


async def _ls(args: argparse.Namespace) -> int:
    client = await connect_client(args)
    rows: Sequence[RunSummary | ChatSummary]
    order: ListOrder = "cost" if args.cost else "time"
    if args.chats:
        rows = chats = await client.chats(args.query, limit=args.limit, order=order)
        table = partial(_table_of_chats, chats, with_sum=args.cost)
    else:
        rows = runs = await client.list(args.query, limit=args.limit, nested=args.nested, order=order)
        table = partial(_table_of_runs, runs, with_sum=args.cost)
    if args.json:
        for row in rows:
            answer(row.model_dump_json())
    else:
        # In a pipe there is no width to fit, and a run's id must stay whole.
        open_console(width=None if sys.stdout.isatty() else _PIPE_COLUMNS).print(table())
    return 0


def _table_of_runs(rows: Sequence[RunSummary], *, with_sum: bool) -> Table:
    cells = [
        (
            row.id,
            row.runnable,
            _with_awaited(row.status, row.awaits),
            "" if row.cost_usd is None else _dollars(row.cost_usd, is_whole=row.is_whole),
            "" if row.tokens is None else f"{row.tokens:,}",
            "" if row.seconds is None else f"{row.seconds:.1f}",
            _when(row.started_at),
        )
        for row in rows
    ]
    if with_sum:
        counted = [row for row in rows if not _is_in_another(row, rows)]
        cost, tokens = sum(row.cost_usd or 0.0 for row in counted), sum(row.tokens or 0 for row in counted)
        whole = all(row.is_whole for row in counted)
        cells.append((plural(len(rows), "run"), "", "", _dollars(cost, is_whole=whole), f"{tokens:,}", "", ""))
    return _table(("RUN", "RUNNABLE", "STATUS"), ("COST", "TOKENS", "SECONDS", "STARTED"), cells)


def _is_in_another(row: RunSummary, rows: Iterable[RunSummary]) -> bool:
    """Return whether what a run used is in what another one says that it used."""
    from ....contracts.wire.places import Place

    # A nested run that goes on is in none yet.
    return row.ended_at is not None and any(Place(row.id).is_within(Place(one.id)) for one in rows if one is not row)


def _table_of_chats(rows: Sequence[ChatSummary], *, with_sum: bool) -> Table:
    cells = [
        (
            row.id,
            row.title,
            row.runnable,
            _with_awaited("open" if row.is_open else "ended", row.awaits),
            _dollars(row.cost_usd),
            f"{row.tokens:,}",
            _when(row.started_at),
        )
        for row in rows
    ]
    if with_sum:
        cost, tokens = sum(row.cost_usd for row in rows), sum(row.tokens for row in rows)
        cells.append((plural(len(rows), "chat"), "", "", "", _dollars(cost), f"{tokens:,}", ""))
    return _table(("CHAT", "TITLE", "RUNNABLE", "STATE"), ("COST", "TOKENS", "STARTED"), cells)


def _with_awaited(state: str, awaits: str) -> str:
    return f"{state}, awaits {awaits}" if awaits else state


def _dollars(dollars: float, *, is_whole: bool = True) -> str:
    """Return US dollars, with `+` behind them where it is that much at least."""
    return f"${dollars:.4f}" + ("" if is_whole else "+")


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
