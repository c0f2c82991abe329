"""The workflow that makes the changes of the memories of one scope."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from ...activities.memory.remembering import MemoryActivities
    from ...contracts import names
    from ...contracts.text import plural
    from ...contracts.wire.memory.calls import (
        ForgetCall,
        Forgotten,
        MemoryListCall,
        MemoryPage,
        RecallCall,
        Recalled,
        Remembered,
        WriteCall,
    )
    from ...contracts.wire.memory.record import MemoryPlace
    from .. import policy
    from ..concurrency import cause_of, told_by
    from ..until_served import served

T = TypeVar("T")

_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)

_OPEN: Final = timedelta(minutes=10)
"""So long one takes what comes. The server ends it long after that, wherever it waits."""

_FIRST_WORD: Final = timedelta(seconds=30)
"""So long one that was started waits for the update that it was started for, which the server may have dropped."""


@workflow.defn(name=names.MEMORY_WORKFLOW, sandboxed=False, failure_exception_types=_UNREADABLE)
class MemoryWorkflow:
    """Makes changes of the memories of a scope in the order in which they come.

    And answers questions meanwhile, which wait for no change: who asks has heard of those that it is to know.

    It is started by the first update, and ends as soon as none is under way: it knows nothing that the store does not
    have, so the next one begins where it ended. Before its history is full, or its time is over, it takes no more, and
    the next one does. After a crash it goes on where the history ends; each change may be repeated.
    """

    @workflow.init
    def __init__(self, place: MemoryPlace) -> None:
        self._place = place
        self._order = asyncio.Lock()
        self._has_begun = False

    @workflow.run
    async def run(self, place: MemoryPlace) -> None:  # noqa: ARG002 - taken by __init__, as the SDK wants it
        """Serve until nothing is under way."""
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._has_begun, timeout=_FIRST_WORD)
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update(name=names.MEMORY_WRITE_UPDATE)
    async def write(self, call: WriteCall) -> Remembered:
        """Write memories; return once a search finds them."""
        return await self._do(MemoryActivities.apply, call, f"{plural(len(call.memories), 'text')}, {call.source.step}")

    @workflow.update(name=names.MEMORY_FORGET_UPDATE)
    async def forget(self, call: ForgetCall) -> Forgotten:
        """Delete memories."""
        return await self._do(MemoryActivities.delete, call, ", ".join(call.ids) or "all")

    @workflow.update(name=names.MEMORY_LIST_UPDATE)
    async def page(self, call: MemoryListCall) -> MemoryPage:
        """Return memories."""
        return await self._done(MemoryActivities.page, call, "list")

    @workflow.update(name=names.MEMORY_RECALL_UPDATE)
    async def recall(self, call: RecallCall) -> Recalled:
        """Return the memories that fit a query."""
        return await self._done(MemoryActivities.recall, call, call.query)

    @write.validator
    def _check_write(self, call: WriteCall) -> None:
        self._check_open(call)

    @forget.validator
    def _check_forget(self, call: ForgetCall) -> None:
        self._check_open(call)

    @page.validator
    def _check_page(self, call: MemoryListCall) -> None:
        self._check_open(call)

    @recall.validator
    def _check_recall(self, call: RecallCall) -> None:
        self._check_open(call)

    def _check_open(self, call: WriteCall | ForgetCall | MemoryListCall | RecallCall) -> None:
        info = workflow.info()
        if info.is_continue_as_new_suggested() or workflow.now() - info.start_time > _OPEN:
            raise ApplicationError("it has taken enough: the next one takes it", type=names.MEMORY_CLOSES)
        if (call.place.collection, call.place.scope) != (self._place.collection, self._place.scope):
            why = f"it makes the changes of {self._place.scope!r} in {self._place.collection!r}, and of no other scope"
            raise ApplicationError(why, type=names.COLLECTION_FAILED, non_retryable=True)

    async def _do(self, activity: Callable[[Any, Any], Awaitable[T]], call: Any, summary: str) -> T:
        self._has_begun = True
        async with self._order:
            return await self._done(activity, call, summary)

    async def _done(self, activity: Callable[[Any, Any], Awaitable[T]], call: Any, summary: str) -> T:
        self._has_begun = True
        try:
            return await served(activity, call, summary=summary, options=policy.retrieve_policy())
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            cause = cause_of(error)
            spent = cause.details if isinstance(cause, ApplicationError) else ()
            raise ApplicationError(told_by(error), *spent, type=names.COLLECTION_FAILED, non_retryable=True) from None
