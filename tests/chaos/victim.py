"""A worker that kills itself with SIGKILL at one exact point of the loop, and the app that it serves.

Run as `python -m tests.chaos.victim ADDRESS TASK_QUEUE DIRECTORY POINT`. What its tools did and what its model was
asked stand in the directory afterwards, written by whichever worker it was.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import worker, workflow
from temporalio.client import Client, WorkflowHandle

from sostenuto import Agent, App, Budget, Message, Model, Price, Result, Tool, ToolContext, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.model_adapter import Completion, ModelAdapter, ModelRequest, OnDelta
from sostenuto.connection.connect import connect
from sostenuto.contracts import names
from sostenuto.contracts.message import Role
from sostenuto.contracts.wire.run import RunInput
from sostenuto.workers.served.sandbox import workflow_runner
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import policy
from sostenuto.workflows.run_workflow import TypedRunWorkflow
from tests.patience import VICTIM_HEARTBEAT_SECONDS

ANSWER = "paid, noted and looked at"

SCRIPT: list[dict[str, Any]] = [
    {"tool_calls": [{"name": "look", "arguments": {"at": "a"}}, {"name": "note", "arguments": {"text": "b"}}]},
    {"tool_calls": [{"name": "pay", "arguments": {"amount": 5}}]},
    {"tool_calls": [{"name": "peek", "arguments": {"at": "c"}}]},
    {"text": ANSWER},
]

PRICE = Price(input=1, output=10)
CALL_USD = 10 / 1_000_000 + 5 * 10 / 1_000_000
"""What a call of the script costs by that."""

POINTS = [
    *(f"model-{moment}-{turn}" for turn in range(1, 5) for moment in ("before", "within", "after")),
    *(f"tool-{moment}-{name}" for name in ("look", "note", "pay", "peek") for moment in ("before", "after")),
    *(f"task-{command}" for command in range(1, 9)),
]
"""Every point at which it can die. Model calls: before the request, while it is out, with the answer in hand. Tools:
before and after their effect. Tasks: in a workflow task, about to issue its n-th command."""


def die(directory: Path) -> None:
    """End this process as a crash does: nothing is flushed, closed or reported."""
    record(directory, "deaths")
    os.kill(os.getpid(), signal.SIGKILL)


def record(directory: Path, name: str, **what: Any) -> None:
    """Append a line that survives a crash right after it."""
    with (directory / name).open("a") as file:
        file.write(json.dumps({"time": time.time(), "pid": os.getpid(), **what}) + "\n")


def recorded(directory: Path, name: str) -> list[dict[str, Any]]:
    """The lines of a record."""
    path = directory / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def chaos_app(directory: Path, point: str = "") -> App:
    """An agent with a tool of each kind, of which the one that `point` names kills its worker."""

    def act(name: str, ctx: ToolContext) -> str:
        if point == f"tool-before-{name}":
            die(directory)
        record(directory, "effects", tool=name, key=ctx.idempotency_key, attempt=ctx.attempt)
        if point == f"tool-after-{name}":
            die(directory)
        return f"{name} done"

    @tool(effect="read")
    async def look(at: str, ctx: ToolContext) -> str:
        """Look at something."""
        return act("look", ctx)

    @tool(effect="idempotent")
    def note(text: str, ctx: ToolContext) -> str:
        """Note something."""
        return act("note", ctx)

    @tool(effect="once")
    async def pay(amount: int, ctx: ToolContext) -> str:
        """Pay."""
        return act("pay", ctx)

    @tool(effect="read", fast=True)
    async def peek(at: str, ctx: ToolContext) -> str:
        """Peek."""
        return act("peek", ctx)

    tools: list[Tool[..., Any]] = [look, note, pay, peek]
    return App(Agent(name="chaos", model="scripted/m", instructions="Do it.", tools=tools))


class DeadlyAdapter:
    """The scripted model, killing its worker around one of its turns, or slow in one (`model-slow-N`)."""

    provider = "scripted"

    def __init__(self, directory: Path, point: str) -> None:
        self._inner = ScriptedAdapter(SCRIPT, log=directory / "requests")
        self._directory = directory
        self._point = point

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        turn = 1 + sum(message.role is Role.ASSISTANT for message in request.messages)
        if self._point == f"model-before-{turn}":
            die(self._directory)
        completion = await self._inner.complete(request, on_delta)
        if self._point == f"model-slow-{turn}":
            await asyncio.sleep(1)
        if self._point == f"model-within-{turn}":
            await asyncio.sleep(2.5)  # long enough for heartbeats to have gone out
            die(self._directory)
        if self._point == f"model-after-{turn}":
            die(self._directory)
        return completion

    async def close(self) -> None:
        await self._inner.close()


class _Outbound(worker.WorkflowOutboundInterceptor):
    commands = 0
    deadly = 0
    directory = Path()

    def start_activity(self, input: worker.StartActivityInput) -> workflow.ActivityHandle[Any]:
        self._count()
        return super().start_activity(input)

    def start_local_activity(
        self,
        input: worker.StartLocalActivityInput,
    ) -> workflow.ActivityHandle[Any]:
        self._count()
        return super().start_local_activity(input)

    def _count(self) -> None:
        _Outbound.commands += 1
        if _Outbound.commands == _Outbound.deadly:
            die(_Outbound.directory)


class _Inbound(worker.WorkflowInboundInterceptor):
    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))


class DeadlyTasks(worker.Interceptor):
    """Kills the worker in a workflow task."""

    def __init__(self, directory: Path, point: str) -> None:
        _Outbound.directory = directory
        _Outbound.deadly = int(point.removeprefix("task-")) if point.startswith("task-") else 0

    def workflow_interceptor_class(
        self,
        input: worker.WorkflowInterceptorClassInput,
    ) -> type[worker.WorkflowInboundInterceptor]:
        return _Inbound


def adapters(directory: Path, point: str = "") -> Mapping[str, ModelAdapter]:
    """The model adapters of the chaos app."""
    return {"scripted": DeadlyAdapter(directory, point)}


async def start_victim(temporal: Client, task_queue: str, directory: Path, point: str) -> asyncio.subprocess.Process:
    """A process that serves the app and dies at the point."""
    address = temporal.service_client.config.target_host
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.victim", address, task_queue, str(directory), point
    )


async def start_run(
    temporal: Client, task_queue: str, directory: Path, budget: Budget | None = None
) -> WorkflowHandle[Any, Result]:
    """A run of the app; of one with a budget a model call costs `CALL_USD`."""
    runnable = chaos_app(directory).runnable("chaos")
    if budget:
        runnable = runnable.model_copy(update={"model": Model("scripted/m", price=PRICE)})
    return await temporal.start_workflow(
        names.run_type(runnable.kind, runnable.name),
        RunInput(runnable=runnable, message=Message.user("Go."), budget=budget),
        id=task_queue,
        task_queue=task_queue,
        task_timeout=policy.TASK_TIMEOUT,
        result_type=Result,
    )


async def _hold_and_die(client: Client, task_queue: str, directory: Path) -> None:
    """Run workflow tasks only, so that the run is in our cache while others do its steps; die in the second one."""
    holder = worker.Worker(
        client,
        task_queue=task_queue,
        workflows=[TypedRunWorkflow],
        workflow_runner=workflow_runner(),
        no_remote_activities=True,
        sticky_queue_schedule_to_start_timeout=policy.STICKY_TIMEOUT,
    )
    async with holder:
        while True:
            if len(recorded(directory, "requests")) >= 2:
                die(directory)
            await asyncio.sleep(0.001)


async def main(address: str, task_queue: str, directory: Path, point: str) -> None:
    """Serve the app until killed."""
    policy.HEARTBEAT_TIMEOUT = timedelta(seconds=VICTIM_HEARTBEAT_SECONDS)  # type: ignore[misc]
    client = await connect(address)
    if point == "idle":
        await _hold_and_die(client, task_queue, directory)
    victim = build_worker(
        client,
        chaos_app(directory, point),
        adapters(directory, point),
        lambda *_: 0.0,
        task_queue=task_queue,
        interceptors=[DeadlyTasks(directory, point)],
    )
    await victim.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
