"""Builds the worker: the one place where workflows, activities and adapters meet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.worker import Interceptor, Replayer, Worker

from ..activities.call.given.resources import Resources
from ..activities.call.user_code import UserCode
from ..activities.guardrails.looking import check_here
from ..activities.guardrails.screening import Guards
from ..activities.model_adapter import ModelAdapter
from ..activities.not_served import NotServedError
from ..activities.prices.price import PriceList
from ..connection.connect import payload_dir_setting, vault_keys_of
from ..connection.converter import data_converter, tolerant
from ..connection.running_stack import RunningStack, state_dir_setting
from ..contracts import names
from ..contracts.errors import SpecError
from ..contracts.specs.app import App
from ..workflows import policy
from ..workflows.chat.chat_workflow import ChatWorkflow
from ..workflows.code_first.held import CodeFirstEnds
from ..workflows.feedback.score_workflow import ScoreWorkflow
from ..workflows.id_limits import IdLimits
from ..workflows.knowledge.collections_workflow import CollectionsWorkflow
from ..workflows.knowledge.ingest_workflow import IngestWorkflow
from ..workflows.ledger.ledger_workflow import LedgerWorkflow
from ..workflows.memory.memory_workflow import MemoryWorkflow
from ..workflows.run_workflow import RunWorkflow, ServedTypes, TypedRunWorkflow
from .served.activities import Services, served_activities
from .served.ledger_worker import serving_ledgers
from .served.sandbox import loading_workflows, workflow_runner

_OF_RUNS = (RunWorkflow, TypedRunWorkflow, ChatWorkflow)
_WORKFLOWS = (*_OF_RUNS, IngestWorkflow, CollectionsWorkflow, MemoryWorkflow, ScoreWorkflow)
"""The workflows of every worker."""

# A mistake in a code-first workflow ends it with its reason, in place of a workflow task that is tried for ever.
_FAILURES = (SpecError,)

# The server's default of a minute would let a heartbeat timeout of seconds expire between two heartbeats.
_HEARTBEAT_THROTTLE = timedelta(seconds=0.8)

# How long calls in flight may take to end when the worker is stopped: a deploy need not repeat them.
_GRACEFUL_SHUTDOWN = timedelta(seconds=10)


def build_worker(
    client: Client,
    app: App,
    adapters: Mapping[str, ModelAdapter],
    price: PriceList,
    *,
    task_queue: str = names.TASK_QUEUE,
    max_cached_runs: int = 1000,
    max_concurrent_calls: int = 200,
    services: Services | None = None,
    interceptors: Sequence[Interceptor] = (),
) -> Worker:
    """Make a worker for an app, ready to run.

    Args:
        client: Connected with `connect`, or at least with its data converter.
        app: What it serves.
        adapters: Model adapters by provider name.
        price: Cost of a model call.
        task_queue: What it polls.
        max_cached_runs: Runs kept in memory. 0 replays every step, for tests: see temporalio/sdk-rust#1304 for chats.
        max_concurrent_calls: Model and tool calls at once. At least 1.
        services: What routers and MCP tools need as well. Default: none of it, and what needs it fails and says so.
        interceptors: Of the Temporal SDK, outermost first.

    Raises:
        SpecError: The file of a workflow of the app's cannot be loaded, or the workflow would take those of runs.
    """
    user = UserCode(max_concurrent_calls)
    resources = Resources(app.lifespan and partial(app.lifespan, app), user)
    workflows = _with_own(app.workflows)
    guards = _guards(app, client, user)
    with loading_workflows():
        return AppWorker(
            partial(_at_work, user, resources, partial(serving_ledgers, client, max_cached_runs)),
            resources.lost,
            tolerant(client),
            task_queue=task_queue,
            workflows=workflows,
            activities=served_activities(app, adapters, price, services or Services(), user, resources, guards),
            workflow_runner=workflow_runner(app.workflows),
            workflow_failure_exception_types=_FAILURES,
            max_concurrent_activities=max_concurrent_calls,
            max_cached_workflows=max_cached_runs,
            sticky_queue_schedule_to_start_timeout=policy.STICKY_TIMEOUT,
            max_heartbeat_throttle_interval=_HEARTBEAT_THROTTLE,
            default_heartbeat_throttle_interval=_HEARTBEAT_THROTTLE,
            graceful_shutdown_timeout=_GRACEFUL_SHUTDOWN,
            interceptors=[ServedTypes(workflows), CodeFirstEnds(), *interceptors, IdLimits()],
        )


class AppWorker(Worker):
    """A worker that holds what people's code needs while it is at work.

    It stops where that is lost meanwhile, and raises what `lost` does.

    Args:
        holding: Holds it. What it raises is raised before the worker begins: the SDK's own place for it would leave a
            worker that cannot be stopped.
        lost: Ends by an error when it is held no more.
        *given: As for the SDK's.
        **options: The same.
    """

    def __init__(
        self,
        holding: Callable[[], AbstractAsyncContextManager[None]],
        lost: Callable[[], Coroutine[Any, Any, None]],
        *given: Any,
        **options: Any,
    ) -> None:
        super().__init__(*given, **options)
        self._holding = holding
        self._lost = lost
        self._held: AsyncExitStack | None = None
        self._gone: BaseException | None = None

    async def run(self) -> None:
        """Run it until it is shut down."""
        if self._held:
            await self._serve()
            return
        async with self._holding():
            await self._serve()

    async def _serve(self) -> None:
        serving, losing = asyncio.create_task(super().run()), asyncio.create_task(self._lost())
        try:
            await asyncio.wait([serving, losing], return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                self._gone = losing.exception()
                await self.shutdown()
                losing.result()
        except asyncio.CancelledError:
            # By which the SDK has a worker shut down, too.
            serving.cancel()
            raise
        finally:
            losing.cancel()
            await asyncio.wait([serving])
        serving.result()

    async def __aenter__(self) -> AppWorker:
        held = AsyncExitStack()
        await held.enter_async_context(self._holding())
        self._held = held
        await super().__aenter__()
        return self

    async def __aexit__(self, exc_type: type[BaseException] | None, *args: Any) -> None:
        try:
            await super().__aexit__(exc_type, *args)
        finally:
            if self._held:
                await self._held.aclose()
        # The block was cancelled for it, and may have taken that for somebody's wish to leave.
        if self._gone and exc_type is None:
            raise self._gone


@asynccontextmanager
async def _at_work(
    user: UserCode, resources: Resources, ledgers: Callable[[], AbstractAsyncContextManager[None]]
) -> AsyncIterator[None]:
    """Hold what people's code needs while a worker is at work, and serve ledgers."""
    async with user.running(), resources.open(), ledgers():
        yield


def _guards(app: App, client: Client, user: UserCode) -> Guards:
    """Return what guardrails need here, where those of the app can be asked.

    Raises:
        SpecError: It cannot: a pattern is none, or a library is not installed; says which.
    """
    of_tools = (one for tool in app.tools.values() for one in tool.spec.guardrails)
    for one in (*app.guardrails, *(one for node in app.walk() for one in node.guardrails), *of_tools):
        try:
            check_here(one)
        except NotServedError as error:
            raise SpecError(str(error)) from None
    return Guards(vault_keys_of(client), app.custom_checks, user, app.guardrails)


def replayer(workflows: Sequence[type] = ()) -> Replayer:
    """Return a replayer of recorded histories, with the workflow code of this version.

    Args:
        workflows: Classes of your own, for histories of those.

    Large payloads are looked for where `SOSTENUTO_PAYLOAD_DIR` says, else where the embedded stack here keeps them.

    Raises:
        SpecError: One of your workflows would take those of runs.
    """
    converter = data_converter(payload_dir_setting() or _payload_dir_of_stack())
    served = [LedgerWorkflow, *_with_own(workflows)]
    return Replayer(
        workflows=served,
        workflow_runner=workflow_runner(workflows),
        workflow_failure_exception_types=_FAILURES,
        interceptors=[ServedTypes(served), CodeFirstEnds(), IdLimits()],
        data_converter=converter,
    )


def _with_own(workflows: Sequence[type]) -> list[type]:
    """Return what a worker serves: our workflows, and those of an app.

    Raises:
        SpecError: One of the app's has a workflow type that is that of runs, or is to take whatever nobody else does.
    """
    for own in workflows:
        definition = getattr(own, "__temporal_workflow_definition", None)
        if definition is None:
            continue
        if definition.name is None:
            raise SpecError(
                f"App: workflows: {own.__name__} is dynamic, and a worker has one dynamic workflow, which runs of "
                "runnables are: serve it by a worker of your own, on another task queue"
            )
        if names.is_run_type(definition.name):
            raise SpecError(
                f"App: workflows: {own.__name__} has the workflow type {definition.name!r}, which is that of a run of "
                "a runnable: give it another name"
            )
    return [*_WORKFLOWS, *workflows]


def _payload_dir_of_stack() -> Path | None:
    state_dir = state_dir_setting()
    stack = RunningStack.find(state_dir)
    # A history is often replayed when the stack that wrote it is down.
    directory = stack.payload_dir if stack else state_dir / "payloads"
    return directory if directory.is_dir() else None
