"""A worker is told to stop while a call is under way, as in a deploy: what does not end goes to the next one."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sostenuto import Agent, App, Status, ToolContext, tool
from sostenuto.activities import tool as tool_activity
from sostenuto.workers import worker
from sostenuto.workflows import policy
from tests.integration.agent.stage import calls

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Serve

SCRIPT = [calls(("work", {})), "Well."]


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_GRACEFUL_SHUTDOWN", timedelta(seconds=0.3))


@pytest.mark.parametrize("effect", ["read", "once"])
async def test_a_tool_that_does_not_end_in_time(serve: Serve, effect: str) -> None:
    """A read is repeated by the next worker; a `once` tool is not, and the model is told what is not known."""
    attempts: list[int] = []
    started = asyncio.Event()

    @tool(effect=effect)
    async def work(ctx: ToolContext) -> str:
        attempts.append(ctx.attempt)
        started.set()
        if ctx.attempt == 1:
            await asyncio.sleep(30)
        return "worked"

    agent = Agent(name="tester", model="scripted/model", tools=[work])
    async with serve(App(agent), SCRIPT) as stage:
        run = await stage.start(agent)
        await started.wait()
    async with serve(App(agent), SCRIPT) as stage:
        outcome = await stage.outcome(run)
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, "Well.")
    [(content, is_error)] = outcome.tool_results
    if effect == "read":
        assert (attempts, content, is_error) == ([1, 2], "worked", False)
    else:
        assert (attempts, is_error) == ([1], True)
        assert "Whether it took effect is unknown" in content


async def test_a_call_that_ends_in_time_is_not_repeated(serve: Serve) -> None:
    attempts: list[int] = []
    started = asyncio.Event()

    @tool(effect="read")
    async def work(ctx: ToolContext) -> str:
        attempts.append(ctx.attempt)
        started.set()
        await asyncio.sleep(0.1)
        return "worked"

    agent = Agent(name="tester", model="scripted/model", tools=[work])
    async with serve(App(agent), SCRIPT) as stage:
        run = await stage.start(agent)
        await started.wait()
    async with serve(App(agent), SCRIPT) as stage:
        outcome = await stage.outcome(run)
    assert outcome.result.output == "Well."
    assert attempts == [1]


async def test_a_tool_that_no_worker_serves(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "NOT_SERVED_PAUSES", (timedelta(milliseconds=10),) * 3)

    @tool
    async def work() -> str:
        return "worked"

    agent = Agent(name="tester", model="scripted/model", tools=[work])
    async with serve(App(), SCRIPT) as stage:
        outcome = await stage.ask(agent)
    assert outcome.result.output == "Well."
    told = f"work was not run: no worker that takes work from task queue {stage.task_queue!r} serves it."
    assert outcome.tool_results == [(told, True)]


async def test_a_sync_tool_holds_up_the_end_of_its_worker_for_a_while_only(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be stopped. What it does after that nobody knows, which is what the model is told."""
    monkeypatch.setattr(tool_activity, "SHUTDOWN_SECONDS", 0.5)
    started, go_on = threading.Event(), threading.Event()
    ran: list[int] = []

    @tool(effect="once")
    def work() -> str:
        ran.append(1)
        started.set()
        go_on.wait(60)
        return "worked"

    agent = Agent(name="tester", model="scripted/model", tools=[work])
    async with serve(App(agent), SCRIPT) as stage:
        run = await stage.start(agent)
        await asyncio.to_thread(started.wait)
        stopping = time.monotonic()
    taken = time.monotonic() - stopping
    go_on.set()
    async with serve(App(agent), SCRIPT) as stage:
        outcome = await stage.outcome(run)
    assert taken < 50
    assert ran == [1]
    assert outcome.result.output == "Well."
    [(content, is_error)] = outcome.tool_results
    assert is_error
    assert "Whether it took effect is unknown" in content
