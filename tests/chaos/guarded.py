"""A worker whose guardrails can be held: `python -m tests.chaos.guarded ADDRESS QUEUE FOLDER`. It prints `ready`.

Each has a function that leaves a file of its name in the folder, and waits while there is one that says to hold it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

from sostenuto import Agent, App, Custom, Pii, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.connection.connect import connect
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import policy
from tests.integration.agent.stage import calls
from tests.patience import VICTIM_HEARTBEAT_SECONDS

FOLDER = "SOSTENUTO_TEST_FOLDER"
ANNA = "anna.berg@example.com"
ANSWER = f"Written to {ANNA} for $ 5."


def _held(name: str, text: str) -> str | None:
    folder = Path(os.environ[FOLDER])
    (folder / name).touch()
    while (folder / f"hold-{name}").exists():
        time.sleep(0.05)
    return "it names a price" if "$" in text else None


def held_input(text: str) -> str | None:
    """Look at what is asked."""
    return _held("held_input", text)


def held_output(text: str) -> str | None:
    """Look at what is answered."""
    return _held("held_output", text)


def held_call(text: str) -> str | None:
    """Look at arguments."""
    return _held("held_call", text)


def held_result(text: str) -> str | None:
    """Look at what a tool returns."""
    return _held("held_result", text)


HELD = ("held_input", "held_output", "held_call", "held_result")


@tool(effect="idempotent", retries=5)
async def write(to: str) -> str:
    """Write to somebody."""
    return f"written to {to}"


CLERK = Agent(
    name="clerk",
    model="scripted/m",
    tools=[write],
    guardrails=[
        Pii(),
        Custom(held_input, at=["input"], on_failure="flag"),
        Custom(held_output, at=["output"], on_failure="flag"),
        Custom(held_call, at=["tool_call"], on_failure="flag"),
        Custom(held_result, at=["tool_result"], on_failure="flag"),
    ],
)


async def main(address: str, queue: str, folder: str) -> None:
    """Serve until killed."""
    os.environ[FOLDER] = folder
    policy.HEARTBEAT_TIMEOUT = timedelta(seconds=VICTIM_HEARTBEAT_SECONDS)  # type: ignore[misc]
    client = await connect(address)
    model = ScriptedAdapter([calls(("write", {"to": ANNA})), ANSWER])
    async with build_worker(client, App(CLERK), {"scripted": model}, lambda *_: 0.0, task_queue=queue):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
