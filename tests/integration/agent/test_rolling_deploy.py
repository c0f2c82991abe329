"""Old and new workers on one queue: a piece that one of them lacks is not missing everywhere."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console
from temporalio import workflow
from temporalio.client import Client as TemporalClient
from temporalio.common import RawValue

from sostenuto import Agent, App, Client, Model, SpecError, Status, tool
from sostenuto.activities.adapters.providers.anthropic.adapter import AnthropicAdapter
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.model_adapter import ModelAdapter
from sostenuto.clients.cli.follow import show
from sostenuto.connection.connect import connect
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import call_tool, policy
from tests.integration.agent.stage import Stage, calls

RAN: Counter[str] = Counter()


@tool(effect="read", fast=True)
async def peek(run: str) -> str:
    """Look, quickly."""
    return f"peeked {run}"


@tool(effect="once")
async def pay(run: str) -> str:
    """Pay."""
    RAN[run] += 1
    return f"paid {run}"


@tool(effect="read")
def read(run: str) -> str:
    """Read."""
    return f"read {run}"


def polite(answer: str) -> None:
    """Object to nothing."""


def _agent(**fields: Any) -> Agent:
    return Agent(name="a", model="scripted/m", tools=[peek, pay, read], **fields)


def _script(key: str) -> list[Any]:
    return [calls(("peek", {"run": key}), ("pay", {"run": key}), ("read", {"run": key})), "Done."]


@workflow.defn
class PeekAndPay:
    @workflow.run
    async def run(self, key: str) -> list[str]:
        return [await call_tool(peek, run=key), await call_tool(pay, run=key), await call_tool(read, run=key)]


async def _second(temporal: TemporalClient) -> TemporalClient:
    """Another connection, as of another process: one takes no two workers of a queue."""
    return await connect(temporal.service_client.config.target_host)


async def test_tools_that_only_new_workers_have(temporal: TemporalClient, task_queue: str) -> None:
    RAN.clear()
    keys = [f"{task_queue}-{number}" for number in range(12)]
    old = App(Agent(name="a", model="scripted/m"), workflows=[PeekAndPay])
    new = App(_agent(), tools=[peek, pay, read], workflows=[PeekAndPay])
    adapter = {"scripted": ScriptedAdapter({key: _script(key) for key in keys})}
    options: Any = {"price": lambda *_: 0.0, "task_queue": task_queue, "max_cached_runs": 20}
    stage = Stage(temporal, task_queue)
    client = Client(temporal, task_queue=task_queue)
    second = await _second(temporal)
    async with build_worker(second, old, adapter, **options), build_worker(temporal, new, adapter, **options):
        runs = [
            await stage.start(_agent().model_copy(update={"model": Model(f"scripted/{key}")}), key) for key in keys[:8]
        ]
        own = [await client.start(PeekAndPay, key) for key in keys[8:]]
        outcomes = await asyncio.gather(*(stage.outcome(run) for run in runs))
        results = await asyncio.gather(*(run.result() for run in own))
    for key, outcome in zip(keys, outcomes, strict=False):
        assert outcome.result.status is Status.COMPLETED, outcome.result.reason
        assert outcome.tool_results == [(f"{did} {key}", False) for did in ("peeked", "paid", "read")]
        assert outcome.history.failed_tasks == []
    for key, result in zip(keys[8:], results, strict=True):
        assert result.output == [f"{did} {key}" for did in ("peeked", "paid", "read")]
    assert {RAN[key] for key in keys} == {1}
    for run, key in zip(runs, keys, strict=False):
        told = [(event.type, getattr(event, "call_id", "")) async for event in run.events()]
        of_tools = [one for one in told if one[0].startswith("tool.")]
        assert len(of_tools) == len(set(of_tools)) == 6, key


@pytest.mark.parametrize("lacking", ["provider", "key", "validator"])
async def test_what_a_model_call_takes_and_only_new_workers_have(
    temporal: TemporalClient, task_queue: str, lacking: str
) -> None:
    # Nor does a fallback take over, as long as somebody has the key.
    model = Model("scripted/m", fallbacks=["scripted/other"], fallback_after=timedelta(minutes=1))
    agent = Agent(name="a", model=model, validators=[polite])
    adapter: dict[str, ModelAdapter] = {"scripted": ScriptedAdapter(["Done."])}
    old = App(Agent(name="a", model=model)) if lacking == "validator" else App(agent)
    options: Any = {"price": lambda *_: 0.0, "task_queue": task_queue, "max_cached_runs": 0}
    stage = Stage(temporal, task_queue)
    without_key: dict[str, ModelAdapter] = {"scripted": AnthropicAdapter(api_key=None)}
    theirs = {"validator": adapter, "key": without_key, "provider": {}}[lacking]
    second = await _second(temporal)
    async with (
        build_worker(second, old, theirs, **options),
        build_worker(temporal, App(agent), adapter, **options),
    ):
        outcomes = await asyncio.gather(*(stage.ask(agent) for _ in range(8)))
        told = [len(await outcome.run.transcript()) for outcome in outcomes]
        events = [event.type for outcome in outcomes async for event in outcome.run.events()]
    assert [outcome.result.reason for outcome in outcomes] == [""] * 8
    assert told == [2] * 8
    assert "fallback.used" not in events


async def test_what_nobody_serves_is_told_after_a_while(
    temporal: TemporalClient, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "NOT_SERVED_PAUSES", (timedelta(milliseconds=10),) * 3)
    agent = Agent(name="a", model="scripted/m", tools=[peek, pay, read])
    stage = Stage(temporal, task_queue)
    adapter = {"scripted": ScriptedAdapter(_script("x"))}
    app = App(workflows=[PeekAndPay])
    async with build_worker(temporal, app, adapter, lambda *_: 0.0, task_queue=task_queue):
        own = await (await Client(temporal, task_queue=task_queue).start(PeekAndPay, "x")).result()
        outcome = await stage.ask(agent)
        missing = await stage.ask(Agent(name="b", model="elsewhere/m"))
        fallen = await stage.ask(Agent(name="c", model=Model("elsewhere/m", fallbacks=["scripted/m"]), max_turns=1))
        reasons = [event.reason async for event in fallen.run.events() if event.type == "fallback.used"]
    assert outcome.result.status is Status.COMPLETED
    assert [content for content, _ in outcome.tool_results] == [
        f"{name} was not run: no worker that takes work from task queue {task_queue!r} serves it."
        for name in ("peek", "pay", "read")
    ]
    assert own.status is Status.FAILED
    assert own.reason == "no worker here serves a tool 'peek': put it into App(tools=[...])"
    assert missing.result.status is Status.FAILED
    assert "this worker has no provider 'elsewhere'" in missing.result.reason
    assert len(reasons) == 1
    assert "this worker has no provider 'elsewhere'" in reasons[0]


async def test_a_cancel_ends_the_search_for_a_worker(temporal: TemporalClient, task_queue: str) -> None:
    """What nobody has begun when the run is cancelled is begun by nobody after that."""
    RAN.clear()
    agent = Agent(name="a", model="scripted/m", tools=[pay])
    adapter = {"scripted": ScriptedAdapter([calls(("pay", {"run": task_queue})), "Done."])}
    stage = Stage(temporal, task_queue)
    async with build_worker(temporal, App(), adapter, lambda *_: 0.0, task_queue=task_queue):
        run = await stage.start(agent)
        async for event in run.events():
            if event.type == "tool.requested":
                break
        await asyncio.sleep(0.3)
        await run.cancel()
        second = await _second(temporal)
        async with build_worker(second, App(agent), adapter, lambda *_: 0.0, task_queue=task_queue):
            outcome = await stage.outcome(run)
            await asyncio.sleep(0.5)
    assert outcome.result.status is Status.CANCELLED
    assert RAN[task_queue] == 0


@workflow.defn
class Late:
    @workflow.run
    async def run(self, key: str) -> str:
        return key


async def test_a_workflow_that_only_new_workers_have(temporal: TemporalClient, task_queue: str) -> None:
    """It is not ended by a worker that takes every workflow type which is that of a run."""
    options: Any = {"price": lambda *_: 0.0, "task_queue": task_queue}
    client = Client(temporal, task_queue=task_queue)
    async with build_worker(temporal, App(), {}, **options):
        run = await client.start(Late, "x")
        stall = await anext(event async for event in run.events() if event.type == "run.stalled")
        [hindrance] = await run.hindrances()
        told = f"no worker on {task_queue!r} serves the workflow 'Late'"
        assert (hindrance.reason, hindrance.is_unserved) == (told, True)
    assert stall.reason == "the worker that took it does not serve the workflow 'Late'"
    second = await _second(temporal)
    async with build_worker(second, App(workflows=[Late]), {}, **options):
        assert (await run.result()).output == "x"
    # It was stuck once, and is over.
    assert await show(run, Console(quiet=True), Namespace(when_stuck="leave"))


@workflow.defn(dynamic=True)
class TakesAnything:
    @workflow.run
    async def run(self, given: Sequence[RawValue]) -> None: ...


@workflow.defn(name="agent:late")
class NamedAsARun:
    @workflow.run
    async def run(self) -> None: ...


async def test_what_would_take_a_run_is_refused(temporal: TemporalClient, task_queue: str) -> None:
    wrong = {TakesAnything: "TakesAnything is dynamic", NamedAsARun: "'agent:late', which is that of a run"}
    for kind, words in wrong.items():
        with pytest.raises(SpecError, match=words):
            build_worker(temporal, App(workflows=[kind]), {}, lambda *_: 0.0, task_queue=task_queue)
