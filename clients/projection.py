"""From history to events. Pure and linear: each history event is read once, and no I/O happens here.

Payloads must have been decoded before, see `clients.history`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from ..contracts import names
from ..contracts.errors import SetupError
from ..contracts.event import (
    Event,
    FallbackUsed,
    ModelRequested,
    ModelResponded,
    RunFinished,
    RunStarted,
    ToolRequested,
    ToolResponded,
)
from ..contracts.message import Message, Role, ToolResultPart
from ..contracts.model import ModelCall, ModelReply
from ..contracts.run import Carried, Result, RunInput, Status, Totals
from ..contracts.tool import ToolInvocation, ToolOutput
from .transcript import Prompt, Transcript

T = TypeVar("T")


@dataclass(slots=True)
class _Activity:
    path: str
    at: datetime
    attempt: int = 1
    model: ModelCall | None = None
    """The call, of a model's activity."""
    tool: ToolInvocation | None = None
    """The call, of a tool's activity."""


class Projection:
    """Reads the history of a run, over all its executions, and tells it as events.

    Args:
        converter: The run's data converter, of which only the parts without I/O are used.
    """

    def __init__(self, converter: DataConverter) -> None:
        self._converter = converter
        self._handlers: dict[int, Callable[[HistoryEvent], Iterator[Event]]] = {
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: self._started,
            EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: self._scheduled,
            EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED: self._attempted,
            EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: self._activity_completed,
            EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: self._activity_failed,
            EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: self._activity_timed_out,
            EventType.EVENT_TYPE_MARKER_RECORDED: self._marked,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: self._completed,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: self._failed,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: self._cancelled,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: self._terminated,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: self._timed_out,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: self._continued,
        }
        self._transcripts: dict[str, Transcript] = {}
        self._activities: dict[int, _Activity] = {}
        self._path = ""
        self._turns = 0
        self._totals = Totals()
        self._execution = ""
        self._index = 0
        self.next_execution = ""
        """Where the run goes on, once this execution has continued as new."""
        self.result: Result | None = None
        """What the run came to, once it has ended; without messages."""

    def feed(self, event: HistoryEvent) -> list[Event]:
        """The events that one history event means, in order. History events come in their order, none twice."""
        handler = self._handlers.get(event.event_type)
        if handler is None:
            return []
        self._index = 0
        return list(handler(event))

    def transcript(self, path: str | None = None) -> tuple[Message, ...]:
        """The messages so far of the agent at that path, of the run's own runnable by default."""
        known = self._transcripts.get(self._path if path is None else path)
        return known.snapshot() if known else ()

    def prompt(self, turn: int, path: str | None = None) -> Prompt:
        """What the model call of that turn sent.

        Raises:
            KeyError: The history read so far tells of no such call.
        """
        return self._transcripts[self._path if path is None else path].prompt(turn)

    # The run

    def _started(self, event: HistoryEvent) -> Iterator[Event]:
        attributes = event.workflow_execution_started_event_attributes
        self._execution = attributes.original_execution_run_id
        self._activities = {}
        self.next_execution = ""
        run = self._value(attributes.input, RunInput)
        self._path = run.runnable.name
        if run.carried:
            yield from self._resumed(event, run, run.carried)
            return
        self._transcripts[self._path] = Transcript(run.runnable.head, (run.message,))
        yield RunStarted(
            **self._stamp(event, self._path),
            run_id=attributes.workflow_id,
            runnable=run.runnable.name,
            message=run.message,
        )

    def _resumed(self, event: HistoryEvent, run: RunInput, carried: Carried) -> Iterator[Event]:
        self._turns, self._totals = carried.turns, carried.totals
        transcript = self._transcripts.get(self._path)
        if transcript is None:
            self._transcripts[self._path] = Transcript(run.runnable.head, carried.messages, choice=carried.choice)
            return
        transcript.messages = list(carried.messages)
        yield from self._told(event, self._path, transcript)

    def _completed(self, event: HistoryEvent) -> Iterator[Event]:
        yield self._finished(event, self._value(event.workflow_execution_completed_event_attributes.result, Result))

    def _failed(self, event: HistoryEvent) -> Iterator[Event]:
        error = self._error(event.workflow_execution_failed_event_attributes.failure)
        if isinstance(error, ApplicationError) and error.type == names.RUN_FAILED and error.details:
            yield self._finished(event, Result.model_validate(error.details[0]))
        else:
            yield self._finished(event, self._partial(Status.FAILED, str(error)))

    def _cancelled(self, event: HistoryEvent) -> Iterator[Event]:
        yield self._finished(event, self._partial(Status.CANCELLED, "the run was cancelled"))

    def _terminated(self, event: HistoryEvent) -> Iterator[Event]:
        reason = event.workflow_execution_terminated_event_attributes.reason
        text = f"the run was terminated: {reason}" if reason else "the run was terminated"
        yield self._finished(event, self._partial(Status.FAILED, text))

    def _timed_out(self, event: HistoryEvent) -> Iterator[Event]:
        yield self._finished(event, self._partial(Status.FAILED, "the run took longer than its Temporal timeout"))

    def _continued(self, event: HistoryEvent) -> Iterator[Event]:
        self.next_execution = event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        yield from ()

    def _finished(self, event: HistoryEvent, result: Result) -> RunFinished:
        self.result = result
        return RunFinished(
            **self._stamp(event, self._path),
            status=result.status,
            output=result.output,
            reason=result.reason,
            turns=result.turns,
            usage=result.usage,
            cost_usd=result.cost_usd,
        )

    def _partial(self, status: Status, reason: str) -> Result:
        """A result for a run that could not make its own."""
        said = (message.text for message in reversed(self.transcript()) if message.role is Role.ASSISTANT)
        return Result(
            status=status,
            output=next((text for text in said if text), None),
            reason=reason,
            turns=self._turns,
            usage=self._totals.usage,
            cost_usd=self._totals.cost_usd,
            unpriced_calls=self._totals.unpriced_calls,
        )

    # Activities

    def _scheduled(self, event: HistoryEvent) -> Iterator[Event]:
        attributes = event.activity_task_scheduled_event_attributes
        path = attributes.activity_id.rpartition(":")[0]
        if attributes.activity_type.name == names.MODEL_ACTIVITY:
            call = self._value(attributes.input, ModelCall)
            self._activities[event.event_id] = _Activity(call.transcript, _time(event), model=call)
            yield from self._asked(event, call)
        elif path in self._transcripts:
            invocation = self._value(attributes.input, ToolInvocation)
            self._activities[event.event_id] = _Activity(path, _time(event), tool=invocation)

    def _attempted(self, event: HistoryEvent) -> Iterator[Event]:
        attributes = event.activity_task_started_event_attributes
        if activity := self._activities.get(attributes.scheduled_event_id):
            activity.attempt = attributes.attempt
        yield from ()

    def _activity_completed(self, event: HistoryEvent) -> Iterator[Event]:
        attributes = event.activity_task_completed_event_attributes
        activity = self._activities.pop(attributes.scheduled_event_id, None)
        if activity and activity.model:
            reply = self._value(attributes.result, ModelReply)
            yield from self._answered(event, activity, activity.model, reply)
        elif activity and activity.tool:
            output = self._value(attributes.result, ToolOutput)
            yield from self._tool_output(event, activity, activity.tool.call_id, output)

    def _activity_failed(self, event: HistoryEvent) -> Iterator[Event]:
        attributes = event.activity_task_failed_event_attributes
        activity = self._activities.pop(attributes.scheduled_event_id, None)
        error = self._error(attributes.failure)
        if activity and activity.model:
            self._transcripts[activity.path].failure = _reason(error)
        elif activity and activity.tool:
            yield from self._tool_error(event, activity, activity.tool.call_id, error)

    def _activity_timed_out(self, event: HistoryEvent) -> Iterator[Event]:
        # What a tool's timeout means is the workflow's to say: its words stand in the next model call.
        attributes = event.activity_task_timed_out_event_attributes
        activity = self._activities.pop(attributes.scheduled_event_id, None)
        if activity and activity.model:
            self._transcripts[activity.path].failure = _reason(self._error(attributes.failure))
        yield from ()

    def _marked(self, event: HistoryEvent) -> Iterator[Event]:
        attributes = event.marker_recorded_event_attributes
        if attributes.marker_name != "core_local_activity":
            return
        data = self._value(attributes.details["data"], dict[str, Any])
        path, _, call_id = data["activity_id"].rpartition(":")
        # A marker with a backoff only notes that the call will be tried again later.
        if path not in self._transcripts or data.get("backoff"):
            return
        # Its own clock is the worker's; the server's tells only when the workflow task ended.
        taken = max(_seconds(data["complete_time"]) - _seconds(data["original_schedule_time"]), 0.0)
        ended = _time(event)
        activity = _Activity(path, datetime.fromtimestamp(ended.timestamp() - taken, UTC), data["attempt"])
        if attributes.HasField("failure"):
            yield from self._tool_error(event, activity, call_id, self._error(attributes.failure))
        else:
            output = self._value(attributes.details["result"], ToolOutput)
            yield from self._tool_output(event, activity, call_id, output)

    # What they mean

    def _asked(self, event: HistoryEvent, call: ModelCall) -> Iterator[Event]:
        transcript = self._transcripts.get(call.transcript)
        if transcript is None:
            if call.head is None:
                return
            transcript = self._transcripts[call.transcript] = Transcript(call.head, ())
        before, failure = transcript.choice, transcript.failure
        transcript.sent(call)
        yield from self._told(event, call.transcript, transcript)
        if call.choice != before:
            yield FallbackUsed(
                **self._stamp(event, call.transcript),
                turn=call.turn,
                failed=transcript.head.model.choices[before].name,
                model=call.model,
                reason=failure,
            )
        yield ModelRequested(**self._stamp(event, call.transcript), turn=call.turn, model=call.model)

    def _answered(
        self, event: HistoryEvent, activity: _Activity, call: ModelCall, reply: ModelReply
    ) -> Iterator[Event]:
        self._turns += 1
        self._totals += Totals(
            usage=reply.usage, cost_usd=reply.cost_usd or 0.0, unpriced_calls=int(reply.cost_usd is None)
        )
        self._transcripts[activity.path].replied(reply, call.turn, _time(event))
        yield ModelResponded(
            **self._stamp(event, activity.path),
            turn=call.turn,
            model=reply.model,
            message=reply.message,
            usage=reply.usage,
            cost_usd=reply.cost_usd,
            attempt=activity.attempt,
            seconds=_elapsed(activity.at, event),
            prompt_hash=reply.prompt_hash,
        )
        for part in reply.message.tool_calls:
            yield ToolRequested(
                **self._stamp(event, activity.path),
                turn=call.turn,
                call_id=part.id,
                name=part.name,
                arguments=part.arguments,
            )

    def _told(self, event: HistoryEvent, path: str, transcript: Transcript) -> Iterator[Event]:
        """Responses that were no activity's result: the model is the first to be told them."""
        for result in transcript.unreported():
            activity = _Activity(path, transcript.calls[result.call_id].at)
            yield self._tool_responded(event, activity, transcript, result)

    def _tool_output(
        self, event: HistoryEvent, activity: _Activity, call_id: str, output: ToolOutput
    ) -> Iterator[Event]:
        transcript = self._transcripts[activity.path]
        if asked := transcript.calls.get(call_id):
            result = ToolResultPart(
                call_id=call_id, name=asked.part.name, content=output.content, attachments=output.attachments
            )
            if transcript.answered(result):
                yield self._tool_responded(event, activity, transcript, result)

    def _tool_error(
        self, event: HistoryEvent, activity: _Activity, call_id: str, error: BaseException
    ) -> Iterator[Event]:
        # Any other failure is the worker's, not the tool's: the workflow puts it into words for the model.
        transcript = self._transcripts[activity.path]
        asked = transcript.calls.get(call_id)
        if asked and isinstance(error, ApplicationError) and error.type == names.TOOL_FAILED:
            result = ToolResultPart(call_id=call_id, name=asked.part.name, content=error.message, is_error=True)
            if transcript.answered(result):
                yield self._tool_responded(event, activity, transcript, result)

    def _tool_responded(
        self, event: HistoryEvent, activity: _Activity, transcript: Transcript, result: ToolResultPart
    ) -> ToolResponded:
        return ToolResponded(
            **self._stamp(event, activity.path),
            turn=transcript.calls[result.call_id].turn,
            call_id=result.call_id,
            name=result.name,
            content=result.content,
            is_error=result.is_error,
            attempt=activity.attempt,
            seconds=_elapsed(activity.at, event),
        )

    # Reading

    def _stamp(self, event: HistoryEvent, path: str) -> dict[str, Any]:
        stamp = {"id": f"{self._execution}/{event.event_id}/{self._index}", "at": _time(event), "path": path}
        self._index += 1
        return stamp

    def _value(self, payloads: Payloads, kind: type[T]) -> T:
        if payloads.payloads[0].external_payloads:
            raise SetupError(
                "the run keeps large payloads outside its history: set SOSTENUTO_PAYLOAD_DIR to the directory that its "
                "workers use"
            )
        value: T = self._converter.payload_converter.from_payloads(payloads.payloads, [kind])[0]
        return value

    def _error(self, failure: Failure) -> BaseException:
        return self._converter.failure_converter.from_failure(failure, self._converter.payload_converter)


def _reason(error: BaseException) -> str:
    return f"{error.type}: {error.message}" if isinstance(error, ApplicationError) else str(error)


def _time(event: HistoryEvent) -> datetime:
    return event.event_time.ToDatetime(UTC)


def _elapsed(start: datetime, event: HistoryEvent) -> float:
    return max((_time(event) - start).total_seconds(), 0.0)


def _seconds(timestamp: dict[str, int]) -> float:
    return timestamp["seconds"] + timestamp["nanos"] / 1e9
