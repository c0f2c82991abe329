"""The two loops as the benchmark drives them.

On the same server and client, with the same worker options.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from temporalio.client import Client, WorkflowHandle
from temporalio.common import TypedSearchAttributes
from temporalio.worker import Interceptor, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from benchmarks.load import INSTRUCTIONS, QUESTION, Load, ScriptedModel, glance, page
from benchmarks.naive import NaiveAgent, NaiveModel, NaiveRun, naive_page
from sostenuto import Agent, App, Budget, Message, Model, Price
from sostenuto.contracts import names
from sostenuto.contracts.wire.run import RunInput
from sostenuto.workers.pricing import cost_usd
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import policy
from sostenuto.workflows.search_attributes import AT_START, named

_CACHED_RUNS = 1000
_CONCURRENT_CALLS = 200
PRICE = Price(input=1, output=10, cached=0.1)
"""What the model costs where a budget counts US dollars."""


class Contender(Protocol):
    """One of the two loops."""

    name: str
    worker: Worker

    async def start(self, load: Load, workflow_id: str) -> WorkflowHandle[Any, Any]:
        """Start a run."""
        ...


@dataclass(slots=True)
class Ours:
    """The agent of this library."""

    name: str
    client: Client
    worker: Worker
    task_queue: str
    budget: Budget | None = None

    @classmethod
    def build(
        cls,
        client: Client,
        model: ScriptedModel,
        *,
        name: str = "ours",
        budget: Budget | None = None,
        max_cached_runs: int = _CACHED_RUNS,
        interceptors: Sequence[Interceptor] = (),
    ) -> Ours:
        """Make our agent and a worker that serves it."""
        queue = f"bench-{name}-{max_cached_runs}"
        app = App(tools=[page, glance])
        worker = build_worker(
            client,
            app,
            {"scripted": model},
            cost_usd,
            task_queue=queue,
            max_cached_runs=max_cached_runs,
            max_concurrent_calls=_CONCURRENT_CALLS,
            interceptors=interceptors,
        )
        return cls(name, client, worker, queue, budget)

    async def start(self, load: Load, workflow_id: str) -> WorkflowHandle[Any, Any]:
        """Start a run, as the client does."""
        agent = Agent(
            name="librarian",
            instructions=INSTRUCTIONS,
            model=Model(load.model, price=PRICE) if self.budget else load.model,
            tools=[glance if load.fast else page],
            max_turns=load.turns + 1,
        )
        return await self.client.start_workflow(
            names.run_type(agent.kind, agent.name),
            RunInput(runnable=agent, message=Message.user(QUESTION), budget=self.budget),
            id=workflow_id,
            task_queue=self.task_queue,
            static_summary=QUESTION,
            task_timeout=policy.TASK_TIMEOUT,
            search_attributes=TypedSearchAttributes([*named(agent.name, None), *AT_START]),
        )


@dataclass(slots=True)
class Naive:
    """The loop written by hand."""

    name: str
    client: Client
    worker: Worker
    task_queue: str

    @classmethod
    def build(cls, client: Client, model: ScriptedModel) -> Naive:
        """Make the naive loop and a worker for it, with the options of ours."""
        queue = "bench-naive"
        restrictions = SandboxRestrictions.default.with_passthrough_modules("sostenuto", "benchmarks", "pydantic")
        worker = Worker(
            client,
            task_queue=queue,
            workflows=[NaiveAgent],
            activities=[naive_page, NaiveModel(model).call],
            workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions),
            activity_executor=ThreadPoolExecutor(_CONCURRENT_CALLS),
            max_concurrent_activities=_CONCURRENT_CALLS,
            max_cached_workflows=_CACHED_RUNS,
            sticky_queue_schedule_to_start_timeout=policy.STICKY_TIMEOUT,
        )
        return cls("naive", client, worker, queue)

    async def start(self, load: Load, workflow_id: str) -> WorkflowHandle[Any, Any]:
        """Start a run."""
        tools = [page.spec.definition.model_dump()]
        run = NaiveRun(model=load.model, question=QUESTION, tools=tools)
        return await self.client.start_workflow(
            NaiveAgent.run, run, id=workflow_id, task_queue=self.task_queue, task_timeout=policy.TASK_TIMEOUT
        )
