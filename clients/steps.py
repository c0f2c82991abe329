"""What models and tools did, from the events of their activities. Pure: reads events, and does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.exceptions import ApplicationError

from ..contracts import names
from ..contracts.event import Event, FallbackUsed, ModelRequested, ModelResponded, ToolRequested, ToolResponded
from ..contracts.message import ToolResultPart
from ..contracts.model import ModelCall, ModelReply
from ..contracts.run import Totals
from ..contracts.tool import ToolInvocation, ToolOutput
from .recorded import Recorded
from .transcript import Transcript


@dataclass(slots=True)
class _Activity:
    path: str
    at: datetime
    attempt: int = 1
    model: ModelCall | None = None
    """The call, of a model's activity."""
    tool: ToolInvocation | None = None
    """The call, of a tool's activity."""


class Steps:
    """The model and tool calls of one execution after the other, and the transcripts that they make."""

    def __init__(self) -> None:
        self.transcripts: dict[str, Transcript] = {}
        """By path."""
        self.turns = 0
        """Model calls that were answered."""
        self.totals = Totals()
        """What they used."""
        self._activities: dict[int, _Activity] = {}
        self.handlers: dict[int, Callable[[Recorded], Iterator[Event]]] = {
            EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: self._scheduled,
            EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED: self._attempted,
            EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: self._completed,
            EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: self._failed,
            EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: self._timed_out,
            EventType.EVENT_TYPE_MARKER_RECORDED: self._marked,
        }
        """What reads which type of history event."""

    def forget_activities(self) -> None:
        """Another execution begins: its event ids are its own, and none of its activities is scheduled yet."""
        self._activities = {}

    def _scheduled(self, recorded: Recorded) -> Iterator[Event]:
        attributes = recorded.event.activity_task_scheduled_event_attributes
        path = attributes.activity_id.rpartition(":")[0]
        if attributes.activity_type.name == names.MODEL_ACTIVITY:
            call = recorded.value(attributes.input, ModelCall)
            yield from self._asked(recorded, call)
            if call.transcript in self.transcripts:
                self._activities[recorded.event.event_id] = _Activity(call.transcript, recorded.at, model=call)
        elif path in self.transcripts:
            invocation = recorded.value(attributes.input, ToolInvocation)
            self._activities[recorded.event.event_id] = _Activity(path, recorded.at, tool=invocation)

    def _attempted(self, recorded: Recorded) -> Iterator[Event]:
        attributes = recorded.event.activity_task_started_event_attributes
        if activity := self._activities.get(attributes.scheduled_event_id):
            activity.attempt = attributes.attempt
        yield from ()

    def _completed(self, recorded: Recorded) -> Iterator[Event]:
        attributes = recorded.event.activity_task_completed_event_attributes
        activity = self._activities.pop(attributes.scheduled_event_id, None)
        if activity and activity.model:
            reply = recorded.value(attributes.result, ModelReply)
            yield from self._answered(recorded, activity, activity.model, reply)
        elif activity and activity.tool:
            output = recorded.value(attributes.result, ToolOutput)
            yield from self._tool_output(recorded, activity, activity.tool.call_id, output)

    def _failed(self, recorded: Recorded) -> Iterator[Event]:
        attributes = recorded.event.activity_task_failed_event_attributes
        activity = self._activities.pop(attributes.scheduled_event_id, None)
        error = recorded.error(attributes.failure)
        if activity and activity.model:
            self.transcripts[activity.path].failure = _reason(error)
        elif activity and activity.tool:
            yield from self._tool_error(recorded, activity, activity.tool.call_id, error)

    def _timed_out(self, recorded: Recorded) -> Iterator[Event]:
        # What a tool's timeout means is the workflow's to say: its words stand in the next model call.
        attributes = recorded.event.activity_task_timed_out_event_attributes
        activity = self._activities.pop(attributes.scheduled_event_id, None)
        if activity and activity.model:
            self.transcripts[activity.path].failure = _reason(recorded.error(attributes.failure))
        yield from ()

    def _marked(self, recorded: Recorded) -> Iterator[Event]:
        attributes = recorded.event.marker_recorded_event_attributes
        if attributes.marker_name != "core_local_activity":
            return
        data = recorded.value(attributes.details["data"], dict[str, Any])
        path, _, call_id = data["activity_id"].rpartition(":")
        # A marker with a backoff only notes that the call will be tried again later.
        if path not in self.transcripts or data.get("backoff"):
            return
        # Its own clock is the worker's; the server's tells only when the workflow task ended.
        taken = max(_seconds(data["complete_time"]) - _seconds(data["original_schedule_time"]), 0.0)
        ended = recorded.at
        activity = _Activity(path, datetime.fromtimestamp(ended.timestamp() - taken, UTC), data["attempt"])
        if attributes.HasField("failure"):
            yield from self._tool_error(recorded, activity, call_id, recorded.error(attributes.failure))
        else:
            output = recorded.value(attributes.details["result"], ToolOutput)
            yield from self._tool_output(recorded, activity, call_id, output)

    def _asked(self, recorded: Recorded, call: ModelCall) -> Iterator[Event]:
        transcript = self.transcripts.get(call.transcript)
        if transcript is None:
            if call.head is None:
                return
            transcript = self.transcripts[call.transcript] = Transcript(call.head, ())
        before, failure = transcript.choice, transcript.failure
        transcript.sent(call)
        yield from self.told(recorded, call.transcript, transcript)
        if call.choice != before:
            yield FallbackUsed(
                **recorded.stamp(call.transcript),
                turn=call.turn,
                failed=transcript.head.model.choices[before].name,
                model=call.model,
                reason=failure,
            )
        yield ModelRequested(**recorded.stamp(call.transcript), turn=call.turn, model=call.model)

    def _answered(self, recorded: Recorded, activity: _Activity, call: ModelCall, reply: ModelReply) -> Iterator[Event]:
        self.turns += 1
        self.totals += Totals.of(reply)
        self.transcripts[activity.path].replied(reply, call.turn, recorded.at)
        yield ModelResponded(
            **recorded.stamp(activity.path),
            turn=call.turn,
            model=reply.model,
            message=reply.message,
            usage=reply.usage,
            cost_usd=reply.cost_usd,
            attempt=activity.attempt,
            seconds=recorded.since(activity.at),
            prompt_hash=reply.prompt_hash,
        )
        for part in reply.message.tool_calls:
            yield ToolRequested(
                **recorded.stamp(activity.path),
                turn=call.turn,
                call_id=part.id,
                name=part.name,
                arguments=part.arguments,
            )

    def told(self, recorded: Recorded, path: str, transcript: Transcript) -> Iterator[Event]:
        """Responses that were no activity's result: the model is the first to be told them."""
        yield from self._unrecorded(recorded, path, transcript, transcript.unreported())

    def untold(
        self, recorded: Recorded, path: str, transcript: Transcript, results: Iterable[ToolResultPart]
    ) -> Iterator[Event]:
        """Responses that were no activity's result, and that no model was told either."""
        news = [result for result in results if transcript.answered(result)]
        yield from self._unrecorded(recorded, path, transcript, news)

    def _unrecorded(
        self, recorded: Recorded, path: str, transcript: Transcript, results: Iterable[ToolResultPart]
    ) -> Iterator[Event]:
        for result in results:
            activity = _Activity(path, transcript.calls[result.call_id].at)
            yield self._tool_responded(recorded, activity, transcript, result)

    def _tool_output(
        self, recorded: Recorded, activity: _Activity, call_id: str, output: ToolOutput
    ) -> Iterator[Event]:
        transcript = self.transcripts[activity.path]
        if asked := transcript.calls.get(call_id):
            result = ToolResultPart(
                call_id=call_id, name=asked.part.name, content=output.content, attachments=output.attachments
            )
            if transcript.answered(result):
                yield self._tool_responded(recorded, activity, transcript, result)

    def _tool_error(
        self, recorded: Recorded, activity: _Activity, call_id: str, error: BaseException
    ) -> Iterator[Event]:
        # Any other failure is the worker's, not the tool's: the workflow puts it into words for the model.
        transcript = self.transcripts[activity.path]
        asked = transcript.calls.get(call_id)
        if asked and isinstance(error, ApplicationError) and error.type == names.TOOL_FAILED:
            result = ToolResultPart(call_id=call_id, name=asked.part.name, content=error.message, is_error=True)
            if transcript.answered(result):
                yield self._tool_responded(recorded, activity, transcript, result)

    def _tool_responded(
        self, recorded: Recorded, activity: _Activity, transcript: Transcript, result: ToolResultPart
    ) -> ToolResponded:
        return ToolResponded(
            **recorded.stamp(activity.path),
            turn=transcript.calls[result.call_id].turn,
            call_id=result.call_id,
            name=result.name,
            content=result.content,
            is_error=result.is_error,
            attempt=activity.attempt,
            seconds=recorded.since(activity.at),
        )


def _reason(error: BaseException) -> str:
    return f"{error.type}: {error.message}" if isinstance(error, ApplicationError) else str(error)


def _seconds(timestamp: dict[str, int]) -> float:
    return timestamp["seconds"] + timestamp["nanos"] / 1e9
