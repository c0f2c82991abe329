"""Tells what each activity of a history is for, and hands its end to what knows the meaning. Does no I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.exceptions import CancelledError

from ...contracts import names
from ...contracts.wire.event import Event, RouteChosen, ToolRequested
from ...contracts.wire.mcp_call import McpInvocation
from ...contracts.wire.model_call import ModelCall
from ...contracts.wire.route_call import RouteChoice
from ...contracts.wire.tool_call import ToolInvocation
from .history_event import Recorded
from .model_calls import ModelOutcome, TakeoverOutcome, asked
from .outcome import Accumulated, Activity, Outcome
from .tool_calls import DirectOutcome, ToolOutcome

_DIRECT_CALL = re.compile(r":call(?:_\d+)?$")
_RESERVED = "sostenuto."
"""Beginning of the activity types that are no tool's."""


@dataclass(frozen=True, slots=True)
class RouteOutcome:
    """The end of a router's decision."""

    def completed(self, recorded: Recorded, activity: Activity, result: Payloads) -> Iterator[Event]:
        """The choice."""
        choice = recorded.value(result, RouteChoice)
        yield RouteChosen(
            **recorded.stamp(activity.path),
            route=choice.route,
            confidence=choice.confidence,
            reason=choice.reason,
            strategy=choice.strategy,
        )

    def failed(self, recorded: Recorded, activity: Activity, error: BaseException) -> Iterator[Event]:  # noqa: ARG002
        """Nothing: the router's end says why there is no choice."""
        yield from ()


class Steps:
    """The activities of one execution after the other."""

    def __init__(self, so_far: Accumulated) -> None:
        self.direct = False
        """Whether tools are called without a model: in people's own workflows."""
        self._so_far = so_far
        self._activities: dict[int, Activity] = {}
        self.handlers: dict[int, Callable[[Recorded], Iterator[Event]]] = {
            EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: self._scheduled,
            EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED: self._attempted,
            EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: self._completed,
            EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: self._failed,
            EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: self._timed_out,
            EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED: self._cancelled,
            EventType.EVENT_TYPE_MARKER_RECORDED: self._marked,
        }
        """What reads which type of history event."""

    def forget_activities(self) -> None:
        """Another execution begins: its event ids are its own, and none of its activities is scheduled yet."""
        self._activities = {}

    def _scheduled(self, recorded: Recorded) -> Iterator[Event]:
        attributes = recorded.event.activity_task_scheduled_event_attributes
        kind, place = attributes.activity_type.name, attributes.activity_id
        if kind == names.MODEL_ACTIVITY:
            call = recorded.value(attributes.input, ModelCall)
            yield from asked(recorded, call, self._so_far)
            outcome = ModelOutcome(call, self._so_far)
            self._activities[recorded.event.event_id] = Activity(call.transcript, recorded.at, outcome)
        elif self._is_direct(kind, place):
            if kind == names.MCP_TOOL_ACTIVITY:
                kind = recorded.value(attributes.input, McpInvocation).name
            path, _, call_id = place.rpartition(":")
            arguments = recorded.value(attributes.input, ToolInvocation).arguments
            yield _requested(recorded, path, call_id, kind, arguments)
            self._activities[recorded.event.event_id] = Activity(path, recorded.at, DirectOutcome(call_id, kind))
        elif found := self._outcome(kind, place):
            self._activities[recorded.event.event_id] = Activity(place.rpartition(":")[0], recorded.at, found)

    def _outcome(self, kind: str, place: str) -> Outcome | None:
        """What the end of an activity means, by its type and id; None of one that says nothing to us."""
        path, _, call_id = place.rpartition(":")
        if kind == names.ROUTE_ACTIVITY:
            return RouteOutcome()
        if kind == names.TRANSCRIPT_ACTIVITY:
            return TakeoverOutcome(self._so_far)
        transcript = self._so_far.transcripts.get(path)
        if transcript is None or (kind.startswith(_RESERVED) and kind != names.MCP_TOOL_ACTIVITY):
            return None
        return ToolOutcome(call_id, transcript)

    def _is_direct(self, kind: str, place: str) -> bool:
        tool = not kind.startswith(_RESERVED) or kind == names.MCP_TOOL_ACTIVITY
        return self.direct and tool and bool(_DIRECT_CALL.search(place))

    def _attempted(self, recorded: Recorded) -> Iterator[Event]:
        attributes = recorded.event.activity_task_started_event_attributes
        if activity := self._activities.get(attributes.scheduled_event_id):
            activity.attempt = attributes.attempt
        yield from ()

    def _completed(self, recorded: Recorded) -> Iterator[Event]:
        attributes = recorded.event.activity_task_completed_event_attributes
        if activity := self._activities.pop(attributes.scheduled_event_id, None):
            yield from activity.outcome.completed(recorded, activity, attributes.result)

    def _failed(self, recorded: Recorded) -> Iterator[Event]:
        attributes = recorded.event.activity_task_failed_event_attributes
        if activity := self._activities.pop(attributes.scheduled_event_id, None):
            yield from activity.outcome.failed(recorded, activity, recorded.error(attributes.failure))

    def _timed_out(self, recorded: Recorded) -> Iterator[Event]:
        attributes = recorded.event.activity_task_timed_out_event_attributes
        if activity := self._activities.pop(attributes.scheduled_event_id, None):
            yield from activity.outcome.failed(recorded, activity, recorded.error(attributes.failure))

    def _cancelled(self, recorded: Recorded) -> Iterator[Event]:
        attributes = recorded.event.activity_task_canceled_event_attributes
        if activity := self._activities.pop(attributes.scheduled_event_id, None):
            yield from activity.outcome.failed(recorded, activity, CancelledError("cancelled"))

    def _marked(self, recorded: Recorded) -> Iterator[Event]:
        attributes = recorded.event.marker_recorded_event_attributes
        if attributes.marker_name != "core_local_activity":
            return
        data = recorded.value(attributes.details["data"], dict[str, Any])
        kind, place = data["activity_type"], data["activity_id"]
        # A marker with a backoff only notes that the call will be tried again later.
        if data.get("backoff"):
            return
        path, _, call_id = place.rpartition(":")
        outcome = DirectOutcome(call_id, kind) if self._is_direct(kind, place) else self._outcome(kind, place)
        if outcome is None:
            return
        if isinstance(outcome, DirectOutcome):
            # What it was asked stands in no local activity's marker.
            yield _requested(recorded, path, call_id, kind, {})
        # Its own clock is the worker's; the server's tells only when the workflow task ended.
        taken = max(_seconds(data["complete_time"]) - _seconds(data["original_schedule_time"]), 0.0)
        began = datetime.fromtimestamp(recorded.at.timestamp() - taken, UTC)
        activity = Activity(path, began, outcome, data["attempt"])
        if attributes.HasField("failure"):
            yield from outcome.failed(recorded, activity, recorded.error(attributes.failure))
        else:
            yield from outcome.completed(recorded, activity, attributes.details["result"])


def _requested(
    recorded: Recorded, path: str, call_id: str, name: str, arguments: dict[str, JsonValue]
) -> ToolRequested:
    return ToolRequested(**recorded.stamp(path), turn=0, call_id=call_id, name=name, arguments=arguments)


def _seconds(timestamp: dict[str, int]) -> float:
    return timestamp["seconds"] + timestamp["nanos"] / 1e9
