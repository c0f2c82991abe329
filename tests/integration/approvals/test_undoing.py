"""What people decide of calls, and of what undoes them; calls in doubt; and workflows of one's own."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Approval, Client, Compensation, Done, NotDone, ToolContext, ToolRequested, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.call import heartbeat
from sostenuto.workers.worker import build_worker, replayer
from sostenuto.workflows import call_tool, compensate, policy, run
from tests.integration.agent.stage import calls, eventually
from tests.integration.approvals.conftest import Waiting

DONE: list[Any] = []
ASKED: list[str] = []


async def _is_done(key: str) -> Done:
    return Done({"receipt": 7})


async def _is_not(key: str) -> NotDone | None:
    ASKED.append(key)
    return NotDone() if len(ASKED) > 1 else None


def _unsure(key: str) -> None:
    raise OSError("the bank is down")


@tool(effect="idempotent", approval=Approval(group="bank"))
async def pay_back(amount: int, result: str) -> str:
    """Undo a charge."""
    DONE.append((amount, result))
    return "paid back"


@tool(approval=True, compensate=pay_back)
async def charge(amount: int) -> str:
    """Charge somebody."""
    DONE.append(amount)
    return f"charged {amount}"


@tool(effect="idempotent")
async def forget(result: dict[str, int]) -> str:
    """Undo what is known by its receipt."""
    DONE.append(result)
    return "forgotten"


@tool(reconcile=_is_done, compensate=forget)
async def lost(ctx: ToolContext) -> dict[str, int]:
    """Take effect, and be cut off."""
    await asyncio.sleep(4)
    return {}


@tool(reconcile=_unsure, compensate=forget)
async def vague(ctx: ToolContext) -> dict[str, int]:
    """Nobody knows."""
    return await lost(ctx)


@tool(reconcile=_is_not, compensate=forget)
async def never(ctx: ToolContext) -> dict[str, int]:
    """Take no effect, and be cut off."""
    return await lost(ctx)


AGENT = Agent(name="payer", model="scripted/m", tools=[charge, lost, vague, never])
CHARGES = [("charge", {"amount": amount}) for amount in (50, 7, 9)]
FIRST = calls(*CHARGES, ("lost", {}), ("vague", {}))


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    DONE.clear()


async def test_what_people_say_of_it(
    temporal: TemporalClient, task_queue: str, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No heartbeat arrives in time: what a dead worker looks like to the server.
    monkeypatch.setattr(policy, "HEARTBEAT_TIMEOUT", timedelta(seconds=1))
    monkeypatch.setattr(heartbeat, "INTERVAL_SECONDS", 60)
    adapters = {"scripted": ScriptedAdapter([FIRST, calls(("never", {})), {"text": "never", "hangs": True}])}
    worker = build_worker(temporal, App(AGENT), adapters, lambda *_: 0.0, task_queue=task_queue, max_cached_runs=0)
    async with worker:
        run = await Client(temporal, task_queue=task_queue, redis_url="").start(AGENT, "Pay.", id=uuid4().hex)
        one, two, three = await waiting(run, 3)

        async def done(what: Any) -> None:
            async def there() -> bool:
                return what in DONE

            await eventually(there)

        await run.edit(one.call_id, {"amount": 5}, by="ann")
        await done(5)
        await run.approve(two.call_id, by="ann")
        await done(7)
        await run.answer(three.call_id, "it is paid", by="ann")

        async def never_was_told() -> bool:
            parts = [part for message in await run.transcript() for part in message.parts]
            return any(part.kind == "tool_result" and part.name == "never" for part in parts)

        await eventually(never_was_told)
        await run.cancel(compensate=True)
        (call,) = await waiting(run, 1)
        assert (call.tool, call.group, call.path) == ("pay_back", "bank", "payer")
        assert call.arguments == {"amount": 7, "result": "charged 7"}
        await run.deny(call.call_id, by="bob", note="It is theirs.")
        await eventually(lambda: _is_another(run, call.call_id))
        (call,) = await run.approvals()
        await run.approve(call.call_id, by="bob")
        result = await run.result()
        events = [event async for event in run.events()]
        history = await temporal.get_workflow_handle(run.id).fetch_history()
    assert result.compensated
    came = {(one.tool, one.call_id[-1]): (one.outcome.value, one.reason) for one in result.compensated.effects}
    assert came == {
        ("never", "0"): ("not_done", ""),
        ("lost", "3"): ("undone", "forgotten"),
        ("vague", "4"): ("unknown", "nobody knows whether it was done"),
        ("charge", "1"): ("failed", "pay_back was not run: a person denied it: It is theirs."),
        ("charge", "0"): ("undone", "paid back"),
    }
    assert DONE == [5, 7, {"receipt": 7}, (5, "charged 5")]
    told = [event for event in events if isinstance(event, ToolRequested) and event.name == "pay_back"]
    assert [event.undoes for event in told] == [f"payer:{two.call_id}", f"payer:{one.call_id}"]
    await replayer().replay_workflow(history)


async def _is_another(run: Any, call_id: str) -> bool:
    return [call.call_id for call in await run.approvals()] not in ([], [call_id])


@tool(compensate=forget)
async def book(number: int) -> dict[str, int]:
    """Book something."""
    return {"number": number}


BOOKER = Agent(name="booker", model="scripted/m", tools=[book])


@workflow.defn
class Trip:
    """Books, and undoes it."""

    @workflow.run
    async def run(self) -> list[Compensation]:
        """Undo twice: the second time there is nothing left."""
        await call_tool(book, number=1)
        await run(BOOKER, "Book.")
        return [await compensate(), await compensate()]


async def test_a_workflow_of_ones_own(temporal: TemporalClient, task_queue: str) -> None:
    adapters = {"scripted": ScriptedAdapter([calls(("book", {"number": 2})), "ok"])}
    app = App(BOOKER, tools=[book], workflows=[Trip])
    worker = build_worker(temporal, app, adapters, lambda *_: 0.0, task_queue=task_queue, max_cached_runs=0)
    async with worker:
        undone, none = await temporal.execute_workflow(Trip.run, id=task_queue, task_queue=task_queue)
    assert [(one.path, one.outcome.value) for one in undone.effects] == [("Trip/booker", "undone"), ("Trip", "undone")]
    assert (DONE, none) == ([{"number": 2}, {"number": 1}], Compensation())
