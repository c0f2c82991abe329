"""A worker dies at every point of a turn that remembers, and another one goes on: each fact is there exactly once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import App, Client, Status
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.workers.worker import build_worker
from tests.chaos.remembering import AGENT, BEFORE, PEOPLE, POINTS, SAID, start_victim
from tests.fakes.knowledge import knowledge
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

_AT_ONCE = 4
_EVENTS = 25
"""Events of the history of a turn that remembers."""
EVENTS = [f"event:{number}" for number in range(1, _EVENTS + 1, int(os.environ.get("CHAOS_EVENTS", "6")))]
"""Every sixth of them; with CHAOS_EVENTS=1 each."""
_WHAT_IS_THERE = {
    ("The user lives in Rome.", False),
    ("The user lives in Berlin.", True),
    ("The user likes tea.", True),
}
"""Each memory, and whether it counts."""


@asynccontextmanager
async def serving(temporal: TemporalClient, task_queue: str, directory: Path) -> AsyncIterator[Client]:
    """A worker that lives."""
    async with knowledge(directory / "store") as services:
        worker = build_worker(
            temporal,
            App(AGENT),
            {"scripted": ScriptedAdapter([{"text": "Noted."}])},
            lambda *_: 0.0,
            task_queue=task_queue,
            services=services,
        )
        async with worker:
            yield Client(temporal, task_queue=task_queue)


async def _kill_at(temporal: TemporalClient, run_id: str, event: int, victim: asyncio.subprocess.Process) -> None:
    """Kill a worker as soon as the history of a run has so many events."""
    count = 0
    async for _ in temporal.get_workflow_handle(run_id).fetch_history_events(wait_new_event=True):
        count += 1
        if count == event:
            break
    victim.kill()


async def _problems(temporal: TemporalClient, task_queue: str, directory: Path, point: str) -> list[str]:
    # A user of its own: the workflow of a scope goes by its name.
    scope, context = f"user:{task_queue}", {"user": task_queue}
    async with serving(temporal, task_queue, directory) as client:
        await client.memory(PEOPLE, scope).remember(BEFORE)
    victim = await start_victim(temporal, task_queue, directory, point)
    try:
        run = await Client(temporal, task_queue=task_queue).start(AGENT, SAID, context=context)
        async with asyncio.timeout(PATIENCE_SECONDS):
            if point.startswith("event:"):
                await _kill_at(temporal, run.id, int(point.removeprefix("event:")), victim)
            code = await victim.wait()
        if code != -9:
            return [f"{point}: the worker ended with {code} instead of dying"]
        async with serving(temporal, task_queue, directory) as client:
            result = await run.result()
            found = await client.memory(PEOPLE, scope).list(superseded=True)
    finally:
        if victim.returncode is None:
            victim.kill()
            await victim.wait()
    there = [(one.text, one.counts) for one in found]
    problems = [] if set(there) == _WHAT_IS_THERE and len(there) == 3 else [f"{point}: there is {there}"]
    return problems + ([] if result.status is Status.COMPLETED else [f"{point}: {result.status}: {result.reason}"])


@pytest.mark.parametrize("points", [POINTS, EVENTS], ids=["around each step", "at events of the history"])
async def test_every_point(temporal: TemporalClient, task_queue: str, tmp_path: Path, points: Sequence[str]) -> None:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def check(number: int, point: str) -> list[str]:
        async with gate:
            directory = tmp_path / str(number)
            directory.mkdir()
            return await _problems(temporal, f"{task_queue}-{number}", directory, point)

    found = await asyncio.gather(*(check(number, point) for number, point in enumerate(points)))
    problems = [problem for some in found for problem in some]
    assert not problems, "\n".join(problems)
