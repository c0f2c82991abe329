"""Recalls and writes of a run, each an activity that is charged to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from temporalio import workflow

from ...activities.memory.remembering import MemoryActivities
from ...contracts.collection import patience
from ...contracts.memory.long_term import LongTerm
from ...contracts.text import plural
from ...contracts.wire.memory.calls import ForgetCall, Forgotten, RecallCall, Recalled, Remembered, WriteCall
from ...contracts.wire.memory.record import MemoryPlace, MemorySource
from ...contracts.wire.places import Place
from ...contracts.wire.retrieval import RetrievalCall
from ...contracts.wire.totals import Totals
from .. import policy
from ..budget.account import Account
from ..budget.amount import Amount
from ..budget.searches import ChargedT, Making, charged_within, most_of
from ..tally import Tally
from ..until_served import served


class Charging(Protocol):
    """Where it is charged what is asked of memories."""

    def account(self, place: Place) -> Account | None:
        """Return the account that what runs at a place is charged to.

        None where nothing is limited.
        """
        ...

    def spent(self, totals: Totals, tally: Tally) -> None:
        """Take in what was spent."""
        ...


class MemoryCalls:
    """What a run asks of the memories of one scope.

    Args:
        host: Charges it.
        long_term: Which memories.
        place: Whose.
        tally: Takes in what it costs.
    """

    def __init__(self, host: Charging, long_term: LongTerm, place: Place, tally: Callable[[], Tally]) -> None:
        self._host = host
        self._collection = long_term.collection
        self._place = place
        self._tally = tally
        self.where = MemoryPlace(
            collection=long_term.collection.name, scope=long_term.scope, embedding=long_term.collection.embedding
        )

    def source(self, step: str, turn: int) -> MemorySource:
        """Return where what is said now comes from.

        Args:
            step: What of the run says it.
            turn: Which turn of it.
        """
        info = workflow.info()
        return MemorySource(
            run_id=info.workflow_id,
            # The same when the run is reset, or continues as new.
            execution=info.first_execution_run_id,
            step=step,
            turn=turn,
            at=workflow.now(),
        )

    async def recall(self, call: RecallCall, activity_id: str) -> Recalled:
        """Return the memories that fit a query.

        Raises:
            BudgetSpentError: A budget is not enough for it.
            FailureError: It cannot be looked for; the cause says why.
        """
        summary = f"memories of {self.where.scope}"

        async def recall(*, budgeted: bool) -> Recalled:
            options = policy.retrieve_policy(by=patience.MEMORY_RECALL, budgeted=budgeted)
            return await served(
                MemoryActivities.recall, call, summary=summary, options=options, activity_id=activity_id
            )

        return await self._charged((call.query,), recall)

    async def write(self, call: WriteCall, activity_id: str) -> Remembered:
        """Write memories; return once a search finds them.

        Raises:
            BudgetSpentError: A budget is not enough for it.
            FailureError: They cannot be written; the cause says why.
        """
        summary = f"{plural(len(call.memories), 'memory', 'memories')} of {self.where.scope}"

        async def write(*, budgeted: bool) -> Remembered:  # noqa: ARG001 - whatever it repeats is paid for once
            options = policy.memory_policy()
            return await served(MemoryActivities.write, call, summary=summary, options=options, activity_id=activity_id)

        if not call.memories:
            return await write(budgeted=False)
        return await self._charged(tuple(memory.text for memory in call.memories), write)

    async def forget(self, call: ForgetCall, activity_id: str) -> Forgotten:
        """Delete memories.

        Raises:
            FailureError: They cannot be deleted; the cause says why.
        """
        summary = f"memories of {self.where.scope}: {', '.join(call.ids)}"
        return await served(
            MemoryActivities.forget, call, summary=summary, options=policy.memory_policy(), activity_id=activity_id
        )

    async def _charged(self, texts: tuple[str, ...], make: Making[ChargedT]) -> ChargedT:
        return await charged_within(
            self._host.account(self._place),
            self._most(texts),
            self._collection,
            make,
            f"memories of {self.where.scope}",
            hold=lambda account, amount, what: account.hold(amount, what),
            charge=lambda totals: self._host.spent(totals, self._tally()),
        )

    def _most(self, texts: tuple[str, ...]) -> Amount:
        """Return the most that embedding texts can cost."""
        plain = self._collection.model_copy(update={"rerank": "none"})
        return most_of(RetrievalCall(collection=plain, query=texts[0], queries=texts[1:], limit=1))[0]
