"""A chat whose agent has tools of an MCP server, which takes its time to start."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Client, McpServer, Status
from sostenuto.workers.mcp import mcp_sessions
from sostenuto.workers.served.activities import Services
from sostenuto.workers.worker import build_worker
from tests.integration.chats.echo import Echo

ANNA = Agent(name="anna", model="scripted/m", tools=["mcp:slow"])
LATE = "import time, os, sys; time.sleep(4); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"


async def test_a_first_turn_that_is_interrupted_while_the_server_is_asked(
    temporal: TemporalClient, task_queue: str, tmp_path: Path
) -> None:
    """What was said is not lost, and the server can be asked again at once."""
    echo = Echo()
    fake = ["-c", LATE, "tests/fakes/mcp_server.py", "stdio", str(tmp_path / "journal")]
    server = McpServer(command=sys.executable, args=fake, timeout=timedelta(seconds=60))
    app = App(ANNA, mcp={"slow": server})
    async with (
        mcp_sessions(app.mcp) as sessions,
        build_worker(
            temporal,
            app,
            {"scripted": echo},
            lambda *_: 0.0,
            task_queue=task_queue,
            services=Services(mcp=sessions),
        ),
    ):
        client = Client(temporal, task_queue=task_queue, redis_url="")
        chat = await client.chat(ANNA, id=task_queue, when_busy="interrupt")
        first = chat.send("My name is Bob.")
        await first.accepted()
        await asyncio.sleep(1)
        second = await chat.send("Who am I?")
        cut = await first
        history = await chat.history()
    assert (cut.status, cut.reason) == (Status.CANCELLED, "it was interrupted")
    assert second.output == "2: Who am I?"
    assert echo.told == [["My name is Bob.", "Who am I?"]]
    assert [turn.message.text for turn in history] == ["My name is Bob.", "Who am I?"]
