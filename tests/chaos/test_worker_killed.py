"""A worker dies at every point of the loop, and another one goes on where it was.

Each point gets a process of its own that kills itself with SIGKILL exactly there. The worker that takes over starts
when the first one is dead, so every step after the death is its work.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from temporalio.client import Client

from sostenuto import Budget, Result, Status
from sostenuto.workers.worker import build_worker
from tests.chaos.victim import ANSWER, CALL_USD, POINTS, adapters, chaos_app, recorded, start_run, start_victim
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.chaos

_AT_ONCE = 6


async def _survive(
    temporal: Client, task_queue: str, directory: Path, point: str, budget: Budget | None = None
) -> Result:
    """Start a run on a worker that dies at the point, and let another one end it."""
    victim = await start_victim(temporal, task_queue, directory, point)
    try:
        handle = await start_run(temporal, task_queue, directory, budget)
        async with asyncio.timeout(PATIENCE_SECONDS):
            code = await victim.wait()
        assert code == -9, f"the worker ended with {code} instead of dying at {point}"
        worker = build_worker(
            temporal, chaos_app(directory), adapters(directory), lambda *_: 0.0, task_queue=task_queue
        )
        async with worker:
            return await handle.result()
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


async def test_no_death_loses_or_doubles_a_charge(temporal: Client, task_queue: str, tmp_path: Path) -> None:
    """With a budget the call whose worker died is charged, and made again by the workflow."""
    budget, gate = Budget(usd=0.5), asyncio.Semaphore(_AT_ONCE)

    async def check(point: str) -> list[str]:
        async with gate:
            directory = tmp_path / point
            directory.mkdir()
            result = await _survive(temporal, f"{task_queue}-{point}", directory, point, budget)
            bill = CALL_USD * len(recorded(directory, "requests"))
            charged = result.cost_usd + (result.unsettled.usd if result.unsettled else 0)
            facts = (result.status, result.unsettled and result.unsettled.calls, round(result.cost_usd, 9))
            fits = bill <= charged <= 0.5 and facts == (Status.COMPLETED, 1, round(4 * CALL_USD, 9))
            return [] if fits else [f"{point}: {facts}: {charged} is charged, and the bill is {bill}: {result.reason}"]

    points = [point for point in POINTS if point.startswith("model-")]
    problems = [problem for found in await asyncio.gather(*map(check, points)) for problem in found]
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
