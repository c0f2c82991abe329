"""Builds the worker: the one place where workflows, activities and adapters meet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.worker import Interceptor, Replayer, Worker

from ..activities.answer_check import OutputValidator
from ..activities.call.bill import Costs
from ..activities.call.given.resources import Resources
from ..activities.call.given.run_context import RunContexts
from ..activities.call.live import Live
from ..activities.call.user_code import UserCode
from ..activities.control.approval import ApprovalActivities
from ..activities.control.ledgers import LedgerActivities
from ..activities.control.reconcile import ReconcileActivities
from ..activities.control.spending import SpendingActivities
from ..activities.control.undoing import UndoingActivities
from ..activities.conversation.continued_conversation import take_over
from ..activities.conversation.turn_end import turn_end
from ..activities.knowledge.ingest import IngestActivities
from ..activities.knowledge.ingestion import DocumentReading, Ingestion
from ..activities.knowledge.retrieve import RetrieveActivities
from ..activities.knowledge.search import Knowledge
from ..activities.mcp import McpActivities
from ..activities.mcp_session import McpSession
from ..activities.memory.read_result import ReadResultActivities
from ..activities.memory.remembering import MemoryActivities
from ..activities.model import ModelActivities
from ..activities.model_adapter import ModelAdapter
from ..activities.not_served import not_served
from ..activities.prices.list_price import list_price
from ..activities.prices.look_up import PriceActivities
from ..activities.prices.price import PriceList
from ..activities.routing.embedding import Embedder
from ..activities.routing.route import RouteActivities
from ..activities.score import ScoreActivities, ScoreTaker
from ..activities.tool import tool_activities
from ..activities.transcript_cache import TranscriptCache
from ..connection.connect import payload_dir_setting
from ..connection.converter import data_converter, tolerant
from ..connection.running_stack import RunningStack, state_dir_setting
from ..contracts import names
from ..contracts.errors import SpecError
from ..contracts.specs.app import App
from ..history.reading.results import read_result
from ..history.reading.spending import read_spent
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
from .ledger_worker import serving_ledgers
from .sandbox import loading_workflows, workflow_runner

_OF_RUNS = (RunWorkflow, TypedRunWorkflow, ChatWorkflow)
_WORKFLOWS = (*_OF_RUNS, IngestWorkflow, CollectionsWorkflow, MemoryWorkflow, ScoreWorkflow)
"""The workflows of every worker."""

# A mistake in a code-first workflow ends it with its reason, in place of a workflow task that is tried for ever.
_FAILURES = (SpecError,)

# The server's default of a minute would let a heartbeat timeout of seconds expire between two heartbeats.
_HEARTBEAT_THROTTLE = timedelta(seconds=0.8)

# How long calls in flight may take to end when the worker is stopped: a deploy need not repeat them.
_GRACEFUL_SHUTDOWN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Services:
    """What some runnables need of a worker beyond models and functions."""

    embedder: Embedder | None = None
    """Compares meanings, for routers."""
    mcp: Mapping[str, McpSession] = field(default_factory=dict)
    """Sessions with the app's MCP servers, see `workers.mcp`."""
    knowledge: Knowledge | None = None
    """Where its collections are, see `workers.knowledge`."""
    reading: DocumentReading | None = None
    """What reads documents for them."""
    live: Live | None = None
    """Tells those who watch what calls say."""
    cache: TranscriptCache = field(default_factory=TranscriptCache)
    """Its memory of transcripts."""
    scores: Mapping[str, ScoreTaker] = field(default_factory=dict)
    """What takes scores, see `workers.telemetry.sending.score_takers`."""


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
        client: Connected with `connection.connect.connect`, or at least with its data converter.
        app: What it serves.
        adapters: Model adapters by provider name.
        price: Cost of a model call.
        task_queue: What it polls.
        max_cached_runs: Runs kept in memory. 0 replays every step, for tests: see temporalio/sdk-rust#1304 for chats.
        max_concurrent_calls: Model and tool calls at once. At least 1.
        services: What routers and MCP tools need as well. Default: none of it, and what needs it fails and says so.
        interceptors: Of the Temporal SDK, outermost first.

    Raises:
        SpecError: The file of one of the app's workflows cannot be loaded for a run, or the workflow would take those
            of runs.
    """
    user = UserCode(max_concurrent_calls)
    resources = Resources(app.lifespan and partial(app.lifespan, app), user)
    workflows = _with_own(app.workflows)
    with loading_workflows():
        return AppWorker(
            partial(_at_work, user, resources, partial(serving_ledgers, client, max_cached_runs)),
            resources.lost,
            tolerant(client),
            task_queue=task_queue,
            workflows=workflows,
            activities=_activities(app, adapters, price, services or Services(), user, resources),
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


def _activities(
    app: App,
    adapters: Mapping[str, ModelAdapter],
    price: PriceList,
    services: Services,
    user: UserCode,
    resources: Resources,
) -> list[Callable[..., Any]]:
    cache = services.cache
    contexts = RunContexts(app.context)
    validator = OutputValidator(app.walk(), app.validators, user=user)
    live = services.live
    model = ModelActivities(
        adapters,
        price=price,
        cache=cache,
        validator=validator,
        user=user,
        servers=app.mcp,
        live=live,
        contexts=contexts,
    )
    mcp = McpActivities(services.mcp, cache, contexts)
    approval = ApprovalActivities(app.tools, app.approvals, app.mcp, user)
    route = RouteActivities(services.embedder, price)
    costs = Costs(price, user)
    retrieve = RetrieveActivities(services.knowledge, app.collections, cache, costs)
    ingest = IngestActivities(_ingestion(app, services, user), costs)
    memory = MemoryActivities(services.knowledge, app.collections, cache, costs, policy.TASK_TIMEOUT)
    tools = tool_activities(app.tools.values(), cache, user, live, contexts, resources)
    return [
        model.call,
        *_methods(mcp),
        approval.ask,
        ReconcileActivities(app.tools, user).ask,
        SpendingActivities(read_spent).spent,
        ReadResultActivities(read_result).read_result,
        LedgerActivities(read_spent, policy.TASK_TIMEOUT).open,
        UndoingActivities(app.tools).ask,
        route.decide,
        *_methods(retrieve),
        *_methods(ingest),
        *_methods(memory),
        *_methods(ScoreActivities(services.scores)),
        take_over,
        turn_end,
        PriceActivities(list_price).look_up,
        not_served,
        *tools,
    ]


def _ingestion(app: App, services: Services, user: UserCode) -> Ingestion | None:
    if services.knowledge is None or services.reading is None:
        return None
    return Ingestion(services.knowledge, app.collections, services.reading, user)


def _methods(holder: object) -> list[Callable[..., Any]]:
    """Return the activities that an object has as methods, by their names."""
    methods = (getattr(holder, name) for name in sorted(dir(type(holder))) if not name.startswith("_"))
    return [method for method in methods if hasattr(method, "__temporal_activity_definition")]


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
