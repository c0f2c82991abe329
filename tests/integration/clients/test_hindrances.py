"""What holds a run up is told while it does: the history has it only once it is over."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.testing import WorkflowEnvironment

from sostenuto import Agent, App, Chain, Client, Status, tool
from tests.integration.clients.conftest import Serve
from tests.integration.clients.test_cli import Shell, ended, until
from tests.integration.clients.waiting import eventually

AGENT = Agent(name="support", model="scripted/m")
REASON = "RateLimited: scripted/m: scripted RateLimited: fine"
SLOW = [{"text": "fine", "error": "RateLimited", "retry_after_seconds": 50.0, "faulty_attempts": 1}]


@pytest.fixture
def shell(environment: WorkflowEnvironment, tmp_path: Path, task_queue: str) -> Shell:
    return Shell(tmp_path, environment.client.service_client.config.target_host, task_queue)


async def test_work_that_no_worker_takes(temporal: TemporalClient, task_queue: str) -> None:
    run = await Client(temporal, task_queue=task_queue).start(AGENT, "Hi.")
    [hindrance] = await eventually(run.hindrances, lambda found: len(found) == 1)
    assert (hindrance.run_id, hindrance.step, hindrance.attempt) == (run.id, "", 0)
    assert hindrance.reason == f"no worker takes work from its task queue {task_queue!r}"
    await run.cancel()


async def test_a_call_that_is_tried_again_at_any_depth(serve: Serve) -> None:
    app = App(Chain(name="c", steps=[AGENT]))
    async with serve(app, SLOW) as client:
        run = await client.start(app.runnable("c"), "Hi.")
        [hindrance] = await eventually(run.hindrances, lambda found: len(found) == 1)
        assert (hindrance.run_id, hindrance.step, hindrance.attempt) == (f"{run.id}/support", "c/support:turn-1", 1)
        assert hindrance.reason == REASON
        await run.cancel()
        assert (await run.result()).status is Status.CANCELLED
        assert await run.hindrances() == ()


async def test_a_call_that_just_takes_its_time_is_none(serve: Serve) -> None:
    @tool(effect="read")
    async def look() -> str:
        """Look."""
        return "seen"

    async with serve(App(AGENT, tools=[look]), [{"hangs": True}]) as client:
        run = await client.start(AGENT, "Hi.")
        async for event in run.events():
            if event.type == "model.requested":
                assert await run.hindrances() == ()
                await run.cancel()


async def test_run_without_a_worker_says_so(shell: Shell) -> None:
    running = await shell.start("run", "--no-worker", "shop:app", "support", "How is 7?", "--id", f"cli-{shell.queue}")
    await until(running, f"no worker takes work from its task queue '{shell.queue}': start one by `sostenuto worker")
    running.send_signal(signal.SIGINT)
    await until(running, "Ctrl-C again leaves it")
    running.send_signal(signal.SIGINT)
    assert (await ended(running)).status == 130


async def test_watch_tells_why_a_call_is_tried_again(shell: Shell) -> None:
    shell.script(*SLOW)
    id_ = f"cli-{shell.queue}"
    running = await shell.start("run", "shop:app", "support", "How is 7?", "--id", id_)
    await until(running, f"support:turn-1 failed 1 time and is tried again: {REASON}")
    running.send_signal(signal.SIGINT)
    after = await ended(running)
    assert after.status == 5
    assert not re.search("is tried again", after.err)
