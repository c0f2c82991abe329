"""A call that was cut off is in doubt before anybody is asked, and until somebody has said what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client as TemporalClient
from temporalio.exceptions import ActivityError, ApplicationError

from sostenuto import Agent, App, Client, Compensation, Done, NotDone, ToolContext, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.workers import worker
from sostenuto.workers.worker import build_worker, replayer
from sostenuto.workflows import call_tool, compensate
from tests.integration.agent.stage import calls, eventually

SAID: list[Any] = []
BEGUN: list[str] = []
ASKED: list[str] = []
UNDONE: list[Any] = []


async def _what_came(key: str) -> Done | NotDone | None:
    """Say what the test says next, where it says something; else look for it, and never find it."""
    ASKED.append(key)
    if not SAID:
        await asyncio.Event().wait()
    said: Done | NotDone | None = SAID.pop(0)
    return said


@tool(effect="idempotent")
async def pay_back(result: int) -> str:
    """Undo it."""
    UNDONE.append(result)
    return "paid back"


@tool(reconcile=_what_came, compensate=pay_back)
async def pay(ctx: ToolContext) -> int:
    """Pay, and be cut off."""
    BEGUN.append(ctx.idempotency_key)
    await asyncio.Event().wait()
    return 0


PAYER = Agent(name="payer", model="scripted/m", tools=[pay])


@workflow.defn
class Pays:
    """Pays, and undoes it where it is cancelled."""

    def __init__(self) -> None:
        self.came = ""

    @workflow.run
    async def run(self) -> Compensation:
        """Pay once, then wait for the cancel."""
        try:
            try:
                self.came = str(await call_tool(pay))
            except ApplicationError as error:
                self.came = error.message
            await workflow.wait_condition(lambda: False)
        except (asyncio.CancelledError, ActivityError):
            pass
        return await compensate()

    @workflow.query
    def paid(self) -> str:
        """Return what the call came to."""
        return self.came


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_GRACEFUL_SHUTDOWN", timedelta(seconds=0.3))
    for known in (SAID, BEGUN, ASKED, UNDONE):
        known.clear()


@asynccontextmanager
async def _at_work(temporal: TemporalClient, task_queue: str) -> AsyncIterator[None]:
    script = [{"text": "never", "hangs": True}] if BEGUN else [calls(("pay", {}))]
    app = App(PAYER, tools=[pay], workflows=[Pays])
    adapters = {"scripted": ScriptedAdapter(script)}
    async with build_worker(temporal, app, adapters, lambda *_: 0.0, task_queue=task_queue, max_cached_runs=0):
        yield


async def _until(holds: Callable[[], bool]) -> None:
    async def it_does() -> bool:
        return holds()

    await eventually(it_does)


@dataclass
class Agents:
    """A run of an agent that pays."""

    temporal: TemporalClient
    task_queue: str

    async def start(self) -> None:
        """Start it."""
        client = Client(self.temporal, task_queue=self.task_queue, redis_url="")
        self.run = await client.start(PAYER, "Pay.", id=self.task_queue)

    async def told(self) -> str:
        """What the call came to, once that is known."""

        async def is_told() -> bool:
            return bool(await self._results())

        await eventually(is_told)
        return (await self._results())[0]

    async def _results(self) -> list[str]:
        parts = [part for message in await self.run.transcript() for part in message.parts]
        return [part.content for part in parts if part.kind == "tool_result"]

    async def undone(self) -> Compensation:
        """What becomes of what it did, once it is cancelled."""
        await self.run.cancel(compensate=True)
        compensated = (await self.run.result()).compensated
        assert compensated
        return compensated


@dataclass
class Workflows(Agents):
    """A workflow of one's own that pays."""

    async def start(self) -> None:
        """Start it."""
        self.handle = await self.temporal.start_workflow(Pays.run, id=self.task_queue, task_queue=self.task_queue)

    async def _results(self) -> list[str]:
        told = await self.handle.query(Pays.paid)
        return [told] if told else []

    async def undone(self) -> Compensation:
        """What becomes of what it did, once it is cancelled."""
        await self.handle.cancel()
        return await self.handle.result()


BOTH = pytest.mark.parametrize("kind", [Agents, Workflows])


@BOTH
@pytest.mark.parametrize(
    ("said", "told", "outcomes"),
    [
        (Done(7), "7", ["undone"]),
        (NotDone(), "pay was interrupted before it took effect: it may be called again.", []),
    ],
)
async def test_what_its_tool_says_of_it_holds(
    temporal: TemporalClient, task_queue: str, kind: type[Agents], said: Any, told: str, outcomes: list[str]
) -> None:
    """It is asked once, so what it says cannot be lost by a hook that fails when it is asked again."""
    paying = kind(temporal, task_queue)
    async with _at_work(temporal, task_queue):
        await paying.start()
        await _until(lambda: bool(BEGUN))
    SAID.append(said)
    async with _at_work(temporal, task_queue):
        assert await paying.told() == told
        came = await paying.undone()
    assert [one.outcome.value for one in came.effects] == outcomes
    assert ([7] * len(outcomes), BEGUN) == (UNDONE, ASKED)
    await _replays(temporal, task_queue)


@BOTH
async def test_a_cancel_while_its_tool_is_asked_hides_nothing(
    temporal: TemporalClient, task_queue: str, kind: type[Agents]
) -> None:
    paying = kind(temporal, task_queue)
    async with _at_work(temporal, task_queue):
        await paying.start()
        await _until(lambda: bool(BEGUN))
    async with _at_work(temporal, task_queue):
        await _until(lambda: bool(ASKED))
        SAID.append(Done(7))
        came = await paying.undone()
    assert [(one.tool, one.outcome.value) for one in came.effects] == [("pay", "undone")]
    assert (UNDONE, ASKED) == ([7], BEGUN * 2)
    await _replays(temporal, task_queue)


async def _replays(temporal: TemporalClient, task_queue: str) -> None:
    history = await temporal.get_workflow_handle(task_queue).fetch_history()
    await replayer(workflows=[Pays]).replay_workflow(history)
