"""The Temporal server dies in the middle of a run and comes back on its file: the run goes on and ends."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHandle

from sostenuto import Agent, App, Message, Result, Status, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.connection.connect import connect
from sostenuto.contracts import names
from sostenuto.contracts.wire.run import RunInput
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer
from sostenuto.workers.worker import build_worker
from tests.chaos.victim import record, recorded

pytestmark = pytest.mark.chaos

_TURNS = 6


async def _reached(handle: WorkflowHandle[object, Result], events: int) -> None:
    """Wait until the history has this many events."""
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.event_id >= events:
            return


async def test_killed_and_restarted(tmp_path: Path) -> None:
    """Nothing that the history has is done again, and the worker needs no restart."""

    @tool(effect="read")
    async def look(step: int) -> str:
        """Look."""
        record(tmp_path, "effects", step=step)
        await asyncio.sleep(0.1)
        return f"seen {step}"

    script = [{"tool_calls": [{"name": "look", "arguments": {"step": n}}]} for n in range(_TURNS - 1)]
    agent = Agent(name="steady", model="scripted/m", tools=[look])
    adapter = ScriptedAdapter([*script, {"text": "done"}], log=tmp_path / "requests")
    async with ProcessGroup() as group:
        server = await TemporalServer.start(group, tmp_path, port=0, ui_port=None)
        temporal: Client = await connect(server.address)
        worker = build_worker(temporal, App(agent), {"scripted": adapter}, lambda *_: 0.0, task_queue="steady")
        async with worker:
            handle = await temporal.start_workflow(
                names.run_type(agent.kind, agent.name),
                RunInput(runnable=agent, message=Message.user("Go.")),
                id="steady",
                task_queue="steady",
                result_type=Result,
            )
            await _reached(handle, 22)
            before = Counter(effect["step"] for effect in recorded(tmp_path, "effects"))
            server.process.signal(signal.SIGKILL)
            await server.wait()
            await TemporalServer.start(group, tmp_path, port=server.port, ui_port=None)
            result = await handle.result()
    steps = Counter(effect["step"] for effect in recorded(tmp_path, "effects"))
    asked = Counter(request["turn"] for request in recorded(tmp_path, "requests"))
    assert (result.status, result.output, result.turns) == (Status.COMPLETED, "done", _TURNS)
    assert len(steps) == _TURNS - 1
    assert len(asked) == _TURNS
    # Only what was under way when the server died may be done again.
    assert steps.total() <= _TURNS
    assert asked.total() <= _TURNS + 1
    assert all(steps[step] == 1 for step in before if step != max(before))
