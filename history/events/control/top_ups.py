"""Budgets that wait for a top-up, and top-ups, as far as one workflow told.

Pure: does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.update.v1 import Request

from ....contracts import names
from ....contracts.wire.control.budget_event import BudgetSpent, BudgetToppedUp
from ....contracts.wire.control.top_up import PendingTopUp, ToppedUp, TopUp, TopUpAsked, TopUpsAsked
from ....contracts.wire.event import Event
from ..history_event import RecordedEvent


@dataclass(frozen=True, slots=True)
class _Told:
    asked: TopUpAsked
    since: datetime


class WaitingBudgets:
    """The budgets of one workflow that wait for a top-up."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], _Told] = {}
        """By place and limit."""

    def pending(self, run_id: str) -> Iterator[PendingTopUp]:
        """Yield those that wait, the oldest first."""
        for told in self._waiting.values():
            yield PendingTopUp(run_id=run_id, since=told.since, **dict(told.asked))

    def forget(self) -> None:
        """Take in that none waits any more."""
        self._waiting.clear()

    def noted(self, recorded: RecordedEvent, memo: Payload) -> Iterator[BudgetSpent]:
        """Take in which budgets wait now; yield those that began to."""
        # What is removed from a memo is written as nothing.
        now = recorded.value(Payloads(payloads=[memo]), TopUpsAsked) if memo.data else TopUpsAsked()
        before = self._waiting
        self._waiting = {}
        for asked in now.waiting:
            key = asked.path, asked.limit
            known = before.get(key)
            self._waiting[key] = _Told(asked, known.since if known else recorded.at)
            if known is None:
                stamp = recorded.stamp(asked.path)
                yield BudgetSpent(**stamp, then="ask", reason=asked.reason, expires=asked.expires)


class TopUpUpdates:
    """The top-ups of one execution after the other."""

    def __init__(self) -> None:
        self._admitted: dict[str, Request] = {}
        self._accepted: dict[str, TopUp] = {}
        self.handlers: dict[int, Callable[[RecordedEvent], Iterator[Event]]] = {
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: self._on_admitted,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: self._on_accepted,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: self._on_completed,
        }
        """What reads which type of history event."""

    def _on_admitted(self, recorded: RecordedEvent) -> Iterator[Event]:
        request = recorded.event.workflow_execution_update_admitted_event_attributes.request
        self._admitted[request.meta.update_id] = request
        yield from ()

    def _on_accepted(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.workflow_execution_update_accepted_event_attributes
        update_id = attributes.protocol_instance_id
        request = self._admitted.pop(update_id, attributes.accepted_request)
        if request.input.name == names.TOP_UP_UPDATE:
            self._accepted[update_id] = recorded.value(request.input.args, TopUp)
        yield from ()

    def _on_completed(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.workflow_execution_update_completed_event_attributes
        top_up = self._accepted.pop(attributes.meta.update_id, None)
        if top_up and attributes.outcome.HasField("success"):
            came = recorded.value(attributes.outcome.success, ToppedUp)
            yield BudgetToppedUp(**recorded.stamp(came.path), **top_up.model_dump(exclude={"path"}))
