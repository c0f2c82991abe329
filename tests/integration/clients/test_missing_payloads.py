"""A client and a worker that do not keep large payloads in one place: what is missing ends the run and is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Client, Status, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.connection.connect import connect
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import call_tool
from tests.integration.agent.stage import calls
from tests.patience import PATIENCE_SECONDS

LARGE = "x" * 600_000


@tool(effect="read")
async def look(at: str) -> str:
    """Look at something."""
    return at[:3]


@workflow.defn
class Reads:
    @workflow.run
    async def run(self, text: str) -> str:
        return await call_tool(look, at=text[:3])


AGENT = Agent(name="a", model="scripted/m", tools=[look])
APP = App(AGENT, workflows=[Reads], tools=[look])


@pytest.mark.parametrize("of_worker", [None, "another"], ids=["none", "another"])
@pytest.mark.parametrize("what", [AGENT, Reads], ids=["run", "code-first"])
async def test_a_payload_that_the_worker_cannot_read_ends_the_run(
    temporal: TemporalClient, task_queue: str, tmp_path: Path, of_worker: str | None, what: Any
) -> None:
    address = temporal.service_client.config.target_host
    theirs = await connect(address, payload_dir=tmp_path / "theirs")
    ours = await connect(address, payload_dir=tmp_path / of_worker) if of_worker else temporal
    adapter = ScriptedAdapter([calls(("look", {"at": "cat"})), "Seen."])
    async with build_worker(ours, APP, {"scripted": adapter}, lambda *_: 0.0, task_queue=task_queue):
        run = await Client(theirs, task_queue=task_queue).start(what, LARGE)
        async with asyncio.timeout(PATIENCE_SECONDS):
            result = await run.result()
    assert result.status is Status.FAILED
    assert "SOSTENUTO_PAYLOAD_DIR" in result.reason


async def test_a_worker_without_a_directory_still_refuses_what_is_too_large(
    temporal: TemporalClient, task_queue: str
) -> None:
    agent = Agent(name="a", model="scripted/m")
    adapter = ScriptedAdapter(["y" * 2_500_000])
    async with build_worker(temporal, App(agent), {"scripted": adapter}, lambda *_: 0.0, task_queue=task_queue):
        result = await (await Client(temporal, task_queue=task_queue).start(agent, "Go.")).result()
    assert result.status is Status.FAILED
    assert "SOSTENUTO_PAYLOAD_DIR" in result.reason
