"""Which calls no worker could begin, as the end of a history tells it."""

from __future__ import annotations

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from sostenuto.clients.calls.unserved import calls_not_served
from sostenuto.contracts import names

STEP = "Flow:call_1"


def _scheduled(id: int) -> HistoryEvent:
    event = HistoryEvent(event_id=id, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    event.activity_task_scheduled_event_attributes.activity_id = STEP
    return event


def _not_served(id: int, scheduled: int, reason: str) -> HistoryEvent:
    event = HistoryEvent(event_id=id, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED)
    attributes = event.activity_task_failed_event_attributes
    attributes.scheduled_event_id = scheduled
    attributes.failure.message = reason
    attributes.failure.application_failure_info.type = names.NOT_SERVED
    return event


def _completed(id: int, scheduled: int) -> HistoryEvent:
    event = HistoryEvent(event_id=id, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
    event.activity_task_completed_event_attributes.scheduled_event_id = scheduled
    return event


def test_a_call_that_was_served_at_last_is_not_told() -> None:
    refused = [_not_served(9, 8, "again"), _scheduled(8), _not_served(7, 5, "no tool"), _scheduled(5)]
    assert calls_not_served(refused) == {STEP: ["again", "no tool"]}
    assert calls_not_served([_scheduled(11), *refused]) == {STEP: ["again", "no tool"]}
    assert calls_not_served([_completed(13, 11), _scheduled(11), *refused]) == {}
