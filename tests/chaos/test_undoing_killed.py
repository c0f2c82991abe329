"""A worker dies while a run undoes what it did: each effect is undone once per key, the last one first."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Client, Status
from tests.chaos.undoing import BOOKED, POINTS, undoing_app, undoing_worker
from tests.chaos.victim import recorded
from tests.integration.agent.stage import eventually

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("point", POINTS)
async def test_killed_while_it_undoes(temporal: TemporalClient, task_queue: str, tmp_path: Path, point: str) -> None:
    address = temporal.service_client.config.target_host
    victim = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.undoing", address, task_queue, str(tmp_path), point)
    )
    agent = undoing_app(tmp_path).runnable("desk")
    run = await Client(temporal, task_queue=task_queue, redis_url="").start(agent, "Go.", id=task_queue)

    async def hangs() -> bool:
        return len([1 for one in (await run.trace()).run.walk() if one.kind == "model"]) == len(BOOKED) + 1

    await eventually(hangs)
    await run.cancel(compensate=True)
    await victim.wait()
    assert len(recorded(tmp_path, "deaths")) == 1
    async with undoing_worker(temporal, task_queue, tmp_path):
        result = await run.result()
    assert result.status is Status.CANCELLED
    assert result.compensated
    assert result.compensated.is_complete
    assert [one.reason for one in result.compensated.effects] == [f"cancelled {one}" for one in reversed(BOOKED)]
    booked = {one["number"]: one["key"] for one in recorded(tmp_path, "effects")}
    undone = recorded(tmp_path, "undone")
    # The attempt of which nobody knew is made again, under its key; none that was told is.
    assert {(one["number"], one["key"]) for one in undone} == {(one, f"{booked[one]}:undo") for one in BOOKED}
    repeated = [2] if point == "undone-2" else []
    assert [one["number"] for one in undone] == sorted([*BOOKED, *repeated], reverse=True)
