"""Adds up what one workflow spent of a budget, by its history alone.

As the workflow itself charges it: a call that failed may have cost all that was held for it. Pure: does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.exceptions import ApplicationError, CancelledError

from ....contracts import names
from ....contracts.wire.control.spent import Spent
from ....contracts.wire.memory.calls import Recalled, Remembered
from ....contracts.wire.model_call import Allowance, ModelCall, ModelReply
from ....contracts.wire.retrieval import RetrievalCall, Retrieved
from ....contracts.wire.run import Result
from ....contracts.wire.totals import Totals, Unsettled
from ....workflows.budget.amount import Amount
from ....workflows.budget.hold import unsettled_beside
from ....workflows.budget.searches import charged_for, most_of
from ....workflows.concurrency import end_of, spent_by
from ..history_event import RecordedEvent

_OF_MEMORY: Final[dict[str, type[Recalled | Remembered]]] = {
    names.MEMORY_RECALL_ACTIVITY: Recalled,
    names.MEMORY_WRITE_ACTIVITY: Remembered,
}


class Spending:
    """What one execution of a workflow spent."""

    def __init__(self) -> None:
        self._spent = Spent()
        self._models: dict[int, Allowance] = {}
        """Model calls that have not ended, by the event that scheduled them, and what was held for them."""
        self._searches: dict[int, RetrievalCall] = {}
        self._memories: dict[int, type[Recalled | Remembered]] = {}
        """What was asked of memories, by what it will come to."""
        self._nested: dict[int, str] = {}
        """Ids of nested runs that have begun and told nothing, by the event that asked for them."""
        self._readers: dict[int, Callable[[RecordedEvent], None]] = {
            EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: self._scheduled,
            EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: self._completed,
            EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: self._failed,
            EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: self._timed_out,
            EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED: self._cancelled,
            EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: self._nested_began,
            EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: self._nested_completed,
            EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: self._nested_failed,
        }

    def feed(self, recorded: RecordedEvent) -> None:
        """Take in one history event."""
        if reader := self._readers.get(recorded.event.event_type):
            reader(recorded)

    @property
    def total(self) -> Spent:
        """What it spent itself, and what of its nested runs told."""
        total = self._spent
        for allowance in self._models.values():
            total = _plus(total, _lost(allowance))
        for search in self._searches.values():
            total = _plus(total, _held_for(search))
        return total

    @property
    def unheard(self) -> list[str]:
        """Ids of its nested runs that told nothing."""
        return [*self._nested.values()]

    def _scheduled(self, recorded: RecordedEvent) -> None:
        attributes = recorded.event.activity_task_scheduled_event_attributes
        if attributes.activity_type.name == names.MODEL_ACTIVITY:
            call = recorded.value(attributes.input, ModelCall)
            self._models[recorded.event.event_id] = call.allowance or Allowance(output_tokens=0)
        elif attributes.activity_type.name == names.RETRIEVE_ACTIVITY:
            self._searches[recorded.event.event_id] = recorded.value(attributes.input, RetrievalCall)
        elif kind := _OF_MEMORY.get(attributes.activity_type.name):
            self._memories[recorded.event.event_id] = kind

    def _completed(self, recorded: RecordedEvent) -> None:
        attributes = recorded.event.activity_task_completed_event_attributes
        scheduled = attributes.scheduled_event_id
        if allowance := self._models.pop(scheduled, None):
            reply = recorded.value(attributes.result, ModelReply)
            self._add(Totals.of(reply), turns=1)
            if not reply.tells_cost(priced=allowance.usd > 0):
                held = Amount(allowance.usd, allowance.tokens)
                self._add(unsettled_beside(held, Totals.of(reply), answered=True))
        elif search := self._searches.pop(scheduled, None):
            self._searched(search, recorded.value(attributes.result, Retrieved))
        elif kind := self._memories.pop(scheduled, None):
            self._add(recorded.value(attributes.result, kind).totals)

    def _failed(self, recorded: RecordedEvent) -> None:
        attributes = recorded.event.activity_task_failed_event_attributes
        self._ended(attributes.scheduled_event_id, recorded.error(attributes.failure))

    def _timed_out(self, recorded: RecordedEvent) -> None:
        attributes = recorded.event.activity_task_timed_out_event_attributes
        self._ended(attributes.scheduled_event_id, recorded.error(attributes.failure))

    def _cancelled(self, recorded: RecordedEvent) -> None:
        attributes = recorded.event.activity_task_canceled_event_attributes
        self._ended(attributes.scheduled_event_id, CancelledError("cancelled"))

    def _ended(self, scheduled: int, error: BaseException) -> None:
        if allowance := self._models.pop(scheduled, None):
            if not end_of(error).free:
                self._spent = _plus(self._spent, _lost(allowance))
        elif search := self._searches.pop(scheduled, None):
            self._searched(search, error)
        elif self._memories.pop(scheduled, None):
            self._add(spent_by(error))

    def _searched(self, search: RetrievalCall, came: Retrieved | BaseException) -> None:
        held, _ = most_of(search)
        # What costs nothing is held nothing for, and told as it is.
        self._add(charged_for(search.collection, held, came) if held != Amount() else Totals())

    def _nested_began(self, recorded: RecordedEvent) -> None:
        attributes = recorded.event.child_workflow_execution_started_event_attributes
        self._nested[attributes.initiated_event_id] = attributes.workflow_execution.workflow_id

    def _nested_completed(self, recorded: RecordedEvent) -> None:
        attributes = recorded.event.child_workflow_execution_completed_event_attributes
        if names.is_run_type(attributes.workflow_type.name):
            self._told(attributes.initiated_event_id, recorded.value(attributes.result, Result))

    def _nested_failed(self, recorded: RecordedEvent) -> None:
        attributes = recorded.event.child_workflow_execution_failed_event_attributes
        error: BaseException | None = recorded.error(attributes.failure)
        while error and not isinstance(error, ApplicationError):
            error = error.__cause__
        if isinstance(error, ApplicationError) and error.type == names.RUN_FAILED and error.details:
            self._told(attributes.initiated_event_id, Result.model_validate(error.details[0]))

    def _told(self, initiated: int, result: Result) -> None:
        if self._nested.pop(initiated, None) and not result.ended_unheard:
            self._add(result.totals, result.turns)

    def _add(self, totals: Totals, turns: int = 0) -> None:
        self._spent = _plus(self._spent, Spent(totals=totals, turns=turns))


def _plus(one: Spent, other: Spent) -> Spent:
    return Spent(totals=one.totals + other.totals, turns=one.turns + other.turns)


def _lost(allowance: Allowance) -> Spent:
    return Spent(totals=Totals(unsettled=Unsettled(calls=1, usd=allowance.usd, tokens=allowance.tokens)))


def _held_for(search: RetrievalCall) -> Spent:
    held, _ = most_of(search)
    return Spent(totals=Totals(unsettled=Unsettled(usd=held.usd, tokens=held.tokens)))


def sum_of(some: list[Spent]) -> Spent:
    """Return what several spent together."""
    total = Spent()
    for one in some:
        total = _plus(total, one)
    return total
