"""The search attributes and the memo by which the list of runs tells of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate
from temporalio.exceptions import CancelledError

from ..contracts import limits, names
from ..contracts.wire.run import Result, Status
from ..contracts.wire.totals import Totals
from .payload_limits import Outbox

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
    # Set by the workflow at its end, which a namespace without them would hold up for ever.
    SearchAttributePair(COST_USD, 0.0),
    SearchAttributePair(TOKENS, 0),
)
"""What a run begins with, so that its workflow may set it."""

SUMMARY_CHARS = 120
"""Longest summary of a run: the first line of what it is asked."""


def publish(totals: Totals, status: Status | None = None) -> None:
    """Set what a run or a chat has used so far, and how it ended.

    Args:
        totals: What it used.
        status: None: it goes on.
    """
    # Where the cluster lacks the attributes an upsert would fail the workflow task again and again.
    if workflow.info().typed_search_attributes.get(STATUS) is None:
        return
    updates: list[SearchAttributeUpdate[Any]] = [
        COST_USD.value_set(totals.cost_usd),
        TOKENS.value_set(totals.usage.total_tokens),
    ]
    if status:
        updates.append(STATUS.value_set(status.value))
    workflow.upsert_search_attributes(updates)


class Awaiting:
    """Sets what a run or a chat waits for people for."""

    def __init__(self) -> None:
        self._kinds: set[str] = set()
        self._published = ""

    def set(self, kind: str, *, waits: bool) -> None:
        """Take in whether anything of a kind waits.

        Args:
            kind: Such as `names.AWAITS_APPROVAL`.
            waits: Whether it does.
        """
        (self._kinds.add if waits else self._kinds.discard)(kind)
        # A workflow that its worker forgets tells nothing.
        if not workflow.in_workflow():
            return
        # One value alone fits: an approval is told before a top-up.
        now = min(self._kinds, default="")
        # As above, and of code-first workflows too: whoever registered one of them registered all.
        if now == self._published or workflow.info().typed_search_attributes.get(RUNNABLE) is None:
            return
        self._published = now
        workflow.upsert_search_attributes([AWAITING.value_set(now) if now else AWAITING.value_unset()])


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
