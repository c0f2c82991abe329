"""A cancel at any moment ends the run soon, as `cancelled`, with what it has; and it reaches the call in flight."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from sostenuto import Agent, App, Run, Status, Tool, ToolContext, tool
from tests.integration.agent.stage import Outcome, Stage, calls, eventually
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Serve

HANGS = {"text": "never", "hangs": True}
PROMPT_SECONDS = 8.0


async def _started(stage: Stage, run: Run, activities: int) -> None:
    async def reached() -> bool:
        return len((await stage.recorded(run)).scheduled) == activities

    await eventually(reached)


async def _cancelled(stage: Stage, run: Run) -> Outcome:
    await run.cancel()
    outcome = await stage.outcome(run)
    assert not outcome.failed
    assert (outcome.result.status, outcome.result.reason) == (Status.CANCELLED, "the run was cancelled")
    took = outcome.history.seconds("workflow_execution_cancel_requested", "workflow_execution_canceled")
    assert took < PROMPT_SECONDS
    return outcome


async def test_before_the_first_workflow_task(serve: Serve) -> None:
    """No worker has seen the run yet: the cancel and the start reach it together."""
    agent = Agent(name="tester", model="scripted/model")
    async with serve(App(agent), ["unused"]) as stage:
        task_queue = stage.task_queue
    stage = Stage(stage.temporal, task_queue)
    run = await stage.start(agent)
    await run.cancel()
    async with serve(App(agent), ["unused"]):
        outcome = await stage.outcome(run)
    assert (outcome.result.status, outcome.result.turns) == (Status.CANCELLED, 0)
    assert outcome.history.scheduled == []


async def test_within_a_model_call(serve: Serve) -> None:
    agent = Agent(name="tester", model="scripted/model")
    async with serve(App(agent), [HANGS]) as stage:
        run = await stage.start(agent)
        await _started(stage, run, 1)
        outcome = await _cancelled(stage, run)
    assert outcome.result.turns == 0


async def test_within_a_later_model_call(serve: Serve) -> None:
    @tool(effect="read")
    async def look() -> str:
        return "a cat"

    agent = Agent(name="tester", model="scripted/model", tools=[look])
    async with serve(App(agent), [calls(("look", {}), text="Let me look."), HANGS]) as stage:
        run = await stage.start(agent)
        await _started(stage, run, 3)
        outcome = await _cancelled(stage, run)
    assert (outcome.result.output, outcome.result.turns) == ("Let me look.", 1)
    assert outcome.result.usage.total_tokens == 15
    messages = (await run.result()).messages
    assert [message.role.value for message in messages] == ["user", "assistant", "tool"]


async def test_while_a_model_call_waits_to_be_tried_again(serve: Serve) -> None:
    agent = Agent(name="tester", model="scripted/model")
    script = [{"error": "RateLimited", "retry_after_seconds": 3600}]
    async with serve(App(agent), script) as stage:
        run = await stage.start(agent)
        await _started(stage, run, 1)
        await _cancelled(stage, run)


BEGUN: list[str] = []
ENDED: list[str] = []


async def _wait(ctx: ToolContext) -> None:
    BEGUN.append(ctx.run_id)
    try:
        await asyncio.sleep(PATIENCE_SECONDS)
    except asyncio.CancelledError:
        ENDED.append(ctx.run_id)
        raise


def _wait_sync(ctx: ToolContext) -> None:
    BEGUN.append(ctx.run_id)
    end = time.monotonic() + PATIENCE_SECONDS
    while not ctx.cancelled and time.monotonic() < end:
        time.sleep(0.01)
    if ctx.cancelled:
        ENDED.append(ctx.run_id)


TOOLS: list[Tool[..., Any]] = [
    tool(name="wait_read", effect="read")(_wait),
    tool(name="wait_once", effect="once")(_wait),
    tool(name="wait_fast", effect="read", fast=True)(_wait),
    tool(name="wait_sync_read", effect="read")(_wait_sync),
    tool(name="wait_sync_once", effect="once")(_wait_sync),
]


@pytest.mark.parametrize("waiting", TOOLS, ids=[t.spec.name for t in TOOLS])
async def test_within_a_tool_call(serve: Serve, waiting: Tool[..., Any]) -> None:
    agent = Agent(name="tester", model="scripted/model", tools=[waiting])
    async with serve(App(agent), [calls((waiting.spec.name, {}), text="Wait.")]) as stage:
        run = await stage.start(agent)
        # No history says so of a fast one before it ends.
        await eventually(lambda: _has(BEGUN, run.id))
        outcome = await _cancelled(stage, run)
        await eventually(lambda: _has(ENDED, run.id))
    assert (outcome.result.output, outcome.result.turns) == ("Wait.", 1)


async def _has(noted: list[str], run_id: str) -> bool:
    return run_id in noted


async def test_of_parallel_tools_the_finished_one_is_kept(serve: Serve) -> None:
    @tool(effect="read")
    async def quick() -> str:
        return "done quickly"

    agent = Agent(name="tester", model="scripted/model", tools=[quick, TOOLS[0]])
    async with serve(App(agent), [calls(("quick", {}), ("wait_read", {}))]) as stage:
        run = await stage.start(agent)

        async def quick_ended() -> bool:
            return len((await stage.recorded(run)).attributes("activity_task_completed")) == 2

        await eventually(quick_ended)
        await _cancelled(stage, run)
    results = [part for m in (await run.result()).messages for part in m.parts if part.kind == "tool_result"]
    assert [part.content for part in results] == ["done quickly"]


@pytest.mark.parametrize("milliseconds", range(0, 120, 20))
async def test_at_any_moment(serve: Serve, milliseconds: int) -> None:
    """A run of many quick steps is cancelled somewhere among them: it ends as cancelled, with no error."""

    @tool(effect="read")
    async def look(at: int) -> int:
        return at

    @tool(effect="read", fast=True)
    async def peek(at: int) -> int:
        return at

    agent = Agent(name="tester", model="scripted/model", tools=[look, peek])
    script = [calls(("look", {"at": n}), ("peek", {"at": n})) for n in range(40)]
    async with serve(App(agent), script) as stage:
        run = await stage.start(agent)
        await asyncio.sleep(milliseconds / 1000)
        outcome = await _cancelled(stage, run)
    assert outcome.result.usage.total_tokens == 15 * outcome.result.turns
    assert outcome.history.failed_tasks == []


async def test_a_cancel_after_the_end_changes_nothing(serve: Serve) -> None:
    agent = Agent(name="tester", model="scripted/model")
    async with serve(App(agent), ["Hello."]) as stage:
        run = await stage.start(agent)
        await stage.outcome(run)
        await run.cancel()
        assert (await stage.outcome(run)).result.status is Status.COMPLETED


def _pay_sync(ctx: ToolContext) -> str:
    """Cannot be stopped half way, and takes its time to know."""
    while not ctx.cancelled:
        time.sleep(0.01)
    time.sleep(1)
    return "paid"


async def _pay(ctx: ToolContext) -> str:
    try:
        await asyncio.sleep(PATIENCE_SECONDS)
    except asyncio.CancelledError:
        await asyncio.sleep(1)
    return "paid"


@pytest.mark.parametrize("pay", [_pay, _pay_sync], ids=["async", "sync"])
async def test_a_once_tool_is_waited_for_so_that_its_outcome_is_known(serve: Serve, pay: Any) -> None:
    """Also beside a tool that stops at once."""
    agent = Agent(name="tester", model="scripted/model", tools=[tool(name="pay", effect="once")(pay), TOOLS[0]])
    async with serve(App(agent), [calls(("wait_read", {}), ("pay", {}))]) as stage:
        run = await stage.start(agent)
        await _started(stage, run, 3)
        await _cancelled(stage, run)
    results = [part for m in (await run.result()).messages for part in m.parts if part.kind == "tool_result"]
    assert [part.content for part in results] == ["paid"]
