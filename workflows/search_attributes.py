"""The search attributes that runs carry, as keys of the Temporal SDK."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate

from ..contracts import names
from ..contracts.wire.run import Status
from ..contracts.wire.totals import Totals

RUNNABLE = SearchAttributeKey.for_keyword(names.SEARCH_RUNNABLE)
STATUS = SearchAttributeKey.for_keyword(names.SEARCH_STATUS)
TENANT = SearchAttributeKey.for_keyword(names.SEARCH_TENANT)
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


def named(name: str, tenant: str | None) -> Iterator[SearchAttributePair[Any]]:
    """Yield what the list of runs finds one by."""
    yield SearchAttributePair(RUNNABLE, name)
    if tenant:
        yield SearchAttributePair(TENANT, tenant)
