"""A worker in a process of its own, which dies while a run undoes what it did.

python -m tests.chaos.undoing ADDRESS QUEUE DIRECTORY POINT
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from sostenuto import Agent, App, ToolContext, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.connection.connect import connect
from sostenuto.workers.worker import build_worker
from tests.chaos.victim import DeadlyTasks, die, record

BOOKED = (1, 2, 3)
SCRIPT: list[Any] = [{"tool_calls": [{"name": "book", "arguments": {"number": number}}]} for number in BOOKED]
SCRIPT += [{"text": "never", "hangs": True}]
POINTS = ("undone-2", "task-10")
"""After the second undoing has taken effect, and before anybody knows; in the workflow task between two of them."""


def undoing_app(directory: Path, point: str = "") -> App:
    """An agent that books, and a tool that undoes it."""

    @tool(effect="idempotent")
    async def cancel(ctx: ToolContext, number: int) -> str:
        """Undo it."""
        record(directory, "undone", number=number, key=ctx.idempotency_key)
        if point == f"undone-{number}":
            die(directory)
        return f"cancelled {number}"

    @tool(effect="once", compensate=cancel)
    async def book(ctx: ToolContext, number: int) -> str:
        """Book."""
        record(directory, "effects", number=number, key=ctx.idempotency_key)
        return f"booked {number}"

    return App(Agent(name="desk", model="scripted/m", tools=[book]))


def undoing_worker(temporal: Client, task_queue: str, directory: Path, point: str = "") -> Worker:
    """Serves it."""
    deadly = [DeadlyTasks(directory, point)] if point else []
    adapters = {"scripted": ScriptedAdapter(SCRIPT)}
    app = undoing_app(directory, point)
    return build_worker(temporal, app, adapters, lambda *_: 0.0, task_queue=task_queue, interceptors=deadly)


async def main(address: str, task_queue: str, directory: str, point: str) -> None:
    """Serve until it dies."""
    await undoing_worker(await connect(address), task_queue, Path(directory), point).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
