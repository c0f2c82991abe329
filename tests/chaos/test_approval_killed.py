"""Worker and server die while calls wait for a person: the decisions come afterwards, and the run goes on."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from sostenuto import Client, Status
from sostenuto.connection.connect import connect
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer
from tests.chaos.approved import approved_app, approved_worker
from tests.chaos.victim import recorded
from tests.integration.agent.stage import eventually

pytestmark = pytest.mark.chaos


async def test_killed_while_calls_wait(tmp_path: Path) -> None:
    async with ProcessGroup() as group:
        server = await TemporalServer.start(group, tmp_path, port=0, ui_port=None)
        temporal = await connect(server.address)
        victim = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.chaos.approved", server.address, "desk", str(tmp_path))
        )
        client = Client(temporal, task_queue="desk", redis_url="")
        agent = approved_app(tmp_path).runnable("desk")
        run = await client.start(agent, "Go.", id="desk")

        async def all_wait() -> bool:
            paid = recorded(tmp_path, "effects")
            return len(await run.approvals()) == 2 and len(paid) == 1

        await eventually(all_wait)
        victim.kill()
        await victim.wait()
        server.process.signal(signal.SIGKILL)
        await server.wait()
        await TemporalServer.start(group, tmp_path, port=server.port, ui_port=None)
        one, two = await run.approvals()
        async with approved_worker(temporal, "desk", tmp_path):
            await run.approve(one.call_id, by="ann")
            await run.deny(two.call_id, by="ann")
            result = await run.result()
    assert (result.status, result.output) == (Status.COMPLETED, "done")
    assert sorted(effect["amount"] for effect in recorded(tmp_path, "effects")) == [1, 50]
