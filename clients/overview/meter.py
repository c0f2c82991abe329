"""What a history that is read page by page says was spent. Does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from ...contracts import names
from ...contracts.contract import Contract
from ...contracts.control.usage import Usage
from ...contracts.wire.control.spent import Spent
from ...contracts.wire.totals import Charged, Totals
from ...history.events.history_event import RecordedEvent
from ...history.reading.follow import MAY_BE_TAKEN_BACK
from ...workflows.concurrency import spent_by
from ..ledgers.awaited import ledger_of_timer

_CHARGED: Final = frozenset(
    {names.RETRIEVE_ACTIVITY, names.INGEST_BEGIN_ACTIVITY, names.INGEST_DOCUMENT_ACTIVITY, names.INGEST_SHOW_ACTIVITY}
)


class _Reply(Contract):
    """As much of a model's reply as it takes to add it up."""

    usage: Usage = Usage()
    cost_usd: float | None = None


class _Result(Charged):
    """As much of a nested run's result as it takes to add it up."""

    turns: int = 0


class _Carried(Contract):
    totals: Totals = Totals()
    progress: Charged | None = None
    """Of an ingest."""
    turns: int = 0
    nested_turns: int = 0


class _Beginning(Contract):
    """As much of an input as tells what earlier executions have used."""

    carried: _Carried | None = None
    totals: Totals | None = None
    model_turns: int = 0


class CallUnderWay(NamedTuple):
    """A call that has begun and not ended."""

    kind: str
    """Its activity type."""
    summary: str
    """What the Temporal UI calls it."""


class Meter:
    """What one execution has used, as far as it was read.

    Keeps no messages: of a history of any length it holds as much as is open in it.

    Args:
        converter: Of which only the parts without I/O are used.
    """

    def __init__(self, converter: DataConverter) -> None:
        self._converter = converter
        self._timers: dict[str, str] = {}
        """Which ledger is to answer, by the ids of the timers that run: for most none."""
        self.totals = Totals()
        self.model_calls = 0
        self.calls: dict[str, CallUnderWay] = {}
        """What is open, by the id of its activity."""
        self._ids: dict[int, str] = {}
        """Ids of the activities that are open, by the event that scheduled them."""
        self.reached = 0
        """Id of the last event that was read."""
        self.last_at: datetime | None = None
        """When something happened last."""
        self._seen = 0
        self.is_readable = True
        """Whether all that tells a cost could be read."""
        self._readers: Mapping[int, Callable[[RecordedEvent], None]] = {
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: self._started,
            EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: self._scheduled,
            EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: self._completed,
            EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: self._failed,
            EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: self._timed_out,
            EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED: self._cancelled,
            EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: self._nested_completed,
            EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: self._nested_failed,
            EventType.EVENT_TYPE_TIMER_STARTED: self._timer_started,
            EventType.EVENT_TYPE_TIMER_FIRED: self._timer_fired,
            EventType.EVENT_TYPE_TIMER_CANCELED: self._timer_cancelled,
        }

    @property
    def has_timer(self) -> bool:
        """Whether it waits for a time."""
        return bool(self._timers)

    @property
    def ledgers(self) -> Sequence[str]:
        """Names of the ledgers that it waits for; the end of a long one is cut."""
        return [*dict.fromkeys(filter(None, self._timers.values()))]

    def wants(self, event: HistoryEvent) -> bool:
        """Return whether the payloads of an event are read, and so have to be decoded."""
        kind = event.event_type
        if kind == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            return self._call(event.activity_task_completed_event_attributes.scheduled_event_id).kind in _SPENDING
        return kind in self._readers

    def take(self, event: HistoryEvent) -> None:
        """Take in the next event, its payloads decoded where they are wanted."""
        self.reached = max(self.reached, event.event_id)
        if event.event_id <= self._seen or event.event_type in MAY_BE_TAKEN_BACK:
            return
        recorded = RecordedEvent(event, "", self._converter)
        self._seen, self.last_at = event.event_id, recorded.at
        if reader := self._readers.get(event.event_type):
            try:
                reader(recorded)
            except Exception:  # noqa: BLE001 - of what cannot be read the cost is not known, and the rest is
                self.is_readable = False

    def _call(self, scheduled: int) -> CallUnderWay:
        return self.calls.get(self._ids.get(scheduled, ""), CallUnderWay("", ""))

    def _end(self, scheduled: int) -> CallUnderWay:
        return self.calls.pop(self._ids.pop(scheduled, ""), CallUnderWay("", ""))

    def _started(self, recorded: RecordedEvent) -> None:
        attributes = recorded.event.workflow_execution_started_event_attributes
        kind = attributes.workflow_type.name
        if not (names.is_of_runnables(kind) or kind == names.INGEST_WORKFLOW):
            # What a code-first workflow carries along is its own affair, and was not added up there.
            self.is_readable = not attributes.continued_execution_run_id
            return
        begins = recorded.value(attributes.input, _Beginning)
        if kind == names.CHAT_WORKFLOW:
            self.totals, self.model_calls = begins.totals or Totals(), begins.model_turns
        elif begins.carried:
            progress = begins.carried.progress
            self.totals = progress.totals if progress else begins.carried.totals
            self.model_calls = begins.carried.turns + begins.carried.nested_turns

    def _scheduled(self, recorded: RecordedEvent) -> None:
        attributes = recorded.event.activity_task_scheduled_event_attributes
        self._ids[recorded.event.event_id] = attributes.activity_id
        metadata = recorded.event.user_metadata
        summary = recorded.json(metadata.summary) if metadata.HasField("summary") else ""
        self.calls[attributes.activity_id] = CallUnderWay(attributes.activity_type.name, str(summary or ""))

    def _completed(self, recorded: RecordedEvent) -> None:
        attributes = recorded.event.activity_task_completed_event_attributes
        kind = self._end(attributes.scheduled_event_id).kind
        if kind == names.MODEL_ACTIVITY:
            reply = recorded.value(attributes.result, _Reply)
            self.totals += Totals.call(reply.usage, reply.cost_usd)
            self.model_calls += 1
        elif kind in _CHARGED:
            self.totals += recorded.value(attributes.result, Charged).totals
        elif kind == names.SPENT_ACTIVITY:
            spent = recorded.value(attributes.result, Spent)
            self.totals += spent.totals
            self.model_calls += spent.turns

    def _failed(self, recorded: RecordedEvent) -> None:
        attributes = recorded.event.activity_task_failed_event_attributes
        if self._end(attributes.scheduled_event_id).kind in _CHARGED:
            self.totals += spent_by(recorded.error(attributes.failure))

    def _timed_out(self, recorded: RecordedEvent) -> None:
        self._end(recorded.event.activity_task_timed_out_event_attributes.scheduled_event_id)

    def _cancelled(self, recorded: RecordedEvent) -> None:
        self._end(recorded.event.activity_task_canceled_event_attributes.scheduled_event_id)

    def _nested_completed(self, recorded: RecordedEvent) -> None:
        attributes = recorded.event.child_workflow_execution_completed_event_attributes
        if names.is_run_type(attributes.workflow_type.name):
            self._add(recorded.value(attributes.result, _Result))

    def _nested_failed(self, recorded: RecordedEvent) -> None:
        attributes = recorded.event.child_workflow_execution_failed_event_attributes
        error = recorded.error(_innermost(attributes.failure))
        if isinstance(error, ApplicationError) and error.type == names.RUN_FAILED and error.details:
            self._add(_Result.model_validate(error.details[0]))

    def _add(self, result: _Result) -> None:
        self.totals += result.totals
        self.model_calls += result.turns

    def _timer_started(self, recorded: RecordedEvent) -> None:
        timer = recorded.event.timer_started_event_attributes.timer_id
        self._timers[timer] = ""
        self._timers[timer] = ledger_of_timer(recorded)

    def _timer_fired(self, recorded: RecordedEvent) -> None:
        self._timers.pop(recorded.event.timer_fired_event_attributes.timer_id, None)

    def _timer_cancelled(self, recorded: RecordedEvent) -> None:
        self._timers.pop(recorded.event.timer_canceled_event_attributes.timer_id, None)


_SPENDING: Final = _CHARGED | {names.MODEL_ACTIVITY, names.SPENT_ACTIVITY}


def _innermost(failure: Failure) -> Failure:
    while failure.HasField("cause"):
        failure = failure.cause
    return failure
