"""`sostenuto cancel` asks runs to stop, says of what is held up why, and refuses what it cannot stop."""

from __future__ import annotations

import asyncio

from temporalio.client import Client as TemporalClient

from sostenuto import Agent, Client
from tests.integration.agent.stage import eventually
from tests.integration.clients.shell import Shell, ended
from tests.integration.clients.test_trace_files import GATE


async def test_a_run_is_asked_to_stop(shell: Shell, temporal: TemporalClient) -> None:
    (shell.directory / "gate.py").write_text(GATE)
    id_ = f"cli-{shell.queue}"
    running = await shell.start("run", "gate:app", "support", "How is 7?", "--id", id_)

    async def tells_of_the_tool() -> bool:
        return "look" in (await shell.run("trace", id_)).out

    await eventually(tells_of_the_tool)
    asked = await shell.run("cancel", id_)
    assert (asked.status, asked.out) == (0, "")
    assert f"{id_} is asked to stop" in asked.err
    assert (await ended(running)).status == 5
    again = await shell.run("cancel", id_)
    assert again.status == 2
    assert f"{id_} is over: cancelled" in again.err
    nobody = await shell.run("cancel", f"{id_}-nobody")
    assert nobody.status == 2
    assert "there is no such run" in nobody.err

    client = Client(temporal, task_queue=shell.queue, redis_url="")
    chat = await client.chat(Agent(name="host", model="scripted/m"), id=f"chat-{shell.queue}")
    refused = await shell.run("cancel", chat.id)
    assert refused.status == 2
    assert f"{chat.id} is a chat" in refused.err


async def test_a_trace_tells_what_holds_a_run_up(shell: Shell, temporal: TemporalClient) -> None:
    client = Client(temporal, task_queue=shell.queue, redis_url="")
    run = await client.start(Agent(name="alone", model="scripted/m"), "Hello", id=f"alone-{shell.queue}")

    async def is_told() -> bool:
        await asyncio.sleep(0.5)
        return f"no worker takes work from '{shell.queue}'" in (await shell.run("trace", run.id)).out

    await eventually(is_told)
