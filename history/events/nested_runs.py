"""Reads nested runs, from the child workflow events of their parent's history.

Does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from temporalio.api.enums.v1 import EventType, ParentClosePolicy, StartChildWorkflowExecutionFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from ...contracts import names
from ...contracts.message import Message
from ...contracts.wire.delegate_answer import delegate_answer
from ...contracts.wire.event import Event, MemberFinished, MemberStarted
from ...contracts.wire.places import Place
from ...contracts.wire.run import THE_RUN_WAS_CANCELLED, Result, RunInput, Status
from .history_event import RecordedEvent, end_fields
from .outcome import Accumulated
from .tool_calls import tool_responded


@dataclass(slots=True)
class Member:
    """A nested run."""

    path: Place
    name: str
    kind: str
    """What kind of runnable it is."""
    workflow_id: str
    initiated: int
    """Id of the event by which its parent's execution asked for it: names it there."""
    at: datetime
    message: Message | None
    call_id: str
    abandoned: bool
    """Whether it goes on when its parent ends."""
    execution: str = ""
    """Temporal's run id of its first execution. Empty where it never began."""


class Members:
    """The nested runs of one execution after the other."""

    def __init__(self, so_far: Accumulated) -> None:
        self._so_far = so_far
        self._asked_for: dict[int, Member] = {}
        self.open: dict[str, Member] = {}
        """Those that have begun and not ended, by path."""
        self.handlers: dict[int, Callable[[RecordedEvent], Iterator[Event]]] = {
            EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: self._initiated,
            EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED: self._not_started,
            EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: self._started,
            EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: self._completed,
            EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: self._failed,
            EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED: self._cancelled,
            EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT: self._timed_out,
            EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED: self._terminated,
        }
        """What reads which type of history event."""

    def left(self, recorded: RecordedEvent) -> Iterator[Event]:
        """Yield the ends of nested runs that the end of this execution cuts off."""
        for member in tuple(self.open.values()):
            yield from self._ended(recorded, member.initiated, _broken_off("the run that it belonged to ended first"))
        self._asked_for = {}

    def _initiated(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.start_child_workflow_execution_initiated_event_attributes
        if names.is_run_type(attributes.workflow_type.name):
            run = recorded.value(attributes.input, RunInput)
            self._asked_for[recorded.event.event_id] = Member(
                path=Place(run.path or run.runnable.name),
                name=run.runnable.name,
                kind=run.runnable.kind,
                workflow_id=attributes.workflow_id,
                initiated=recorded.event.event_id,
                at=recorded.at,
                message=run.message,
                call_id=run.call_id,
                abandoned=attributes.parent_close_policy == ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON,
            )
        yield from ()

    def _started(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.child_workflow_execution_started_event_attributes
        if member := self._asked_for.get(attributes.initiated_event_id):
            member.execution = attributes.workflow_execution.run_id
            yield self._began(recorded, member)

    def _not_started(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.start_child_workflow_execution_failed_event_attributes
        if member := self._asked_for.get(attributes.initiated_event_id):
            yield self._began(recorded, member)
            why = StartChildWorkflowExecutionFailedCause.Name(attributes.cause).rpartition("CAUSE_")[2]
            text = f"the run could not be started: {why.replace('_', ' ').lower()}: {member.workflow_id}"
            yield from self._ended(recorded, member.initiated, _broken_off(text))

    def _began(self, recorded: RecordedEvent, member: Member) -> MemberStarted:
        self.open[member.path] = member
        return MemberStarted(
            **recorded.stamp(member.path),
            member=member.name,
            runnable_kind=member.kind,
            run_id=member.workflow_id,
            call_id=member.call_id,
            message=member.message,
        )

    def _completed(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.child_workflow_execution_completed_event_attributes
        if attributes.initiated_event_id in self._asked_for:
            result = recorded.value(attributes.result, Result)
            yield from self._came_to(recorded, attributes.initiated_event_id, result)

    def _failed(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.child_workflow_execution_failed_event_attributes
        if attributes.initiated_event_id in self._asked_for:
            error = _cause(recorded, attributes.failure)
            if isinstance(error, ApplicationError) and error.type == names.RUN_FAILED and error.details:
                result = Result.model_validate(error.details[0])
                yield from self._came_to(recorded, attributes.initiated_event_id, result)
            else:
                yield from self._ended(recorded, attributes.initiated_event_id, _broken_off(str(error)))

    def _cancelled(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.child_workflow_execution_canceled_event_attributes
        result = Result(status=Status.CANCELLED, reason=THE_RUN_WAS_CANCELLED)
        yield from self._ended(recorded, attributes.initiated_event_id, result)

    def _timed_out(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.child_workflow_execution_timed_out_event_attributes
        result = _broken_off("the run took longer than its Temporal timeout")
        yield from self._ended(recorded, attributes.initiated_event_id, result)

    def _terminated(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.child_workflow_execution_terminated_event_attributes
        yield from self._ended(recorded, attributes.initiated_event_id, _broken_off("the run was terminated"))

    def _came_to(self, recorded: RecordedEvent, initiated: int, result: Result) -> Iterator[Event]:
        """Yield the end of a nested run with a result, and what its caller is told."""
        self._so_far.sealed |= result.sealed
        member = self._asked_for[initiated]
        yield from self._ended(recorded, initiated, result)
        path = member.path.parent
        transcript = self._so_far.transcripts.get(path)
        if transcript and member.call_id:
            told = delegate_answer(member.call_id, member.name, result)
            if transcript.answered(told):
                yield tool_responded(recorded, path, transcript, told, since=member.at)

    def _ended(self, recorded: RecordedEvent, initiated: int, result: Result) -> Iterator[Event]:
        member = self._asked_for.pop(initiated, None)
        if member is None:
            return
        self.open.pop(member.path, None)
        self._so_far.tally.add(result)
        yield MemberFinished(
            **recorded.stamp(member.path),
            member=member.name,
            run_id=member.workflow_id,
            transfer=result.transfer,
            **end_fields(result),
        )


def _broken_off(reason: str) -> Result:
    return Result(status=Status.FAILED, reason=reason)


def _cause(recorded: RecordedEvent, failure: Failure) -> BaseException:
    # Depending on who wrote it, the child's own failure stands there alone or as a cause.
    if failure.HasField("child_workflow_execution_failure_info") and failure.HasField("cause"):
        return recorded.error(failure.cause)
    return recorded.error(failure)
