"""A worker in a process of its own, for a run that waits for a person.

python -m tests.chaos.approved ADDRESS QUEUE DIRECTORY
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from sostenuto import Agent, App, Approval, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.connection.connect import connect
from sostenuto.workers.worker import build_worker
from tests.chaos.victim import record

_CALLS = [{"name": "refund", "arguments": {"amount": amount}} for amount in (1, 50, 60)]
SCRIPT: list[Any] = [{"tool_calls": _CALLS}, {"text": "done"}]


def approved_app(directory: Path) -> App:
    """An agent whose refunds wait from 10 on, for days."""

    @tool(effect="once", approval=Approval(when=lambda amount: amount > 10, expires=timedelta(days=3)))
    async def refund(amount: int) -> str:
        """Refund."""
        record(directory, "effects", amount=amount)
        return f"refunded {amount}"

    return App(Agent(name="desk", model="scripted/m", tools=[refund]))


def approved_worker(temporal: Client, task_queue: str, directory: Path) -> Worker:
    """Serves it."""
    adapters = {"scripted": ScriptedAdapter(SCRIPT)}
    return build_worker(temporal, approved_app(directory), adapters, lambda *_: 0.0, task_queue=task_queue)


async def main(address: str, task_queue: str, directory: str) -> None:
    """Serve until it is killed."""
    await approved_worker(await connect(address), task_queue, Path(directory)).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
