"""The client: starts runs, finds them and lists them.

Needs Temporal and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, overload
from uuid import uuid4

from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowHistory
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.exceptions import WorkflowAlreadyStartedError

from ..connection.connect import connect, task_queue_setting
from ..contracts.collection.collection import Collection
from ..contracts.control.budget import Budget
from ..contracts.errors import SpecError
from ..contracts.memory.conversation import Memory
from ..contracts.specs.input import Input
from ..contracts.specs.node import Node
from ..contracts.wire.chats.chat import WhenBusy
from ..history.reading.executions import describe
from .approvals.inbox import Inbox
from .calls.collection_calls import CollectionCalls
from .calls.run_lists import RunLists
from .chats.chat import Chat
from .chats.opening import begin_chat, chat_input, find_chat
from .guardrails.screening import screened_order
from .ledgers.ledgers import Ledgers
from .memory.scoped_memory import ScopedMemory
from .overview.lookout import AT_LENGTH, Lookout
from .overview.overview import Overview
from .rpc_errors import translate_rpc_errors
from .run import Run
from .start_request import Order, Startable, check_id, order_of, output_type_of
from .started_before import find_started_before
from .summary import RunSummary

__all__ = ["Chat", "Client", "Input", "Run", "RunSummary"]

T = TypeVar("T")


class Client(CollectionCalls, Inbox, RunLists):
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
        super().__init__(temporal, task_queue or task_queue_setting())
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
        runnable: Node[T],
        input: Input,
        *,
        id: str | None = ...,
        tenant: str | None = ...,
        context: Any = ...,
        budget: Budget | None = ...,
        task_queue: str | None = ...,
    ) -> Run[T]: ...

    @overload
    async def start(
        self,
        runnable: Callable[..., Coroutine[Any, Any, T]],
        input: Any = ...,
        *,
        id: str | None = ...,
        tenant: str | None = ...,
        context: Any = ...,
        budget: Budget | None = ...,
        task_queue: str | None = ...,
    ) -> Run[T]: ...

    @overload
    async def start(
        self,
        runnable: type,
        input: Any = ...,
        *,
        id: str | None = ...,
        tenant: str | None = ...,
        context: Any = ...,
        budget: Budget | None = ...,
        task_queue: str | None = ...,
    ) -> Run: ...

    async def start(
        self,
        runnable: Startable,
        input: Any = None,
        *,
        id: str | None = None,
        tenant: str | None = None,
        context: Any = None,
        budget: Budget | None = None,
        task_queue: str | None = None,
    ) -> Run:
        """Start a run, or return the one that was started with this id before.

        Args:
            runnable: What to run; or a code-first workflow, which calls `run`, `ask`, `search` and `call_tool`: its
                class or its run method.
            input: What it is asked, see `Input`. Of a code-first workflow: its argument.
            id: Names the run, and makes starting it repeatable; without `/`. Default: the runnable's name and a random
                suffix.
            tenant: Whom the run is for, as a search attribute. Default: the `tenant` of its context.
            context: Its own values, which no model sees or chooses: a pydantic model, a dataclass or a dict.
            budget: What it may spend, beside what it says itself. Code-first workflows give theirs to what they run.
            task_queue: Where its workers listen. Default: the client's.

        Raises:
            SpecError: The input is empty or too large, the runnable cannot run, or the id belongs to something else, or
                to a run that was asked something else.
            SetupError: The server is away, or the namespace lacks our search attributes.
        """
        check_id(id)
        offload = self.temporal.data_converter.external_storage is not None
        order = order_of(runnable, input, offload=offload, context=context, tenant=tenant, budget=budget)
        run_id = id or f"{order.name}-{uuid4().hex[:10]}"
        order = await screened_order(self.temporal, order, run_id)
        with translate_rpc_errors(f"run {run_id!r}"):
            execution = await self._started(order, run_id, task_queue or self.task_queue)
        return Run(self.temporal, run_id, execution, order.output_type, self._redis_url)

    async def _started(self, order: Order, run_id: str, task_queue: str) -> str:
        """Start a run, or find the one of this id.

        Return Temporal's own id of its execution.
        """
        try:
            handle = await self.temporal.start_workflow(
                order.workflow,
                args=order.arguments,
                id=run_id,
                task_queue=task_queue,
                task_timeout=order.task_timeout,
                # An error rather than the running workflow, which may be somebody else's.
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=order.search_attributes(),
                memo=order.memo,
                static_summary=order.summary,
            )
        except WorkflowAlreadyStartedError:
            return await find_started_before(self.temporal, run_id, order)
        return handle.result_run_id or ""

    @overload
    async def get(self, id: str, *, runnable: Node[T]) -> Run[T]: ...

    @overload
    async def get(self, id: str, *, runnable: Callable[..., Coroutine[Any, Any, T]]) -> Run[T]: ...

    @overload
    async def get(self, id: str, *, runnable: type | None = None) -> Run: ...

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

    @overload
    async def chat(
        self,
        runnable: Node[T],
        *,
        id: str | None = ...,
        title: str = ...,
        when_busy: WhenBusy | str = ...,
        tenant: str | None = ...,
        context: Any = ...,
        memory: Memory | None = ...,
        task_queue: str | None = ...,
    ) -> Chat[T]: ...

    @overload
    async def chat(
        self,
        runnable: None = None,
        *,
        id: str,
        tenant: str | None = ...,
        context: Any = ...,
        task_queue: str | None = ...,
    ) -> Chat: ...

    async def chat(
        self,
        runnable: Node | None = None,
        *,
        id: str | None = None,
        title: str = "",
        when_busy: WhenBusy | str = WhenBusy.QUEUE,
        tenant: str | None = None,
        context: Any = None,
        memory: Memory | None = None,
        task_queue: str | None = None,
    ) -> Chat:
        """Begin a chat, or find the one that was begun with this id before.

        An agent, and a team that is led by one, goes on in one transcript. What any other runnable sees of earlier
        turns is the text that its templates call `{history}`.

        Args:
            runnable: Who answers. None: the chat is there already. One that is there keeps the runnable that it began
                with, as it was then; `Chat.fork` goes on with another.
            id: Names the chat; without `/`. Default: the runnable's name and a random suffix.
            title: What it is called. Default: the first line of its first message.
            when_busy: What becomes of a message that comes while another one is answered: `queue`, `interrupt` or
                `reject`.
            tenant: Whom it is for, as a search attribute. Default: the `tenant` of its context.
            context: Its own values, as those of a run, see `start`. One that is there keeps those that it began with.
            memory: How much of it the model is told, in place of what the agent says; kept as the runnable is.
            task_queue: Where its workers listen. Default: the client's.

        Raises:
            SpecError: There is no such chat, the runnable cannot run, or the id belongs to something else.
            SetupError: The server is away, or the namespace lacks our search attributes.
        """
        check_id(id, tenant)
        for name, given in (("context", context), ("memory", memory)):
            if runnable is None and given is not None:
                raise SpecError(f"chat: a chat that is there keeps the {name} that it began with: leave out {name}=")
        if runnable is None and id is None:
            raise SpecError("chat: pass a runnable to begin one, or the id of one that is there")
        name = getattr(runnable, "name", "")
        chat_id = id or f"{name}-{uuid4().hex[:10]}"
        if runnable is None:
            execution, output_type = (await find_chat(self.temporal, chat_id, tenant)).run_id, None
        else:
            make = partial(chat_input, self.temporal, title=title, when_busy=when_busy)
            queue = task_queue or self.task_queue
            execution = await begin_chat(self.temporal, queue, runnable, make, chat_id, tenant, context, memory)
            output_type = runnable.output_type
        return Chat(self.temporal, chat_id, execution, output_type, self._redis_url)

    @property
    def ledgers(self) -> Ledgers:
        """The ledgers that many runs spend from together."""
        return Ledgers(self.temporal)

    def memory(self, collection: Collection | str, scope: str, *, task_queue: str | None = None) -> ScopedMemory:
        """Return what agents remember of a scope, beside the documents of a collection.

        Args:
            collection: The collection, or its name.
            scope: Whose memories, such as `user:anna`.
            task_queue: Where its workers listen. Default: the client's.

        Raises:
            SpecError: There can be no such scope.
        """
        name = collection if isinstance(collection, str) else collection.name
        return ScopedMemory(self.temporal, task_queue or self.task_queue, name, scope)

    async def overview(self, *, tenant: str | None = None) -> Overview:
        """Return what runs, what is in trouble and what it spent, and what ended lately.

        For alarms and reports: it asks the server five hundred times at most, however many runs there are. Of more
        than two hundred workflows at work, some are counted only: `Overview.unseen`.

        Args:
            tenant: Whose runs. Default: everybody's.

        Raises:
            SetupError: The server is away, denies access, or lacks our search attributes.
        """
        return await Lookout(self.temporal, tenant or "").look(AT_LENGTH)

    async def history(self, id: str) -> WorkflowHistory:
        """Return the whole history of the newest execution of a run, for Temporal's tools.

        Raises:
            SpecError: There is no such run.
        """
        with translate_rpc_errors(f"run {id!r}"):
            return await self.temporal.get_workflow_handle(id).fetch_history()
