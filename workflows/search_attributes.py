"""The search attributes that runs carry, as keys of the Temporal SDK."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from temporalio.common import SearchAttributeKey, SearchAttributePair

from ..contracts import names

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


def named(name: str, tenant: str | None) -> Iterator[SearchAttributePair[Any]]:
    """Yield what the list of runs finds one by."""
    yield SearchAttributePair(RUNNABLE, name)
    if tenant:
        yield SearchAttributePair(TENANT, tenant)
