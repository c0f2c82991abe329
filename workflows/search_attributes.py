"""The search attributes and the memo by which the list of runs tells of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate
from temporalio.exceptions import CancelledError

from ..contracts import limits, names
from ..contracts.wire.run import Result, Status
from ..contracts.wire.totals import Totals
from .concurrency import own_workflow
from .payload_limits import Outbox
from .tally import Tally

RUNNABLE = SearchAttributeKey.for_keyword(names.SEARCH_RUNNABLE)
STATUS = SearchAttributeKey.for_keyword(names.SEARCH_STATUS)
TENANT = SearchAttributeKey.for_keyword(names.SEARCH_TENANT)
AWAITING = SearchAttributeKey.for_keyword(names.SEARCH_AWAITING)
COST_USD = SearchAttributeKey.for_float(names.SEARCH_COST_USD)
TOKENS = SearchAttributeKey.for_int(names.SEARCH_TOKENS)

RUNNING = "running"
"""Status of a run that has not ended."""

AT_START: Sequence[SearchAttributePair[Any]] = (
    SearchAttributePair(STATUS, RUNNING),
    # Set by the workflow, which a namespace without them would hold up for ever.
    SearchAttributePair(COST_USD, 0.0),
    SearchAttributePair(TOKENS, 0),
)
"""What a run begins with, so that its workflow may set it."""

COST_AT_START: Sequence[SearchAttributePair[Any]] = AT_START[1:]
"""What a code-first workflow begins with: how it ends only Temporal tells."""

SECONDS_BETWEEN: Final = timedelta(seconds=10)
"""Least time between two events by which a workflow tells what it used. Histories replay by it: it stays as it is."""

SUMMARY_CHARS = 120
"""Longest summary of a run: the first line of what it is asked."""


class RunningCost:
    """Tells the list of runs what a workflow has used, while it goes on.

    Not more often than every ten seconds, together with what comes next: a run that takes less time has no event of it.

    Args:
        tally: What everything in the workflow used so far.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._told = Totals()
        self._told_at: datetime | None = None
        self._before: _Before | None = None
        self._is_due = self._is_over = False

    def note(self) -> None:
        """Take note that something was used.

        Where it is time, it is told once what is ready has run.
        """
        if self._is_due or not _tells_cost():
            return
        since = workflow.now() - (self._told_at or workflow.info().workflow_start_time)
        if since >= SECONDS_BETWEEN:
            self._is_due = True
            # A run that ends now tells it with its end.
            asyncio.get_running_loop().call_soon(self._when_due)

    def tell(self) -> None:
        """Tell it now, where there is anything new."""
        if _tells_cost() and self._tally.totals != self._told:
            self._upsert([])

    def tell_awaiting(self, what: str) -> None:
        """Tell what a run or a chat waits for, and what it has used.

        Args:
            what: Such as `names.AWAITS_APPROVAL`. Empty: for nobody any more.
        """
        # Of code-first workflows too: whoever registered one of the attributes registered all.
        if workflow.info().typed_search_attributes.get(RUNNABLE) is not None:
            self._upsert([AWAITING.value_set(what) if what else AWAITING.value_unset()])

    def end(self, totals: Totals, status: Status) -> None:
        """Tell how it ended, and what it has used in all."""
        self._is_over = True
        # Where the cluster lacks the attributes an upsert would fail the workflow task again and again.
        if workflow.info().typed_search_attributes.get(STATUS) is not None:
            workflow.upsert_search_attributes([*_cost(totals, _Before()), STATUS.value_set(status.value)])

    def stop(self) -> None:
        """Tell nothing more.

        This execution ends, and the next one begins with what was told.
        """
        self._is_over = True

    def _when_due(self) -> None:
        self._is_due = False
        if not self._is_over:
            self.tell()

    def _upsert(self, updates: Sequence[SearchAttributeUpdate[Any]]) -> None:
        if self._before is None:
            self._before = _told_before()
        self._told, self._told_at = self._tally.totals, workflow.now()
        cost = _cost(self._told, self._before) if _tells_cost() else ()
        workflow.upsert_search_attributes([*updates, *cost])


class Awaiting:
    """Knows what a run or a chat waits for people for.

    Args:
        tell: Told what it is, whenever that changes; with an empty text that it is nothing any more.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._is_at_work = own_workflow()
        self._kinds: set[str] = set()
        self._told = ""

    def set(self, kind: str, *, waits: bool) -> None:
        """Take in whether anything of a kind waits.

        Args:
            kind: Such as `names.AWAITS_APPROVAL`.
            waits: Whether it does.
        """
        (self._kinds.add if waits else self._kinds.discard)(kind)
        # One value alone fits: an approval is told before a top-up.
        now = min(self._kinds, default="")
        if now != self._told and self._is_at_work():
            self._told = now
            self._tell(now)


def _tells_cost() -> bool:
    """Return whether a workflow tells what it used while it goes on.

    One that began before version 0.3 replays without, and its client gave a code-first workflow no such attributes.
    """
    info = workflow.info()
    return info.workflow_type != names.RUN_WORKFLOW and info.typed_search_attributes.get(COST_USD) is not None


class _Before(NamedTuple):
    """What earlier executions told, where this one does not know it."""

    cost_usd: float = 0.0
    tokens: int = 0


def _told_before() -> _Before:
    info, found = workflow.info(), workflow.info().typed_search_attributes
    # What a code-first workflow takes along when it continues as new is its own affair.
    if names.is_of_runnables(info.workflow_type) or not info.continued_run_id:
        return _Before()
    return _Before(found.get(COST_USD) or 0.0, found.get(TOKENS) or 0)


def _cost(totals: Totals, before: _Before) -> Sequence[SearchAttributeUpdate[Any]]:
    tokens = before.tokens + totals.usage.total_tokens
    return [COST_USD.value_set(before.cost_usd + totals.cost_usd), TOKENS.value_set(tokens)]


def leave(told: str, result: Result, outbox: Outbox, *, cancels: bool = True) -> None:
    """Leave in the memo what happened, in one event; end as cancelled.

    The server shows it without a worker.

    A result that is cancelled although the workflow was not, as where what it consists of was stopped, is one like any
    other.

    Args:
        told: What happened, as text.
        result: What it came to.
        outbox: Knows how much of it can be sent.
        cancels: Whether a workflow that was cancelled ends so.

    Raises:
        CancelledError: The workflow was cancelled.
    """
    ends = cancels and result.status is Status.CANCELLED and workflow.cancellation_reason() is not None
    kept = {names.RESULT_MEMO: outbox.fitting(result, limits.MEMO_BYTES)} if ends else {}
    workflow.upsert_memo({names.DETAILS_MEMO: told, **kept})
    if ends:
        raise CancelledError(result.reason)


def named(name: str, tenant: str | None) -> Iterator[SearchAttributePair[Any]]:
    """Yield what the list of runs finds one by."""
    yield SearchAttributePair(RUNNABLE, name)
    if tenant:
        yield SearchAttributePair(TENANT, tenant)
