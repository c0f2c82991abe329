"""The memories of one scope, as a client writes, finds, lists and deletes them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from heapq import nlargest
from typing import Any, Final, TypeVar
from uuid import uuid4

from pydantic import ValidationError
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from ...activities.memory.rules.extracting import understood
from ...activities.memory.sending import ask_scope
from ...contracts import names
from ...contracts.contract import Contract, problems_of
from ...contracts.errors import SetupError, SostenutoError, SpecError
from ...contracts.limits import why_too_large
from ...contracts.memory.long_term import MAX_MEMORY_CHARS, SCOPE, MemoryKind, memory_workflow_id
from ...contracts.text import encodable, is_seen
from ...contracts.wire.memory.calls import (
    ForgetCall,
    Forgotten,
    MemoryListCall,
    MemoryPage,
    RecallCall,
    Recalled,
    RecalledMemory,
    Remembered,
    WriteCall,
)
from ...contracts.wire.memory.memory_event import WrittenMemory
from ...contracts.wire.memory.record import MemoryPlace, MemoryRecord, MemorySource
from ...workflows.policy import TASK_TIMEOUT
from ..hindrances import find_hindrances, is_polled
from ..ingest import CollectionFailed, check_served
from ..rpc_errors import translate_rpc_errors
from .left import ForgottenMemories, HistoryLeft, histories_left

AnswerOfT = TypeVar("AnswerOfT", bound=Contract)
CallOfT = TypeVar("CallOfT", bound=Contract)

_UNSERVED_SECONDS: Final = 4.0
_PATIENCE_SECONDS: Final = 60.0
_LOOKS: Final = 40
"""So often it is looked whether a worker is there, as one may just begin."""
_PAGE: Final = 500


class ScopedMemory:
    """What is remembered of a scope: `client.memory("people", "user:anna")`.

    A worker whose app has the collection has to be there.

    Args:
        temporal: A connected Temporal client.
        task_queue: Where the workers listen.
        collection: Name of the collection beside whose documents they are.
        scope: Whose they are, with the values of a run's context in it.

    Raises:
        SpecError: There can be no such scope; says why.
    """

    def __init__(self, temporal: TemporalClient, task_queue: str, collection: str, scope: str) -> None:
        if why := SCOPE.why_not(scope):
            raise SpecError(f"memory: scope {scope!r}: {why}")
        if "{context." in scope:
            raise SpecError(
                f"memory: scope {scope!r}: names in braces stand for values of a run's context: write the values of "
                "the run that is meant, such as 'user:anna'"
            )
        self._temporal = temporal
        self._task_queue = task_queue
        self._place = MemoryPlace(collection=collection, scope=scope)
        self._is_served = False

    async def remember(
        self,
        text: str,
        *,
        kind: MemoryKind | str = MemoryKind.FACT,
        key: str = "",
        importance: float | None = None,
        id: str | None = None,
    ) -> WrittenMemory:
        """Remember one thing; it is found when this returns.

        What it contradicts is replaced, where that is known: of a `key` one memory counts, and the rules know what
        English sentences about their author are about.

        Args:
            text: What to remember, in one sentence.
            kind: `fact`, `preference` or `episode`.
            key: What it is about.
            importance: From 0 to 1.
            id: Makes it repeatable: the same text under the same id is written once. Default: one of its own.

        Raises:
            SpecError: It cannot be remembered so; says why.
            CollectionFailed: The store or the embedding model cannot be reached, or the app has no such collection.
            SetupError: The server is away, or no worker answers.
        """
        if not isinstance(id, str | None):
            raise SpecError(f"remember: id: {id!r} is no text")
        at = datetime.now(UTC)
        memory = _checked(text, kind, at, key, importance)
        source = MemorySource(step=id or uuid4().hex, at=at)
        call = WriteCall(place=self._place, source=source, memories=(memory,))
        # Whether it is done already the store knows: whoever answers by the id of a request knows nothing of the rest.
        done = await self._ask(names.MEMORY_WRITE_UPDATE, call, Remembered)
        [outcome] = done.outcomes
        return WrittenMemory(**{**dict(outcome), "kind": memory.kind, "text": memory.text})

    async def recall(
        self, query: str, *, kinds: Sequence[MemoryKind | str] = (), limit: int = 8
    ) -> tuple[RecalledMemory, ...]:
        """Return the memories that fit a query best, by relevance, recency and importance.

        Raises:
            SpecError: It cannot be looked for so.
            CollectionFailed: As for `remember`.
            SetupError: As for `remember`.
        """
        call = _valid(
            RecallCall, "recall", place=self._place, query=query, kinds=kinds, limit=limit, now=datetime.now(UTC)
        )
        found = await self._ask(names.MEMORY_RECALL_UPDATE, call, Recalled)
        if found.problem:
            raise CollectionFailed(found.problem)
        return found.memories

    async def list(
        self, *, kinds: Sequence[MemoryKind | str] = (), superseded: bool = False, limit: int = 1_000
    ) -> tuple[MemoryRecord, ...]:
        """Return memories, those that were said last first.

        Args:
            kinds: Of which kinds. Default: of all.
            superseded: Whether to return those, too, whose place another one took.
            limit: Most memories that are returned. All of the scope are looked at.

        Raises:
            SpecError: They cannot be listed so.
            CollectionFailed: As for `remember`.
            SetupError: As for `remember`.
        """
        if limit < 1:
            raise SpecError(f"list: limit: it is {limit}, and has to be 1 or more")
        found: list[MemoryRecord] = []
        wanted: dict[str, Any] = {"place": self._place, "kinds": kinds, "superseded": superseded, "limit": _PAGE}
        after = ""
        while True:
            call = _valid(MemoryListCall, "list", **wanted, after=after)
            page = await self._ask(names.MEMORY_LIST_UPDATE, call, MemoryPage)
            # They come in the order of their ids, so that none is missed that is said again meanwhile.
            found = nlargest(limit, (*found, *page.memories), key=lambda one: (one.confirmed, one.id))
            after = page.cursor
            if not after:
                return tuple(found)

    async def forget(self, *ids: str, everything: bool = False) -> ForgottenMemories:
        """Delete memories for good, with those whose place they took.

        They are gone from the store when this returns; a search for the same has looked. What said them stands in the
        histories of its runs until the server deletes those: the result says which, and until when.

        Args:
            *ids: Which.
            everything: All of the scope, in place of some.

        Raises:
            SpecError: Neither is said, or both are.
            CollectionFailed: As for `remember`.
            SetupError: As for `remember`.
        """
        if bool(ids) == everything:
            raise SpecError("forget: say which by their ids, or everything=True for all of the scope")
        call = _valid(ForgetCall, "forget", place=self._place, ids=ids, forget_id=uuid4().hex)
        gone = await self._ask(names.MEMORY_FORGET_UPDATE, call, Forgotten, call.forget_id)
        left, problem = tuple[HistoryLeft, ...](), ""
        try:
            with translate_rpc_errors(self._what):
                left = await histories_left(self._temporal, self._place, gone)
        except SostenutoError as error:
            # They are deleted, whatever else cannot be told.
            problem = str(error)
        return ForgottenMemories(
            deleted=gone.deleted,
            left=gone.left,
            unknown=gone.unknown,
            histories=left,
            more_runs=gone.more_sources,
            runs=tuple(one.run_id for one in gone.sources) if problem else (),
            problem=problem,
        )

    @property
    def _what(self) -> str:
        return f"memories of {self._place.scope!r} in {self._place.collection!r}"

    async def _ask(self, update: str, call: Contract, came: type[AnswerOfT], update_id: str = "") -> AnswerOfT:
        if why := why_too_large(call, "what is asked of a scope"):
            raise SpecError(f"{self._what}: {why}")
        await self._check_served()
        asking = ask_scope(
            self._temporal,
            self._place,
            update,
            call,
            came,
            task_queue=self._task_queue,
            task_timeout=TASK_TIMEOUT,
            update_id=update_id or uuid4().hex,
        )
        try:
            with translate_rpc_errors(self._what):
                return await self._answered(asking)
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            raise CollectionFailed(cause.message if isinstance(cause, ApplicationError) else str(cause)) from None
        except WorkflowUpdateRPCTimeoutOrCancelledError:
            why = "no answer, and what was asked for may be done yet"
            raise SetupError(f"{self._what}: {why}: look at the log of the workers") from None

    async def _check_served(self) -> None:
        """Check that there is a worker, before others have to wait for what it is to do.

        Raises:
            SetupError: There is none, and none came within some seconds.
        """
        if self._is_served:
            return
        for _ in range(_LOOKS):
            with translate_rpc_errors(self._what):
                self._is_served = await is_polled(self._temporal, self._task_queue)
            if self._is_served:
                return
            await asyncio.sleep(_UNSERVED_SECONDS / _LOOKS)
        await check_served(self._temporal, self._task_queue)

    async def _answered(self, asking: Awaitable[AnswerOfT]) -> AnswerOfT:
        answer = asyncio.ensure_future(asking)
        try:
            await asyncio.wait([answer], timeout=_UNSERVED_SECONDS)
            if not answer.done():
                await self._check_waits()
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await asyncio.shield(answer)
        except TimeoutError:
            await self._check_waits()
            raise SetupError(
                f"{self._what}: no answer within {_PATIENCE_SECONDS:g} s, and what was asked for may be done yet: look "
                "at the workers"
            ) from None
        finally:
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)

    async def _check_waits(self) -> None:
        """Check that a worker takes work where the workflow of the scope runs.

        Raises:
            SetupError: None does.
        """
        workflow_id = memory_workflow_id(self._place.collection, self._place.scope)
        try:
            run = await self._temporal.get_workflow_handle(workflow_id).describe()
            hindrances = await find_hindrances(self._temporal, run)
        except RPCError:
            # It may be about to begin, or have ended; the answer itself says what there is to say.
            return
        for one in hindrances:
            if one.is_unserved:
                raise SetupError(
                    f"{self._what}: {one.reason}, where their workflow {workflow_id} was started: start one there, or "
                    f"end it, which loses nothing: `temporal workflow terminate --workflow-id {workflow_id}`"
                )


def _checked(text: object, kind: MemoryKind | str, at: datetime, key: str, importance: float | None) -> Any:
    if not isinstance(text, str) or not is_seen(text) or encodable(text) != text:
        raise SpecError("remember: text: it is empty, or no text")
    if len(text) > MAX_MEMORY_CHARS:
        # Cut, it might say something else.
        raise SpecError(f"remember: text: it has {len(text):,} characters, and a memory at most {MAX_MEMORY_CHARS:,}")
    if kind not in [*MemoryKind]:
        raise SpecError(f"remember: kind: {kind!r} is none: there are {', '.join(MemoryKind)}")
    memory = understood(text, MemoryKind(kind), at)
    if kind == MemoryKind.PREFERENCE:
        memory = memory.model_copy(update={"kind": MemoryKind.PREFERENCE})
    changes: dict[str, Any] = {"key": key or memory.key}
    changes |= {} if importance is None else {"importance": importance}
    return _valid(type(memory), "remember", **{**dict(memory), **changes})


def _valid(contract: type[CallOfT], label: str, /, **given: Any) -> CallOfT:
    try:
        return contract.model_validate(given)
    except ValidationError as error:
        raise SpecError(f"{label}: {problems_of(error)}") from None
