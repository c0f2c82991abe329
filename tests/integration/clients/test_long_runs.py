"""Streams that outlast executions, servers and payload limits."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowExecutionStatus
from temporalio.converter import DefaultFailureConverterWithEncodedAttributes, PayloadCodec
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from sostenuto import Agent, App, Client, Event, SetupError, Status, tool
from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter, ScriptedStep
from sostenuto.clients.run import Run
from sostenuto.connection.connect import connect
from sostenuto.connection.converter import data_converter
from sostenuto.contracts.wire.event import ModelResponded, RunFinished, ToolRequested, ToolResponded
from sostenuto.history.events.projection import Projection
from sostenuto.history.reading.follow import follow
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer
from sostenuto.workers.worker import build_worker

TURNS = 25


@tool(effect="read")
async def look(at: str) -> str:
    """Look at something."""
    return f"{at} is fine"


@tool(effect="read")
async def page(size: int) -> str:
    """Something long."""
    return "x" * size


AGENT = Agent(name="looker", model="scripted/m", instructions="Look.", tools=[look, page])


def turns(count: int) -> list[ScriptedStep | str | dict[str, Any]]:
    """So many turns of a call that works and one that no tool answers, then an answer."""
    calls: list[ScriptedStep | str | dict[str, Any]] = [
        {"tool_calls": [{"name": "look", "arguments": {"at": str(n)}}, {"name": "missing", "arguments": {"n": n}}]}
        for n in range(count)
    ]
    return [*calls, {"text": "all fine"}]


def worker_for(temporal: TemporalClient, script: Script, task_queue: str, *, cached_runs: int = 0) -> Worker:
    adapters = {"scripted": ScriptedAdapter(script)}
    return build_worker(
        temporal, App(AGENT), adapters, lambda *_: 0.001, task_queue=task_queue, max_cached_runs=cached_runs
    )


async def events_of(run: Run, after: str | None = None) -> list[Event]:
    return [event async for event in run.events(after)]


async def test_a_run_that_continued_as_new_is_one_stream(hasty: TemporalClient, task_queue: str) -> None:
    async with worker_for(hasty, turns(TURNS), task_queue):
        run = await Client(hasty, task_queue=task_queue).start(AGENT, "How are they?")
        events = await events_of(run)
        result = await run.result()
    executions = list(dict.fromkeys(event.id.split("/")[0] for event in events))
    assert len(executions) > 2
    assert [event.type for event in events].count("run.started") == 1
    assert [event.type for event in events].count("run.finished") == 1
    asked = [event.call_id for event in events if isinstance(event, ToolRequested)]
    told = [event.call_id for event in events if isinstance(event, ToolResponded)]
    assert len(asked) == 2 * TURNS
    assert sorted(asked) == sorted(told)
    assert (result.status, result.turns, len(result.messages)) == (Status.COMPLETED, TURNS + 1, 2 + 3 * TURNS)
    assert result.cost_usd == pytest.approx(0.001 * (TURNS + 1))

    # Exact also where an event's meaning depends on the execution before: right after each change of execution.
    for index, event in enumerate(events):
        if "/1/" in event.id or index % 7 == 0:
            assert await events_of(run, event.id) == events[index + 1 :]

    # And every prompt is proven, over all executions.
    projection = Projection(hasty.data_converter)
    for execution in executions:
        async for recorded in follow(hasty, run.id, execution):
            projection.feed(recorded, execution)
    replies = [event for event in events if isinstance(event, ModelResponded)]
    assert len(replies) == TURNS + 1
    for reply in replies:
        assert projection.prompt(reply.turn).hash == reply.prompt_hash

    # Whoever finds it later, by whichever of its executions, finds the whole run.
    found = await Client(hasty).get(run.id)
    assert await events_of(found) == events
    assert (await found.describe()).status == "completed"
    (row,) = await Client(hasty).list(f"WorkflowId = '{run.id}'")
    assert row.status == "completed"


async def test_cancelling_reaches_the_execution_that_is_at_work(hasty: TemporalClient, task_queue: str) -> None:
    script: list[ScriptedStep | str | dict[str, Any]] = [*turns(TURNS)[:-1], {"hangs": True}]
    async with worker_for(hasty, script, task_queue):
        run = await Client(hasty, task_queue=task_queue).start(AGENT, "How are they?")
        async for event in run.events():
            if event.type == "model.requested" and event.turn == TURNS + 1:
                await run.cancel()
        assert (await run.result()).status is Status.CANCELLED


async def test_a_stream_goes_on_when_the_server_is_killed_and_comes_back(tmp_path: Path, task_queue: str) -> None:
    async with ProcessGroup() as group:
        server = await TemporalServer.start(group, tmp_path, port=0, ui_port=None)
        temporal = await connect(server.address)
        script: list[ScriptedStep | str | dict[str, Any]] = [*turns(3)[:-1], {"text": "all fine", "delay_seconds": 1}]
        run = await Client(temporal, task_queue=task_queue).start(AGENT, "How are they?")
        events: list[Event] = []
        restarted: asyncio.Task[TemporalServer] | None = None
        async with worker_for(temporal, script, task_queue, cached_runs=100):
            async for event in run.events():
                events.append(event)
                if event.type == "model.responded" and restarted is None:
                    server.process.signal(signal.SIGKILL)
                    await server.wait()
                    restarted = asyncio.create_task(
                        TemporalServer.start(group, tmp_path, port=server.port, ui_port=None)
                    )
            assert restarted is not None
            await restarted
            assert await events_of(run) == events
    assert len({event.id for event in events}) == len(events)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].status is Status.COMPLETED


async def test_large_payloads_stay_outside_the_history(
    environment: WorkflowEnvironment, tmp_path: Path, task_queue: str
) -> None:
    address = environment.client.service_client.config.target_host
    temporal = await connect(address, payload_dir=tmp_path / "payloads")
    question = "Q" * 3_000_000
    script: list[ScriptedStep | str | dict[str, Any]] = [
        {"tool_calls": [{"name": "page", "arguments": {"size": 900_000}}]},
        {"text": "read"},
    ]
    async with worker_for(temporal, script, task_queue):
        run = await Client(temporal, task_queue=task_queue).start(AGENT, question)
        result = await run.result()
        events = await events_of(run)
    assert result.status is Status.COMPLETED
    assert result.messages[0].text == question
    assert [event.content for event in events if isinstance(event, ToolResponded)] == ["x" * 900_000]
    history = await Client(temporal).history(run.id)
    assert len(history.to_json()) < 60_000
    description = await temporal.get_workflow_handle(run.id).describe()
    assert description.status is WorkflowExecutionStatus.COMPLETED

    without = await (await Client.connect(address)).get(run.id)
    with pytest.raises(SetupError, match="SOSTENUTO_PAYLOAD_DIR"):
        await without.result()


class Scrambler(PayloadCodec):
    """Turns every byte over: whoever does not decode reads nonsense."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(metadata={"encoding": b"binary/scrambled"}, data=payload.SerializeToString()[::-1])
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload.FromString(payload.data[::-1])
            if payload.metadata.get("encoding") == b"binary/scrambled"
            else payload
            for payload in payloads
        ]


async def test_an_encrypted_history_reads_as_any_other(environment: WorkflowEnvironment, task_queue: str) -> None:
    converter = replace(
        data_converter(),
        payload_codec=Scrambler(),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
    address = environment.client.service_client.config.target_host
    temporal = await TemporalClient.connect(address, data_converter=converter)
    script: list[ScriptedStep | str | dict[str, Any]] = [
        {"text": "one moment", "tool_calls": [{"name": "look", "arguments": {"at": "7"}}]},
        {"error": "QuotaExceeded", "text": "no credit"},
    ]
    async with worker_for(temporal, script, task_queue):
        run = await Client(temporal, task_queue=task_queue).start(AGENT, "a secret question")
        result = await run.result()
        events = await events_of(run)
    assert (result.status, result.output, len(result.messages)) == (Status.FAILED, "one moment", 3)
    assert result.reason.startswith("QuotaExceeded: ")
    assert [event.content for event in events if isinstance(event, ToolResponded)] == ["7 is fine"]
    assert "secret question" not in str((await Client(temporal).history(run.id)).events[0])
