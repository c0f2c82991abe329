"""Where the time went: of what was under way at once, what ended last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sostenuto.history.trace.shares import critical_path, percentages, shares_of
from sostenuto.history.trace.step import TraceStep

BEGIN = datetime(2026, 11, 29, tzinfo=UTC)


def step(kind: Any, begin: float, end: float | None, *steps: TraceStep, waited: float = 0.0) -> TraceStep:
    return TraceStep(
        kind=kind,
        name=kind,
        path="run",
        started_at=BEGIN + timedelta(seconds=begin),
        seconds=None if end is None else end - begin,
        waited_seconds=waited,
        steps=steps,
    )


def shares(run: TraceStep) -> dict[str, float]:
    return {share.what: round(share.seconds, 6) for share in shares_of(run)}


def test_one_after_the_other() -> None:
    run = step("run", 0, 10, step("model", 1, 4, waited=1), step("tool", 4, 9), step("retrieval", 9, 10))
    assert shares(run) == {"tool": 5.0, "model": 2.0, "waiting": 1.0, "retrieval": 1.0, "between": 1.0}
    assert percentages(shares_of(run))[0] == ("tool", 50)


def test_a_call_that_waited_for_a_person() -> None:
    call = step("tool", 0, 10, waited=9).model_copy(update={"person_seconds": 8.0})
    assert shares(step("run", 0, 10, call)) == {"person": 8.0, "waiting": 1.0, "tool": 1.0}


def test_of_several_at_once_that_which_ended_last() -> None:
    run = step("run", 0, 10, step("tool", 0, 10), step("model", 0, 9), step("model", 2, 3))
    assert shares(run) == {"tool": 10.0}
    run = step("run", 0, 10, step("tool", 5, 10), step("model", 0, 9))
    assert shares(run) == {"tool": 5.0, "model": 5.0}


def test_a_call_of_a_nested_run_counts_by_what_is_in_it() -> None:
    inner = step("run", 1, 9, step("model", 2, 8))
    run = step("run", 0, 10, step("tool", 1, 9, inner))
    assert shares(run) == {"model": 6.0, "between": 4.0}


def test_nothing_and_what_goes_on() -> None:
    assert shares(step("run", 0, 0)) == {}
    assert percentages(()) == []
    running = step("run", 0, None, step("model", 1, 3), step("tool", 3, None))
    assert shares(running) == {"model": 2.0, "between": 1.0}


def test_the_critical_path_goes_from_the_end_to_the_start() -> None:
    first, short, long = step("model", 0, 4, waited=1), step("tool", 4, 5), step("tool", 4, 9)
    run = step("run", 0, 10, first, short, step("tool", 4, 9, step("run", 4, 9, long)))
    found = [*critical_path(run)]
    assert [stretch.step for stretch in found] == [long, first]
    times = [[(at - BEGIN).total_seconds() for at in (one.begin, one.working, one.end)] for one in found]
    assert times == [[4.0, 4.0, 9.0], [0.0, 1.0, 4.0]]


def test_a_nested_run_of_which_nothing_is_told_counts_itself() -> None:
    untold = step("run", 1, 9).model_copy(update={"untold": "it is past the retention time"})
    assert shares(step("run", 0, 10, untold)) == {"run": 8.0, "between": 2.0}
    assert shares(step("run", 0, 10, step("tool", 1, 9, untold))) == {"run": 8.0, "between": 2.0}
