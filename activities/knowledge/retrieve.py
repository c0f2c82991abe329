"""Searches of collections as activities.

Must not import a vector database or an embedding model.
"""

from __future__ import annotations

from collections.abc import Mapping

from temporalio import activity
from temporalio.exceptions import ApplicationError

from ...contracts import names
from ...contracts.collection.collection import Collection
from ...contracts.collection.fields import conditions_from, parsed_texts
from ...contracts.errors import ModelError, SetupError, SostenutoError, SpecError
from ...contracts.wire.ingest import CollectionsCall, CollectionSummary
from ...contracts.wire.retrieval import RetrievalCall, Retrieved
from ..call.failure import failure
from ..call.heartbeat import heartbeats
from ..call.own_workflow_query import release_own_run
from ..not_served import NotServedError, cannot
from ..transcript_cache import TranscriptCache
from .search import Knowledge, search
from .vector_store import StoreUnavailable

_ATTEMPTS = 4
"""After so many whoever asked is told."""


class RetrieveActivities:
    """Searches of the collections that a worker has.

    Args:
        knowledge: Where they are. None: this worker has none.
        served: The collections of its app.
        cache: Keeps the results until the next model call.
    """

    def __init__(self, knowledge: Knowledge | None, served: Mapping[str, Collection], cache: TranscriptCache) -> None:
        self._knowledge = knowledge
        self._served = served
        self._cache = cache

    @activity.defn(name=names.RETRIEVE_ACTIVITY)
    async def retrieve(self, call: RetrievalCall) -> Retrieved:
        """Return the passages that fit a query best.

        Repeatable: it only looks, and the collection may have changed meanwhile. Every failure is of type `ToolFailed`,
        retryable where the store or the embedding model cannot be reached now. Heartbeats on its own. Costs one
        embedding of the query, and what the reranker costs.
        """
        async with heartbeats():
            if activity.info().attempt > 1:
                await release_own_run()
            try:
                found = await search(self.knowledge(), call)
            except NotServedError as error:
                raise await cannot(f"{call.collection.name} was not searched: {error}") from None
            except SostenutoError as error:
                raise failed(error, names.TOOL_FAILED) from None
        if call.call_id:
            self._cache.put_result(activity.info().workflow_run_id or "", found.as_result(call.call_id, call.name))
        return found

    @activity.defn(name=names.COLLECTIONS_LIST_ACTIVITY)
    async def summaries(self) -> tuple[CollectionSummary, ...]:
        """Return every collection in the store. Repeatable."""
        async with heartbeats():
            try:
                stored = await self.knowledge().collections.all()
            except NotServedError as error:
                raise await cannot(str(error)) from None
            except SostenutoError as error:
                raise failed(error, names.COLLECTION_FAILED) from None
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
        async with heartbeats():
            try:
                there = await self.knowledge().collections.stored(name)
                await self.knowledge().collections.drop(name)
            except NotServedError as error:
                raise await cannot(str(error)) from None
            except SostenutoError as error:
                raise failed(error, names.COLLECTION_FAILED) from None
        return there is not None

    @activity.defn(name=names.COLLECTIONS_RESOLVE_ACTIVITY)
    async def resolve(self, call: CollectionsCall) -> RetrievalCall:
        """Return the search that is meant, of a collection of this worker's app.

        Repeatable; does no I/O.
        """
        try:
            if call.collection not in self._served:
                known = ", ".join(sorted(self._served)) or "none"
                raise NotServedError(f"no collection {call.collection!r} in this worker's app (it has: {known})")
            collection = self._served[call.collection]
            texts = parsed_texts(collection.fields, call.texts, "filter")
            conditions = conditions_from(collection.fields, {**call.filters, **texts}, "filter")
        except NotServedError as error:
            raise await cannot(str(error)) from None
        except SostenutoError as error:
            raise failed(error, names.COLLECTION_FAILED) from None
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
        if self._knowledge is None:
            raise NotServedError("this worker's app has no collections: add them by App(collections=[…])")
        return self._knowledge


def failed(error: SostenutoError, kind: str) -> ApplicationError:
    """Return the failure for what a collection could not do, to be raised."""
    passing = isinstance(error, StoreUnavailable) or (isinstance(error, ModelError) and error.retryable)
    message = str(error)
    if not isinstance(error, SpecError | SetupError):
        message = message or type(error).__name__
    delay = error.retry_after if isinstance(error, ModelError) else None
    retryable = passing and activity.info().attempt < _ATTEMPTS
    return failure(error, message, kind=kind, retryable=retryable, delay=delay)
