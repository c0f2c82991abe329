"""The client: starts runs, finds them and lists them.

Needs Temporal and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, overload
from uuid import uuid4

from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowHistory
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.exceptions import WorkflowAlreadyStartedError

from ..connection.connect import connect, task_queue_setting
from ..contracts import names
from ..contracts.collection.collection import Collection
from ..contracts.collection.fields import Scalar
from ..contracts.contract import as_tuple
from ..contracts.errors import SpecError
from ..contracts.specs.input import Input
from ..contracts.specs.runnable import Runnable
from ..contracts.text import encodable
from ..contracts.wire.ingest import CollectionsCall, CollectionSummary, IngestInput
from ..contracts.wire.places import SEPARATOR
from ..contracts.wire.retrieval import Retrieved
from ..workflows.search_attributes import RUNNABLE, TENANT
from .history.executions import describe
from .ingest import Ingest, ask_collections, check_no_ingest, start_ingest
from .rpc_errors import translate_rpc_errors
from .run import Run
from .start_request import Startable, order_of, output_type_of
from .summary import RunSummary

__all__ = ["Client", "Input", "Run", "RunSummary"]


class Client:
    """Starts, finds and lists runs.

    Args:
        temporal: A connected Temporal client with our data converter, see `connection.converter`.
        task_queue: Where runs are started unless told otherwise. Default: `SOSTENUTO_TASK_QUEUE`, else `sostenuto`.
        redis_url: Address of the live channel, for `Run.stream`. Default: `SOSTENUTO_REDIS_URL`, else that of the
            embedded stack here. Empty: none.

    Raises:
        SpecError: The Temporal client has another data converter.
    """

    def __init__(
        self, temporal: TemporalClient, *, task_queue: str | None = None, redis_url: str | None = None
    ) -> None:
        converter = temporal.data_converter
        if not issubclass(converter.payload_converter_class, PydanticPayloadConverter):
            raise SpecError(
                f"the Temporal client converts by {converter.payload_converter_class.__name__}: connect it with "
                "data_converter=sostenuto.connection.converter.data_converter()"
            )
        self.temporal = temporal
        self.task_queue = task_queue or task_queue_setting()
        self._redis_url = redis_url

    @classmethod
    async def connect(
        cls,
        address: str | None = None,
        *,
        namespace: str | None = None,
        task_queue: str | None = None,
        payload_dir: Path | None = None,
        redis_url: str | None = None,
    ) -> Client:
        """Connect a client.

        What is not passed comes from the environment, see `connection`.

        Raises:
            SetupError: Nothing answers there, access is denied, or there is no such namespace.
        """
        temporal = await connect(address, namespace=namespace, payload_dir=payload_dir)
        return cls(temporal, task_queue=task_queue, redis_url=redis_url)

    @overload
    async def start(
        self,
        runnable: Runnable,
        input: Input,
        *,
        id: str | None = ...,
        tenant: str | None = ...,
        task_queue: str | None = ...,
    ) -> Run: ...

    @overload
    async def start(
        self,
        runnable: type | Callable[..., Any],
        input: Any = ...,
        *,
        id: str | None = ...,
        tenant: str | None = ...,
        task_queue: str | None = ...,
    ) -> Run: ...

    async def start(
        self,
        runnable: Startable,
        input: Any = None,
        *,
        id: str | None = None,
        tenant: str | None = None,
        task_queue: str | None = None,
    ) -> Run:
        """Start a run, or return the one that was started with this id before.

        Args:
            runnable: What to run; or a code-first workflow, which calls `run`, `ask`, `search` and `call_tool`: its
                class or its run method.
            input: What it is asked, see `Input`. Of a code-first workflow: its argument.
            id: Names the run, and makes starting it repeatable; without `/`. Default: the runnable's name and a random
                suffix.
            tenant: Whom the run is for, as a search attribute.
            task_queue: Where its workers listen. Default: the client's.

        Raises:
            SpecError: The input is empty or too large, the runnable cannot run, or the id belongs to something else.
            SetupError: The server is away, or the namespace lacks our search attributes.
        """
        _check_names(id, tenant)
        order = order_of(runnable, input, offload=self.temporal.data_converter.external_storage is not None)
        run_id = id or f"{order.name}-{uuid4().hex[:10]}"
        with translate_rpc_errors(f"run {run_id!r}"):
            try:
                handle = await self.temporal.start_workflow(
                    order.workflow,
                    args=order.arguments,
                    id=run_id,
                    task_queue=task_queue or self.task_queue,
                    task_timeout=order.task_timeout,
                    # An error rather than the running workflow, which may be somebody else's.
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    search_attributes=order.search_attributes(tenant),
                    static_summary=order.summary,
                )
                execution = handle.result_run_id or ""
            except WorkflowAlreadyStartedError:
                execution = await self._started_before(run_id, order.name, tenant or "")
        return Run(self.temporal, run_id, execution, order.output_type, self._redis_url)

    async def _started_before(self, run_id: str, name: str, tenant: str) -> str:
        description = await describe(self.temporal, run_id)
        other = description.typed_search_attributes.get(RUNNABLE)
        if other != name:
            raise SpecError(f"{run_id!r} is a run of {other!r} already, and cannot be one of {name!r}: pass another id")
        if (description.typed_search_attributes.get(TENANT) or "") != tenant:
            raise SpecError(f"{run_id!r} is a run of another tenant already: pass another id")
        return description.run_id

    async def get(self, id: str, *, runnable: Startable | None = None) -> Run:
        """Return the run of that id, the newest where there were several.

        Args:
            id: What it was started with.
            runnable: What runs, where it is at hand: gives the output its type.

        Raises:
            SpecError: There is no such run, or the id belongs to something else.
        """
        output_type = None if runnable is None else output_type_of(runnable)
        with translate_rpc_errors(f"run {id!r}"):
            return Run(self.temporal, id, (await describe(self.temporal, id)).run_id, output_type, self._redis_url)

    async def list(self, query: str | None = None, *, limit: int = 20, nested: bool = False) -> tuple[RunSummary, ...]:
        """Return summaries of runs, the newest first.

        Args:
            query: A Temporal visibility query, such as `SostenutoStatus = 'failed' AND SostenutoCostUsd > 0.1`.
            limit: Most runs to return.
            nested: Whether to list runs that other runs started too.

        Raises:
            SpecError: The query is wrong; says where.
        """
        # Code-first workflows that were started here have the attribute.
        full = (
            f"(WorkflowType = '{names.RUN_WORKFLOW}' OR {names.SEARCH_RUNNABLE} IS NOT NULL) "
            "AND ExecutionStatus != 'ContinuedAsNew'"
        )
        if not nested:
            full += " AND ParentWorkflowId IS NULL"
        if query:
            full += f" AND ({query})"
        with translate_rpc_errors("the list of runs"):
            return tuple([RunSummary.of(row) async for row in self.temporal.list_workflows(full, limit=limit)])

    async def ingest(
        self,
        collection: Collection | str,
        sources: Iterable[str | Path] | str | Path,
        *,
        fields: Mapping[str, Scalar] | None = None,
        texts: Mapping[str, str] | None = None,
        tenant: str = "",
        prune: bool = False,
        rebuild: bool = False,
        concurrency: int = 4,
        upload: bool = False,
        task_queue: str | None = None,
    ) -> Ingest:
        """Start bringing documents into a collection that the workers' app has.

        Documents that are there already as they are cost nothing; changed ones take the place of their earlier
        versions. Workers read the files themselves, unless they are uploaded.

        Args:
            collection: The collection, or its name.
            sources: Files, folders, patterns such as `docs/**/*.md`, the same in buckets (`s3://…`), and `https://`
                addresses, of buckets and hosts that the workers allow.
            fields: What is known of every document.
            texts: The same, as texts that the worker reads by the kinds of the fields.
            tenant: Whose documents they are, where the collection is partitioned.
            prune: Whether to take out documents of these sources that are gone.
            rebuild: Whether to make the collection anew, and show it when it is whole.
            concurrency: Documents at once.
            upload: Whether to read the files here, and give them to the workers by the directory for large payloads.
            task_queue: Where the workers listen. Default: the client's.

        Raises:
            SpecError: A source is not one, or an ingest of the collection is under way.
            SetupError: The server is away, or there is no directory to upload to.
        """
        given = [sources] if isinstance(sources, str | Path) else as_tuple(sources, "ingest: sources")
        asked = IngestInput(
            collection=collection if isinstance(collection, str) else collection.name,
            sources=tuple(map(str, given)),
            fields=dict(fields or {}),
            texts=dict(texts or {}),
            tenant=tenant,
            prune=prune,
            rebuild=rebuild,
            concurrency=concurrency,
        )
        return await start_ingest(self.temporal, task_queue or self.task_queue, asked, upload=upload)

    async def collections(self, *, task_queue: str | None = None) -> tuple[CollectionSummary, ...]:
        """Return the collections of the workers' store.

        Raises:
            CollectionFailed: The workers have none.
            SetupError: The server is away, or no worker answers.
        """
        found: tuple[CollectionSummary, ...] = await ask_collections(
            self.temporal, task_queue or self.task_queue, CollectionsCall(kind="list")
        )
        return found

    async def drop_collection(self, name: str, *, task_queue: str | None = None) -> bool:
        """Delete a collection with everything in it; return whether there was one.

        Raises:
            SpecError: An ingest of it is under way.
            CollectionFailed: The workers have no collections.
            SetupError: The server is away, or no worker answers.
        """
        await check_no_ingest(self.temporal, name)
        call = CollectionsCall(kind="drop", collection=name)
        dropped: bool = await ask_collections(self.temporal, task_queue or self.task_queue, call)
        return dropped

    async def search(
        self,
        collection: Collection | str,
        query: str,
        *,
        filters: Mapping[str, Any] | None = None,
        texts: Mapping[str, str] | None = None,
        limit: int = 0,
        tenant: str = "",
        task_queue: str | None = None,
    ) -> Retrieved:
        """Return the passages of a collection that fit a query best.

        Args:
            collection: The collection, or its name.
            query: What to look for.
            filters: A value, a list of which any will do, or `{"from": …, "to": …}`, by field.
            texts: Values by field, as texts that the worker reads by the kinds of the fields.
            limit: Most passages; 0 for as many as the collection says.
            tenant: Whose documents, where the collection is partitioned.
            task_queue: Where the workers listen. Default: the client's.

        Raises:
            SpecError: The query is no Unicode.
            CollectionFailed: It cannot be searched so; says why.
            SetupError: The server is away, or no worker answers.
        """
        if query != encodable(query):
            raise SpecError("query: it is not Unicode: it has half of a surrogate pair")
        call = CollectionsCall(
            kind="search",
            collection=collection if isinstance(collection, str) else collection.name,
            query=query,
            filters=dict(filters or {}),
            texts=dict(texts or {}),
            limit=limit,
            tenant=tenant,
        )
        found: Retrieved = await ask_collections(self.temporal, task_queue or self.task_queue, call)
        return found

    async def history(self, id: str) -> WorkflowHistory:
        """Return the whole history of the newest execution of a run, for Temporal's tools.

        Raises:
            SpecError: There is no such run.
        """
        with translate_rpc_errors(f"run {id!r}"):
            return await self.temporal.get_workflow_handle(id).fetch_history()


def _check_names(run_id: str | None, tenant: str | None) -> None:
    for what, text in (("id", run_id), ("tenant", tenant)):
        if text and encodable(text) != text:
            raise SpecError(f"{what}={text!r} is not Unicode: it has half of a surrogate pair")
    if run_id and SEPARATOR in run_id:
        # A nested run takes its id from whoever has it: it may be that of a run that a reset left behind.
        raise SpecError(
            f"run {run_id!r}: '/' stands between a run and its nested runs: use another character in its id"
        )
