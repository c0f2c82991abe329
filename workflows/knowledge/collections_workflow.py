"""The workflow of a question about collections that no run asks.

A list, a search, a drop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from ...activities.knowledge.retrieve import RetrieveActivities
    from ...contracts import names
    from ...contracts.wire.ingest.ingest import CollectionsCall, CollectionSummary
    from ...contracts.wire.retrieval import RetrievalCall, Retrieved
    from .. import policy
    from ..concurrency import told_by
    from ..until_served import served

T = TypeVar("T")

_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)


@workflow.defn(name=names.COLLECTIONS_WORKFLOW, sandboxed=False, failure_exception_types=_UNREADABLE)
class CollectionsWorkflow:
    """Answers one question about collections by the worker that has them."""

    @workflow.run
    async def run(self, call: CollectionsCall) -> Any:
        """Answer it."""
        try:
            return await self._answer(call)
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            raise ApplicationError(told_by(error), type=names.COLLECTION_FAILED, non_retryable=True) from None

    async def _answer(self, call: CollectionsCall) -> Any:
        match call.kind:
            case "list":
                found: tuple[CollectionSummary, ...] = await _do(RetrieveActivities.summaries, (), "all")
                return found
            case "drop":
                dropped: bool = await _do(RetrieveActivities.drop, (call.collection,), f"drop {call.collection}")
                return dropped
            case "search":
                search: RetrievalCall = await _do(RetrieveActivities.resolve, (call,), call.collection)
                summary = f"{call.collection}: {call.query}"
                retrieved: Retrieved = await _do(RetrieveActivities.retrieve, (search,), summary)
                return retrieved
            case _:
                raise ApplicationError(f"a question of kind {call.kind!r} is not known here", non_retryable=True)


async def _do(step: Callable[..., Awaitable[T]], arguments: tuple[Any, ...], summary: str) -> T:
    return await served(step, *arguments, summary=summary, options=policy.retrieve_policy())
