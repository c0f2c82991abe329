"""A worker dies at every point of the loop, and another one goes on where it was.

Each point gets a process of its own that kills itself with SIGKILL exactly there. The worker that takes over starts
when the first one is dead, so every step after the death is its work.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path

import pytest
from temporalio.client import Client

from sostenuto import Message, Result, Status
from sostenuto.contracts import names
from sostenuto.contracts.run import RunInput
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import policy
from tests.chaos.victim import ANSWER, POINTS, adapters, chaos_app, recorded

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]

_AT_ONCE = 6


async def _survive(temporal: Client, task_queue: str, directory: Path, point: str) -> Result:
    """Start a run on a worker that dies at the point, and let another one end it."""
    address = temporal.service_client.config.target_host
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.victim", address, task_queue, str(directory), point
    )
    try:
        app = chaos_app(directory)
        handle = await temporal.start_workflow(
            names.RUN_WORKFLOW,
            RunInput(runnable=app.runnable("chaos"), message=Message.user("Go.")),
            id=task_queue,
            task_queue=task_queue,
            task_timeout=policy.TASK_TIMEOUT,
            result_type=Result,
        )
        async with asyncio.timeout(40):
            code = await victim.wait()
        assert code == -9, f"the worker ended with {code} instead of dying at {point}"
        worker = build_worker(temporal, app, adapters(directory), lambda *_: 0.0, task_queue=task_queue)
        async with worker:
            result: Result = await handle.result()
            return result
    finally:
        if victim.returncode is None:
            victim.kill()
            await victim.wait()


async def test_every_point(temporal: Client, task_queue: str, tmp_path: Path) -> None:
    """Whatever the point, the answer is the same, nothing unsafe happens twice, and little is repeated."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def check(point: str) -> list[str]:
        async with gate:
            directory = tmp_path / point
            directory.mkdir()
            result = await _survive(temporal, f"{task_queue}-{point}", directory, point)
            return [f"{point}: {problem}" for problem in _problems(result, directory)]

    problems = [problem for found in await asyncio.gather(*map(check, POINTS)) for problem in found]
    assert not problems, "\n".join(problems)


def _problems(result: Result, directory: Path) -> list[str]:
    found = []
    if (result.status, result.output) != (Status.COMPLETED, ANSWER):
        found.append(f"ended as {result.status} with {result.output!r}: {result.reason}")
    effects = recorded(directory, "effects")
    done = Counter(effect["tool"] for effect in effects)
    if done["pay"] > 1:
        found.append(f"pay took effect {done['pay']} times")
    for name in ("look", "note", "peek"):
        keys = {effect["key"] for effect in effects if effect["tool"] == name}
        if not 1 <= done[name] <= 2 or len(keys) != 1:
            found.append(f"{name} took effect {done[name]} times under the keys {keys}")
    asked = Counter(request["turn"] for request in recorded(directory, "requests"))
    if len(asked) != 4 or asked.total() > 5:
        found.append(f"the model was asked {dict(asked)} times by turn")
    return found
