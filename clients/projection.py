"""From history to events. Pure and linear: each history event is read once, and no I/O happens here.

Payloads must have been decoded before, see `clients.history`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from ..contracts import names
from ..contracts.event import Event, RunFinished, RunStarted
from ..contracts.message import Message
from ..contracts.run import Carried, Result, RunInput, Status
from .recorded import Recorded
from .steps import Steps
from .transcript import Prompt, Transcript


class Projection:
    """Reads the history of a run, over all its executions, and tells it as events.

    Args:
        converter: The run's data converter, of which only the parts without I/O are used.
    """

    def __init__(self, converter: DataConverter) -> None:
        self._converter = converter
        self._steps = Steps()
        self._handlers: Mapping[int, Callable[[Recorded], Iterator[Event]]] = {
            **self._steps.handlers,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: self._started,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: self._completed,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: self._failed,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: self._cancelled,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: self._terminated,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: self._timed_out,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: self._continued,
        }
        self._path = ""
        self.next_execution = ""
        """Where the run goes on, once this execution has continued as new."""
        self.result: Result | None = None
        """What the run came to, once it has ended; without messages."""

    def feed(self, event: HistoryEvent, execution: str) -> list[Event]:
        """The events that one history event means, in order. History events come in their order, none twice.

        Args:
            event: With its payloads decoded.
            execution: Temporal's run id of the execution whose history it is in. No event tells that itself: those of
                an execution that was reset name the one that it was before.
        """
        handler = self._handlers.get(event.event_type)
        return list(handler(Recorded(event, execution, self._converter))) if handler else []

    def transcript(self, path: str | None = None) -> tuple[Message, ...]:
        """The messages so far of the agent at that path, of the run's own runnable by default."""
        known = self._steps.transcripts.get(self._path if path is None else path)
        return known.snapshot() if known else ()

    def prompt(self, turn: int, path: str | None = None) -> Prompt:
        """What the model call of that turn sent.

        Raises:
            KeyError: The history read so far tells of no such call.
        """
        return self._steps.transcripts[self._path if path is None else path].prompt(turn)

    def _started(self, recorded: Recorded) -> Iterator[Event]:
        attributes = recorded.event.workflow_execution_started_event_attributes
        self._steps.forget_activities()
        self.next_execution = ""
        run = recorded.value(attributes.input, RunInput)
        self._path = run.runnable.name
        if run.carried:
            yield from self._resumed(recorded, run, run.carried)
            return
        self._steps.transcripts[self._path] = Transcript(run.runnable.head, (run.message,))
        yield RunStarted(
            **recorded.stamp(self._path),
            run_id=attributes.workflow_id,
            runnable=run.runnable.name,
            message=run.message,
        )

    def _resumed(self, recorded: Recorded, run: RunInput, carried: Carried) -> Iterator[Event]:
        self._steps.turns, self._steps.totals = carried.turns, carried.totals
        transcript = self._steps.transcripts.get(self._path)
        if transcript is None:
            self._steps.transcripts[self._path] = Transcript(run.runnable.head, carried.messages, choice=carried.choice)
            return
        transcript.messages = list(carried.messages)
        yield from self._steps.told(recorded, self._path, transcript)

    def _completed(self, recorded: Recorded) -> Iterator[Event]:
        payloads = recorded.event.workflow_execution_completed_event_attributes.result
        yield from self._came_to(recorded, recorded.value(payloads, Result))

    def _failed(self, recorded: Recorded) -> Iterator[Event]:
        error = recorded.error(recorded.event.workflow_execution_failed_event_attributes.failure)
        if isinstance(error, ApplicationError) and error.type == names.RUN_FAILED and error.details:
            yield from self._came_to(recorded, Result.model_validate(error.details[0]))
        else:
            yield self._finished(recorded, self._partial(Status.FAILED, str(error)))

    def _cancelled(self, recorded: Recorded) -> Iterator[Event]:
        yield self._finished(recorded, self._partial(Status.CANCELLED, "the run was cancelled"))

    def _terminated(self, recorded: Recorded) -> Iterator[Event]:
        reason = recorded.event.workflow_execution_terminated_event_attributes.reason
        text = f"the run was terminated: {reason}" if reason else "the run was terminated"
        yield self._finished(recorded, self._partial(Status.FAILED, text))

    def _timed_out(self, recorded: Recorded) -> Iterator[Event]:
        yield self._finished(recorded, self._partial(Status.FAILED, "the run took longer than its Temporal timeout"))

    def _continued(self, recorded: Recorded) -> Iterator[Event]:
        self.next_execution = recorded.event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        yield from ()

    def _came_to(self, recorded: Recorded, result: Result) -> Iterator[Event]:
        """The end of a run that made its own result: the transcript takes in the errors that stand nowhere else."""
        if transcript := self._steps.transcripts.get(self._path):
            yield from self._steps.untold(recorded, self._path, transcript, result.untold)
        yield self._finished(recorded, result.model_copy(update={"untold": ()}))

    def _finished(self, recorded: Recorded, result: Result) -> RunFinished:
        self.result = result
        return RunFinished(
            **recorded.stamp(self._path),
            status=result.status,
            output=result.output,
            reason=result.reason,
            turns=result.turns,
            usage=result.usage,
            cost_usd=result.cost_usd,
        )

    def _partial(self, status: Status, reason: str) -> Result:
        """A result for a run that could not make its own."""
        return Result(
            status=status,
            output=Message.last_words(self.transcript()),
            reason=reason,
            turns=self._steps.turns,
            usage=self._steps.totals.usage,
            cost_usd=self._steps.totals.cost_usd,
            unpriced_calls=self._steps.totals.unpriced_calls,
        )
