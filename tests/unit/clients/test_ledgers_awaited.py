"""Which ledgers a workflow waits for, as the end of its history tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from sostenuto.clients.hindrances import Hindrance
from sostenuto.clients.ledgers.awaited import how_to_see, ledgers_awaited
from sostenuto.connection.converter import data_converter
from sostenuto.contracts import names

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)
CONVERTER = data_converter()


def _began(timer: str, summary: str = "", *, seconds_ago: float = 60) -> HistoryEvent:
    event = HistoryEvent(event_type=EventType.EVENT_TYPE_TIMER_STARTED)
    event.event_time.FromDatetime(NOW - timedelta(seconds=seconds_ago))
    event.timer_started_event_attributes.timer_id = timer
    if summary:
        event.user_metadata.summary.CopyFrom(CONVERTER.payload_converter.to_payload(summary))
    return event


def _fired(timer: str) -> HistoryEvent:
    event = HistoryEvent(event_type=EventType.EVENT_TYPE_TIMER_FIRED)
    event.timer_fired_event_attributes.timer_id = timer
    return event


def _cancelled(timer: str) -> HistoryEvent:
    event = HistoryEvent(event_type=EventType.EVENT_TYPE_TIMER_CANCELED)
    event.timer_canceled_event_attributes.timer_id = timer
    return event


async def test_a_ledger_is_waited_for_while_its_timer_runs() -> None:
    of = names.LEDGER_ANSWER
    events = [
        _began("7", f"{of}new", seconds_ago=1),
        _cancelled("5"),
        _began("6", f"{of}team/day"),
        _began("5", f"{of}answered"),
        _fired("4"),
        _began("4", f"{of}asked again"),
        _began("3", f"{of}team/day"),
        _began("2", "a nap"),
        _began("1"),
    ]
    assert await ledgers_awaited(events, CONVERTER, NOW - timedelta(seconds=2)) == ["team/day"]


def test_how_to_see_who_has_what_of_it() -> None:
    assert how_to_see("it's") == "sostenuto ledger show 'it'\"'\"'s'"
    assert how_to_see("a long na…") == "sostenuto ledger ls 'a long na'"


def test_it_is_told_in_a_sentence() -> None:
    held = Hindrance(
        run_id="ticket", step="ledger team", task_queue="q", reason="waits for what others have", ledger="team"
    )
    assert str(held) == "ticket waits for what others have"
