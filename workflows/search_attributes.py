"""The search attributes that runs carry, as keys of the Temporal SDK."""

from __future__ import annotations

from temporalio.common import SearchAttributeKey

from ..contracts import names

RUNNABLE = SearchAttributeKey.for_keyword(names.SEARCH_RUNNABLE)
STATUS = SearchAttributeKey.for_keyword(names.SEARCH_STATUS)
TENANT = SearchAttributeKey.for_keyword(names.SEARCH_TENANT)
COST_USD = SearchAttributeKey.for_float(names.SEARCH_COST_USD)
TOKENS = SearchAttributeKey.for_int(names.SEARCH_TOKENS)

RUNNING = "running"
"""Status of a run that has not ended."""
