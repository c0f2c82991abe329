"""Runs whose beginning is not what it was: taken over late, gone on in further executions, with names from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, tool
from sostenuto.activities.adapters.providers.scripted import Script
from sostenuto.workers.telemetry import followed_run, follower
from sostenuto.workflows import call_tool
from tests.fakes.otlp_receiver import OtlpReceiver, attributes, otlp_receiver
from tests.integration.agent.stage import calls, eventually
from tests.integration.telemetry.watched import assert_spans_of, received, until_sent, watched


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpReceiver]:
    with otlp_receiver() as receiving:
        received(receiving, monkeypatch)
        yield receiving


async def test_a_run_whose_first_executions_are_past_the_retention_time(
    impatient: TemporalClient, task_queue: str, receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, seen = asyncio.Event(), list[str]()

    @tool(effect="read")
    async def look(at: str) -> str:
        """Look."""
        seen.append(at)
        if at == "20":
            await gate.wait()
        return "fine"

    async def newest_alone(_: Any, __: str, newest: str) -> tuple[str, ...]:
        return (newest,)

    long = Agent(name="long", model="scripted/long", tools=[look], max_turns=60)
    script: Script = {"long": [*[calls(("look", {"at": str(turn)})) for turn in range(24)], "Done."]}
    async with watched(impatient, App(long), script, task_queue, settings={"telemetry": ()}) as client:
        run = await client.start(long, "Hello")

        async def waits() -> bool:
            return "20" in seen

        await eventually(waits)
    monkeypatch.setattr(followed_run, "executions_until", newest_alone)
    gate.set()
    async with watched(impatient, App(long), script, task_queue) as client:
        assert (await (await client.get(run.id)).result()).output == "Done."
        await until_sent(receiver, "invoke_agent long")
    names = [span.name for span in receiver.spans]
    # How many calls are left, and in which executions, is chance: the newest that was there is read.
    assert {"chat scripted/long", "invoke_agent long"} <= set(names)
    assert len({span.span_id for span in receiver.spans}) == len(names)
    assert len({span.trace_id for span in receiver.spans}) == 1


async def test_runs_that_are_too_large_to_be_held_are_read_again(
    temporal: TemporalClient, task_queue: str, receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "_MOST_BYTES", 1)
    monkeypatch.setattr(follower, "_QUIET_SECONDS", 0.0)
    held: list[int] = []
    let_go = follower.Follower._let_go

    def noted(self: follower.Follower) -> None:
        held.append(self.open_runs)
        let_go(self)
        assert not any(run.bytes for run in self._runs.values())

    monkeypatch.setattr(follower.Follower, "_let_go", noted)

    @tool(effect="read")
    async def look(at: str) -> str:
        """Look, for longer than it takes to tell of what was before."""
        await asyncio.sleep(2 * followed_run.TICK_SECONDS)
        return "fine"

    clerk = Agent(name="clerk", model="scripted/clerk", tools=[look])
    script: Script = {"clerk": [*[calls(("look", {"at": str(turn)})) for turn in range(3)], "Done."]}
    async with watched(temporal, App(clerk), script, task_queue) as client:
        runs = [await client.start(clerk, "Hello") for _ in range(3)]
        traces = [((await run.result()), await run.trace())[1] for run in runs]
        await until_sent(receiver, "invoke_agent clerk", 3)
    assert max(held) > 1
    for run, trace in zip(runs, traces, strict=True):
        assert_spans_of([span for span in receiver.spans if attributes(span)["sostenuto.run.id"] == run.id], trace)


@tool(effect="read")
async def count(at: int) -> str:
    """Count."""
    return f"at {at}"


@workflow.defn
class Counter:
    """Goes on in a further execution."""

    @workflow.run
    async def run(self, at: int) -> int:
        await call_tool(count, at=at)
        if at < 2:
            workflow.continue_as_new(at + 1)
        return at


async def test_a_code_first_workflow_that_continues_as_new(
    temporal: TemporalClient, task_queue: str, receiver: OtlpReceiver
) -> None:
    async with watched(temporal, App(tools=[count], workflows=[Counter]), {}, task_queue) as client:
        await (await client.start(Counter, 0)).result()
        await until_sent(receiver, "invoke_workflow Counter")
    tools = [span for span in receiver.spans if span.name == "execute_tool count"]
    assert sorted(attributes(span)["gen_ai.tool.call.result"] for span in tools) == ["at 0", "at 1", "at 2"]
    assert len({span.span_id for span in tools}) == 3
    assert len({span.trace_id for span in receiver.spans}) == 1


async def test_names_from_outside(temporal: TemporalClient, task_queue: str, receiver: OtlpReceiver) -> None:
    """A model's invention is no name of a tool, and a tenant is told as it is."""
    caller = Agent(name="caller", model="scripted/caller", tools=[count])
    invented = "mail_to_anna_smith"
    script: Script = {"caller": [calls((invented, {}), ("count", {"at": 1})), "Done."]}
    async with watched(temporal, App(caller), script, task_queue, settings={"telemetry_content": "off"}) as client:
        await (await client.start(caller, "Hello", tenant='Café "7"')).result()
        await until_sent(receiver, "invoke_agent caller")
    names = {span.name for span in receiver.spans}
    assert names >= {"execute_tool (unknown)", "execute_tool count"}
    sent = b"".join(request.batch.SerializeToString() for request in receiver.requests)
    assert invented.encode() not in sent
    assert {attributes(span)["user.id"] for span in receiver.spans} == {'Café "7"'}
