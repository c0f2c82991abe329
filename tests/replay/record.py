"""Records a history of each shape of run for the replay tests.

    python -m tests.replay.record [--force] [SHAPE ...]

Writes `tests/replay/histories/v<version>/<shape>.json` for the version of this checkout, with a real server and a
scripted model. It leaves existing files alone unless --force is given, which is right only before the version is
released: what a released version wrote has to replay for ever, so a failing replay calls for a patch marker or a new
version of the workflow, never for a new recording.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client as TemporalClient
from temporalio.testing import WorkflowEnvironment

from sostenuto import Agent, App, Client, Model, Run, ToolError, __version__, tool
from sostenuto.activities.adapters.scripted import Script, ScriptedAdapter
from sostenuto.contracts import names
from sostenuto.workers.worker import build_worker
from tests.dev_server import dev_server

_COMPLETED = EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED

HISTORIES = Path(__file__).parent / "histories"


@tool(effect="read")
async def look(at: str) -> str:
    """Look at a thing."""
    if at == "nothing":
        raise ToolError("there is nothing to look at")
    return f"a {at}"


@tool(effect="read", fast=True)
async def peek(at: str) -> str:
    """Look at a thing, quickly."""
    return await look(at)


@tool(effect="once")
async def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


@tool(effect="read", timeout=timedelta(minutes=5))
async def wait() -> str:
    """Wait until cancelled."""
    await asyncio.Event().wait()
    return "never"


class City(BaseModel):
    """A city."""

    name: str
    people: int


def _calls(*wanted: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"tool_calls": [{"name": name, "arguments": arguments} for name, arguments in wanted]}


def _agent(model: Model | str = "scripted/model", **fields: Any) -> Agent:
    return Agent(name="recorded", model=model, tools=[look, peek, pay, wait], instructions="Look around.", **fields)


@dataclass(frozen=True)
class Shape:
    """A shape of run: what runs, what its model says, and where it is cancelled."""

    script: Script
    agent: Agent = field(default_factory=_agent)
    cancelled_at: str = ""
    """Type of the activity within which the run is cancelled; empty for none."""


FALLBACKS = Model("scripted/first", fallbacks=["scripted/second"])

SHAPES: dict[str, Shape] = {
    "plain": Shape(["Hello."]),
    "tool_loop": Shape(
        [_calls(("look", {"at": "cat"})), _calls(("look", {"at": "nothing"})), _calls(("pay", {"amount": 5})), "Paid."]
    ),
    "fast_tool": Shape([_calls(("peek", {"at": "cat"})), _calls(("peek", {"at": "nothing"})), "Seen."]),
    "parallel": Shape(
        [_calls(("look", {"at": "cat"}), ("peek", {"at": "dog"}), ("pay", {"amount": 5}), ("lok", {})), "All done."]
    ),
    "fallback": Shape(
        {"first": [_calls(("look", {"at": "cat"})), {"error": "QuotaExceeded"}], "second": ["", "A cat."]},
        _agent(FALLBACKS),
    ),
    "repaired_output": Shape(["Oslo", {"output": {"name": "Oslo", "people": 700_000}}], _agent(output=City)),
    "repeated_calls": Shape([_calls(("look", {"at": "cat"}))] * 4, _agent(max_repeats=2)),
    "exhausted": Shape([_calls(("look", {"at": str(n)})) for n in range(3)], _agent(max_turns=2)),
    "refused": Shape([{"text": "I will not.", "stop": "refusal"}]),
    "failed": Shape([_calls(("look", {"at": "cat"})), {"error": "AuthenticationFailed"}]),
    "cancelled_in_model": Shape([_calls(("look", {"at": "cat"})), {"hangs": True}], cancelled_at=names.MODEL_ACTIVITY),
    "cancelled_in_tool": Shape([_calls(("look", {"at": "cat"}), ("wait", {}))], cancelled_at="wait"),
    "continued_as_new": Shape([_calls(("look", {"at": str(n)})) for n in range(6)] + ["Seen."]),
}


async def record(shapes: Iterable[str]) -> dict[str, str]:
    """Histories as JSON, by the name of their file."""
    recorded: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        servers = {
            patient: await stack.enter_async_context(await _server(patient=patient)) for patient in (True, False)
        }
        for shape in shapes:
            several = shape == "continued_as_new"
            histories = await _histories(servers[not several].client, SHAPES[shape])
            for index, history in enumerate(histories):
                recorded[f"{shape}_{index + 1}.json" if several else f"{shape}.json"] = history
    return recorded


async def _server(*, patient: bool) -> WorkflowEnvironment:
    # The identity would stand in every event, and by default it tells the name of the machine.
    impatient = {} if patient else {"limit__historyCount__suggestContinueAsNew": 30}
    return await dev_server(identity="recorder", **impatient)


async def _histories(temporal: TemporalClient, shape: Shape) -> list[str]:
    """The histories of one run of the shape, one for each of its executions."""
    adapters = {"scripted": ScriptedAdapter(shape.script)}
    worker = build_worker(temporal, App(shape.agent), adapters, lambda *_: 0.001, task_queue="recording")
    async with worker:
        run = await Client(temporal, task_queue="recording").start(shape.agent, "Look around.")
        if shape.cancelled_at:
            await _reached(temporal, run, shape)
            await run.cancel()
        await run.result()
    executions = dict.fromkeys([event.id.partition("/")[0] async for event in run.events()])
    handles = [temporal.get_workflow_handle(run.id, run_id=execution) for execution in executions]
    return [_cleaned((await handle.fetch_history()).to_json()) for handle in handles]


async def _reached(temporal: TemporalClient, run: Run, shape: Shape) -> None:
    """Wait until the activity within which the run is to be cancelled is under way, and all others have ended."""
    handle = temporal.get_workflow_handle(run.id)
    while True:
        pending = (await handle.describe()).raw_description.pending_activities
        completed = [event for event in (await handle.fetch_history()).events if event.event_type == _COMPLETED]
        if len(completed) == 2 and [activity.activity_type.name for activity in pending] == [shape.cancelled_at]:
            return
        await asyncio.sleep(0.05)


def _cleaned(history: str) -> str:
    """Without stack traces: they tell where this machine keeps its files."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(inner) for key, inner in value.items() if key != "stackTrace"}
        return [clean(inner) for inner in value] if isinstance(value, list) else value

    return json.dumps(clean(json.loads(history)), ensure_ascii=False, separators=(",", ":"))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.replay.record", description=__doc__)
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=f"any of {', '.join(SHAPES)}; default: all")
    parser.add_argument("--force", action="store_true", help="overwrite what is there: only before a release")
    # Tools and models fail here on purpose.
    logging.getLogger("temporalio").setLevel(logging.ERROR)
    arguments = parser.parse_args()
    unknown = [shape for shape in arguments.shapes if shape not in SHAPES]
    if unknown:
        parser.error(f"no shape is named {', '.join(unknown)}; there are {', '.join(SHAPES)}")
    directory = HISTORIES / f"v{__version__}"
    directory.mkdir(parents=True, exist_ok=True)
    wanted = arguments.shapes or list(SHAPES)
    kept = [] if arguments.force else [shape for shape in wanted if list(directory.glob(f"{shape}*.json"))]
    for name, history in asyncio.run(record(shape for shape in wanted if shape not in kept)).items():
        (directory / name).write_text(history + "\n")
        sys.stdout.write(f"{directory.name}/{name}  {len(history):,} characters\n")
    if kept:
        sys.stdout.write(f"kept what was there of {', '.join(kept)}: --force overwrites it\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
