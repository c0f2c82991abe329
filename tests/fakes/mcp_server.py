"""A small MCP server whose tools do what servers do at their worst. A real one: the official SDK's, in its own process.

    python mcp_server.py stdio [FILE]
    python mcp_server.py http PORT FILE [--legacy]

It writes a line of JSON to FILE for each thing that tests wait for: a call that began or was cancelled, and its port.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver import Context, Image
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import (
    AudioContent,
    BlobResourceContents,
    EmbeddedResource,
    ResourceLink,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

READ = ToolAnnotations(read_only_hint=True)
PIXEL = b"\x89PNG\r\n\x1a\n"

server = MCPServer("fake", log_level="ERROR")
journal = Path("/dev/null")


def note(**line: Any) -> None:
    with journal.open("a") as file:
        file.write(json.dumps(line) + "\n")


class Weather(BaseModel):
    city: str
    degrees: int


@server.tool(annotations=READ)
def echo(text: str) -> str:
    """Say it again."""
    return text


@server.tool(annotations=READ)
def pid() -> int:
    """The process that serves."""
    return os.getpid()


@server.tool(annotations=READ)
def weather(city: str) -> Weather:
    return Weather(city=city, degrees=7)


@server.tool(annotations=READ)
async def steps(count: int, ctx: Context[Any, Any]) -> str:
    """Count, telling how far it is."""
    for step in range(count):
        await ctx.report_progress(step + 1, count, f"step {step + 1}")
    return "done"


@server.tool(annotations=READ)
async def hang(ctx: Context[Any, Any]) -> str:
    """Never answer, while others are answered."""
    await ctx.report_progress(0.5, message="half way, and no further")
    note(began="hang")
    try:
        await asyncio.Event().wait()
    finally:
        note(cancelled="hang")
    return "never"


@server.tool(annotations=READ)
async def freeze() -> str:
    """Stand still as a whole: not even a ping is answered."""
    note(began="freeze", pid=os.getpid())
    time.sleep(3600)  # noqa: ASYNC251 - that is what it is for
    return "never"


@server.tool(annotations=READ)
def crash() -> str:
    """Die with the secret on the lips."""
    note(began="crash", pid=os.getpid())
    sys.stderr.write(f"out of luck, key {os.environ.get('FAKE_KEY')}\n")
    sys.stderr.flush()
    os._exit(3)


@server.tool()
def crash_once() -> str:
    """Die in a call that is not to be repeated."""
    note(began="crash_once", pid=os.getpid())
    os._exit(3)


@server.tool(annotations=ToolAnnotations(idempotent_hint=True))
def fail(reason: str) -> str:
    raise ToolError(f"no luck: {reason} {os.environ.get('FAKE_KEY', '')}".strip())


@server.tool(annotations=ToolAnnotations(destructive_hint=True), structured_output=False)
def key(ctx: Context[Any, Any]) -> str:
    """The idempotency key of the call."""
    meta = ctx.request_context.meta or {}
    return str(meta.get("sostenuto/idempotency-key"))


@server.tool(annotations=READ, structured_output=False)
def parent(ctx: Context[Any, Any]) -> str:
    """The span that the call is in."""
    return str((ctx.request_context.meta or {}).get("traceparent"))


@server.tool(annotations=READ)
def environment(name: str) -> str:
    return os.environ.get(name, "unset")


@server.tool(annotations=READ)
def header(name: str, ctx: Context[Any, Any]) -> str:
    return str((ctx.headers or {}).get(name))


@server.tool(annotations=READ, structured_output=False)
def everything() -> list[Any]:
    """One of each kind of content."""
    return [
        TextContent(text="words"),
        Image(data=PIXEL, format="png"),
        AudioContent(data="UklGRg==", mime_type="audio/wav"),
        ResourceLink(name="readme", uri="file:///readme.md", mime_type="text/markdown"),
        EmbeddedResource(resource=TextResourceContents(uri="file:///a.txt", text="text of a")),
        EmbeddedResource(
            resource=BlobResourceContents(uri="file:///b.pdf", blob="JVBERg==", mime_type="application/pdf")
        ),
    ]


@server.tool(annotations=READ)
def large(size: int) -> str:
    return "x" * size


@server.tool()
async def learn(name: str, ctx: Context[Any, Any]) -> str:
    """Have one tool more from now on."""
    server.add_tool(echo, name=name)
    await ctx.notify_tools_changed()
    return "learnt"


class RefusesDiscovery:
    """Makes the server one of before 2026, with a session for each client."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope.get("headers", ())}
        if headers.get("mcp-method") != "server/discover":
            await self._app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def serve_http(port: int, *, legacy: bool) -> None:
    app: ASGIApp = server.streamable_http_app()
    config = uvicorn.Config(
        RefusesDiscovery(app) if legacy else app, host="127.0.0.1", port=port, log_level="error", lifespan="on"
    )
    running = uvicorn.Server(config)
    serving = asyncio.create_task(running.serve())
    while not running.started:  # noqa: ASYNC110 - it has no event for that
        await asyncio.sleep(0.01)
    note(port=running.servers[0].sockets[0].getsockname()[1], pid=os.getpid())
    await serving


if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        journal = Path(sys.argv[2]) if len(sys.argv) > 2 else journal
        server.run()
    else:
        journal = Path(sys.argv[3])
        asyncio.run(serve_http(int(sys.argv[2]), legacy="--legacy" in sys.argv))
