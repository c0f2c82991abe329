"""MCP servers in processes of their own: a small one of ours that misbehaves on request, and those of npm."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App
from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter
from sostenuto.activities.mcp_session import McpSession
from sostenuto.contracts.mcp import McpServer
from sostenuto.workers.mcp import mcp_sessions
from sostenuto.workers.served.activities import Services
from sostenuto.workers.worker import build_worker
from tests.integration.agent.stage import PRICE_USD, Outcome, Stage
from tests.integration.stack.processes import eventually
from tests.patience import PATIENCE_SECONDS

FAKE = Path(__file__).parents[2] / "fakes" / "mcp_server.py"
RAW = Path(__file__).parents[2] / "fakes" / "raw_mcp_server.py"
SECRET = "sesame-open-4711"
NPM_PACKAGES = (
    "@modelcontextprotocol/server-everything@2026.8.31",
    "@modelcontextprotocol/server-filesystem@2026.8.31",
)
NPM_DIRECTORY = Path(__file__).parents[3] / ".sostenuto" / "npm-2026.8.31"

Open = Callable[[Mapping[str, McpServer]], Any]
RawServer = Callable[..., McpServer]
Play = Callable[..., Awaitable[Outcome]]


class Journal:
    """What the small server wrote down."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def lines(self, key: str) -> list[dict[str, Any]]:
        """The lines that have this key."""
        written = [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []
        return [line for line in written if key in line]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


def fake_server(journal: Path, *, seconds: float = PATIENCE_SECONDS, **options: Any) -> McpServer:
    """Describes the small server as one that speaks on its standard streams."""
    env = {"FAKE_KEY": SECRET} | options.pop("env", {})
    args = [str(FAKE), "stdio", str(journal)]
    return McpServer(command=sys.executable, args=args, env=env, timeout=timedelta(seconds=seconds), **options)


@pytest.fixture
def fake(journal: Journal) -> Callable[..., McpServer]:
    """Describes the small server, with this test's journal."""
    return partial(fake_server, journal.file)


@pytest.fixture
async def open_sessions() -> AsyncIterator[Open]:
    """Opens sessions that end with the test."""
    async with AsyncExitStack() as stack:

        async def open_them(servers: Mapping[str, McpServer]) -> dict[str, McpSession]:
            return await stack.enter_async_context(mcp_sessions(servers))

        yield open_them


@pytest.fixture
def raw_server(tmp_path: Path) -> RawServer:
    """Describes a server that says these things, method by method, with `_` for `/` in their names."""

    def described(**says: Any) -> McpServer:
        file = tmp_path / "says.json"
        given = {name.replace("_", "/"): said for name, said in says.items()}
        file.write_text(json.dumps({**given, "journal": str(tmp_path / "journal")}))
        return McpServer(
            command=sys.executable, args=[str(RAW), str(file)], timeout=timedelta(seconds=PATIENCE_SECONDS)
        )

    return described


@pytest.fixture
def play(temporal: TemporalClient, task_queue: str) -> Play:
    """Runs an agent that has tools of the server, to its end: `await play(server, script, *tools)`."""

    async def playing(server: McpServer, script: Script, *tools: str) -> Outcome:
        agent = Agent(name="tester", model="scripted/model", tools=list(tools))
        app = App(agent, mcp={"fake": server})
        async with mcp_sessions(app.mcp) as sessions:
            worker = build_worker(
                temporal,
                app,
                {"scripted": ScriptedAdapter(script)},
                lambda *_: PRICE_USD,
                task_queue=task_queue,
                max_cached_runs=0,  # so that every step replays
                services=Services(mcp=sessions),
            )
            async with worker:
                return await Stage(temporal, task_queue).ask(agent)

    return playing


class HttpServer:
    """The small server over HTTP, to be started, stopped and started again at one address."""

    def __init__(self, journal: Journal, *options: str) -> None:
        self._journal = journal
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    async def start(self) -> None:
        times = len(self._journal.lines("port"))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, str(FAKE), "http", str(self.port), str(self._journal.file), *self._options
        )
        await eventually(lambda: len(self._journal.lines("port")) > times)
        self.port = self._journal.lines("port")[-1]["port"]

    async def stop(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@pytest.fixture(params=["", "--legacy"], ids=["sessionless", "with sessions"])
async def http_server(request: pytest.FixtureRequest, journal: Journal) -> AsyncIterator[HttpServer]:
    """A started server of the protocol of 2026, or of the one before, which gives each client a session."""
    server = HttpServer(journal, *filter(None, [request.param]))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="session")
def npm() -> Path:
    """Where npm has put the servers; installed once."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("real MCP servers from npm are not tested: there is no node or no npm here")
    binaries = NPM_DIRECTORY / "node_modules" / ".bin"
    if not (NPM_DIRECTORY / "complete").exists():
        NPM_DIRECTORY.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(NPM_DIRECTORY), *NPM_PACKAGES]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip("real MCP servers from npm are not tested: `npm install` took longer than 50 s")
        if done.returncode:
            pytest.skip(f"real MCP servers from npm are not tested: `npm install` failed: {done.stderr[-300:]}")
        (NPM_DIRECTORY / "complete").touch()
    return binaries
