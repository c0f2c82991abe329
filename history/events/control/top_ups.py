"""Budgets that wait for a top-up, and top-ups, as far as one workflow told.

Pure: does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from temporalio.api.common.v1 import Payload, Payloads

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


class TopUpReader:
    """The top-ups of one execution after the other."""

    def __init__(self) -> None:
        self._asked: dict[str, TopUp] = {}

    def accepted(self, recorded: RecordedEvent, update_id: str, asked: Payloads) -> Iterator[Event]:
        """Yield nothing: a top-up is told once it is taken."""
        self._asked[update_id] = recorded.value(asked, TopUp)
        yield from ()

    def completed(self, recorded: RecordedEvent, update_id: str, came: Payloads) -> Iterator[Event]:
        """Yield what was allowed."""
        top_up = self._asked.pop(update_id)
        given = top_up.model_dump(exclude={"path"})
        yield BudgetToppedUp(**recorded.stamp(recorded.value(came, ToppedUp).path), **given)
