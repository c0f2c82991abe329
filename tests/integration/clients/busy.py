"""A bit of everything that runs of one tenant may be in the middle of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from temporalio import workflow

from sostenuto import Agent, App, Chain, Client, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.workers.worker import build_worker

PRICE = 0.001
"""US dollars of each model call."""
EVIL = "\x1b]0;owned\x07\u202egoods"
"""What a terminal would obey."""
REFUSED = f"payments refused {EVIL}"


@workflow.defn(sandboxed=False)
class Faulty:
    """A code-first workflow with a bug."""

    @workflow.run
    async def run(self, order: str) -> str:
        raise KeyError(order)


@workflow.defn(sandboxed=False)
class Sleeping:
    """A code-first workflow that waits for a time."""

    @workflow.run
    async def run(self, order: str) -> str:
        await asyncio.sleep(3600)
        return order


@tool(effect="read")
async def look(at: str) -> str:
    """Look at something."""
    return f"{at} is fine"


@tool(effect="idempotent", retries=20)
async def charge(order: str) -> str:
    """Charge somebody."""
    raise RuntimeError(REFUSED)


LOOK = {"tool_calls": [{"name": "look", "arguments": {"at": "7"}}]}
CHARGE = {"tool_calls": [{"name": "charge", "arguments": {"order": "7"}}]}
HANGS: dict[str, Any] = {"hangs": True}
SCRIPTS: dict[str, list[dict[str, Any]]] = {
    "quick": [{"text": "fine"}] * 20,
    "busy": [LOOK, LOOK, HANGS],
    "payer": [CHARGE],
    "limited": [{"text": "x", "error": "RateLimited", "retry_after_seconds": 50.0}],
    "wrong": [{"text": "x", "error": "InvalidRequest"}],
    "hanging": [HANGS],
}
QUICK, BUSY, PAYER, LIMITED, WRONG, HANGING = (
    Agent(name=name, model=f"scripted/{name}", tools=[look, charge]) for name in SCRIPTS
)
REPORT = Chain(name="report", steps=[QUICK, LIMITED])
APP = App(QUICK, BUSY, PAYER, LIMITED, WRONG, HANGING, REPORT, workflows=[Faulty, Sleeping])


@asynccontextmanager
async def serving(temporal: Any, task_queue: str) -> AsyncIterator[Client]:
    """Serve the app while the block lasts, and give a client for it."""
    adapters = {"scripted": ScriptedAdapter(SCRIPTS)}
    async with build_worker(temporal, APP, adapters, lambda *_: PRICE, task_queue=task_queue):
        yield Client(temporal, task_queue=task_queue)
