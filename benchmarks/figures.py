"""Figures with their goals, as a table."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    figure: str
    ours: float
    beside: float | None = None
    """What stands beside it: see the figure."""
    goal: str = ""
    met: bool | None = None


def show(rows: Iterable[Row]) -> bool:
    """Print the table; return whether no goal was missed."""
    table = Table(title=f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for column in ("figure", "ours", "beside", "goal", "met"):
        table.add_column(column)
    shown = list(rows)
    for row in shown:
        beside = "" if row.beside is None else f"{row.beside:,.2f}"
        table.add_row(row.figure, f"{row.ours:,.2f}", beside, row.goal, {None: "", True: "yes", False: "NO"}[row.met])
    Console(width=130).print(table)
    return all(row.met is not False for row in shown)
