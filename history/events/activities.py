"""Reads activities: one reader per activity type, found in one table. Does no I/O.

An activity stands in a history as events of its own, or, run within a workflow task, as one marker. Readers serve both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.exceptions import ApplicationError, CancelledError

from ...contracts import names
from ...contracts.wire.event import Event
from ...contracts.wire.places import ActivityId
from .chats.updates import read_turn_end
from .continued_conversations import read_continued_conversation
from .control.approvals import read_approval, read_reconciliation
from .control.unheard import read_spending
from .guardrails.decisions import read_guard
from .history_event import RecordedEvent
from .knowledge.ingests import read_beginning, read_document, read_listing
from .knowledge.searches import read_retrieval
from .mcp_catalogues import read_mcp_catalogue
from .memory.memories import read_forgetting, read_memory_write, read_recall
from .model_calls import read_model_call
from .outcome import UNREAD, Accumulated, Activity, Reader, Reading, Scheduled
from .route_decisions import read_route_decision
from .tool_calls import read_mcp_tool_call, read_tool_call

_RESERVED = "sostenuto."
"""Beginning of the activity types that are not those of a tool."""


def _read_nothing(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:  # noqa: ARG001
    return UNREAD


READERS: Mapping[str, Reader] = {
    names.MODEL_ACTIVITY: read_model_call,
    names.APPROVAL_ACTIVITY: read_approval,
    names.GUARD_ACTIVITY: read_guard,
    names.MODERATION_ACTIVITY: read_guard,
    names.RECONCILE_ACTIVITY: read_reconciliation,
    names.SPENT_ACTIVITY: read_spending,
    names.MCP_TOOL_ACTIVITY: read_mcp_tool_call,
    names.READ_RESULT_ACTIVITY: read_tool_call,
    names.ROUTE_ACTIVITY: read_route_decision,
    names.RETRIEVE_ACTIVITY: read_retrieval,
    names.INGEST_BEGIN_ACTIVITY: read_beginning,
    names.INGEST_LIST_ACTIVITY: read_listing,
    names.INGEST_DOCUMENT_ACTIVITY: read_document,
    names.TRANSCRIPT_ACTIVITY: read_continued_conversation,
    names.MCP_CATALOGUE_ACTIVITY: read_mcp_catalogue,
    names.TURN_END_ACTIVITY: read_turn_end,
    names.MEMORY_RECALL_ACTIVITY: read_recall,
    names.MEMORY_WRITE_ACTIVITY: read_memory_write,
    names.MEMORY_FORGET_ACTIVITY: read_forgetting,
}
"""What reads each activity type of ours. The type of a tool call is the tool's name, and is read as one."""


def reader_of(activity_type: str) -> Reader:
    """Return what reads activities of that type."""
    default = _read_nothing if activity_type.startswith(_RESERVED) else read_tool_call
    return READERS.get(activity_type, default)


class Activities:
    """The activities of one execution after the other."""

    def __init__(self, so_far: Accumulated) -> None:
        self._so_far = so_far
        self._scheduled: dict[int, Activity] = {}
        self._unserved: set[ActivityId] = set()
        """Calls that no worker could begin so far: they were told of when they were first made."""
        self.handlers: dict[int, Callable[[RecordedEvent], Iterator[Event]]] = {
            EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: self._on_scheduled,
            EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED: self._on_attempt,
            EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: self._on_completed,
            EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: self._on_failed,
            EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: self._on_timed_out,
            EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED: self._on_cancelled,
            EventType.EVENT_TYPE_MARKER_RECORDED: self._on_marker,
        }
        """What reads which type of history event."""

    def forget(self) -> None:
        """Begin another execution, none of whose activities is scheduled yet."""
        self._scheduled = {}
        self._unserved.clear()

    def _on_scheduled(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.activity_task_scheduled_event_attributes
        kind, place = attributes.activity_type.name, ActivityId.parse(attributes.activity_id)
        reading = reader_of(kind)(recorded, Scheduled(kind, place, attributes.input), self._so_far)
        if reading.outcome:
            self._scheduled[recorded.event.event_id] = Activity(place, reading.path, recorded.at, reading.outcome)
        yield from self._first_told(place, reading)

    def _on_attempt(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.activity_task_started_event_attributes
        if activity := self._scheduled.get(attributes.scheduled_event_id):
            activity.attempt = attributes.attempt
            activity.waited = recorded.since(activity.at)
        yield from ()

    def _on_completed(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.activity_task_completed_event_attributes
        if activity := self._scheduled.pop(attributes.scheduled_event_id, None):
            yield from activity.outcome.completed(recorded, activity, attributes.result)

    def _on_failed(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.activity_task_failed_event_attributes
        yield from self._failed(recorded, attributes.scheduled_event_id, recorded.error(attributes.failure))

    def _on_timed_out(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.activity_task_timed_out_event_attributes
        yield from self._failed(recorded, attributes.scheduled_event_id, recorded.error(attributes.failure))

    def _on_cancelled(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.activity_task_canceled_event_attributes
        yield from self._failed(recorded, attributes.scheduled_event_id, CancelledError("cancelled"))

    def _failed(self, recorded: RecordedEvent, scheduled: int, error: BaseException) -> Iterator[Event]:
        if activity := self._scheduled.pop(scheduled, None):
            yield from self._failed_as(recorded, activity, error)

    def _failed_as(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:
        # Another worker is given the call: it has not begun.
        if isinstance(error, ApplicationError) and error.type == names.NOT_SERVED:
            self._unserved.add(activity.id)
        yield from activity.outcome.failed(recorded, activity, error)

    def _first_told(self, place: ActivityId, reading: Reading) -> Iterator[Event]:
        if place in self._unserved:
            self._unserved.discard(place)
        else:
            yield from reading.events

    def _on_marker(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.marker_recorded_event_attributes
        if attributes.marker_name != "core_local_activity":
            return
        data = recorded.value(attributes.details["data"], dict[str, Any])
        # A marker with a backoff only notes that the call will be tried again later.
        if data.get("backoff"):
            return
        kind, place = data["activity_type"], ActivityId.parse(data["activity_id"])
        reading = reader_of(kind)(recorded, Scheduled(kind, place), self._so_far)
        if reading.outcome is None:
            return
        yield from self._first_told(place, reading)
        # Its own clock is the worker's; the server's tells only when the workflow task ended. One that was given up
        # before it began has no end.
        ended, asked = data.get("complete_time"), data.get("original_schedule_time")
        taken = max(_seconds(ended) - _seconds(asked), 0.0) if ended and asked else 0.0
        began = datetime.fromtimestamp(recorded.at.timestamp() - taken, UTC)
        activity = Activity(place, reading.path, began, reading.outcome, data["attempt"])
        if attributes.HasField("failure"):
            yield from self._failed_as(recorded, activity, recorded.error(attributes.failure))
        else:
            yield from reading.outcome.completed(recorded, activity, attributes.details["result"])


def _seconds(timestamp: dict[str, int]) -> float:
    return timestamp["seconds"] + timestamp["nanos"] / 1e9
