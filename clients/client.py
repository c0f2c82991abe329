"""The client: starts runs, finds them and lists them. Needs Temporal and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import JsonValue
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowHistory
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.exceptions import WorkflowAlreadyStartedError

from ..contracts import names
from ..contracts.errors import SpecError
from ..contracts.message import Message, Part
from ..contracts.node import check_tree
from ..contracts.run import Result, RunInput
from ..contracts.runnable import Runnable, check_input
from ..workflows.connection import connect, task_queue_setting
from ..workflows.details import first_line
from ..workflows.policy import TASK_TIMEOUT
from ..workflows.search_attributes import COST_USD, RUNNABLE, STATUS, TENANT, TOKENS
from .chain import described
from .rpc_errors import explained
from .run import Run
from .summary import RUNNING, RunSummary

__all__ = ["Client", "Input", "Run", "RunSummary"]

Input = str | Message | Sequence[str | Part] | Mapping[str, JsonValue]
"""What a run is asked: text, a message, a list of texts and parts, or fields, which templates call by their names."""

MAX_INPUT_BYTES = 2_000_000
"""Largest input, in bytes of JSON: the server refuses payloads of 2 MiB."""

_SUMMARY_CHARS = 120


class Client:
    """Starts, finds and lists runs.

    Args:
        temporal: A connected Temporal client with our data converter, see `workflows.converter`.
        task_queue: Where runs are started unless told otherwise. Default: `SOSTENUTO_TASK_QUEUE`, else `sostenuto`.

    Raises:
        SpecError: The Temporal client has another data converter.
    """

    def __init__(self, temporal: TemporalClient, *, task_queue: str | None = None) -> None:
        converter = temporal.data_converter
        if not issubclass(converter.payload_converter_class, PydanticPayloadConverter):
            raise SpecError(
                f"the Temporal client converts by {converter.payload_converter_class.__name__}: connect it with "
                "data_converter=sostenuto.workflows.converter.data_converter()"
            )
        self.temporal = temporal
        self.task_queue = task_queue or task_queue_setting()

    @classmethod
    async def connect(
        cls,
        address: str | None = None,
        *,
        namespace: str | None = None,
        task_queue: str | None = None,
        payload_dir: Path | None = None,
    ) -> Client:
        """A client that is connected. What is not passed comes from the environment, see `workflows.connection`.

        Raises:
            SetupError: Nothing answers there, access is denied, or there is no such namespace.
        """
        temporal = await connect(address, namespace=namespace, payload_dir=payload_dir)
        return cls(temporal, task_queue=task_queue)

    async def start(
        self,
        runnable: Runnable,
        input: Input,  # noqa: A002 - the field's own word
        *,
        id: str | None = None,  # noqa: A002 - as above
        tenant: str | None = None,
        task_queue: str | None = None,
    ) -> Run:
        """The run, started; or the one that was started with this id before, be it running or over.

        Args:
            runnable: What to run.
            input: What it is asked.
            id: Names the run, and makes starting it repeatable. Default: the runnable's name and a random suffix.
            tenant: Whom the run is for, as a search attribute.
            task_queue: Where its workers listen. Default: the client's.

        Raises:
            SpecError: The input is empty or too large, or the id belongs to something else.
            SetupError: The server is away, or the namespace lacks our search attributes.
        """
        message = _message(input)
        check_tree(runnable)
        check_input(runnable, message)
        run_id = id or f"{runnable.name}-{uuid4().hex[:10]}"
        offload = self.temporal.data_converter.external_storage is not None
        arguments = RunInput(runnable=runnable, message=message, offload=offload)
        if not offload:
            _check_size(arguments)
        with explained(f"run {run_id!r}"):
            try:
                handle = await self.temporal.start_workflow(
                    names.RUN_WORKFLOW,
                    arguments,
                    id=run_id,
                    task_queue=task_queue or self.task_queue,
                    result_type=Result,
                    task_timeout=TASK_TIMEOUT,
                    # An error rather than the running workflow, which may be somebody else's.
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    search_attributes=_search_attributes(runnable, tenant),
                    static_summary=first_line(message.text, _SUMMARY_CHARS) or runnable.name,
                )
            except WorkflowAlreadyStartedError:
                return Run(self.temporal, run_id, (await described(self.temporal, run_id)).run_id, runnable)
        return Run(self.temporal, run_id, handle.result_run_id or "", runnable)

    async def get(self, id: str, *, runnable: Runnable | None = None) -> Run:  # noqa: A002
        """The run of that id, the newest where there were several.

        Args:
            id: What it was started with.
            runnable: What runs, where it is at hand: gives the output its type.

        Raises:
            SpecError: There is no such run, or the id belongs to something else.
        """
        with explained(f"run {id!r}"):
            return Run(self.temporal, id, (await described(self.temporal, id)).run_id, runnable)

    async def list(self, query: str | None = None, *, limit: int = 20) -> tuple[RunSummary, ...]:
        """Summaries of runs, the newest first.

        Args:
            query: A Temporal visibility query, such as `SostenutoStatus = 'failed' AND SostenutoCostUsd > 0.1`.
            limit: Most runs to return.

        Raises:
            SpecError: The query is wrong; says where.
        """
        full = f"WorkflowType = '{names.RUN_WORKFLOW}' AND ExecutionStatus != 'ContinuedAsNew'"
        if query:
            full += f" AND ({query})"
        with explained("the list of runs"):
            return tuple([RunSummary.of(row) async for row in self.temporal.list_workflows(full, limit=limit)])

    async def history(self, id: str) -> WorkflowHistory:  # noqa: A002
        """The whole history of the newest execution of a run, as Temporal's own tools and the replayer read it.

        Raises:
            SpecError: There is no such run.
        """
        with explained(f"run {id!r}"):
            return await self.temporal.get_workflow_handle(id).fetch_history()


def _message(content: Input) -> Message:
    if isinstance(content, Message):
        message = content
    elif isinstance(content, Mapping):
        message = Message.user(json.dumps(dict(content), ensure_ascii=False))
    else:
        message = Message.user(content if isinstance(content, str) else [*content])
    if not any(getattr(part, "text", True) for part in message.parts):
        raise SpecError("the input is empty: pass a text, a message, or a list of parts")
    return message


def _check_size(arguments: RunInput) -> None:
    size = len(arguments.model_dump_json().encode())
    if size > MAX_INPUT_BYTES:
        raise SpecError(
            f"the input has {size:,} bytes and the limit is {MAX_INPUT_BYTES:,}: pass less, pass a URL instead of the "
            "data, or set SOSTENUTO_PAYLOAD_DIR for client and workers to keep large payloads outside the history"
        )


def _search_attributes(runnable: Runnable, tenant: str | None) -> TypedSearchAttributes:
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(RUNNABLE, runnable.name),
        SearchAttributePair(STATUS, RUNNING),
        # Set by the workflow at its end, which a namespace without them would hold up for ever.
        SearchAttributePair(COST_USD, 0.0),
        SearchAttributePair(TOKENS, 0),
    ]
    if tenant:
        pairs.append(SearchAttributePair(TENANT, tenant))
    return TypedSearchAttributes(pairs)
