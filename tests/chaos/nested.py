"""A router over a team over a chain with parallel work, and workers for it that can be killed at any moment.

What its tools did and what its models were asked stand in a directory, written by whichever worker it was.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from datetime import timedelta
from hashlib import sha256
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from temporalio.client import Client

from sostenuto import Agent, App, Chain, Parallel, Prompt, Route, Router, Rule, Team, ToolContext, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedStep
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from sostenuto.connection.connect import connect
from sostenuto.contracts.message import ToolResultPart
from sostenuto.contracts.specs.runnable import Runnable
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import policy
from tests.chaos.victim import record
from tests.fakes.cast import Cast, Part
from tests.patience import VICTIM_HEARTBEAT_SECONDS

ROOT = "desk"
RUNS = ["", "/crew", "/crew/report", "/crew/report/clerk", "/crew/checker"]
"""What the ids of the run and of the runs nested in it add to the id of the root."""
MOST_AT_ONCE = 3
"""Model calls that can be under way at the same time: both opinions, and the checker's."""
CALL_SECONDS = 0.1
"""How long calls take after their effect: long enough for a kill to come within one."""


def _team_called(request: ModelRequest) -> str:
    """What the leader makes of what the members say."""
    told = (part for message in request.messages for part in message.parts if isinstance(part, ToolResultPart))
    return "the crew says: " + "; ".join(result.content for result in told)


def _leads(request: ModelRequest) -> ScriptedStep | str:
    if any(isinstance(part, ToolResultPart) for part in request.messages[-1].parts):
        return _team_called(request)
    calls = [{"name": name, "arguments": {"task": f"see to the {name}"}} for name in ("report", "checker")]
    return ScriptedStep.model_validate({"tool_calls": calls})


PARTS: dict[str, Part] = {
    "lead": _leads,
    "clerk": [
        {"tool_calls": [{"name": "note", "arguments": {"text": "b"}}]},
        {"tool_calls": [{"name": "pay", "arguments": {"amount": 5}}]},
        "noted, and paid for",
    ],
}


class RecordedCast(Cast):
    """Takes its time, and writes down what it is asked before it answers."""

    def __init__(self, directory: Path) -> None:
        super().__init__(PARTS)
        self._directory = directory

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        told = "".join(message.model_dump_json() for message in request.messages)
        record(self._directory, "requests", model=request.model.model, prompt=sha256(told.encode()).hexdigest())
        await asyncio.sleep(CALL_SECONDS)
        return await super().complete(request, on_delta)


def nested_app(directory: Path) -> App:
    """The app, whose tools write down what they do."""

    @tool(effect="idempotent")
    async def note(text: str, ctx: ToolContext) -> str:
        """Note something."""
        record(directory, "effects", tool="note", key=ctx.idempotency_key)
        await asyncio.sleep(CALL_SECONDS)
        return f"noted {text}"

    @tool(effect="once")
    async def pay(amount: int, ctx: ToolContext) -> str:
        """Pay."""
        record(directory, "effects", tool="pay", key=ctx.idempotency_key)
        await asyncio.sleep(CALL_SECONDS)
        return f"paid {amount}"

    opinions = Parallel(
        name="opinions", branches=[_prompt("praise", "Praise {gather}"), _prompt("blame", "Blame {gather}")]
    )
    clerk = Agent(name="clerk", model="scripted/clerk", tools=[note, pay])
    report = Chain(
        name="report",
        steps=[_prompt("gather", "Gather {input}"), opinions, clerk, _prompt("sum", "{opinions} {clerk}")],
    )
    checker = Agent(name="checker", model="scripted/checker")
    crew = Team(name="crew", model="scripted/lead", members=[report, checker])
    other = _prompt("other", "{input}")
    return App(
        Router(name=ROOT, strategy="rules", routes=[Route(crew, when=Rule(pattern="report")), other], default="other")
    )


def root(directory: Path) -> Runnable:
    """What is run."""
    return nested_app(directory).runnable(ROOT)


def _prompt(name: str, template: str) -> Prompt:
    return Prompt(name=name, template=template, model=f"scripted/{name}")


async def _serve(address: str, task_queue: str, directory: Path) -> None:
    policy.HEARTBEAT_TIMEOUT = timedelta(seconds=VICTIM_HEARTBEAT_SECONDS)  # type: ignore[misc]
    client = await connect(address)
    cast = {"scripted": RecordedCast(directory)}
    await build_worker(client, nested_app(directory), cast, lambda *_: 0.001, task_queue=task_queue).run()


def _victim(address: str, task_queue: str, directory: Path) -> None:
    asyncio.run(_serve(address, task_queue, directory))


def start_victim(temporal: Client, task_queue: str, directory: Path) -> ForkServerProcess:
    """A worker in a process of its own, which serves until it is killed."""
    # A process that has loaded everything already is forked for each: loading takes longer than the run.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    address = temporal.service_client.config.target_host
    victim = context.Process(target=_victim, args=(address, task_queue, directory), daemon=True)
    victim.start()
    return victim
