"""What is done with memories, as activities.

Must not import a vector database or an embedding model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, TypeVar

from temporalio import activity
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError

from ...contracts import names
from ...contracts.collection import patience
from ...contracts.collection.collection import Collection
from ...contracts.contract import Contract
from ...contracts.errors import ModelError, SostenutoError
from ...contracts.wire.memory.calls import (
    MAX_EXTRACT_CHARS,
    MAX_MEMORY_QUERY_CHARS,
    ForgetCall,
    Forgotten,
    MemoryListCall,
    MemoryPage,
    RecallCall,
    Recalled,
    Remembered,
    WriteCall,
)
from ...contracts.wire.memory.record import MOST_WRITTEN, MemoryPlace
from ..call.bill import Bill, Costs
from ..call.failure import told
from ..call.stages import StageClock
from ..knowledge.search import Knowledge
from ..knowledge.step import needed, step
from ..knowledge.store.vector_store import StoreUnavailable
from ..not_served import NotServedError
from ..transcript_cache import TranscriptCache
from .memories import Memories
from .rules.extracting import extracted, understood
from .rules.own_words import in_own_words
from .sending import ask_scope, why_silent

CallT = TypeVar("CallT", RecallCall, WriteCall, MemoryListCall, ForgetCall)
AnswerT = TypeVar("AnswerT", bound=Contract)


_HELD_SECONDS: Final = 2.0
"""So long an attempt waits for the workflow of a scope. What that does takes a place of a worker, too, of which all may
be taken by those that wait: the next attempt goes on waiting for the same."""


def _at_work(why: str) -> ApplicationError:
    """Return the failure of an attempt that lets go of its place.

    The next one goes on waiting.
    """
    return ApplicationError(
        why,
        type=names.COLLECTION_FAILED,
        next_retry_delay=timedelta(milliseconds=200),
        category=ApplicationErrorCategory.BENIGN,
    )


class MemoryActivities:
    """Memories of the collections that a worker has.

    Args:
        knowledge: Where they are. None: this worker has none.
        served: The collections of its app.
        cache: Keeps what was recalled until the next model call.
        costs: What embedding costs.
        task_timeout: How long a workflow task of a scope may take.
    """

    def __init__(
        self,
        knowledge: Knowledge | None,
        served: Mapping[str, Collection],
        cache: TranscriptCache,
        costs: Costs,
        task_timeout: timedelta,
    ) -> None:
        self._memories = Memories(knowledge) if knowledge else None
        self._served = served
        self._cache = cache
        self._costs = costs
        self._task_timeout = task_timeout

    @activity.defn(name=names.MEMORY_RECALL_ACTIVITY)
    async def recall(self, call: RecallCall) -> Recalled:
        """Return the memories that fit what somebody says.

        And what that says that is worth remembering.

        Repeatable: it only looks. Where the memories cannot be had, what it returns says why. Fails where this worker
        has none. Heartbeats on its own. Costs one embedding.
        """
        said = call.query[:MAX_EXTRACT_CHARS]
        found = extracted(said, call.now, call.extract_kinds) if call.extract else ()
        found = (*found[: MOST_WRITTEN - 2], *in_own_words(said, call.now)) if call.own_words else found
        async with step(costs=self._costs, unserved="nothing was recalled: ") as bill:
            call = self._at_home(call).model_copy(update={"query": call.query[:MAX_MEMORY_QUERY_CHARS]})
            clock = self._clock(bill, call.place)
            try:
                async with asyncio.timeout(patience.MEMORY_RECALL.attempt.total_seconds()):
                    with clock.stage("embeddings", call.place.embedding) as charge:
                        recalled = await self.memories().recall(call, charge)
            except (SostenutoError, TimeoutError) as error:
                if isinstance(error, NotServedError) or _may_pass(error):
                    raise
                problem = str(error) or told(error)
                return Recalled(problem=problem, found=found, seconds=clock.seconds, **dict(await bill.totals()))
            recalled = recalled.model_copy(update={"found": found, **dict(await bill.totals())})
        info = activity.info()
        if not call.call_id:
            self._cache.put_found(info.workflow_run_id or "", info.activity_id, recalled.content)
        return recalled.model_copy(update={"seconds": round(clock.seconds, 4)})

    @activity.defn(name=names.MEMORY_WRITE_ACTIVITY)
    async def write(self, call: WriteCall) -> Remembered:
        """Have the workflow of a scope write memories.

        Return what became of each, once a search finds them.

        Repeatable: what a step says is written once. Fails as `apply` does. Heartbeats on its own. Costs an embedding
        of each.
        """
        wanted = call
        if call.as_said:
            about = [understood(one.text, one.kind, call.source.at) for one in call.memories]
            kept = [one.model_copy(update={"kind": m.kind}) for one, m in zip(about, call.memories, strict=True)]
            call = call.model_copy(update={"memories": tuple(kept), "as_said": False})
        if not call.memories:
            # There is only something to say of why.
            return Remembered()
        done = await self._asked(call, names.MEMORY_WRITE_UPDATE, Remembered, _same_for_all_attempts())
        if not wanted.as_said:
            return done
        written = zip(done.outcomes, call.memories, strict=True)
        return done.model_copy(update={"outcomes": tuple(o.model_copy(update={"text": m.text}) for o, m in written)})

    @activity.defn(name=names.MEMORY_FORGET_ACTIVITY)
    async def forget(self, call: ForgetCall) -> Forgotten:
        """Have the workflow of a scope delete memories; return what is gone. Repeatable."""
        call = _same_deletion(call)
        return await self._asked(call, names.MEMORY_FORGET_UPDATE, Forgotten, call.forget_id)

    @activity.defn(name=names.MEMORY_APPLY_ACTIVITY)
    async def apply(self, call: WriteCall) -> Remembered:
        """Write memories into the store.

        Repeatable, and comes to the same where an attempt ended half way. Fails with `CollectionFailed`, retryable
        where the store or the embedding model cannot be reached now. Heartbeats on its own. Costs an embedding of each.
        """
        async with step(costs=self._costs) as bill:
            call = self._at_home(call)
            clock = self._clock(bill, call.place)
            with clock.stage("embeddings", call.place.embedding) as charge:
                outcomes = await self.memories().write(call, charge)
            return Remembered(outcomes=tuple(outcomes), **dict(await bill.totals()))

    @activity.defn(name=names.MEMORY_DELETE_ACTIVITY)
    async def delete(self, call: ForgetCall) -> Forgotten:
        """Delete memories from the store, and look whether any is left. Repeatable."""
        async with step():
            return await self.memories().forget(_same_deletion(self._at_home(call)))

    @activity.defn(name=names.MEMORY_LIST_ACTIVITY)
    async def page(self, call: MemoryListCall) -> MemoryPage:
        """Return memories of a scope. Repeatable."""
        async with step():
            return await self.memories().page(self._at_home(call))

    def memories(self) -> Memories:
        """Return where they are.

        Raises:
            NotServedError: This worker has no collections.
        """
        return needed(self._memories)

    def _at_home(self, call: CallT) -> CallT:
        """Return a call that names the embedding model.

        That of the app's collection, where it names none.
        """
        if call.place.embedding:
            return call
        name = call.place.collection
        if name not in self._served:
            known = ", ".join(sorted(self._served)) or "none"
            raise NotServedError(f"this worker's app has no collection {name!r} (it has: {known})")
        place = call.place.model_copy(update={"embedding": self._served[name].embedding})
        return call.model_copy(update={"place": place})

    def _clock(self, bill: Bill, place: MemoryPlace) -> StageClock:
        collection = self._served.get(place.collection)
        return StageClock(bill.charge, collection.prices if collection else None)

    async def _asked(self, call: WriteCall | ForgetCall, update: str, came: type[AnswerT], id_: str) -> AnswerT:
        async with step(unserved="nothing was remembered: ", by=patience.MEMORY_WORK):
            try:
                async with asyncio.timeout(_HELD_SECONDS):
                    return await self._sent(call, update, came, id_)
            except TimeoutError:
                failed = _at_work(await why_silent(activity.client(), call.place))
            except WorkflowUpdateRPCTimeoutOrCancelledError:
                raise StoreUnavailable("the workflow of these memories does not answer") from None
            except WorkflowUpdateFailedError as error:
                failed = _failed_as(error)
            except RPCError as error:
                raise StoreUnavailable(f"the workflow of these memories cannot be asked: {error.message}") from None
        raise failed from None

    async def _sent(self, call: WriteCall | ForgetCall, update: str, came: type[AnswerT], id_: str) -> AnswerT:
        info = activity.info()
        return await ask_scope(
            activity.client(),
            call.place,
            update,
            call,
            came,
            task_queue=info.task_queue,
            task_timeout=self._task_timeout,
            update_id=id_,
        )


def _same_deletion(call: ForgetCall) -> ForgetCall:
    """Return a deletion with an id that each attempt of this activity gives it."""
    return call.model_copy(update={"forget_id": call.forget_id or _same_for_all_attempts()})


def _same_for_all_attempts() -> str:
    """Return an id under which each attempt of this activity asks.

    Nothing else does: a workflow that runs answers what it was asked under an id as it did then, whatever has come to
    be since.
    """
    info = activity.info()
    return f"{info.workflow_run_id}-{info.activity_id}"


def _may_pass(error: BaseException) -> bool:
    """Return whether a further attempt may have what this one could not."""
    passes = isinstance(error, StoreUnavailable) or (isinstance(error, ModelError) and error.retryable)
    return passes and activity.info().attempt < patience.MEMORY_RECALL.attempts


def _failed_as(error: WorkflowUpdateFailedError) -> ApplicationError:
    """Return the failure of a change that its workflow could not make.

    It has tried often enough.
    """
    cause = error.cause
    if not isinstance(cause, ApplicationError):
        return ApplicationError(str(cause), type=names.COLLECTION_FAILED, non_retryable=True)
    return ApplicationError(cause.message, *cause.details, type=cause.type, non_retryable=True)
