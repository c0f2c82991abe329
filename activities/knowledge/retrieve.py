"""Searches of collections as activities.

Must not import a vector database or an embedding model.
"""

from __future__ import annotations

import asyncio
import bisect
from collections.abc import Mapping
from typing import Final

from temporalio import activity

from ...contracts import names
from ...contracts.collection import patience
from ...contracts.collection.collection import Collection
from ...contracts.collection.fields import conditions_from, parsed_texts
from ...contracts.control.price import Price
from ...contracts.errors import ModelError, Timeout
from ...contracts.wire.ingest.ingest import CollectionsCall, CollectionSummary
from ...contracts.wire.places import root_run_id
from ...contracts.wire.retrieval import RetrievalCall, Retrieved
from ..call.bill import Costs
from ..call.own_workflow_query import release_own_run
from ..call.payload_size import reason_not_to_return
from ..call.stages import StageClock
from ..guardrails.guarded_passages import guarded_passages
from ..guardrails.screening import Guards
from ..not_served import NotServedError
from ..transcript_cache import TranscriptCache
from .encoding import OnProgress
from .reranking import Urgency
from .search import Knowledge, find_passages
from .step import needed, step

_AFTER_RERANKING: Final = 1.0
"""Seconds that are left when a reranker is waited for no longer."""


class RetrieveActivities:
    """Searches of the collections that a worker has.

    Args:
        knowledge: Where they are. None: this worker has none.
        served: The collections of its app.
        cache: Keeps the results until the next model call.
        costs: What embedding and reranking cost.
        guards: What guardrails need. Default: there are none.
    """

    def __init__(
        self,
        knowledge: Knowledge | None,
        served: Mapping[str, Collection],
        cache: TranscriptCache,
        costs: Costs,
        guards: Guards | None = None,
    ) -> None:
        self._guards = guards or Guards()
        self._knowledge = knowledge
        self._served = served
        self._cache = cache
        self._costs = costs

    @activity.defn(name=names.RETRIEVE_ACTIVITY)
    async def retrieve(self, call: RetrievalCall) -> Retrieved:
        """Return the passages that fit a query best.

        Repeatable: it only looks, and the collection may have changed meanwhile. Every failure is of type `ToolFailed`,
        retryable where the store or the embedding model cannot be reached now; where a reranker gives no order by the
        last attempt, the passages are in the order that they have without. Heartbeats on its own. Costs one embedding
        of the queries, and what the reranker costs.
        """
        unserved = f"{call.collection.name} was not searched: "
        async with step(names.TOOL_FAILED, costs=self._costs, unserved=unserved) as bill:
            if activity.info().attempt > 1:
                await release_own_run()
            self._guards.check(call.guardrails)
            clock = StageClock(bill.charge, _prices(call.collection))
            found = await _in_time(self.knowledge(), call, clock, bill.progress)
            scope = root_run_id(activity.info().workflow_id or "")
            found = await guarded_passages(self._guards, call.guardrails, scope, found)
            spent = dict(await bill.totals())
            found = _returnable(found.model_copy(update=spent | {"stages": clock.stages()}))
        info = activity.info()
        if call.call_id:
            self._cache.put_result(info.workflow_run_id or "", found.as_result(call.call_id, call.name))
        else:
            self._cache.put_found(info.workflow_run_id or "", info.activity_id, found.content)
        return found

    @activity.defn(name=names.COLLECTIONS_LIST_ACTIVITY)
    async def summaries(self) -> tuple[CollectionSummary, ...]:
        """Return every collection in the store. Repeatable."""
        async with step():
            stored = await self.knowledge().collections.catalogue.all()
        return tuple(
            CollectionSummary(
                name=one.name,
                embedding=one.embedding,
                dimensions=one.dimensions,
                documents=one.documents,
                passages=one.passages,
                generation=one.generation,
                updated=one.updated,
                served=one.name in self._served,
            )
            for one in stored
        )

    @activity.defn(name=names.COLLECTIONS_DROP_ACTIVITY)
    async def drop(self, name: str) -> bool:
        """Delete a collection; return whether there was one. Repeatable."""
        async with step():
            there = await self.knowledge().collections.catalogue.has(name)
            await self.knowledge().collections.drop(name)
        return there

    @activity.defn(name=names.COLLECTIONS_RESOLVE_ACTIVITY)
    async def resolve(self, call: CollectionsCall) -> RetrievalCall:
        """Return the search that is meant, of a collection of this worker's app.

        Repeatable; does no I/O.
        """
        async with step():
            if call.collection not in self._served:
                known = ", ".join(sorted(self._served)) or "none"
                raise NotServedError(f"no collection {call.collection!r} in this worker's app (it has: {known})")
            collection = self._served[call.collection]
            texts = parsed_texts(collection.fields, call.texts, "filter")
            conditions = conditions_from(collection.fields, {**call.filters, **texts}, "filter")
        return RetrievalCall(
            collection=collection,
            query=call.query,
            conditions=conditions,
            limit=call.limit or collection.limit,
            tenant=call.tenant,
        )

    def knowledge(self) -> Knowledge:
        """Return where the collections are.

        Raises:
            NotServedError: This worker has none.
        """
        return needed(self._knowledge)


def _prices(collection: Collection) -> dict[str, Price]:
    """Return what its stages cost, by their names."""
    judge = collection.prices.get(collection.judge)
    return collection.prices | ({collection.rerank: judge} if judge else {})


async def _in_time(knowledge: Knowledge, call: RetrievalCall, clock: StageClock, report: OnProgress) -> Retrieved:
    """Search, within the time that one attempt has."""
    by = patience.SEARCH
    ends = asyncio.get_running_loop().time() + by.attempt.total_seconds()

    def is_last(error: ModelError) -> bool:
        return bool(call.judge_tokens) or not error.retryable or activity.info().attempt >= by.attempts

    try:
        async with asyncio.timeout_at(ends):
            # What is found is worth more than its order: the reranker's time ends before that of the whole.
            urgency = Urgency(ends - _AFTER_RERANKING, is_last)
            return await find_passages(knowledge, call, clock, report, urgency)
    except TimeoutError:
        seconds = by.attempt.total_seconds()
        raise Timeout(f"{call.collection.name} was not searched within {seconds:g} s") from None


def _returnable(found: Retrieved) -> Retrieved:
    """Return what was found, with as many passages as the server takes."""

    def first(count: int) -> Retrieved:
        note = f"the first {count} of {len(found.passages)} passages: together they are too large for the history"
        told = "; ".join(filter(None, (found.note, note)))
        return found.model_copy(update={"passages": found.passages[:count], "note": told})

    if not reason_not_to_return(found, "what was found"):
        return found
    # The most that fit: each count is tried by halves, since each try writes all of them.
    fewest_refused = bisect.bisect_left(
        range(len(found.passages)), True, key=lambda count: bool(reason_not_to_return(first(count), "what was found"))
    )
    return first(max(fewest_refused - 1, 0))
