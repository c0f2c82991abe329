"""What a history says was spent, read page by page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from sostenuto.clients.overview.meter import Meter
from sostenuto.connection.converter import data_converter
from sostenuto.contracts import names
from sostenuto.history.events.projection import Projection

HISTORIES = sorted((Path(__file__).parents[3] / "replay" / "histories").rglob("*.json"))


def _events(path: Path) -> list[HistoryEvent]:
    return list(WorkflowHistory.from_json("w", path.read_text()).events)


def _is_run(path: Path) -> bool:
    started = json.loads(path.read_text())["events"][0]["workflowExecutionStartedEventAttributes"]
    kind = started["workflowType"]["name"]
    return names.is_of_runnables(kind)


@pytest.mark.parametrize("path", [path for path in HISTORIES if _is_run(path)], ids=lambda path: path.stem)
def test_it_adds_up_as_the_run_itself_does(path: Path) -> None:
    """The histories of all versions have every kind of call, and runs that went on in another execution."""
    meter, projection = Meter(data_converter()), Projection(data_converter())
    events = _events(path)
    for event in events:
        meter.take(event)
        projection.feed(event, "e")
    assert meter.is_readable
    assert meter.reached == len(events)
    if projection.result:
        came_to = projection.result.totals
        assert (meter.totals.usage, meter.totals.unpriced_calls) == (came_to.usage, came_to.unpriced_calls)
        assert meter.totals.cost_usd == pytest.approx(came_to.cost_usd)
        assert meter.model_calls == projection.result.turns


def test_there_are_such_histories() -> None:
    assert len([path for path in HISTORIES if _is_run(path)]) > 20


@pytest.fixture
def history() -> list[HistoryEvent]:
    return _events(next(path for path in HISTORIES if path.stem == "plain"))


def test_an_event_counts_once(history: list[HistoryEvent]) -> None:
    once, twice = Meter(data_converter()), Meter(data_converter())
    for event in history:
        once.take(event)
    for event in [*history, *history]:
        twice.take(event)
    assert once.totals == twice.totals
    assert once.model_calls == twice.model_calls > 0


def test_a_call_is_open_until_it_ends(history: list[HistoryEvent]) -> None:
    meter = Meter(data_converter())
    open_calls = []
    for event in history:
        meter.take(event)
        open_calls.append(len(meter.calls))
    assert max(open_calls) > 0
    assert open_calls[-1] == 0


def test_the_beginning_of_a_task_may_be_taken_back(history: list[HistoryEvent]) -> None:
    """Another event may come under its id."""
    meter = Meter(data_converter())
    begun = HistoryEvent(event_id=99, event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)
    meter.take(begun)
    assert meter.last_at is None
    timer = HistoryEvent(event_id=99, event_type=EventType.EVENT_TYPE_TIMER_STARTED)
    timer.timer_started_event_attributes.timer_id = "1"
    meter.take(timer)
    assert meter.has_timer
    fired = HistoryEvent(event_id=100, event_type=EventType.EVENT_TYPE_TIMER_FIRED)
    fired.timer_fired_event_attributes.timer_id = "1"
    meter.take(fired)
    assert not meter.has_timer


def test_it_waits_for_a_ledger_while_a_timer_for_its_answer_runs() -> None:
    meter = Meter(data_converter())
    timer = HistoryEvent(event_id=5, event_type=EventType.EVENT_TYPE_TIMER_STARTED)
    timer.timer_started_event_attributes.timer_id = "1"
    said = data_converter().payload_converter.to_payload(f"{names.LEDGER_ANSWER}team/day")
    timer.user_metadata.summary.CopyFrom(said)
    meter.take(timer)
    assert meter.ledgers == ["team/day"]
    cancelled = HistoryEvent(event_id=6, event_type=EventType.EVENT_TYPE_TIMER_CANCELED)
    cancelled.timer_canceled_event_attributes.timer_id = "1"
    meter.take(cancelled)
    assert (meter.ledgers, meter.has_timer) == ([], False)


def test_of_what_cannot_be_read_it_says_so() -> None:
    meter = Meter(data_converter())
    scheduled = HistoryEvent(event_id=5, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    scheduled.activity_task_scheduled_event_attributes.activity_id = "support:turn-1"
    scheduled.activity_task_scheduled_event_attributes.activity_type.name = names.MODEL_ACTIVITY
    meter.take(scheduled)
    completed = HistoryEvent(event_id=7, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
    completed.activity_task_completed_event_attributes.scheduled_event_id = 5
    assert meter.wants(completed)
    meter.take(completed)
    assert not meter.is_readable
