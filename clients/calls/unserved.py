"""Which calls no worker could begin.

The end of a history tells it. Does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent

from ...contracts import names
from ...workflows.policy import NOT_SERVED_PAUSES

_OF_TASKS: Final = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    }
)
_FAILED: Final = EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED
_OUTCOMES: Final = frozenset(
    {
        EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
        EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
        _FAILED,
    }
)


def calls_not_served(events: Iterable[HistoryEvent]) -> dict[str, list[str]]:
    """Return why no worker could begin calls, by their step, the newest reason first.

    Args:
        events: The last ones of a history, the newest first.
    """
    failures: dict[int, Failure | None] = {}
    reasons: dict[str, list[str]] = {}
    begun: set[str] = set()
    for event in events:
        if event.event_type in _OUTCOMES:
            failures.update([_not_served(event)])
        elif event.event_id in failures:
            step = event.activity_task_scheduled_event_attributes.activity_id
            failure = failures[event.event_id]
            if failure is None:
                # A worker had it: what was before is over.
                begun.add(step)
            elif step not in begun:
                reasons.setdefault(step, []).append(failure.message)
    return reasons


def is_in_pause(events: Iterable[HistoryEvent]) -> bool:
    """Return whether a workflow waits for a while before it tries such a call again.

    Args:
        events: The last ones of its history, the newest first.
    """
    return any(map(_is_pause, takewhile(_is_of_pause, events)))


def _not_served(event: HistoryEvent) -> tuple[int, Failure | None]:
    """Return whose outcome it is, and the failure where no worker could begin it."""
    attributes = getattr(event, event.WhichOneof("attributes") or "")
    failure = attributes.failure if event.event_type == _FAILED else None
    is_not_served = failure is not None and failure.application_failure_info.type == names.NOT_SERVED
    return attributes.scheduled_event_id, failure if is_not_served else None


def _is_of_pause(event: HistoryEvent) -> bool:
    return event.event_type == EventType.EVENT_TYPE_TIMER_STARTED or event.event_type in _OF_TASKS


def _is_pause(event: HistoryEvent) -> bool:
    # A workflow of one's own may wait for longer, of itself.
    pause = event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
    return event.event_type == EventType.EVENT_TYPE_TIMER_STARTED and pause <= max(NOT_SERVED_PAUSES)
