"""What holds a run up is told while it does: the history has it only once it is over."""

from __future__ import annotations

import asyncio
import signal
from argparse import Namespace
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.testing import WorkflowEnvironment

from sostenuto import Agent, App, Chain, Client, Status, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.clients import waiting
from sostenuto.clients.cli.commands import watch
from sostenuto.clients.cli.commands.ingest import followed
from sostenuto.clients.cli.exit_status import STUCK
from sostenuto.workers.worker import build_worker
from tests.integration.clients.conftest import Serve
from tests.integration.clients.shell import Shell, ended, until
from tests.integration.clients.waiting import eventually

AGENT = Agent(name="support", model="scripted/m")
REASON = "RateLimited: scripted/m: scripted RateLimited: fine"
SLOW = [{"text": "fine", "error": "RateLimited", "retry_after_seconds": 50.0, "faulty_attempts": 1}]


@pytest.fixture
def shell(environment: WorkflowEnvironment, tmp_path: Path, task_queue: str) -> Shell:
    return Shell(tmp_path, environment.client.service_client.config.target_host, task_queue)


async def test_work_that_no_worker_takes(
    temporal: TemporalClient, task_queue: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await Client(temporal, task_queue=task_queue).start(AGENT, "Hi.")
    [hindrance] = await eventually(run.hindrances, lambda found: len(found) == 1)
    assert (hindrance.run_id, hindrance.step, hindrance.attempt) == (run.id, "", 0)
    assert (hindrance.reason, hindrance.task_queue) == (f"no worker takes work from {task_queue!r}", task_queue)
    assert hindrance.is_unserved
    advice = f"start one by `sostenuto worker MODULE:APP --task-queue {task_queue}`"
    monkeypatch.setattr(waiting, "_SILENCE_SECONDS", 0.1)
    with pytest.raises(TimeoutError, match=f"run '{run.id}' has not ended within 1 s: .* {advice}"):
        await run.result(timeout=timedelta(seconds=1))
    [logged] = caplog.records
    assert (logged.name, logged.levelname) == ("sostenuto.clients", "WARNING")
    assert logged.getMessage() == f"waiting for run {run.id!r}: {hindrance}"
    assert not await watch.printed(run, Namespace(after=None, when_stuck="leave"))
    await run.cancel()


async def test_an_ingest_that_no_worker_takes_is_left(
    temporal: TemporalClient,
    task_queue: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ingest = await Client(temporal, task_queue=task_queue).ingest(f"books-{task_queue}", [str(tmp_path)])
    monkeypatch.setattr(waiting, "_SILENCE_SECONDS", 2.1)
    assert await followed(ingest, as_json=True, when_stuck="leave") == STUCK
    told = capsys.readouterr()
    assert (told.out, f"left {ingest.id} as it is: `sostenuto watch {ingest.id}`" in told.err) == ("", True)
    await ingest.cancel()


async def test_a_call_that_no_worker_there_can_make(serve: Serve) -> None:
    @tool(effect="read")
    async def look(at: str) -> str:
        """Look."""
        return at

    agent = Agent(name="support", model="scripted/m", tools=[look])
    script = [{"tool_calls": [{"name": "look", "arguments": {"at": "7"}}]}, {"text": "fine"}]
    async with serve(App(AGENT), script) as client:
        run = await client.start(agent, "Hi.")
        [hindrance] = await eventually(run.hindrances, lambda found: len(found) == 1)
        assert (hindrance.run_id, hindrance.is_unserved) == (run.id, True)
        assert f"waits for a worker on {client.task_queue!r} that can make the call: no worker here" in str(hindrance)
        await run.cancel()
        assert (await run.result()).status is Status.CANCELLED
        assert await run.hindrances() == ()


async def test_a_call_that_is_tried_again_at_any_depth(serve: Serve) -> None:
    app = App(Chain(name="c", steps=[AGENT]))
    async with serve(app, SLOW) as client:
        run = await client.start(app.runnable("c"), "Hi.")
        [hindrance] = await eventually(run.hindrances, lambda found: len(found) == 1)
        assert (hindrance.run_id, hindrance.step, hindrance.attempt) == (f"{run.id}/support", "c/support:turn-1", 1)
        assert hindrance.reason == REASON
        assert hindrance.next_at is not None
        await run.cancel()
        assert (await run.result()).status is Status.CANCELLED
        assert await run.hindrances() == ()


async def test_a_call_that_just_takes_its_time_is_none(serve: Serve) -> None:
    async with serve(App(AGENT), [{"hangs": True}]) as client:
        run = await client.start(AGENT, "Hi.")
        async for event in run.events():
            if event.type == "model.requested":
                await asyncio.sleep(2.5)  # longer than a call may wait for its worker
                assert await run.hindrances() == ()
                await run.cancel()


async def test_run_without_a_worker_says_so(shell: Shell) -> None:
    running = await shell.start("run", "--no-worker", "shop:app", "support", "How is 7?", "--id", f"cli-{shell.queue}")
    advice = f"start one by `sostenuto worker MODULE:APP --task-queue {shell.queue}`"
    await until(running, f"neither goes on nor ends: no worker takes work from '{shell.queue}'; {advice}")
    watched = await shell.run("watch", f"cli-{shell.queue}", "--when-stuck", "leave")
    assert (watched.status, "as it is: `sostenuto watch" in watched.out) == (6, True)
    running.send_signal(signal.SIGINT)
    await until(running, "Ctrl-C again leaves it")
    running.send_signal(signal.SIGINT)
    assert (await ended(running)).status == 130


async def test_watch_tells_why_a_call_is_tried_again(shell: Shell) -> None:
    shell.script(*SLOW)
    id_ = f"cli-{shell.queue}"
    running = await shell.start("run", "shop:app", "support", "How is 7?", "--id", id_)
    told = "support:turn-1 failed 1 time and is tried again in "
    await until(running, told)
    watching = await shell.start("watch", id_)
    await until(watching, f" s: {REASON}", on_stdout=True)
    await asyncio.sleep(4)  # it is looked at more than once
    running.send_signal(signal.SIGINT)
    assert (await ended(watching)).out.count(told) == 0
    after = await ended(running)
    assert (after.status, "is tried again" in after.err) == (5, False)


async def test_a_call_of_a_nested_run_that_has_continued_as_new(hasty: TemporalClient, task_queue: str) -> None:
    @tool(effect="read")
    async def look_at(at: str) -> str:
        """Look."""
        return at

    agent = Agent(name="support", model="scripted/m", tools=[look_at])
    steps = [{"tool_calls": [{"name": "look_at", "arguments": {"at": str(n)}}]} for n in range(8)]
    adapters = {"scripted": ScriptedAdapter([*steps, *SLOW])}
    app = App(Chain(name="c", steps=[agent]))
    async with build_worker(hasty, app, adapters, lambda *_: 0.0, task_queue=task_queue):
        run = await Client(hasty, task_queue=task_queue).start(app.runnable("c"), "Hi.")
        [hindrance] = await eventually(run.hindrances, lambda found: len(found) == 1)
        assert (hindrance.run_id, hindrance.step) == (f"{run.id}/support", f"c/support:turn-{len(steps) + 1}")
        nested = await hasty.get_workflow_handle(hindrance.run_id).describe()
        assert nested.raw_description.workflow_execution_info.first_run_id != nested.run_id
        await run.cancel()
