"""Makes the table: medians, ratios, and whether each goal was met.

Must not measure anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from rich.table import Table

from benchmarks.imports import Imports
from benchmarks.load import Load
from benchmarks.measure import WINDOW, HistorySize, Outcome, Timing

WHO = ("ours", "naive")


@dataclass(slots=True)
class Measurements:
    """Everything that was measured, each by the contender's name."""

    timings: dict[tuple[Load, str], list[Timing]] = field(default_factory=dict)
    histories: dict[tuple[Load, str], HistorySize] = field(default_factory=dict)
    turns_per_second: dict[str, list[float]] = field(default_factory=dict)
    outcomes: dict[tuple[Load, str], Outcome] = field(default_factory=dict)
    imports: Imports | None = None

    def rounds(self, load: Load, who: str, name: str) -> list[float]:
        """Return a field of `Timing` in each round."""
        return [getattr(timing, name) for timing in self.timings[load, who]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    figure: str
    ours: float | str
    naive: float | str | None = None
    goal: str = ""
    met: bool | None = None
    """None where there is no goal."""
    ratio: float | None = None
    """Ours through naive."""


def compared(figure: str, ours: Sequence[float], naive: Sequence[float], goal: str = "") -> Row:
    """Return a line of medians over the rounds.

    The ratio is taken within each round, where both met the same machine.

    Args:
        figure: What was measured.
        ours: A value for each round.
        naive: The same rounds.
        goal: How ours is to stand to the naive value: `<`, `<=` or `>=`, empty for no goal.
    """
    ratio = median(one / other for one, other in zip(ours, naive, strict=True))
    met = {"": None, "<": ratio < 1, "<=": ratio <= 1, ">=": ratio >= 1}[goal]
    return Row(figure, median(ours), median(naive), f"{goal} naive" if goal else "", met, ratio)


def single(figure: str, ours: float, naive: float | None = None, goal: str = "", *, met: bool | None = None) -> Row:
    """Return a line of what one measurement tells, for it does not vary."""
    return Row(figure, ours, naive, goal, met, ours / naive if naive else None)


def rows(measured: Measurements) -> list[Row]:
    """Return the table's lines, in the order in which they are read."""
    return [*_times(measured), *_cpu(measured), *_history(measured), *_outcomes(measured), *_imports(measured)]


def _loads(measured: Measurements, *, fast: bool) -> list[Load]:
    loads = {load for load, _ in measured.timings if load.fast == fast}
    return sorted(loads, key=lambda load: load.turns)


def _naive(load: Load) -> Load:
    """Return what the naive loop did beside it."""
    return Load(load.turns, load.result_bytes)


def _label(load: Load) -> str:
    return f"{load.turns} turns{' (fast tool)' if load.fast else ''}"


def _times(measured: Measurements) -> Iterator[Row]:
    plain = _loads(measured, fast=False)
    for load in (*plain, *_loads(measured, fast=True)):
        goal = "<" if load.turns == plain[-1].turns else "<="
        ours, naive = measured.rounds(load, "ours", "ms"), measured.rounds(_naive(load), "naive", "ms")
        yield compared(f"ms per turn, {_label(load)}", ours, naive, goal)
    ours, naive = (measured.turns_per_second[who] for who in WHO)
    yield compared("turns/s, many runs at once", ours, naive, ">=")


def _cpu(measured: Measurements) -> Iterator[Row]:
    loads = _loads(measured, fast=False)
    for load in loads:
        for name, label in (("cpu_ms", f"{load.turns} turns"), ("last_cpu_ms", f"last {WINDOW} of {load.turns}")):
            ours, naive = (measured.rounds(load, who, name) for who in WHO)
            yield compared(f"worker CPU ms per turn, {label}", ours, naive)
    for name, label in (("cpu_ms", ""), ("last_cpu_ms", f", last {WINDOW} turns")):
        first, last = ([median(measured.rounds(load, who, name)) for who in WHO] for load in (loads[0], loads[-1]))
        growth = [much / little for much, little in zip(last, first, strict=True)]
        figure = f"worker CPU{label}: {loads[-1].turns} turns / {loads[0].turns} turns"
        yield single(figure, growth[0], growth[1], "<= 1.25", met=growth[0] <= 1.25)


def _history(measured: Measurements) -> Iterator[Row]:
    plain = _loads(measured, fast=False)
    for load in (*plain, *_loads(measured, fast=True)):
        ours, naive = measured.histories[load, "ours"], measured.histories[_naive(load), "naive"]
        most = 7 if load.fast else 12
        events, label = ours.turn_events, _label(load)
        yield single(f"events per turn, {label}", events, naive.turn_events, f"<= {most}", met=events <= most)
        yield single(f"history bytes per turn, {label}", ours.turn_bytes, naive.turn_bytes)
        bound = load.turns == 200
        goal, met = ("< 900,000", ours.bytes < 900_000) if bound else ("", None)
        yield single(f"whole history bytes, {label}", ours.bytes, naive.bytes, goal, met=met)
    growth = [
        measured.histories[plain[-1], who].turn_bytes / measured.histories[plain[0], who].turn_bytes for who in WHO
    ]
    figure = f"history bytes per turn: {plain[-1].turns} turns / {plain[0].turns} turns"
    yield single(figure, growth[0], growth[1], "0.9 to 1.1", met=0.9 <= growth[0] <= 1.1)


def _outcomes(measured: Measurements) -> Iterator[Row]:
    for load in dict.fromkeys(load for load, _ in measured.outcomes):
        ours, naive = measured.outcomes[load, "ours"], measured.outcomes.get((load, "naive"))
        label = f"{load.turns:,} turns of {load.result_bytes // 1000} KB"
        yield Row(label, _told(ours), _told(naive) if naive else None, "completed", ours.completed)
        for name in ("model_calls", "executions", "bytes"):
            other = getattr(naive.history, name) if naive else None
            yield Row(f"{label}: {name.replace('_', ' ')}", getattr(ours.history, name), other)
        yield Row(f"{label}: history bytes per turn", ours.history.bytes / load.turns)


def _told(outcome: Outcome) -> str:
    return f"{outcome.how} in {outcome.seconds:.0f} s" if outcome.completed else outcome.how


def _imports(measured: Measurements) -> Iterator[Row]:
    if measured.imports is None:
        return
    ours, temporal = measured.imports.ours_seconds, measured.imports.temporal_seconds
    met = ours - temporal < 0.5
    yield single("import seconds (beside temporalio.client)", ours, temporal, "< 0.5 more", met=met)
    heavy = ", ".join(measured.imports.heavy) or "none"
    yield Row("heavy modules that the import loads", heavy, None, "none", not measured.imports.heavy)


def table(lines: list[Row], title: str) -> Table:
    """Return the lines for a terminal."""
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
    """Return the lines for a page."""
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
