"""A deploy under load: workers are replaced one by one, by ones whose tools were added, removed and renamed.

`make test` takes some runs; more: `DEPLOY_RUNS=100 python -m pytest tests/chaos/test_rolling_deploy.py`.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Client, Model, Status, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.connection.connect import connect
from sostenuto.workers.worker import build_worker

RUNS = int(os.environ.get("DEPLOY_RUNS", "24"))
WORKERS = 3

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

PAID: Counter[str] = Counter()


@tool(effect="once")
async def pay(run: str) -> str:
    """Pay: in the old app and in the new one."""
    PAID[f"pay {run}"] += 1
    await asyncio.sleep(0.05)
    return "paid"


@tool(effect="once", name="settle")
async def settle_old(run: str) -> str:
    """Settle: the old name of it."""
    PAID[f"settle {run}"] += 1
    return "settled"


@tool(effect="once", name="settle_up")
async def settle_new(run: str) -> str:
    """Settle: the new name of it."""
    PAID[f"settle {run}"] += 1
    return "settled"


@tool(effect="read", fast=True)
async def peek(run: str) -> str:
    """Peek: there from the new app on."""
    return "peeked"


@tool(effect="read")
def gone(run: str) -> str:
    """Look: there in the old app alone."""
    return "seen"


OLD = Agent(name="old", model="scripted/m", tools=[pay, settle_old, gone])
NEW = Agent(name="new", model="scripted/m", tools=[pay, settle_new, peek])


def _calls(agent: Agent, key: str) -> list[Any]:
    names = [one.name for one in agent.tools]
    steps = [{"tool_calls": [{"name": name, "arguments": {"run": key}}], "delay_seconds": 0.05} for name in names]
    return [*steps, "Done."]


async def test_runs_of_both_apps(temporal: TemporalClient, task_queue: str) -> None:
    PAID.clear()
    chance = random.Random(7)
    address = temporal.service_client.config.target_host
    keys = [f"{task_queue}-{number}" for number in range(RUNS)]
    agents = {key: chance.choice([OLD, NEW]) for key in keys}
    adapter = ScriptedAdapter({key: _calls(agents[key], key) for key in keys})

    @asynccontextmanager
    async def worker(agent: Agent) -> AsyncIterator[None]:
        own = await connect(address)
        async with build_worker(own, App(agent), {"scripted": adapter}, lambda *_: 0.0, task_queue=task_queue):
            yield

    async def deploy() -> None:
        for number in range(WORKERS):
            await asyncio.sleep(1.5)
            await stack.enter_async_context(worker(NEW))
            await old[number].aclose()

    client = Client(temporal, task_queue=task_queue)
    async with AsyncExitStack() as stack:
        old = [AsyncExitStack() for _ in range(WORKERS)]
        for one in old:
            await stack.enter_async_context(one)
            await one.enter_async_context(worker(OLD))
        deploying = asyncio.create_task(deploy())
        runs = {}
        for key in keys:
            runs[key] = await client.start(agents[key].model_copy(update={"model": Model(f"scripted/{key}")}), key)
            await asyncio.sleep(0.05)
        await deploying
        results = dict(zip(keys, await asyncio.gather(*(run.result() for run in runs.values())), strict=True))
        told = [event for run in runs.values() for event in [one async for one in run.events()]]
    assert {result.status for result in results.values()} == {Status.COMPLETED}
    # A busy machine may let a workflow stand still for the two seconds that the SDK grants.
    stalls = [event.reason for event in told if event.type == "run.stalled" and "TMPRL1101" not in event.reason]
    assert stalls == []
    assert max(PAID.values()) == 1
    assert sum(PAID[f"pay {key}"] for key in keys) == RUNS
