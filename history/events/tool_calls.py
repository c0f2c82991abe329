"""Reads what tools came to, from the events of their activities.

Pure: does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from temporalio.api.common.v1 import Payloads
from temporalio.exceptions import ApplicationError, is_cancelled_exception

from ...contracts import names
from ...contracts.message import ToolResultPart
from ...contracts.wire.event import Event, ToolRequested, ToolResponded
from ...contracts.wire.guardrails.decision import GuardedFailure
from ...contracts.wire.mcp_call import McpInvocation
from ...contracts.wire.tool_call import ToolInvocation, ToolOutput
from .guardrails.decisions import read_decisions
from .history_event import RecordedEvent
from .outcome import UNREAD, Accumulated, Activity, Reading, Scheduled, failure_reason
from .transcript import RebuiltTranscript


def read_tool_call(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:
    """Read a tool call that begins.

    One that a model asked for was told with the reply.
    """
    if scheduled.id.is_undoing or (so_far.code_first and scheduled.id.is_direct_call):
        return _direct_call(recorded, scheduled, scheduled.kind, so_far)
    transcript = so_far.transcripts.get(scheduled.id.place)
    outcome = ToolOutcome(scheduled.id.step, transcript, so_far) if transcript else None
    return Reading(scheduled.id.place, outcome) if outcome else UNREAD


def read_mcp_tool_call(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:
    """Read a call of an MCP tool that begins; models know it by the name in its input."""
    if so_far.code_first and scheduled.id.is_direct_call and scheduled.input:
        return _direct_call(recorded, scheduled, recorded.value(scheduled.input, McpInvocation).name, so_far)
    return read_tool_call(recorded, scheduled, so_far)


def _direct_call(recorded: RecordedEvent, scheduled: Scheduled, name: str, so_far: Accumulated) -> Reading:
    """Read a call that no model asked for; a marker has no arguments.

    One that waited for a person was told then.
    """
    place, call_id = scheduled.id
    if (place, call_id) in so_far.approvals.direct:
        return Reading(place, DirectOutcome(call_id, name, so_far))
    about: dict[str, Any] = {"turn": 0, "call_id": call_id, "name": name}
    if scheduled.input:
        invocation = recorded.value(scheduled.input, ToolInvocation)
        about |= {"arguments": invocation.arguments, "undoes": invocation.undoes.words if invocation.undoes else ""}
    requested = ToolRequested(**recorded.stamp(place), **about)
    return Reading(place, DirectOutcome(call_id, name, so_far), (requested,))


def responses_first_told(recorded: RecordedEvent, path: str, transcript: RebuiltTranscript) -> Iterator[Event]:
    """Yield responses of which the next model call is the first to tell."""
    for result in transcript.unreported():
        yield tool_responded(recorded, path, transcript, result)


def responses_never_told(
    recorded: RecordedEvent, path: str, transcript: RebuiltTranscript, results: Iterable[ToolResultPart]
) -> Iterator[Event]:
    """Yield responses that only the end of the run tells of."""
    news = [result for result in results if transcript.answered(result)]
    for result in news:
        yield tool_responded(recorded, path, transcript, result)


def tool_responded(
    recorded: RecordedEvent,
    path: str,
    transcript: RebuiltTranscript,
    result: ToolResultPart,
    *,
    since: datetime | None = None,
    attempt: int = 1,
    waited: float = 0.0,
) -> ToolResponded:
    """Return the event of a result.

    Args:
        recorded: The history event that tells it.
        path: Place of the transcript.
        transcript: Whose call it answers.
        result: What the call came to.
        since: When the call was scheduled. Default: when the model asked for it.
        attempt: From 1.
        waited: Seconds before the attempt began.
    """
    asked = transcript.calls[result.call_id]
    return ToolResponded(
        **recorded.stamp(path),
        turn=asked.turn,
        call_id=result.call_id,
        name=result.name,
        content=result.content,
        is_error=result.is_error,
        attempt=attempt,
        seconds=recorded.since(since or asked.at),
        waited_seconds=waited,
    )


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """The end of a call that a model asked for."""

    call_id: str
    transcript: RebuiltTranscript
    so_far: Accumulated

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield what the tool returned."""
        if asked := self.transcript.calls.get(self.call_id):
            output = recorded.value(result, ToolOutput)
            yield from read_decisions(recorded, activity.path, output, self.so_far)
            yield from self.answered(recorded, activity, output.as_result(self.call_id, asked.part.name))

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:
        """Yield what the tool failed by.

        What anything else means, a timeout too, the workflow tells the model.
        """
        asked = self.transcript.calls.get(self.call_id)
        if asked and isinstance(error, ApplicationError) and error.type == names.TOOL_FAILED:
            result = ToolResultPart(call_id=self.call_id, name=asked.part.name, content=error.message, is_error=True)
            yield from read_decisions(recorded, activity.path, GuardedFailure.of(error), self.so_far)
            yield from self.answered(recorded, activity, result)

    def answered(self, recorded: RecordedEvent, activity: Activity, result: ToolResultPart) -> Iterator[Event]:
        """Yield what the model is told of the call, where nothing has told it yet."""
        if self.transcript.answered(result):
            since, attempt, waited = activity.at, activity.attempt, activity.waited
            yield tool_responded(
                recorded, activity.path, self.transcript, result, since=since, attempt=attempt, waited=waited
            )


@dataclass(frozen=True, slots=True)
class DirectOutcome:
    """The end of a call that no model asked for, but a code-first workflow."""

    call_id: str
    name: str
    so_far: Accumulated

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield what the tool returned."""
        output = recorded.value(result, ToolOutput)
        yield from read_decisions(recorded, activity.path, output, self.so_far)
        yield self._responded(recorded, activity, output.content, is_error=False)

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:
        """Yield what it failed by: no model is told it, so this is the only place.

        A call that its worker could not begin is made again: it has not failed.
        """
        if isinstance(error, ApplicationError) and error.type == names.NOT_SERVED:
            return
        if is_cancelled_exception(error):
            content = "the call was cancelled"
        elif isinstance(error, ApplicationError) and error.type == names.TOOL_FAILED:
            content = error.message
            yield from read_decisions(recorded, activity.path, GuardedFailure.of(error), self.so_far)
        else:
            content = failure_reason(error)
        yield self._responded(recorded, activity, content, is_error=True)

    def _responded(self, recorded: RecordedEvent, activity: Activity, content: str, *, is_error: bool) -> ToolResponded:
        return ToolResponded(
            **recorded.stamp(activity.path),
            turn=0,
            call_id=self.call_id,
            name=self.name,
            content=content,
            is_error=is_error,
            **activity.took(recorded),
        )
