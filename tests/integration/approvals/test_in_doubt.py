"""A `once` call that was cut off: its tool is asked what came of it, then a person, and the model is told."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Approval, Client, Done, NotDone, ToolContext, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.call import heartbeat
from sostenuto.contracts.wire.tool_call import outcome_unknown
from sostenuto.workers.worker import build_worker, replayer
from sostenuto.workflows import policy
from tests.integration.agent.stage import calls
from tests.integration.approvals.conftest import Waiting

KEYS: dict[str, str] = {}
STARTED: list[str] = []


async def _cut_off(name: str, ctx: ToolContext) -> str:
    STARTED.append(name)
    KEYS[name] = ctx.idempotency_key
    await asyncio.sleep(4)
    return "never told"


def _is_done(key: str) -> Done | None:
    return Done({"receipt": 7}) if key == KEYS["done"] else None


async def _is_not(key: str) -> NotDone | None:
    return NotDone() if key == KEYS["undone"] else None


def _unsure(key: str) -> None:
    raise OSError("the bank is down")


@tool(reconcile=_is_done)
async def done(ctx: ToolContext) -> dict[str, int]:
    """Take effect."""
    await _cut_off("done", ctx)
    return {}


@tool(reconcile=_is_not)
async def undone(ctx: ToolContext) -> str:
    """Take none."""
    return await _cut_off("undone", ctx)


@tool(reconcile=_unsure)
async def unsure(ctx: ToolContext) -> str:
    """Nobody knows."""
    return await _cut_off("unsure", ctx)


@tool(approval=Approval(quorum=2, group="bank"))
async def asked(ctx: ToolContext) -> str:
    """Ask a person."""
    return await _cut_off("asked", ctx)


AGENT = Agent(name="payer", model="scripted/m", tools=[done, undone, unsure, asked])


async def test_what_came_of_it(
    temporal: TemporalClient, task_queue: str, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No heartbeat arrives in time: what a dead worker looks like to the server.
    monkeypatch.setattr(policy, "HEARTBEAT_TIMEOUT", timedelta(seconds=1))
    monkeypatch.setattr(heartbeat, "INTERVAL_SECONDS", 60)
    adapters = {
        "scripted": ScriptedAdapter([calls(*((name, {}) for name in ("done", "undone", "unsure", "asked"))), "."])
    }
    worker = build_worker(temporal, App(AGENT), adapters, lambda *_: 0.0, task_queue=task_queue, max_cached_runs=0)
    async with worker:
        run = await Client(temporal, task_queue=task_queue, redis_url="").start(AGENT, "Pay.", id=uuid4().hex)
        (call,) = await waiting(run, 1)
        await run.approve(call.call_id, by="ann")
        await run.approve(call.call_id, by="bob")
        (call,) = await waiting(run, 0) or await waiting(run, 1)
        assert (call.question, call.quorum, call.group) == (True, 1, "bank")
        assert call.reason.startswith("it was interrupted, and nobody knows whether it took effect")
        await run.answer(call.call_id, "the bank says it is paid", by="ann")
        result = await run.result()
        trace = await run.trace()
        history = await temporal.get_workflow_handle(run.id).fetch_history()
    told = {part.name: part.content for m in result.messages for part in m.parts if part.kind == "tool_result"}
    assert told == {
        "done": '{"receipt":7}',
        "undone": "undone was interrupted before it took effect: it may be called again.",
        "unsure": outcome_unknown("unsure"),
        "asked": "the bank says it is paid",
    }
    assert sorted(STARTED) == ["asked", "done", "undone", "unsure"]
    assert [step.proven for step in trace.run.walk() if step.kind == "model"] == [True, True]
    await replayer().replay_workflow(history)
