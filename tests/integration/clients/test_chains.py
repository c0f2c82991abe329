"""Runs whose executions are not simply one after the other: reset ones, and ones whose oldest executions are gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest
from temporalio.client import Client as TemporalClient
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from sostenuto import Agent, App, Client, Event, Message, SpecError, Status, tool
from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter, ScriptedStep
from sostenuto.clients.run import Run
from sostenuto.contracts import names
from sostenuto.contracts.wire.event import RunStarted
from sostenuto.contracts.wire.run import RunInput
from sostenuto.workers.worker import build_worker
from tests.dev_server import dev_server
from tests.integration.clients.conftest import Serve
from tests.patience import PATIENCE_SECONDS


@tool(effect="read")
async def look(at: str) -> str:
    """Look at something."""
    return f"{at} is fine"


AGENT = Agent(name="looker", model="scripted/m", tools=[look])
LOOKS: list[ScriptedStep | str | dict[str, Any]] = [
    {"tool_calls": [{"name": "look", "arguments": {"at": str(n)}}]} for n in range(12)
]


async def events_of(run: Run, after: str | None = None) -> list[Event]:
    return [event async for event in run.events(after)]


def executions_in(events: list[Event]) -> list[str]:
    return list(dict.fromkeys(event.id.split("/")[0] for event in events))


async def reset(temporal: TemporalClient, workflow_id: str, execution: str) -> str:
    """Start an execution over from the end of its first workflow task; the new execution."""
    history = await temporal.get_workflow_handle(workflow_id, run_id=execution).fetch_history()
    completed = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    point = next(event.event_id for event in history.events if event.event_type == completed)
    request = ResetWorkflowExecutionRequest(
        namespace=temporal.namespace,
        workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=execution),
        reason="once more",
        workflow_task_finish_event_id=point,
        request_id=f"reset-{execution}",
    )
    return (await temporal.workflow_service.reset_workflow_execution(request)).run_id


async def delete(temporal: TemporalClient, workflow_id: str, execution: str) -> None:
    """Remove an execution, as the server does when its retention time is over."""
    gone = WorkflowExecution(workflow_id=workflow_id, run_id=execution)
    request = DeleteWorkflowExecutionRequest(namespace=temporal.namespace, workflow_execution=gone)
    await temporal.workflow_service.delete_workflow_execution(request)
    handle = temporal.get_workflow_handle(workflow_id, run_id=execution)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                await handle.describe()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                return
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
async def hasty() -> AsyncIterator[TemporalClient]:
    """A server that suggests to continue as new after few events."""
    async with await dev_server(
        limit__historyCount__suggestContinueAsNew=40,
        history__transferProcessorMaxPollRPS=2000,
        history__visibilityProcessorUpdateAckInterval=1,
        history__transferProcessorUpdateAckInterval=1,
    ) as env:
        yield env.client


def served(temporal: TemporalClient, script: Script, task_queue: str) -> Worker:
    """A worker whose runs continue as new: none is kept, so every step replays its history."""
    adapters = {"scripted": ScriptedAdapter(script)}
    return build_worker(temporal, App(AGENT), adapters, lambda *_: 0.001, task_queue=task_queue, max_cached_runs=0)


async def test_a_run_that_was_reset_is_its_new_execution(serve: Serve) -> None:
    async with serve(App(AGENT), ["the first answer"]) as client:
        run = await client.start(AGENT, "How is 7?")
        assert (await run.result()).output == "the first answer"
        (old,) = executions_in(await events_of(run))
    new = await reset(client.temporal, run.id, old)
    async with serve(App(AGENT), ["the second answer"]) as client:
        found = await client.get(run.id)
        assert (await found.result()).output == "the second answer"
        events = await events_of(found)
        assert executions_in(events) == [new]
        assert [event.type for event in events].count("run.started") == 1
        for index, event in enumerate(events):
            assert await events_of(found, event.id) == events[index + 1 :]
        summary = await found.describe()
        description = await client.temporal.get_workflow_handle(run.id, run_id=new).describe()
        assert (summary.status, summary.started_at) == ("completed", description.start_time)
        # Whoever holds the run from before sees the new execution too, and no event of the old one any more.
        assert await events_of(run) == events
        with pytest.raises(SpecError, match="its execution was reset"):
            await events_of(run, f"{old}/1/0")


async def test_a_run_that_was_reset_can_be_cancelled(serve: Serve) -> None:
    async with serve(App(AGENT), ["fine"]) as client:
        run = await client.start(AGENT, "How is 7?")
        await run.result()
    await reset(client.temporal, run.id, executions_in(await events_of(run))[0])
    async with serve(App(AGENT), [{"hangs": True}]) as client:
        found = await client.get(run.id)
        assert (await found.describe()).status == "running"
        await found.cancel()
        assert (await found.result()).status is Status.CANCELLED


async def test_a_run_is_not_taken_for_another_that_took_over_its_id(temporal: TemporalClient, task_queue: str) -> None:
    run = await Client(temporal, task_queue=task_queue).start(AGENT, "How is 7?")
    await temporal.get_workflow_handle(run.id).terminate()
    other = RunInput(runnable=AGENT, message=Message.user("How is 8?"))
    await temporal.start_workflow(names.RUN_WORKFLOW, other, id=run.id, task_queue=task_queue)
    await run.cancel()
    assert (await run.describe()).status == "failed"
    assert [message.text for message in (await run.result()).messages] == ["How is 7?"]
    found = await Client(temporal).get(run.id)
    first = await anext(aiter(found.events()))
    assert isinstance(first, RunStarted)
    assert first.message.text == "How is 8?"
    history = await Client(temporal).history(run.id)
    asked = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
    assert asked not in [event.event_type for event in history.events]
    await temporal.get_workflow_handle(run.id).terminate()


async def test_a_reset_in_the_middle_of_a_chain_replaces_what_came_after(
    hasty: TemporalClient, task_queue: str
) -> None:
    async with served(hasty, [*LOOKS, "the first answer"], task_queue):
        run = await Client(hasty, task_queue=task_queue).start(AGENT, "How is 7?")
        before = executions_in(await events_of(run))
    assert len(before) > 2
    new = await reset(hasty, run.id, before[-1])
    async with served(hasty, [*LOOKS, "the second answer"], task_queue):
        found = await Client(hasty).get(run.id)
        events = await events_of(found)
        result = await found.result()
    assert executions_in(events) == [*before[:-1], new]
    assert result.output == "the second answer"


async def test_a_chain_outlives_its_first_execution(hasty: TemporalClient, task_queue: str) -> None:
    async with served(hasty, [*LOOKS, {"hangs": True}], task_queue):
        run = await Client(hasty, task_queue=task_queue).start(AGENT, "How is 7?")
        seen: list[Event] = []
        async for event in run.events():
            seen.append(event)
            if event.type == "model.requested" and event.turn == 13:
                break
        first, *later = executions_in(seen)
        assert len(later) > 1
        await delete(hasty, run.id, first)

        found = await Client(hasty).get(run.id)
        for known in (run, found):
            assert (await known.describe()).status == "running"
            with pytest.raises(SpecError, match="past the retention time"):
                await events_of(known, seen[0].id)
            told = (await known.trace()).run
            assert (told.kind, told.name, told.run_id, told.seconds) == ("run", "looker", run.id, None)
            assert told.steps[0].reason == "its history before this is past the retention time"
            assert all(step.proven for step in told.walk() if step.kind == "model" and step.seconds is not None)
        await found.cancel()
        rest = [event for event in await events_of(run) if event in seen]
        assert executions_in(rest) == later
        for index, event in enumerate(seen):
            if event.id.split("/")[0] in later and index % 5 == 0:
                assert (await events_of(run, event.id))[: len(seen) - index - 1] == seen[index + 1 :]
        result = await run.result()
    assert result.status is Status.CANCELLED
    assert result.messages[0].text == "How is 7?"
