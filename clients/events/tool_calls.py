"""What tools came to, from the events of their activities. Pure: reads events, and does no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from temporalio.api.common.v1 import Payloads
from temporalio.exceptions import ApplicationError, is_cancelled_exception

from ...contracts import names
from ...contracts.message import ToolResultPart
from ...contracts.wire.event import Event, ToolResponded
from ...contracts.wire.tool_call import ToolOutput
from .history_event import Recorded
from .outcome import Activity, reason
from .transcript import Transcript


def told(recorded: Recorded, path: str, transcript: Transcript) -> Iterator[Event]:
    """Responses that were no activity's result: the model is the first to be told them."""
    for result in transcript.unreported():
        yield responded(recorded, path, transcript, result)


def untold(recorded: Recorded, path: str, transcript: Transcript, results: Iterable[ToolResultPart]) -> Iterator[Event]:
    """Responses that were no activity's result, and that no model was told either."""
    news = [result for result in results if transcript.answered(result)]
    for result in news:
        yield responded(recorded, path, transcript, result)


def responded(
    recorded: Recorded,
    path: str,
    transcript: Transcript,
    result: ToolResultPart,
    *,
    since: datetime | None = None,
    attempt: int = 1,
) -> ToolResponded:
    """The event of a result.

    Args:
        recorded: The history event that tells it.
        path: Place of the transcript.
        transcript: Whose call it answers.
        result: What the call came to.
        since: When the call was scheduled. Default: when the model asked for it.
        attempt: From 1.
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
    )


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """The end of a call that a model asked for."""

    call_id: str
    transcript: Transcript

    def completed(self, recorded: Recorded, activity: Activity, result: Payloads) -> Iterator[Event]:
        """What the tool came to."""
        if asked := self.transcript.calls.get(self.call_id):
            output = recorded.value(result, ToolOutput)
            yield from self._answered(
                recorded,
                activity,
                ToolResultPart(
                    call_id=self.call_id, name=asked.part.name, content=output.content, attachments=output.attachments
                ),
            )

    def failed(self, recorded: Recorded, activity: Activity, error: BaseException) -> Iterator[Event]:
        """What the tool failed by. What anything else means, a timeout too, the workflow's words to the model say."""
        asked = self.transcript.calls.get(self.call_id)
        if asked and isinstance(error, ApplicationError) and error.type == names.TOOL_FAILED:
            result = ToolResultPart(call_id=self.call_id, name=asked.part.name, content=error.message, is_error=True)
            yield from self._answered(recorded, activity, result)

    def _answered(self, recorded: Recorded, activity: Activity, result: ToolResultPart) -> Iterator[Event]:
        if self.transcript.answered(result):
            since, attempt = activity.at, activity.attempt
            yield responded(recorded, activity.path, self.transcript, result, since=since, attempt=attempt)


@dataclass(frozen=True, slots=True)
class DirectOutcome:
    """The end of a call that no model asked for, but a workflow of somebody's own."""

    call_id: str
    name: str

    def completed(self, recorded: Recorded, activity: Activity, result: Payloads) -> Iterator[Event]:
        """What the tool came to."""
        yield self._responded(recorded, activity, recorded.value(result, ToolOutput).content, is_error=False)

    def failed(self, recorded: Recorded, activity: Activity, error: BaseException) -> Iterator[Event]:
        """What it failed by: no model is told it, so this is the only place."""
        if is_cancelled_exception(error):
            content = "the call was cancelled"
        elif isinstance(error, ApplicationError) and error.type == names.TOOL_FAILED:
            content = error.message
        else:
            content = reason(error)
        yield self._responded(recorded, activity, content, is_error=True)

    def _responded(self, recorded: Recorded, activity: Activity, content: str, *, is_error: bool) -> ToolResponded:
        return ToolResponded(
            **recorded.stamp(activity.path),
            turn=0,
            call_id=self.call_id,
            name=self.name,
            content=content,
            is_error=is_error,
            attempt=activity.attempt,
            seconds=recorded.since(activity.at),
        )
