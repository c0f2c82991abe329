"""A call has its idempotency key in the branch that begins with a reset, too, where it is the same call."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowHandle

from sostenuto import Agent, App, Client, ToolContext, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import call_tool
from tests.integration.agent.stage import calls

KEYS: list[str] = []


@tool(effect="idempotent")
async def pay(ctx: ToolContext) -> str:
    """Pay."""
    KEYS.append(ctx.idempotency_key)
    return "paid"


PAYER = Agent(name="payer", model="scripted/m", tools=[pay])


@workflow.defn
class PaysTwice:
    """Pays twice in each of its executions."""

    @workflow.run
    async def run(self, more: int) -> None:
        """Pay, and continue as new so many times."""
        await call_tool(pay)
        await call_tool(pay)
        if more:
            workflow.continue_as_new(more - 1)


@pytest.fixture(autouse=True)
def _no_keys() -> None:
    KEYS.clear()


async def _reset(client: TemporalClient, handle: WorkflowHandle[Any, Any], completed: int) -> None:
    """Let the newest execution begin again after that of its workflow tasks that ended, from 0."""
    kind = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    events = [event.event_id async for event in handle.fetch_history_events() if event.event_type == kind]
    execution = WorkflowExecution(workflow_id=handle.id, run_id=(await handle.describe()).run_id)
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=execution,
            workflow_task_finish_event_id=events[completed],
            request_id=uuid4().hex,
        )
    )


async def test_calls_of_a_workflow_of_ones_own(temporal: TemporalClient, task_queue: str) -> None:
    app = App(tools=[pay], workflows=[PaysTwice])
    async with build_worker(temporal, app, {}, lambda *_: 0.0, task_queue=task_queue, max_cached_runs=0):
        handle = await temporal.start_workflow(PaysTwice.run, 1, id=task_queue, task_queue=task_queue)
        await handle.result()
        assert len(set(KEYS)) == 4
        newest = temporal.get_workflow_handle(task_queue)
        # Before its first call, then before its second, of a branch that was reset itself.
        for completed in (0, 1):
            await _reset(temporal, newest, completed)
            await newest.result()
    assert KEYS[4:] == [*KEYS[2:4], KEYS[3]]


async def test_calls_of_an_agent(temporal: TemporalClient, task_queue: str) -> None:
    """After the reply that asks for it, it is the same call; before that, a model is asked anew."""
    adapters = {"scripted": ScriptedAdapter([calls(("pay", {})), "ok", "ok", calls(("pay", {})), "ok"])}
    async with build_worker(temporal, App(PAYER), adapters, lambda *_: 0.0, task_queue=task_queue, max_cached_runs=0):
        run = await Client(temporal, task_queue=task_queue, redis_url="").start(PAYER, "Pay.", id=task_queue)
        handle = temporal.get_workflow_handle(run.id)
        await handle.result()
        for completed in (1, 0):
            await _reset(temporal, handle, completed)
            await handle.result()
    first, again, anew = KEYS
    assert (again == first, anew == first) == (True, False)
