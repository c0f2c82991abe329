"""Brings documents into collections, and asks about collections.

Whichever worker has them does it.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, CancelledError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from ..activities.knowledge.sources.buckets import check_bucket_source
from ..activities.knowledge.sources.source import IN_A_BUCKET, SourceElsewhere, SourceError, is_path
from ..activities.knowledge.sources.uploaded import upload as upload_documents
from ..connection.converter import uploads_of
from ..contracts import names
from ..contracts.errors import SetupError, SostenutoError, SpecError
from ..contracts.wire.ingest.ingest import CollectionsCall, CollectionSummary, IngestInput, IngestProgress, IngestReport
from ..contracts.wire.retrieval import Retrieved
from ..workflows.policy import TASK_TIMEOUT
from ..workflows.search_attributes import AT_START, named
from .hindrances import Hindrance, find_hindrances, is_polled
from .rpc_errors import translate_rpc_errors
from .waiting import logging_hindrances

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_LOOKS_SECONDS: Final = 0.3
_PATIENCE_SECONDS: Final = 120.0
_UNSERVED_SECONDS: Final = 4.0


class CollectionFailed(SostenutoError):  # noqa: N818 - named like the failure in the history
    """What was asked of a collection failed; the message says why, and what to do."""


class Ingest:
    """Documents on their way into a collection.

    Args:
        temporal: The connection.
        handle: Its workflow.
        collection: Where they go.
    """

    def __init__(self, temporal: TemporalClient, handle: WorkflowHandle[Any, IngestReport], collection: str) -> None:
        self._temporal = temporal
        self._handle = handle
        self.id = handle.id
        """Id of its workflow, under which the Temporal UI has it."""
        self.collection = collection

    async def result(self) -> IngestReport:
        """Wait for its end, and return what it came to.

        What holds it up is logged, as by `Run.result`.

        Raises:
            CollectionFailed: It could not be done, or was cancelled.
            SetupError: The server is away.
        """
        with translate_rpc_errors(f"ingest {self.id!r}"):
            try:
                async with logging_hindrances(f"ingest {self.id!r}", self.hindrances):
                    return await self._handle.result()
            except WorkflowFailureError as error:
                raise _failed(self.id, error) from None

    async def progress(self) -> IngestProgress:
        """Return how far it is, as the worker that runs it says."""
        with translate_rpc_errors(f"ingest {self.id!r}"):
            found: IngestProgress = await self._handle.query(names.INGEST_PROGRESS_QUERY, result_type=IngestProgress)
        return found

    async def follow(self) -> AsyncIterator[IngestProgress]:
        """Yield how far it is, until it ends. What cannot be asked now is passed over."""
        ended = asyncio.create_task(self._handle.result())
        try:
            while not ended.done():
                await asyncio.wait([ended], timeout=_LOOKS_SECONDS)
                try:
                    async with asyncio.timeout(_LOOKS_SECONDS * 10):
                        yield await self.progress()
                except (SostenutoError, TimeoutError):
                    continue
        finally:
            ended.cancel()
            await asyncio.gather(ended, return_exceptions=True)

    async def hindrances(self) -> tuple[Hindrance, ...]:
        """Return what holds it up at this moment, such as a store that cannot be reached.

        Raises:
            SetupError: The server is away.
        """
        with translate_rpc_errors(f"ingest {self.id!r}"):
            return await find_hindrances(self._temporal, await self._handle.describe())

    async def cancel(self) -> None:
        """Ask it to end. Searches see what was shown so far."""
        with translate_rpc_errors(f"ingest {self.id!r}"):
            await self._handle.cancel()


async def start_ingest(
    temporal: TemporalClient,
    task_queue: str,
    asked: IngestInput,
    *,
    upload: bool = False,
) -> Ingest:
    """Start bringing documents into a collection.

    Args:
        temporal: The connection.
        task_queue: Where the workers listen.
        asked: What is to be brought in.
        upload: Whether its files are read here, and uploaded.

    Raises:
        SpecError: A source is not one, or an ingest of the collection is under way.
        SetupError: The server is away, or there is no directory to upload to.
    """
    if not asked.sources:
        raise SpecError("ingest: name at least one file, folder, pattern or address")
    asked = asked.model_copy(update={"sources": tuple(map(_absolute, asked.sources)), "host": socket.gethostname()})
    if upload:
        asked = asked.model_copy(update={"upload": await _uploaded(temporal, asked.sources)})
    collection = asked.collection
    workflow_id = _workflow_id(collection)
    with translate_rpc_errors(f"ingest {workflow_id!r}"):
        try:
            handle: WorkflowHandle[Any, IngestReport] = await temporal.start_workflow(
                names.INGEST_WORKFLOW,
                asked,
                id=workflow_id,
                task_queue=task_queue,
                task_timeout=TASK_TIMEOUT,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                search_attributes=_attributes(workflow_id, asked.tenant),
                static_summary=f"{collection}: {', '.join(asked.sources)}"[:200],
                result_type=IngestReport,
            )
        except WorkflowAlreadyStartedError:
            raise _under_way(collection) from None
    return Ingest(temporal, handle, collection)


async def find_ingest(temporal: TemporalClient, id: str) -> Ingest | None:
    """Return the newest ingest whose workflow has an id; None where that is no ingest.

    Raises:
        SetupError: The server is away.
    """
    prefix = _workflow_id("")
    if not id.startswith(prefix):
        return None
    with translate_rpc_errors(f"ingest {id!r}"):
        try:
            found = await temporal.get_workflow_handle(id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
    if found.workflow_type != names.INGEST_WORKFLOW:
        return None
    handle: WorkflowHandle[Any, IngestReport] = temporal.get_workflow_handle(
        id, run_id=found.run_id, result_type=IngestReport
    )
    return Ingest(temporal, handle, id.removeprefix(prefix))


async def check_no_ingest(temporal: TemporalClient, collection: str) -> None:
    """Check that no ingest of a collection is under way.

    Raises:
        SpecError: One is; says what to do.
    """
    with translate_rpc_errors(f"collection {collection!r}"):
        try:
            found = await temporal.get_workflow_handle(_workflow_id(collection)).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return
            raise
    if found.status is WorkflowExecutionStatus.RUNNING:
        raise _under_way(collection)


def _workflow_id(collection: str) -> str:
    return f"ingest-{collection}"


def _under_way(collection: str) -> SpecError:
    return SpecError(
        f"an ingest of {collection!r} is under way: wait for it, or cancel it in the Temporal UI (workflow "
        f"{_workflow_id(collection)!r}), by `temporal workflow cancel -w {_workflow_id(collection)}` or in Python by "
        "`Ingest.cancel()`"
    )


async def ask_collections(temporal: TemporalClient, task_queue: str, call: CollectionsCall) -> Any:
    """Return what a worker answers about collections.

    Raises:
        CollectionFailed: It cannot be answered; says why.
        SetupError: The server is away, or no worker answers.
    """
    what = call.collection or "collections"
    result_type: Any = {"list": tuple[CollectionSummary, ...], "drop": bool, "search": Retrieved}[call.kind]
    with translate_rpc_errors(f"{call.kind} {what!r}"):
        handle: WorkflowHandle[Any, Any] = await temporal.start_workflow(
            names.COLLECTIONS_WORKFLOW,
            call,
            id=f"{call.kind}-{what}-{uuid4().hex[:10]}",
            task_queue=task_queue,
            task_timeout=TASK_TIMEOUT,
            result_type=result_type,
            static_summary=f"{call.kind} {what} {call.query}"[:200],
        )
        try:
            return await _answered(temporal, task_queue, handle)
        except WorkflowFailureError as error:
            raise _failed(handle.id, error) from None


async def check_served(temporal: TemporalClient, task_queue: str) -> None:
    """Check that a worker takes work from a task queue.

    Raises:
        SetupError: None does; says how to start one.
    """
    with translate_rpc_errors(f"task queue {task_queue!r}"):
        if not await is_polled(temporal, task_queue):
            raise SetupError(
                f"no worker takes work from {task_queue!r}: start one by `sostenuto dev MODULE:APP`, or by `sostenuto "
                f"worker MODULE:APP --task-queue {task_queue}`"
            )


async def _uploaded(temporal: TemporalClient, sources: tuple[str, ...]) -> str:
    uploads = uploads_of(temporal)
    if uploads is None:
        raise SetupError(
            "ingest: there is no directory to upload to: set SOSTENUTO_PAYLOAD_DIR, here and for workers, to one that "
            "all of them share"
        )
    files = [source for source in sources if is_path(source)]
    if not files:
        raise SpecError(
            "ingest: there is nothing to upload: workers read s3:// and https:// themselves, so leave --upload "
            "(upload=True) out"
        )
    try:
        return await asyncio.to_thread(upload_documents, files, uploads)
    except SourceElsewhere as error:
        raise SpecError(f"ingest: {error.what} on this machine, whose files are to be uploaded") from None
    except SourceError as error:
        raise SpecError(f"ingest: {error}") from None
    except OSError as error:
        raise SetupError(f"ingest: the documents cannot be uploaded to {uploads.directory}: {error.strerror}") from None


async def _answered(temporal: TemporalClient, task_queue: str, handle: WorkflowHandle[Any, Any]) -> Any:
    answer = asyncio.create_task(handle.result())
    try:
        await asyncio.wait([answer], timeout=_UNSERVED_SECONDS)
        if not answer.done():
            await check_served(temporal, task_queue)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await answer
    except TimeoutError:
        with suppress(RPCError):
            await handle.terminate("nobody waits for it any more")
        raise SetupError(f"no answer within {_PATIENCE_SECONDS:.0f} s: look at the workflow {handle.id!r}") from None
    except SetupError:
        # It may have ended meanwhile.
        with suppress(RPCError):
            await handle.terminate("nobody waits for it any more")
        raise
    finally:
        answer.cancel()
        await asyncio.gather(answer, return_exceptions=True)


def _absolute(source: object) -> str:
    if not isinstance(source, str | Path) or not str(source).strip():
        raise SpecError(f"ingest: {source!r} is no path and no address")
    text = str(source)
    if _SCHEME.match(text) and is_path(text):
        raise SpecError(f"ingest: {text!r} is an address that is not read: name a path, s3://… or https://…")
    if is_path(text):
        return str(Path(text).expanduser().absolute())
    if text.startswith(IN_A_BUCKET):
        try:
            check_bucket_source(text)
        except SourceError as error:
            raise SpecError(f"ingest: {error}") from None
    return text


def _attributes(name: str, tenant: str) -> TypedSearchAttributes:
    pairs: list[SearchAttributePair[Any]] = [*named(name, tenant), *AT_START]
    return TypedSearchAttributes(pairs)


def _failed(workflow_id: str, error: WorkflowFailureError) -> SostenutoError:
    cause = error.cause
    if isinstance(cause, CancelledError):
        return CollectionFailed(f"{workflow_id} was cancelled")
    if isinstance(cause, ApplicationError):
        return CollectionFailed(cause.message)
    return CollectionFailed(f"{workflow_id}: {cause}")
