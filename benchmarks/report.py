"""From measurements to the table: medians, ratios, and whether each goal was met. Must not measure anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from rich.table import Table

from .imports import Imports
from .load import Load
from .measure import HistorySize, Outcome, Timing


@dataclass(slots=True)
class Measurements:
    """Everything that was measured, each by the contender's name."""

    timings: dict[tuple[Load, str], list[Timing]] = field(default_factory=dict)
    histories: dict[tuple[Load, str], HistorySize] = field(default_factory=dict)
    turns_per_second: dict[str, list[float]] = field(default_factory=dict)
    outcomes: dict[tuple[Load, str], Outcome] = field(default_factory=dict)
    imports: Imports | None = None

    def timing(self, load: Load, name: str) -> Timing:
        """Medians over the rounds."""
        rounds = self.timings[load, name]
        return Timing(
            ms=median(t.ms for t in rounds),
            cpu_ms=median(t.cpu_ms for t in rounds),
            last_ms=median(t.last_ms for t in rounds),
            last_cpu_ms=median(t.last_cpu_ms for t in rounds),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    figure: str
    ours: float | str
    naive: float | str | None = None
    goal: str = ""
    met: bool | None = None
    """None where there is no goal."""

    @property
    def ratio(self) -> float | None:
        """Ours through naive."""
        numbers = isinstance(self.ours, int | float) and isinstance(self.naive, int | float)
        return self.ours / self.naive if numbers and self.naive else None  # type: ignore[operator]


def rows(measured: Measurements) -> list[Row]:
    """The table's lines, in the order in which they are read."""
    return [*_times(measured), *_cpu(measured), *_history(measured), *_outcomes(measured), *_imports(measured)]


def _loads(measured: Measurements, *, fast: bool) -> list[Load]:
    loads = {load for load, _ in measured.timings if load.fast == fast}
    return sorted(loads, key=lambda load: load.turns)


def _naive(load: Load) -> Load:
    """What the naive loop did beside it."""
    return Load(load.turns, load.result_bytes)


def _times(measured: Measurements) -> Iterator[Row]:
    for load in (*_loads(measured, fast=False), *_loads(measured, fast=True)):
        ours, naive = (measured.timing(load, "ours").ms, measured.timing(_naive(load), "naive").ms)
        figure = f"ms per turn, {load.turns} turns{' (fast tool)' if load.fast else ''}"
        longest = load.turns == max(other.turns for other in _loads(measured, fast=False))
        goal, met = ("< naive", ours < naive) if longest else ("<= naive", ours <= naive)
        yield Row(figure, ours, naive, goal, met)
    ours, naive = (median(measured.turns_per_second[name]) for name in ("ours", "naive"))
    yield Row("turns/s, many runs at once", ours, naive, ">= naive", ours >= naive)


def _cpu(measured: Measurements) -> Iterator[Row]:
    loads = _loads(measured, fast=False)
    for load in loads:
        ours, naive = measured.timing(load, "ours"), measured.timing(load, "naive")
        yield Row(f"worker CPU ms per turn, {load.turns} turns", ours.cpu_ms, naive.cpu_ms)
        yield Row(f"worker CPU ms per turn, last 10 of {load.turns}", ours.last_cpu_ms, naive.last_cpu_ms)
    for figure, name in (("worker CPU", "cpu_ms"), ("worker CPU, last 10 turns", "last_cpu_ms")):
        ours, naive = (
            getattr(measured.timing(loads[-1], who), name) / getattr(measured.timing(loads[0], who), name)
            for who in ("ours", "naive")
        )
        yield Row(f"{figure}: {loads[-1].turns} turns / {loads[0].turns} turns", ours, naive, "<= 1.25", ours <= 1.25)


def _history(measured: Measurements) -> Iterator[Row]:
    for load in (*_loads(measured, fast=False), *_loads(measured, fast=True)):
        ours, naive = measured.histories[load, "ours"], measured.histories[_naive(load), "naive"]
        label = f"{load.turns} turns{' (fast tool)' if load.fast else ''}"
        most = 7 if load.fast else 12
        yield Row(
            f"events per turn, {label}", ours.turn_events, naive.turn_events, f"<= {most}", ours.turn_events <= most
        )
        yield Row(f"history bytes per turn, {label}", ours.turn_bytes, naive.turn_bytes)
        limit = 900_000 if load.turns == 200 else None
        yield Row(
            f"whole history bytes, {label}",
            ours.bytes,
            naive.bytes,
            f"< {limit:,}" if limit else "",
            ours.bytes < limit if limit else None,
        )
    first, *_, last = _loads(measured, fast=False)
    ours_growth, naive_growth = (
        measured.histories[last, who].turn_bytes / measured.histories[first, who].turn_bytes
        for who in ("ours", "naive")
    )
    figure = f"history bytes per turn: {last.turns} turns / {first.turns} turns"
    yield Row(figure, ours_growth, naive_growth, "0.9 to 1.1", 0.9 <= ours_growth <= 1.1)


def _outcomes(measured: Measurements) -> Iterator[Row]:
    for load in dict.fromkeys(load for load, _ in measured.outcomes):
        ours, naive = measured.outcomes[load, "ours"], measured.outcomes.get((load, "naive"))
        label = f"{load.turns:,} turns of {load.result_bytes // 1000} KB"
        yield Row(label, _told(ours), _told(naive) if naive else None, "completed", ours.completed)
        yield Row(f"{label}: model calls", ours.history.model_calls, naive.history.model_calls if naive else None)
        yield Row(f"{label}: executions", ours.history.executions, naive.history.executions if naive else None)
        yield Row(f"{label}: whole history bytes", ours.history.bytes, naive.history.bytes if naive else None)
        yield Row(f"{label}: history bytes per turn", ours.history.bytes / load.turns)


def _told(outcome: Outcome) -> str:
    return f"{outcome.how} in {outcome.seconds:.0f} s" if outcome.completed else outcome.how


def _imports(measured: Measurements) -> Iterator[Row]:
    if measured.imports is None:
        return
    ours, temporal = measured.imports.ours_seconds, measured.imports.temporal_seconds
    yield Row("import seconds (beside temporalio.client)", ours, temporal, "< 0.5 more", ours - temporal < 0.5)
    heavy = ", ".join(measured.imports.heavy) or "none"
    yield Row("heavy modules that the import loads", heavy, None, "none", not measured.imports.heavy)


def table(lines: list[Row], title: str) -> Table:
    """The lines for a terminal."""
    drawn = Table(title=title)
    drawn.add_column("figure", no_wrap=True)
    for name in ("ours", "naive", "ratio"):
        drawn.add_column(name, justify="right")
    for name in ("goal", "met"):
        drawn.add_column(name)
    for row in lines:
        drawn.add_row(*_cells(row))
    return drawn


def markdown(lines: list[Row]) -> str:
    """The lines for a page."""
    head = ["| figure | ours | naive | ratio | goal | met |", "|---|---:|---:|---:|---|---|"]
    return "\n".join([*head, *("| " + " | ".join(_cells(row)) + " |" for row in lines)])


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    met = {True: "yes", False: "NO", None: ""}[row.met]
    return (row.figure, _cell(row.ours), _cell(row.naive), ratio, row.goal, met)


def _cell(value: float | str | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:,.0f}" if value >= 1000 or float(value).is_integer() else f"{value:.2f}"
