"""Ledgers in a list: a line each, or a few short ones where the screen is narrow."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ...contracts.text import plural
from .ledger_lines import summary_note, tightest
from .terminal import open_console

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ..ledgers.summary import LedgerSummary

_FIGURES = ("SPENT", "HELD", "LIMIT", "LEFT")


def print_ledgers(found: Sequence[LedgerSummary], now: datetime, console: Console | None = None) -> None:
    """Print ledgers, each with the limit of which the least part is left.

    Args:
        found: Which.
        now: What time it is.
        console: Where. Default: the output, of which a pipe is as wide as it takes.
    """
    table = _table(found, now)
    if console is None:
        console = open_console()
        if not sys.stdout.isatty():
            console = open_console(width=_width(table))
    if _width(table) <= console.width:
        console.print(table)
        return
    for one in found:
        for line in _lines(one, now):
            console.print(line, highlight=False, markup=False, soft_wrap=False)


def _table(found: Sequence[LedgerSummary], now: datetime) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("LEDGER", no_wrap=True)
    for name in (*_FIGURES, "RUNS"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("NOTES", no_wrap=True)
    for one in found:
        runs = str(one.state.runs) if one.state else ""
        table.add_row(*map(Text, (one.name, *_figures(one), runs, summary_note(one, now))))
    return table


def _width(table: Table) -> int:
    """Return how wide a table is where nothing of it is cut."""
    from rich.measure import Measurement

    endless = open_console(width=10_000)
    return Measurement.get(endless, endless.options, table).maximum


def _lines(one: LedgerSummary, now: datetime) -> Iterator[str]:
    yield one.name
    if one.state:
        spent, held, limit, left = _figures(one)
        of = f"{left} left of {limit}" if left else f"limit {limit}"
        yield f"  {of}: {spent} spent, {held} held by {plural(one.state.runs, 'run')}"
    yield f"  {summary_note(one, now)}"


def _figures(one: LedgerSummary) -> Sequence[str]:
    """Return what is spent, held, allowed and left, each with its unit."""
    if one.state is None:
        return [""] * len(_FIGURES)
    row = tightest(one.state)
    unit = "" if row.kind == "usd" else f" {row.kind}"
    return [
        figure + unit if figure and figure != "none" else figure
        for figure in (row.spent, row.held, row.limit, row.left)
    ]
