"""Servers that others wrote, from npm: the reference server with one of everything, and the one for files."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from sostenuto import Effect
from sostenuto.contracts.mcp import McpServer
from sostenuto.workers.mcp import mcp_sessions
from tests.integration.mcp.calls import Caller
from tests.integration.mcp.conftest import Open
from tests.integration.stack.processes import eventually, of_directory


async def use_everything(caller: Caller) -> None:
    """What the reference server has, through our vocabulary."""
    tools = {tool.tool: tool for tool in (await caller.catalogue()).tools}
    assert tools["echo"].effect is Effect.READ
    assert tools["gzip-file-as-resource"].effect is Effect.IDEMPOTENT
    assert tools["toggle-simulated-logging"].effect is Effect.ONCE
    assert (await caller.call("echo", message="hello")).content == "Echo: hello"
    assert "42" in (await caller.call("get-sum", a=40, b=2)).content
    image = await caller.call("get-tiny-image")
    assert [part.media_type for part in image.attachments] == ["image/png"]
    weather = (await caller.call("get-structured-content", location="Chicago")).content
    assert weather.count("temperature") == 1
    assert "resource" in (await caller.call("get-resource-links", count=2)).content
    assert "demo://resource" in (await caller.call("get-resource-reference", resourceType="Text", resourceId=1)).content
    await caller.call("trigger-long-running-operation", duration=0.2, steps=2)
    wrong = await caller.failure("get-sum", a="forty", b=2)
    assert wrong.non_retryable
    assert "number" in wrong.message
    answers = await asyncio.gather(*(caller.call("echo", message=str(n)) for n in range(100)))
    assert [answer.content for answer in answers] == [f"Echo: {n}" for n in range(100)]


async def test_everything_over_its_standard_streams(npm: Path) -> None:
    server = McpServer(command=str(npm / "mcp-server-everything"), args=["stdio"])
    async with mcp_sessions({"fake": server}) as sessions:
        await use_everything(Caller(sessions))
        assert len(of_directory(npm)) == 1
    await eventually(lambda: of_directory(npm) == [])


async def test_everything_over_http(npm: Path, open_sessions: Open) -> None:
    """Restarted in between: it then answers 400 to the session that it no longer knows."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    caller = Caller(await open_sessions({"fake": McpServer(url=f"http://127.0.0.1:{port}/mcp")}))
    for use in (use_everything(caller), caller.call("toggle-simulated-logging", effect=Effect.ONCE)):
        process = await asyncio.create_subprocess_exec(
            *(str(npm / "mcp-server-everything"), "streamableHttp"),
            env={"PORT": str(port), "PATH": "/usr/bin:/bin:/usr/local/bin"},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await eventually(lambda: _listens(port))
            await use
        finally:
            process.kill()
            await process.wait()


async def test_files(npm: Path, tmp_path: Path, open_sessions: Open) -> None:
    (tmp_path / "a.txt").write_text("first\nsecond\n")
    server = McpServer(command=str(npm / "mcp-server-filesystem"), args=[str(tmp_path)], prefix="files_")
    caller = Caller(await open_sessions({"fake": server}))
    tools = {tool.tool: tool for tool in (await caller.catalogue()).tools}
    assert (tools["read_text_file"].effect, tools["read_text_file"].approval) == (Effect.READ, False)
    assert (tools["write_file"].effect, tools["write_file"].approval) == (Effect.IDEMPOTENT, True)
    assert (tools["move_file"].effect, tools["move_file"].approval) == (Effect.ONCE, True)
    assert tools["write_file"].name == "files_write_file"
    target = tmp_path / "b.txt"
    await caller.call("write_file", effect=Effect.IDEMPOTENT, path=str(target), content="written")
    assert target.read_text() == "written"
    assert (await caller.call("read_text_file", path=str(tmp_path / "a.txt"))).content == "first\nsecond\n"
    outside = await caller.failure("read_text_file", path="/etc/passwd")
    assert "outside allowed directories" in outside.message


async def test_npx_and_what_it_starts_end_together(npm: Path, tmp_path: Path) -> None:
    """As people write it in their settings: a program that starts the program that starts the server."""
    server = McpServer(command="npx", args=["--no-install", "mcp-server-filesystem", str(tmp_path)], cwd=npm.parents[1])
    async with mcp_sessions({"fake": server}) as sessions:
        assert str(tmp_path) in (await Caller(sessions).call("list_allowed_directories")).content
        assert len(of_directory(tmp_path)) >= 1
    await eventually(lambda: of_directory(tmp_path) == [])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
