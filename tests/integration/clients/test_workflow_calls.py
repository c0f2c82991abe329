"""Signals, updates and queries reach a code-first workflow by its own methods, and are typed by them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Client, SpecError, Status
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import ask


@workflow.defn
class Refund:
    """Waits for a person."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._approved_by = ""

    @workflow.run
    async def run(self, order: str) -> str:
        """Ask, wait, answer."""
        result = await ask("scripted/m", order)
        await workflow.wait_condition(lambda: bool(self._approved_by), timeout=timedelta(minutes=5))
        return f"{result.output} {self._approved_by} {' '.join(self._said)}"

    @workflow.signal
    def say(self, word: str, times: int) -> None:
        """Note a word."""
        self._said += [word] * times

    @workflow.update
    async def approve(self, who: str) -> int:
        """Approve."""
        self._approved_by = who
        return len(self._said)

    @approve.validator
    def _approve(self, who: str) -> None:
        if not who:
            raise ValueError("say who approves")

    @workflow.query
    def waits_for(self) -> list[str]:
        """What it was told."""
        return self._said


PLAIN = Agent(name="plain", model="scripted/m")


async def test_they_reach_the_workflow(temporal: TemporalClient, task_queue: str) -> None:
    app = App(PLAIN, workflows=[Refund])
    worker = build_worker(
        temporal, app, {"scripted": ScriptedAdapter(["Fine."])}, lambda *_: 0.0, task_queue=task_queue
    )
    async with worker:
        client = Client(temporal, task_queue=task_queue, redis_url="")
        run = await client.start(Refund.run, "order 7")
        await run.signal(Refund.say, "please", 2)
        told: list[str] = await run.query(Refund.waits_for)
        assert told == ["please", "please"]
        with pytest.raises(SpecError, match=r"update approve: the workflow refuses it: say who approves"):
            await run.update(Refund.approve, "")
        left: int = await run.update(Refund.approve, "anna")
        assert left == 2
        result = await run.result()
        assert (result.status, result.output) == (Status.COMPLETED, "Fine. anna please please")
        with pytest.raises(SpecError, match="signal say: it has ended already"):
            await run.signal(Refund.say, "late", 1)
        assert await run.query(Refund.waits_for) == told, "also when it has ended"
        waits = await client.start(Refund.run, "order 8", task_queue=f"{task_queue}-nobody")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await waits.update(Refund.approve, "anna")
        other = await client.start(PLAIN, "Hi.")
        with pytest.raises(SpecError, match="it is no code-first workflow"):
            await other.signal(Refund.say, "x", 1)
    with pytest.raises(SpecError, match=r"signal: .* is no method under @workflow\.signal: pass one"):
        await run.signal(Refund.approve, "anna")  # type: ignore[arg-type]
    for wrong in ((), ("please",), ("please", 1, 2)):
        with pytest.raises(SpecError, match="signal say does not take these arguments"):
            await run.signal(Refund.say, *wrong)
    for unread, why in (
        (("please", "often"), "times cannot be 'often': Input should be a valid integer"),
        ((5, 1), "word cannot be 5: Input should be a valid string"),
        (("\ud800", 1), "a text in it is not Unicode"),
        (("x" * 2_000_001, 1), "word has 2,000,003 bytes and the limit is 2,000,000"),
    ):
        with pytest.raises(SpecError, match=f"signal say: .*{why}"):
            await run.signal(Refund.say, *unread)
    with pytest.raises(SpecError, match=r"signal: times=: give the arguments in their order"):
        await run.signal(Refund.say, "x", times=1)
