"""The benchmark's verdicts follow from its measurements, and from nothing else."""

from benchmarks.imports import Imports
from benchmarks.load import Load
from benchmarks.measure import HistorySize, Outcome, Timing
from benchmarks.report import Measurements, Row, compared, markdown, rows

SHORT, LONG = Load(10), Load(200)
FLAT = {SHORT: HistorySize(1, 11, 131, 45_000, 12, 4_000), LONG: HistorySize(1, 201, 2_411, 830_000, 12, 4_100)}
GROWING = {SHORT: HistorySize(1, 11, 131, 98_000, 13, 8_000), LONG: HistorySize(1, 201, 2_411, 25_000_000, 13, 9_000)}


def measured(ours: dict[Load, HistorySize], ms: float, cpu_ms: float) -> Measurements:
    timings = {
        **{(load, "naive"): [Timing(30, 10, 30, 10)] * 3 for load in (SHORT, LONG)},
        (SHORT, "ours"): [Timing(30, 10, 30, 10)] * 3,
        (LONG, "ours"): [Timing(ms, cpu_ms, ms, cpu_ms)] * 3,
    }
    return Measurements(
        timings=timings,
        histories={(load, who): size for load, size in ours.items() for who in ("ours", "naive")},
        turns_per_second={"ours": [50.0], "naive": [50.0]},
        outcomes={(LONG, "ours"): Outcome("completed", 1.0, ours[LONG])},
        imports=Imports(0.5, 0.3, ()),
    )


def missed(lines: list[Row]) -> set[str]:
    return {row.figure for row in lines if row.met is False}


def test_every_goal_can_be_met() -> None:
    lines = rows(measured(FLAT, ms=29, cpu_ms=12))
    assert missed(lines) == set()
    assert sum(row.met is True for row in lines) == 12


def test_every_kind_of_growth_misses_its_goal() -> None:
    lines = rows(measured(GROWING, ms=30, cpu_ms=13))
    assert missed(lines) == {
        "ms per turn, 200 turns",
        "worker CPU: 200 turns / 10 turns",
        "worker CPU, last 10 turns: 200 turns / 10 turns",
        "events per turn, 10 turns",
        "events per turn, 200 turns",
        "whole history bytes, 200 turns",
        "history bytes per turn: 200 turns / 10 turns",
    }


def test_the_ratio_is_taken_within_each_round() -> None:
    # The machine slowed down threefold in the second round, for both.
    assert compared("ms", [8, 24, 9], [10, 30, 10], "<=").ratio == 0.8


def test_a_run_that_fails_and_a_heavy_import_are_told() -> None:
    bad = measured(FLAT, ms=29, cpu_ms=10)
    bad.outcomes[LONG, "ours"] = Outcome("stuck", 30.0, FLAT[LONG])
    bad.imports = Imports(0.9, 0.3, ("numpy",))
    bad.turns_per_second["ours"] = [49.0]
    assert missed(rows(bad)) == {
        "200 turns of 1 KB",
        "import seconds (beside temporalio.client)",
        "heavy modules that the import loads",
        "turns/s, many runs at once",
    }


def test_the_page_shows_a_missed_goal() -> None:
    line = markdown([Row("ms", 1234.5, 2.25, "< naive", met=False, ratio=0.5)]).splitlines()[-1]
    assert line == "| ms | 1,234 | 2.25 | 0.50 | < naive | NO |"
