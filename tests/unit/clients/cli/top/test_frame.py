"""What is shown of all runs fits any screen, says what is wrong, and obeys nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len

from sostenuto.clients.cli.terminal import harmless
from sostenuto.clients.cli.top.columns import columns, state_of
from sostenuto.clients.cli.top.frame import board_lines, whole_lines
from sostenuto.clients.cli.top.help import help_page
from sostenuto.clients.cli.top.view import View
from sostenuto.clients.overview.overview import Endings, LateEnd, OpenRun, Overview, QueueLoad, Trouble, Wait
from sostenuto.contracts.wire.totals import Totals

NOW = datetime(2026, 1, 1, 3, tzinfo=UTC)
EVIL = "\x1b[2J\x1b]0;t\x07\u202e\n界界"
WIDTHS = (20, 40, 59, 60, 70, 80, 90, 100, 120, 240)


def _trouble(id: str, reason: str, attempt: int = 7) -> Trouble:
    return Trouble(
        kind="retried",
        run_id=id,
        task_queue="q",
        step="support:turn-1",
        attempt=attempt,
        reason=reason,
        next_at=NOW + timedelta(seconds=9),
    )


def _overview(number: int = 3) -> Overview:
    runs = tuple(
        OpenRun(
            id=f"run-{n}{EVIL}",
            runnable=f"support{EVIL}",
            tenant=f"t{n}{EVIL}",
            started_at=NOW - timedelta(minutes=n),
            last_at=NOW - timedelta(seconds=n),
            waits=(Wait(kind="model", name=f"scripted/m{EVIL}"),),
            troubles=(_trouble("x", f"RateLimited {EVIL}"),) if n % 2 else (),
            totals=Totals(cost_usd=12.3456 * n),
        )
        for n in range(number)
    )
    late = LateEnd(id=f"late{EVIL}", status="failed", ended_at=NOW, reason=f"why{EVIL}")
    return Overview(
        at=NOW,
        namespace="default",
        tenant=f"t{EVIL}",
        running=number,
        runs=runs,
        queues=(QueueLoad(name=f"q{EVIL}", backlog=3, backlog_seconds=70), QueueLoad(name="r", workers=2)),
        ended=Endings(minutes=15, counts={"completed": 4, "failed": 1}, cost_usd=0.5, late=(late,)),
    )


def _view(overview: Overview | None = None) -> View:
    view = View()
    view.take(overview or _overview())
    return view


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("height", [1, 5, 12, 24, 60])
@pytest.mark.parametrize("number", [0, 3, 90])
def test_it_fits_the_screen_and_is_harmless(width: int, height: int, number: int) -> None:
    lines = board_lines(_view(_overview(number)), NOW, width, height, f"default at {EVIL}")
    assert len(lines) <= height
    assert max(cell_len(line.plain) for line in lines) <= width
    assert all(harmless(line.plain) == line.plain and "\n" not in line.plain for line in lines)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_away_stands_at_the_top_and_what_was_seen_stays(width: int) -> None:
    view = _view()
    view.away = f"what runs: the server does not answer {EVIL}"
    lines = [line.plain for line in board_lines(view, NOW + timedelta(seconds=8), width, 30, "here")]
    assert lines[1].startswith("AWAY, as it was 8s ago: ")
    assert any(line.startswith("RETRIED 7x") for line in lines)
    assert lines[-1].endswith("q quit")


def test_before_the_first_look() -> None:
    assert board_lines(View(), NOW, 80, 24, "here")[1].plain == "asking the server …"


@pytest.mark.parametrize("place", [0, 1, 40, 89])
def test_the_selected_run_is_on_the_screen(place: int) -> None:
    view = _view(_overview(90))
    view.press("end")
    view.selected = view.runs[place].id
    lines = board_lines(view, NOW, 100, 24, "here")
    assert [line.plain.split()[0] for line in lines if "reverse" in [span.style for span in line.spans]] == [
        state_of(view.runs[place]).split()[0]
    ]


def test_a_reason_that_several_have_is_told_once() -> None:
    overview = _overview()
    runs = tuple(
        OpenRun(id=f"r{n}", started_at=NOW, troubles=(_trouble(f"r{n}", "the provider is down"),)) for n in range(3)
    )
    lines = whole_lines(overview.model_copy(update={"runs": runs}), 100, "here")
    assert sum("the provider is down" in line.plain for line in lines) == 1


def test_what_is_missing_of_a_cost_is_said() -> None:
    runs = (
        OpenRun(id="part", started_at=NOW, is_whole=False, totals=Totals(cost_usd=0.5)),
        OpenRun(id="free", started_at=NOW, totals=Totals(unpriced_calls=2)),
        OpenRun(id="none", started_at=NOW, was_seen=False, is_whole=False),
    )
    overview = _overview().model_copy(update={"runs": runs, "running": 5})
    told = [line.plain for line in whole_lines(overview, 120, "here")]
    assert "3 not looked at yet   $0.5000+ so far" in told[1]
    assert next(line for line in told if "part" in line).split()[-1] == "$0.5000+"
    assert next(line for line in told if line.startswith("runs") and "free" in line).split()[-1] == "?"
    assert next(line for line in told if "none" in line).split()[0] == "?"


def test_what_matters_less_is_left_out_of_a_narrow_table() -> None:
    def shown(width: int) -> list[str]:
        return [column.title for column in columns(width, with_tenants=True)]

    assert shown(120) == ["STATE", "RUN", "RUNNABLE", "TENANT", "AGE", "QUIET", "CALLS", "COST", "WAITS FOR"]
    assert shown(80) == ["STATE", "RUN", "AGE", "QUIET", "COST", "WAITS FOR"]
    assert shown(40) == ["STATE", "RUN", "AGE"]
    for width in WIDTHS[1:]:
        assert sum(column.width + 1 for column in columns(width, with_tenants=True)) - 1 <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_help_fits_too(width: int) -> None:
    lines = help_page(width, 30)
    assert len(lines) <= 30
    assert max(cell_len(line.plain) for line in lines) <= width
